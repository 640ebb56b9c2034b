"""Every case of bad input has a test that bears its number."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
_MARK = re.compile(r"mark\.case\(([^)]*)\)")
# Standards, double payments and who may still get aid: these wait for the programmes and their own lists.
LATER = {"R11", "R12", "R13", "R16"}


def cases() -> list[dict[str, str]]:
    with (HERE / "cases.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shown() -> set[str]:
    """The numbers on the marks of this folder's tests."""
    texts = [path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py")]
    return {number for text in texts for mark in _MARK.findall(text) for number in re.findall(r'"(\w+)"', mark)}


@pytest.mark.parametrize(
    "number", [case["id"] for case in cases() if case["priority"] in ("P0", "P1") and case["id"] not in LATER]
)
def test_every_serious_case_is_shown_by_a_test(number: str) -> None:
    assert number in shown()


def test_no_test_names_a_case_that_is_not_in_the_list() -> None:
    process = {f"P{number:02d}" for number in range(1, 18)}
    assert shown() <= {case["id"] for case in cases()} | process
