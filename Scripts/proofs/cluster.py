"""A cluster of Apache Kafka from ../shared/kafka, and what can be asked of it."""

import json
import subprocess
import threading
import time
from pathlib import Path

from .places import KAFKA, ProofError, free_ports, tool


class Cluster:
    """One or three nodes with their data in a directory of their own."""

    def __init__(self, directory: Path, nodes: int = 1, heap: str = "384m",
                 secure: bool = False):
        if not KAFKA.exists():
            raise ProofError("this needs Apache Kafka at ../shared/kafka (see its README.md)")
        self.directory, self.nodes, self.heap, self.secure = directory, nodes, heap, secure
        self.bootstrap = ""
        self.down: set[int] = set()

    def start(self) -> None:
        for _ in range(3):  # a port that was free may be taken by the time it is used
            port = free_ports(10 * self.nodes)
            done = self._kafka(
                "start", str(self.directory), "--nodes", str(self.nodes), "--port", str(port),
                "--heap", self.heap, *(["--secure"] if self.secure else []), check=False)
            if done.returncode == 0 and all(self.alive(n) for n in self.each()):
                self.bootstrap = done.stdout.split()[-1]
                return
            self._kafka("destroy", str(self.directory), check=False)
        raise ProofError(f"Kafka did not start in {self.directory}: {done.stderr.strip()}")

    def each(self) -> range:
        return range(1, self.nodes + 1)

    def alive(self, node: int) -> bool:
        status = self._kafka("status", str(self.directory)).stdout
        return f"node {node}: pid" in status

    def kill(self, node: int) -> None:
        self._kafka("kill", str(self.directory), str(node))
        self.down.add(node)

    def revive(self, node: int) -> None:
        self._kafka("revive", str(self.directory), str(node))
        self.down.discard(node)

    def pause(self, node: int) -> None:
        self._kafka("pause", str(self.directory), str(node))

    def resume(self, node: int) -> None:
        self._kafka("resume", str(self.directory), str(node))

    def stop(self) -> None:
        """Ends the nodes; their data stays."""
        self._kafka("stop", str(self.directory), check=False)

    def destroy(self) -> None:
        self._kafka("destroy", str(self.directory), check=False)

    def data(self, node: int) -> Path:
        return self.directory / f"node-{node}" / "data"

    def console_consumer(self, topics: list[str], seconds: int = 6) -> bytes:
        """Kafka's own reader of what is committed: partition, offset, key and value, by tabs."""
        pattern = "|".join(topic.replace(".", "[.]") for topic in topics)
        command = [
            str(KAFKA), "tool", "ConsoleConsumer", "--bootstrap-server", self.bootstrap,
            "--include", pattern, "--from-beginning", "--isolation-level", "read_committed",
            "--timeout-ms", str(1000 * seconds)]
        for name in ("print.partition", "print.offset", "print.key"):
            command += ["--formatter-property", f"{name}=true"]
        done = subprocess.run(command, capture_output=True, timeout=240)
        return done.stdout

    def _kafka(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        done = subprocess.run([str(KAFKA), *arguments], capture_output=True, text=True, timeout=150)
        if check and done.returncode:
            raise ProofError(f"kafka {' '.join(arguments)}: {done.stderr.strip()}")
        return done


class Asker:
    """Questions to a cluster, one after the other (Scripts/tools/ask.c)."""

    def __init__(self, bootstrap: str):
        self._process = subprocess.Popen(
            [tool("ask"), bootstrap], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL)
        self._lock = threading.Lock()

    def ask(self, *words: object) -> dict:
        with self._lock:
            self._process.stdin.write(" ".join(str(w) for w in words) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise ProofError("Scripts/tools/ask ended before its time")
        return json.loads(line)

    def until(self, seconds: float, *words: object) -> dict:
        """The answer; asked again as long as it is an error, and raised as one then."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.ask(*words)
            if "error" not in answer:
                return answer
            if time.monotonic() > deadline:
                raise ProofError(f"{' '.join(str(w) for w in words)}: {answer['error']}")
            time.sleep(0.3)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(10)


def coordinator_partition(name: str, partitions: int = 4) -> int:
    """Which partition of the internal topic, and so which node, coordinates a group or a
    transactional id: the amount of Java's String.hashCode. The clusters here have four."""
    value = 0
    for character in name:
        value = (value * 31 + ord(character)) & 0xFFFFFFFF
    return min(value, 0x1_0000_0000 - value) % partitions
