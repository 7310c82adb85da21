"""What `weft status`, `get`, `trace` and `explain` say of the claims product, asked from an empty
folder while no worker runs: only the broker and the catalog can tell.

    commands.py WEFT EVENTS ROWS

EVENTS is claims.ndjson (lines KEY<TAB>JSON), ROWS what `weft read claims#claim@1 --format json`
printed. Exit code 1 if an answer is not what the rows and the events say.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
from decimal import Decimal

from claims import TYPES, accepted, read

PRODUCT, PORT = "claims", "claims#claim@1"


def refused(path):
    """How many lines are no events, and so in quarantine; and an id that comes twice, if one does."""
    count, seen, twice = 0, set(), None
    for line in pathlib.Path(path).read_bytes().splitlines():
        key, _, value = line.partition(b"\t")
        try:
            event = json.loads(value.decode())
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict) or event.get("type") not in TYPES:
            count += 1
        elif (key, event["eventId"]) in seen:
            twice = event["eventId"]
        else:
            seen.add((key, event["eventId"]))
    return count, twice


class Asker:
    def __init__(self, weft):
        self._weft, self.wrong = weft, []

    def ask(self, *words):
        """The answer as JSON; None, and noted, where the command did not end well."""
        done = self._run(*words)
        if done.returncode:
            self.wrong.append(f"weft {' '.join(words)}: exit code {done.returncode}:"
                              f" {done.stderr.strip()[:300]}")
            return None
        return json.loads(done.stdout, parse_float=Decimal)

    def refuses(self, *words):
        done = self._run(*words)
        self.expect(done.returncode == 1 and "error" in done.stderr,
                    f"weft {' '.join(words)} should be refused, but ended with {done.returncode}")

    def _run(self, *words):
        with tempfile.TemporaryDirectory() as nowhere:
            return subprocess.run([self._weft, *words, "--format", "json"], cwd=nowhere,
                                  capture_output=True, text=True, timeout=120)

    def expect(self, is_right, problem):
        if not is_right:
            self.wrong.append(problem)


def main(weft, events, rows_path):
    asker, rows = Asker(str(pathlib.Path(weft).resolve())), read(rows_path)
    quarantined, twice = refused(events)
    events = [event for event in accepted(events) if event["claimId"] in rows]
    if not events:
        print("   there is no row to ask about", file=sys.stderr)
        return 1
    event, key = events[0], events[0]["claimId"]

    status = asker.ask("status", PRODUCT)
    if status:
        behind = [place["behind"] for place in status["inputs"]]
        asker.expect(behind and not any(behind), f"status: inputs are behind: {behind}")
        count = sum(place.get("stateRows", 0) for place in status["journals"]
                    if place["name"] == "claimId")
        asker.expect(count == len(rows), f"status: {count} rows of state, {len(rows)} at the port")
        asker.expect([one["phase"] for one in status["instances"]] == ["stopped"],
                     f"status: {status['instances']}")
        asker.expect({place.get("logicDigest") for place in status["journals"]}
                     == {status["logicDigest"]}, "status: partitions have another logic digest")
        # On a broker that others use as well there may be more.
        asker.expect(status["quarantined"] >= quarantined and status["quarantinedExactly"],
                     f"status: {status['quarantined']} in quarantine, {quarantined} are no events")

    row = asker.ask("get", PORT, key)
    if row:
        asker.expect(row["value"] == rows[key], f"get {key}: {row['value']}")
    asker.refuses("get", PORT, "no-such-key")

    trace = asker.ask("trace", PRODUCT, event["eventId"])
    if trace:
        asker.expect(trace["journaled"] and trace["journaled"][0]["applied"],
                     f"trace {event['eventId']}: it is not applied: {trace}")
        asker.expect(any(one["record"]["key"] == key for one in trace["published"]),
                     f"trace {event['eventId']}: nothing published under {key}: {trace}")
    again = asker.ask("trace", PRODUCT, twice) if twice else None
    if again:
        asker.expect([one["redelivered"] for one in again["journaled"]][:2] == [False, True],
                     f"trace {twice}: the second is no redelivery: {again['journaled']}")
    asker.refuses("trace", PRODUCT, "no-such-event")

    plan = asker.ask("explain", PRODUCT)
    if plan:
        tables = {table["name"]: table["facts"] for table in plan.get("tables", [])}
        asker.expect(any("event.amount" in fact for fact in tables.get("claim", [])),
                     f"explain: the table is not told of: {tables}")
        asker.expect([stream["name"] for stream in plan.get("streams", [])]
                     == ["charges", "payments", "submissions"],
                     f"explain: the streams are not told of: {plan.get('streams')}")

    for problem in asker.wrong:
        print(f"   {problem}", file=sys.stderr)
    if not asker.wrong:
        print("   status, get, trace and explain say the same from an empty folder")
    return 1 if asker.wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
