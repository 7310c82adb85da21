"""Worker processes, each an instance with its log and state directory, and what is done to them."""

import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from proofs.places import ProofError

MESH = Path(__file__).resolve().parent / "mesh"


def copy_mesh(to: Path, settings: dict[str, str]) -> Path:
    """The mesh's files for one run, with other values of lines in worker.yaml; its domain."""
    shutil.copytree(MESH, to)
    file = to / "bank" / "worker.yaml"
    text = file.read_text()
    for name, value in settings.items():
        text, count = re.subn(rf"(?m)^(\s*{re.escape(name)}: ).*$", rf"\g<1>{value}", text)
        if count != 1:
            raise ProofError(f"worker.yaml of the suite has no line `{name}`")
    file.write_text(text)
    return to / "bank"


@dataclass
class Kill:
    instance: str
    at_ms: int


class Workers:
    """All processes of a domain; every signal goes to a pid that was started here. They run in the
    folder of its mesh, and write their logs and states into `directory`."""

    def __init__(self, weft: str, bootstrap: str, directory: Path, domain: Path,
                 disabled: str | None = None):
        self._weft, self._directory, self._disabled = weft, directory, disabled
        self._domain = domain
        self._environment = {**os.environ, "KAFKA_BOOTSTRAP": bootstrap}
        self._running: dict[str, subprocess.Popen] = {}
        self._old: list[tuple[str, subprocess.Popen]] = []
        self._starts = 0
        self.kills: list[Kill] = []
        self.ended: list[str] = []  # what ended by itself, and how
        (directory / "logs").mkdir(parents=True, exist_ok=True)

    def apply(self) -> None:
        """Topics and catalog of the mesh."""
        deadline = time.monotonic() + 60
        while True:
            done = self.weft("apply", self._domain.name)
            if done.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise ProofError(f"weft apply: {(done.stdout + done.stderr).strip()[:1500]}")
            time.sleep(1)

    def weft(self, *words: str, at: Path | None = None) -> subprocess.CompletedProcess:
        """A command, in the mesh's folder or elsewhere."""
        return subprocess.run(
            [self._weft, *words], cwd=at or self._domain.parent, env=self._with_state("apply"),
            capture_output=True, text=True, timeout=120)

    def log(self) -> str:
        """What all processes have said so far."""
        logs = sorted((self._directory / "logs").glob("*.log"))
        return "".join(log.read_text(errors="replace") for log in logs)

    def start(self, instance: str, state: str | None = None) -> subprocess.Popen:
        """`state` names another state directory, as on another machine."""
        self._starts += 1
        log = self._directory / "logs" / f"{self._starts:03}-{instance}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(
                [self._weft, "run", self._domain.name, "--instance", instance],
                cwd=self._domain.parent, env=self._with_state(state or "here"), stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, start_new_session=True)
        self._running[instance] = process
        return process

    def kill(self, instance: str) -> None:
        process = self._running.pop(instance)
        self._note_end(instance, process)
        self.kills.append(Kill(instance, int(time.time() * 1000)))
        process.kill()
        process.wait()

    def pause(self, instance: str) -> None:
        self._running[instance].send_signal(signal.SIGSTOP)

    def wake(self, instance: str) -> None:
        self._running[instance].send_signal(signal.SIGCONT)

    def set_aside(self, instance: str) -> subprocess.Popen:
        """The instance's name is free for a successor; the process goes on, paused or not."""
        process = self._running.pop(instance)
        self._old.append((instance, process))
        return process

    def stop(self, instance: str, seconds: float = 15) -> int:
        """SIGTERM: it drains and commits within 10 s."""
        process = self._running.pop(instance)
        self._note_end(instance, process)
        process.terminate()
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.ended.append(f"{instance} did not drain within {seconds:.0f} s")
            return -9

    def revive_ended(self) -> None:
        """Starts again what ended by itself, as a supervisor would."""
        for instance, process in list(self._running.items()):
            if process.poll() is not None:
                self._note_end(instance, process)
                self.start(instance)

    def running(self) -> list[str]:
        return sorted(self._running)

    def stop_all(self) -> list[int]:
        for instance, process in self._old:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
        self._old.clear()
        return [self.stop(instance) for instance in self.running()]

    def drop(self) -> None:
        """At once, whatever they are doing."""
        for _, process in [*self._old, *self._running.items()]:
            if process.poll() is None:
                process.kill()
                process.wait()
        self._old.clear()
        self._running.clear()

    def _note_end(self, instance: str, process: subprocess.Popen) -> None:
        if process.poll() is not None:
            self.ended.append(f"{instance} ended with {process.returncode}")

    def _with_state(self, state: str) -> dict[str, str]:
        directory = self._directory / "state" / state
        directory.mkdir(parents=True, exist_ok=True)
        environment = {**self._environment, "WEFT_STATE": str(directory)}
        if self._disabled:
            environment["WEFT_TEST_DISABLE"] = self._disabled
        return environment
