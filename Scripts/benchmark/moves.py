"""Partitions that move from one instance to another, as they are seen from outside."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from proofs.places import ProofError

from .workers import Worker


@dataclass
class Move:
    """`counts`: by topic; `first_s` and `last_s`: from what made them move to the first commit of a
    moved partition, of the first and of the last; `pause_s`: the longest that one of them was
    without a commit."""
    counts: dict[str, int]
    first_s: float
    last_s: float
    pause_s: float


@dataclass
class _Partition:
    """One that may move: whom it belonged to, and its commits."""
    owner: str
    offset: int
    commit: float
    """When the last commit was seen."""
    moved: bool = False
    before: float | None = None
    """The last commit under the owner before."""
    base: int = 0
    first: float | None = None
    """The first commit under the new owner."""


def watch_move(run: Worker, topics: list[str], act: Callable[[], None], instances: int,
               patience: float) -> Move:
    """Does what makes partitions of the topics move, and waits until so many instances share them
    all, and each that moved was committed by its new owner. Every partition must get records
    meanwhile, or it is never committed."""
    places = {}
    for topic, (_, owners) in _look(run, topics).items():
        for partition, offset in enumerate(run.committed(topic)):
            places[topic, partition] = _Partition(owners[partition], offset, time.monotonic())
    began = time.monotonic()
    act()
    while True:
        settled, holders = True, set()
        for topic, (is_stable, owners) in _look(run, topics).items():
            settled = settled and is_stable and "" not in owners
            holders.update(owners)
            now = time.monotonic()
            for partition, offset in enumerate(run.committed(topic)):
                _note(places[topic, partition], owners[partition], offset, now)
        moved = {place: p for place, p in places.items() if p.moved}
        firsts = [p.first for p in moved.values() if p.first]
        if settled and len(holders) == instances and moved and len(firsts) == len(moved):
            return Move(
                {t: sum(1 for topic, _ in moved if topic == t) for t in topics},
                min(firsts) - began, max(firsts) - began,
                max(p.first - p.before for p in moved.values()))
        run.check_alive()
        if time.monotonic() - began > patience:
            raise ProofError(
                f"{run.domain}: after {patience:.0f} s {len(moved)} partitions had moved,"
                f" {len(firsts)} with a commit; owners are {sorted(holders)}")
        time.sleep(0.01)


def _note(place: _Partition, owner: str, offset: int, now: float) -> None:
    if offset != place.offset:
        place.offset, place.commit = offset, now
    if owner not in ("", place.owner):
        place.owner, place.moved = owner, True
        place.before, place.base, place.first = place.commit, offset, None
    elif place.moved and place.first is None and offset > place.base:
        place.first = now


def _look(run: Worker, topics: list[str]) -> dict[str, tuple[bool, list[str]]]:
    """Whether the group is stable, and whom each partition belongs to; empty: nobody."""
    found = {}
    for topic in topics:
        answer = run.asker.until(30, "owners", run.group, topic)
        found[topic] = (answer["state"] == "Stable", answer["owners"])
    return found
