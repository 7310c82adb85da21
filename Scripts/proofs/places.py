"""Where things are, and the programs that the proofs run."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
SHARED = ROOT.parent / "shared"
KAFKA = SHARED / "kafka" / "kafka"
PEERS = SHARED / "peers"
TOOLS = ROOT / "Scripts" / "tools"


class ProofError(Exception):
    """What stops a proof before it can say anything: one line, for a person."""


def end_by_exception() -> None:
    """So that a signal ends a proof as an error does: with everything stopped that it started."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda code, _: sys.exit(128 + code))


@contextlib.contextmanager
def run_directory(kind: str) -> Iterator[Path]:
    """A directory of this run alone, so that two at once do not meet. Those of earlier runs of
    the kind that have ended are removed, but for the two newest, whose logs somebody may want."""
    runs = BUILD / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix=time.strftime(f"{kind}-%H%M%S-"), dir=runs))
    (directory / "owner").write_text(f"{os.getpid()} {_started(os.getpid())}\n")
    ended = [old for old in runs.glob(f"{kind}-*") if not _is_owned(old)]
    for old in sorted(ended, key=lambda path: path.stat().st_mtime)[:-2]:
        if (old / "broker" / "cluster").exists():  # its run was killed, and left it
            subprocess.run([str(KAFKA), "destroy", str(old / "broker")], capture_output=True)
        shutil.rmtree(old, ignore_errors=True)
    yield directory


def _started(pid: int) -> str | None:
    """When a process began, in the kernel's count; None when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def _is_owned(directory: Path) -> bool:
    try:
        pid, started = (directory / "owner").read_text().split()
    except (OSError, ValueError):
        return True  # it is being made
    return _started(int(pid)) == started


def setup(*packages: str) -> None:
    """Brings in what is missing from Debian, as every script does, and these packages, and says what:
    to standard error, since a bench's standard output is for its figures."""
    lib = ROOT / "Scripts" / "lib"
    script = f". '{lib}/common.sh'; . '{lib}/setup.sh'; setup; need_java"
    if packages:
        script += f"; need_packages {' '.join(packages)}"
    if subprocess.run(["bash", "-euo", "pipefail", "-c", script], stdout=sys.stderr).returncode:
        raise ProofError("what it takes is not there: see above")


def tool(name: str) -> str:
    """The path of a program of Scripts/tools, compiled when its source is newer."""
    binary = BUILD / "tools" / name
    sources = [TOOLS / f"{name}.c", *TOOLS.glob("*.h")]
    if not binary.exists() or binary.stat().st_mtime < max(s.stat().st_mtime for s in sources):
        compile_c(sources[0], binary, ["-std=c17", "-Wall", "-Wextra", "-Werror"])
    return str(binary)


def peer(name: str) -> str | None:
    """The same for a C program of ../shared/peers; None when they are not there."""
    source, binary = PEERS / f"{name}.c", BUILD / "tools" / f"peer-{name}"
    if not source.exists():
        return None
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        compile_c(source, binary, ["-D_GNU_SOURCE", "-w"])
    return str(binary)


def compile_c(source: Path, binary: Path, flags: list[str]) -> None:
    """Written beside and moved, so that two scripts at once do not run half a file."""
    compiler = next(
        (c for c in (os.environ.get("CC"), "cc", "gcc", "clang") if c and shutil.which(c)), None)
    if not compiler:
        raise ProofError("no C compiler: install one (Debian: apt-get install gcc libc6-dev)")
    binary.parent.mkdir(parents=True, exist_ok=True)
    fresh = binary.with_suffix(f".{os.getpid()}")
    command = [compiler, "-O2", *flags, "-o", str(fresh), str(source), "-lrdkafka", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ProofError(f"{source.name} does not compile:\n{done.stderr.strip()}")
    fresh.replace(binary)


def weft() -> str:
    """The release build of the command; WEFT names another."""
    given = os.environ.get("WEFT")
    if given:
        return str(Path(given).resolve())
    swift = ["swift", "build", "-c", "release", "--product", "weft", "--package-path", str(ROOT)]
    done = subprocess.run(swift, capture_output=True, text=True)
    if done.returncode:
        raise ProofError(f"weft does not build:\n{(done.stdout + done.stderr)[-2000:]}")
    return str(BUILD / "release" / "weft")


def free_ports(count: int) -> int:
    """The first of `count` ports of loopback in a row that are free now; below the range from which
    outgoing connections take theirs."""
    for _ in range(200):
        first, held = random.SystemRandom().randrange(20000, 32000), []
        try:
            for port in range(first, first + count):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
    raise ProofError("no free ports on loopback")
