"""Worker processes of a domain of the bench's mesh, and what is seen of them from outside."""

import json
import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

from proofs.cluster import Asker, Cluster
from proofs.places import ProofError, tool, weft

MESH = Path(__file__).resolve().parent / "mesh"
PARTITIONS = 4
STATE_MIB = 256
"""`state.memory` in the worker.yaml of every domain of the bench that has a state."""
OVERHEAD_MIB = 256
"""What a worker may take beside it, whatever its state is: README.md says of what."""
BOUND_MB = (STATE_MIB + OVERHEAD_MIB) * 1.048576


class Worker:
    """Worker processes of one domain, in an environment of their own, so that each run begins at
    the beginning. At the end they are killed, and their states removed."""

    _runs = 0

    def __init__(self, cluster: Cluster, asker: Asker, domain: str, instances: int = 1,
                 links: int = 0):
        Worker._runs += 1
        self.domain, self.asker = domain, asker
        self.prefix = f"r{Worker._runs}"
        self.group = f"{self.prefix}.weft.{domain}.{domain}"
        self._directory = cluster.directory.parent / self.prefix
        self._directory.mkdir(parents=True, exist_ok=True)
        self._state = self._directory / "state"
        self._environment = {
            **os.environ, "KAFKA_BOOTSTRAP": cluster.bootstrap, "WEFT_ENVIRONMENT": self.prefix,
            "WEFT_STATE": str(self._state)}
        self._names = [str(n) for n in range(instances)]
        self._links = links
        self.processes: dict[str, subprocess.Popen] = {}
        self.partitions: dict[str, int] = {}
        """Of topics that have other than PARTITIONS."""
        self._leaving: list[subprocess.Popen] = []

    def port(self, name: str) -> str:
        return f"{self.prefix}.{self.domain}.{self.domain}.{name}.v1"

    def __enter__(self) -> "Worker":
        if self._links:
            self._link()
        applied = subprocess.run(
            [weft(), "apply", str(MESH / self.domain)], env=self._environment, capture_output=True,
            text=True)
        if applied.returncode:
            raise ProofError(f"weft apply: {(applied.stdout + applied.stderr).strip()[:1500]}")
        for name in self._names:
            self.start(name)
        return self

    def __exit__(self, *_) -> None:
        for process in [*self.processes.values(), *self._leaving]:
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self._state, ignore_errors=True)

    def _link(self) -> None:
        """Writes the port of the domain `people`: whose the addresses of the orders are."""
        topic = f"{self.prefix}.people.people.links.v1"
        self.asker.until(30, "create", topic, PARTITIONS)
        self.asker.until(30, "leaders", topic)
        path = self._directory / "links"
        path.write_text("".join(
            json.dumps({"system": "shop", "local": f"c{n}@example.org", "person": f"p{n}"}) + "\n"
            for n in range(self._links)))
        subprocess.run([tool("feed"), "--values", "--quiet", f"{topic}={path}"], check=True,
                       env=self._environment, stdout=subprocess.DEVNULL)

    def start(self, name: str = "0") -> None:
        """An instance; the log of an earlier start is gone on with."""
        with open(self._log(name), "ab") as log:
            self.processes[name] = subprocess.Popen(
                [weft(), "run", str(MESH / self.domain), "--instance", name],
                env=self._environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT)

    def kill(self, name: str = "0") -> None:
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def release(self, name: str) -> None:
        """SIGTERM; it drains meanwhile."""
        process = self.processes.pop(name)
        process.terminate()
        self._leaving.append(process)

    def status(self) -> dict:
        """What `weft status` says of the product."""
        done = subprocess.run(
            [weft(), "status", self.domain, "--format", "json", "--mesh", str(MESH)],
            env=self._environment, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise ProofError(f"weft status: {done.stderr.strip()[:500]}")
        return json.loads(done.stdout)

    def state(self) -> tuple[int, int]:
        """Rows and bytes of files, as the workers told last."""
        return state_of(self.status())

    def cpu(self) -> float:
        """User and system time of all instances."""
        return sum(cpu_of(p.pid) for p in self.processes.values())

    def written(self) -> int:
        """Bytes that all instances have given to the disk."""
        return sum(written_by(p.pid) for p in self.processes.values())

    def rss_mb(self) -> float:
        """The largest resident size so far, of the largest instance."""
        return max(memory_of(p.pid)[1] for p in self.processes.values())

    def committed(self, topic: str) -> list[int]:
        """By partition; what was not committed counts as 0."""
        answer = self.asker.ask(
            "committed", self.group, topic, self.partitions.get(topic, PARTITIONS))
        return [max(offset, 0) for offset in answer.get("committed", [])]

    def taken(self, topic: str) -> int:
        return sum(self.committed(topic))

    def await_taken(self, topic: str, offset: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (taken := self.taken(topic)) < offset:
            self.check_alive()
            if time.monotonic() > deadline:
                raise ProofError(f"{self.domain}: {taken} of {offset} events in time")
            time.sleep(0.1)

    def await_partitions(self) -> None:
        """Until the log says that there are partitions: from then on records are read."""
        deadline = time.monotonic() + 60
        while b"partitions-taken" not in self._log("0").read_bytes():
            self.check_alive()
            if time.monotonic() > deadline:
                raise ProofError(f"{self.domain}: no partitions within a minute")
            time.sleep(0.002)

    def check_alive(self) -> None:
        for name, process in self.processes.items():
            if process.poll() is not None:
                log = self._log(name).read_text(errors="replace")
                raise ProofError(f"the worker of {self.domain} ended with {process.returncode}:\n"
                                 + log[-1500:])

    def drain(self) -> dict:
        """SIGTERM; the commit figures that it reports at its end, if it does."""
        names = list(self.processes)
        for process in self.processes.values():
            process.terminate()
        for name in names:
            try:
                self.processes[name].wait(60)
            except subprocess.TimeoutExpired as late:
                raise ProofError(f"the worker of {self.domain} did not drain") from late
        text = "".join(self._log(n).read_text(errors="replace") for n in names)
        found = {}
        for name in ("commit_p50_ms", "commit_p99_ms"):
            values = re.findall(rf'"?{name}"?[=:]\s*"?([\d.]+)', text)
            if values:
                found[name] = max(float(v) for v in values[-len(names):])
        return found

    def _log(self, name: str) -> Path:
        return self._directory / f"{name}.log"


class MemoryWatch:
    """Looks at the resident size of a worker's processes a few times a second, so that one which is
    killed has been seen as well."""

    def __init__(self, worker: Worker):
        self._worker, self._over = worker, threading.Event()
        self.peak_mb = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()

    def now_mb(self) -> float:
        """Of the largest process."""
        return max((now for now, _ in self._seen()), default=0.0)

    def summary(self) -> str:
        """Of each process now, the largest so far, and the bound."""
        each = " + ".join(f"{now:.0f}" for now, _ in self._seen())
        return f"RSS {each or '–'} MB, at most {self.peak_mb:.0f} of {BOUND_MB:.0f}"

    @property
    def verdict(self) -> str:
        return "held" if self.peak_mb <= BOUND_MB else "exceeded"

    def _run(self) -> None:
        while not self._over.wait(0.2):
            self._seen()

    def _seen(self) -> list[tuple[float, float]]:
        seen = []
        for process in list(self._worker.processes.values()):
            try:
                seen.append(memory_of(process.pid))
            except (OSError, ProcessLookupError):
                continue  # it has just ended
        self.peak_mb = max([self.peak_mb, *(peak for _, peak in seen)])
        return seen


def state_of(status: dict) -> tuple[int, int]:
    journals = status["journals"]
    return (sum(j.get("stateRows", 0) for j in journals),
            sum(j.get("fileBytes", 0) for j in journals))


def cpu_of(pid: int) -> float:
    """User and system time of another process, to the nanosecond (CPUCLOCK_SCHED of its pid)."""
    return time.clock_gettime(~pid << 3 | 2)


def written_by(pid: int) -> int:
    """Bytes that a process had sent to the disk: pages that it made dirty in files on one. What was
    removed before it got there counts too."""
    return int(re.search(r"^write_bytes: (\d+)", Path(f"/proc/{pid}/io").read_text(), re.M)[1])


def memory_of(pid: int) -> tuple[float, float]:
    """The resident size now and the largest so far, in MB of 10^6 bytes."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = (re.search(rf"{name}:\s+(\d+) kB", text) for name in ("VmRSS", "VmHWM"))
    now, peak = (int(one[1]) * 1024 / 1e6 if one else 0.0 for one in found)
    return now, peak
