"""Which sides run in which job, in turns, and what comes of it: one measurement a side."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from proofs.cluster import Asker, Cluster
from proofs.places import PEERS, peer, tool

from . import overload, restart, sides
from .sides import TURN, Figures
from .streams import streams
from .workers import PARTITIONS

RUNS = 2
RATE, AGE_MS = 10_000, 20
CUSTOMERS = 20_000
"""Of the orders, unless they are asked to be of more."""


@dataclass
class Side:
    """`group`: sides of one group are compared with each other. `job`: of the line, where it is not
    the one that was asked for."""
    who: str
    headers: int
    run: Callable[[], Figures]
    group: str = ""
    notes: dict = field(default_factory=dict)
    job: str = ""
    best: Figures | None = None


@dataclass
class Setting:
    """What a job is measured on; `events` in the topic `orders`, once it was written."""
    cluster: Cluster
    asker: Asker
    events: int
    seconds: int
    minutes: float = 60

    def topics(self, *names: str) -> None:
        for name in names:
            self.asker.until(30, "create", name, PARTITIONS)
            self.asker.until(30, "leaders", name)

    def orders(self, count: int, *options: str) -> None:
        """Writes them, as Scripts/tools/orders does with the options."""
        subprocess.run([tool("orders"), self.cluster.bootstrap, "orders", str(count), *options],
                       check=True, stdout=subprocess.DEVNULL)


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
            Side("kafka-streams", 0, lambda: streams(s.cluster, "map", s.events))]
    found += [
        Side("weft", 6, lambda: sides.worker(s.cluster, s.asker, "map-events", s.events), "ce"),
        Side("c-floor", 6, lambda: sides.own_c(_passthrough(s, own, 6, True)), "ce")]
    if theirs:
        found.append(Side("c-floor", 6, lambda: sides.peer_c(_passthrough(s, theirs, 6, True)),
                          "ce", {"program": "peers"}))
    return found


def _count(s: Setting, program: str, *more: str) -> list[str]:
    return [program, s.cluster.bootstrap, "orders", "limit-journal", "limit-customers",
            str(s.events), str(TURN), "lz4", *more]


def _counting(s: Setting, domain: str = "count", job: str = "") -> Side:
    return Side("weft", 0, lambda: sides.worker(s.cluster, s.asker, domain, s.events, state=True),
                job=job)


def count_sides(s: Setting) -> list[Side]:
    s.topics("limit-journal", "limit-customers", "peer-customers")
    own, theirs = tool("count"), peer("count")
    found = [_counting(s), Side("c-count", 0, lambda: sides.own_c(_count(s, own)))]
    if theirs:
        found += [
            Side("c-count", 0, lambda: sides.peer_c(_count(s, theirs)),
                 notes={"program": "peers"}),
            Side("kafka-streams", 0, lambda: streams(s.cluster, "count", s.events))]
    return [*found, *(_counting(s, name, job=name) for name in ("count-ids", "two-keys"))]


def ids_sides(s: Setting) -> list[Side]:
    return [_counting(s, "count-ids"), _counting(s, "count", job="count")]


def keys_sides(s: Setting) -> list[Side]:
    return [_counting(s, "two-keys"), _counting(s, "count", job="count")]


def _identifying(s: Setting, domain: str) -> list[Side]:
    return [
        Side("weft", 0, lambda: sides.worker(
            s.cluster, s.asker, domain, s.events, state=True, links=CUSTOMERS)),
        _counting(s, "count", job="count")]


def identify_sides(s: Setting) -> list[Side]:
    return _identifying(s, "identify")


def chained_sides(s: Setting) -> list[Side]:
    return _identifying(s, "chained")


def join_sides(s: Setting) -> list[Side]:
    return [_counting(s, "join"), _counting(s, "count", job="count")]


def window_sides(s: Setting) -> list[Side]:
    return [_counting(s, "window"), _counting(s, "count", job="count")]


def many_sides(s: Setting) -> list[Side]:
    """The peers' C program has room for a million customers and is left out."""
    s.topics("limit-journal", "limit-customers", "peer-customers")
    own, customers = tool("count"), str(s.events // 2)
    found = [_counting(s), Side("c-count", 0, lambda: sides.own_c(_count(s, own, customers)))]
    if have_peers():
        found.append(Side(
            "kafka-streams", 0, lambda: streams(s.cluster, "count", s.events, bounded=True),
            notes={"bounded": True}))
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


JOBS = {"map": map_sides, "count": count_sides, "latency": latency_sides, "count-ids": ids_sides,
        "two-keys": keys_sides, "identify": identify_sides, "chained": chained_sides,
        "join": join_sides, "window": window_sides,
        "count-5m": many_sides}
# They have no other side, and say themselves what is to be seen.
ALONE = {"restart": restart.measure, "overload": overload.measure}
USUAL = ("map", "count", "latency")
# They are of a size of their own: events, and with --quick. Each gets a broker for itself.
LARGE = {"count-5m": (10_000_000, 600_000), "restart": (10_000_000, 300_000),
         "overload": (10_000_000, 300_000)}


def backlog(names: list[str], s: Setting, say: Callable[[str], None]) -> None:
    """Writes the orders that the jobs begin with, but for those that do it themselves."""
    if not set(names) <= {"latency", *ALONE}:
        s.topics("orders")
        say(f"writing {s.events} orders")
        many = ["--customers", str(s.events // 2), "--each-first"] if "count-5m" in names else []
        s.orders(s.events, *many)


def measure(job: str, s: Setting, say: Callable[[str], None]) -> Iterator[dict]:
    """Runs every side twice, in turns, and yields a line a side."""
    if job in ALONE:
        yield from ALONE[job](s, say)
        return
    found = JOBS[job](s)
    for turn in range(RUNS):
        for side in found:
            notes = (f"{name}={value}" for name, value in side.notes.items())
            label = " ".join([side.job or job, side.who, *notes,
                              *([f"{side.headers} headers"] if side.headers else [])])
            say(f"{label}, run {turn + 1} of {RUNS}")
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


def _are_compared(side: Side, other: Side, job: str) -> bool:
    """With the sides that do the same; and what a product more has than `count`, with that."""
    own, others = side.job or job, other.job or job
    if other.who == "weft":
        return others == "count" != own
    return own == others and other.group == side.group


def line(job: str, side: Side, found: list[Side]) -> dict:
    """The measurement as it is printed; `ratio` is against the best of each other side: for rates
    this side's by theirs, for latency this side's p99 by theirs (smaller is better)."""
    best, ratio = side.best, {}
    for other in found if side.who == "weft" else []:
        if not _are_compared(side, other, job):
            continue
        if best.latency:
            value = best.latency["p99_ms"] / other.best.latency["p99_ms"]
        else:
            value = best.events_per_cpu_s / other.best.events_per_cpu_s
        worse = max if best.latency else min
        name = "count" if other.who == "weft" else other.who
        ratio[name] = round(worse(value, ratio.get(name, value)), 3)
    rounded = {
        name: None if getattr(best, name) is None else round(getattr(best, name), digits)
        for name, digits in (
            ("events_per_cpu_s", None), ("events_per_s", None), ("rss_mb", None),
            ("commit_p50_ms", 1), ("commit_p99_ms", 1), ("rows", None), ("disk_mb", None),
            ("disk_bytes_per_event", 1))}
    return {"job": side.job or job, "who": side.who, "codec": "lz4", "headers": side.headers,
            **side.notes, **rounded, **best.latency, "ratio": ratio}


def have_peers() -> bool:
    return PEERS.exists()
