"""Kafka Streams, as ../shared/peers has it, and the same with a bound on what its stores take."""

import re
import shutil
from pathlib import Path

from proofs.cluster import Cluster
from proofs.places import PEERS, ProofError

from .sides import Figures, run_tool, told
from .workers import STATE_MIB, written_by

HERE = Path(__file__).resolve().parent
COMMIT_MS = 100


def streams(cluster: Cluster, job: str, events: int, bounded: bool = False) -> Figures:
    """`job`: map or count, both on the topic `orders`."""
    home = cluster.directory.parent / "streams"
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    # Its stores lie in a temporary directory that it makes: here, so that they go with the run.
    options = {"TMPDIR": str(temporary), "JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={temporary}"}
    if bounded:
        options["JAVA_TOOL_OPTIONS"] += f" -Dstate.memory={STATE_MIB << 20}"
        options["JDK_JAVAC_OPTIONS"] = f"-sourcepath {HERE}"
    written = []
    program = _bounded(home) if bounded else PEERS / "streams" / "run"
    try:
        output, rss = run_tool(
            [str(program), cluster.bootstrap, job, str(events), str(COMMIT_MS), "lz4"],
            preload=False, environment=options,
            at_first_line=lambda session: written.append(_written_in(session)))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    own = re.search(r"rss (\d+) MiB", output)  # the child's; wait4 sees the largest of all
    figures = told(output, int(own[1]) * 1.048576 if own else rss)
    if job == "count":
        figures.disk_bytes_per_event = written[0] / events
    return figures


def _bounded(home: Path) -> Path:
    """The peer with a line more, which bounds its stores (BoundedStores.java), in `home`; returns
    what runs it."""
    source = (PEERS / "streams" / "OrdersPeer.java").read_text()
    line = "Properties p = new Properties();"
    if source.count(line) != 1:
        raise ProofError(f"../shared/peers/streams/OrdersPeer.java: there is no line `{line}`")
    more = "p.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, BoundedStores.class);"
    (home / "OrdersPeer.java").write_text(source.replace(line, f"{line} {more}"))
    for name in ("libs", "run"):
        link = home / name
        if not link.is_symlink():
            link.symlink_to(PEERS / "streams" / name)
    return home / "run"


def _written_in(session: int) -> int:
    """Bytes that the processes of a session had sent to the disk."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[3]) == session:
                total += written_by(int(stat.parent.name))
        except OSError:
            continue  # it has just ended
    return total
