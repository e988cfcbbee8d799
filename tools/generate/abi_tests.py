#!/usr/bin/env python3
"""Makes the sources of the ABI test from tests/data/abi and from what include/wdk declares.

usage: abi_tests.py OUTPUT_DIR

A row whose name our headers declare becomes a check; the others are counted as missing and listed
in OUTPUT_DIR/missing.txt. A missing row that tests/abi/required.csv asks for fails the test.

Written are constants.c, layouts.c, layouts.cpp, prototypes.c (checked by the compiler), and for
tables.c, which runs: bitfields.inc, guids.inc, summary.inc, required.inc. Also order_N.c and
order_N.cpp, each of which includes all headers in an order of its own, and orders.inc, their list.
"""

import csv
import random
import sys
from collections import namedtuple
from fnmatch import fnmatchcase
from pathlib import Path

from declarations import read_headers
from table import literal, write

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "abi"
REQUIRED = ROOT / "tests" / "abi" / "required.csv"
HEADERS = ROOT / "include" / "wdk"

# These lay out their basic part without a name in C and as Basic in C++.
WITH_BASIC = tuple(f"WSK_PROVIDER_{kind}_DISPATCH"
                   for kind in ("LISTEN", "DATAGRAM", "CONNECTION", "STREAM"))
IN_BASIC = ("WskControlSocket", "WskCloseSocket")

# Orders 0 and 1 are by the alphabet and against it, the others are drawn from their number. Headers
# of the C library mix in, as drivers include them.
ORDERS = 5
C_LIBRARY = ("stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h")

HEAD = "/* Made by tools/generate/abi_tests.py. */\n"
NOWHERE = "(not declared)"

# One row of a CSV: the check it became, or None if our headers do not declare its name.
Row = namedtuple("Row", "file header name check only", defaults=(None,))


