"""Checks the checker: right ports pass, and each thing that can be wrong is found under its name."""

import copy
import json
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from proofs.places import ProofError
from proofs.records import Record

from . import compare
from .compare import (
    ACCOUNT, LARGE, LEDGER_QUARANTINE, LINES, MOVEMENTS, STREAK, TAPE_QUARANTINE, TELLER)
from .model import Model
from .plan import Plan

Ports = dict[str, list[Record]]


def _text(fields: dict) -> bytes:
    def plain(value: object) -> str:
        return f"@{value:f}@" if isinstance(value, Decimal) else value.isoformat()
    return re.sub('"@([^@"]*)@"', r"\1", json.dumps(fields, default=plain)).encode()


def right_ports(model: Model) -> Ports:
    """What the model says, as records."""
    ports: Ports = {name: [] for name in compare.PORTS}

    def add(topic: str, key: str, fields: dict | None) -> None:
        place = len(ports[topic])
        value = None if fields is None else _text(fields)
        ports[topic].append(Record(topic, 0, place, 0, key.encode(), value,
                                   {"ce_id": f"0-{place}-0".encode()}))

    for topic, port in ((MOVEMENTS, model.movements), (LARGE, model.large), (LINES, model.lines)):
        for key, each in port.by_key.items():
            for fields in each:
                add(topic, key, fields)
    for key, row in model.accounts.items():
        median = {} if row.median is None else {"median": row.median}
        add(ACCOUNT, key, {**row.columns, **median})
    for key, row in model.tellers.items():
        add(TELLER, key, row.columns)
    for key, streak in model.streaks.items():
        for fields in streak.history:
            add(STREAK, key, fields)
    for topic, wanted in ((LEDGER_QUARANTINE, model.ledger_quarantine),
                          (TAPE_QUARANTINE, model.tape_quarantine)):
        for (source, partition, offset), value in wanted.items():
            ports[topic].append(Record(topic, 0, len(ports[topic]), 0, None, value, {
                "weft_reason": b"x", "weft_topic": source.encode(),
                "weft_partition": str(partition).encode(), "weft_offset": str(offset).encode()}))
    return ports


def _swap(ports: Ports) -> None:
    """Two records of one key change places."""
    records = ports[MOVEMENTS]
    at = next(i for i in range(len(records) - 1) if records[i].key == records[i + 1].key)
    records[at], records[at + 1] = records[at + 1], records[at]


def _replace(topic: str, at: int, old: bytes, new: bytes) -> Callable[[Ports], None]:
    def change(ports: Ports) -> None:
        ports[topic][at].value = ports[topic][at].value.replace(old, new, 1)
    return change


def _first(topic: str, old: bytes, new: bytes) -> Callable[[Ports], None]:
    """In the first record that has it."""
    def change(ports: Ports) -> None:
        record = next(r for r in ports[topic] if r.value and old in r.value)
        record.value = record.value.replace(old, new, 1)
    return change


def _again(topic: str) -> Callable[[Ports], None]:
    return lambda ports: ports[topic].append(copy.copy(ports[topic][3]))


def _older_row(ports: Ports) -> None:
    old = copy.copy(ports[ACCOUNT][0])
    old.value = b'{"account":"%s","movements":0,"credits":0,"holders":0}' % old.key
    ports[ACCOUNT].append(old)


def _lose_tombstone(ports: Ports) -> None:
    ports[STREAK].remove(next(r for r in ports[STREAK] if r.value is None))


FAULTS: list[tuple[str, Callable[[Ports], object]]] = [
    ("missing", lambda p: p[MOVEMENTS].pop(5)),
    ("missing", lambda p: p[LINES].pop(5)),
    ("too many", _again(MOVEMENTS)),
    ("too many", _again(LARGE)),
    ("too many", _again(LINES)),
    ("ce_id not unique", _again(MOVEMENTS)),
    ("ce_id not unique", _again(ACCOUNT)),
    ("ce_id not unique", _again(TELLER)),
    ("order", _swap),
    ("wrong content", _replace(MOVEMENTS, 7, b'"sequence": ', b'"sequence": 1')),
    ("wrong row", _replace(ACCOUNT, 2, b'"movements": ', b'"movements": 1')),
    ("wrong row", lambda p: p[ACCOUNT].pop(1)),
    *(("wrong row", _first(ACCOUNT, f'"{name}": {start}'.encode(), f'"{name}": {more}'.encode()))
      for name, start, more in (("median", "", "9"), ("average", "", "9"), ("checksum", "", "9"),
                                ("byKind", "{", '{"K": 1, '), ("kinds", "[", '["K", '),
                                ("extremes", "[", "[1, "), ("tellers", "", "9"))),
    ("wrong row", lambda p: p[TELLER].pop(1)),
    ("wrong row", _replace(TELLER, 3, b'"turnover": ', b'"turnover": 1')),
    ("wrong row", _again(STREAK)),
    ("wrong tombstone", _lose_tombstone),
    ("state went back", _older_row),
    ("not quarantined", lambda p: p[LEDGER_QUARANTINE].pop(1)),
    ("quarantined twice", _again(TAPE_QUARANTINE)),
]


def _torn(model: Model) -> None:
    """One record of an event is another transaction's."""
    ports = right_ports(model)
    found = compare.Differences()
    looked = compare.check_torn(ports, lambda *_: 7, found)
    if found or not looked:
        raise ProofError(f"the suite is wrong: whole transactions seem torn: {found}")
    odd = ports[LARGE][4].offset
    compare.check_torn(ports, lambda t, _, o: 8 if (t, o) == (LARGE, odd) else 7, found)
    if found.counts["torn"] != 1:
        raise ProofError("the suite is wrong: a torn event was not found")


def run(seed: int) -> None:
    """Raises a ProofError when the comparison is not to be trusted."""
    model = Model(Plan(seed, 3000, accounts=100).fed)
    found = compare.Differences()
    compare.check_ports(model, right_ports(model), found)
    if found:
        raise ProofError(f"the suite is wrong: right ports differ: {found}")
    for kind, spoil in FAULTS:
        ports, found = right_ports(model), compare.Differences()
        spoil(ports)
        compare.check_ports(model, ports, found)
        if kind not in found.counts:
            raise ProofError(f"the suite is wrong: `{kind}` was not found, but: {found}")
    _torn(model)
