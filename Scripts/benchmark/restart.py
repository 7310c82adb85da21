"""How long a worker with a large state needs after kill -9 until it commits again."""

import subprocess
import time
from collections.abc import Callable

from proofs.places import ProofError, tool

from .sides import Worker, _peak_rss

TOPIC, DOMAIN = "orders-wide", "count-wide"
KILLS, RATE = 5, 50_000


def measure(setting, say: Callable[[str], None]) -> dict:
    """Fills the state, then kills the worker again and again while orders of customers drawn at
    random come in at a rate; a line of figures.

    `setting.events` is the number of customers; twice as many orders give 86 % of them a row."""
    setting.topics(TOPIC)
    customers = setting.events
    say(f"restart: writing {2 * customers} orders of {customers} customers")
    _write(setting.cluster.bootstrap, 2 * customers, 1, customers)
    with Worker(setting.cluster, setting.asker, DOMAIN) as run:
        _await(run, 2 * customers, 60 + customers / 5000)
        say(f"restart: {_state(run)}")
        rows, disk = _rows(run)
        feeder = subprocess.Popen(
            [tool("orders"), setting.cluster.bootstrap, TOPIC, str(RATE * 6 * (KILLS + 1)), "2",
             str(customers), str(RATE)], stdout=subprocess.DEVNULL)
        try:
            seconds, taken = [], []
            for kill in range(KILLS):
                before, began = run.committed(TOPIC), time.monotonic()
                time.sleep(5)
                at_kill = run.committed(TOPIC)
                taken.append((at_kill - before) / (time.monotonic() - began))
                seconds.append(_kill_and_wait(run))
                say(f"restart: kill {kill + 1} of {KILLS}: first commit after {seconds[-1]:.2f} s,"
                    f" {taken[-1]:.0f} events/s before")
            rss = max(_peak_rss(p.pid) for p in run.processes)
        finally:
            feeder.kill()
            feeder.wait()
    return {"job": "restart", "who": "weft", "codec": "lz4", "headers": 0, "rows": rows,
            "disk_mb": round(disk / 1e6), "events_per_s": round(min(taken)), "rss_mb": round(rss),
            "first_commit_s": round(sorted(seconds)[len(seconds) // 2], 2),
            "first_commit_max_s": round(max(seconds), 2), "ratio": {}}


def _write(bootstrap: str, count: int, seed: int, customers: int) -> None:
    subprocess.run([tool("orders"), bootstrap, TOPIC, str(count), str(seed), str(customers)],
                   check=True, stdout=subprocess.DEVNULL)


def _await(run: Worker, offset: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while run.committed(TOPIC) < offset:
        run.check_alive()
        if time.monotonic() > deadline:
            raise ProofError(f"{DOMAIN}: {run.committed(TOPIC)} of {offset} events in time")
        time.sleep(0.1)


def _kill_and_wait(run: Worker) -> float:
    """SIGKILL, a start at once; seconds from the start of the process to its first commit."""
    process = run.processes[0]
    process.kill()
    process.wait()
    # What it had sent to the coordinator may still be on its way.
    time.sleep(0.2)
    before, began = run.committed(TOPIC), time.monotonic()
    run.start()
    while True:
        if run.committed(TOPIC) > before:
            return time.monotonic() - began
        run.check_alive()
        if time.monotonic() - began > 60:
            raise ProofError("no commit within a minute after the start")
        time.sleep(0.005)


def _rows(run: Worker) -> tuple[int, int]:
    """Rows and bytes of files, as the worker's observations say."""
    told = run.weft("status", DOMAIN, "--format", "json")
    journals = told["journals"]
    return (sum(j.get("stateRows", 0) for j in journals),
            sum(j.get("fileBytes", 0) for j in journals))


def _state(run: Worker) -> str:
    rows, disk = _rows(run)
    return f"{rows} rows, {disk / 1e6:.0f} MB of files"
