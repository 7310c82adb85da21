"""What a broker wrote to its disk, read without a client: batches, markers, transactions.

Formats: Kafka's record batch version 2 and the values of __transaction_state
(clients/src/main/resources and transaction-coordinator's TransactionLogValue.json)."""

import struct
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ABORT, COMMIT = 0, 1
_BATCH = struct.Struct(">qiibIhiqqqhii")  # 61 bytes
_TRANSACTIONAL, _CONTROL, _CODEC = 0x10, 0x20, 0x07
PREPARE_COMMIT, PREPARE_ABORT = 2, 3


@dataclass(slots=True)
class Batch:
    first: int
    last: int
    producer: int
    epoch: int
    timestamp: int
    transactional: bool
    marker: int | None  # ABORT, COMMIT, or None for records


@dataclass(slots=True)
class Transaction:
    """As the coordinator decided it."""
    producer: int
    epoch: int
    transactional_id: str
    committed: bool
    timestamp: int
    partitions: frozenset  # of (topic, partition)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _raw_batches(directory: Path):
    """Header fields and body of each batch in a partition's folder, in order."""
    for file in sorted(directory.glob("*.log")):
        data, at = file.read_bytes(), 0
        while at + _BATCH.size <= len(data):
            header = _BATCH.unpack_from(data, at)
            size = header[1] + 12
            if header[1] <= 0 or at + size > len(data):
                break
            yield header, data[at + _BATCH.size:at + size]
            at += size


def _records(body: bytes, count: int):
    """Keys and values of an uncompressed batch."""
    at = 0
    for _ in range(count):
        size, at = _zigzag(body, at)
        end = at + size
        at += 1
        _, at = _zigzag(body, at)
        _, at = _zigzag(body, at)
        key_size, at = _zigzag(body, at)
        key = body[at:at + key_size] if key_size >= 0 else None
        at += max(key_size, 0)
        value_size, at = _zigzag(body, at)
        yield key, body[at:at + value_size] if value_size >= 0 else None
        at = end


def batches(directory: Path) -> list[Batch]:
    found = []
    for header, body in _raw_batches(directory):
        base, _, _, _, _, attributes, delta, _, stamp, producer, epoch, _, count = header
        marker = None
        if attributes & _CONTROL:
            key, _ = next(_records(body, 1))
            marker = struct.unpack_from(">h", key, 2)[0]
        found.append(Batch(base, base + delta, producer, epoch, stamp,
                           bool(attributes & _TRANSACTIONAL), marker))
    return found


def offset_commits(directory: Path):
    """Each batch of a partition of __consumer_offsets, with group, topic, partition and offset of each
    commit in it; a batch that is compressed, or a marker, has none."""
    for batch, (header, body) in zip(batches(directory), _raw_batches(directory)):
        found = []
        if not header[5] & (_CONTROL | _CODEC):
            for key, value in _records(body, header[12]):
                if value is None or key is None or struct.unpack_from(">h", key)[0] not in (0, 1):
                    continue
                read = _Reader(key[2:])
                group = read.text(read.number("h"))
                topic = read.text(read.number("h"))
                partition, offset = read.number("i"), struct.unpack_from(">q", value, 2)[0]
                found.append((group, topic, partition, offset))
        yield batch, found


class _Reader:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self, form: str) -> int:
        value = struct.unpack_from(">" + form, self.data, self.at)[0]
        self.at += struct.calcsize(form)
        return value

    def compact(self) -> int:
        value, self.at = _varint(self.data, self.at)
        return value - 1

    def text(self, size: int) -> str:
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def skip_tags(self) -> None:
        count, self.at = _varint(self.data, self.at)
        for _ in range(count):
            _, self.at = _varint(self.data, self.at)
            size, self.at = _varint(self.data, self.at)
            self.at += size


