"""The reference model: what the ports of mesh/ must hold, computed from the fed records alone, with
Python's own JSON and decimals. Nothing of Weft is used here."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from .plan import HOLDERS, MOVEMENTS, Fed

LARGE = Decimal(5000)


def decode(value: bytes):
    return json.loads(value, parse_float=Decimal, parse_int=int)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass
class Port:
    """An event port: each key's records in their order, by the field that names the event."""
    by_key: dict[str, list[dict]] = field(default_factory=lambda: defaultdict(list))

    def add(self, key: str, fields: dict) -> None:
        self.by_key[key].append(fields)

    @property
    def count(self) -> int:
        return sum(len(each) for each in self.by_key.values())


class Row:
    """A row of the table `account`."""

    def __init__(self, account: str):
        self.columns: dict[str, object] = {
            "account": account, "movements": 0, "credits": 0, "holders": 0}
        self._latest: dict[str, datetime] = {}

    def moved(self, event: dict, time: datetime) -> None:
        amount, credit = Decimal(event["amount"]), event["amount"] > 0
        row = self.columns
        row["movements"] += 1
        row["credits"] += credit
        row["balance"] = row.get("balance", Decimal(0)) + amount
        if credit:
            row["credited"] = row.get("credited", Decimal(0)) + amount
        row["smallest"] = min(row.get("smallest", amount), amount)
        row["largest"] = max(row.get("largest", amount), amount)
        row.setdefault("firstAmount", amount)
        row["lastSequence"] = event["sequence"]
        if "note" in event:
            row["lastNote"] = event["note"]
            self.latest("latestNote", event["note"], time)
        self.latest("latestAmount", amount, time)

    def opened(self, event: dict, time: datetime) -> None:
        self.latest("status", "open", time)
        self.columns.setdefault("branch", event["branch"])
        self.columns["openedAt"] = min(self.columns.get("openedAt", time), time)

    def closed(self, event: dict, time: datetime) -> None:
        self.latest("status", "closed", time)
        self.columns["closedAt"] = max(self.columns.get("closedAt", time), time)

    def held(self, event: dict) -> None:
        self.columns["holder"] = event["name"]
        self.columns["holders"] += 1

    def latest(self, column: str, value: object, time: datetime) -> None:
        if column not in self._latest or time > self._latest[column]:
            self.columns[column], self._latest[column] = value, time


class Model:
    def __init__(self, fed: list[Fed]):
        self.movements, self.large, self.lines = Port(), Port(), Port()
        self.rows: dict[str, Row] = {}
        # Source position to original bytes.
        self.ledger_quarantine: dict[tuple[str, int, int], bytes | None] = {}
        self.tape_quarantine: dict[tuple[str, int, int], bytes | None] = {}
        self.redelivered = 0
        self._seen: set[str] = set()
        offsets: dict[tuple[str, int], int] = defaultdict(int)
        for record in fed:
            place = (record.topic, record.partition)
            self._take(record, (*place, offsets[place]))
            offsets[place] += 1

    def _take(self, record: Fed, position: tuple[str, int, int]) -> None:
        if record.malformed:
            self.ledger_quarantine[position] = record.value
            if record.topic == MOVEMENTS:
                self.tape_quarantine[position] = record.value
            return
        event = decode(record.value)
        if event.get("type") == "Moved":
            self._line(event)
        if event["eventId"] in self._seen:
            self.redelivered += 1
            return
        self._seen.add(event["eventId"])
        row = self.rows.setdefault(event["account"], Row(event["account"]))
        time = instant(event["occurredAt"])
        if record.topic == HOLDERS:
            row.held(event)
        elif event["type"] == "Opened":
            row.opened(event, time)
        elif event["type"] == "Closed":
            row.closed(event, time)
        else:
            row.moved(event, time)
            self._moved(event, time)

    def _line(self, event: dict) -> None:
        """The direct product: redeliveries pass through it."""
        if event["amount"] != 0:
            self.lines.add(event["account"], {
                "movementId": event["eventId"], "account": event["account"],
                "sequence": event["sequence"], "amount": Decimal(event["amount"])})

    def _moved(self, event: dict, time: datetime) -> None:
        account, amount = event["account"], Decimal(event["amount"])
        common = {"movementId": event["eventId"], "account": account,
                  "sequence": event["sequence"]}
        fields = {**common, "amount": amount, "occurredAt": time}
        if "note" in event:
            fields["note"] = event["note"]
        self.movements.add(account, fields)
        if amount >= LARGE:
            self.large.add(account, {**common, "excess": amount - LARGE})
