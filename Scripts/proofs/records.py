"""Records as Scripts/tools/dump.c writes them."""

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .places import ProofError, tool

_FRAME = struct.Struct("<BiqqiiH")
_HEADER = struct.Struct("<Hi")


@dataclass(slots=True)
class Record:
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


def read_all(bootstrap: str, topics: list[str], seconds: int = 60,
             isolation: str = "read_committed") -> list[Record]:
    """All records of the topics, from the first to the end that they have now."""
    done = subprocess.run(
        [tool("dump"), bootstrap, isolation, str(seconds), *topics], capture_output=True)
    if done.returncode:
        raise ProofError(done.stderr.decode().strip())
    return parse(done.stdout, topics)


def parse(data: bytes, topics: list[str]) -> list[Record]:
    """Whole frames; an unfinished one at the end is left out."""
    found, at, size = [], 0, len(data)
    while at + _FRAME.size <= size:
        topic, partition, offset, timestamp, key_size, value_size, count = \
            _FRAME.unpack_from(data, at)
        at += _FRAME.size
        end = at + max(key_size, 0)
        key = data[at:end] if key_size >= 0 else None
        at, end = end, end + max(value_size, 0)
        value = data[at:end] if value_size >= 0 else None
        at, headers = end, {}
        for _ in range(count):
            if at + _HEADER.size > size:
                return found
            name_size, header_size = _HEADER.unpack_from(data, at)
            at += _HEADER.size
            name = data[at:at + name_size].decode()
            at += name_size
            headers[name] = data[at:at + max(header_size, 0)]
            at += max(header_size, 0)
        if at > size:
            return found
        found.append(Record(topics[topic], partition, offset, timestamp, key, value, headers))
    return found


class Follower:
    """A read_committed reader that is there from the beginning and writes down what it sees."""

    def __init__(self, bootstrap: str, topics: list[str], file: Path):
        self.topics, self.file = topics, file
        with open(file, "wb") as out:
            self._process = subprocess.Popen(
                [tool("dump"), bootstrap, "read_committed", "0", *topics], stdout=out,
                stderr=subprocess.DEVNULL)

    def end(self) -> list[Record]:
        self._process.terminate()
        self._process.wait(30)
        return parse(self.file.read_bytes(), self.topics)

    def drop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
