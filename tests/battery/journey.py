"""The lists of the journey: a township's class roster as it stands, and the next one with what offices get wrong in it.

Nobody is real: the numbers start with the code of the fictional county.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from eduaid.core.text.ids import check_digit
from students.demo import xlsx
from students.demo.identifiers import phone
from students.demo.names import given_name, surname

HEADERS = (
    "序号",
    "学校名称",
    "年级",
    "班级",
    "姓名",
    "性别",
    "出生日期",
    "民族",
    "身份证件号",
    "是否寄宿",
    "监护人姓名",
    "监护人电话",
)
_SCHOOL, _GRADE, _NAME, _ETHNICITY, _NUMBER = 1, 2, 4, 7, 8
_GRADES = ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级")
Cell = str | int | None


@dataclass(frozen=True)
class Journey:
    """`before` is in force when the journey starts; `after` is what the township drops.

    `wrong` counts the planted cells by kind, `typed` gives the right number for each line that must be typed.
    """

    before: bytes
    after: bytes
    rows: int
    wrong: dict[str, int]
    missing: int
    typed: dict[int, str] = field(default_factory=dict)


def make_journey(
    schools: Sequence[str], rows: int = 9351, *, missing: int = 9, ethnicity: str = "汉祖", grade: str = "毕业班"
) -> Journey:
    """2 % of the lines are wrong: four kinds that are settled at once each, and eleven numbers that must be typed.

    `ethnicity` and `grade` are words that nobody knows; a place that has explained one is not asked again.
    """
    rng = random.Random("journey")
    numbers: set[str] = set()
    pupils = [_pupil(rng, numbers, schools[place % len(schools)], place) for place in range(rows + missing)]
    kinds = {"number": 11, "ethnicity": rows // 150, "name": rows // 180, "school": rows // 230, "grade": rows // 350}
    after = [list(pupil) for pupil in pupils[missing:]]
    places = iter(rng.sample(range(rows), sum(kinds.values())))
    typed: dict[int, str] = {}
    for kind, count in kinds.items():
        for place in [next(places) for _ in range(count)]:
            _spoil(kind, after[place], ethnicity, grade)
            if kind == "number":
                typed[place + 2] = str(pupils[place + missing][_NUMBER])
    return Journey(_book(pupils), _book(after), rows, kinds, missing, dict(sorted(typed.items())))


def _spoil(kind: str, row: list[Cell], ethnicity: str, grade: str) -> None:
    match kind:
        case "number":
            number = str(row[_NUMBER])
            row[_NUMBER] = number[:-1] + ("0" if number[-1] != "0" else "1")
        case "ethnicity":
            row[_ETHNICITY] = ethnicity
        case "name":
            name = str(row[_NAME])
            row[_NAME] = f"{name[0]}  {name[1:]}"
        case "school":
            row[_SCHOOL] = f"{row[_SCHOOL]}（本部）"
        case "grade":
            row[_GRADE] = grade


def _pupil(rng: random.Random, numbers: set[str], school: str, place: int) -> list[Cell]:
    sex = rng.choice(("男", "女"))
    grade = place % len(_GRADES)
    born = dt.date(2019 - grade, 9, 1) + dt.timedelta(rng.randrange(365))
    family = surname(rng)
    return [
        place + 1,
        school,
        _GRADES[grade],
        f"{place // 400 % 6 + 1}班",
        family + given_name(rng, sex, young=True, rare=0.0),
        sex,
        born.isoformat(),
        "汉族",
        _number(rng, numbers, born, sex),
        "走读",
        family + given_name(rng, "男", young=False),
        phone(place),
    ]


def _number(rng: random.Random, issued: set[str], born: dt.date, sex: str) -> str:
    """From 700 on: the example county's own children have lower sequence numbers."""
    while True:
        body = f"990121{born:%Y%m%d}{rng.randrange(700, 998, 2) + (sex == '男'):03d}"
        number = body + check_digit(body)
        if number not in issued and not number.endswith("000"):
            issued.add(number)
            return number


def _book(pupils: Sequence[Sequence[Cell]]) -> bytes:
    rows: list[Sequence[Cell]] = [HEADERS, *pupils]
    return xlsx.write([("名册", rows, 1, [])])
