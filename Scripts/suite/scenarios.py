"""What is done to the workers and brokers while the input flows."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from proofs.cluster import coordinator_partition
from proofs.places import ProofError

from .compare import MOVEMENTS
from .rig import GROUPS, JOURNAL, Rig

SESSION_SECONDS, TRANSACTION_SECONDS = 6, 10
# A broker looks for transactions that timed out every 10 s.
SWEEP_SECONDS = 10


def wait_for_progress(rig: Rig, seconds: float = 60, records: int = 200) -> None:
    """Until the first port has grown, as a sign that the workers work."""
    deadline = time.monotonic() + seconds
    first = sum(rig.asker.until(20, "ends", MOVEMENTS)["ends"])
    while time.monotonic() < deadline:
        if sum(rig.asker.until(20, "ends", MOVEMENTS)["ends"]) >= first + records:
            return
        if rig.feeder.held:  # nothing more comes until it is let go
            return
        rig.workers.revive_ended()
        time.sleep(0.1)


def kill_at_random(rig: Rig, instances: list[str], kills: int) -> None:
    """Each at a random moment, mostly when it is at work again; back after a random rest."""
    for instance in instances:
        rig.workers.start(instance)
    wait_for_progress(rig)
    for _ in range(kills):
        time.sleep(rig.random.uniform(0.5, 2.2) / len(instances) + 0.2)
        rig.workers.revive_ended()
        victim = rig.random.choice(instances)
        rig.workers.kill(victim)
        time.sleep(rig.random.choice((0, 0, 0, rig.random.uniform(0, 1))))
        rig.workers.start(victim)


def one(rig: Rig, kills: int) -> None:
    kill_at_random(rig, ["a"], kills)


def two(rig: Rig, kills: int) -> None:
    kill_at_random(rig, ["a", "b"], kills)


def wait_until_dead(rig: Rig, instance: str) -> None:
    """Until the group counts one member less, and its transaction timed out."""
    began = time.monotonic()
    while time.monotonic() - began < SESSION_SECONDS + 15:
        members = rig.asker.until(20, "group", "weft.bank.ledger")["members"]
        if not any(f".{instance}." in m["instance"] + "." for m in members):
            break
        time.sleep(0.3)
    rest = TRANSACTION_SECONDS + SWEEP_SECONDS + 1 - (time.monotonic() - began)
    time.sleep(max(rest, 0))


def zombies(rig: Rig, rounds: int) -> None:
    """Instances that stand still until they count as dead, and wake up: their partitions are
    another's by then, or a successor of the same name is at work."""
    for instance in ("a", "b"):
        rig.workers.start(instance)
    wait_for_progress(rig)
    for round in range(rounds):
        victim = rig.random.choice(("a", "b"))
        time.sleep(rig.random.uniform(0.5, 2))
        rig.workers.revive_ended()
        rig.workers.pause(victim)
        if round % 2 == 0:
            wait_until_dead(rig, victim)
            rig.workers.wake(victim)
        else:
            zombie = rig.workers.set_aside(victim)
            rig.workers.start(victim, state=f"elsewhere-{round}")
            wait_for_progress(rig)
            time.sleep(rig.random.uniform(0.5, 3))
            zombie.send_signal(18)  # SIGCONT
            # It has to see that the other stays for longer than a session lasts without heartbeats.
            try:
                ended = f"ended with {zombie.wait(SESSION_SECONDS + 10)}"
            except subprocess.TimeoutExpired:
                ended = f"still ran {SESSION_SECONDS + 10} s after it woke"
            rig.report.facts.append(f"the zombie of round {round + 1} {ended}")
        wait_for_progress(rig)


