"""How a side of a job is run once, and what is measured of it."""

import ctypes.util
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from proofs.cluster import Asker, Cluster
from proofs.places import ProofError, tool

from .workers import Worker, cpu_of

TURN = 50_000
OBSERVED_S = 1.5
"""After so long a worker has told of its state how it stands: it does about once a second."""


@dataclass
class Figures:
    """Of one run; None: not reported."""
    events_per_cpu_s: float | None = None
    events_per_s: float | None = None
    rss_mb: float | None = None
    commit_p50_ms: float | None = None
    commit_p99_ms: float | None = None
    disk_bytes_per_event: float | None = None
    rows: int | None = None
    disk_mb: float | None = None
    latency: dict[str, float] = field(default_factory=dict)

    def summary(self) -> str:
        """One run in a line, for whoever waits."""
        if self.latency:
            return f"p50 {self.latency['p50_ms']:.0f} ms, p99 {self.latency['p99_ms']:.0f} ms"
        return f"{self.events_per_cpu_s or 0:.0f} events a cpu-second, {self.rss_mb or 0:.0f} MB"


def mimalloc() -> str:
    """The allocator's library, which the worker is linked with; preloaded for the C programs."""
    found = ctypes.util.find_library("mimalloc")
    if not found:
        raise ProofError("mimalloc is missing (Debian: apt-get install libmimalloc2.0)")
    return found


def run_tool(
        command: list[str], preload: bool = True, environment: dict | None = None,
        at_first_line: Callable[[int], None] | None = None) -> tuple[str, float]:
    """What a program prints, and its largest resident size in MB. It is made the leader of a
    session of its own, whose number `at_first_line` is called with."""
    environment = {**os.environ, **(environment or {}),
                   **({"LD_PRELOAD": mimalloc()} if preload else {})}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True,
            start_new_session=True)
        try:
            output = process.stdout.readline()
            if at_first_line:
                at_first_line(process.pid)
            output += process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()[-500:]
            raise ProofError(f"{Path(command[0]).name} ended with {process.returncode}: {said}")
    return output, usage.ru_maxrss * 1024 / 1e6


def own_c(command: list[str]) -> Figures:
    output, _ = run_tool(command)
    told = json.loads(output)
    return Figures(**{n: told[n] for n in (
        "events_per_cpu_s", "events_per_s", "rss_mb", "commit_p50_ms", "commit_p99_ms")})


def peer_c(command: list[str]) -> Figures:
    """A C program of ../shared/peers: it reports a mean commit only."""
    output, rss = run_tool(command)
    return told(output, rss)


def told(output: str, rss: float) -> Figures:
    """The line that the programs of ../shared/peers end with."""
    found = re.search(r"events (\d+) events/s wall, cpu [\d.]+ s => (\d+) events/cpu-s", output)
    if not found:
        raise ProofError(f"not understood: {output.strip()[:200]}")
    return Figures(events_per_s=float(found[1]), events_per_cpu_s=float(found[2]), rss_mb=rss)


def worker(cluster: Cluster, asker: Asker, domain: str, events: int, state: bool = False,
           links: int = 0) -> Figures:
    """A worker on a backlog: from its first partitions to the commit that covers the last event.
    `links`: so many addresses have said before whose they are."""
    with Worker(cluster, asker, domain, links=links) as run:
        run.await_partitions()
        cpu_before, written_before = run.cpu(), run.written()
        # When a commit was first seen, and how far it came. The last turn is left out of the rate:
        # it is not full, and so waits for its age.
        first = last = None
        deadline = time.monotonic() + 60 + events / 5000
        while True:
            taken, now = run.taken("orders"), time.monotonic()
            if taken and first is None:
                first = (now, taken)
            if taken >= events - TURN and last is None:
                last = (now, taken)
            if taken >= events:
                cpu, written, rss = run.cpu() - cpu_before, run.written(), run.rss_mb()
                break
            run.check_alive()
            if now > deadline:
                raise ProofError(f"{domain}: {taken} of {events} events, then nothing in time")
            time.sleep(0.02)
        seconds = last[0] - first[0]
        rate = (last[1] - first[1]) / seconds if seconds else None
        figures = Figures(events_per_cpu_s=events / cpu, events_per_s=rate, rss_mb=rss)
        if state:
            time.sleep(OBSERVED_S)
            figures.rows, files = run.state()
            figures.disk_mb = files / 1e6
            figures.disk_bytes_per_event = (written - written_before) / events
        for name, value in run.drain().items():
            setattr(figures, name, value)
        return figures


