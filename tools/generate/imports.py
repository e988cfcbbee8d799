#!/usr/bin/env python3
"""Makes the import pointers of a driver that was compiled for a kernel in another image: for each
undefined __imp_NAME of its object files a variable that points to our NAME. A linker makes these
itself from an import library, but not where the kernel is linked statically.

usage: imports.py NM HEADERS OUTPUT OBJECT...

HEADERS is include/wdk, which says of some names that they have another one for the linker.
"""

import re
import subprocess
import sys
from pathlib import Path

from table import write

RENAMED = re.compile(r'WDK_KERNEL_LINK_NAME\("(\w+)"\)')
PREFIX = "__imp_"


def imported(nm, objects):
    listing = subprocess.run([nm, "-u", *objects], check=True, capture_output=True, text=True)
    names = {line.split()[-1] for line in listing.stdout.splitlines() if PREFIX in line}
    return sorted(name.removeprefix(PREFIX) for name in names)


def main(nm, headers, output, *objects):
    renamed = set()
    for path in Path(headers).rglob("*.h"):
        renamed.update(RENAMED.findall(path.read_text(encoding="utf-8")))
    lines = ["/* Made by tools/generate/imports.py. */\n"]
    for name in imported(nm, objects):
        link_name = f"wskemu_{name}" if name in renamed else name
        lines.append(f'extern char of_{name}[] __asm__("{link_name}");\n'
                     f"void *const {PREFIX}{name} = of_{name};\n")
    write(output, "".join(lines))


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
