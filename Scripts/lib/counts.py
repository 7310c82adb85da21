"""Adds up what the workers of a run counted, and checks it: `counts.py LOG-DIRECTORY [EXPECTED]`.

A worker that drains writes one line a product, JSON with product, read, applied, filtered,
redelivered, quarantined and held. Every record that was read must be in exactly one of the others.
With EXPECTED (the expected.json of generated input, on topics that held nothing else) the numbers
must be those too. Exit code 1 if anything does not add up.
"""

import json
import pathlib
import sys

PARTS = ["applied", "filtered", "redelivered", "quarantined", "held"]


def counted(directory):
    """product -> counts, over all logs; of one log the last line of a product counts."""
    totals = {}
    for path in sorted(pathlib.Path(directory).glob("*.log")):
        last = {}
        for line in path.read_text(errors="replace").splitlines():
            if '"quarantined"' not in line:
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and {"product", "read", *PARTS} <= entry.keys():
                last[entry["product"]] = entry
        for product, entry in last.items():
            total = totals.setdefault(product, {**dict.fromkeys(["read", *PARTS], 0), "of": {}})
            for name in ["read", *PARTS]:
                total[name] += int(entry[name])
            for topic, count in entry.get("read_of", {}).items():
                total["of"][topic] = total["of"].get(topic, 0) + count
    return totals


def problems(totals, expected):
    for product, counts in totals.items():
        if counts["read"] != sum(counts[name] for name in PARTS):
            yield f"{product}: read {counts['read']} is not the sum of the others"
    for product, facts in (expected or {}).get("streams", {}).items():
        counts = totals.get(product)
        if counts is None:
            yield f"{product}: no counts in its worker's log"
            continue
        # What it takes from other products' ports is none of the input.
        lines = counts["of"].get(f"ops.{product}.events")
        if lines != facts["lines"]:
            yield f"{product}: {lines} read of its topic, but the input has {facts['lines']} lines"
        for name, fact in [("redelivered", "redelivered"), ("quarantined", "malformed")]:
            if counts[name] != facts[fact]:
                yield f"{product}: {name} {counts[name]}, but the input has {facts[fact]} {fact}"


def main():
    totals = counted(sys.argv[1])
    expected = json.loads(pathlib.Path(sys.argv[2]).read_text()) if len(sys.argv) > 2 else None
    head = ["read", "="] + " + ".join(PARTS).split(" ")
    print(f"   {'':16}" + " ".join(f"{word:>{max(len(word), 2)}}" for word in head))
    for product, counts in totals.items():
        row = [str(counts.get(word, word)).rjust(max(len(word), 2)) for word in head]
        print(f"   {product:16}" + " ".join(row))
    wrong = list(problems(totals, expected))
    if not totals:
        wrong.append("no worker wrote its counts")
    for problem in wrong:
        print(f"   WRONG: {problem}")
    if not wrong:
        print("   the sums are right: nothing is lost, nothing counts twice")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
