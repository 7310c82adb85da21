"""The health mesh of Config/health as five domains that see nothing of each other but the broker and
the catalog: each runs from a folder of its own."""

import copy
import json
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from proofs.cluster import Asker, Cluster
from proofs.places import ROOT, SHARED, ProofError, tool
from proofs.records import read_all

from . import patients
from .compare import Differences
from .feeder import Feeder
from .patients import Known
from .plan import PARTITIONS, Fed, partition_of
from .rig import Report
from .workers import Workers

CONFIG = ROOT / "Config" / "health"
DOMAINS = [*patients.SOURCES, "patients"]  # in the order in which they take from each other
DOUBLED = ("claims", "labs")  # these run as two instances
EARLY = ("patients", "claims")  # these are started before anything is published
PATIENT, SERIES, HISTORY = (f"patients.patient-record.{port}.v1"
                            for port in ("patient", "lab-series", "history"))
_LINKS = "registration.registration.identifier-links.v1"
TAKES = {
    "registration": [], "claims": [_LINKS], "visits": [_LINKS], "labs": [_LINKS],
    "patients": ["registration.registration.patients.v1", "visits.visits.encounters.v1",
                 "labs.labs.observations.v1",
                 *(f"claims.claims.{port}.v1" for port in ("submissions", "charges", "payments"))],
}
PACE_SECONDS = 2.4  # of input for each kill
SETTLE_SECONDS = 120


def product(domain: str) -> str:
    return "patient-record" if domain == "patients" else domain


def topic(domain: str) -> str:
    return f"ops.{domain}.events"


TOPICS = [topic(domain) for domain in patients.SOURCES]


# --- the input ------------------------------------------------------------------------------------

def input_folder(directory: Path, seed: int, generated: bool) -> Path:
    """The shared events, where they are; else some out of the seed."""
    shared = SHARED / "data" / "health"
    if shared.is_dir() and not generated:
        return shared
    folder = directory / "input"
    subprocess.run([ROOT / "Scripts" / "generate", "--seed", str(seed), "--patients", "40",
                    "--out", folder], check=True, capture_output=True)
    return folder


def read_lines(folder: Path) -> patients.Lines:
    def split(line: bytes) -> tuple[bytes, bytes]:
        key, _, value = line.partition(b"\t")
        return key, value
    return {domain: [split(line) for line in
                     (folder / f"{domain}.ndjson").read_bytes().split(b"\n")[:-1]]
            for domain in patients.SOURCES}


def interleaved(lines: patients.Lines) -> list[Fed]:
    """All of them, each domain's spread over the whole, so that events come before and after their
    links, and the last link comes last."""
    placed = [(number / len(each), domain, key, value) for domain, each in lines.items()
              for number, (key, value) in enumerate(each, 1)]
    return [Fed(topic(domain), partition_of(key), key, value, False)
            for _, domain, key, value in sorted(
                placed, key=lambda one: (one[0], one[1] == "registration"))]


# --- the mesh -------------------------------------------------------------------------------------

