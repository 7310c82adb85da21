"""One run: a cluster, the plan that is fed, the workers, a reader from the start; then the reading
and the comparison. scenarios.py says what is done to it meanwhile."""

import random
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from proofs import segments
from proofs.cluster import Asker, Cluster
from proofs.places import ProofError, tool
from proofs.records import Follower, read_all

from . import compare, evidence
from .compare import Differences
from .feeder import Feeder
from .model import Model
from .plan import PARTITIONS, TOPICS, Plan
from .workers import Workers, copy_mesh

JOURNAL, TELLER_JOURNAL = (
    "weft.bank.ledger.journal.account", "weft.bank.ledger.journal.teller")
GROUPS = {"weft.bank.ledger": [*TOPICS, JOURNAL, TELLER_JOURNAL], "weft.bank.tape": TOPICS[:1]}
SETTLE_SECONDS = 100


@dataclass
class Report:
    """What a run showed."""
    differences: Differences = field(default_factory=Differences)
    facts: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)  # what was written around what is wrong
    incomplete: str = ""  # why the run could not be compared, if so

    @property
    def passed(self) -> bool:
        return not self.differences and not self.incomplete


class Rig:
    def __init__(self, name: str, directory: Path, weft: str, seed: int, events: int,
                 seconds: float, nodes: int = 1, settings: dict[str, str] | None = None,
                 disabled: str | None = None, console: bool = False):
        self.directory, self.console = directory, console
        self.random = random.Random(f"{name} {seed}")
        self.plan = Plan(seed, events)
        self.cluster = Cluster(directory / "kafka", nodes)
        self.report = Report()
        self._weft, self._seconds, self._disabled = weft, seconds, disabled
        self._settings = settings or {}
        self.asker: Asker | None = None
        self.workers: Workers | None = None
        self.feeder: Feeder | None = None
        self.follower: Follower | None = None

    def __enter__(self) -> "Rig":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        self.cluster.start()
        bootstrap = self.cluster.bootstrap
        self.bootstrap = bootstrap
        self.asker = Asker(bootstrap)
        for topic in TOPICS:
            self.asker.until(30, "create", topic, PARTITIONS)
        domain = copy_mesh(self.directory / "mesh", self._settings)
        self.workers = Workers(self._weft, bootstrap, self.directory, domain, self._disabled)
        self.workers.apply()
        self.follower = Follower(bootstrap, compare.PORTS, self.directory / "followed")
        self.feeder = Feeder(
            bootstrap, TOPICS, self.plan.fed, len(self.plan.touched), self._seconds,
            self.directory / "feeder.log")
        self.feeder.start()

    def __exit__(self, *_) -> None:
        for each in (self.workers, self.feeder, self.follower):
            if each:
                each.drop()
        if self.asker:
            self.asker.close()
        self.cluster.stop()

    # --- the end of a run -----------------------------------------------------------------------

    def settle(self) -> bool:
        """All input was fed and taken, and the workers drained; False when that took too long."""
        self.feeder.finish(60 + len(self.plan.fed) / Feeder.FAST)
        deadline = time.monotonic() + SETTLE_SECONDS
        for group, topics in GROUPS.items():
            while not self._is_through(group, topics):
                self.workers.revive_ended()
                if time.monotonic() > deadline:
                    self.report.incomplete = f"{group} was not through {SETTLE_SECONDS} s later"
                    return False
        codes = self.workers.stop_all()
        if any(codes):
            self.report.facts.append(f"workers ended with {codes} on SIGTERM")
        return True

    def _is_through(self, group: str, topics: list[str]) -> bool:
        asked = [tool("pending"), "--bootstrap", self.bootstrap, "--wait", "3", group, *topics]
        return subprocess.run(asked, capture_output=True, timeout=60).returncode == 0

    def compare(self) -> None:
        found, facts = self.report.differences, self.report.facts
        seen = self.follower.end()
        read = compare.by_topic(read_all(self.bootstrap, [*TOPICS, *compare.PORTS]))
        compare.check_input(self.plan.fed, {t: read[t] for t in TOPICS}, found)
        model = Model(self.plan.fed)
        compare.check_ports(model, read, found)
        compare.check_follower(seen, read, found)
        facts.append(
            f"{len(self.plan.fed)} records fed ({model.redelivered} redelivered,"
            f" {self.plan.malformed} malformed); "
            + ", ".join(f"{t} {len(read[t])}" for t in compare.PORTS))
        if self.console:
            printed = self.cluster.console_consumer(compare.PORTS)
            every = [r for topic in compare.PORTS for r in read[topic]]
            compare.check_console(printed, every, found)
            facts.append("Kafka's console consumer printed the same records of all ports")
        self._check_logs(read)

    def _check_logs(self, read) -> None:
        """The brokers' own logs: who was aborted, and that nothing was torn."""
        self.asker.until(20, "leaders", JOURNAL)
        nodes = [self.cluster.data(n) for n in self.cluster.each()]
        logs = {}
        for topic in [*compare.PORTS, JOURNAL, TELLER_JOURNAL]:
            for partition in range(len(self.asker.until(20, "leaders", topic)["leaders"])):
                folder = segments.newest_replica(nodes, f"{topic}-{partition}")
                if folder:
                    logs[(topic, partition)] = segments.batches(folder)
        folders = [segments.newest_replica(nodes, f"__transaction_state-{p}") for p in range(4)]
        decided = segments.transactions([f for f in folders if f])
        self._count_aborts(logs, decided)
        self._tell_evidence(nodes, decided)
        which = segments.TransactionMap(decided, logs)
        if which.contradictions:
            self.report.facts.append(
                f"transactions could not be told apart: {which.contradictions[0]}")
            return
        looked = compare.check_torn(read, which.of, self.report.differences)
        self.report.facts.append(
            f"{looked} records made beside another by one event: each pair by one transaction")

    def _tell_evidence(self, nodes, decided) -> None:
        for topic, spots in self.report.differences.spots.items():
            group = "weft." + ".".join(topic.split(".")[:2])
            self.report.evidence += evidence.tell(
                group, topic, GROUPS[group], spots, nodes, decided, self.directory / "logs")

    def _count_aborts(self, logs, decided) -> None:
        """ABORT markers; those of epochs in which nobody wrote are the coordinator's own work: it
        fenced an instance that had left a transaction open."""
        written = {(b.producer, b.epoch) for log in logs.values() for b in log if b.marker is None}
        names = {one.producer: one.transactional_id for one in decided}
        aborted: dict[tuple[int, int], int] = {}
        markers = 0
        for log in logs.values():
            for batch in log:
                if batch.marker == segments.ABORT:
                    markers += 1
                    which = (batch.producer, batch.epoch)
                    if which not in written:
                        aborted[which] = min(batch.timestamp, aborted.get(which, batch.timestamp))
        open_kills = set()
        for (producer, _), at in aborted.items():
            before = [i for i, k in enumerate(self.workers.kills) if k.at_ms <= at
                      and f".{k.instance}." in names.get(producer, "") + "."]
            if before:
                open_kills.add(before[-1])
        self.open_kills = len(open_kills)
        self.aborted = len(aborted)
        self.report.facts.append(
            f"{markers} abort markers in journals and ports; {len(aborted)} transactions aborted by"
            f" the coordinator; {len(self.workers.kills)} kills of workers, {len(open_kills)} of"
            f" them with a transaction open")


def fail_unless(condition: bool, text: str) -> None:
    if not condition:
        raise ProofError(text)
