#!/usr/bin/env python3
"""Repeats at the end of a long log which tests failed, and the end of what each printed.

usage: failures.py JUNIT_XML...
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

LINES = 40


def failures(file):
    """Yields the name and the output of each test of a report that failed."""
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        if case.get("status") == "fail" or case.find("failure") is not None:
            yield case.get("name"), case.findtext("system-out") or ""


def main():
    for file in map(Path, sys.argv[1:]):
        for name, output in failures(file):
            print(f"\nfailed: {name} ({file.parent.name})")
            print("\n".join("    " + line for line in output.rstrip().splitlines()[-LINES:]))


if __name__ == "__main__":
    main()
