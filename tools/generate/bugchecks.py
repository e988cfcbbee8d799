#!/usr/bin/env python3
"""Makes the table of bug checks from emu/verifier/data/bugchecks.csv.

One line a row: X(code, name, p1, p2, p3, p4). Rows of one code stand together; where a code has
several, the text of p1 starts with the value that chooses the row.

usage: bugchecks.py OUTPUT
"""

import csv
import sys
from pathlib import Path

from table import literal, write

SOURCE = Path(__file__).resolve().parents[2] / "emu" / "verifier" / "data" / "bugchecks.csv"
PARAMETERS = ("p1", "p2", "p3", "p4")


def check(rows):
    """One name a code, and all rows of a code in one place."""
    names = {}
    last = None
    for row in rows:
        code = int(row["code"], 16)
        if code in names and code != last:
            sys.exit(f"bugchecks.py: the rows of {row['code']} do not stand together")
        if names.setdefault(code, row["name"]) != row["name"]:
            sys.exit(f"bugchecks.py: {row['code']} has two names")
        last = code


def line(row):
    parameters = ", ".join(literal(row[parameter]) for parameter in PARAMETERS)
    return f"X(0x{int(row['code'], 16):X}, {literal(row['name'])}, {parameters})\n"


def main(output):
    with open(SOURCE, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    check(rows)
    head = ("/* Made from bugchecks.csv by tools/generate/bugchecks.py: code, name, "
            "four parameters. */\n")
    write(output, head + "".join(line(row) for row in rows))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
