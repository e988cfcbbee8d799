#!/usr/bin/env python3
"""Checks that every rule that the emulator speaks of has an advice in docs/rules/advice.csv.

A rule is spoken of where emu/ names its id in a string."""

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "generate"))

from ledger import LedgerError, read_advice, read_rules  # noqa: E402

ID = re.compile(r'"([A-Z][A-Z-]*-\d+)"')


def spoken_of():
    """Maps each id to the first place that names it, FILE:LINE."""
    places = {}
    for path in sorted((ROOT / "emu").rglob("*.c")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for rule in ID.findall(line):
                places.setdefault(rule, f"{path.relative_to(ROOT)}:{number}")
    return places


def main():
    rules = read_rules()
    kinds = {rule.id: rule.kind for rule in rules}
    advice = read_advice(rules)
    findings = []
    for rule, place in spoken_of().items():
        if rule not in kinds:
            findings.append(f"{place}: {rule} is no rule of docs/rules")
        elif kinds[rule] == "C" and rule not in advice:
            findings.append(f"{place}: {rule} has no advice in docs/rules/advice.csv")
    print("\n".join(findings) if findings else "advice.py: clean")
    return 1 if findings else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LedgerError as error:
        sys.exit(f"advice.py: {error}")
