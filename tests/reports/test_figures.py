"""The numbers of a county that can be counted by hand, by township, and what must hold between them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from eduaid.core.indicators import indicator_of, indicators
from eduaid.core.models import School
from eduaid.core.scope import EVERYTHING
from reports import tie_outs
from reports.board import Board, Fetched, Split, fetch_board
from reports.moments import Moment
from reports.sections import TOPICS, overview, summarise, topic_section
from tests.reports.conftest import DAY
from tests.small_county import SmallCounty

MOMENT = Moment(DAY)


def test_every_figure_of_the_county_is_what_was_sent(filled: SmallCounty) -> None:
    keys = [indicator.key for indicator in indicators()]
    board = fetch_board(filled.home, MOMENT, EVERYTHING, keys)
    found = {key: board.total(key).value for key in keys if board.total(key).value}
    assert found == {
        "population": 6,
        "population.6-15": 5,
        "population.6-15.in-registry": 4,
        "population.3-5": 1,
        "pupils": 5,
        "pupils.primary": 5,
        "pupils.boarding": 2,
        "pupils.day": 3,
        "pupils.hukou.same-town": 2,
        "pupils.hukou.other-town": 1,
        "pupils.hukou.other-county": 1,
        "pupils.hukou.unknown": 1,
        "households.poverty": 1,
        "households.poverty.4": 1,
        "persons.poverty": 2,
        "persons.poverty.4": 2,
        "pupils.poverty": 1,
        "persons.hardship.2": 1,
        "difference.population-not-registry": 1,
        "difference.registry-not-roster": 1,
        "difference.roster-only": 1,
        "schools": 3,
        "schools.sent": 2,
        "schools.not-sent": 1,
        "rows.waiting": 1,
    }


def test_a_township_counts_its_hukou_and_its_schools(filled: SmallCounty) -> None:
    board = fetch_board(filled.home, MOMENT, EVERYTHING, ["population.6-15", "pupils", "rows.waiting"])
    assert [board.cell("population.6-15", "town", town).value for town in (filled.a, filled.b)] == [4, 1]
    assert [board.cell("pupils", "town", town).value for town in (filled.a, filled.b)] == [2, 3]
    assert [board.cell("rows.waiting", "town", town).value for town in (filled.a, filled.b)] == [1, 0]
    assert board.unplaced("pupils", "town").value == 0


def test_all_tie_outs_hold_in_the_county_and_its_townships(filled: SmallCounty) -> None:
    for area in (filled.home, filled.a, filled.b, filled.primary_b):
        outcomes = summarise(area, MOMENT, EVERYTHING).outcomes
        assert [outcome.text for outcome in tie_outs.broken(outcomes)] == []
    county = summarise(filled.home, MOMENT, EVERYTHING).outcomes
    assert {"示例县", "水口镇", "石洲乡"} == {outcome.place for outcome in county}
    assert len(county) > 40


def test_a_broken_tie_out_is_named_with_its_place_and_difference(filled: SmallCounty) -> None:
    board = fetch_board(
        filled.home, MOMENT, EVERYTHING, ["pupils", "pupils.boarding", "pupils.day", "pupils.boarding-unknown"]
    )
    wrong = replace(board._fetched, totals=board._fetched.totals | {"pupils.day": 2})
    outcomes = tie_outs.check(Board(filled.home, MOMENT, wrong, tuple(board.splits.values())))
    assert [outcome.text for outcome in tie_outs.broken(outcomes)] == [
        "在校学生＝寄宿＋走读＋未填就读方式（示例县）：左边 5人，右边 4人，差 1人",
        "在校学生—走读＝各乡镇之和（示例县）：左边 2人，右边 3人，差 1人",
    ]
    checks = tie_outs.lines(outcomes)
    assert [check.ok for check in checks[:3]] == [False, False, True]


def test_more_than_the_whole_is_a_broken_rule() -> None:
    school = School(name="某小学", code="1")
    totals = {"pupils.poverty": 7, "pupils": 5}
    outcomes = tie_outs.check(Board(school, MOMENT, Fetched(totals, {}, {}), ()))
    assert [outcome.text for outcome in outcomes] == [
        "在校学生—建档立卡与监测对象≤在校学生（某小学）：左边 7人，右边 5人，差 2人"
    ]


def test_what_lies_in_no_township_is_told_and_belongs_to_the_sum() -> None:
    school = School(pk=5, name="某小学", code="1")
    split = Split("school", "学校", (school,))
    fetched = Fetched({"pupils": 3}, {("pupils", "school"): {5: 2, None: 1}}, {})
    board = Board(School(pk=9, name="某处", code="9"), MOMENT, fetched, (split,))
    assert board.unplaced("pupils", "school").value == 1
    assert board.unplaced("pupils", "school").drill == {"none": "school"}
    assert [outcome.ok for outcome in tie_outs.check(board)] == [True]


def test_the_summary_says_the_figures_in_sentences(filled: SmallCounty) -> None:
    from reports.papers import prose

    paper = summarise(filled.home, MOMENT, EVERYTHING).paper
    assert paper.title == "示例县教育资助与控辍保学工作进展情况汇总"
    assert [section.title for section in paper.sections] == [
        "一、学龄人口", "二、在校学生", "三、建档立卡、监测对象和困难群体", "四、名单比对", "五、名单报送", "六、所用名单",
    ]  # fmt: skip
    said = [prose(paragraph) for section in paper.sections for paragraph in section.paragraphs]
    assert said[:4] == [
        "截至2026年11月20日，公安户籍人口名单中，全县3—5周岁1人，6—15周岁5人，16—22周岁0人。",
        "6—15周岁人口中，有学籍4人，占80.00%；没有学籍1人，须逐人核实去向。",
        "班级名册中，全县在校学生5人。按学段分，小学5人。",
        "按就读方式分，寄宿2人，走读3人。按户籍分，本镇户籍2人，外镇在本镇1人，外县在本镇1人，户籍不明1人。",
    ]
    assert "乡村振兴部门的建档立卡和监测对象名单中，全县共1户、2人。按户类型分，脱贫户1户。" in said
    assert "民政、残联等部门的困难群体名单中，城乡低保家庭学生1人。一人可有几种类型，各类型不相加。" in said
    assert (
        "户籍人口名单与学籍比对，6—15周岁有户籍无学籍1人。学籍与班级名册比对，有学籍不在班1人，在班无学籍1人。"
        "有学籍不在班的人数，包括1所未报班级名册学校的学生。"
    ) in said
    assert "本学期应报班级名册的学校3所，已报2所，未报1所。" in said
    assert "已生效的名单中，还有待改1行，这些行上的学生沿用上一份名单的记录。" in said


def test_a_township_that_misses_nobody_says_all(filled: SmallCounty) -> None:
    from reports.papers import prose

    section = topic_section(TOPICS[0], filled.b, MOMENT, EVERYTHING)
    assert [prose(paragraph) for paragraph in section.paragraphs] == [
        "截至2026年11月20日，公安户籍人口名单中，全乡3—5周岁0人，6—15周岁1人，16—22周岁0人。",
        "6—15周岁人口全部有学籍（1人）。",
    ]


def test_a_county_wide_list_is_in_force_also_where_it_names_nobody(filled: SmallCounty) -> None:
    from reports.papers import prose

    section = topic_section(TOPICS[2], filled.b, MOMENT, EVERYTHING)
    assert [prose(paragraph) for paragraph in section.paragraphs] == [
        "乡村振兴部门的建档立卡和监测对象名单中，全乡共0户、0人。",
        "在校学生中，列入上述名单的有0人。",
        "困难群体名单中没有本地人员。",
    ]


def test_a_school_is_told_nothing_of_hukou(filled: SmallCounty) -> None:
    titles = [section.title for section in summarise(filled.primary_a, MOMENT, EVERYTHING).paper.sections]
    assert titles == ["一、在校学生", "二、名单比对", "三、名单报送", "四、所用名单"]


def test_the_table_of_townships_puts_the_greatest_gap_first(filled: SmallCounty) -> None:
    seen = overview(filled.home, MOMENT, EVERYTHING)
    (table,) = seen.tables
    assert [line.name for line in table.rows] == ["水口镇", "石洲乡"]
    assert [[cell.value for cell in line.cells] for line in table.rows] == [
        [4, 3, 1, 2, 0, 0, 2, 1, 1],
        [1, 1, 0, 3, 1, 1, 1, 0, 0],
    ]
    assert [cell.value for cell in table.totals] == [5, 4, 1, 5, 1, 1, 3, 1, 1]
    assert seen.balance is not None
    assert [term.value for term in seen.balance.terms] == [4, 1]
    assert seen.balance.gap.value == 0


def test_an_unchanged_county_answers_from_the_cache_and_a_change_is_seen_at_once(filled: SmallCounty) -> None:
    from eduaid.core import changes

    keys = ["pupils", "population.6-15", "rows.waiting"]

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            fetch_board(filled.home, MOMENT, EVERYTHING, keys)
        return sum("set_config" not in query["sql"] and "current_setting" not in query["sql"] for query in found)

    queries()
    assert queries() == 2  # the townships, and whether anything has changed
    changes.record(cause="corrected", students=[])
    # Whether whereabouts changed since or a later list is in force, a total and a split of each, and which lists are in force.
    assert queries() == 2 + 2 + 2 * len(keys) + 1


def test_an_answer_about_a_waiting_row_is_seen_at_once(filled: SmallCounty) -> None:
    from eduaid.core.models import Upload
    from eduaid.core.scope import Scope

    scope = Scope(False, frozenset({filled.b.pk}), frozenset())
    fetch_board(filled.b, MOMENT, scope, ["rows.waiting"])
    county_wide = Upload.objects.get(kind="hardship")
    Upload.objects.filter(pk=county_wide.pk).update(version=county_wide.version + 1)
    with CaptureQueriesContext(connection) as found:
        fetch_board(filled.b, MOMENT, scope, ["rows.waiting"])
    assert any("core_uploadrow" in query["sql"] for query in found)


@pytest.mark.parametrize("key", ["pupils", "rows.waiting", "persons.poverty", "schools"])
def test_each_scope_has_its_own_cache(filled: SmallCounty, key: str) -> None:
    from eduaid.core.scope import Scope

    whole = fetch_board(filled.home, MOMENT, EVERYTHING, [key])
    nothing = fetch_board(filled.home, MOMENT, Scope(False, frozenset(), frozenset()), [key])
    assert whole.total(key).value > 0
    assert nothing.total(key).value == 0
    assert indicator_of(key).unit == whole.total(key).unit
