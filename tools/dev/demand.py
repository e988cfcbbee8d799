#!/usr/bin/env python3
"""Checks docs/api-demand.md: everything in sections 1 to 6 of the survey tests/data/api-demand.md
stands there once and in its section, with at least one test, and every test named there exists.

Prints FILE:LINE: what is wrong, and ends with 1 if anything was."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SURVEY = ROOT / "tests" / "data" / "api-demand.md"
PAGE = ROOT / "docs" / "api-demand.md"

HEADING = re.compile(r"#{2,3} (\d+[ab]?)\. ")
SECTIONS = {"1", "2", "3", "4", "5", "5a", "5b", "6"}
TEST = re.compile(r"`([a-z]+/\w+\.c):(\w+)`")


def rows(path, pattern):
    """(section, demand, line number, line) of each row of the sections that count."""
    section = None
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        heading = HEADING.match(line)
        if heading:
            # "### 1.1" is a part of section 1.
            section = heading[1]
        row = pattern.match(line)
        if row and section in SECTIONS and row[1] != "demand" and \
                (section == "1") == row[1].isdigit():
            yield section, row[1], number, line


def is_test(path, function):
    text = (ROOT / "tests" / path).read_text(encoding="utf-8")
    return re.search(rf"^static void {function}\(void \*\*state\)", text, re.MULTILINE)


def wrong_tests(line):
    tests = TEST.findall(line)
    if not tests:
        yield "no test is named"
    for path, function in tests:
        if not (ROOT / "tests" / path).is_file():
            yield f"there is no tests/{path}"
        elif not is_test(path, function):
            yield f"tests/{path} has no test {function}"


def main():
    demanded = {(section, name) for section, name, _, _ in
                rows(SURVEY, re.compile(r"(?:\| `)?((?<=`)[^`]+(?=`)|\d+(?=\. ))"))}
    listed = set()
    findings = []
    for section, name, number, line in rows(PAGE, re.compile(r"\| `?([^`|]+?)`? \|")):
        if (section, name) in listed:
            findings.append(f"{number}: {name} stands twice in section {section}")
        elif (section, name) not in demanded:
            findings.append(f"{number}: the survey has no {name} in section {section}")
        listed.add((section, name))
        findings += [f"{number}: {what}" for what in wrong_tests(line)]
    findings += [f"1: {name} of section {section} is missing"
                 for section, name in sorted(demanded - listed)]
    print("\n".join(f"{PAGE.relative_to(ROOT)}:{finding}" for finding in findings)
          or f"demand.py: {len(listed)} demands, each with a test")
    return 1 if findings else 0


sys.exit(main())
