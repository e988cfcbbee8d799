#!/usr/bin/env python3
"""What ./dev bench does besides running the bench.

    bench.py instructions BENCH [--record]   instructions of an operation, against the record
    bench.py picture JSON SVG                the figures of bench --json as a picture

Instructions are counted by callgrind: two runs of different length, so that what a start and an end
cost drops out. Only user code counts, and only the bench's own process."""

import csv
import json
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
from statistics import median

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORD = ROOT / "bench/instructions.csv"
GROWTH_MAX = 1.05
RUNS = 3  # the middle one counts
GROWN_MAX = 1.5  # at 1,000 connections, against 10

# What is counted, and how often in the shorter run; the longer one does twice as much.
COUNTED = {
    "pingpong_callback": 1000, "pingpong_thread": 1000, "send_to": 2000, "send_messages": 3200,
    "receive_from_event": 1280, "accept": 200, "irp": 2000, "spin_lock": 5000, "timer": 2000,
    "dpc": 2000, "pool": 5000, "boot": 10, "growth_10": 2000, "growth_1000": 2000,
}


def count_once(bench, name, operations):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        subprocess.run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}", bench,
                        "--one", name, "wskemu", str(operations)], check=True, timeout=300,
                       stdout=subprocess.DEVNULL)
        return int(re.search(r"^totals: (\d+)", out.read_text(), re.M).group(1))


def count(bench, name):
    operations = COUNTED[name]
    few = median(count_once(bench, name, operations) for _ in range(RUNS))
    many = median(count_once(bench, name, 2 * operations) for _ in range(RUNS))
    return (many - few) / operations


def compiler():
    text = subprocess.run(["gcc", "--version"], check=True, capture_output=True, text=True).stdout
    return f"{text.splitlines()[0]} {platform.machine()}"


def read_record():
    with RECORD.open(newline="") as file:
        rows = list(csv.reader(file))
    return rows[0][1], {name: float(figure) for name, figure in rows[1:]}


def write_record(figures):
    with RECORD.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["compiler", compiler()])
        writer.writerows([name, f"{figure:.1f}"] for name, figure in figures.items())


def instructions(bench, is_recording):
    figures = {name: count(bench, name) for name in COUNTED}
    if is_recording:
        write_record(figures)
    recorded_by, record = read_record()
    is_comparable = recorded_by == compiler()
    bad = 0
    for name, figure in figures.items():
        growth = figure / record[name] if name in record else 1
        is_bad = is_comparable and growth > GROWTH_MAX
        bad += is_bad
        print(f"{name:20} {figure:10.1f} instructions, {growth:5.2f} x the record"
              f"{'  TOO MANY' if is_bad else ''}")
    grown = figures["growth_1000"] / figures["growth_10"]
    bad += grown > GROWN_MAX
    print(f"1,000 connections: {grown:.2f} x the instructions at 10"
          f"{'  TOO MANY' if grown > GROWN_MAX else ''}")
    if not is_comparable:
        print(f"not compared: {RECORD.relative_to(ROOT)} is of {recorded_by}")
    return 1 if bad else 0


# ---- the picture: for each measurement with a counterpart a bar of its ratio ----

ROW = 22
LEFT = 190
WIDTH = 760
SCALE = 200  # pixels of a ratio of 1


def bar(row, measurement):
    sides = measurement["sides"]
    ratio = sides[0]["ratio"]
    top = 50 + row * ROW
    met = all(target["met"] for target in measurement["targets"])
    colour = "#8aa" if not measurement["targets"] else "#5a5" if met else "#d77"
    width = min(ratio, 2.4) * SCALE
    own = sides[-1]
    label = f"{ratio:.2f} ({own['median']:.4g} {measurement['unit']}, {sides[0]['name']} " \
            f"{sides[0]['median']:.4g})"
    return (f'<text x="{LEFT - 8}" y="{top + 14}" text-anchor="end">{measurement["name"]}</text>'
            f'<rect x="{LEFT}" y="{top + 2}" width="{width:.0f}" height="{ROW - 6}" '
            f'fill="{colour}"/><text x="{LEFT + 6}" y="{top + 14}">{label}</text>')


def picture(source, target):
    data = json.loads(pathlib.Path(source).read_text())
    rows = [one for one in data["measurements"] if one["sides"] and "ratio" in one["sides"][0]]
    height = 70 + len(rows) * ROW
    where = "one processor" if data["pinned"] else "all processors"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12">',
        f'<text x="10" y="20" font-size="14">wskemu against its raw counterpart, {where}</text>',
        '<text x="10" y="38">Rates: more is better; times and bytes: less is better. Green: all '
        'targets met; red: not; grey: no target.</text>',
        *(bar(row, one) for row, one in enumerate(rows)),
        f'<line x1="{LEFT + SCALE}" y1="46" x2="{LEFT + SCALE}" y2="{height - 16}" '
        f'stroke="#333" stroke-dasharray="3 3"/>',
        "</svg>"]
    pathlib.Path(target).write_text("\n".join(lines) + "\n")


def main():
    if len(sys.argv) >= 3 and sys.argv[1] == "instructions":
        return instructions(sys.argv[2], "--record" in sys.argv[3:])
    if len(sys.argv) == 4 and sys.argv[1] == "picture":
        return picture(sys.argv[2], sys.argv[3])
    print(__doc__, file=sys.stderr)
    return 2


sys.exit(main())
