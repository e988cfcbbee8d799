#!/usr/bin/env python3
"""Makes the table of status names from include/wdk/ntstatus.h.

One line a value, in order of value: X(0xC0000001, "STATUS_UNSUCCESSFUL"). Where a value has several
names, the first one of the header stands for it.

usage: status_names.py OUTPUT
"""

import re
import sys
from pathlib import Path

from table import literal, write

SOURCE = Path(__file__).resolve().parents[2] / "include" / "wdk" / "ntstatus.h"
DEFINITION = re.compile(r"^#define\s+(\w+)\s+\(\(NTSTATUS\)0x([0-9A-Fa-f]{1,8})L?\)", re.MULTILINE)


def main(output):
    names = {}
    for name, value in DEFINITION.findall(SOURCE.read_text(encoding="utf-8")):
        names.setdefault(int(value, 16), name)
    head = "/* Made from ntstatus.h by tools/generate/status_names.py: value, name. */\n"
    rows = (f"X(0x{value:08X}, {literal(names[value])})\n" for value in sorted(names))
    write(output, head + "".join(rows))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
