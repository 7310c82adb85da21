"""Feeds a plan at a pace, and keeps the last of it back until it is let go."""

import json
import subprocess
import threading
import time
from pathlib import Path

from proofs.places import ProofError, tool

from .plan import Fed


class Feeder(threading.Thread):
    """All but the last twentieth in `seconds`, and that not before `release` is called, so that the
    input outlasts whatever is done to the workers meanwhile; after it as fast as `FAST`. No less
    than the last `kept` are kept back so."""

    FAST = 12_000.0  # records a second

    def __init__(self, bootstrap: str, topics: list[str], fed: list[Fed], kept: int,
                 seconds: float, log: Path):
        super().__init__(daemon=True)
        self._fed, self._topics = fed, topics
        self._held = len(fed) - max(len(fed) // 20, kept)
        self._rate = self._held / seconds
        self._released = threading.Event()
        self._log = open(log, "wb")
        self._process = subprocess.Popen(
            [tool("publish"), bootstrap, *topics], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._log)
        self.sent = 0
        self.failure = ""

    def release(self) -> None:
        self._released.set()

    @property
    def held(self) -> bool:
        """Only what is kept back is left."""
        return self.sent >= self._held

    def run(self) -> None:
        try:
            self._feed()
        except OSError as error:
            self.failure = f"publish ended before its time: {error}"

    def _feed(self) -> None:
        pipe, credit, last = self._process.stdin, 0.0, time.monotonic()
        while self.sent < len(self._fed):
            time.sleep(0.02)
            free, now = self._released.is_set(), time.monotonic()
            credit += (now - last) * (max(self.FAST, self._rate) if free else self._rate)
            last = now
            limit = len(self._fed) if free else self._held
            count = min(int(credit), limit - self.sent)
            credit = min(credit - count, self.FAST)
            if count > 0:
                some = self._fed[self.sent:self.sent + count]
                pipe.write(b"".join(one.frame(self._topics) for one in some))
                pipe.flush()
                self.sent += count
        pipe.close()

    def finish(self, seconds: float) -> None:
        """Everything was acknowledged, or a ProofError."""
        self.release()
        self.join(seconds)
        if self.is_alive() or self.failure:
            raise ProofError(self.failure or "the input could not be fed in time")
        answer = self._process.stdout.read()
        if self._process.wait(60):
            raise ProofError(f"the input was not acknowledged: {answer.decode()}")
        told = json.loads(answer)
        if told["acknowledged"] != len(self._fed):
            raise ProofError(f"the input was not acknowledged: {told}")

    def drop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