class Mesh:
    """The five folders, and the workers that run from them."""

    def __init__(self, weft: str, bootstrap: str, directory: Path):
        self._weft, self._bootstrap, self._directory = weft, bootstrap, directory
        self.workers: dict[str, Workers] = {}
        for domain in DOMAINS:
            folder = directory / domain
            shutil.copytree(CONFIG / domain, folder / "mesh" / domain)
            shutil.copy(CONFIG / "mesh.yaml", folder / "mesh")
            self.workers[domain] = Workers(weft, bootstrap, folder, folder / "mesh" / domain)

    def begin(self) -> list[str]:
        """Starts and publishes the domains in an order that is not the one they need; what came of it
        in words."""
        for domain in EARLY:
            self.workers[domain].start("0")
        for domain in EARLY:
            self._await(lambda: '"ports-awaited"' in self.workers[domain].log(), 30,
                        f"{domain} does not say which ports it waits for")
        refused = self.workers["patients"].weft("apply", "patients")
        if refused.returncode != 1 or "`registration#patients@1`" not in refused.stderr:
            raise ProofError(f"weft apply of patients, before any other: {refused}")
        for domain in DOMAINS:
            self.workers[domain].apply()
        for domain in DOMAINS:
            for instance in ("0", "1") if domain in DOUBLED else ("0",):
                if instance not in self.workers[domain].running():
                    self.workers[domain].start(instance)
        ended = [one for domain in EARLY for one in self.workers[domain].ended]
        if ended:
            raise ProofError(f"a worker did not wait for the ports it takes: {ended}")
        return ["patients and claims were started before anything was published, and waited;"
                " patients could not be published before those that it takes from"]

    def kill_one(self, domain: str, chance: random.Random) -> None:
        workers = self.workers[domain]
        victim = chance.choice(workers.running())
        workers.kill(victim)
        time.sleep(chance.choice((0, 0, 0, chance.uniform(0, 1))))
        workers.start(victim)

    def revive_ended(self) -> None:
        for workers in self.workers.values():
            workers.revive_ended()

    def is_through(self, domain: str) -> bool:
        group = f"weft.{domain}.{product(domain)}"
        own = [topic(domain)] if domain in patients.SOURCES else []
        asked = [tool("pending"), "--bootstrap", self._bootstrap, "--wait", "3", group, *own,
                 *TAKES[domain], f"{group}.journal.*"]
        return subprocess.run(asked, capture_output=True, timeout=60).returncode == 0

    def status(self, domain: str) -> dict:
        """What anybody is told, from a folder where there is nothing."""
        nowhere = self._directory / "nowhere"
        nowhere.mkdir(exist_ok=True)
        done = self.workers[domain].weft("status", product(domain), "--format", "json", at=nowhere)
        if done.returncode:
            raise ProofError(f"weft status {product(domain)}: {done.stderr.strip()[:500]}")
        return json.loads(done.stdout)

    def found(self) -> Known:
        """What the ports hold, as a read_committed reader sees it, and what the products tell."""
        got = Known()
        for record in read_all(self._bootstrap, [PATIENT, SERIES, HISTORY]):
            fields = patients.decode(record.value) if record.value is not None else None
            if record.topic == PATIENT:
                got.rows[(record.key or b"").decode()] = shown(fields) if fields else {}
            elif record.topic == SERIES:
                place = tuple(json.loads(record.key or b"[]"))
                got.series[place] = fields and (fields.get("value"), fields.get("unit"))
            else:
                got.history[fields["patientId"], fields["what"], fields["happenedAt"]] += 1
        for domain in patients.SOURCES:
            told = self.status(domain)
            got.held[domain] = sum(one["count"] for one in told["held"])
            got.malformed[domain] = told["quarantined"]
        return got

    def stop_all(self) -> list[int]:
        return [code for workers in self.workers.values() for code in workers.stop_all()]

    def drop(self) -> None:
        for workers in self.workers.values():
            workers.drop()

    @staticmethod
    def _await(is_so: Callable[[], bool], seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                raise ProofError(otherwise)
            time.sleep(0.2)


def shown(row: dict) -> dict:
    labs = {code: (one.get("value"), one.get("unit"))
            for code, one in row.get("latestLabs", {}).items()}
    return row | {"latestLabs": labs}


# --- the run --------------------------------------------------------------------------------------

def perform(weft: str, seed: int, directory: Path, kills: int, generated: bool) -> Report:
    """From an empty cluster to the comparison, and to the proof that it can fail."""
    report, chance = Report(), random.Random(f"health {seed}")
    folder = input_folder(directory, seed, generated)
    lines = read_lines(folder)
    known = patients.Reading(lines).known
    told = json.loads((folder / "expected.json").read_text(), parse_float=Decimal)
    patients.check_told(known, told, report.differences)
    fed = interleaved(lines)
    cluster, ends = Cluster(directory / "kafka"), []
    try:
        cluster.start()
        ends.append(cluster.stop)
        asker = Asker(cluster.bootstrap)
        ends.append(asker.close)
        for name in TOPICS:
            asker.until(30, "create", name, PARTITIONS)
        mesh = Mesh(weft, cluster.bootstrap, directory)
        ends.append(mesh.drop)
        report.facts += mesh.begin()
        feeder = Feeder(cluster.bootstrap, TOPICS, fed, 1, kills * PACE_SECONDS,
                        directory / "feeder.log")
        ends.append(feeder.drop)
        feeder.start()
        kill_all_over(mesh, asker, chance, kills)
        share = feeder.sent / len(fed)
        if feeder.held:
            report.incomplete = "the input did not outlast the kills"
        feeder.finish(90)
        if settle(mesh, report):
            got = compare(mesh, known, report)
            codes = mesh.stop_all()
            if any(codes):
                report.facts.append(f"workers ended with {codes} on SIGTERM")
            report.facts.append(f"{kills} kills while {share:.0%} of {len(fed)} records came")
            tell(known, told, mesh, report)
            if report.passed:
                check_comparison(known, got, chance)
                report.facts.append(f"each of {len(SPOILT)} ways to spoil what was found is found")
    finally:
        for end in reversed(ends):
            end()
    return report


def kill_all_over(mesh: Mesh, asker: Asker, chance: random.Random, kills: int) -> None:
    """Workers of all domains in turn, in another order each time."""
    deadline = time.monotonic() + 60
    while sum(asker.until(20, "ends", PATIENT)["ends"]) == 0:
        if time.monotonic() > deadline:
            raise ProofError("no patient is published")
        mesh.revive_ended()
        time.sleep(0.2)
    victims: list[str] = []
    for _ in range(kills):
        victims = victims or chance.sample(DOMAINS, len(DOMAINS))
        time.sleep(chance.uniform(0.4, 2.0))
        mesh.revive_ended()
        mesh.kill_one(victims.pop(), chance)


def settle(mesh: Mesh, report: Report) -> bool:
    """Every domain has taken all that the ones before it have published."""
    deadline = time.monotonic() + SETTLE_SECONDS
    for domain in DOMAINS:
        while not mesh.is_through(domain):
            mesh.revive_ended()
            if time.monotonic() > deadline:
                report.incomplete = f"{domain} was not through {SETTLE_SECONDS} s later"
                return False
    return True


def compare(mesh: Mesh, known: Known, report: Report) -> Known:
    """Asked again for a while: readers see what is committed a little later, and a worker tells of
    itself once a second."""
    deadline = time.monotonic() + 20
    while True:
        found, got = Differences(), mesh.found()
        patients.check(known, got, found)
        if not found or time.monotonic() > deadline:
            for kind, count in found.counts.items():
                report.differences.counts[kind] += count
            report.differences.first += found.first
            return got
        time.sleep(1)


def tell(known: Known, told: dict, mesh: Mesh, report: Report) -> None:
    killed = {domain: len(workers.kills) for domain, workers in mesh.workers.items()}
    late = sum(patient == told.get("lateLabLink") for patient, _, _ in known.series)
    report.facts += [
        "killed: " + ", ".join(f"{domain} {count}" for domain, count in killed.items()),
        f"{len(known.rows)} patients, {len(known.series)} values of the series,"
        f" {sum(known.history.values())} records of the history",
        f"the patient whose lab link came last: {late} values; held for ever: "
        + ", ".join(f"{domain} {count}" for domain, count in known.held.items()),
    ]
    ended = [one for workers in mesh.workers.values() for one in workers.ended]
    if ended:
        report.facts.append("by themselves: " + "; ".join(ended[:5]))


# --- that the comparison can fail -----------------------------------------------------------------

def _any_row(got: Known, chance: random.Random, column: str) -> dict:
    return chance.choice([row for row in got.rows.values() if row.get(column)])


def _cent(got: Known, chance: random.Random) -> None:
    _any_row(got, chance, "charged")["charged"] += Decimal("0.01")


def _second(got: Known, chance: random.Random) -> None:
    row = _any_row(got, chance, "lastEncounterEnd")
    row["lastEncounterEnd"] = row["lastEncounterEnd"][:-2] + "?Z"


def _twice(got: Known, chance: random.Random) -> None:
    got.history[chance.choice(sorted(got.history))] += 1


def _lost(got: Known, chance: random.Random) -> None:
    got.history[chance.choice(sorted(got.history))] -= 1


def _value(got: Known, chance: random.Random) -> None:
    del got.series[chance.choice(sorted(got.series))]


def _patient(got: Known, chance: random.Random) -> None:
    del got.rows[chance.choice(sorted(got.rows))]


def _held(got: Known, _: random.Random) -> None:
    got.held["visits"] -= 1


def _quarantined(got: Known, _: random.Random) -> None:
    got.malformed["claims"] += 1


SPOILT = {"a cent": _cent, "a second": _second, "a record twice": _twice, "a record lost": _lost,
          "a value lost": _value, "a patient lost": _patient, "an event not held": _held,
          "an event in quarantine twice": _quarantined}


def check_comparison(known: Known, got: Known, chance: random.Random) -> None:
    for name, spoil in SPOILT.items():
        spoilt, found = copy.deepcopy(got), Differences()
        spoil(spoilt, chance)
        patients.check(known, spoilt, found)
        if not found:
            raise ProofError(f"the comparison does not find {name}")
