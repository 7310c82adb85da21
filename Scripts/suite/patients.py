"""What must be known of each patient, worked out from the events of four domains alone: it shares
nothing with Weft."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from .compare import Differences

SOURCES = ["registration", "claims", "visits", "labs"]
_TYPES = {
    "registration": {"PatientRegistered", "IdentifierLinked"},
    "claims": {"ClaimSubmitted", "ClaimTransaction", "ClaimClosed"},
    "visits": {"EncounterStarted", "EncounterFinished"},
    "labs": {"ObservationRecorded"},
}
_WEIGHT = "29463-7"

Lines = dict[str, list[tuple[bytes, bytes]]]  # by domain: keys and values, in the order of arrival
Place = tuple[str, str, str]  # of a value of the series: patient, code, time


@dataclass
class Known:
    """The records of all patients, and what never came to be part of one."""
    rows: dict[str, dict] = field(default_factory=dict)
    series: dict[Place, tuple] = field(default_factory=dict)
    history: Counter[tuple] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)


def decode(value: bytes) -> object:
    return json.loads(value.decode(), parse_float=Decimal)


class Reading:
    """Reads the lines as the patients' record is meant."""

    def __init__(self, lines: Lines):
        self.known = Known()
        events = {domain: list(self._accepted(domain, lines[domain])) for domain in SOURCES}
        self._links = {(event["system"], event["localId"]): event["patientId"]
                       for event in events["registration"] if event["type"] == "IdentifierLinked"}
        self._distinct: dict[tuple, set] = defaultdict(set)
        for event in events["registration"]:
            if event["type"] == "PatientRegistered":
                self._row(event["patientId"])["birthDate"] = event["birthDate"]
        for domain, take in (("claims", self._claim), ("visits", self._visit), ("labs", self._lab)):
            for event in events[domain]:
                take(event)
        for row in self.known.rows.values():
            weight = row["latestLabs"].get(_WEIGHT)
            row["distinctLoinc"] = len(row["latestLabs"])
            row["lastBodyWeight"] = weight and weight[1]
            row["latestLabs"] = {code: value[1:] for code, value in row["latestLabs"].items()}

    def _accepted(self, domain: str, lines: list[tuple[bytes, bytes]]):
        """The events in the order of arrival, each once."""
        seen = set()
        for key, value in lines:
            try:
                event = decode(value)
            except (ValueError, RecursionError):
                event = None
            if not isinstance(event, dict) or event.get("type") not in _TYPES[domain]:
                self.known.malformed[domain] += 1
            elif (key, event["eventId"]) not in seen:
                seen.add((key, event["eventId"]))
                yield event

    def _row(self, patient: str) -> dict:
        return self.known.rows.setdefault(patient, {
            "birthDate": None, "claims": 0, "charged": None, "paid": None, "lastChargeAt": None,
            "encounters": 0, "lastEncounterEnd": None, "observations": 0, "latestLabs": {}})

    def _patient(self, domain: str, local: str) -> str | None:
        """Whose the local id is; an event of one that is linked to nobody waits."""
        patient = self._links.get((domain, local))
        if patient is None:
            self.known.held[domain] += 1
        return patient

    def _count(self, patient: str, column: str, what: str) -> None:
        self._distinct[patient, column].add(what)
        self._row(patient)[column] = len(self._distinct[patient, column])

    def _claim(self, event: dict) -> None:
        kind = {"CHARGE": "amount", "PAYMENT": "payment"}.get(event.get("kind"))
        amount = event.get(kind) if kind else None
        if event["type"] == "ClaimSubmitted":
            patient = self._patient("claims", event["memberNo"])
            if patient:
                self._count(patient, "claims", event["claimId"])
        elif amount and amount > 0:
            patient = self._patient("claims", event["memberNo"])
            if patient and kind == "amount":
                row, at = self._row(patient), event["occurredAt"]
                row["charged"] = (row["charged"] or 0) + amount
                row["lastChargeAt"] = max(row["lastChargeAt"] or at, at)
                self.known.history[patient, "charge", at] += 1
            elif patient:
                row = self._row(patient)
                row["paid"] = (row["paid"] or 0) + amount

    def _visit(self, event: dict) -> None:
        if event["type"] != "EncounterFinished":
            return
        patient, at = self._patient("visits", event["mrn"]), event["occurredAt"]
        if patient:
            self._count(patient, "encounters", event["encounterId"])
            row = self._row(patient)
            row["lastEncounterEnd"] = max(row["lastEncounterEnd"] or at, at)
            self.known.history[patient, "visit", at] += 1

    def _lab(self, event: dict) -> None:
        patient, at = self._patient("labs", event["labRef"]), event["occurredAt"]
        if not patient:
            return
        row, code, value = self._row(patient), event["loinc"], event["value"]
        row["observations"] += 1
        # Of two of one time the one that comes later.
        if at >= row["latestLabs"].get(code, ("",))[0]:
            row["latestLabs"][code] = (at, value, event["unit"])
        self.known.series[patient, code, at] = (value, event["unit"])
        self.known.history[patient, event["display"], at] += 1


def check_told(known: Known, expected: dict, found: Differences) -> None:
    """That the reading itself is right, as far as the input's makers say what is."""
    for patient in expected.get("patients", []):
        row = known.rows.get(patient["patientId"], {})
        for column, value in patient.items():
            if column == "patientId":
                continue
            is_money = column in ("charged", "paid")
            have = Decimal(row.get(column) or 0) if is_money else row.get(column)
            if have != (Decimal(value) if is_money else value):
                found.add("the reading is wrong", f"{patient['patientId']}.{column}: {have}")


def check(known: Known, got: Known, found: Differences) -> None:
    """What the ports and the products' status hold against what must be known."""
    for patient in sorted(known.rows.keys() | got.rows.keys()):
        want, have = known.rows.get(patient), got.rows.get(patient)
        if want is None or have is None:
            found.add("patients", f"{patient} is {'too much' if have else 'missing'}")
            continue
        for column, value in want.items():
            if have.get(column) != value:
                found.add("columns of patients",
                          f"{patient}.{column} is {have.get(column)}, not {value}")
    for place in sorted(known.series.keys() | got.series.keys()):
        if known.series.get(place) != got.series.get(place):
            found.add("values of the series", f"{place} is {got.series.get(place)},"
                      f" not {known.series.get(place)}")
    for what in sorted(known.history.keys() | got.history.keys()):
        if known.history[what] != got.history[what]:
            found.add("records of the history",
                      f"{what}: {got.history[what]}, not {known.history[what]}")
    for name, want, have in (("held", known.held, got.held),
                             ("quarantined", known.malformed, got.malformed)):
        for domain in SOURCES:
            if want[domain] != have[domain]:
                found.add(f"events {name}", f"{domain}: {have[domain]}, not {want[domain]}")
