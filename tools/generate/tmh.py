#!/usr/bin/env python3
"""Makes a trace message header (name.tmh) for a driver's source.

It holds one macro for each trace function. The functions are those that the sources, and the
headers they include, name in their tracing configuration:

    // begin_wpp config
    // FUNC TraceEvents(LEVEL, FLAGS, MSG, ...);
    // FUNC TraceError{LEVEL=TRACE_LEVEL_ERROR}(FLAGS, MSG, ...);
    // USEPREFIX(TraceError, "%!FUNC!: ");
    // USESUFFIX(TraceError, " (error)");
    // end_wpp

and DoTraceMessage and TraceEvents, which need no configuration. A call prints its message if the
condition of its parameters holds: WPP_LEVEL_FLAGS_ENABLED(LEVEL, FLAGS) for the first one above.
"""

import argparse
import re
import sys
from pathlib import Path

BLOCK = re.compile(r"begin_wpp\s+config(.*?)end_wpp", re.DOTALL)
FUNCTION = re.compile(r"FUNC\s+(\w+)\s*(?:\{([^}]*)\})?\s*\(([^)]*)\)")
AFFIX = re.compile(r"USE(PREFIX|SUFFIX)\s*\(\s*(\w+)\s*,\s*(\"(?:[^\"\\]|\\.)*\")\s*([^)]*)\)")
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*[\"<]([^\">]+)[\">]", re.MULTILINE)
EMPTY = '""'
DEFAULTS = ("FUNC DoTraceMessage(LEVEL, MSG, ...)", "FUNC TraceEvents(LEVEL, FLAGS, MSG, ...)")


class Function:
    """A trace function as its configuration declares it."""

    def __init__(self, name, fixed, parameters):
        self.name = name
        self.fixed = fixed  # [(condition, value)], from the braces
        self.parameters = parameters
        self.prefix = []  # [(literal, [argument])]
        self.suffix = []

    @property
    def conditions(self):
        """What the condition's name and arguments are made of."""
        own = [(name, name) for name in self.parameters if name not in ("MSG", "...")]
        return self.fixed + own

    def value(self, *names):
        """The text of the first condition of these names, as a string literal."""
        for name, value in self.conditions:
            if name in names:
                return f"#{value}" if value in self.parameters else f'"{value}"'
        return '""'


def split(text):
    return [part.strip() for part in text.split(",") if part.strip()]


def parse_function(text):
    """A Function, or None where text declares none."""
    match = FUNCTION.search(text)
    if match is None:
        return None
    name, braces, parameters = match.groups()
    fixed = [tuple(part.strip() for part in pair.split("=", 1)) for pair in split(braces or "")
             if "=" in pair]
    return Function(name, fixed, split(parameters))


def parse_block(text, functions):
    text = re.sub(r"^[ \t]*(//+|\*+(?!/))", "", text, flags=re.MULTILINE)
    for match in FUNCTION.finditer(text):
        function = parse_function(match.group(0))
        functions[function.name] = function
    for kind, name, literal, arguments in AFFIX.findall(text):
        if name in functions:
            affix = functions[name].prefix if kind == "PREFIX" else functions[name].suffix
            affix.append((literal, split(arguments)))


def read(path):
    return path.read_bytes().decode("latin-1").replace("\r\n", "\n")


def find(name, folders):
    name = name.replace("\\", "/")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    return None


def all_files(sources, folders):
    """The sources, and what they include from their own folders and the given ones, once each."""
    seen = []
    waiting = list(reversed(sources))
    while waiting:
        path = waiting.pop()
        if path.resolve() in seen:
            continue
        seen.append(path.resolve())
        for name in INCLUDE.findall(read(path)):
            included = find(name, [path.parent, *folders])
            if included is not None:
                waiting.append(included)
    return seen


def macro_name(function, kind):
    names = "_".join(name for name, _ in function.conditions)
    return f"WPP_{names}_{kind}" if names else f"WPP_{kind}"


def guarded(name, parameters, body):
    """A macro that the driver may have defined itself."""
    line = f"#define {name}({', '.join(parameters)}) {body}".rstrip()
    return f"#ifndef {name}\n{line}\n#endif\n"


def default_condition(function):
    """The condition of a function whose own one nobody defined."""
    names = [name for name, _ in function.conditions]
    flags = next((name for name in names if name in ("FLAGS", "FLAG")), None)
    if flags and "LEVEL" in names:
        return f"WPP_LEVEL_FLAGS_ENABLED(LEVEL, {flags})"
    if flags:
        return f"WPP_LEVEL_ENABLED({flags})"
    return "WPP_ENABLED()"


def guards(function):
    """The condition of a function and what stands around its calls, unless the driver has them."""
    names = [name for name, _ in function.conditions]
    return [guarded(macro_name(function, "ENABLED"), names, default_condition(function)),
            guarded(macro_name(function, "PRE"), names, ""),
            guarded(macro_name(function, "POST"), names, "")]


def call(function):
    """The call that prints a function's message."""
    message = [literal for literal, _ in function.prefix]
    message += ["MSG"] if "MSG" in function.parameters else []
    message += [literal for literal, _ in function.suffix]
    arguments = [function.value("LEVEL"), function.value("FLAGS", "FLAG"),
                 " ".join(message) or EMPTY]
    arguments += [argument for _, listed in function.prefix for argument in listed]
    arguments += ["##__VA_ARGS__"] if "..." in function.parameters else []
    arguments += [argument for _, listed in function.suffix for argument in listed]
    return f"wskemu_wpp_trace(__FILE__, __LINE__, __func__, {', '.join(arguments)})"


def macro(function):
    """The definition of a function's macro."""
    values = ", ".join(value for _, value in function.conditions)
    enabled, pre, post = (f"{macro_name(function, kind)}({values})"
                          for kind in ("ENABLED", "PRE", "POST"))
    return (f"#undef {function.name}\n"
            f"#define {function.name}({', '.join(function.parameters)}) \\\n"
            f"    {pre} \\\n"
            f"    ((void)(({enabled}) ? ({call(function)}, 1) : 0)) \\\n"
            f"    {post}\n")


def generate(paths, folders, declared):
    functions = {}
    for text in (*DEFAULTS, *declared):
        function = parse_function(text if text.startswith("FUNC") else f"FUNC {text}")
        if function is None:
            sys.exit(f"tmh.py: not a trace function: {text}")
        functions[function.name] = function
    for path in all_files(paths, folders):
        for block in BLOCK.findall(read(path)):
            parse_block(block, functions)
    head = "/* Made by tmh.py: the driver's trace functions. */\n#include <detail/wpp.h>\n\n"
    needed = dict.fromkeys(guard for function in functions.values() for guard in guards(function))
    return head + "\n".join([*needed, *(macro(function) for function in functions.values())])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("-I", "--include", action="append", default=[], type=Path,
                        help="a folder in which to look for headers")
    parser.add_argument("--func", action="append", default=[],
                        help="another trace function, as in a project file")
    parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE")
    options = parser.parse_args()
    text = generate(options.sources, options.include, options.func)
    if not options.output.is_file() or options.output.read_text(encoding="latin-1") != text:
        options.output.write_text(text, encoding="latin-1")
    else:
        options.output.touch()


if __name__ == "__main__":
    main()
