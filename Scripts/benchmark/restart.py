"""A worker with a large state that is killed, and partitions that move, while events come in."""

import subprocess
import time
from collections.abc import Callable, Iterator

from proofs.places import ProofError, tool

from .moves import watch_move
from .workers import BOUND_MB, MemoryWatch, Worker

DOMAIN = "wide"
KILLS = 5
RATE = 50_000
"""Events a second that a worker must have taken when it is killed."""
SENT = 52_000
"""Events a second that are sent, so that no less than RATE come in."""
QUIET_BYTES = 4 << 20
"""Written in two seconds by a worker that merges nothing large."""
SECONDS = 6
"""Over so long a pace is measured."""
BACK = 2.0
"""Seconds from a start to the first commit, at most."""


def measure(setting, say: Callable[[str], None]) -> Iterator[dict]:
    """Fills the state, a row for each of `setting.events` customers; then, while orders of
    customers drawn at random come in at a rate, kills the worker again and again, and starts a
    second instance and stops it. A line of figures for each of the three."""
    customers = setting.events
    options = ["--customers", str(customers)]
    say(f"restart: writing {customers} orders, one of each customer")
    setting.topics("orders")
    setting.orders(customers, "--each-first", *options)
    with Worker(setting.cluster, setting.asker, DOMAIN) as run, MemoryWatch(run) as memory:
        run.await_taken("orders", customers, 60 + customers / 5000)
        time.sleep(2)  # it tells of its state about once a second
        rows, files = run.state()
        say(f"restart: {rows} rows, {files / 1e6:.0f} MB of files, {memory.summary()}")
        _await_quiet(run, say)
        feeder = subprocess.Popen(
            [tool("orders"), setting.cluster.bootstrap, "orders", "1000000000", "--seed", "2",
             *options, "--rate", str(SENT)], stdout=subprocess.DEVNULL)
        try:
            common = {"job": "restart", "who": "weft", "codec": "lz4", "headers": 0}
            yield {**common, "phase": "kill -9", **_kills(run, memory, say), **_bounds(memory),
                   "ratio": {}}
            yield from ({**common, **line, **_bounds(memory), "ratio": {}}
                        for line in _moves(run, memory, customers, say))
        finally:
            feeder.kill()
            feeder.wait()


def _await_quiet(run: Worker, say: Callable[[str], None]) -> None:
    """Until the worker has merged what the state was filled with, or a minute: what comes after is
    not to pay for it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        before = run.written()
        time.sleep(2)
        if run.written() - before < QUIET_BYTES:
            return
    say("restart: the files of the state are still being merged, which the first kills will show")


def _bounds(memory: MemoryWatch) -> dict:
    return {"rss_mb": round(memory.peak_mb), "rss_bound_mb": round(BOUND_MB),
            "memory": memory.verdict}


def _kills(run: Worker, memory: MemoryWatch, say: Callable[[str], None]) -> dict:
    seconds, paces, rows, files = [], [], 0, 0
    for kill in range(KILLS):
        paces.append(pace(run, SECONDS))
        rows, files = run.state()
        state = f"{rows} rows, {files / 1e6:.0f} MB of files, {memory.summary()}"
        seconds.append(_kill_and_wait(run))
        slow = "" if paces[-1] >= RATE else f", less than the {RATE} that are wanted"
        say(f"restart: kill {kill + 1} of {KILLS} at {paces[-1]:.0f} events/s{slow} ({state}):"
            f" first commit after {seconds[-1]:.2f} s")
    return {"rows": rows, "disk_mb": round(files / 1e6), "events_per_s": round(min(paces)),
            "pace": "held" if min(paces) >= RATE else "missed",
            "back": "held" if max(seconds) <= BACK else "missed",
            "first_commit_s": round(sorted(seconds)[len(seconds) // 2], 2),
            "first_commit_max_s": round(max(seconds), 2)}


def pace(run: Worker, seconds: float) -> float:
    """Events a second that are taken, from the first commit that is seen to the last one."""
    last, first, deadline = run.taken("orders"), None, time.monotonic() + seconds
    began = ended = 0.0
    while (now := time.monotonic()) < deadline:
        taken = run.taken("orders")
        if taken > last:
            last, ended = taken, now
            if first is None:
                first, began = taken, now
        run.check_alive()
        time.sleep(0.01)
    if first is None or ended == began:
        return 0.0
    return (last - first) / (ended - began)


def _kill_and_wait(run: Worker) -> float:
    """SIGKILL, a start at once; seconds from the start of the process to its first commit."""
    run.kill()
    # What it had sent to the coordinator may still be on its way.
    time.sleep(0.2)
    before, began = run.taken("orders"), time.monotonic()
    run.start()
    while run.taken("orders") <= before:
        run.check_alive()
        if time.monotonic() - began > 60:
            raise ProofError("no commit within a minute after the start")
        time.sleep(0.005)
    return time.monotonic() - began


def _moves(run: Worker, memory: MemoryWatch, customers: int, say: Callable[[str], None]
           ) -> Iterator[dict]:
    """To a second instance, which has no state yet, and back to the first, which kept its own."""
    patience = 120 + customers / 20_000
    journals = run.status()["journals"]
    journal = journals[0]["topic"]
    run.partitions[journal] = len(journals)
    for phase, act, owners in (
            ("move", lambda: run.start("1"), 2), ("move back", lambda: run.release("1"), 1)):
        taken = pace(run, SECONDS)
        say(f"restart: {phase}, at {taken:.0f} events/s")
        found = watch_move(run, ["orders", journal], act, owners, patience)
        say(f"restart: {phase}: {found.counts['orders']} inputs and {found.counts[journal]} journal"
            f" partitions with their state, first commits after {found.first_s:.2f} to"
            f" {found.last_s:.2f} s, at most {found.pause_s:.2f} s without one; {memory.summary()}")
        rows, files = run.state()
        yield {"phase": phase, "rows": rows, "disk_mb": round(files / 1e6),
               "events_per_s": round(taken), "inputs": found.counts["orders"],
               "journal_partitions": found.counts[journal],
               "first_commit_s": round(found.first_s, 2),
               "first_commit_max_s": round(found.last_s, 2), "pause_s": round(found.pause_s, 2)}
