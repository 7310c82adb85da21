"""Checks the rules of the house that no compiler checks; prints every breach as FILE:LINE: WHAT.

Which room may import which is read from Package.swift (the arrows only point down there), where
SwiftPM itself does not look at C modules; the rest are the limits of the style guide. Exit code 1
if there is a breach.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    "Scripts", "Config", "Sources", "Tests", ".ci", ".git", "README.md", "LICENSE",
    "Package.swift", ".gitignore", ".swift-format",
}
LINES_MAX, COLUMNS_MAX, FUNCTION_LINES_MAX = 500, 100, 70

# The toolchain's own modules, and who may use Foundation: not the rooms of the hot path.
TOOLCHAIN = {"Swift", "Synchronization", "Dispatch", "Foundation", "Glibc", "Testing"}
NO_FOUNDATION = {"Records", "Formats", "State", "Engine", "Kafka"}
# The rooms that may say `unsafe`, beside the one `*+C.swift` of a room with a C face.
UNSAFE_ROOMS = {"Records", "Kafka"}
UNSAFE_FILES = {"Formats": re.compile(r"JSON|Scan|Tape"), "State": re.compile(r"Row|Undo")}

BANNED = [
    (re.compile(r"\btry!"), "`try!`: throw, or handle the error"),
    (re.compile(r"\bfatalError\("), "`fatalError`: throw; an invariant is a `precondition`"),
    (re.compile(r"\bas! "), "`as!`: use `as?` and handle nil"),
    (re.compile(r"\b(TO" r"DO|FIX" r"ME|XXX)\b"), "an unfinished mark"),
    (re.compile(r"\bThread\.sleep|\busleep\(|Task\.sleep"), "sleeping: wait for what is awaited"),
]
# `foo!` at the end of an expression; not `!=`, not an implicitly unwrapped type, not prose
FORCED = re.compile(r"[\w)\]]!(?=[\s.,)\]:;?]|$)")


def code_of(line):
    """The line without its comment and without what stands in quotes."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"', '""', line)
    bare = re.sub(r"`[^`]*`", "name", bare)
    return bare.split("//")[0]


def arrows():
    """room -> what it may import, from Package.swift."""
    text = (ROOT / "Package.swift").read_text()
    allowed = {}
    for kind, name, body in re.findall(
            r'\b(room|tests)\(\s*"(\w+)"\s*(?:,\s*\[(.*?)\])?\s*\)', text, re.DOTALL):
        allowed[name] = set(re.findall(r'"(\w+)"', body))
    command = re.search(r'name: "weft",\s*dependencies: \[(.*?)\]', text, re.DOTALL)
    allowed["weft"] = set(re.findall(r'"(\w+)"', command.group(1)))
    return allowed


def room_of(path):
    return path.relative_to(ROOT).parts[1]


def imports(path, lines, allowed):
    room = room_of(path)
    for number, line in enumerate(lines, 1):
        match = re.match(r"\s*(?:@\w+\s+)*(?:\w+ )?import (?:\w+ )?(\w+)", line)
        if not match:
            continue
        module = match.group(1)
        if module == "Foundation" and room in NO_FOUNDATION:
            yield number, f"{room} may not import Foundation (hot path)"
        if module not in TOOLCHAIN and module not in allowed.get(room, set()):
            yield number, f"{room} may not import {module} (see Package.swift)"


def functions(lines):
    """Functions that are too long: from `func`/`init` to the brace that closes at its column."""
    opened = None
    for number, line in enumerate(lines, 1):
        start = re.match(r"(\s*)[\w@() ]*\b(?:func [\w`]|init[?(<])", code_of(line))
        if start and (opened is None or len(start.group(1)) <= opened[1]):
            opened = (number, len(start.group(1)))
        elif opened and re.match(r" {%d}\}" % opened[1], line):
            if number - opened[0] >= FUNCTION_LINES_MAX:
                yield opened[0], f"a function of {number - opened[0] + 1} lines"
            opened = None


def unsafe(path, lines):
    room = room_of(path)
    if path.parts[len(ROOT.parts)] != "Sources" or room in UNSAFE_ROOMS or path.stem.endswith("+C"):
        return
    if room in UNSAFE_FILES and UNSAFE_FILES[room].search(path.stem):
        return
    for number, line in enumerate(lines, 1):
        if re.search(r"(?<![.\w])unsafe [\w(&\[]", code_of(line)):
            yield number, f"`unsafe` in {room}"
            return


def swift(path, allowed):
    lines = path.read_text().splitlines()
    is_test = path.parts[len(ROOT.parts)] == "Tests"
    if len(lines) > LINES_MAX:
        yield 1, f"{len(lines)} lines"
    for number, line in enumerate(lines, 1):
        code = code_of(line)
        for pattern, what in BANNED:
            if pattern.search(line if "mark" in what else code):
                yield number, what
        if not is_test and FORCED.search(code):
            yield number, "a force unwrap"
    yield from imports(path, lines, allowed)
    yield from functions(lines)
    yield from unsafe(path, lines)


def texts():
    for top in ("Sources", "Tests", "Scripts", "Config", ".ci"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and ".build" not in path.parts:
                yield path


def any_text(path):
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        return
    # Swift is the formatter's business, which leaves comments as they are.
    wide = path.suffix in {".c", ".h", ".sh", ".py"} or (
        not path.suffix and path.parent.name in {"Scripts", ".ci"})
    for number, line in enumerate(lines, 1):
        if wide and len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns"
        if re.search(r"(?<![\w.])/(?:work|root|home)/\w", line) and path.name != "house.py":
            yield number, "an absolute path of somebody's machine"


def rooms():
    for room in sorted((ROOT / "Sources").iterdir()):
        if room.is_dir() and not (room / "README.md").is_file():
            yield room, "a room without README.md"


def main():
    allowed, breaches = arrows(), []
    for entry in ROOT.iterdir():
        if entry.name not in TOP_LEVEL and not entry.name.startswith(".build"):
            breaches.append(f"{entry.name}: does not belong at the top level")
    for path, what in rooms():
        breaches.append(f"{path.relative_to(ROOT)}: {what}")
    for path in texts():
        found = list(any_text(path))
        if path.suffix == ".swift" and path.parts[len(ROOT.parts)] in {"Sources", "Tests"}:
            found += swift(path, allowed)
        breaches += [f"{path.relative_to(ROOT)}:{number}: {what}" for number, what in found]
    print("\n".join(breaches) if breaches else "   no breach")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
