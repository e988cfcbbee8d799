#!/usr/bin/env python3
"""Says which documented rules the last test run proved.

usage: rules.py BUILD_DIR [--json] [--clear]

--clear starts a run: it empties BUILD_DIR/rules, and what is older than that is never counted.
A rule counts as proven when a test that passed named it with PROVES(). Rules in
docs/rules/waived.csv have no observable effect; they stand apart and lower the number to prove.

A [C] rule is caught when the verifier named it in a test that proves it, a bad driver's; its good
twin is a test that says STAYS_SILENT() of it, and in which the verifier did not. The groups are
those of docs/rules/groups.csv.
"""

import argparse
import json
import sys
from collections import namedtuple
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "generate"))

from ledger import LEDGERS, LedgerError, read_groups, read_rules, read_waived  # noqa: E402

START = "start"
KINDS = ("M", "C")
FLOOR = "wdm-rules.md without SESS and DV"

Count = namedtuple("Count", "proven waived total")
Shown = namedtuple("Shown", "proofs caught silent")  # each maps a rule's id to tests


def clear(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.rules"):
        file.unlink()
    (folder / START).touch()


def read_proofs(folder, known):
    """What tests showed of rules, each as PROGRAM:TEST."""
    start = folder / START
    oldest = start.stat().st_mtime_ns if start.exists() else 0
    shown = Shown({}, {}, {})
    for file in sorted(folder.glob("*.rules")):
        if file.stat().st_mtime_ns < oldest:
            continue
        program = file.name.split(".")[0]
        for line in file.read_text(encoding="utf-8").splitlines():
            named, _, test = line.partition(" ")
            rule, _, part = named.partition(":")
            if rule not in known:
                raise LedgerError(f"{file.name}: {rule} is no rule")
            for tests in parts_of(shown, part):
                tests.setdefault(rule, set()).add(f"{program}:{test}")
    return Shown(*({rule: sorted(tests) for rule, tests in part.items()} for part in shown))


def parts_of(shown, part):
    if part == "silent":
        return [shown.silent]
    return [shown.proofs, shown.caught] if part == "caught" else [shown.proofs]


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


def twins(rules, shown):
    """How many [C] rules have a bad driver that is caught, a good twin, both, and how many are."""
    ids = [rule.id for rule in rules if rule.kind == "C"]
    bad = sum(rule in shown.caught for rule in ids)
    good = sum(rule in shown.silent for rule in ids)
    both = sum(rule in shown.caught and rule in shown.silent for rule in ids)
    return {"bad": bad, "good": good, "both": both, "total": len(ids)}


def group_state(group, shown):
    return {"title": group.title,
            "no_bad": [rule for rule in group.rules if rule not in shown.caught],
            "no_good": [rule for rule in group.rules if rule not in shown.silent]}


def print_twins(sums, shown):
    print(f"{'[C] rules':<34}   {'bad caught':>14} {'good silent':>14} {'both':>14}   of")
    for name, rules in sums.items():
        counted = twins(rules, shown)
        total = counted["total"] or 1
        columns = " ".join(f"{counted[part]:5} {100.0 * counted[part] / total:6.1f} %"
                           for part in ("bad", "good", "both"))
        print(f"{name:<34}   {columns}   {counted['total']:4}")
    print()


def print_groups(groups_of_rules, shown):
    print("Groups of mistakes:")
    for group in groups_of_rules:
        state = group_state(group, shown)
        done = not state["no_bad"] and not state["no_good"]
        print(f"  {group.number:2} {'complete  ' if done else 'incomplete'} {group.title}")
        if state["no_bad"]:
            print(f"       not caught: {' '.join(state['no_bad'])}")
        if state["no_good"]:
            print(f"       no good twin: {' '.join(state['no_good'])}")
    print()


def as_json(by_prefix, sums, shown, waived, groups_of_rules):
    proofs = shown.proofs

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
        "caught": shown.caught,
        "silent": shown.silent,
        "twins": {name: twins(rules, shown) for name, rules in sums.items()},
        "groups": {group.number: group_state(group, shown) for group in groups_of_rules},
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
    groups_of_rules = read_groups(rules)
    shown = read_proofs(folder, {rule.id for rule in rules})
    by_prefix, sums = groups(rules)
    if arguments.json:
        json.dump(as_json(by_prefix, sums, shown, waived, groups_of_rules), sys.stdout, indent=1)
        print()
        return
    print_table(by_prefix, sums, shown.proofs, waived)
    print_unproven(by_prefix, shown.proofs, waived)
    print()
    print_twins(sums, shown)
    print_groups(groups_of_rules, shown)


if __name__ == "__main__":
    try:
        main()
    except LedgerError as error:
        sys.exit(f"rules: {error}")
