"""Hardship lists 低保、特困、孤儿、事实无人抚养、残疾、烈士子女 …: persons of one or several categories, from civil affairs and others.

The category cuts the list into slices: a new 低保 list replaces the last 低保 list and leaves the 残疾 list alone.
"""

from eduaid.core import codes
from eduaid.core.lists import Column, ListKind, Place, Reading, RowFinding, Values, plain
from eduaid.core.roles import Reach
from eduaid.core.text import parse_date

from . import checks, departures, locate
from . import columns as c
from .destination import CHILDREN

CATEGORY = Column(
    "category",
    "困难类型",
    plain(codes.HARDSHIP_TYPE.parse),
    (
        "家庭困难类型",
        "特殊群体类型",
        "受助学生困难类别",
        "四类学生",
        "类别",
        "保障类别",
        "救助类别",
        "对象类别",
        "困难类别",
        "低保类别",
    ),
    choices=tuple(entry.label for entry in codes.HARDSHIP_TYPE),
)
LEVEL = Column(
    "level",
    "认定等级",
    plain(c.text),
    ("等级", "残疾等级", "残疾级别", "保障等级"),
    facts=lambda value: {"level": value},
)
SINCE = Column(
    "since",
    "起始日期",
    plain(parse_date),
    ("享受起始日期", "认定时间", "起保时间", "批准日期"),
    facts=lambda day: {"since": day.isoformat()},
)

# Lists of one category say it in their title or file name only.
_TITLES = (
    ("低保", "2"),
    ("最低生活保障", "2"),
    ("特困", "3"),
    ("五保", "3"),
    ("事实无人抚养", "4"),
    ("孤儿", "4"),
    ("残疾", "5"),
    ("烈士", "6"),
    ("优抚", "6"),
)


def _locate(row: Values, reading: Reading) -> RowFinding | None:
    number = row.get("id_number")
    if number and number.born_on and not row.get("birth"):
        row.facts["birth_on"] = number.born_on.isoformat()
    if number and number.sex and not row.get("sex"):
        row.facts["sex"] = number.sex
    category = row.get("category") or next(
        (code for word, code in _TITLES if word in f"{reading.title}{reading.sheet}"), ""
    )
    if not category and row.get("disability") not in (None, "0"):
        category = "5"
    finding = locate.by_town(row, reading)
    if not category:
        return finding or RowFinding("category", "required")
    row.subkey = category
    row.facts["category"] = category
    return finding


HARDSHIP = ListKind(
    key="hardship",
    label="困难群体",
    source="民政、残联等部门",
    about="低保、特困、孤儿、事实无人抚养、残疾、烈士子女等名单。没有类型列时，按标题或文件名认定类型。",
    columns=(
        c.SEQUENCE,
        c.TOWN,
        c.VILLAGE,
        c.HEAD_NAME,
        c.NAME,
        c.SEX,
        c.ETHNICITY,
        c.BIRTH,
        c.ID_KIND,
        c.required(c.ID_NUMBER),
        CATEGORY,
        LEVEL,
        SINCE,
        c.DISABILITY,
        c.GUARDIAN,
        c.RELATION,
        c.PHONE,
        c.ADDRESS,
        c.HOME_ADDRESS,
        c.NOTE,
    ),
    checks=checks.PERSON,
    place=Place.TOWNSHIP,
    locate=_locate,
    destination=CHILDREN,
    senders=frozenset({Reach.COUNTY, Reach.TOWNSHIP}),
    departures=departures.HARDSHIP,
)
