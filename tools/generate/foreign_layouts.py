#!/usr/bin/env python3
"""Makes the checks of tests/foreign: tests/data/abi/layouts.csv against headers that are not ours.

usage: foreign_layouts.py STRUCTURES DIFFERENCES OUTPUT

STRUCTURES names the structures to check, DIFFERENCES what those headers have otherwise: a structure
(its size) or STRUCTURE.FIELD, or a pattern of such, each with its reason. A difference that matches
no row is an error.
"""

import csv
import sys
from fnmatch import fnmatchcase
from pathlib import Path

from table import write

LAYOUTS = Path(__file__).resolve().parents[2] / "tests" / "data" / "abi" / "layouts.csv"


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def checks_of(patterns):
    """Name and check of each row of the structures, and of each structure's size."""
    checks = {}
    for row in rows_of(LAYOUTS):
        struct, field = row["struct"], row["field"]
        if not any(fnmatchcase(struct, pattern) for pattern in patterns):
            continue
        checks[struct] = f"ABI_SIZE({struct}, {row['size']});"
        place = f"{struct}, {field}, {row['offset']}"
        if field and row["fieldsize"]:
            checks[f"{struct}.{field}"] = f"ABI_FIELD({place}, {row['fieldsize']});"
        elif field:
            checks[f"{struct}.{field}"] = f"ABI_FLEXIBLE({place});"
    return checks


def main(structures, differences, output):
    checks = checks_of([row["struct"] for row in rows_of(structures)])
    for row in rows_of(differences):
        matching = [name for name in checks if fnmatchcase(name, row["name"])]
        if not matching:
            sys.exit(f"{differences}: {row['name']} matches no row of {LAYOUTS}")
        for name in matching:
            del checks[name]
    lines = "".join(f"{check}\n" for check in checks.values())
    write(output, f"/* Made by tools/generate/foreign_layouts.py. */\n{lines}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
