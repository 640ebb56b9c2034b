"""`python -m bench.export`: a long list as .xlsx, beside openpyxl's write-only mode.

Each run has a process of its own; both write the same cells to the same kind of file, in turns. See bench/README.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.measuring import MB, Steps, load, machine, median, table
from bench.roster import COLUMNS
from eduaid.core.services import CHECKOUT
from eduaid.core.workbooks import OutColumn, OutSheet, Value, write_workbook

Rows = Iterator[Sequence[Value]]
TIMES, MOST_MEMORY = 8.0, 100.0
HEADERS = [column.header for column in COLUMNS]


def some_rows(count: int) -> Rows:
    """As a list of pupils is exported: a number, and texts of which half repeat down their column."""
    for number in range(count):
        name, phone = f"李小雨{number}", number * 7919 % 10_000
        yield (
            number, "水口镇蔡朱小学", "五年级", f"{number % 8 + 1}班", name, None, "女", f"2015-05-{number % 28 + 1:02d}", "汉族",
            "居民身份证", f"{990_121 + number % 99}************", "G990121************", "走读", "非留守", "否", "否", None,
            f"李大{number % 9973}", "父亲", f"138****{phone:04d}", f"139****{phone:04d}", f"水口镇东风村 {number} 号", "王老师", None,
        )  # fmt: skip


def with_ours(rows: Rows, path: Path) -> None:
    columns = [OutColumn(header, "whole" if position == 0 else "text") for position, header in enumerate(HEADERS)]
    with path.open("wb") as out:
        write_workbook([OutSheet("名单", columns, rows)], out)


def with_openpyxl(rows: Rows, path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("名单")
    sheet.append(HEADERS)
    for row in rows:
        sheet.append(row)
    book.save(path)


WRITERS: dict[str, Callable[[Rows, Path], None]] = {"eduaid": with_ours, "openpyxl write-only": with_openpyxl}


def run_here(name: str, rows: int) -> None:
    """One run in this process; its figures go to standard output."""
    steps = Steps()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.xlsx"
        with steps.timed("write"):
            WRITERS[name](some_rows(rows), path)
        told = {
            "seconds": steps.seconds["write"],
            "processors": steps.processors["write"],
            "memory": steps.memory["write"] / MB,
            "size": path.stat().st_size / MB,
        }
    print(json.dumps(told))


def run(name: str, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.export", "--one", name, "--rows", str(rows)]
    done = subprocess.run(command, cwd=CHECKOUT, env=os.environ, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", choices=list(WRITERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run_here(options.one, options.rows)
        return 0
    print(f"{machine()}; load {load():.1f}; {options.rows:,} rows × {len(COLUMNS)} columns, {options.runs} runs\n")
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in WRITERS}
    for _, name in itertools.product(range(options.runs), WRITERS):
        runs[name].append(run(name, options.rows))
    of = {
        name: {key: median([one[key] for one in found]) for key in ("seconds", "processors", "memory", "size")}
        for name, found in runs.items()
    }
    lines = [
        [
            name,
            f"{one['seconds']:.2f} s",
            f"{one['processors']:.2f} s",
            f"{one['memory']:.0f} MB",
            f"{one['size']:.1f} MB",
        ]
        for name, one in of.items()
    ]
    print(table(["", "wall", "processors", "peak memory", "file"], lines))
    ours, theirs = of["eduaid"], of["openpyxl write-only"]
    times, memory = theirs["seconds"] / ours["seconds"], ours["memory"]
    print(f"\n{times:.1f} × openpyxl write-only on the wall (goal ≥ {TIMES:.0f}): {_met(times >= TIMES)}")
    print(f"{theirs['processors'] / ours['processors']:.1f} × by processors' seconds")
    print(f"{memory:.0f} MB (goal ≤ {MOST_MEMORY:.0f}): {_met(memory <= MOST_MEMORY)}")
    return 0


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


if __name__ == "__main__":
    sys.exit(main())
