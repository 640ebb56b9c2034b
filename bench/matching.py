"""`python -m bench.matching`: the same people in three lists, found by `students.matching`, Splink, recordlinkage and equal numbers.

The lists are invented and their truth is known (bench/matching_lists.py). Each contender runs in a process of its own, in turns,
on the same lists; the peers get their columns cleaned beforehand and uncounted. See bench/README.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.matching_lists import Lists, scanned_forms, township_offices
from bench.measuring import MB, load, machine, median, peak_memory, table

COUNTIES = {"offices": township_offices, "scans": scanned_forms}
PAIRS = tuple(combinations(range(3), 2))
Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Found:
    """Pairs of rows per pair of lists, each with its score, and whether a person is asked."""

    left: Array
    right: Array
    score: npt.NDArray[np.float64]
    review: npt.NDArray[np.bool_]


Answer = dict[tuple[int, int], Found]
Contender = Callable[[Lists, dict[str, float]], Answer]


# --- the contenders


def ours(lists: Lists, seconds: dict[str, float]) -> Answer:
    from students.matching import match_lists

    columns = lists.columns()
    _warm_up()
    started = time.perf_counter()
    matching = match_lists(*columns)
    seconds["matching"] = time.perf_counter() - started
    started = time.perf_counter()
    written = sum(1 for _ in matching.rows())
    seconds["reasons"] = time.perf_counter() - started
    assert written == len(matching)
    found: Answer = {}
    for pair in PAIRS:
        here = (matching.left_list == pair[0]) & (matching.right_list == pair[1])
        found[pair] = Found(matching.left[here], matching.right[here], matching.score[here], matching.review[here])
    return found


def _warm_up() -> None:
    from eduaid.core.text.pinyin import name_sound

    name_sound("王伟")  # loads the dictionary of readings, once a process


def equal_numbers(lists: Lists, seconds: dict[str, float]) -> Answer:
    cleaned = _cleaned(lists)
    started = time.perf_counter()
    found: Answer = {}
    for one, two in PAIRS:
        rows: dict[str, list[int]] = defaultdict(list)
        for row, number in enumerate(cleaned[two]["id"]):
            if number:
                rows[number].append(row)
        pairs = [(row, other) for row, number in enumerate(cleaned[one]["id"]) for other in rows.get(number or "", ())]
        left, right = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
        found[one, two] = Found(left, right, np.ones(len(left)), np.zeros(len(left), bool))
    seconds["matching"] = time.perf_counter() - started
    return found


def _cleaned(lists: Lists) -> list[dict[str, list[str | None]]]:
    """What a careful user of a peer prepares: spellings folded, sounds, parts of numbers. Not counted."""
    from eduaid.core.text.characters import compact
    from eduaid.core.text.dates import parse_date
    from eduaid.core.text.names import name_key
    from eduaid.core.text.pinyin import name_sound
    from eduaid.core.text.results import Parsed

    found = []
    for entries in lists.entries:
        columns: dict[str, list[str | None]] = defaultdict(list)
        for entry in entries:
            name, guardian = name_key(entry.name), name_key(entry.guardian)
            number = compact(entry.id_no).upper().strip("'")
            birth = parse_date(entry.birth)
            columns["name"].append(name or None)
            columns["surname"].append(name[:1] or None)
            columns["sound"].append(name_sound(name).sort_key or None)
            columns["id"].append(number or None)
            columns["last4"].append(number[-4:] or None)
            columns["birth"].append(birth.value.isoformat() if isinstance(birth, Parsed) else None)
            columns["sex"].append(entry.sex or None)
            columns["guardian"].append(guardian or None)
            columns["phone"].append(entry.phone or None)
            columns["town"].append(entry.town.rstrip("镇乡") or None)
        found.append(columns)
    return found


_BLOCKS = (
    ("id",), ("sound", "birth"), ("sound", "guardian"), ("guardian", "birth"), ("surname", "birth", "sex"), ("sound", "last4"),
    ("sound", "phone"),
)  # fmt: skip


def splink(lists: Lists, seconds: dict[str, float], model: Path | None = None, keep: Path | None = None) -> Answer:
    import pandas as pd
    import splink.comparison_level_library as levels
    import splink.comparison_library as comparisons
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    frames = []
    for columns in _cleaned(lists):
        frame = pd.DataFrame(columns)
        frame["unique_id"] = np.arange(len(frame))
        frames.append(frame)
    blocks = [block for block in _BLOCKS if lists.with_guardians or "guardian" not in block]
    settings: Any = SettingsCreator(
        link_type="link_only",
        blocking_rules_to_generate_predictions=[block_on(*block) for block in blocks],
        comparisons=[
            comparisons.CustomComparison(
                output_column_name="name",
                comparison_levels=[
                    levels.NullLevel("name"),
                    levels.ExactMatchLevel("name", term_frequency_adjustments=True),
                    levels.ExactMatchLevel("sound"),
                    levels.LevenshteinLevel("name", 1),
                    levels.ExactMatchLevel("surname"),
                    levels.ElseLevel(),
                ],
            ),
            comparisons.DamerauLevenshteinAtThresholds("id", [1, 2]),
            comparisons.DamerauLevenshteinAtThresholds("birth", [1, 2]),
            comparisons.ExactMatch("sex"),
            *([comparisons.ExactMatch("guardian").configure(term_frequency_adjustments=True)] * lists.with_guardians),
            comparisons.LevenshteinAtThresholds("phone", [1]),
            comparisons.ExactMatch("town").configure(term_frequency_adjustments=True),
        ],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )
    started = time.perf_counter()
    api = DuckDBAPI()
    tables = [api.register(frame, dataset_display_name="ABC"[place]) for place, frame in enumerate(frames)]
    if model is None:
        linker = Linker(tables, settings, log_level="ERROR")
        linker.training.estimate_probability_two_random_records_match([block_on("id")], recall=0.95)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1, min_count_per_level=None)
        linker.training.estimate_parameters_using_expectation_maximisation(block_on("id"))
        linker.training.estimate_parameters_using_expectation_maximisation(block_on("name", "birth"))
        if keep is not None:
            linker.misc.save_model_to_json(str(keep), overwrite=True)
    else:
        linker = Linker(tables, str(model), log_level="ERROR")
    answer = linker.inference.predict(threshold_match_probability=0.01).as_pandas_dataframe()
    seconds["matching"] = time.perf_counter() - started
    found: Answer = {}
    swap = (answer["source_dataset_l"] > answer["source_dataset_r"]).to_numpy()
    left_list = np.where(swap, answer["source_dataset_r"], answer["source_dataset_l"])
    right_list = np.where(swap, answer["source_dataset_l"], answer["source_dataset_r"])
    left = np.where(swap, answer["unique_id_r"], answer["unique_id_l"]).astype(np.int64)
    right = np.where(swap, answer["unique_id_l"], answer["unique_id_r"]).astype(np.int64)
    score = answer["match_weight"].to_numpy(float)
    labels = sorted(set(left_list) | set(right_list))
    for one, two in PAIRS:
        here = (left_list == labels[one]) & (right_list == labels[two])
        found[one, two] = Found(left[here], right[here], score[here], np.zeros(int(here.sum()), bool))
    return found


def recordlinkage(lists: Lists, seconds: dict[str, float]) -> Answer:
    import pandas as pd
    import recordlinkage as rl

    frames = [pd.DataFrame(columns) for columns in _cleaned(lists)]
    found: Answer = {}
    started = time.perf_counter()
    for one, two in PAIRS:
        index = rl.Index()
        for block in _BLOCKS[:5]:
            if lists.with_guardians or "guardian" not in block:
                index.block(list(block))
        a, b = frames[one], frames[two]
        pairs = index.index(a[a["id"].notna()], b[b["id"].notna()])
        compare = rl.Compare()
        for column in ("id", "name", "sound", "birth", "sex", "guardian", "phone", "town"):
            compare.exact(column, column, label=column)
        seen = compare.compute(pairs, a, b)
        weights = {"id": 6, "name": 2, "sound": 2, "birth": 2, "sex": 0.5, "guardian": 2, "phone": 2, "town": 0.5}
        score = sum(seen[column] * weight for column, weight in weights.items()).to_numpy(float)
        left, right = (pairs.get_level_values(side).to_numpy(np.int64) for side in (0, 1))
        found[one, two] = Found(left, right, score / sum(weights.values()), np.zeros(len(left), bool))
    seconds["matching"] = time.perf_counter() - started
    return found


CONTENDERS = ("eduaid", "equal numbers", "recordlinkage", "splink", "splink trained")


# --- what they found


@dataclass
class Truth:
    """Sorted codes (left × 2³² + right) of the true pairs per pair of lists; `hard`: their numbers differ, or one is missing."""

    pairs: dict[tuple[int, int], Array]
    hard: dict[tuple[int, int], Array]
    people: list[list[int]]

    @property
    def size(self) -> int:
        return sum(map(len, self.pairs.values()))


def truth_of(lists: Lists) -> Truth:
    from eduaid.core.text.characters import compact

    people = lists.people
    pairs, hard = {}, {}
    for one, two in PAIRS:
        rows: dict[int, list[int]] = defaultdict(list)
        for row, person in enumerate(people[two]):
            rows[person].append(row)
        found = [(left, right) for left, person in enumerate(people[one]) for right in rows.get(person, ())]
        left, right = (np.array(side, np.int64) for side in zip(*found, strict=True))
        numbers = [[compact(entry.id_no).upper().strip("'") for entry in lists.entries[k]] for k in (one, two)]
        differ = np.array([not numbers[0][a] or numbers[0][a] != numbers[1][b] for a, b in found])
        pairs[one, two], hard[one, two] = np.sort(_code(left, right)), np.sort(_code(left, right)[differ])
    return Truth(pairs, hard, people)


def _code(left: Array, right: Array) -> Array:
    return left.astype(np.int64) << 32 | right.astype(np.int64)


@dataclass(frozen=True)
class Result:
    automatic: float
    recall: float
    hard: float
    misses: int
    false: int
    queue: float
    """Share of the people of whom a person is asked."""
    threshold: float = 0.0

    def cells(self) -> list[str]:
        return [
            f"{self.automatic:.4f}", f"{self.recall:.5f}", f"{self.hard:.4f}", f"{self.misses:,}", f"{self.false:,}",
            f"{self.queue:.2%}" if self.queue else "–",
        ]  # fmt: skip


def result_of(
    answer: dict[tuple[int, int], tuple[Array, npt.NDArray[np.bool_]]], truth: Truth, people: int, threshold: float
) -> Result:
    caught = sure = hard = false = 0
    asked: set[int] = set()
    for pair, (codes, review) in answer.items():
        true = np.isin(codes, truth.pairs[pair])
        caught += len(np.unique(codes[true]))
        sure += len(np.unique(codes[true & ~review]))
        false += int((~true & ~review).sum())
        hard += len(np.intersect1d(codes, truth.hard[pair]))
        for code in codes[review].tolist():
            asked.add(truth.people[pair[0]][code >> 32])
            asked.add(truth.people[pair[1]][code & 0xFFFFFFFF])
    total, hard_total = truth.size, sum(map(len, truth.hard.values()))
    return Result(
        sure / total, caught / total, hard / hard_total, total - caught, false, len(asked) / people, threshold
    )


def one_to_one(found: Found) -> Found:
    """Each row's best pair only, as a careful user of a peer would keep them: without it every twin is a false match."""
    lefts, rights = found.left.tolist(), found.right.tolist()
    used_left: set[int] = set()
    used_right: set[int] = set()
    kept = []
    for place in np.argsort(-found.score, kind="stable").tolist():
        if lefts[place] not in used_left and rights[place] not in used_right:
            used_left.add(lefts[place])
            used_right.add(rights[place])
            kept.append(place)
    return Found(found.left[kept], found.right[kept], found.score[kept], found.review[kept])


