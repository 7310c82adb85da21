"""Compares patients with what must be known of them: `patients.py EXPECTED ROWS`.

EXPECTED is an expected.json (of generated input, or of ../shared/data/health), ROWS what
`weft read patient-record#patient@1 --format json` printed. Exit code 1 if a row differs.
"""

import json
import pathlib
import sys
from decimal import Decimal

from claims import read


def differences(wanted, row):
    for name, value in wanted.items():
        got = row.get(name)
        if name in ("charged", "paid"):
            # Sums are texts there, so that they stay exact; nothing was charged: no row says so.
            value, got = Decimal(value), Decimal(got or 0)
        if got != value:
            yield f"{name} is {got}, not {value}"


def main(expected, rows_path):
    wanted = json.loads(pathlib.Path(expected).read_text(), parse_float=Decimal).get("patients", [])
    rows, wrong = read(rows_path, "patientId"), 0
    for patient in wanted:
        found = list(differences(patient, rows.get(patient["patientId"], {})))
        wrong += bool(found)
        if found:
            print(f"   {patient['patientId']}: {'; '.join(found)}", file=sys.stderr)
    if not wrong:
        print(f"   {len(wanted)} patients are as they must be, to the cent and to the second")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
