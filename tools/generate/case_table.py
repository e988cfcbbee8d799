#!/usr/bin/env python3
"""Prints emu/rtl/case_table.h: the one-to-one case pairs of 16-bit characters, as ranges.

Only pairs that lead back to themselves count, as in Windows' tables; Georgian and Cherokee, whose
second case is younger than those tables, are left out.
"""

YOUNG = [(0x10D0, 0x10FF), (0x13A0, 0x13FF), (0xAB70, 0xABBF)]


def upper_of(lower):
    for candidate in (chr(lower).upper(), chr(lower).title()):
        if len(candidate) == 1 and candidate != chr(lower) and candidate.lower() == chr(lower):
            return ord(candidate)
    return None


def pairs():
    for lower in range(0x10000):
        if 0xD800 <= lower < 0xE000 or any(first <= lower <= last for first, last in YOUNG):
            continue
        upper = upper_of(lower)
        if upper is not None and upper < 0x10000:
            yield lower, upper


def ranges():
    rows = []
    for lower, upper in pairs():
        if rows:
            first, last, step, delta = rows[-1]
            gap = lower - last
            if upper - lower == delta and gap in (1, 2) and step in (0, gap):
                rows[-1] = (first, lower, gap, delta)
                continue
        rows.append((lower, lower, 0, upper - lower))
    return rows


def main():
    print("/* Made by tools/generate/case_table.py; do not edit. Lower-case characters from first")
    print(" * to last in steps of step, and what is added to get the upper-case one. */")
    print("/* clang-format off */")
    for first, last, step, delta in ranges():
        print(f"{{0x{first:04X}, 0x{last:04X}, {max(step, 1)}, {delta}}},")
    print("/* clang-format on */")


if __name__ == "__main__":
    main()