# --- latency --------------------------------------------------------------------------------------

def _measure(cluster: Cluster, source: str, target: str, rate: int, seconds: int) -> Figures:
    output, _ = run_tool([
        tool("latency"), "measure", cluster.bootstrap, source, target, str(rate), str(seconds),
        "3"])
    told = json.loads(output)
    return Figures(events_per_s=told["events_per_s"], latency={
        name: told[name] for name in ("p50_ms", "p90_ms", "p99_ms", "max_ms")})


def latency_copy(cluster: Cluster, mode: str, rate: int, seconds: int, age_ms: int) -> Figures:
    """The C copy, and the measurement beside it."""
    copy = subprocess.Popen(
        [tool("latency"), "copy", cluster.bootstrap, mode, "orders-live", "limit-journal",
         "limit-live", str(age_ms)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "LD_PRELOAD": mimalloc()})
    try:
        if copy.stderr.readline() != "ready\n":
            raise ProofError("latency copy did not start")
        time.sleep(1)
        began = cpu_of(copy.pid)
        figures = _measure(cluster, "orders-live", "limit-live", rate, seconds)
        cpu = cpu_of(copy.pid) - began
        copy.terminate()
        told = json.loads(copy.communicate(timeout=20)[0])
    finally:
        if copy.poll() is None:
            copy.kill()
            copy.wait()
    figures.events_per_cpu_s = rate * (seconds + 3) / cpu if cpu else None
    figures.rss_mb = told["rss_mb"]
    figures.commit_p50_ms, figures.commit_p99_ms = told["commit_p50_ms"], told["commit_p99_ms"]
    return figures


def latency_peer(cluster: Cluster, program: str, mode: str, rate: int, seconds: int,
                 age_ms: int) -> Figures:
    output, _ = run_tool(
        [program, cluster.bootstrap, mode, str(rate), str(age_ms), str(seconds + 3)])
    found = re.search(
        r"p50 ([\d.]+) p90 ([\d.]+) p99 ([\d.]+) max ([\d.]+) ms", output)
    if not found:
        raise ProofError(f"not understood: {output.strip()[:200]}")
    return Figures(latency=dict(zip(
        ("p50_ms", "p90_ms", "p99_ms", "max_ms"), (float(v) for v in found.groups()))))


def latency_worker(cluster: Cluster, asker: Asker, domain: str, rate: int, seconds: int,
                   instances: int = 1) -> Figures:
    with Worker(cluster, asker, domain, instances) as run:
        deadline = time.monotonic() + 60
        while True:  # until every instance has its share
            run.check_alive()
            answer = asker.ask("group", run.group)
            members = answer.get("members", [])
            if answer.get("state") == "Stable" and len(members) == instances and all(
                    m["partitions"] for m in members):
                break
            if time.monotonic() > deadline:
                raise ProofError(f"{domain}: the group did not settle: {answer}")
            time.sleep(0.1)
        time.sleep(1)
        began = run.cpu()
        figures = _measure(cluster, "orders-live", run.port("orders"), rate, seconds)
        cpu = run.cpu() - began
        run.check_alive()
        figures.events_per_cpu_s = rate * (seconds + 3) / cpu if cpu else None
        figures.rss_mb = run.rss_mb()
        for name, value in run.drain().items():
            setattr(figures, name, value)
        return figures
