"""Random published tables with one planted error each, and right ones: caught of planted, false alarms in 1,000 right tables.

No peer does this; the limit is 0 false alarms, and the script ends with 1 above it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter, defaultdict

from reports.table_check.checking import check_file
from tests.reports.table_check.layouts import LAYOUTS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=50, help="right tables, and as many spoilt ones, of each layout")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--show", type=int, default=0, help="how many misses and false alarms to print")
    options = parser.parse_args()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    shown = 0
    started = time.perf_counter()
    for layout in LAYOUTS:
        count = counts[layout.__name__]
        for number in range(options.tables):
            seed = f"{options.seed}-{layout.__name__}-{number}"
            table = layout(random.Random(seed))
            as_text = random.Random(seed).random() < 0.2
            report = check_file(table.xlsx(as_text=as_text))
            count["right"] += 1
            if report.findings:
                count["false"] += 1
                if shown < options.show:
                    shown += 1
                    print(
                        "FALSE",
                        seed,
                        as_text,
                        [(f.cell, str(f.printed), str(f.expected), f.why) for f in report.findings][:4],
                    )
            if not report.rules:
                count["nothing recognised"] += 1
            planted = table.plant(random.Random(seed + "p"))
            found = check_file(table.xlsx(as_text=as_text)).findings
            count["planted"] += 1
            cells = {(f.sheet, f.cell) for f in found}
            count["caught"] += bool(found)
            count["named"] += (planted.sheet, planted.cell) in cells
            count["named alone"] += cells == {(planted.sheet, planted.cell)}
            if not found and shown < options.show:
                shown += 1
                print("MISSED", seed, as_text, planted)
    total: Counter[str] = Counter()
    for count in counts.values():
        total.update(count)
    print("| layout | planted | caught | named the very cell | and nothing else | right tables | with a false alarm |")
    print("|---|---|---|---|---|---|---|")
    for name, c in [*counts.items(), ("all", total)]:
        print(
            f"| {name.replace('_', '-')} | {c['planted']} | {c['caught']} | {c['named']} | {c['named alone']} | {c['right']} | {c['false']} |"
        )
    print(
        f"\n{total['false'] / total['right'] * 1000:.1f} false alarms in 1,000 right tables; {time.perf_counter() - started:.0f} s"
    )
    return 1 if total["false"] else 0


if __name__ == "__main__":
    sys.exit(main())