def wait_for_replicas(rig: Rig) -> None:
    """Until all nodes have all of the topics that matter, so that the next may go."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answers = [rig.asker.until(30, "leaders", topic) for topic in
                   (JOURNAL, MOVEMENTS, "__consumer_offsets", "__transaction_state")]
        if all(a["in_sync"] == a["replicas"] for a in answers):
            return
        time.sleep(0.5)


def leader(rig: Rig, topic: str, partition: int) -> int:
    return rig.asker.until(30, "leaders", topic)["leaders"][partition]


def brokers(rig: Rig, rounds: int) -> None:
    """On three nodes: the leaders of partitions, the group's coordinator and that of the
    transactions are killed in turn and come back; once a node only stands still for longer than
    the clients wait. Workers are killed now and then as well."""
    instances = ["a", "b"]
    for instance in instances:
        rig.workers.start(instance)
    wait_for_progress(rig)
    targets: list[tuple[str, Callable[[], int]]] = [
        ("a journal partition's leader", lambda: leader(rig, JOURNAL, rig.random.randrange(3))),
        ("the transactions' coordinator", lambda: leader(
            rig, "__transaction_state", coordinator_partition("weft.bank.ledger.a.0"))),
        ("the group's coordinator", lambda: leader(
            rig, "__consumer_offsets", coordinator_partition("weft.bank.ledger"))),
        ("a port partition's leader", lambda: leader(rig, MOVEMENTS, rig.random.randrange(3))),
    ]
    for round in range(rounds):
        name, find = targets[round % len(targets)]
        wait_for_replicas(rig)
        node = find()
        time.sleep(rig.random.uniform(0, 1))
        if round == rounds - 1:
            rig.cluster.pause(node)
            time.sleep(TRANSACTION_SECONDS + 2)
            rig.cluster.resume(node)
            rig.report.facts.append(f"{name}, node {node}, stood still for 12 s")
        else:
            rig.cluster.kill(node)
            time.sleep(rig.random.uniform(1, 5))
            if round % 2:
                victim = rig.random.choice(instances)
                rig.workers.kill(victim)
                rig.workers.start(victim)
            rig.cluster.revive(node)
            rig.report.facts.append(f"{name}, node {node}, was killed")
        rig.workers.revive_ended()
        wait_for_progress(rig)


def wait_for_members(rig: Rig, count: int, seconds: float = 20) -> None:
    """Until the groups have so many members, each with a share."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answers = [rig.asker.until(20, "group", group) for group in GROUPS]
        if all(a["state"] == "Stable" and len(a["members"]) == count
               and all(m["partitions"] for m in a["members"]) for a in answers):
            return
        time.sleep(0.1)


def rebalances(rig: Rig, rounds: int) -> None:
    """No kills: an instance comes and goes cleanly under load, again and again, so that partitions
    change hands while batches are gathered."""
    rig.workers.start("a")
    wait_for_progress(rig)
    for round in range(rounds):
        guest = f"g{round}"
        rig.workers.start(guest)
        wait_for_members(rig, 2)
        time.sleep(rig.random.uniform(0, 0.5))
        rig.workers.stop(guest)
        wait_for_members(rig, 1)
        rig.workers.revive_ended()


def two_writers(rig: Rig, seconds: int) -> None:
    """No kills: two instances write to the same journal partitions."""
    for instance in ("a", "b"):
        rig.workers.start(instance)
    wait_for_progress(rig)
    time.sleep(seconds)


def damage(rig: Rig, partition: Path) -> str:
    """Bytes in the middle of a file of rows are others."""
    file = max(partition.glob("*.sst"), key=lambda path: path.stat().st_size)
    data = bytearray(file.read_bytes())
    for _ in range(40):
        data[rig.random.randrange(len(data))] ^= 0xFF
    file.write_bytes(data)
    return f"{file.name} was damaged"


def lose_files(rig: Rig, partition: Path) -> str:
    for file in partition.glob("*.sst"):
        file.unlink()
    return "its files of rows were deleted"


def lose(rig: Rig, partition: Path) -> str:
    shutil.rmtree(partition)
    return "it was deleted"


def swap(rig: Rig, partition: Path) -> str:
    """As if somebody had mixed up what to copy where."""
    other = rig.random.choice([path for path in partition.parent.iterdir() if path != partition])
    aside = partition.with_name("aside")
    partition.rename(aside)
    other.rename(partition)
    aside.rename(other)
    return f"it was mixed up with {other.name}"


def states(rig: Rig, rounds: int) -> None:
    """Between a clean stop and the next start something happens to a state on disk: it is damaged,
    lost, of another partition, or as old as the first round. Then a kill."""
    acts = [damage, lose_files, lose, swap]
    kept = rig.directory / "kept"
    rig.workers.start("a")
    wait_for_progress(rig, records=2000)
    for round in range(rounds):
        rig.workers.stop("a")
        home = rig.directory / "state" / "here" / "bank.a" / "ledger" / "g0"
        partitions = sorted(path for path in home.iterdir() if list(path.glob("*.sst")))
        if not partitions:
            raise ProofError(f"a clean stop has left no state in {home}")
        if round == 0:
            shutil.copytree(home, kept)
        if round % 5 == 4:
            shutil.rmtree(home)
            shutil.copytree(kept, home)
            what = "all states were put back to those of the first stop"
        else:
            partition = rig.random.choice(partitions)
            what = f"state {partition.name}: " + acts[round % 5](rig, partition)
        started = rig.workers.start("a")
        wait_for_progress(rig, records=2000)
        if started.poll() is not None:
            raise ProofError(f"after {what} the worker ended with {started.returncode}")
        rig.report.facts.append(what)
        rig.workers.kill("a")
        rig.workers.start("a")
        wait_for_progress(rig, records=2000)
