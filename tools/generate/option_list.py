"""The table of options, emu/verifier/data/options.csv, for the generator and for ./dev."""

import csv
import re
from collections import namedtuple
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "emu" / "verifier" / "data" / "options.csv"
KINDS = ("choice", "number", "seed", "text", "tool")

Option = namedtuple("Option", "name kind values default meaning lowest highest")


class OptionError(Exception):
    """The table of options contradicts itself."""


def read_options(path=SOURCE):
    options = []
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            options.append(read_option(row))
    names = [option.name for option in options]
    if len(set(names)) != len(names):
        raise OptionError("options.csv: an option stands there twice")
    return options


def read_option(row):
    name, kind, values = row["name"], row["kind"], row["values"]
    lowest = highest = 0
    if not re.fullmatch(r"WSKEMU_[A-Z_]+", name) or kind not in KINDS or not row["meaning"]:
        raise OptionError(f"options.csv: {name}: not a name, a kind and a meaning")
    if kind == "number":
        lowest, highest = (int(number) for number in values.split("-"))
        if not lowest <= int(row["default"]) <= highest:
            raise OptionError(f"options.csv: {name}: the default is no possible value")
    if kind == "choice" and row["default"] not in values.split("|"):
        raise OptionError(f"options.csv: {name}: the default is no possible value")
    return Option(name, kind, values, row["default"], row["meaning"], lowest, highest)
