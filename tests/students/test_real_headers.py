"""How many columns of real lists are found without help.

`real_headers.csv` holds the headers of lists in use, in their order, each with the column that it means there (blank: none
of ours, among them the mother's, grandparents' and other guardians' where the list names the father first);
`header_words.csv` holds other ways to write a column.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from eduaid.core.lists import kind_of, kinds
from eduaid.core.spreadsheets import map_columns

HERE = Path(__file__).parent
GOAL = 0.95


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_at_least_ninety_five_of_a_hundred_columns_of_real_lists_are_right() -> None:
    lists: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in rows("real_headers.csv"):
        lists[row["list"], row["kind"]].append((row["header"], row["key"]))
    right = total = 0
    missed = []
    for (name, kind), columns in lists.items():
        found = map_columns([header for header, _ in columns], kind_of(kind).columns).columns
        wrong = [(header, key) for at, (header, key) in enumerate(columns) if found.get(at, "") != key]
        assert len(wrong) <= max(2, (1 - GOAL) * len(columns)), (name, wrong)
        missed += [(name, *pair) for pair in wrong]
        right, total = right + len(columns) - len(wrong), total + len(columns)
    print(f"{right} of {total} columns right; missed: {missed}")
    assert total > 480
    assert right / total >= GOAL, missed


def test_at_least_ninety_five_of_a_hundred_ways_to_write_a_header_are_known() -> None:
    right = total = 0
    missed = []
    for row in rows("header_words.csv"):
        for kind in kinds():
            wanted = {key for key in row["keys"].split() if any(column.key == key for column in kind.columns)}
            if not wanted and row["keys"]:
                continue
            found = map_columns([row["header"]], kind.columns).columns.get(0, "")
            total += 1
            if found in (wanted or {""}):
                right += 1
            else:
                missed.append((kind.key, row["header"], found))
    print(f"{right} of {total} spellings right; missed: {missed}")
    assert total > 400
    assert right / total >= GOAL, missed


@pytest.mark.parametrize("name", ["学籍基本信息表", "学籍信息模板"])
def test_both_exports_of_the_registry_need_no_question(name: str) -> None:
    headers = [row["header"] for row in rows("real_headers.csv") if row["list"] == name]
    assert len(headers) == 71
    assert map_columns(headers, kind_of("registry").columns).is_certain
