#!/usr/bin/env python3
"""Checks of the tree that no general tool knows: limits on lines and functions, the walls and
arrows between folders, words that tests must not use, commands that the README names.

Prints FILE:LINE: what is wrong, and ends with 1 if anything was."""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINE_MAX = 100
FUNCTION_LINES_MAX = 70

# Who may include whom: a folder of emu/ may use those of its own or a lower rank.
RANK = {"base": 0, "net": 1, "rtl": 2, "ke": 2, "ex": 3, "mm": 3, "ob": 3, "ps": 3, "io": 4,
        "nmr": 5, "wsk": 6, "harness": 7}
LEAVES = {"verifier", "trace"}  # small hooks that everyone may call
HOST_HEADERS = re.compile(
    r"(uv|pthread|unistd|dlfcn|execinfo|fcntl|sched|semaphore|signal|time|ucontext|windows|"
    r"winsock2|ws2tcpip|mswsock|netdb|poll|sys/.*|netinet/.*|arpa/.*|net/.*|linux/.*)\.h$")
WAITING = re.compile(
    r"\b(pthread_cond_\w+|uv_cond_\w+|uv_sem_\w+|sem_wait|nanosleep|usleep|uv_sleep|clock_gettime|"
    r"gettimeofday|uv_hrtime)\s*\(")
SLEEPING = re.compile(r"\b(sleep|usleep|nanosleep|Sleep|SleepEx|uv_sleep)\s*\(")
# Words of gcc and clang that Microsoft's compiler lacks; what msvc.h defines for it may be used.
GNU_WORDS = re.compile(
    r"\b(__builtin_\w+|__atomic_\w+|__sync_\w+|__attribute__|__auto_type|__label__|__typeof__|"
    r"typeof|__asm__|asm|__int128)\b")
MSVC_HEADER = ROOT / "include/wdk/detail/msvc.h"
COMPILER_HEADERS = {"compiler.h", "crt.h", "excpt.h", "interlocked.h", "intrin.h", "msvc.h"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")

findings = []


def report(path, line, text):
    findings.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def is_fixture(path):
    """Drivers written oddly on purpose: tests/driver/<name>/<file>."""
    parts = path.relative_to(ROOT).parts
    return parts[:2] == ("tests", "driver") and len(parts) > 3


def tree():
    """Every text file of ours, and no generated or borrowed one."""
    endings = {".c", ".h", ".cpp", ".cmake", ".sh", ".py", ".in", ".map", ".json"}
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if parts[0] in (".git", "build") or "__pycache__" in parts or not path.is_file():
            continue
        if path.suffix in endings or path.name in ("dev", "run", "CMakeLists.txt"):
            if not is_fixture(path):
                yield path


def check_lines(path, lines):
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_MAX and path.suffix != ".json":
            report(path, number, f"{len(line)} columns, at most {LINE_MAX}")
        if "\t" in line:
            report(path, number, "tab")
        if line != line.rstrip():
            report(path, number, "blank at end of line")
        if UNFINISHED.search(line) and path.name != "lint.py":
            report(path, number, "mark of unfinished work")


def check_functions(path, lines):
    """A function's body starts with a brace in the first column and ends with one."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            if line == "}" and number - start - 1 > FUNCTION_LINES_MAX:
                report(path, start, f"function of {number - start - 1} lines, "
                                    f"at most {FUNCTION_LINES_MAX}")
            start = None


def without_comments(text):
    """The code with comments and strings blanked; lines keep their numbers."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def includes(lines):
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1) == "<", match.group(2)


def check_walls(path, lines, code):
    parts = path.relative_to(ROOT / "emu").parts
    host_side = parts[0] == "base" or parts[:2] == ("net", "uv")
    wdk = {header.name for header in (ROOT / "include/wdk").glob("*.h")}
    for number, system, name in includes(lines):
        if system and not host_side and HOST_HEADERS.match(name):
            report(path, number, f"<{name}> outside emu/base and emu/net/uv (wall 1)")
        if host_side and (name in wdk or name.startswith(("wskemu/", "wdk/"))):
            report(path, number, f"<{name}> on the host side (wall 1)")
        check_arrow(path, number, parts[0], name)
    if parts[0] != "base":
        for number, line in enumerate(code, 1):
            if WAITING.search(line):
                report(path, number, "waits or reads a clock outside emu/base (wall 3)")


def check_arrow(path, number, folder, name):
    other = name.split("/")[0]
    if "/" not in name or other not in RANK or folder in LEAVES or folder not in RANK:
        return
    if RANK[other] > RANK[folder]:
        report(path, number, f"{folder} must not know {other}")
    if other == "net" and folder not in ("net", "wsk", "harness"):
        report(path, number, "only wsk and harness know net")


def check_gnu_words(path, lines, code):
    """An attribute may stand below a line that asks whether the compiler is gcc or clang."""
    defined = set(re.findall(r"#define (\w+)", MSVC_HEADER.read_text()))
    asked = {number + 1 for number, line in enumerate(lines, 1)
             if line in ("#if defined(__GNUC__)", "#ifdef __GNUC__")}
    for number, line in enumerate(code, 1):
        for word in GNU_WORDS.findall(line):
            if word not in defined and number not in asked:
                report(path, number, f"{word} outside a compiler header; see {MSVC_HEADER.name}")


def check_c(path, text, lines):
    check_functions(path, lines)
    parts = path.relative_to(ROOT).parts
    code = without_comments(text).splitlines()
    if parts[0] == "emu" and len(parts) > 2:
        check_walls(path, lines, code)
    ours = parts[0] in ("emu", "include", "examples") or parts[:2] == ("tests", "support")
    if ours and "linux" not in parts:
        if parts[0] == "emu" or path.name not in COMPILER_HEADERS:
            check_gnu_words(path, lines, code)
    if parts[0] == "tests":
        for number, line in enumerate(code, 1):
            if SLEEPING.search(line):
                report(path, number, "a test waits for an event, it does not sleep")


def check_readme():
    """Each ./dev task and preset that the README's code blocks name must exist."""
    readme = ROOT / "README.md"
    if not readme.exists():
        return
    tasks = set(re.findall(r"^\./dev (\w+)", (ROOT / "dev").read_text(), re.M))
    presets = {preset["name"] for preset in
               json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}
    inside = False
    for number, line in enumerate(readme.read_text().splitlines(), 1):
        if line.startswith("```"):
            inside = not inside
        for task in re.findall(r"\./dev (\w+)", line) if inside else []:
            if task not in tasks:
                report(readme, number, f"./dev has no task {task}")
        for preset in re.findall(r"--preset[ =](\w+)", line):
            if preset not in presets:
                report(readme, number, f"no preset {preset}")


def main():
    for path in tree():
        text = path.read_text(encoding="utf-8", errors="replace")
        lines = text.split("\n")
        if lines and lines[-1] != "":
            report(path, len(lines), "no newline at end of file")
        check_lines(path, lines)
        if path.suffix in (".c", ".h", ".cpp"):
            check_c(path, text, lines)
    check_readme()
    print("\n".join(findings) if findings else "lint.py: clean")
    return 1 if findings else 0


sys.exit(main())
