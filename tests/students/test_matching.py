"""Who is who in two or three lists: what is matched, what a person is asked, what is left alone, and why."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eduaid.core.text.ids import check_digit, is_valid_id
from students.linkage.candidates import candidates
from students.linkage.columns import table_of
from students.matching import Ambiguous, Matched, Matching, NotFound, Pair, People, match_lists


def number(born: str, sequence: int, region: str = "990311") -> str:
    body = f"{region}{born}{sequence:03d}"
    return body + check_digit(body)


Row = dict[str, str]
FILLERS: list[Row] = [
    {
        "name": f"{surname}{given}",
        "id": number(f"2012{month:02d}{day:02d}", 101 + 2 * place),
        "birth": f"2012-{month:02d}-{day:02d}",
        "sex": "男",
        "guardian": f"{surname}大{given}",
        "phone": f"139{place:04d}{day:04d}",
        "town": town,
    }
    for place, (surname, given, month, day, town) in enumerate(
        (surname, given, month, day, town)
        for month, (surname, town) in enumerate(zip("赵钱孙周吴郑冯", "东西南北东西南", strict=True), 1)
        for day, given in enumerate(("建平", "国栋", "永康", "立诚", "海涛", "振华", "天佑", "景行"), 3)
    )
]
"""A township of ordinary people around the case, as real lists have."""


def people(label: str, rows: list[Row], *without: str) -> People:
    def column(key: str) -> list[str]:
        return [row.get(key, "") if key not in without else "" for row in rows]

    return People(
        label,
        column("name"),
        former_names=column("former"),
        id_numbers=column("id"),
        registry_numbers=column("registry"),
        births=column("birth"),
        sexes=column("sex"),
        guardians=[column("guardian")],
        phones=column("phone"),
        townships=column("town"),
    )


def found(left: list[Row], right: list[Row]) -> Matching:
    return match_lists(people("A", left + FILLERS), people("B", right + FILLERS))


def pairs_of(left: list[Row], right: list[Row]) -> list[Pair]:
    return [pair for pair in found(left, right) if pair.left_row <= len(left) or pair.right_row <= len(right)]


CHILD: Row = {
    "name": "王浩宇", "id": number("20130506", 121), "birth": "2013-05-06", "sex": "男", "guardian": "王建国", "phone": "13800001111",
    "town": "东",
}  # fmt: skip


def only(left: Row, right: Row) -> Pair:
    pairs = pairs_of([left], [right])
    assert len(pairs) == 1, pairs
    return pairs[0]


def test_the_same_number_and_name_are_matched() -> None:
    pair = only(CHILD, CHILD)
    assert (pair.left_list, pair.left_row, pair.right_list, pair.right_row, pair.answer) == ("A", 1, "B", 1, "matched")
    assert pair.reason == "姓名同、证件号同、出生同、监护人同、电话同、乡镇同。"


def test_a_wrong_digit_is_found_by_the_check_digit_and_named() -> None:
    broken = CHILD["id"][:16] + ("3" if CHILD["id"][16] != "3" else "5") + CHILD["id"][17]
    pair = only(CHILD, {**CHILD, "id": broken})
    assert pair.answer == "matched"
    assert pair.reason == "姓名同、证件第 17 位不同、出生同、监护人同、电话同、乡镇同；A有效。"


def test_two_valid_numbers_are_never_matched_without_a_person() -> None:
    pair = only(CHILD, {**CHILD, "id": number("20130506", 347)})
    assert pair.answer == "review"
    assert pair.reason.endswith("两个有效证件号不能自动归为一人，请核对。")


def test_answers_are_matched_not_found_or_ambiguous() -> None:
    stranger = {
        **CHILD,
        "name": "徐若曦",
        "id": number("20100101", 222),
        "birth": "2010-01-01",
        "guardian": "徐大",
        "phone": "",
    }
    matching = found([CHILD, stranger], [CHILD])
    assert isinstance(matching.answer("A", 0, "B"), Matched)
    assert isinstance(matching.answer("A", 1, "B"), NotFound)
    doubtful = found([CHILD], [{**CHILD, "id": number("20130506", 347)}]).answer("A", 0, "B")
    assert isinstance(doubtful, Ambiguous)
    assert len(doubtful.candidates) == 1


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        ({}, {"name": "王昊宇"}, "姓名同音不同字"),
        ({}, {"name": "王浩于"}, "姓名同音不同字"),
        ({}, {"name": "王 浩　宇"}, "姓名同"),
        ({}, {"name": "浩宇王"}, "姓名用字同、次序不同"),
        ({}, {"name": "王浩"}, "姓名多字或少字"),
        ({}, {"name": "王洁宇"}, "姓名一字不同"),
        ({}, {"name": "王浩□"}, "姓名除无法辨认的字外相同"),
        ({"name": "陈永东"}, {"name": "陳永東"}, "姓名同"),
        ({"name": "阿依古丽·买买提"}, {"name": "阿依古丽.买买提"}, "姓名同"),
        ({"name": "王䶮"}, {"name": "王\ue863"}, "姓名除无法辨认的字外相同"),
        ({"name": "单于飞"}, {"name": "单于菲"}, "姓名同音不同字"),
        ({"name": "王小虎", "former": "王浩宇"}, {"name": "王浩宇"}, "曾用名同"),
        ({}, {"name": "王俊熙（曾用名：王浩宇）"}, "曾用名同"),
    ],
)  # fmt: skip
def test_a_number_confirmed_by_another_spelling_of_the_name_is_matched(left: Row, right: Row, words: str) -> None:
    pair = only({**CHILD, **left}, {**CHILD, **right})
    assert pair.answer == "matched", pair
    assert pair.reason.split("、")[0] == words.split("、")[0]


NUMBER = CHILD["id"]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (NUMBER[:9] + NUMBER[10] + NUMBER[9] + NUMBER[11:], "证件第 10、11 位颠倒"),
        (NUMBER[:11] + NUMBER[12:], "位多或少一位"),
        (NUMBER[:15] + "7" + NUMBER[15:], "位多或少一位"),
        (NUMBER[:17] + ("5" if NUMBER[17] != "5" else "6"), "证件第 18 位不同"),
        (NUMBER[:3] + "8" + NUMBER[4:8] + "4" + NUMBER[9:], "证件号有两处不同"),
        (NUMBER[:6] + NUMBER[8:17], "证件号与十五位旧号相符"),
        (NUMBER[:15] + "000", "证件号末三位被表格抹去"),
        (NUMBER[:6] + "********" + NUMBER[14:], "证件号未遮盖的各位相同"),
        ("".join(chr(ord(char) + 0xFEE0) for char in NUMBER), "证件号同"),
        ("'" + NUMBER[:6] + " " + NUMBER[6:], "证件号同"),
        ("", "B无有效证件号"),
        ("无", "B无有效证件号"),
    ],
)
def test_broken_numbers_of_the_same_child_are_matched_and_explained(written: str, words: str) -> None:
    pair = only(CHILD, {**CHILD, "id": written})
    assert pair.answer == "matched", pair
    assert words in pair.reason


def test_an_old_number_inside_the_registry_number_counts_and_two_valid_ones_are_still_asked() -> None:
    old = number("20130506", 347)
    without = only({**CHILD, "id": old}, {**CHILD, "id": "", "registry": "G" + old})
    assert without.answer == "matched"
    assert "与学籍号中的证件号相符" in without.reason
    renewed = only({**CHILD, "id": old}, {**CHILD, "registry": "G" + old})
    assert renewed.answer == "review"


TWIN: Row = {**CHILD, "name": "王浩轩", "id": number("20130506", 123)}
BROTHER: Row = {**CHILD, "name": "王浩然", "id": number("20151111", 135), "birth": "2015-11-11"}


def test_twins_keep_to_themselves_even_when_a_number_is_missing() -> None:
    pairs = pairs_of([CHILD, TWIN], [{**TWIN, "id": ""}, {**CHILD, "id": ""}])
    assert {(pair.left_row, pair.right_row) for pair in pairs if pair.answer == "matched"} == {(1, 2), (2, 1)}


def test_a_twin_who_stands_in_one_list_only_is_not_matched_with_the_other() -> None:
    assert not [pair for pair in pairs_of([CHILD], [TWIN]) if pair.answer == "matched"]


def test_a_brother_is_not_matched_by_guardian_phone_and_township() -> None:
    assert pairs_of([CHILD], [BROTHER]) == []


def test_a_brothers_number_typed_in_is_put_to_a_person() -> None:
    pairs = pairs_of([CHILD, BROTHER], [{**CHILD, "id": BROTHER["id"]}])
    assert {(pair.left_row, pair.answer) for pair in pairs} == {(1, "review")}


def test_a_twins_number_typed_in_is_put_to_a_person() -> None:
    """Birth date, sex, guardian and phone of twins are the same: only the name speaks."""
    brother = {**CHILD, "name": "王志强"}
    pair = only(CHILD, brother)
    assert (pair.answer, pair.reason) == (
        "review",
        "姓同名不同、证件号同、出生同、监护人同、电话同、乡镇同。证件号相同而姓名不符，请核对是改名还是错填他人证件号。",
    )
    lists = [people(label, [row, *FILLERS]) for label, row in (("A", CHILD), ("B", brother), ("C", CHILD))]
    third = [(one.left_list, one.right_list, one.answer) for one in match_lists(*lists) if one.left_row == 1]
    assert third == [("A", "B", "review"), ("A", "C", "matched"), ("B", "C", "review")]


def test_the_same_number_with_another_name_is_asked() -> None:
    stranger = {**CHILD, "name": "李雨桐", "birth": "", "guardian": "", "phone": ""}
    pair = only(CHILD, stranger)
    assert pair.answer == "review"
    assert pair.reason.endswith("证件号相同而姓名不符，请核对是改名还是错填他人证件号。")


def test_rows_without_any_name_are_compared_without_complaint() -> None:
    nameless = {**CHILD, "name": "", "guardian": ""}
    found = match_lists(people("A", []), people("B", [nameless]), people("C", [nameless]))
    assert [(pair.left_list, pair.right_list, pair.answer) for pair in found] == [("B", "C", "review")]


def test_a_name_alone_is_never_matched() -> None:
    alone = {"name": "王浩宇"}
    assert {pair.answer for pair in pairs_of([alone], [alone])} <= {"review"}


def test_namesakes_are_told_apart_by_what_else_is_known() -> None:
    other = {**CHILD, "id": number("20110203", 55), "birth": "2011-02-03", "guardian": "王长根", "phone": "13900002222"}
    pairs = pairs_of([{**CHILD, "id": ""}, other], [{**other, "id": ""}, CHILD])
    assert {(pair.left_row, pair.right_row, pair.answer) for pair in pairs} == {(1, 2, "matched"), (2, 1, "matched")}


def test_a_family_that_moved_is_found_by_name_birth_and_guardian() -> None:
    assert only({**CHILD, "id": ""}, {**CHILD, "id": "", "town": "西", "phone": "13677778888"}).answer == "matched"


def test_an_empty_guardian_and_phone_agree_with_nothing() -> None:
    bare = {"name": "王浩宇", "sex": "男", "guardian": "", "phone": ""}
    evidence = [dict(pair.evidence) for pair in pairs_of([bare], [bare])]
    assert all("guardian" not in columns and "phone" not in columns for columns in evidence)


def test_somebody_who_stands_twice_is_matched_once_and_the_other_row_is_asked() -> None:
    pairs = pairs_of([CHILD], [CHILD, {**CHILD, "phone": ""}])
    assert sorted((pair.right_row, pair.answer) for pair in pairs) == [(1, "matched"), (2, "review")]


def test_three_lists_close_the_triangle() -> None:
    lists = (
        people("A", [{**CHILD, "guardian": "", "phone": ""}, *FILLERS]),
        people("B", [{**CHILD, "name": "王皓宇"}, *FILLERS]),
        people(
            "C", [{"name": "王皓宇", "birth": "2013-05-06", "guardian": "王建国", "phone": "13800001111"}, *FILLERS]
        ),
    )
    first = [pair for pair in match_lists(*lists) if pair.left_row == 1]
    assert [(pair.left_list, pair.right_list, pair.answer) for pair in first] == [
        ("A", "B", "matched"), ("A", "C", "matched"), ("B", "C", "matched"),
    ]  # fmt: skip


def test_a_row_is_not_made_the_bridge_between_two_valid_numbers() -> None:
    lists = (
        people("A", [CHILD, *FILLERS]),
        people("B", [{**CHILD, "id": ""}, *FILLERS]),
        people("C", [{**CHILD, "id": number("20130506", 347)}, *FILLERS]),
    )
    first = [pair for pair in match_lists(*lists) if pair.left_row == 1]
    assert {pair.answer for pair in first} == {"review"}


@pytest.mark.parametrize("without", ["id", "birth", "guardian", "phone", "town", "sex"])
def test_a_missing_column_leaves_the_rest_to_decide(without: str) -> None:
    found = match_lists(people("A", [CHILD, *FILLERS], without), people("B", [CHILD, *FILLERS]))
    assert sum(pair.answer == "matched" for pair in found) == 57


def test_lists_without_any_number_are_matched_by_name_birth_and_family() -> None:
    found = match_lists(people("A", [CHILD, *FILLERS], "id"), people("B", [CHILD, *FILLERS], "id"))
    assert [(pair.left_row, pair.right_row, pair.answer) for pair in found] == [
        (row, row, "matched") for row in range(1, 58)
    ]


def test_tiny_and_empty_lists() -> None:
    assert list(match_lists(People("A", []), People("B", [CHILD["name"]]))) == []
    assert list(match_lists(People("A", ["", " "]), People("B", ["?", ""]))) == []
    lone = match_lists(people("A", [CHILD]), people("B", [BROTHER, CHILD, TWIN]))
    assert [(pair.left_row, pair.right_row, pair.answer) for pair in lone] == [(1, 2, "matched")]


def test_lists_that_hardly_overlap() -> None:
    found = match_lists(people("A", FILLERS[:30]), people("B", FILLERS[29:]))
    assert [(pair.left_row, pair.right_row, pair.answer) for pair in found] == [(30, 1, "matched")]


def test_ten_thousand_namesakes_do_not_explode() -> None:
    size = 10_000
    births = [f"{2009 + place % 10}-{place % 12 + 1:02d}-{place % 28 + 1:02d}" for place in range(size)]
    lists = [People(label, ["王伟"] * size, births=births, townships=["东山镇"] * size) for label in "AB"]
    table = table_of(lists)
    left, right = candidates(table, np.arange(size), np.arange(size, 2 * size))
    assert len(left) <= 40 * size  # of a hundred million
    assert len(match_lists(*lists)) < 3 * size


def test_lists_without_labels_of_their_own_and_columns_of_other_length_are_refused() -> None:
    with pytest.raises(ValueError, match="label of its own"):
        match_lists(People("A", ["王伟"]), People("A", ["王伟"]))
    with pytest.raises(ValueError, match="has 1 cells, not 2"):
        People("A", ["王伟", "李强"], phones=["13800001111"])


# --- what holds for any lists

_ROWS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["王浩宇", "王昊宇", "王浩然", "王浩", "李静", "李婧", "宇浩王", ""]),
        "id": st.sampled_from(["", NUMBER, number("20130506", 123), number("20151111", 135), NUMBER[:16] + "9" + NUMBER[17], NUMBER[:17]]),
        "birth": st.sampled_from(["", "2013-05-06", "2013-06-05", "2015-11-11", "20130506"]),
        "sex": st.sampled_from(["", "男", "女"]),
        "guardian": st.sampled_from(["", "王建国", "李秀英"]),
        "phone": st.sampled_from(["", "13800001111", "13800001112"]),
        "town": st.sampled_from(["东", "西镇"]),
    }
)  # fmt: skip
_LISTS = st.lists(_ROWS, max_size=8, unique_by=lambda row: tuple(row.items()))


def _content(matching: Matching, lists: dict[str, list[Row]]) -> set[tuple[object, ...]]:
    return {
        (
            frozenset(
                (label, tuple(lists[label][row - 1].items()))
                for label, row in ((pair.left_list, pair.left_row), (pair.right_list, pair.right_row))
            ),
            pair.answer,
        )
        for pair in matching
    }


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(_LISTS, _LISTS, _LISTS, st.randoms(use_true_random=False))
def test_any_lists(one: list[Row], two: list[Row], three: list[Row], rng: random.Random) -> None:
    """One to one; never two different valid numbers; neither the order of lists nor that of rows matters."""
    lists = {"A": one, "B": two, "C": three}
    matching = match_lists(*(people(label, rows) for label, rows in lists.items()))
    used: set[tuple[str, int, str]] = set()
    for pair in matching:
        if pair.answer == "matched":
            ends = {(pair.left_list, pair.left_row, pair.right_list), (pair.right_list, pair.right_row, pair.left_list)}
            assert not ends & used
            used |= ends
            left, right = (
                lists[pair.left_list][pair.left_row - 1]["id"],
                lists[pair.right_list][pair.right_row - 1]["id"],
            )
            assert left == right or not (is_valid_id(left) and is_valid_id(right))
    two_lists = {"A": one, "B": two}
    forth = match_lists(people("A", one), people("B", two))
    back = match_lists(people("B", two), people("A", one))
    assert _content(forth, two_lists) == _content(back, two_lists)
    shuffled = {"A": rng.sample(one, len(one)), "B": rng.sample(two, len(two))}
    again = match_lists(people("A", shuffled["A"]), people("B", shuffled["B"]))
    assert _content(again, shuffled) == _content(forth, two_lists)
