"""Which sides run in which job, in turns, and what comes of it: one measurement a side."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from proofs.cluster import Asker, Cluster
from proofs.places import PEERS, peer, tool

from . import restart, sides
from .sides import TURN, Figures

RUNS = 2
RATE, AGE_MS = 10_000, 20


@dataclass
class Side:
    """`group`: sides of one group are compared with each other."""
    who: str
    headers: int
    run: Callable[[], Figures]
    group: str = ""
    notes: dict = field(default_factory=dict)
    best: Figures | None = None


@dataclass
class Setting:
    cluster: Cluster
    asker: Asker
    events: int
    seconds: int

    def topics(self, *names: str) -> None:
        for name in names:
            self.asker.until(30, "create", name, sides.PARTITIONS)
            self.asker.until(30, "leaders", name)


def _passthrough(s: Setting, program: str, headers: int, floor: bool) -> list[str]:
    command = [program, s.cluster.bootstrap, "orders", "limit-orders", str(s.events), str(TURN),
               "lz4", str(headers)]
    return [*command, "120", "4"] if floor else command


def map_sides(s: Setting) -> list[Side]:
    s.topics("limit-orders", "peer-orders")
    own, theirs = tool("passthrough"), peer("passthrough")
    found = [
        Side("weft", 0, lambda: sides.worker(s.cluster, s.asker, "map", s.events)),
        Side("c-floor", 0, lambda: sides.own_c(_passthrough(s, own, 0, True))),
        Side("c-copy", 0, lambda: sides.own_c(_passthrough(s, own, 0, False)))]
    if theirs:
        found += [
            Side("c-floor", 0, lambda: sides.peer_c(_passthrough(s, theirs, 0, True)),
                 notes={"program": "peers"}),
            Side("c-copy", 0, lambda: sides.peer_c(_passthrough(s, theirs, 0, False)),
                 notes={"program": "peers"}),
            Side("kafka-streams", 0, lambda: sides.streams(s.cluster, "map", s.events))]
    found += [
        Side("weft", 6, lambda: sides.worker(s.cluster, s.asker, "map-events", s.events), "ce"),
        Side("c-floor", 6, lambda: sides.own_c(_passthrough(s, own, 6, True)), "ce")]
    if theirs:
        found.append(Side("c-floor", 6, lambda: sides.peer_c(_passthrough(s, theirs, 6, True)),
                          "ce", {"program": "peers"}))
    return found


def _count(s: Setting, program: str) -> list[str]:
    return [program, s.cluster.bootstrap, "orders", "limit-journal", "limit-customers",
            str(s.events), str(TURN), "lz4"]


def count_sides(s: Setting) -> list[Side]:
    s.topics("limit-journal", "limit-customers", "peer-customers")
    own, theirs = tool("count"), peer("count")
    found = [
        Side("weft", 0, lambda: sides.worker(s.cluster, s.asker, "count", s.events)),
        Side("c-count", 0, lambda: sides.own_c(_count(s, own)))]
    if theirs:
        found += [
            Side("c-count", 0, lambda: sides.peer_c(_count(s, theirs)),
                 notes={"program": "peers"}),
            Side("kafka-streams", 0, lambda: sides.streams(s.cluster, "count", s.events))]
    found.append(Side(
        "weft", 0, lambda: sides.worker(s.cluster, s.asker, "count-id", s.events), "",
        {"event_id": True}))
    return found


def latency_sides(s: Setting) -> list[Side]:
    s.topics("orders-live", "limit-live", "limit-journal")
    theirs = peer("latency")
    if theirs:
        s.topics("latency-in", "latency-journal", "latency-out")
    found = []
    for mode, domain in (("direct", "live-direct"), ("journal", "live-journal")):
        notes = {"mode": mode}
        found += [
            Side("weft", 0, lambda domain=domain: sides.latency_worker(
                s.cluster, s.asker, domain, RATE, s.seconds), mode, notes),
            Side("c-copy", 0, lambda mode=mode: sides.latency_copy(
                s.cluster, mode, RATE, s.seconds, AGE_MS), mode, notes)]
        if theirs:
            found.append(Side("c-copy", 0, lambda mode=mode: sides.latency_peer(
                s.cluster, theirs, mode, RATE, s.seconds, AGE_MS), mode,
                {**notes, "program": "peers"}))
    found.append(Side("weft", 0, lambda: sides.latency_worker(
        s.cluster, s.asker, "live-journal", RATE, s.seconds, instances=2), "journal",
        {"mode": "journal", "instances": 2}))
    return found


JOBS = {"map": map_sides, "count": count_sides, "latency": latency_sides}
# What is not done unless it is asked for: they take long, and have no other side.
ALONE = {"restart": restart.measure}


def measure(job: str, s: Setting, say: Callable[[str], None]) -> Iterator[dict]:
    """Runs every side twice, in turns, and yields a line a side."""
    if job in ALONE:
        yield ALONE[job](s, say)
        return
    found = JOBS[job](s)
    for turn in range(RUNS):
        for side in found:
            label = " ".join([side.who, *(f"{k}={v}" for k, v in side.notes.items()),
                              *([f"{side.headers} headers"] if side.headers else [])])
            say(f"{job}: {label}, run {turn + 1} of {RUNS}")
            figures = side.run()
            say(f"   {figures.summary()}")
            side.best = better(side.best, figures)
    for side in found:
        yield line(job, side, found)


def better(old: Figures | None, new: Figures) -> Figures:
    if old is None:
        return new
    if new.latency:
        return min(old, new, key=lambda f: f.latency["p99_ms"])
    return max(old, new, key=lambda f: f.events_per_cpu_s or 0)


def line(job: str, side: Side, found: list[Side]) -> dict:
    """The measurement as it is printed; `ratio` is against the best of each other side: for rates
    this side's by theirs, for latency this side's p99 by theirs (smaller is better)."""
    best, ratio = side.best, {}
    if side.who == "weft":
        for other in found:
            if other.who == "weft" or other.group != side.group:
                continue
            if best.latency:
                value = best.latency["p99_ms"] / other.best.latency["p99_ms"]
            else:
                value = best.events_per_cpu_s / other.best.events_per_cpu_s
            worse = max if best.latency else min
            ratio[other.who] = round(worse(value, ratio.get(other.who, value)), 3)
    rounded = {
        name: None if getattr(best, name) is None else round(getattr(best, name), digits)
        for name, digits in (("events_per_cpu_s", None), ("events_per_s", None),
                             ("rss_mb", None), ("commit_p50_ms", 1), ("commit_p99_ms", 1))}
    return {"job": job, "who": side.who, "codec": "lz4", "headers": side.headers, **side.notes,
            **rounded, **best.latency, "ratio": ratio}


def have_peers() -> bool:
    return PEERS.exists()
