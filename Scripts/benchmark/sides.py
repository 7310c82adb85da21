"""How a side of a job is run once, and what is measured of it."""

import ctypes.util
import json
import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from proofs.cluster import Asker, Cluster
from proofs.places import BUILD, PEERS, ProofError, tool, weft

MESH = Path(__file__).resolve().parent / "mesh"
PARTITIONS = 4
TURN = 50_000


@dataclass
class Figures:
    """Of one run; None: not reported."""
    events_per_cpu_s: float | None = None
    events_per_s: float | None = None
    rss_mb: float | None = None
    commit_p50_ms: float | None = None
    commit_p99_ms: float | None = None
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


def run_tool(command: list[str], preload: bool = True, seconds: float = 600) -> tuple[str, float]:
    """What a program prints, and its largest resident size in MB."""
    environment = {**os.environ, **({"LD_PRELOAD": mimalloc()} if preload else {})}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
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
    return _told(output, rss)


def streams(cluster: Cluster, job: str, events: int) -> Figures:
    output, rss = run_tool(
        [str(PEERS / "streams" / "run"), cluster.bootstrap, job, str(events), "100", "lz4"], False)
    own = re.search(r"rss (\d+) MiB", output)  # the child's; wait4 sees the largest of all
    return _told(output, int(own.group(1)) * 1.048576 if own else rss)


def _told(output: str, rss: float) -> Figures:
    found = re.search(r"events (\d+) events/s wall, cpu [\d.]+ s => (\d+) events/cpu-s", output)
    if not found:
        raise ProofError(f"not understood: {output.strip()[:200]}")
    return Figures(events_per_s=float(found[1]), events_per_cpu_s=float(found[2]), rss_mb=rss)


class Worker:
    """Worker processes of one domain of the bench's mesh, in an environment of their own, so that
    each run begins at the beginning."""

    _runs = 0

    def __init__(self, cluster: Cluster, asker: Asker, domain: str, instances: int = 1):
        Worker._runs += 1
        self.domain, self.asker = domain, asker
        self.prefix = f"r{Worker._runs}"
        self.group = f"{self.prefix}.weft.{domain}.{domain}"
        self._directory = BUILD / "bench" / self.prefix
        self._directory.mkdir(parents=True, exist_ok=True)
        self._environment = {
            **os.environ, "KAFKA_BOOTSTRAP": cluster.bootstrap, "WEFT_ENVIRONMENT": self.prefix,
            "WEFT_STATE": str(self._directory / "state")}
        self._names = [str(n) for n in range(instances)]
        self.processes: list[subprocess.Popen] = []

    def port(self, name: str) -> str:
        return f"{self.prefix}.{self.domain}.{self.domain}.{name}.v1"

    def __enter__(self) -> "Worker":
        applied = subprocess.run(
            [weft(), "apply", str(MESH / self.domain)], env=self._environment, capture_output=True,
            text=True)
        if applied.returncode:
            raise ProofError(f"weft apply: {(applied.stdout + applied.stderr).strip()[:1500]}")
        self.start()
        return self

    def start(self) -> None:
        """All instances; a log of an earlier start is gone on with."""
        self.processes.clear()
        for name in self._names:
            with open(self._directory / f"{name}.log", "ab") as log:
                self.processes.append(subprocess.Popen(
                    [weft(), "run", str(MESH / self.domain), "--instance", name],
                    env=self._environment, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT))

    def weft(self, *words: str) -> dict:
        """What another command answers in JSON."""
        done = subprocess.run([weft(), *words, "--mesh", str(MESH)], env=self._environment,
                              capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise ProofError(f"weft {words[0]}: {done.stderr.strip()[:500]}")
        return json.loads(done.stdout)

    def __exit__(self, *_) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    def cpu(self) -> float:
        """User and system time of all instances."""
        return sum(cpu_of(p.pid) for p in self.processes)

    def rss_mb(self) -> float:
        """The largest resident size so far, of the largest instance."""
        return max(_peak_rss(p.pid) for p in self.processes)

    def committed(self, topic: str) -> int:
        answer = self.asker.ask("committed", self.group, topic, PARTITIONS)
        return sum(max(offset, 0) for offset in answer.get("committed", []))

    def await_partitions(self) -> None:
        """Until the log says that there are partitions: from then on records are read."""
        deadline = time.monotonic() + 60
        while b"partitions-taken" not in (self._directory / "0.log").read_bytes():
            self.check_alive()
            if time.monotonic() > deadline:
                raise ProofError(f"{self.domain}: no partitions within a minute")
            time.sleep(0.002)

    def check_alive(self) -> None:
        for name, process in zip(self._names, self.processes):
            if process.poll() is not None:
                log = (self._directory / f"{name}.log").read_text(errors="replace")
                raise ProofError(f"the worker of {self.domain} ended with {process.returncode}:\n"
                                 + log[-1500:])

    def drain(self) -> dict:
        """SIGTERM; the commit figures that it reports at its end, if it does."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired as late:
                raise ProofError(f"the worker of {self.domain} did not drain") from late
        text = "".join((self._directory / f"{n}.log").read_text(errors="replace")
                       for n in self._names)
        found = {}
        for name in ("commit_p50_ms", "commit_p99_ms"):
            values = re.findall(rf'"?{name}"?[=:]\s*"?([\d.]+)', text)
            if values:
                found[name] = max(float(v) for v in values[-len(self._names):])
        return found


def cpu_of(pid: int) -> float:
    """User and system time of another process, to the nanosecond (CPUCLOCK_SCHED of its pid)."""
    return time.clock_gettime(~pid << 3 | 2)


def _peak_rss(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def worker(cluster: Cluster, asker: Asker, domain: str, events: int) -> Figures:
    """A worker on a backlog: from its first partitions to the commit that covers the last event."""
    with Worker(cluster, asker, domain) as run:
        run.await_partitions()
        cpu_before = run.cpu()
        # When a commit was first seen, and how far it came. The last turn is left out of the rate: it
        # is not full, and so waits for its age.
        first = last = None
        deadline = time.monotonic() + 60 + events / 5000
        while True:
            taken, now = run.committed("orders"), time.monotonic()
            if taken and first is None:
                first = (now, taken)
            if taken >= events - TURN and last is None:
                last = (now, taken)
            if taken >= events:
                cpu, rss = run.cpu() - cpu_before, run.rss_mb()
                break
            run.check_alive()
            if now > deadline:
                raise ProofError(f"{domain}: {taken} of {events} events, then nothing in time")
            time.sleep(0.02)
        seconds = last[0] - first[0]
        rate = (last[1] - first[1]) / seconds if seconds else None
        return Figures(events_per_cpu_s=events / cpu, events_per_s=rate, rss_mb=rss, **run.drain())


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