def best_of(answer: Answer, truth: Truth, people: int, *, closing: bool = False) -> Result:
    """At the threshold at which misses and false matches together are fewest."""
    answer = {pair: one_to_one(found) for pair, found in answer.items()}
    results = []
    scores = np.concatenate([found.score for found in answer.values()])
    thresholds = np.unique(
        np.quantile(scores, np.concatenate([np.linspace(0.001, 0.05, 12), np.linspace(0.06, 0.7, 24)]))
    )
    for threshold in thresholds.tolist():
        kept = {}
        for pair, found in answer.items():
            here = found.score >= threshold
            kept[pair] = _code(found.left[here], found.right[here])
        if closing:
            kept = closed(kept)
        shown = {pair: (codes, np.zeros(len(codes), bool)) for pair, codes in kept.items()}
        results.append(result_of(shown, truth, people, threshold))
    return min(results, key=lambda result: result.misses + result.false)


def closed(kept: dict[tuple[int, int], Array]) -> dict[tuple[int, int], Array]:
    """With the third sides of all triangles."""
    found = {pair: set(codes.tolist()) for pair, codes in kept.items()}

    def partners(pair: tuple[int, int], *, turned: bool) -> dict[int, list[int]]:
        rows: dict[int, list[int]] = defaultdict(list)
        for code in kept[pair].tolist():
            left, right = code >> 32, code & 0xFFFFFFFF
            rows[right if turned else left].append(left if turned else right)
        return rows

    for third, one, one_turned, two, two_turned in (
        ((0, 2), (0, 1), True, (1, 2), False),
        ((0, 1), (0, 2), True, (1, 2), True),
        ((1, 2), (0, 1), False, (0, 2), False),
    ):
        lefts, rights = partners(one, turned=one_turned), partners(two, turned=two_turned)
        for row in lefts.keys() & rights.keys():
            found[third].update(left << 32 | right for left in lefts[row] for right in rights[row])
    return {pair: np.array(sorted(codes), np.int64) for pair, codes in found.items()}


