"""More events than a worker can take, for long: what it takes, and what memory it takes for it."""

import math
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

from proofs.places import ProofError, tool

from .workers import BOUND_MB, PARTITIONS, MemoryWatch, Worker, state_of

DOMAIN = "wide"
BACKLOG = 1_000_000
"""So many orders the sender is ahead of what was committed, at most."""
BACKLOG_MIN = 100_000
"""With fewer the worker might not be overloaded: two turns of 50,000."""
KEPT_BYTES = 512 << 20
"""What the broker keeps of each input partition at least: several times the backlog's share, so
that nothing goes that is yet to be taken."""
FREE_BYTES_MIN = 4 << 30
LOOK_S = 0.5


class Sender:
    """Sends orders as fast as it goes, as far as it may: first one of each customer, then of
    customers drawn at random."""

    def __init__(self, bootstrap: str, customers: int):
        self._process = subprocess.Popen(
            [tool("orders"), bootstrap, "orders", "100000000000", "--customers", str(customers),
             "--each-first", "--granted"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()
        self._process.wait()

    def allow(self, orders: int) -> None:
        """So many in all."""
        try:
            self._process.stdin.write(f"{orders}\n")
            self._process.stdin.flush()
        except BrokenPipeError as gone:
            raise ProofError("Scripts/tools/orders ended before its time") from gone


class Span:
    """What is seen between two moments."""

    def __init__(self, run: Worker, taken: int):
        self._run, self._taken = run, taken
        self.began, self._written = time.monotonic(), run.written()
        self.lag = self.lag_min = math.inf

    def note(self, lag: int) -> None:
        self.lag, self.lag_min = lag, min(self.lag_min, lag)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def figures(self, taken: int) -> dict:
        events = taken - self._taken
        return {"events_per_s": round(events / self.seconds), "lag": self.lag,
                "lag_min": self.lag_min, "disk_bytes_per_event":
                round((self._run.written() - self._written) / events, 1) if events else None}


def measure(setting, say: Callable[[str], None]) -> Iterator[dict]:
    """Fills the state, a row for each of `setting.events` customers, and keeps a backlog for
    `setting.minutes` more; a line a minute, or ten in all when it is short, and one for the
    whole."""
    customers, seconds = setting.events, 60 * setting.minutes
    step = 60 if seconds > 600 else max(5, seconds / 10)
    common = {"job": "overload", "who": "weft", "codec": "lz4", "headers": 0}
    _make_topic(setting.cluster.bootstrap)
    with (Worker(setting.cluster, setting.asker, DOMAIN) as run, MemoryWatch(run) as memory,
          Sender(setting.cluster.bootstrap, customers) as sender):
        say(f"overload: {customers} customers, then {setting.minutes:g} minutes; RSS may be"
            f" {BOUND_MB:.0f} MB")
        run.await_partitions()
        _fill(run, sender, customers)
        say(f"overload: all customers have ordered; {memory.summary()}")
        whole = span = Span(run, run.taken("orders"))
        while whole.seconds < seconds:
            time.sleep(LOOK_S)
            taken, lag = _look(run, sender)
            for each in {whole, span}:
                each.note(lag)
            if span.seconds >= step:
                line = {"at_s": round(whole.seconds), **span.figures(taken)}
                span = Span(run, taken)
                line |= {**_state(run), "rss_mb": round(memory.now_mb())}
                say("overload: " + ", ".join(f"{name} {value}" for name, value in line.items()))
                yield {**common, **line, "ratio": {}}
                _check_disk(setting)
        line = {"at_s": round(whole.seconds), **whole.figures(taken)}
        line |= _state(run)
        line |= {name: round(value, 1) for name, value in run.drain().items()}
    say(f"overload: at most {memory.peak_mb:.0f} MB of {BOUND_MB:.0f}: {memory.verdict}")
    yield {**common, "phase": "whole", **line, "rss_mb": round(memory.peak_mb),
           "rss_bound_mb": round(BOUND_MB), "memory": memory.verdict,
           "backlog": "kept" if whole.lag_min >= BACKLOG_MIN else "ran low", "ratio": {}}


def _make_topic(bootstrap: str) -> None:
    """Of the input only the end is kept, or the disk would fill; the journal stays, as it must."""
    subprocess.run(
        [tool("topic"), "--bootstrap", bootstrap, "--partitions", str(PARTITIONS),
         "--set", f"retention.bytes={KEPT_BYTES}", "--set", f"segment.bytes={KEPT_BYTES // 8}",
         "orders"], check=True)


def _look(run: Worker, sender: Sender) -> tuple[int, int]:
    """What was taken and how far behind that is; lets the sender go on."""
    run.check_alive()
    taken = run.taken("orders")
    sender.allow(taken + BACKLOG)
    return taken, sum(run.asker.until(30, "ends", "orders")["ends"]) - taken


def _fill(run: Worker, sender: Sender, customers: int) -> None:
    deadline = time.monotonic() + 120 + customers / 2000
    while True:
        taken, lag = _look(run, sender)
        if taken >= customers and lag >= BACKLOG_MIN:
            return
        if time.monotonic() > deadline:
            raise ProofError(f"{DOMAIN}: {taken} of {customers} events in time, {lag} behind")
        time.sleep(LOOK_S)


def _state(run: Worker) -> dict:
    status = run.status()
    rows, files = state_of(status)
    p99 = [i["commitP99Ms"] for i in status["instances"] if i.get("commitP99Ms") is not None]
    return {"rows": rows, "disk_mb": round(files / 1e6),
            "commit_p99_ms": round(max(p99), 1) if p99 else None}


def _check_disk(setting) -> None:
    free = shutil.disk_usage(setting.cluster.directory).free
    if free < FREE_BYTES_MIN:
        raise ProofError(f"only {free / 1e9:.1f} GB are free on the disk: stopped in time")
