"""What the claims product's state port must hold, worked out from the events alone.

    claims.py EVENTS ROWS [--beside-others]

compares; exit code 1 if a row, or a column of a row, differs. Beside others there may be rows of
claims that are not in EVENTS.

EVENTS is claims.ndjson (lines KEY<TAB>JSON), ROWS what `weft read claims#claim@1 --format json`
printed. This shares no code and no file with Weft: it is what transform.yaml means, written anew.
"""

import json
import pathlib
import sys
from decimal import Decimal

TYPES = {"ClaimSubmitted", "ClaimTransaction", "ClaimClosed"}


def accepted(path):
    """The events in the order of arrival, each once; lines that are no events are left out."""
    seen = set()
    for line in pathlib.Path(path).read_bytes().splitlines():
        key, _, value = line.partition(b"\t")
        try:
            event = json.loads(value.decode(), parse_float=Decimal)
        except (ValueError, RecursionError):
            continue
        if not isinstance(event, dict) or event.get("type") not in TYPES:
            continue
        if (key, event["eventId"]) not in seen:
            seen.add((key, event["eventId"]))
            yield event


def plus(one, other):
    return other if one is None else one if other is None else one + other


def expected(path):
    rows = {}
    for event in accepted(path):
        claim = rows.setdefault(event["claimId"], {
            "claimId": event["claimId"], "status": None, "openedAt": None, "payerId": None,
            "closedAt": None, "charged": None, "paid": None, "lines": 0, "statusAt": "",
        })
        at = event["occurredAt"]
        if event["type"] != "ClaimTransaction" and at >= claim["statusAt"]:
            claim["statusAt"] = at
            claim["status"] = "closed" if event["type"] == "ClaimClosed" else "submitted"
        if event["type"] == "ClaimSubmitted":
            claim["payerId"] = event["payerId"]
            claim["openedAt"] = min(claim["openedAt"] or at, at)
        elif event["type"] == "ClaimClosed":
            claim["closedAt"] = max(claim["closedAt"] or at, at)
        elif event["kind"] == "CHARGE":
            claim["charged"] = plus(claim["charged"], event.get("amount"))
            claim["lines"] += 1
        elif event["kind"] == "PAYMENT":
            claim["paid"] = plus(claim["paid"], event.get("payment"))
    for claim in rows.values():
        del claim["statusAt"]
    return rows


def read(path, key="claimId"):
    """key -> row; the last of a key holds, as in a compacted topic."""
    rows = {}
    for line in pathlib.Path(path).read_text().splitlines():
        record = json.loads(line, parse_float=Decimal)
        row = record.get("value", record)
        if row is None:
            rows.pop(record["key"], None)
        else:
            rows[row[key]] = row
    return rows


def main():
    wanted, found = expected(sys.argv[1]), read(sys.argv[2])
    others = "--beside-others" in sys.argv[3:]
    wrong = []
    for claim in sorted(wanted.keys() if others else wanted.keys() | found.keys()):
        want, have = wanted.get(claim), found.get(claim)
        if want is None or have is None:
            wrong.append(f"{claim}: {'not there' if have is None else 'not expected'}")
            continue
        for column, value in want.items():
            if have.get(column) != value:
                wrong.append(f"{claim}.{column}: {have.get(column)}, not {value}")
    for line in wrong[:20]:
        print("   WRONG: " + line)
    print(f"   {len(wanted)} claims, {len(wrong)} differences")
    return 1 if wrong or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