# --- running


def _child(name: str, lists_path: Path, out: Path, model: Path) -> None:
    with lists_path.open("rb") as file:
        lists: Lists = pickle.load(file)  # noqa: S301 (our own file)
    gc.collect()
    before = peak_memory(os.getpid())
    seconds: dict[str, float] = {}
    if name == "eduaid":
        answer = ours(lists, seconds)
    elif name == "equal numbers":
        answer = equal_numbers(lists, seconds)
    elif name == "recordlinkage":
        answer = recordlinkage(lists, seconds)
    else:
        answer = splink(lists, seconds, *((model, None) if name == "splink trained" else (None, model)))
    peak = peak_memory(os.getpid())
    with out.open("wb") as file:
        pickle.dump((answer, seconds, before, peak), file)


def _run(name: str, lists_path: Path, scratch: Path) -> tuple[Answer, dict[str, float], int, int]:
    out = scratch / "answer.pickle"
    command = [
        sys.executable,
        "-m",
        "bench.matching",
        "--child",
        name,
        str(lists_path),
        str(out),
        str(scratch / "model.json"),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'died'}")
    with out.open("rb") as file:
        return pickle.load(file)  # type: ignore[no-any-return]  # noqa: S301 (our own file)


def measure(county: str, people: int, contenders: Sequence[str], runs: int, seed: int | None) -> Iterator[list[str]]:
    lists = COUNTIES[county](people) if seed is None else COUNTIES[county](people, seed)
    truth = truth_of(lists)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        scratch = Path(folder)
        lists_path = scratch / "lists.pickle"
        with lists_path.open("wb") as file:
            pickle.dump(lists, file)
        rows = sum(map(len, lists.entries))
        hard = sum(map(len, truth.hard.values()))
        print(
            f"\n{county}, {people:,} people, {rows:,} rows, {truth.size:,} true pairs, {hard:,} of them hard",
            flush=True,
        )
        del lists
        kept: dict[str, list[tuple[Answer, dict[str, float], int, int]]] = defaultdict(list)
        for _ in range(runs):
            for name in contenders:
                try:
                    kept[name].append(_run(name, lists_path, scratch))
                except RuntimeError as problem:
                    print(problem, flush=True)
        ours_seconds = median([run[1]["matching"] for run in kept["eduaid"]]) if kept["eduaid"] else 0.0
        for name, those in kept.items():
            if not those:
                continue
            answer = those[0][0]
            took = median([run[1]["matching"] for run in those])
            memory = median([run[3] for run in those]) / MB
            ratio = f"{took / ours_seconds:.1f} ×" if ours_seconds else ""
            tail = [f"{took:.2f}", ratio, f"{memory:,.0f}"]
            if name == "eduaid":
                shown = {pair: (_code(found.left, found.right), found.review) for pair, found in answer.items()}
                yield [name, *result_of(shown, truth, people, 0.0).cells(), *tail]
                reasons = median([run[1]["reasons"] for run in those])
                yield [
                    f"  reasons of all {sum(len(found.left) for found in answer.values()):,} pairs",
                    *[""] * 6,
                    f"{reasons:.2f}",
                    "",
                    "",
                ]
            elif name == "equal numbers":
                shown = {pair: (_code(found.left, found.right), found.review) for pair, found in answer.items()}
                yield [name, *result_of(shown, truth, people, 0.0).cells(), *tail]
            else:
                yield [name, *best_of(answer, truth, people).cells(), *tail]
                if name.startswith("splink"):
                    yield [f"{name} + closure", *best_of(answer, truth, people, closing=True).cells(), *tail]


HEADER = ("", "automatic", "recall", "hard", "misses", "false", "queue", "seconds", "to eduaid", "MB")


def main() -> None:
    if "--child" in sys.argv:
        at = sys.argv.index("--child")
        name, lists_path, out, model = sys.argv[at + 1 : at + 5]
        _child(name, Path(lists_path), Path(out), Path(model))
        return
    parser = argparse.ArgumentParser(
        prog="python -m bench.matching", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--people", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--county", choices=COUNTIES, nargs="+", default=["offices"])
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--seed", type=int, help="another county of the same kind than the one that rules were chosen on"
    )
    parser.add_argument("--json", type=Path, help="write the rows of the tables here too")
    options = parser.parse_args()
    print(f"{machine()}, load {load():.1f}; medians of {options.runs} runs")
    told: list[dict[str, Any]] = []
    for county in options.county:
        for people in options.people:
            rows = list(measure(county, people, options.only, options.runs, options.seed))
            print(table(HEADER, rows), flush=True)
            told += [{"county": county, "people": people, **dict(zip(HEADER, row, strict=True))} for row in rows]
    if options.json:
        options.json.write_text(json.dumps(told, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    main()
