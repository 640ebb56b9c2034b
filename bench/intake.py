"""`python -m bench.intake`: a class roster from upload to force, beside django-import-export and the least possible.

Every contender runs in a process of its own on a database of its own, in turns, on the same files. See bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.contenders import CONTENDERS, Files
from bench.databases import Databases
from bench.measuring import MB, Watcher, load, machine, median, table
from bench.roster import COLUMNS, make_roster
from eduaid.core.services import CHECKOUT

PEERS = ("import-export tuned", "import-export")
FIRST = "first import"


@dataclass
class Measured:
    """All runs of one contender at one size. Seconds and bytes by step."""

    contender: str
    rows: int
    """How many rows it really imported: fewer than asked for where --peer-rows says so."""
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    processors: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    memory: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    child_memory: list[int] = field(default_factory=list)

    def median(self, step: str) -> float:
        return median(self.seconds[step])

    def first_import_of(self, rows: int) -> float:
        """Seconds; grown in proportion where fewer rows were imported, which is kind to peers that grow faster."""
        return self.median(FIRST) * rows / self.rows

    def peak(self, step: str = FIRST) -> float:
        """MB."""
        return median(self.memory[step]) / MB


@dataclass(frozen=True)
class Goal:
    what: str
    value: float
    limit: float
    unit: str = "×"
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> tuple[str, str, str, str]:
        sign = "≥" if self.at_least else "≤"
        met = "met" if self.is_met else "MISSED"
        return self.what, f"{self.value:.2f} {self.unit}", f"{sign} {self.limit:g} {self.unit}", met


def main() -> None:
    options = _options()
    contenders = [name for name in CONTENDERS if not options.only or name in options.only]
    print(f"{machine()}, load {load():.1f}")
    results: dict[int, dict[str, Measured]] = {}
    with Databases() as databases, tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        print(
            f"{databases.version}, throw-away settings; {len(COLUMNS)} columns, medians of {options.runs} runs",
            flush=True,
        )
        warm_up = Path(scratch) / "warm-up"
        warm_up.mkdir()
        Files.write(make_roster(40, series=1), warm_up)
        for rows in options.rows:
            results[rows] = _measure(databases, rows, contenders, options, Path(scratch), warm_up)
            print(f"\n{rows:,} rows, load {load():.1f}\n\n{_report(results[rows], rows)}", flush=True)
            if goals := [goal.line() for goal in _goals(results[rows], rows)]:
                print(f"\n{table(('goal', 'measured', 'wanted', ''), goals)}", flush=True)
    if flat := _flatness(results):
        print(f"\n{flat}")
    if options.json:
        Path(options.json).write_text(json.dumps(_as_json(results, options), ensure_ascii=False, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.intake", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000], help="sizes of the list, one after the other")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--peer-rows", type=int, metavar="N", help="at most N rows for django-import-export; it is said"
    )
    parser.add_argument("--only", nargs="+", choices=list(CONTENDERS), metavar="NAME", help=", ".join(CONTENDERS))
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args()


def _measure(
    databases: Databases,
    rows: int,
    contenders: Sequence[str],
    options: argparse.Namespace,
    scratch: Path,
    warm_up: Path,
) -> dict[str, Measured]:
    roster = make_roster(rows)
    folders: dict[str, Path] = {}
    measured: dict[str, Measured] = {}
    for name in contenders:
        taken = roster.first(options.peer_rows) if name in PEERS and options.peer_rows else roster
        folder = scratch / f"rows-{len(taken.pupils)}"
        if not folder.exists():
            folder.mkdir()
            Files.write(taken, folder)
        folders[name] = folder
        measured[name] = Measured(name, len(taken.pupils))
    del roster
    for run in range(options.runs):
        # Turns from both ends: whoever goes first meets another state of the machine each time.
        for name in contenders if run % 2 == 0 else reversed(contenders):
            _run_once(databases, measured[name], folders[name], warm_up, scratch)
            done = f"  {name}: {measured[name].seconds[FIRST][-1]:.2f} s, load {load():.1f}"
            print(done, file=sys.stderr, flush=True)
    return measured


def _run_once(databases: Databases, measured: Measured, folder: Path, warm_up: Path, scratch: Path) -> None:
    command = [sys.executable, "-m", "bench.contenders", measured.contender, str(folder), str(warm_up)]
    with (
        tempfile.TemporaryDirectory(dir=scratch) as files,
        databases.fresh(Path(files)) as environment,
        subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True) as process,
        Watcher(process.pid) as watcher,
    ):
        told, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"{measured.contender} failed")
    steps = json.loads(told.splitlines()[-1])
    for step, seconds in steps["seconds"].items():
        measured.seconds[step].append(seconds)
        measured.processors[step].append(steps["processors"][step])
        measured.memory[step].append(steps["memory"][step])
    measured.child_memory.append(watcher.peak)


def _report(measured: dict[str, Measured], rows: int) -> str:
    lines = []
    for name, one in measured.items():
        note = f" ({one.rows:,} rows)" if one.rows != rows else ""
        for step in one.seconds:
            seconds = one.median(step)
            spread = f"{min(one.seconds[step]):.2f}–{max(one.seconds[step]):.2f}"
            shown = f"{name}{note}: {step}" if not step.startswith(" ") else f"    {step.strip()}"
            rate = f"{one.rows / seconds:,.0f}"
            lines.append(
                (shown, f"{seconds:.2f}", spread, f"{median(one.processors[step]):.2f}", rate, f"{one.peak(step):.0f}")
            )
        if any(one.child_memory):
            lines.append(("    its parser process", "", "", "", "", f"{median(one.child_memory) / MB:.0f}"))
    return table(("", "seconds", "from–to", "processors", "rows/s", "peak MB"), lines)


def _goals(measured: dict[str, Measured], rows: int) -> list[Goal]:
    ours = measured.get("eduaid")
    if ours is None:
        return []
    first = ours.median(FIRST)
    goals = []
    for name, limit in (("import-export", 30.0), ("import-export tuned", 4.0)):
        if peer := measured.get(name):
            note = f", extrapolated from {peer.rows:,} rows" if peer.rows != rows else ""
            goals.append(Goal(f"faster than {name}{note}", peer.first_import_of(rows) / first, limit, at_least=True))
    if bare := measured.get("bare pipeline"):
        goals.append(Goal("time of the bare pipeline", first / bare.median(FIRST), 2.5))
    goals.append(Goal("same file again", ours.median("same file again"), 1, "s"))
    goals.append(Goal("1 % changed, of the first import", ours.median("1 % changed") / first, 0.6))
    goals.append(Goal("worker's memory", ours.peak(), 400, "MB"))
    return goals


def _flatness(results: dict[int, dict[str, Measured]]) -> str:
    """What the worker's memory grows by from the smallest list to the largest."""
    sizes = sorted(rows for rows, measured in results.items() if "eduaid" in measured)
    if len(sizes) < 2:
        return ""
    low, high = (results[rows]["eduaid"].peak() for rows in (sizes[0], sizes[-1]))
    return f"worker's memory from {sizes[0]:,} to {sizes[-1]:,} rows: {low:.0f} → {high:.0f} MB"


def _as_json(results: dict[int, dict[str, Measured]], options: argparse.Namespace) -> dict[str, object]:
    return {
        "machine": machine(),
        "load": load(),
        "runs": options.runs,
        "sizes": {rows: [asdict(one) for one in measured.values()] for rows, measured in results.items()},
        "goals": {
            rows: [asdict(goal) | {"met": goal.is_met} for goal in _goals(measured, rows)]
            for rows, measured in results.items()
        },
    }


if __name__ == "__main__":
    main()
