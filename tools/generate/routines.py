#!/usr/bin/env python3
"""Makes the table by which MmGetSystemRoutineAddress finds routines and variables of the kernel,
from the names that its object files define.

usage: routines.py NM OUTPUT OBJECT...
"""

import re
import subprocess
import sys

from table import write

# What ntoskrnl.exe and hal.dll export; the network's libraries are not asked.
NAME = re.compile(r"(Cm|Dbg|Etw|Ex|Exf|Io|Iof|Ke|Kf|Mm|Ob|Obf|Po|Probe|Ps|Rtl|Se|Ver|Zw)[A-Z]\w*")
KINDS = set("TWDBRV")


def defined(nm, objects):
    """The names that Windows exports and the object files define, with the names that these have
    for the linker, in the order of strcmp."""
    listing = subprocess.run([nm, "-g", *objects], check=True, capture_output=True, text=True)
    names = {}
    for line in listing.stdout.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in KINDS:
            name = fields[2].removeprefix("wskemu_")
            if NAME.fullmatch(name):
                names[name] = fields[2]
    return sorted(names.items())


def main(nm, output, *objects):
    names = defined(nm, objects)
    lines = ["/* Made by tools/generate/routines.py: routines in the order of their names. */\n",
             '#include "mm/routine.h"\n\n']
    lines += [f"extern char {link_name}[];\n" for _, link_name in names]
    lines.append("\nconst struct mm_routine mm_routines[] = {\n")
    lines += [f'    {{"{name}", {link_name}}},\n' for name, link_name in names]
    lines.append("};\n\nconst size_t mm_routine_count = "
                 "sizeof(mm_routines) / sizeof(mm_routines[0]);\n")
    write(output, "".join(lines))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
