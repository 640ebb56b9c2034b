"""Who is who in two or three lists: what is matched, what a person is asked, what is left alone, and why."""

from __future__ import annotations

from eduaid.core.text.ids import check_digit
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
