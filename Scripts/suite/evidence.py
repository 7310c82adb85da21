"""What brokers and workers wrote about a run that went wrong, around the place where it did: the next
one may not go wrong in the same way, so what there is has to be told at once."""

import calendar
import json
import time
from pathlib import Path

from proofs import segments
from proofs.cluster import coordinator_partition
from proofs.segments import Batch, Transaction

AROUND_MS = 12_000
LINES = 14
_ROUTINE = {"records-quarantined", "product-started"}


def tell(group: str, topic: str, inputs: list[str], spots: list[tuple[int, int]],
         nodes: list[Path], decided: list[Transaction], workers: Path) -> list[str]:
    """`spots` are offsets of `topic`, each with its partition, at which too much or too little is:
    who wrote them, in which transactions, what the group committed then, what the workers said."""
    lines: list[str] = []
    times: list[int] = []
    producers: set[int] = set()
    for partition, offset in spots[:4]:
        folder = segments.newest_replica(nodes, f"{topic}-{partition}")
        log = segments.batches(folder) if folder else []
        for batch in (b for b in log if b.first <= offset <= b.last):
            times.append(batch.timestamp)
            producers.add(batch.producer)
            lines.append(f"{topic} {partition} offset {offset}: {_batch(batch)}")
            after = [b for b in log if b.marker is not None and b.producer == batch.producer
                     and b.first > offset]
            lines += [f"  ended by {_batch(b)}" for b in after[:2]]
    if not times:
        return ["no batch of these records was found"]
    lines += _nearest(times, [
        (d.timestamp, f"decided {_clock(d.timestamp)}: producer {d.producer} epoch {d.epoch}"
         f" {'commit' if d.committed else 'abort'} of {len(d.partitions)} partitions")
        for d in decided if d.producer in producers])
    partition = coordinator_partition(group)
    folder = segments.newest_replica(nodes, f"__consumer_offsets-{partition}")
    if folder:
        lines += _nearest(times, _offsets(folder, group, inputs, producers), 2 * LINES)
    lines += _nearest(times, _said(workers, group.split(".")[-1]))
    return lines


def _nearest(times: list[int], told: list[tuple[int, str]], most: int = LINES) -> list[str]:
    """Those that lie nearest to one of the times, in their order."""
    def away(one: tuple[int, str]) -> int:
        return min(abs(one[0] - at) for at in times)
    near = sorted((t for t in told if away(t) <= AROUND_MS), key=away)[:most]
    return [text for _, text in sorted(near)]


def _offsets(folder: Path, group: str, inputs: list[str],
             producers: set[int]) -> list[tuple[int, str]]:
    found = []
    for batch, records in segments.offset_commits(folder):
        ours = [f"{topic.split('.')[-1]} {partition} at {offset}"
                for name, topic, partition, offset in records if name == group and topic in inputs]
        if ours or batch.marker is not None and batch.producer in producers:
            found.append((batch.timestamp, f"offsets: {_batch(batch)} {', '.join(ours)}"))
    return found


def _said(workers: Path, product: str) -> list[tuple[int, str]]:
    found = []
    for file in sorted(workers.glob("*.log")):
        for line in file.read_text(errors="replace").splitlines():
            try:
                said = json.loads(line)
                stamp = said["time"]
                whole = time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")
            except (ValueError, KeyError, TypeError):
                continue
            at = _epoch_ms(whole)
            if said.get("product") in (None, product) and said.get("event") not in _ROUTINE:
                reason = said.get("reason", "")
                found.append((at, f"{file.stem} {stamp[11:23]} {said.get('event')} {reason}"))
    return found


def _epoch_ms(whole: time.struct_time) -> int:
    return calendar.timegm(whole) * 1000


def _clock(ms: int) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(ms / 1000)) + f".{ms % 1000:03}"


def _batch(batch: Batch) -> str:
    kind = {None: "records", segments.ABORT: "ABORT", segments.COMMIT: "COMMIT"}[batch.marker]
    return (f"{kind} {batch.first}-{batch.last} of producer {batch.producer} epoch {batch.epoch}"
            f" at {_clock(batch.timestamp)}")
