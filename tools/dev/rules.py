#!/usr/bin/env python3
"""Says which documented rules the last test run proved.

usage: rules.py BUILD_DIR [--json] [--clear]

--clear starts a run: it empties BUILD_DIR/rules, and what is older than that is never counted.
A rule counts as proven when a test that passed named it. Rules in docs/rules/waived.csv have no
observable effect; they stand apart and lower the number to prove.
"""

import argparse
import json
import sys
from collections import namedtuple
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "generate"))

from ledger import LEDGERS, LedgerError, read_rules, read_waived  # noqa: E402

START = "start"
KINDS = ("M", "C")
FLOOR = "wdm-rules.md without SESS and DV"

Count = namedtuple("Count", "proven waived total")


def clear(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.rules"):
        file.unlink()
    (folder / START).touch()


def read_proofs(folder, known):
    """Maps a rule's id to the sorted tests that proved it, as PROGRAM:TEST."""
    start = folder / START
    oldest = start.stat().st_mtime_ns if start.exists() else 0
    proofs = {}
    for file in sorted(folder.glob("*.rules")):
        if file.stat().st_mtime_ns < oldest:
            continue
        program = file.name.split(".")[0]
        for line in file.read_text(encoding="utf-8").splitlines():
            rule, _, test = line.partition(" ")
            if rule not in known:
                raise LedgerError(f"{file.name}: {rule} is no rule")
            proofs.setdefault(rule, set()).add(f"{program}:{test}")
    return {rule: sorted(tests) for rule, tests in proofs.items()}


def count(rules, kind, proofs, waived):
    rules = [rule for rule in rules if rule.kind == kind]
    proven = sum(rule.id in proofs for rule in rules)
    return Count(proven, sum(rule.id in waived and rule.id not in proofs for rule in rules),
                 len(rules))


def counts(rules, proofs, waived):
    return {kind: count(rules, kind, proofs, waived) for kind in KINDS}


def groups(rules):
    """The lines of the table: every prefix in its order, then the sums."""
    by_prefix = {}
    for rule in rules:
        by_prefix.setdefault(rule.prefix, []).append(rule)
    sums = {name: [rule for rule in rules if rule.ledger == name] for name in LEDGERS}
    sums[FLOOR] = [rule for rule in sums[LEDGERS[0]] if rule.prefix not in ("SESS", "DV")]
    sums["all"] = rules
    return by_prefix, sums


def percent(counted):
    provable = counted.total - counted.waived
    return 100.0 * counted.proven / provable if provable else 100.0


def table_line(name, both):
    columns = [f"{name:<34}"]
    for kind in KINDS:
        counted = both[kind]
        columns.append(f"{counted.proven:5} of {counted.total - counted.waived:4}"
                       f" {percent(counted):5.1f} % {counted.waived:6}")
    return "   ".join(columns)


def print_table(by_prefix, sums, proofs, waived):
    columns = "   ".join(f"[{kind}] proven of   share waived" for kind in KINDS)
    print(f"{'':<34}   {columns}")
    for chapter in (by_prefix, sums):
        for name, rules in chapter.items():
            print(table_line(name, counts(rules, proofs, waived)))
        print()


def print_unproven(by_prefix, proofs, waived):
    print("Not proven:")
    for prefix, rules in by_prefix.items():
        for kind in KINDS:
            ids = [rule.id[len(prefix) + 1:] for rule in rules
                   if rule.kind == kind and rule.id not in proofs and rule.id not in waived]
            if ids:
                print(f"  {prefix} [{kind}]: {' '.join(ids)}")


def as_json(by_prefix, sums, proofs, waived):
    def numbers(rules):
        return {kind: dict(counted._asdict(), percent=round(percent(counted), 1))
                for kind, counted in counts(rules, proofs, waived).items()}

    everything = [rule for rule in sums["all"] if rule.kind in KINDS]
    return {
        "prefixes": {name: numbers(rules) for name, rules in by_prefix.items()},
        "totals": {name: numbers(rules) for name, rules in sums.items()},
        "proven": proofs,
        "waived": waived,
        "unproven": [rule.id for rule in everything
                     if rule.id not in proofs and rule.id not in waived],
    }


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--clear", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.build / "rules"
    if arguments.clear:
        clear(folder)
        return
    rules = read_rules()
    waived = read_waived(rules)
    proofs = read_proofs(folder, {rule.id for rule in rules})
    by_prefix, sums = groups(rules)
    if arguments.json:
        json.dump(as_json(by_prefix, sums, proofs, waived), sys.stdout, indent=1)
        print()
        return
    print_table(by_prefix, sums, proofs, waived)
    print_unproven(by_prefix, proofs, waived)


if __name__ == "__main__":
    try:
        main()
    except LedgerError as error:
        sys.exit(f"rules: {error}")
