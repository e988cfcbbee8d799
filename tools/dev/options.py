#!/usr/bin/env python3
"""Prints the options of a run, or compares the table in docs/testing.md with them.

usage: options.py [--check | --write]

The one table is emu/verifier/data/options.csv. --check fails if the documentation says something
else; --write puts the table there.
"""

import re
import sys
import textwrap
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "generate"))

from option_list import OptionError, read_options  # noqa: E402

PAGE = ROOT / "docs" / "testing.md"
HEAD = "| variable | values | default | meaning |\n|---|---|---|---|\n"
TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\n)*")


def shown_values(option):
    if option.kind == "choice":
        return ", ".join(f"`{value}`" for value in option.values.split("|"))
    if option.kind == "number":
        return f"{option.lowest} to {option.highest}"
    return option.values


def table(options):
    rows = "".join(f"| `{option.name}` | {shown_values(option)} | {option.default or 'not set'} "
                   f"| {option.meaning} |\n" for option in options if option.kind != "tool")
    return HEAD + rows


def show(options):
    for option in options:
        values = shown_values(option).replace("`", "")
        print(f"{option.name}={option.default or '(not set)'}    [{values}]")
        print(textwrap.fill(option.meaning.replace("`", ""), 92, initial_indent="    ",
                            subsequent_indent="    "))


def main():
    options = read_options()
    if sys.argv[1:] == []:
        show(options)
        return 0
    page = PAGE.read_text(encoding="utf-8")
    found = TABLE.search(page)
    if found is None:
        print("docs/testing.md:1: no table of options")
        return 1
    if sys.argv[1:] == ["--write"]:
        text = page[:found.start()] + table(options) + page[found.end():]
        PAGE.write_text(text, encoding="utf-8", newline="\n")
        return 0
    if found.group() != table(options):
        line = page[:found.start()].count("\n") + 1
        print(f"docs/testing.md:{line}: not the options of options.csv; "
              "run tools/dev/options.py --write")
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--check"], ["--write"]):
        sys.exit(__doc__)
    try:
        sys.exit(main())
    except OptionError as error:
        sys.exit(str(error))
