#!/usr/bin/env python3
"""Makes the table of options from emu/verifier/data/options.csv.

One line an option: X(name without WSKEMU_, kind, values, lowest, highest, default).

usage: options.py OUTPUT
"""

import sys

from option_list import OptionError, read_options
from table import literal, write


def line(option):
    return (f"X({option.name.removeprefix('WSKEMU_')}, OPTION_KIND_{option.kind.upper()}, "
            f"{literal(option.values)}, {option.lowest}, {option.highest}, "
            f"{literal(option.default)})\n")


def main(output):
    try:
        options = read_options()
    except (OptionError, ValueError) as error:
        sys.exit(f"options.py: {error}")
    head = ("/* Made from options.csv by tools/generate/options.py: name, kind, values, lowest, "
            "highest, default. */\n")
    write(output, head + "".join(line(option) for option in options))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
