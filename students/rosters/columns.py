"""The columns that several roster kinds share: headers as real lists write them, how cells are read, what is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eduaid.core import codes
from eduaid.core.cells import Cell
from eduaid.core.column_content import Content
from eduaid.core.lists import Column, Json, Parser, Reading, plain
from eduaid.core.models import School
from eduaid.core.places import FoundRegion
from eduaid.core.sealing import digest
from eduaid.core.text import (
    Grade,
    IdNumber,
    SchoolClass,
    XuejiNumber,
    name_key,
    parse_class,
    parse_date,
    parse_flag,
    parse_grade,
    parse_id,
    parse_month,
    parse_name,
    parse_phone,
    parse_xueji,
    tidy,
)
from eduaid.core.text import plain as plain_text
from eduaid.core.text.characters import unusable
from eduaid.core.text.results import Parsed, Problem, Result
from eduaid.core.text.schooling import JUNIOR, SENIOR, VOCATIONAL
from students.facts import age_on, id_facts, name_facts


def hukou_facts(found: FoundRegion, reading: Reading) -> Mapping[str, Json]:
    town = reading.regions.town_of(found.region) if found.region else None
    village = found.region if found.region is not None and found.region is not town else None
    return {
        "hukou_known": True,
        "hukou_town_id": town.pk if town else None,
        "hukou_village_id": village.pk if village else None,
        "hukou_outside": found.is_outside,
    }


def text(cell: Cell) -> Result[str]:
    """Free text, tidied. A formula without a result is not an empty cell."""
    if problem := unusable(cell):
        return problem
    value = tidy(plain_text(cell))
    return Parsed(value[:200]) if value else None


def _id_again(cell: Cell, row: Mapping[str, Any], reading: Reading) -> Result[IdNumber]:
    answer = parse_id(cell, row.get("id_kind") or "1")
    if isinstance(answer, Problem) and answer.code == "id-15" and not _may_have_old_id(row, reading):
        return Problem("id-15-child")
    return answer


# From this day on children got eighteen digits.
_NEW_IDS = dt.date(1999, 10, 1)


def _may_have_old_id(row: Mapping[str, Any], reading: Reading) -> bool:
    """Adults only. A list of pupils has none unless it says so; a list of households may leave birth dates out."""
    birth: dt.date | None = row.get("birth")
    return birth < _NEW_IDS if birth else not reading.kind.is_by_school()


def _grade_reader(reading: Reading) -> Parser:
    return lambda cell: parse_grade(cell, school_year=reading.school_year)


def _grade_again(cell: Cell, row: Mapping[str, Any], reading: Reading) -> Result[Grade]:
    """A bare number or a cohort needs the school's stage; a school of several stages tells it by the child's age."""
    return parse_grade(cell, stage=stage_of(row, reading), school_year=reading.school_year)


LATER = (JUNIOR, SENIOR, VOCATIONAL)
"""Stages whose first years are also called 一年级 …"""


def stage_of(row: Mapping[str, Any], reading: Reading) -> str:
    """The stage that the row's school has; of several, the one that fits the child's age; empty when nobody can say."""
    school: School | None = row.get("school_code") or row.get("school_name") or reading.school
    stages = list(school.stages) if school else []
    if len(stages) == 1:
        return str(stages[0])
    birth: dt.date | None = row.get("birth") or (row["id_number"].born_on if row.get("id_number") else None)
    if birth is None:
        return ""
    age = age_on(birth, dt.date(reading.school_year, 9, 1))
    fitting = "1" if age < 6 else "2" if age < 12 else "3" if age < 15 else "4" if "4" in stages else "5"
    return fitting if fitting in stages else ""


def _class_reader(reading: Reading) -> Parser:
    return lambda cell: parse_class(cell, school_year=reading.school_year)


def _class_again(cell: Cell, row: Mapping[str, Any], reading: Reading) -> Result[SchoolClass]:
    return parse_class(cell, stage=stage_of(row, reading), school_year=reading.school_year)


def _class_facts(found: SchoolClass) -> Mapping[str, Json]:
    return {"class_name": found.label[:20]}


def _birth_again(cell: Cell, row: Mapping[str, Any], reading: Reading) -> Result[dt.date]:
    """A birth month without its day is completed by a valid ID of the same month (出生年月 is a usual column)."""
    month = parse_month(cell)
    number: IdNumber | None = row.get("id_number")
    if (
        isinstance(month, Parsed)
        and number
        and number.born_on
        and (number.born_on.year, number.born_on.month) == (month.value.year, month.value.month)
    ):
        return Parsed(number.born_on, "date-form")
    return parse_date(cell)


def _date_reader(reading: Reading) -> Parser:
    return lambda cell: parse_date(cell, epoch_1904=reading.epoch_1904)


def _coded(table: codes.Table, either: Mapping[str, str], said: Mapping[bool, str]) -> Parser:
    """A table whose column some offices use as yes and no. `either`: bare digits that are a code in one office and yes or no
    in another, with what they may mean; they are asked. `said`: the codes of a plain yes and no (√, ×, TRUE, N)."""
    several = {
        digit: Problem("code-several", {"table": table.title, "candidates": may}) for digit, may in either.items()
    }

    def parse(cell: Cell) -> Result[str]:
        if problem := several.get(plain_text(cell).strip()):
            return problem
        answer = table.parse(cell)
        if (
            isinstance(answer, Problem)
            and answer.code == "code-unknown"
            and plain_text(cell).strip() not in ("有", "无")
        ):
            flag = parse_flag(cell)
            if isinstance(flag, Parsed):
                return Parsed(said[flag.value], "code-form")
        return answer

    return parse


def _flag(key: str, label: str, *synonyms: str) -> Column:
    return Column(key, label, plain(parse_flag), synonyms, choices=("是", "否"))


SEQUENCE = Column("sequence", "序号", plain(text), ("编号", "行"), facts=lambda _value: {}, fills_down=True)
NAME = Column(
    "name",
    "姓名",
    plain(parse_name),
    ("学生姓名", "学生", "名字", "学生名字", "幼儿姓名", "家庭成员姓名", "成员姓名"),
    required=True,
    facts=name_facts,
    content=Content.NAME,
)
FORMER_NAME = Column(
    "former_name", "曾用名", plain(parse_name), ("别名",), facts=lambda name: {"former_key": name_key(name)}
)
ID_KIND = Column(
    "id_kind",
    "身份证件类型",
    plain(codes.ID_TYPE.parse),
    ("证件类型", "身份证类型"),
    facts=lambda _kind: {},
    choices=tuple(entry.label for entry in codes.ID_TYPE),
)
ID_NUMBER = Column(
    "id_number",
    "身份证件号",
    plain(parse_id),
    (
        "身份证件号码",
        "身份证号码",
        "身份证号",
        "公民身份号码",
        "公民身份证号码",
        "公民身份证件编号",
        "证件号码",
        "证件号",
        "身份证",
        "证件编号",
        "身份证号(与学籍一致)",
        "身份证明号码",
    ),
    sealed=True,
    facts=id_facts,
    again=_id_again,
    content=Content.ID,
    help="18 位，请先把该列设为文本格式再填写",
)
SEX = Column("sex", "性别", plain(codes.SEX.parse), choices=("男", "女"))
BIRTH = Column(
    "birth",
    "出生日期",
    _date_reader,
    ("出生年月", "生日", "出生", "出生时间"),
    facts=lambda day: {"birth_on": day.isoformat()},
    again=_birth_again,
    content=Content.DATE,
    help="如 2012-09-01",
)
ETHNICITY = Column("ethnicity", "民族", plain(codes.ETHNIC.parse), choices=tuple(entry.label for entry in codes.ETHNIC))


def registry_facts(number: XuejiNumber) -> Mapping[str, Json]:
    """The ID inside a G number as a digest: for a child without a usable ID it is the next best evidence (docs/architecture.md)."""
    return {"embedded_id": digest("id", number.embedded_id).hex()} if number.embedded_id else {}


REGISTRY_NUMBER = Column(
    "registry_number",
    "学籍号",
    plain(parse_xueji),
    ("全国学籍号", "个人标识码"),
    sealed=True,
    facts=registry_facts,
    content=Content.REGISTRY,
    help="字母 G、J 或 L 加 18 位",
)


def _registry_if_one(cell: Cell) -> Result[XuejiNumber]:
    """学籍辅号 and 学籍接续标识 hold the national number in some provinces and one of their own in others: only the first counts."""
    found = parse_xueji(cell)
    return found if isinstance(found, Parsed) else None


REGISTRY_AUXILIARY = Column(
    "registry_auxiliary",
    "学籍辅号",
    plain(_registry_if_one),
    ("省学籍辅号", "省学籍号", "省学籍", "广州学籍号", "教育ID"),
    sealed=True,
    facts=registry_facts,
)
REGISTRY_CONTINUATION = replace(REGISTRY_AUXILIARY, key="registry_continuation", label="学籍接续标识", synonyms=())
PHONE = Column(
    "phone",
    "联系电话",
    plain(parse_phone),
    (
        "电话",
        "手机",
        "手机号",
        "家长电话",
        "联系手机",
        "家长手机号码",
        "户联系电话",
        "家庭成员联系电话",
        "学生本人联系电话",
    ),
    sealed=True,
    content=Content.PHONE,
)
ADDRESS = Column(
    "address", "现住址", plain(text), ("家庭现住址", "现居住地", "居住所在地", "现居地", "学生实际住址"), sealed=True
)
HOME_ADDRESS = Column(
    "home_address", "家庭地址", plain(text), ("家庭住址", "住址", "地址", "通信地址", "详细通讯地址"), sealed=True
)

SCHOOL_CODE = Column(
    "school_code", "学校标识码", lambda reading: reading.schools.parse_code, facts=lambda _school: {}, fills_down=True
)
SCHOOL_NAME = Column(
    "school_name",
    "学校名称",
    lambda reading: reading.schools.parse_name,
    ("就读学校", "就读学校（填当前就读学校）", "办学点名称", "学校", "所在学校"),
    facts=lambda _school: {},
    fills_down=True,
)
GRADE = Column(
    "grade",
    "年级",
    _grade_reader,
    ("就读年级", "所在年级"),
    facts=lambda grade: {"grade": grade.code},
    again=_grade_again,
    choices=tuple(entry.label for entry in codes.GRADE),
    fills_down=True,
)
CLASS = Column(
    "class",
    "班级",
    _class_reader,
    ("班号", "班级号", "班级名称", "班别", "所属班级", "所在班级", "行政班"),
    facts=_class_facts,
    again=_class_again,
    fills_down=True,
)
BOARDING = Column(
    "boarding",
    "就读方式",
    plain(_coded(codes.BOARDING, {"1": "走读、寄宿", "2": "寄宿、走读", "0": "走读、寄宿"}, {True: "2", False: "1"})),
    ("是否寄宿生", "是否住宿生(是/否)", "是否学校寄宿", "是否寄宿", "是否住宿生", "走读/寄宿"),
    facts=lambda code: {"boarding": code == "2"},
    choices=("走读", "寄宿"),
)
LEFT_BEHIND = Column(
    "left_behind",
    "是否留守儿童",
    plain(
        _coded(
            codes.LEFT_BEHIND,
            {"1": "单亲留守儿童、留守儿童（未分类型）", "2": "双亲留守儿童、非留守儿童"},
            {True: "3", False: "0"},
        )
    ),
    ("是否为留守儿童", "留守类型", "非留守儿童/单亲留守儿童/双亲留守儿童（0/1/2）"),
    choices=tuple(entry.label for entry in codes.LEFT_BEHIND),
)
MIGRANT = _flag("migrant", "是否进城务工人员随迁子女", "是否进城务工人员子女", "是否流动人口", "是否随迁子女")
ORPHAN = _flag("orphan", "是否孤儿")
DISABILITY = Column(
    "disability",
    "残疾类型",
    plain(codes.DISABILITY.parse),
    ("残疾人类型", "残疾类别", "障碍类型", "残疾幼儿类别"),
    choices=tuple(entry.label for entry in codes.DISABILITY),
)
GUARDIAN = Column(
    "guardian",
    "监护人姓名",
    plain(parse_name),
    ("家长/监护人姓名", "监护人", "家长姓名", "成员1姓名", "父亲姓名", "监护人(父亲)", "家庭联系人姓名"),
)
GUARDIAN_RELATION = Column(
    "guardian_relation",
    "与学生关系",
    plain(codes.RELATION.parse),
    ("成员1关系", "与本人关系", "监护人关系", "与被监护人关系"),
)
GUARDIAN_PHONE = Column(
    "guardian_phone",
    "监护人电话",
    plain(parse_phone),
    ("成员1联系电话", "监护人联系电话", "家长联系电话", "监护人(父亲)电话", "父亲联系电话", "家庭联系人电话"),
    sealed=True,
    content=Content.PHONE,
)
GUARDIAN_ID = Column(
    "guardian_id",
    "监护人证件号",
    plain(text),
    (
        "成员1身份证件号",
        "监护人身份证件号码",
        "父亲公民身份证号码",
        "家长/监护人身份证号",
        "父亲身份证号",
        "监护人身份证号",
    ),
    sealed=True,
)
NOTE = Column("note", "备注", plain(text), ("说明", "备注1"), sealed=True)

TOWN = Column(
    "town",
    "乡镇",
    lambda reading: reading.regions.parse_town,
    ("乡", "镇", "苏木乡", "乡镇名称", "乡镇/街道"),
    facts=lambda _town: {},
    fills_down=True,
)
VILLAGE = Column(
    "village",
    "行政村",
    plain(text),
    ("村", "噶查村", "乡村", "村名", "村（居）委会", "村(居)"),
    facts=lambda _name: {},
    fills_down=True,
)
HOUSEHOLD_NUMBER = Column(
    "household_no",
    "户号",
    plain(text),
    ("户编号", "家庭编号", "户籍号"),
    facts=lambda value: {"household_no": value[:40]},
    fills_down=True,
)
HEAD_NAME = Column("household_head", "户主姓名", plain(parse_name), ("户主",), fills_down=True)
HEAD_ID = Column(
    "head_id", "户主证件号码", plain(text), ("户主身份证号", "户主公民身份号码"), sealed=True, fills_down=True
)
RELATION = Column(
    "relation",
    "与户主关系",
    plain(codes.RELATION.parse),
    ("户主或与户主关系",),
    facts=lambda code: {"relation": code, "is_head": code == "02"},
)


def required(column: Column) -> Column:
    return replace(column, required=True)
