"""The reference model: what the ports of mesh/ must hold, computed from the fed records alone, with
Python's own JSON and decimals. Nothing of Weft is used here."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from .plan import HOLDERS, MOVEMENTS, Fed

LARGE, EXTREME, LOSS = Decimal(5000), Decimal(9900), Decimal(-9000)


def decode(value: bytes):
    return json.loads(value, parse_float=Decimal, parse_int=int)


def half_even(total: Decimal, count: int, places: int) -> Decimal:
    """The quotient to so many places, rounded once."""
    return Decimal(round(Fraction(total) / count * 10 ** places)).scaleb(-places)


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
    """A row that keeps the actual time of what is `latest`."""

    def __init__(self, **columns: object):
        self.columns: dict[str, object] = columns
        self._latest: dict[str, datetime] = {}

    def add(self, column: str, amount: Decimal) -> None:
        self.columns[column] = self.columns.get(column, Decimal(0)) + amount

    def latest(self, column: str, value: object, time: datetime) -> None:
        if column not in self._latest or time > self._latest[column]:
            self.columns[column], self._latest[column] = value, time


class Account(Row):
    """A row of the table `account`."""

    def __init__(self, account: str):
        super().__init__(account=account, movements=0, credits=0, holders=0, tellers=0, byKind={})
        self.amounts: list[Decimal] = []
        self._tellers: set[str] = set()

    def moved(self, event: dict, time: datetime) -> None:
        amount, credit = Decimal(event["amount"]), event["amount"] > 0
        row = self.columns
        row["movements"] += 1
        row["credits"] += credit
        self.add("balance", amount)
        if credit:
            self.add("credited", amount)
        row["smallest"] = min(row.get("smallest", amount), amount)
        row["largest"] = max(row.get("largest", amount), amount)
        row.setdefault("firstAmount", amount)
        row["lastSequence"] = event["sequence"]
        if "note" in event:
            row["lastNote"] = event["note"]
            self.latest("latestNote", event["note"], time)
        self.latest("latestAmount", amount, time)
        self.amounts.append(amount)
        row["average"] = half_even(row["balance"], row["movements"], 4)
        self._tellers.add(event["teller"])
        row["tellers"] = len(self._tellers)
        if "kind" in event:
            kind, sums = event["kind"], row["byKind"]
            row["kinds"] = sorted({kind, *row.get("kinds", [])})
            sums[kind] = sums.get(kind, Decimal(0)) + amount
        if amount >= EXTREME:
            row.setdefault("extremes", []).append(event["sequence"])
        row["checksum"] = (row.get("checksum", 7) * 31 + event["sequence"]) % 1000003

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

    @property
    def median(self) -> Decimal | None:
        """The smallest amount that at least half of all are not greater than."""
        return sorted(self.amounts)[(len(self.amounts) + 1) // 2 - 1] if self.amounts else None


class Teller(Row):
    """A row of the table `teller`: an account's events keep their order, a teller's do not."""

    def __init__(self, teller: str):
        super().__init__(teller=teller, movements=0, accounts=0)
        self._accounts: set[str] = set()

    def moved(self, event: dict, time: datetime) -> None:
        row = self.columns
        row["movements"] += 1
        self.add("turnover", Decimal(event["amount"]))
        row["lastSequence"] = max(row.get("lastSequence", -1), event["sequence"])
        self._accounts.add(event["account"])
        row["accounts"] = len(self._accounts)
        if "note" in event:
            self.latest("notedBy", event["note"], time)


class Streak:
    """A row of the table `streak` and all that was published of it: a tombstone is None."""

    def __init__(self, account: str):
        self._account = account
        self._row: Row | None = None
        self.history: list[dict | None] = []

    def moved(self, event: dict) -> None:
        amount = Decimal(event["amount"])
        if amount > LOSS:
            self._row = self._row or Row(account=self._account, movements=0)
            self._row.columns["movements"] += 1
            self._row.add("total", amount)
            self.history.append(dict(self._row.columns))
        elif self._row:
            self._row = None
            self.history.append(None)


class Model:
    def __init__(self, fed: list[Fed]):
        self.movements, self.large, self.lines = Port(), Port(), Port()
        self.accounts: dict[str, Account] = {}
        self.tellers: dict[str, Teller] = {}
        self.streaks: dict[str, Streak] = {}
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
        account = event["account"]
        row = self.accounts.setdefault(account, Account(account))
        time = instant(event["occurredAt"])
        if record.topic == HOLDERS:
            row.held(event)
        elif event["type"] == "Opened":
            row.opened(event, time)
        elif event["type"] == "Closed":
            row.closed(event, time)
        else:
            row.moved(event, time)
            self.streaks.setdefault(account, Streak(account)).moved(event)
            self.tellers.setdefault(event["teller"], Teller(event["teller"])).moved(event, time)
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
