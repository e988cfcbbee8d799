#!/usr/bin/env python3
"""Makes, from the names that the kernel's object files define: the table by which
MmGetSystemRoutineAddress finds routines and variables; a hook point for each function that a driver
may call; and the list by which objcopy leads a driver's calls there.

usage: routines.py NM OUTPUT NAMES OBJECT...

A hook point is one jump by way of a slot, which holds the function itself until somebody puts
something else there (emu/harness/hook.c).
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


def functions(nm, objects):
    """The functions that begin as Windows' names do, in the order of strcmp."""
    listing = subprocess.run([nm, "-g", *objects], check=True, capture_output=True, text=True)
    fields = (line.split() for line in listing.stdout.splitlines())
    return sorted({each[2] for each in fields
                   if len(each) == 3 and each[1] == "T" and re.fullmatch(r"[A-Z]\w+", each[2])})


JUMP = """
#define HOOK_POINT(name, number)                                                                 \\
    __asm__(".text\\n" TYPE(name) ".globl wskemu_hook_" #name "\\n"                              \\
            "wskemu_hook_" #name ": jmp *mm_hook_slots + 8 * " #number "(%rip)\\n")
"""

TYPE = """
#if defined(_WIN32)
#define TYPE(name) ".def wskemu_hook_" #name "; .scl 2; .type 32; .endef\\n"
#else
#define TYPE(name) ".type wskemu_hook_" #name ", @function\\n"
#endif
"""


def hook_points(names):
    """C text: the slots, the jumps, and the table of both; Microsoft's compiler has none."""
    yield "\n#if defined(__GNUC__)\n"
    yield TYPE + JUMP
    yield "\n#if !defined(_WIN32)\n__attribute__((visibility(\"hidden\")))\n#endif\n"
    yield "void *_Atomic mm_hook_slots[] = {\n"
    yield from (f"    {name},\n" for name in names)
    yield "};\n\n"
    yield from (f"HOOK_POINT({name}, {number});\nextern char wskemu_hook_{name}[];\n"
                for number, name in enumerate(names))
    yield "\nconst struct mm_hook_point mm_hook_points[] = {\n"
    yield from (f'    {{"{name}", {name}, wskemu_hook_{name}}},\n' for name in names)
    yield ("};\nconst size_t mm_hook_point_count = "
           "sizeof(mm_hook_points) / sizeof(mm_hook_points[0]);\n")
    yield "#else\nvoid *_Atomic mm_hook_slots[1];\n"
    yield "const struct mm_hook_point mm_hook_points[1];\nconst size_t mm_hook_point_count = 0;\n"
    yield "#endif\n"


def main(nm, output, name_list, *objects):
    names = defined(nm, objects)
    hooked = functions(nm, objects)
    lines = ["/* Made by tools/generate/routines.py: routines in the order of their names. */\n",
             '#include "mm/hook_point.h"\n#include "mm/routine.h"\n\n']
    declared = sorted({link_name for _, link_name in names} | set(hooked))
    lines += [f"extern char {link_name}[];\n" for link_name in declared]
    lines.append("\nconst struct mm_routine mm_routines[] = {\n")
    lines += [f'    {{"{name}", {link_name}}},\n' for name, link_name in names]
    lines.append("};\n\nconst size_t mm_routine_count = "
                 "sizeof(mm_routines) / sizeof(mm_routines[0]);\n")
    lines += hook_points(hooked)
    write(name_list, "".join(f"{name} wskemu_hook_{name}\n" for name in hooked))
    write(output, "".join(lines))


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
