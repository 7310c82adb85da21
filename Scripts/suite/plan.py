"""The input of a run: what is fed, drawn from one seed. It knows topics and shapes, but nothing of
what the products make of them; that is model.py's."""

import heapq
import random
import struct
import zlib
from dataclasses import dataclass

MOVEMENTS, HOLDERS = "ops.bank.movements", "ops.bank.holders"
TOPICS = [MOVEMENTS, HOLDERS]
PARTITIONS = 4
TELLERS = 200
_TIME_ZERO_MS = 1704067200000  # 2024-01-01T00:00:00Z
_FRAME = struct.Struct("<Biqii")


@dataclass(slots=True, frozen=True)
class Fed:
    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    malformed: bool

    def frame(self, topics: list[str]) -> bytes:
        """As Scripts/tools/publish.c reads it, called with these topics."""
        return _FRAME.pack(
            topics.index(self.topic), self.partition, 0,
            -1 if self.key is None else len(self.key),
            -1 if self.value is None else len(self.value)) + (self.key or b"") + (self.value or b"")


def partition_of(key: bytes) -> int:
    """All events of a key are in one partition; any function of the key will do."""
    return zlib.crc32(key) % PARTITIONS


def time_text(ms: int) -> str:
    days, rest = divmod(ms, 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    year, month, day = _date(days)
    return (f"{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:"
            f"{rest // 1000:02}.{rest % 1000:03}Z")


def _date(days: int) -> tuple[int, int, int]:
    """Days since 1970 to a date (H. Hinnant, chrono-compatible algorithms)."""
    days += 719468
    era, of_era = divmod(days, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return year + era * 400 + (month <= 2), month, day


def _money(cents: int) -> str:
    sign, cents = "-" if cents < 0 else "", abs(cents)
    if cents % 100 == 0 and cents % 3 == 0:
        return f"{sign}{cents // 100}"  # whole amounts are sent without a fraction at times
    if cents % 10 == 0 and cents % 7 == 0:
        return f"{sign}{cents // 100}.{cents % 100 // 10}"
    return f"{sign}{cents // 100}.{cents % 100:02}"


class Plan:
    """All records in the order in which they are fed. A partition's n-th one has offset n."""

    def __init__(self, seed: int, events: int, accounts: int = 3000):
        self._random = random.Random(f"plan {seed}")
        self._accounts, self._opened = accounts, set()
        self.touched: set[str] = set()  # each gets one event more, at the very end
        self._times = list(range(events))
        self._random.shuffle(self._times)  # each event its own time, in no order
        self.redeliveries = self.malformed = 0
        self.fed: list[Fed] = []
        self._write(events)

    def _write(self, events: int) -> None:
        due: list[tuple[int, int, Fed]] = []
        for number in range(events):
            while due and due[0][0] <= number:
                self.fed.append(heapq.heappop(due)[2])
            if self._random.random() < 0.004:
                self.fed.append(self._malformed(number))
            event = self._event(number)
            self.fed.append(event)
            if self._random.random() < 0.08:
                later = self._random.choice((1, 5, 200, 5_000, 50_000))
                later = self._random.randint(1, min(later, max(events // 2, 1)))
                heapq.heappush(due, (number + later, number, event))
                self.redeliveries += 1
        self.fed.extend(heapq.heappop(due)[2] for _ in range(len(due)))
        self._touch_all(events)

    def _touch_all(self, events: int) -> None:
        """One more event for each account, which changes next to nothing of its row: fed after the last
        kill, it has every row published once more, from the state as it came through."""
        for extra, account in enumerate(sorted(self.touched)):
            self.fed.append(self._holder(account, self._common(account, events + extra, 0)))

    def _event(self, number: int) -> Fed:
        pick = self._random
        account = f"A{int(self._accounts * pick.random() ** 2):05}"
        self.touched.add(account)
        common = self._common(account, number, self._times[number])
        roll = pick.random()
        if roll < 0.02:
            return self._holder(account, common)
        if account not in self._opened:
            self._opened.add(account)
            text = f'{{"type":"Opened",{common},"branch":"B{pick.randrange(40)}"}}'
        elif roll < 0.03:
            text = f'{{"type":"Closed",{common}}}'
        else:
            cents = pick.randrange(-1_000_000, 1_000_000)
            note = f',"note":"n-{pick.randrange(10_000)}"' if pick.random() < 0.6 else ""
            kind = f',"kind":"K{pick.randrange(12)}"' if pick.random() < 0.8 else ""
            text = (f'{{"type":"Moved",{common},"sequence":{number},'
                    f'"teller":"T{pick.randrange(TELLERS)}","amount":{_money(cents)}{note}{kind}}}')
        return Fed(MOVEMENTS, partition_of(account.encode()), account.encode(), text.encode(), False)

    def _common(self, account: str, number: int, time: int) -> str:
        return (f'"eventId":"e{number}","occurredAt":"{time_text(_TIME_ZERO_MS + time * 250)}",'
                f'"account":"{account}"')

    def _holder(self, account: str, common: str) -> Fed:
        text = f'{{{common},"name":"Holder {self._random.randrange(500)} Ö."}}'
        return Fed(HOLDERS, partition_of(account.encode()), account.encode(), text.encode(), False)

    def _malformed(self, number: int) -> Fed:
        """One of the ways in which a record is none; each with bytes of its own where it has any."""
        pick, self.malformed = self._random, self.malformed + 1
        account = f"A{pick.randrange(self._accounts):05}"
        start = f'{{"type":"Moved","eventId":"m{number}","occurredAt":"2024-01-01T00:00:00Z",'
        most = f'"account":"{account}","sequence":{number},"teller":"T1"'
        rest = most + ',"amount":'
        value: bytes | None = pick.choice((
            f'{{"eventId":"m{number}","type":"Mov'.encode(),                     # cut off
            f'{start}{rest}1,"note":"m{number} '.encode() + b'\xff\xfe"}',          # not UTF-8
            b"[" * 3000 + f"{number}".encode(),                                  # too deep
            f'{start}"sequence":{number},"teller":"T1","amount":1}}'.encode(),    # no account
            f'{start}"account":"{account}","sequence":{number},"amount":1}}'.encode(),  # no teller
            f'{start}{rest}"much"}}'.encode(),                                    # wrong type
            f'{start}{rest}123456789012.34}}'.encode(),                           # out of range
            f'{{"type":"Stolen","eventId":"m{number}"}}'.encode(),                 # unknown type
            f'{start}{most}}}'.encode(),                                          # no amount
            None,                                                                # a tombstone
            b"",                                                                 # empty
        ))
        key = None if pick.random() < 0.1 else account.encode()
        return Fed(MOVEMENTS, pick.randrange(PARTITIONS), key, value, True)
