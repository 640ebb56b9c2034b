"""What needs no database: dates, tables on a terminal, papers as JSON."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from eduaid.core.models import School
from reports.moments import Moment, NotADate
from reports.numbers import Number, Share
from reports.papers import Check, Definition, Heading, Line, Paper, Section, Table, from_json, placed, prose, to_json
from reports.terminal import columns, table_lines, width, wrapped

SCHOOL = School(pk=1, code="1", name="某小学")


def number(value: int, label: str = "在校学生", unit: str = "人") -> Number:
    return Number("pupils", label, unit, value, SCHOOL)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("昨天", "看不懂日期“昨天”，请写成 2026-09-01 这样的形式。"),
        ("2026-02-30", "看不懂日期“2026-02-30”，请写成 2026-09-01 这样的形式。"),
        ("2999-01-01", "日期 2999-01-01 晚于今天，请改为今天或以前的日期。"),
    ],
)
def test_a_date_that_cannot_be_used_is_refused_in_words(asked: str, sentence: str) -> None:
    with pytest.raises(NotADate) as refusal:
        Moment.asked(asked)
    assert str(refusal.value) == sentence


def test_a_moment_is_carried_by_addresses_only_when_it_is_not_now() -> None:
    assert Moment.asked("").params == {}
    assert Moment.asked("2026-09-30").params == {"as_of": "2026-09-30"}
    known = Moment.asked("2026-09-30", "2026-10-01T08:30:00")
    assert known.params == {"as_of": "2026-09-30", "known_at": "2026-10-01T08:30:00+08:00"}
    assert Moment.asked("2026-09-30", "2026-10-01T08:30:00 08:00") == known
    with pytest.raises(NotADate, match="看不懂时间“早上”"):
        Moment.asked("", "早上")


def test_a_number_reads_differently_in_a_sentence_and_in_a_table() -> None:
    assert number(9351).text == "9351人"
    assert number(4_124_600, unit="元").text == "412.46万元"
    assert list(
        table_lines(Table("表1", "学校", (Heading("在校学生", "人"),), (Line("某小学", (number(9351),)),)))
    ) == [
        "表1",
        "学校    在校学生(人)",
        "某小学         9,351",
    ]


def test_a_rate_is_never_rounded_up_to_everybody() -> None:
    assert Share("登记率", number(99_996), number(100_000), "").text == "99.99%"
    assert Share("登记率", number(5), number(5), "").text == "100.00%"
    assert Share("登记率", number(0), number(0), "").text == "—"


def test_chinese_is_two_columns_wide_on_a_terminal() -> None:
    assert [width(text) for text in ("水口镇", "abc", "6—15岁", "𬭎")] == [6, 3, 7 - (width("—") == 1), 2]
    assert list(columns([("名称", "数"), ("a", "12")], right={1})) == ["名称  数", "a     12"]
    lines = list(wrapped(("全县" * 60,)))
    assert [width(line) for line in lines] == [100, 100, 44]
    assert lines[0].startswith("　　全县")


def test_a_paper_comes_back_from_its_json_as_it_was() -> None:
    share = Share("登记率", number(4), number(5), "")
    table = Table(
        "表1 各学校",
        "学校",
        (Heading("人数", "人"), Heading("率")),
        (Line("某小学", (number(4), share)),),
        (number(4), None),
        "注",
    )
    paper = Paper(
        "标题", "某县", "某局", dt.date(2026, 11, 20), (Section("一、", (("共", number(5), "。"),), (table,)),),
        (Definition("在校学生", "人", "定义。", "就读地", "名册"),), (Check("甲＝乙", True),),
    )  # fmt: skip
    figures = [item for item, _ in placed(paper.sections)]
    assert [words for _, words in placed(paper.sections)] == [
        "共5人。", "表1 各学校：某小学，人数", "表1 各学校：某小学，率", "表1 各学校：合计，人数",
    ]  # fmt: skip
    again = from_json(json.loads(json.dumps(to_json(paper))), lambda position: figures[position])
    assert again == paper
    assert prose(again.sections[0].paragraphs[0]) == "共5人。"