def rows_of(name):
    with open(DATA / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def constant_rows(headers):
    for row in rows_of("constants"):
        name = row["name"]
        check = f"ABI_CONSTANT({name}, {row['value']}ULL);"
        yield Row("constants", row["header"], name, check if headers.is_constant(name) else None)


def scalar_rows(headers):
    signs = {"signed": "ABI_SIGNED", "unsigned": "ABI_UNSIGNED"}
    for row in rows_of("scalars"):
        name = row["type"]
        check = None
        if headers.is_type(name):
            check = f"ABI_SIZE({name}, {row['size']});"
            if row["kind"] in signs:
                check += f" {signs[row['kind']]}({name});"
        yield Row("scalars", row["header"], name, check)


def struct_header(headers, struct):
    return headers.header_of(struct) if headers.is_struct(struct) else NOWHERE


def has_field(headers, struct, field):
    return headers.is_struct(struct) and headers.has_field(struct, field)


def language_of(struct, field):
    """c or c++ for a field that only one of them names so, else None."""
    if struct not in WITH_BASIC:
        return None
    return "c++" if field == "Basic" else "c" if field in IN_BASIC else None


def layout_rows(headers):
    sized = set()
    for row in rows_of("layouts"):
        struct, field = row["struct"], row["field"]
        name = f"{struct}.{field}"
        header = struct_header(headers, struct)
        if not has_field(headers, struct, field):
            yield Row("layouts", header, name, None)
            continue
        spelling = headers.spelling(struct)
        if int(row["fieldsize"]) == 0:
            check = f"ABI_FLEXIBLE({spelling}, {field}, {row['offset']});"
        else:
            check = f"ABI_FIELD({spelling}, {field}, {row['offset']}, {row['fieldsize']});"
        if struct not in sized:
            sized.add(struct)
            check = f"ABI_SIZE({spelling}, {row['size']});\n{check}"
        yield Row("layouts", header, name, check, language_of(struct, field))


def alignment_rows(headers):
    for row in rows_of("alignments"):
        struct = row["struct"]
        check = None
        if headers.is_struct(struct):
            check = f"ABI_ALIGNMENT({headers.spelling(struct)}, {row['alignment']});"
        yield Row("alignments", struct_header(headers, struct), struct, check)


def bit_field_rows(headers):
    for row in rows_of("bitfields"):
        struct, field = row["struct"], row["field"]
        check = None
        if has_field(headers, struct, field):
            first = 8 * int(row["unit_offset"]) + int(row["bit_offset"])
            check = f"X({headers.spelling(struct)}, {field}, {first}, {row['bit_width']})"
        yield Row("bitfields", struct_header(headers, struct), f"{struct}.{field}", check)


def guid_bytes(text):
    """The 16 bytes of a GUID in memory: the first three parts are little-endian."""
    parts = text.split("-")
    data = b"".join(bytes.fromhex(part)[::-1] for part in parts[:3])
    return data + bytes.fromhex("".join(parts[3:]))


def guid_rows(headers):
    for row in rows_of("guids"):
        name = row["name"]
        numbers = ", ".join(f"0x{byte:02X}" for byte in guid_bytes(row["guid"]))
        check = f"X({name}, {numbers})" if name in headers.names else None
        yield Row("guids", row["header"], name, check)


def prototype_rows(headers):
    for row in rows_of("prototypes"):
        name = row["function_or_callback_type"]
        parameters = row["parameters"].replace("; ", ", ")
        if name not in headers.names:
            check = None
        elif not row["return"]:
            check = f"ABI_SIZE({name}, 8);"
        else:
            if parameters == "(unprototyped)":
                parameters = ""
            if name.startswith(("PFN_", "PIO_")):
                subject, shape = name, "(NTAPI *)"
            else:
                subject, shape = f"__typeof__({name})", "NTAPI"
            check = f"ABI_TYPE({subject}, {row['return']} {shape}({parameters}));"
        yield Row("prototypes", row["header"], name, check)


SOURCES = (constant_rows, scalar_rows, layout_rows, alignment_rows, bit_field_rows, guid_rows,
           prototype_rows)


def check_lines(rows, files, skip):
    """The checks of some CSV files, without those that only the language skip has."""
    return "".join(f"{row.check}\n" for row in rows
                   if row.file in files and row.check is not None and row.only != skip)


def summary_lines(rows):
    counts = {}
    for row in rows:
        count = counts.setdefault((row.file, row.header), [0, 0])
        count[0] += 1
        count[1] += row.check is not None
    return "".join(f"X({literal(file)}, {literal(header)}, {count[0]}, {count[1]})\n"
                   for (file, header), count in counts.items())


def required_missing(rows):
    with open(REQUIRED, newline="", encoding="utf-8") as file:
        wanted = list(csv.DictReader(file))

    def names(what):
        return [row["name"] for row in wanted if row["what"] == what]

    headers, structs, absent = names("header"), names("struct"), names("absent")

    def is_required(row):
        struct = row.name.split(".")[0]
        of_struct = row.file in ("layouts", "alignments", "bitfields")
        if of_struct:
            asked = any(fnmatchcase(struct, pattern) for pattern in structs)
        else:
            asked = row.header in headers
        return asked and not any(fnmatchcase(row.name, pattern) for pattern in absent)

    files = [Row("files", name, name, None) for name in names("file")
             if not (HEADERS / name).exists()]
    return files + [row for row in rows if row.check is None and is_required(row)]


def top_headers():
    """The headers that a driver includes; what differs only in case stands here once. Those that
    only begin or end a packing are part of no order."""
    names = {path.name.lower(): path.name for path in sorted(HEADERS.glob("*.h"))
             if not fnmatchcase(path.name, "pshp*.h") and path.name != "poppack.h"}
    return [names[lower] for lower in sorted(names)]


def in_order(number):
    headers = top_headers()
    if number == 1:
        headers.reverse()
    elif number > 1:
        headers += C_LIBRARY
        random.Random(number).shuffle(headers)
    return "".join(f"#include <{header}>\n" for header in headers)


def order_source(number, language):
    """All headers, then all again; the sizes say that the order made no difference."""
    variable = f"abi_order_{language}_{number}"
    return (f"{in_order(number)}\n{in_order(number)}\n"
            f"EXTERN_C const unsigned {variable}[2];\n"
            f"const unsigned {variable}[2] = {{sizeof(IRP), sizeof(WSK_PROVIDER_DISPATCH)}};\n")


def write_orders(output):
    for number in range(ORDERS):
        write(output / f"order_{number}.c", HEAD + order_source(number, "c"))
        write(output / f"order_{number}.cpp", HEAD + order_source(number, "cpp"))
    write(output / "orders.inc", HEAD + "".join(
        f"X(abi_order_{language}_{number})\n"
        for number in range(ORDERS) for language in ("c", "cpp")))


def write_tables(output, rows):
    prologue = HEAD + '#include "all_headers.h"\n#include "check.h"\n\n'
    write(output / "all_headers.h", HEAD + in_order(0))
    for name, files, skip in (
            ("constants.c", ("constants", "scalars"), "c++"),
            ("layouts.c", ("layouts", "alignments"), "c++"),
            ("layouts.cpp", ("layouts", "alignments", "scalars"), "c"),
            ("prototypes.c", ("prototypes",), "c++")):
        write(output / name, prologue + check_lines(rows, files, skip))
    for name in ("bitfields", "guids"):
        write(output / f"{name}.inc", HEAD + check_lines(rows, (name,), "c++"))


def main(output):
    output = Path(output)
    headers = read_headers(HEADERS)
    rows = [row for source in SOURCES for row in source(headers)]
    write_tables(output, rows)
    write_orders(output)
    write(output / "summary.inc", HEAD + summary_lines(rows))
    write(output / "required.inc", HEAD + "".join(
        f"X({literal(row.file)}, {literal(row.name)})\n" for row in required_missing(rows)))
    write(output / "missing.txt", "".join(
        f"{row.file} {row.header} {row.name}\n" for row in rows if row.check is None))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
