"""What the headers of a folder declare, by name.

A scanner, not a compiler: it knows macros, enumerators, typedef names and the names inside of each
struct, and takes every branch of every #if. It only decides whether a check is worth writing;
whether the check holds is the compiler's to say.
"""

import re
from pathlib import Path

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(\([^)]*\))?(.*)$", re.MULTILINE)
DIRECTIVE = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
TOKEN = re.compile(r"[A-Za-z_]\w*|\d\w*|[^\s\w]")
NAME = re.compile(r"[A-Za-z_]\w*$")

OPENING = {"(": ")", "[": "]", "{": "}"}


def tokens_of(text):
    return TOKEN.findall(text)


def closing(tokens, at):
    """Index of the bracket that closes the one at index at."""
    depth = 0
    for index in range(at, len(tokens)):
        if tokens[index] in OPENING:
            depth += 1
        elif tokens[index] in OPENING.values():
            depth -= 1
            if depth == 0:
                return index
    return len(tokens) - 1


def outer_names(tokens):
    """Names that stand outside of all brackets."""
    names, index = [], 0
    while index < len(tokens):
        if tokens[index] in OPENING:
            index = closing(tokens, index)
        elif NAME.match(tokens[index]):
            names.append(tokens[index])
        index += 1
    return names


class Declarations:
    def __init__(self):
        self.macros = {}       # name: tokens of its replacement
        self.enumerators = set()
        self.typedefs = set()
        self.tags = set()
        self.names = set()     # every word outside of a macro's replacement
        self.headers = {}      # name of a struct: the header that holds its body
        self._bodies = {}      # name of a struct: the tokens of its body
        self._aliases = {}     # typedef name: the type it stands for

    def read(self, path, header):
        text = path.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
        text = COMMENT.sub(" ", text)
        for macro in DEFINE.finditer(text):
            self.macros.setdefault(macro[1], []).extend(tokens_of(macro[3]))
            # A macro may hold a whole declaration.
            self._scan(tokens_of(STRING.sub(" ", macro[3])), header)
        tokens = tokens_of(STRING.sub(" ", DIRECTIVE.sub(" ", text)))
        self.names.update(filter(NAME.match, tokens))
        self._scan(tokens, header)

    def _scan(self, tokens, header):
        index = 0
        while index < len(tokens):
            word = tokens[index]
            if word == "typedef":
                self._typedef(tokens, index, header)
            elif word in ("struct", "union", "enum"):
                self._tagged(tokens, index, header)
            index += 1

    def _head(self, tokens, index):
        """From struct, union or enum: (tag or None, index of the body or None)."""
        tag = None
        index += 1
        while index < len(tokens):
            word = tokens[index]
            if word == "{":
                return tag, index
            if word == "(":
                index = closing(tokens, index)
                tag = None
            elif word == ":":
                while index < len(tokens) and tokens[index] not in "{;":
                    index += 1
                continue
            elif NAME.match(word):
                tag = word
            else:
                break
            index += 1
        return tag, None

    def _tagged(self, tokens, index, header):
        tag, body = self._head(tokens, index)
        if body is None:
            return
        inside = tokens[body + 1:closing(tokens, body)]
        if tokens[index] == "enum":
            self._enumerators(inside)
        elif tag is not None:
            self.tags.add(tag)
            self._body(tag, inside, header)

    def _enumerators(self, inside):
        starts = True
        index = 0
        while index < len(inside):
            word = inside[index]
            if starts and NAME.match(word):
                self.enumerators.add(word)
                starts = False
            elif word in OPENING:
                index = closing(inside, index)
            elif word == ",":
                starts = True
            index += 1

    def _body(self, name, inside, header):
        self._bodies.setdefault(name, []).extend(inside + [";"])
        self.headers.setdefault(name, header)

    def _typedef(self, tokens, index, header):
        end, body = index + 1, None
        while end < len(tokens) and tokens[end] != ";":
            if tokens[end] in OPENING:
                if tokens[end] == "{":
                    body = end
                end = closing(tokens, end)
            end += 1
        if body is None:
            names = outer_names(tokens[index + 1:end])
            self.typedefs.update(names)
            types = [name for name in names if name not in ("struct", "union", "const", "CONST")]
            for name in types[1:]:
                self._aliases.setdefault(name, types[0])
            return
        declared = outer_names(tokens[closing(tokens, body):end])
        self.typedefs.update(declared)
        if "enum" not in tokens[index:body]:
            for name in declared:
                self._body(name, tokens[body + 1:closing(tokens, body)], header)

    def is_constant(self, name):
        name = name.split("(")[0]
        return name in self.macros or name in self.enumerators

    def is_type(self, name):
        return name in self.typedefs or name in self.macros

    def spelling(self, name):
        """How C names a struct: by its typedef, else by its tag."""
        return name if self.is_type(name) else f"struct {name}"

    def _body_of(self, name, depth=8):
        if name in self._bodies or depth == 0:
            return name if name in self._bodies else None
        if name in self._aliases:
            return self._body_of(self._aliases[name], depth - 1)
        if len(self.macros.get(name, [])) == 1:
            return self._body_of(self.macros[name][0], depth - 1)
        return None

    def is_struct(self, name):
        return self._body_of(name) is not None

    def header_of(self, name):
        return self.headers[self._body_of(name)]

    def has_field(self, struct, field):
        body = self._bodies[self._body_of(struct)]
        for part in field.split("."):
            fields = self._fields(body)
            if part not in fields:
                return False
            body = fields[part]
        return True

    def _fields(self, body):
        """Maps each word that may name a field to the body of its type, [] if it has none."""
        fields = {}
        start = index = 0
        while index < len(body):
            if body[index] in OPENING:
                index = closing(body, index)
            elif body[index] == ";":
                fields.update(self._member(body[start:index]))
                start = index + 1
            index += 1
        return fields

    def _member(self, statement):
        if "{" in statement:
            brace = statement.index("{")
            end = closing(statement, brace)
            inside = statement[brace + 1:end]
            declared = [name for name in outer_names(statement[end:]) if self.macros.get(name, [1])]
            return {name: inside for name in declared} or self._fields(inside)
        names = outer_names(statement)
        if not names:
            return {}
        if len(names) == 1 or (len(names) == 2 and names[0] in ("struct", "union")):
            macro = self.macros.get(names[-1])
            return self._fields(macro + [";"] if macro else self._body_words(names[-1]))
        types = [name for name in names[:-1] if self.is_struct(name)]
        return {name: self._body_words(types[0]) if types else [] for name in names}

    def _body_words(self, name):
        return self._bodies.get(self._body_of(name), [])


def read_headers(folder):
    """All headers below folder; those in detail/ belong to the header their name starts with."""
    folder = Path(folder)
    declarations = Declarations()
    for path in sorted(folder.rglob("*.h")):
        header = path.name
        if path.parent.name == "detail":
            header = path.stem.split("_")[0] + ".h"
        declarations.read(path, header)
    return declarations
