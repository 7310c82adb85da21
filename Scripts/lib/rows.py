"""Shows the end of a port as a table: `weft read PORT --format json | rows.py ROWS WIDTH`, where
the rows of a state port have the most in them.

Columns that do not fit into WIDTH are left out, and said. With `quarantine` as a third argument it
shows of its beginning what a product's quarantine says of its records instead of what is in them.
"""

import base64
import json
import sys

CELL_MAX = 24


def text(value, most=CELL_MAX):
    if value is None:
        return ""
    shown = value if isinstance(value, str) else json.dumps(value)
    shown = "".join(letter if letter.isprintable() else "·" for letter in shown)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def number(value):
    return value is None or isinstance(value, (int, float)) and not isinstance(value, bool)


def why(record):
    headers, original = record["headers"], record.get("value")
    if "bytes" in record:
        original = base64.b64decode(record["bytes"]).decode(errors="replace")
    return {
        "reason": headers["weft_reason"], "original": text(original, 32),
        "partition": int(headers["weft_partition"]), "offset": int(headers["weft_offset"]),
        "message": headers["weft_message"],
    }


def columns(rows, width, most):
    """The names and widths of those that fit."""
    chosen, left = [], width
    for name in rows[0]:
        wide = max(len(name), *(len(text(row.get(name), most)) for row in rows))
        if wide + 2 > left and chosen:
            return chosen, len(rows[0]) - len(chosen)
        chosen.append((name, wide))
        left -= wide + 2
    return chosen, 0


def main():
    count, width = int(sys.argv[1]), int(sys.argv[2])
    records = [json.loads(line) for line in sys.stdin if line.strip()]
    is_quarantine = sys.argv[3:] == ["quarantine"]
    shape = why if is_quarantine else lambda record: record.get("value") or {}
    most = width if is_quarantine else CELL_MAX
    shown = records[:count] if is_quarantine else records[-count:]
    rows = [row for row in map(shape, shown) if row]
    if not rows:
        print("      nothing")
        return
    chosen, hidden = columns(rows, width - 6, most)
    lines = [{name: name for name, _ in chosen}, *rows]
    right = {name for name, _ in chosen if all(number(row.get(name)) for row in rows)}
    for line in lines:
        cells = [
            text(line.get(name), most).rjust(wide) if name in right
            else text(line.get(name), most).ljust(wide) for name, wide in chosen
        ]
        print("      " + "  ".join(cells).rstrip())
    more = f", {hidden} more columns" if hidden else ""
    print(f"      {len(rows)} of {len(records)}{more}")


if __name__ == "__main__":
    main()
