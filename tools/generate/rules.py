#!/usr/bin/env python3
"""Makes the table of rules: X(id, kind, soft, text, source, advice), one line a rule.

The rules stand in the ledgers of docs/rules, the advice in advice.csv beside them.

usage: rules.py OUTPUT
"""

import sys

from ledger import LedgerError, read_advice, read_rules, read_waived
from table import literal, write


def line(rule, advice):
    soft = "1" if rule.soft else "0"
    return (f"X({literal(rule.id)}, '{rule.kind}', {soft}, {literal(rule.text)}, "
            f"{literal(rule.source)}, {literal(advice.get(rule.id, ''))})\n")


def main(output):
    try:
        rules = read_rules()
        read_waived(rules)
        advice = read_advice(rules)
    except LedgerError as error:
        sys.exit(f"rules.py: {error}")
    head = ("/* Made from docs/rules by tools/generate/rules.py: id, kind, soft, text, source, "
            "advice. */\n")
    write(output, head + "".join(line(rule, advice) for rule in rules))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
