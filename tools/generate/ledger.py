"""The rule ledgers in docs/rules: what they hold, read once for the generator and for the count."""

import csv
import re
from collections import namedtuple
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "rules"
LEDGERS = ("wdm-rules.md", "wsk-rules.md")

Rule = namedtuple("Rule", "id prefix kind soft text source ledger")

ROW = re.compile(r"^\| ([A-Z][A-Z-]*)-(\d+) \| \[([MCI])\] (.*) \| ([^|]*) \|$")
LOOKS_LIKE_ROW = re.compile(r"^\|\s*[A-Z][A-Z-]*-\d+\s*\|")
SUMMARY = re.compile(r"^\| ([A-Z][A-Z-]*) \| [^|]* \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$")


class LedgerError(Exception):
    """A ledger contradicts itself or cannot be read."""


def plain(markdown):
    return markdown.replace("\\\\", "\\").strip()


def read_ledger(path):
    """Returns (rules, summary); summary maps a prefix to its promised (rows, M, C, I)."""
    rules, summary = [], {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        promised = SUMMARY.match(line)
        if promised:
            summary[promised[1]] = tuple(int(count) for count in promised.groups()[1:])
            continue
        row = ROW.match(line)
        if row:
            soft = row[4].startswith("(soft)")
            text = row[4][len("(soft)"):] if soft else row[4]
            rules.append(Rule(f"{row[1]}-{row[2]}", row[1], row[3], soft, plain(text),
                              plain(row[5]), path.name))
        elif LOOKS_LIKE_ROW.match(line):
            raise LedgerError(f"{path.name}:{number}: a rule that cannot be read: {line[:60]}")
    return rules, summary


def check(rules, summary):
    seen = set()
    counts = {}
    for rule in rules:
        if rule.id in seen:
            raise LedgerError(f"{rule.ledger}: {rule.id} stands there twice")
        seen.add(rule.id)
        count = counts.setdefault(rule.prefix, [0, 0, 0, 0])
        count[0] += 1
        count[1 + "MCI".index(rule.kind)] += 1
    for prefix in sorted(set(counts) | set(summary)):
        found, promised = tuple(counts.get(prefix, ())), summary.get(prefix, ())
        if found != promised:
            raise LedgerError(f"{prefix}: the ledger's table promises {promised}, it holds {found}")


def read_rules(folder=FOLDER):
    """All rules of both ledgers, in their order there."""
    everything, promises = [], {}
    for name in LEDGERS:
        rules, summary = read_ledger(Path(folder) / name)
        everything += rules
        promises.update(summary)
    check(everything, promises)
    return everything


def read_waived(rules, folder=FOLDER):
    """Maps the id of a waived rule to the reason."""
    kinds = {rule.id: rule.kind for rule in rules}
    waived = {}
    with open(Path(folder) / "waived.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["id"] not in kinds:
                raise LedgerError(f"waived.csv: {row['id']} is no rule")
            if row["id"] in waived:
                raise LedgerError(f"waived.csv: {row['id']} stands there twice")
            if not (row["reason"] or "").strip():
                raise LedgerError(f"waived.csv: {row['id']} has no reason")
            waived[row["id"]] = row["reason"].strip()
    return waived


Group = namedtuple("Group", "number title rules")


def read_groups(rules, folder=FOLDER):
    """The groups of mistakes that drivers make most, each with the ids of its rules."""
    known = {rule.id for rule in rules}
    groups = []
    with open(Path(folder) / "groups.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            ids = row["rules"].split()
            unknown = [rule for rule in ids if rule not in known]
            if unknown or not ids:
                raise LedgerError(f"groups.csv: group {row['group']}: no rules {unknown}")
            groups.append(Group(int(row["group"]), row["title"], ids))
    return groups


def read_advice(rules, folder=FOLDER):
    """Maps the id of a rule to what a driver should do instead of breaking it."""
    known = {rule.id for rule in rules}
    advice = {}
    with open(Path(folder) / "advice.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["id"] not in known:
                raise LedgerError(f"advice.csv: {row['id']} is no rule")
            if row["id"] in advice:
                raise LedgerError(f"advice.csv: {row['id']} stands there twice")
            if not (row["advice"] or "").strip():
                raise LedgerError(f"advice.csv: {row['id']} has no advice")
            advice[row["id"]] = row["advice"].strip()
    return advice
