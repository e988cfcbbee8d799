#!/usr/bin/env python3
"""What Wine did not run of the tests: wine.py BUILD, after a run of all tests by ctest in BUILD.

Every test function that was skipped has to stand in tests/not_under_wine.csv, with a reason and a
reference, and every one that stands there has to exist and to fail still when it is run, so that
the list can only shrink. Prints the list, and ends with 1 if it is wrong, if a test entry did not
run or if too few tests ran."""

import concurrent.futures
import csv
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = ROOT / "tests/not_under_wine.csv"
RUN_LEAST_PERCENT = 95
SECONDS = 20  # a test that waits longer than that is taken as one that fails
ENTRY = re.compile(r"^\d+/\d+ Testing: (\S+)$", re.M)
FUNCTION = re.compile(r"^\[ +(OK|SKIPPED) +\] ([a-z]\w*)\s*$", re.M)


def results(log):
    """The names of what ran and of what was skipped, both by function where there are some."""
    ran, skipped, idle = set(), set(), set()
    parts = ENTRY.split(log)
    for entry, output in zip(parts[1::2], parts[2::2]):
        functions = FUNCTION.findall(output)
        for result, function in functions:
            (ran if result == "OK" else skipped).add(f"{entry}.{function}")
        if not functions:
            (ran if re.search(r"^Test Passed\.", output, re.M) else idle).add(entry)
    return ran, skipped - ran, idle


def listed():
    with LIST.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return {test: (reason, reference) for test, reason, reference in rows}


def passes(build, test):
    """Whether a listed test passes when it is run all the same, without the list (it may skip
    itself then); None: there is no such test."""
    area_topic, function = test.rsplit(".", 1)
    name = "test_" + area_topic.replace(".", "_") + ".exe"
    program = next(build.glob(f"tests/**/{name}"), None)
    if program is None:
        return None
    wine = shutil.which("wine64", path="/usr/lib/wine:" + os.environ["PATH"]) or "wine"
    environment = {key: value for key, value in os.environ.items() if key != "WSKEMU_SKIP"}
    try:
        done = subprocess.run([wine, program, function], env=environment, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
    except subprocess.TimeoutExpired:
        return False
    if b"no test named" in done.stdout:
        return None
    return done.returncode == 0 and b"[       OK ]" in done.stdout


def findings(build, tests, skipped, idle):
    for test in sorted(skipped - tests.keys()):
        yield f"{test} was skipped and is not in {LIST.relative_to(ROOT)}"
    for entry in sorted(idle):
        yield f"{entry} did not run"
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for test, passed in zip(tests, pool.map(lambda test: passes(build, test), tests)):
            if passed is None:
                yield f"{test} does not exist: take it off {LIST.relative_to(ROOT)}"
            elif passed:
                yield f"{test} passes under Wine: take it off {LIST.relative_to(ROOT)}"


def print_list(tests):
    reasons = {}
    for test, why in tests.items():
        reasons.setdefault(why, []).append(test)
    for (reason, reference), names in reasons.items():
        print(f"  {reason} ({reference}):")
        for name in names:
            print(f"    {name}")


def main():
    build = pathlib.Path(sys.argv[1])
    log = (build / "Testing/Temporary/LastTest.log").read_text(encoding="utf-8", errors="replace")
    ran, skipped, idle = results(log)
    tests = listed()
    percent = 100 * len(ran) / max(1, len(ran) + len(skipped) + len(idle))
    print(f"Under Wine {len(ran)} tests ran, {percent:.1f} %. Those that Wine cannot run:")
    print_list(tests)
    wrong = list(findings(build, tests, skipped, idle))
    if percent < RUN_LEAST_PERCENT:
        wrong.append(f"less than {RUN_LEAST_PERCENT} % of the tests ran")
    for line in wrong:
        print(f"wine.py: {line}")
    return 1 if wrong else 0


sys.exit(main())
