#!/usr/bin/env python3
"""Makes the test that include/wdk and the library have what drivers ask for.

usage: demand.py HEADERS.i OUTPUT_DIR

HEADERS.i is all headers, preprocessed with their macros kept (cc -E -dD).
tests/data/api-demand.md lists the names; those of sections 7 to 20 and 24 with a core of at least 1
are demanded, unless tests/abi/demand.csv excuses them. Written are demand.c, which uses each name
as what it is (and which therefore neither compiles nor links without it) and takes the address of
each function that the headers declare; and for tests/abi/demand.c: demanded.inc, undeclared.inc
(what no header declares) and stopping.inc (functions that only stop with a bug check).
"""

import csv
import re
import sys
from collections import namedtuple
from pathlib import Path

from declarations import COMMENT, NAME, STRING, Declarations, closing, tokens_of
from table import literal, write

ROOT = Path(__file__).resolve().parents[2]
DEMAND = ROOT / "tests" / "data" / "api-demand.md"
KNOWN = ROOT / "tests" / "abi" / "demand.csv"
WDK = str(ROOT / "include" / "wdk")
SOURCES = ROOT / "emu"

SECTIONS = {*range(7, 21), 24}
HEADING = re.compile(r"## (\d+)\. ")
ENTRY = re.compile(r"`([^`]+)`(?: (\d+)/(\d+))?")
STOPPING = re.compile(r"MISSING\([^,()]+, *(\w+),|(\w+)\([^()]*\)\s*\{\s*ke_not_implemented\(")
MARKER = re.compile(r'^# \d+ "([^"]*)".*$', re.MULTILINE)
DIRECTIVE = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
# What stands with parentheses in a prototype and is not its name.
DECORATIONS = ("__attribute__", "__asm__", "__declspec", "_Alignas", "_Static_assert", "__typeof__")

HEAD = "/* Made by tools/generate/demand.py. */\n"

Demand = namedtuple("Demand", "name core")


def demands():
    section, found = 0, {}
    for line in DEMAND.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = HEADING.match(line)
            section = int(heading[1]) if heading else 0
        cells = [cell.strip() for cell in line.split("|")]
        if section not in SECTIONS or len(cells) < 5 or not cells[2].isdigit():
            continue
        for name, core, _ in ENTRY.findall(cells[1]):
            found[name] = max(int(core or cells[2]), found.get(name, 0))
    return [Demand(name, core) for name, core in found.items() if core >= 1]


def known_names():
    with open(KNOWN, newline="", encoding="utf-8") as file:
        return {row["name"]: row["what"] for row in csv.DictReader(file)}


def stopping_functions():
    """Functions of the kernel that stop with a bug check that names them."""
    found = set()
    for path in SOURCES.rglob("*.c"):
        for macro, function in STOPPING.findall(path.read_text(encoding="utf-8")):
            found.add(macro or function)
    return found


def own_text(preprocessed):
    """What of it stands in headers of include/wdk."""
    parts = MARKER.split(preprocessed)
    return "".join(text for file, text in zip(parts[1::2], parts[2::2])
                   if str(Path(file).resolve()).startswith(WDK))


def function_of(statement):
    """The name of the function that a statement declares, or None."""
    words = []
    index = 0
    while index < len(statement):
        if statement[index] in DECORATIONS and statement[index + 1:index + 2] == ["("]:
            index = closing(statement, index + 1)
        else:
            words.append(statement[index])
        index += 1
    if "(" not in words or words[0] in ("typedef", "static") or "=" in words or "{" in words:
        return None
    at = words.index("(")
    if words[at + 2:at + 4] == [")", "("]:  # VOID(name)(parameters)
        return words[at + 1]
    return words[at - 1] if at > 0 and NAME.match(words[at - 1]) else None


def declared_functions(text):
    """Names of the functions that the text declares and does not define."""
    tokens = tokens_of(STRING.sub(" ", COMMENT.sub(" ", DIRECTIVE.sub(" ", text))))
    found, start, index = set(), 0, 0
    while index < len(tokens):
        if tokens[index] in "([{":
            is_body = tokens[index] == "{" and tokens[index - 1] == ")"
            index = closing(tokens, index)
            if is_body:
                start = index + 1
        elif tokens[index] == ";":
            found.add(function_of(tokens[start:index]))
            start = index + 1
        index += 1
    return sorted(found - {None})


def what_is(name, headers, known):
    if name in known:
        return known[name]
    if name in headers.macros:
        return "macro"
    if name in headers.typedefs or name in headers.tags:
        return "type"
    if name in headers.enumerators:
        return "constant"
    return "function" if name in headers.names else "undeclared"


def use_of(name, what, headers):
    """C that needs the name."""
    if what == "macro":
        return f"#ifndef {name}\n#error {name} is not defined\n#endif\n"
    if what == "type":
        spelling = name if name in headers.typedefs else f"struct {name}"
        return f"extern {spelling} *demand_{name};\n"
    if what == "constant":
        return f"extern char demand_{name}[({name}) == ({name}) ? 1 : -1];\n"
    if what == "linked":
        return f"extern char {name}[];\n"
    return ""


def source(demanded, functions, headers, known):
    whats = {name: what_is(name, headers, known) for name in demanded}
    uses = "".join(use_of(name, what, headers) for name, what in whats.items())
    linked = sorted({*functions} | {name for name, what in whats.items()
                                    if what in ("function", "linked")})
    addresses = "".join(f"    {{{literal(name)}, (uintptr_t)(&{name})}},\n" for name in linked)
    return (f'{HEAD}#include "demand.h"\n\n{uses}\nconst struct demand_address '
            f"demand_addresses[] = {{\n{addresses}}};\n\nconst size_t demand_address_count = "
            "sizeof(demand_addresses) / sizeof(demand_addresses[0]);\n")


def rows(names):
    return HEAD + "".join(f"X({literal(name)})\n" for name in names)


def main(preprocessed, output):
    output, known, stopping = Path(output), known_names(), stopping_functions()
    headers = Declarations()
    headers.read(Path(preprocessed), "")
    text = Path(preprocessed).read_text(encoding="utf-8", errors="replace")
    functions = declared_functions(own_text(text))
    listed = [demand for demand in demands() if known.get(demand.name) != "excused"]
    undeclared = [name for name, _ in listed if what_is(name, headers, known) == "undeclared"]
    demanded = [name for name, _ in listed if name not in undeclared]
    write(output / "demand.c", source(demanded, functions, headers, known))
    write(output / "demanded.inc", rows(demanded))
    write(output / "undeclared.inc", rows(undeclared))
    write(output / "stopping.inc", HEAD + "".join(
        f"X({literal(name)}, {core})\n" for name, core in listed if name in stopping))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
