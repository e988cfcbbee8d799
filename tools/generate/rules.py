#!/usr/bin/env python3
"""Makes the table of rules from the ledgers: X(id, kind, soft, text, source), one line a rule.

usage: rules.py OUTPUT
"""

import sys

from ledger import LedgerError, read_rules, read_waived
from table import literal, write


def line(rule):
    soft = "1" if rule.soft else "0"
    return (f"X({literal(rule.id)}, '{rule.kind}', {soft}, {literal(rule.text)}, "
            f"{literal(rule.source)})\n")


def main(output):
    try:
        rules = read_rules()
        read_waived(rules)
    except LedgerError as error:
        sys.exit(f"rules.py: {error}")
    head = "/* Made from docs/rules by tools/generate/rules.py: id, kind, soft, text, source. */\n"
    write(output, head + "".join(line(rule) for rule in rules))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
