import datetime as dt

import pytest

from eduaid.core.cells import BadDate, Cell, Damaged, ErrorValue, Uncached
from eduaid.core.text import (
    Column,
    Parsed,
    Problem,
    guard_formula,
    half_width,
    parse_flag,
    plain,
    restore_formula,
    tidy,
)
from eduaid.core.text.sentences import NOTES, SENTENCES


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        ("甲", "甲"),
        (5.0, "5"),
        (625.5, "625.5"),
        (0.1 + 0.2, "0.3"),
        (13807970001.0, "13807970001"),
        (True, "TRUE"),
        (dt.date(2012, 9, 1), "2012-09-01"),
        (dt.datetime(2012, 9, 1, 8, 30), "2012-09-01 08:30:00"),  # noqa: DTZ001  spreadsheets know no time zone
        (Damaged("990121201209012000"), "990121201209012000"),
        (ErrorValue("#N/A"), "#N/A"),
        (Uncached(0), ""),
        (BadDate(60.0), "60"),
        (1e-7, "0.0000001"),
    ],
)
def test_a_cell_is_shown_as_the_user_sees_it(cell: Cell, text: str) -> None:
    assert plain(cell) == text


def test_tidying_keeps_the_letters_and_half_width_changes_them() -> None:
    assert tidy("\u3000王\u200b 伟\n") == "王 伟"
    assert tidy("（Ａ）") == "（Ａ）"
    assert half_width("（Ａ１）") == "(A1)"


@pytest.mark.parametrize("text", ["=1+1", "+86", "-5", "@x", "\tx", "\rx", "＝1", "'x", "''x", "'", "王伟", "", "='x"])
def test_text_that_could_start_a_formula_comes_back_unchanged(text: str) -> None:
    guarded = guard_formula(text)
    assert restore_formula(guarded) == text
    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))


def test_a_column_remembers_text_but_never_confuses_true_with_one() -> None:
    calls: list[Cell] = []

    def parse(cell: Cell) -> Parsed[bool] | Problem | None:
        calls.append(cell)
        return parse_flag(cell)

    column = Column(parse)
    assert [column("是"), column("是"), column(True), column(1.0), column("1")] == [
        Parsed(True),
        Parsed(True),
        Parsed(True, "flag-form"),
        Parsed(True, "flag-form"),
        Parsed(True, "flag-form"),
    ]
    assert calls == ["是", True, 1.0, "1"]


def test_every_sentence_can_be_said_in_chinese() -> None:
    params = {"code": "#N/A", "length": 3, "suggestion": "王伟", "table": "民族", "candidates": "甲、乙"}
    for code, sentence in SENTENCES.items():
        said = sentence.text.format(**params)
        assert "{" not in said, code
        assert len(said) > 8, code
    assert all(NOTES.values())


def test_a_problem_that_needs_a_value_for_its_sentence_has_it() -> None:
    assert Problem("id-length", {"length": 17}).sentence == "证件号是 17 位，应为 18 位。请对照证件补全或删去多余的数字"
    assert Parsed("x", "upper-case").hint == "字母已转为大写"
