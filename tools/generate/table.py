"""What the generators of X-macro tables share: C string literals and writing a file."""

from pathlib import Path


def literal(text):
    """text as a C string literal; a backslash before '?' keeps trigraphs away."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("??", "?\\?")
    if not escaped.isascii() or not escaped.isprintable():
        raise ValueError(f"not plain text: {text!r}")
    return f'"{escaped}"'


def write(path, text):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
