"""Compares what the ports hold with the model, and says where they differ."""

from collections import Counter, defaultdict
from decimal import Decimal
from itertools import zip_longest

from proofs.records import Record

from .model import Account, Model, Port, Row, Streak, decode, instant
from .plan import Fed

MOVEMENTS, LARGE = "bank.ledger.movements.v1", "bank.ledger.large.v1"
ACCOUNT, TELLER, STREAK = (
    "bank.ledger.account.v1", "bank.ledger.teller.v1", "bank.ledger.streak.v1")
STATES = [ACCOUNT, TELLER, STREAK]
LEDGER_QUARANTINE, TAPE_QUARANTINE = "bank.ledger.quarantine", "bank.tape.quarantine"
LINES = "bank.tape.lines.v1"
PORTS = [MOVEMENTS, LARGE, *STATES, LEDGER_QUARANTINE, LINES, TAPE_QUARANTINE]
_INSTANTS = {"occurredAt", "openedAt", "closedAt"}


class Differences:
    """What is wrong: counted by kind, and the first of each kind in words."""

    def __init__(self):
        self.counts: Counter[str] = Counter()
        self.first: list[str] = []
        # By topic: partition and offset of records that are too many.
        self.spots: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def add(self, kind: str, text: str) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= 3:
            self.first.append(f"{kind}: {text}")

    def __bool__(self) -> bool:
        return bool(self.counts)

    def __str__(self) -> str:
        totals = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        return "\n".join([totals, *(f"  {line[:300]}" for line in self.first)])