def _transaction(name: str, value: bytes) -> Transaction | None:
    read = _Reader(value)
    flexible = read.number("h") >= 1
    producer, epoch, _, status = (read.number(f) for f in "qhib")
    if status not in (PREPARE_COMMIT, PREPARE_ABORT):
        return None
    partitions = set()
    for _ in range(max(read.compact() if flexible else read.number("i"), 0)):
        topic = read.text(read.compact() if flexible else read.number("h"))
        for _ in range(read.compact() if flexible else read.number("i")):
            partitions.add((topic, read.number("i")))
        if flexible:
            read.skip_tags()
    return Transaction(producer, epoch, name, status == PREPARE_COMMIT, read.number("q"),
                       frozenset(partitions))


def transactions(folders: list[Path]) -> list[Transaction]:
    """All that the coordinators decided, each folder a partition of __transaction_state."""
    found = []
    for folder in folders:
        for header, body in _raw_batches(folder):
            if header[5] & (_CONTROL | _CODEC):
                continue
            for key, value in _records(body, header[12]):
                if value is None or struct.unpack_from(">h", key)[0] != 0:
                    continue
                size = struct.unpack_from(">h", key, 2)[0]
                decided = _transaction(key[4:4 + size].decode(), value)
                if decided:
                    found.append(decided)
    return found


def newest_replica(nodes: list[Path], partition: str) -> Path | None:
    """The folder of a partition that holds most, among the nodes' data folders."""
    found = [n / partition for n in nodes if (n / partition).is_dir()]
    return max(found, key=lambda f: sum(x.stat().st_size for x in f.glob("*.log")), default=None)


class TransactionMap:
    """Says which transaction made a record: that of the producer's next marker in the partition. A
    marker is of the producer's last transaction that was decided before it was written, since the
    next begins only when all markers are there. (They cannot be counted off: after a fail-over a
    coordinator may write a marker or a decision again.)"""

    def __init__(self, decided: list[Transaction], logs: dict[tuple[str, int], list[Batch]]):
        self._ends: dict[tuple[str, int, int], list[int]] = {}
        self._which: dict[tuple[str, int, int], list[int]] = {}
        self._writers: dict[tuple[str, int], tuple[list[int], list[int]]] = {}
        self.contradictions: list[str] = []
        by_place = defaultdict(list)
        for index, one in enumerate(decided):
            for topic, partition in one.partitions:
                by_place[(topic, partition, one.producer)].append(index)
        for (topic, partition), log in logs.items():
            markers = defaultdict(list)
            for batch in log:
                if batch.marker is not None:
                    markers[batch.producer].append(batch)
            self._writers[(topic, partition)] = (
                [b.last for b in log if b.marker is None],
                [b.producer for b in log if b.marker is None])
            for producer, found in markers.items():
                place = (topic, partition, producer)
                records = [b.first for b in log if b.marker is None and b.producer == producer]
                self._match(place, found, records, by_place[place], decided)

    def _match(self, place, markers: list[Batch], records: list[int], indexes: list[int],
               decided) -> None:
        times = [decided[i].timestamp for i in indexes]
        which, ended, before = [], set(), -1
        for marker in markers:
            at = bisect_right(times, marker.timestamp) - 1
            index = indexes[at] if at >= 0 else None
            ends_records = bisect_left(records, marker.first) > bisect_left(records, before)
            if index is None or decided[index].committed != (marker.marker == COMMIT) or (
                    ends_records and index in ended):
                self.contradictions.append(
                    f"{place[0]} {place[1]}: the marker at {marker.first} of producer {place[2]}"
                    " is of no transaction")
            if ends_records:
                ended.add(index)
            which.append(index)
            before = marker.first
        self._ends[place] = [m.first for m in markers]
        self._which[place] = which

    def of(self, topic: str, partition: int, offset: int) -> int | None:
        """The transaction's number, or None when the logs do not tell."""
        lasts, producers = self._writers.get((topic, partition), ([], []))
        at = bisect_left(lasts, offset)
        if at == len(lasts):
            return None
        place = (topic, partition, producers[at])
        turn = bisect_left(self._ends.get(place, []), offset)
        which = self._which.get(place, [])
        return which[turn] if turn < len(which) else None
