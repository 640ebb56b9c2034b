"""`python -m bench.findings`: random workbooks with planted errors through the real intake; what was caught, what was not.

The workbooks and their truth are those of the property test (`tests/bad_inputs/planting.py`), only more of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

from bench.databases import Databases
from bench.measuring import table
from eduaid.core.services import CHECKOUT


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--books", type=int, default=400)
    parser.add_argument("--rows", type=int, default=120)
    parser.add_argument(
        "--share", type=float, default=0.25, help="of rows with a planted error, and with an unusual spelling"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return measure(options.books, options.rows, options.share, options.seed)
    with (
        Databases() as databases,
        tempfile.TemporaryDirectory() as folder,
        databases.fresh(Path(folder)) as environment,
    ):
        command = [sys.executable, "-m", "bench.findings", "--inside", *sys.argv[1:]]
        return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode


def measure(books: int, rows: int, share: float, seed: int) -> int:
    """In a process whose database is its own. 1 where a wrong value was stored or an error slipped through."""
    import django

    django.setup()
    from eduaid.core.scope import everything
    from tests.bad_inputs import planting
    from tests.small_county import make_county

    rng = Random(seed)
    score = planting.Score()
    with everything():
        county = make_county()
        for book in range(books):
            kind = planting.KINDS[book % len(planting.KINDS)]
            planting.send(county, planting.make(rng, county, kind=kind, rows=rows, share=share), score)
    _print(score)
    return int(bool(score.wrong) or score.caught != score.planted)


def _print(score: object) -> None:
    from tests.bad_inputs.planting import Score

    assert isinstance(score, Score)
    planted, caught = score.planted.total(), score.caught.total()
    spelt, read = score.spelt.total(), score.read.total()
    print(f"{score.books} workbooks of five kinds; the columns of {score.asked} were asked about\n")
    lines = [[name, str(count), str(score.caught[name])] for name, count in sorted(score.planted.items())]
    print(table(["planted error", "planted", "caught"], [*lines, ["together", str(planted), str(caught)]]))
    print()
    lines = [[name, str(count), str(score.read[name])] for name, count in sorted(score.spelt.items())]
    print(table(["unusual spelling", "written", "read"], [*lines, ["together", str(spelt), str(read)]]))
    alarms = score.alarms.total()
    share = alarms / score.clean * 10_000 if score.clean else 0
    print(f"\nfalse alarms: {alarms} in {score.clean} clean rows, {share:.1f} in 10,000: {dict(score.alarms)}")
    print(f"wrong values stored: {len(score.wrong)} {score.wrong[:10]}")


if __name__ == "__main__":
    sys.exit(main())