def by_topic(records: list[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        found[record.topic].append(record)
    for each in found.values():
        each.sort(key=lambda r: (r.partition, r.offset))
    return found


def fields_of(record: Record) -> dict:
    """The record's fields; amounts as decimals, times as instants, absent and null alike."""
    found: dict = {}
    try:
        read = decode(record.value or b"")
    except ValueError:
        return {"not JSON": record.value}
    for name, value in read.items():
        if value is None:
            continue
        found[name] = instant(value) if name in _INSTANTS else value
    return found


def same(left: dict, right: dict) -> bool:
    # Equal as numbers: 5 is 5.00 here; Decimal and int compare exactly.
    return left == right and not any(isinstance(v, float) for v in left.values())


def check_input(fed: list[Fed], read: dict[str, list[Record]], found: Differences) -> None:
    """The input itself: each record where the model takes it to be."""
    wanted: dict[tuple[str, int], list[Fed]] = defaultdict(list)
    for one in fed:
        wanted[(one.topic, one.partition)].append(one)
    got: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for each in read.values():
        for one in each:
            got[(one.topic, one.partition)].append(one)
    for place in wanted.keys() | got.keys():
        if [(f.key, f.value) for f in wanted[place]] != [(r.key, r.value) for r in got[place]]:
            found.add("input not as fed", f"{place}: {len(wanted[place])} fed, {len(got[place])}")


def check_events(port: Port, records: list[Record], name: str, found: Differences) -> None:
    """An event port: for every key the same records in the same order, nothing else."""
    by_key: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_key[(record.key or b"").decode()].append(record)
    check_ids(records, name, found)
    for key in port.by_key.keys() | by_key.keys():
        check_key(f"{name} {key}", port.by_key.get(key, []), by_key.get(key, []), found)


def check_ids(records: list[Record], name: str, found: Differences) -> None:
    """Each record has an id of its own, and the records of a key are in one partition."""
    partitions: dict[bytes | None, set[int]] = defaultdict(set)
    ids: Counter[bytes] = Counter()
    for record in records:
        partitions[record.key].add(record.partition)
        ids[record.headers.get("ce_id", b"")] += 1
    for key, places in partitions.items():
        if len(places) > 1:
            found.add("a key in two partitions", f"{name} {key!r}: {sorted(places)}")
    for identity, count in ids.items():
        if count > 1 or not identity:
            found.add("ce_id not unique", f"{name}: {identity!r} {count} times")


def check_key(name: str, wanted: list[dict], records: list[Record], found: Differences) -> None:
    got = [fields_of(r) for r in records]
    if len(wanted) == len(got) and all(same(w, g) for w, g in zip(wanted, got)):
        return
    want_ids = Counter(w["movementId"] for w in wanted)
    got_ids = Counter(g.get("movementId") for g in got)
    for identity in (want_ids - got_ids).elements():
        found.add("missing", f"{name}: {identity}")
    for identity in (got_ids - want_ids).elements():
        places = [(r.partition, r.offset) for r in records if identity.encode() in r.value]
        found.add("too many", f"{name}: {identity} at {places}")
        if records:
            found.spots[records[0].topic] += places
    if want_ids != got_ids:
        return
    by_id = {w["movementId"]: w for w in wanted}
    wrong = [g for g in got if not same(by_id[g["movementId"]], g)]
    for each in wrong:
        found.add("wrong content", f"{name}: {each}, not {by_id[each['movementId']]}")
    if not wrong:
        at = next(i for i, (w, g) in enumerate(zip(wanted, got)) if not same(w, g))
        found.add("order", f"{name}: {got[at]['movementId']} before {wanted[at]['movementId']}")


def check_rows(wanted_rows: dict[str, Row], records: list[Record], name: str,
               found: Differences) -> None:
    """A state port: each key's last record is its row, and a row never goes back."""
    check_ids(records, name, found)
    rows: dict[str, dict] = {}
    for record in records:
        if record.value is None:
            found.add("wrong content", f"a tombstone of {record.key!r} at the port of {name}")
            continue
        row, key = fields_of(record), record.key.decode()
        before = rows.get(key)
        if before and _applied(row) < _applied(before):
            found.add("state went back", f"{name} {key} at {record.partition}:{record.offset}: "
                      f"{_applied(before)} events, then {_applied(row)}")
        rows[key] = row
    for key in wanted_rows.keys() | rows.keys():
        got = rows.get(key, {})
        wanted = wanted_rows[key].columns if key in wanted_rows else {}
        median = got.pop("median", None)
        if isinstance(one := wanted_rows.get(key), Account) and not near(median, one.median):
            found.add("wrong row", f"{name} {key}: median {median}, exactly {one.median}")
        if not got or not wanted or not same(wanted, got):
            odd = {n: (str(got.get(n)), str(wanted.get(n)))
                   for n in got.keys() | wanted.keys() if got.get(n) != wanted.get(n)}
            found.add("wrong row", f"{name} {key}: {odd} (got, wanted)")


def _applied(row: dict) -> int:
    return row.get("movements", 0) + row.get("holders", 0)


def near(got, exact: Decimal | None) -> bool:
    """A quantile lies at most 1/128 of it nearer to zero than the exact one."""
    if got is None or exact is None:
        return got is None and exact is None
    rest = (exact - Decimal(got)).copy_sign(1)
    return abs(Decimal(got)) <= abs(exact) and rest <= abs(exact) / 128


def check_history(streaks: dict[str, Streak], records: list[Record], found: Differences) -> None:
    """A state port whose rows come and go: each key's records are all that its row ever was."""
    check_ids(records, "streak", found)
    got: dict[str, list[dict | None]] = defaultdict(list)
    for record in records:
        got[record.key.decode()].append(None if record.value is None else fields_of(record))
    for key in streaks.keys() | got.keys():
        wanted = streaks[key].history if key in streaks else []
        both = list(zip_longest(wanted, got[key], fillvalue="none"))
        odd = next((i for i, (w, g) in enumerate(both) if not _same_step(w, g)), None)
        if odd is not None:
            kind = "wrong tombstone" if None in both[odd] else "wrong row"
            found.add(kind, f"streak {key}, record {odd}: {both[odd][1]}, not {both[odd][0]}")


def _same_step(wanted, got) -> bool:
    return same(wanted, got) if isinstance(wanted, dict) and isinstance(got, dict) else wanted is got


def check_quarantine(wanted: dict, records: list[Record], name: str, found: Differences) -> None:
    got: Counter[tuple[str, int, int]] = Counter()
    for record in records:
        headers = record.headers
        position = (headers.get("weft_topic", b"").decode(),
                    int(headers.get("weft_partition", b"-1")),
                    int(headers.get("weft_offset", b"-1")))
        got[position] += 1
        if position in wanted and (record.value or b"") != (wanted[position] or b""):
            found.add("wrong content", f"{name} {position}: not the original bytes")
        if not headers.get("weft_reason"):
            found.add("wrong content", f"{name} {position}: no reason")
    for position in wanted.keys() - got.keys():
        found.add("not quarantined", f"{name} {position}: {(wanted[position] or b'')[:80]!r}")
    for position, count in got.items():
        if position not in wanted:
            found.add("quarantined for nothing", f"{name} {position}")
        elif count > 1:
            found.add("quarantined twice", f"{name} {position}: {count} times")


def check_ports(model: Model, read: dict[str, list[Record]], found: Differences) -> None:
    check_events(model.movements, read[MOVEMENTS], "movements", found)
    check_events(model.large, read[LARGE], "large", found)
    check_lines(model.lines, read[LINES], found)
    check_rows(model.accounts, read[ACCOUNT], "account", found)
    check_rows(model.tellers, read[TELLER], "teller", found)
    check_history(model.streaks, read[STREAK], found)
    check_quarantine(model.ledger_quarantine, read[LEDGER_QUARANTINE], "ledger", found)
    check_quarantine(model.tape_quarantine, read[TAPE_QUARANTINE], "tape", found)


def check_lines(port: Port, records: list[Record], found: Differences) -> None:
    """The direct product: redeliveries are there as often as they were fed, under one id."""
    by_key: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_key[(record.key or b"").decode()].append(record)
    for key in port.by_key.keys() | by_key.keys():
        check_key(f"lines {key}", port.by_key.get(key, []), by_key.get(key, []), found)


def check_follower(seen: list[Record], final: dict[str, list[Record]],
                   found: Differences) -> None:
    """What a reader saw while it went on is what one sees afterwards: nothing was taken back."""
    wanted = {(r.topic, r.partition, r.offset): r.value for each in final.values() for r in each}
    last: dict[tuple[str, int], int] = {}
    for record in seen:
        place = (record.topic, record.partition)
        # State ports are compacted: what was seen may be gone, but never differ.
        if wanted.get((*place, record.offset), record.value) != record.value:
            found.add("seen, then changed", f"{place} {record.offset}")
        if record.topic not in STATES and (*place, record.offset) not in wanted:
            found.add("seen, then gone", f"{place} {record.offset}")
        if last.get(place, -1) >= record.offset:
            found.add("seen twice", f"{place} {record.offset}")
        last[place] = record.offset


def check_torn(read: dict[str, list[Record]], which, found: Differences) -> int:
    """What one event makes at several ports was made by one transaction; returns how many events
    were looked at. `which` gives the transaction of (topic, partition, offset)."""
    large = {decode(r.value)["movementId"]: r for r in read[LARGE]}
    states: dict[tuple[str, int], Record] = {}
    for record in read[ACCOUNT]:
        row = decode(record.value)
        states.setdefault((row["account"], row.get("lastSequence", -1)), record)
    looked = 0
    for record in read[MOVEMENTS]:
        event = decode(record.value)
        made = which(record.topic, record.partition, record.offset)
        beside = [large.get(event["movementId"]), states.get((event["account"], event["sequence"]))]
        for other in beside:
            if other is None:
                continue
            looked += 1
            theirs = which(other.topic, other.partition, other.offset)
            if made is None or made != theirs:
                found.add("torn", f"{event['movementId']}: transaction {made} at movements, "
                          f"{theirs} at {other.topic}")
    return looked


def check_console(printed: bytes, read: list[Record], found: Differences) -> None:
    """Kafka's own reader printed the same records (it does not say of which topic)."""
    wanted = Counter(
        b"Partition:%d\tOffset:%d\t%s\t%s" % (
            r.partition, r.offset, b"null" if r.key is None else r.key,
            b"null" if r.value is None else r.value) for r in read)
    got = Counter(line for line in printed.split(b"\n") if line.startswith(b"Partition:"))
    for line in (wanted - got):
        found.add("not at the console consumer", f"{line[:120]!r}")
    for line in (got - wanted):
        found.add("only at the console consumer", f"{line[:120]!r}")
