"""Class rosters of any size for measuring: 24 columns, generated people, the bytes of a real workbook.

Nobody is real: every ID number starts with 99, which no region of the country has. Plain Python, no Django; the same
seed gives the same cells.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from students.demo import xlsx
from students.demo.identifiers import IdentityNumbers, phone, registry_number
from students.demo.names import given_name, surname

COUNTY_CODE = "990121"
EFFECTIVE_ON = dt.date(2026, 9, 10)
SCHOOL_YEAR = 2026
PUPILS_PER_CLASS = 42
PUPILS_PER_SCHOOL = 500


class Column(NamedTuple):
    """`key` names the column in the peers' tables, `header` is the workbook's, `sql` the type to store it as."""

    key: str
    header: str
    sql: str = "text"


COLUMNS = (
    Column("sequence", "序号", "integer"),
    Column("school_name", "学校名称"),
    Column("grade", "年级"),
    Column("class_name", "班级"),
    Column("name", "姓名"),
    Column("former_name", "曾用名"),
    Column("sex", "性别"),
    Column("birth", "出生日期", "date"),
    Column("ethnicity", "民族"),
    Column("id_kind", "身份证件类型"),
    Column("id_number", "身份证件号"),
    Column("registry_number", "学籍号"),
    Column("boarding", "就读方式"),
    Column("left_behind", "是否留守儿童"),
    Column("migrant", "是否进城务工人员随迁子女"),
    Column("orphan", "是否孤儿"),
    Column("disability", "残疾类型"),
    Column("guardian", "监护人姓名"),
    Column("guardian_relation", "与学生关系"),
    Column("guardian_phone", "监护人电话"),
    Column("phone", "联系电话"),
    Column("address", "现住址"),
    Column("class_teacher", "班主任"),
    Column("note", "备注"),
)
_PLACE = {column.key: position for position, column in enumerate(COLUMNS)}
Cell = str | int | None
Pupil = list[Cell]


@dataclass(frozen=True)
class School:
    code: str
    name: str
    stage: str
    town: int
    """Position of its township."""


_GRADES = {
    "2": ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级"),
    "3": ("七年级", "八年级", "九年级"),
}
_VILLAGES = tuple(side + place for side in "东西南北上下" for place in "坊坪塘坑湾屋")
_AGE_AT_ENTRY = {"2": 6, "3": 12}


@dataclass(frozen=True)
class Roster:
    """A county's pupils of one term, school by school, and the places that they name."""

    towns: tuple[str, ...]
    schools: tuple[School, ...]
    pupils: tuple[Pupil, ...]

    def workbook(self) -> bytes:
        return workbook(self.pupils)

    def in_other_bytes(self) -> bytes:
        """The same rows from last to first: another file with another order, and nothing new in it."""
        return workbook(self.pupils[::-1])

    def with_changes(self, share: float) -> tuple[bytes, int]:
        """The same list with this share of the pupils, spread evenly, in a class of another number; and how many."""
        changed = range(0, len(self.pupils), round(1 / share))
        return self.with_class(changed, "19班").workbook(), len(changed)

    def with_class(self, positions: Iterable[int], class_name: str) -> Roster:
        pupils = [list(pupil) for pupil in self.pupils]
        for position in positions:
            pupils[position][_PLACE["class_name"]] = class_name
        return Roster(self.towns, self.schools, tuple(pupils))

    def first(self, count: int) -> Roster:
        return self if count >= len(self.pupils) else Roster(self.towns, self.schools, self.pupils[:count])


def workbook(pupils: Sequence[Pupil]) -> bytes:
    """One sheet, header in the first row as peers expect it, text in a table of shared strings as offices write it."""
    rows: list[Sequence[Cell]] = [[column.header for column in COLUMNS], *pupils]
    return xlsx.write([("名册", rows, 1, [])])


def make_roster(rows: int, *, series: int = 0) -> Roster:
    """Pupils of as many schools as the number asks for, in twenty townships.

    Rosters of different series (0 to 8) have no pupil and no school in common.
    """
    rng = random.Random(f"roster {series} {rows}")
    towns = tuple(f"{name}塘镇" for name in "东西南北中上下前后新老大小长高平清白石金")
    schools = tuple(_schools(-(-rows // PUPILS_PER_SCHOOL), towns, series))
    numbers = IdentityNumbers(rng)
    pupils: list[Pupil] = []
    for school in schools:
        count = min(PUPILS_PER_SCHOOL, rows - len(pupils))
        for place in range(count):
            grade = place * len(_GRADES[school.stage]) // count
            room = place // PUPILS_PER_CLASS % 4 + 1
            pupils.append(_pupil(school, towns[school.town], grade, room, len(pupils) + 1, series, rng, numbers))
    return Roster(towns, schools, tuple(pupils))


def _schools(count: int, towns: Sequence[str], series: int) -> Iterable[School]:
    for number in range(count):
        town = number % len(towns)
        stage = "3" if number % 4 == 3 else "2"
        kind = "初级中学" if stage == "3" else "小学"
        name = f"{towns[town]}{'甲乙丙丁戊己庚辛壬'[series]}{number // len(towns) + 1}{kind}"
        yield School(f"{stage}199{series}{number:05d}", name, stage, town)


def _pupil(
    school: School,
    town: str,
    grade: int,
    room: int,
    sequence: int,
    series: int,
    rng: random.Random,
    numbers: IdentityNumbers,
) -> Pupil:
    sex = rng.choice(("男", "女"))
    year = SCHOOL_YEAR - _AGE_AT_ENTRY[school.stage] - grade - 1
    born = dt.date(year, 9, 1) + dt.timedelta(rng.randrange(365))
    region = str(int(COUNTY_CODE) + series)
    id_number = numbers.issue(region, born, sex)
    family = surname(rng)
    disabled = rng.random() < 0.01
    return [
        sequence,
        school.name,
        _GRADES[school.stage][grade],
        f"{room}班",
        family + given_name(rng, sex, young=True, rare=0.002),
        None,
        sex,
        born.isoformat(),
        "汉族" if rng.random() < 0.93 else rng.choice(("畲族", "回族", "苗族", "壮族")),
        "居民身份证",
        id_number,
        registry_number("G", id_no=id_number, school_region=region, born=born, serial=sequence),
        "寄宿" if rng.random() < 0.3 else "走读",
        rng.choices(("非留守儿童", "单亲留守儿童", "双亲留守儿童"), (70, 18, 12))[0],
        "是" if rng.random() < 0.06 else "否",
        "是" if rng.random() < 0.003 else "否",
        rng.choice(("视力残疾", "听力残疾", "肢体残疾", "智力残疾")) if disabled else "无残疾",
        family + given_name(rng, "男", young=False),
        rng.choice(("父亲", "母亲", "爷爷", "奶奶")),
        phone(sequence * 2),
        phone(sequence * 2 + 1) if rng.random() < 0.4 else None,
        f"示例县{town}{rng.choice(_VILLAGES)}村{rng.randint(1, 20)}组{rng.randint(1, 90)}号",
        surname(rng) + given_name(rng, "女", young=False),
        "随班就读" if disabled else None,
    ]
