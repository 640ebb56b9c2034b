"""Poverty register 建档立卡 / 脱贫户 / 监测对象: whole households with all their members, from the rural-revitalisation office."""

from collections.abc import Iterator

from eduaid.core import codes
from eduaid.core.lists import Column, ListKind, Place, Reading, RowFinding, Values, plain
from eduaid.core.models.uploads import FindingLevel
from eduaid.core.roles import Reach

from . import checks, departures, locate
from . import columns as c
from .destination import CHILDREN

IN_SCHOOL = Column(
    "in_school",
    "在校生状况",
    plain(codes.IN_SCHOOL.parse),
    ("在校生情况", "在校状况", "在校学生"),
    choices=tuple(entry.label for entry in codes.IN_SCHOOL),
)
OUT_REASON = Column(
    "out_reason",
    "义务教育阶段未上学原因",
    plain(c.text),
    ("失学或辍学原因", "适龄未入学原因", "未上学原因"),
)
POVERTY_TYPE = Column(
    "poverty_type",
    "贫困户属性",
    plain(codes.POVERTY_STATUS.parse),
    ("户类型", "贫困属性"),
    choices=tuple(entry.label for entry in codes.POVERTY_STATUS),
)
MONITOR_TYPE = Column("monitor_type", "监测对象类别", plain(codes.POVERTY_STATUS.parse))


def school_age_says_where(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """Rule 1_02_005 of the monitoring system: a member of 6 to 16 is in school, or there is a reason why not."""
    birth = row.get("birth") or (row.get("id_number").born_on if row.get("id_number") else None)
    if birth is None or not 6 <= c.age_on(birth, reading.effective_on) <= 16:
        return
    if not row.get("in_school") and not row.get("out_reason"):
        yield RowFinding("in_school", "poverty-school-age-blank", FindingLevel.WARNING)


def relation_is_told(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """A warning: without it the household is kept together by its number alone."""
    if not row.get("relation"):
        yield RowFinding("relation", "relation-missing", FindingLevel.WARNING)


# 建档立卡 households by their kind until 2020; those that have left poverty are 脱贫户 since 2021.
_REGISTERED, _OUT_OF_POVERTY = ("1", "2", "3"), "4"


def _locate(row: Values, reading: Reading) -> RowFinding | None:
    """Township and village as in every township list; birth and sex, which the 27-column export lacks, from a valid ID; the
    monitored category before the general attribute."""
    number = row.get("id_number")
    if number and number.born_on and not row.get("birth"):
        row.facts["birth_on"] = number.born_on.isoformat()
    if number and number.sex and not row.get("sex"):
        row.facts["sex"] = number.sex
    if row.get("monitor_type"):
        row.facts["poverty_type"] = row.get("monitor_type")
    elif (
        row.get("poverty_type") in _REGISTERED
        and "脱贫" in (exit := row.get("exit_attribute") or "")
        and "未" not in exit
    ):
        row.facts["poverty_type"] = _OUT_OF_POVERTY
    return locate.with_hukou(row, reading)


POVERTY_REGISTER = ListKind(
    key="poverty-register",
    label="建档立卡与监测对象",
    source="乡村振兴部门",
    about="建档立卡户、脱贫户和监测对象的全部家庭成员，一行一人，按户编号归户。",
    columns=(
        c.TOWN,
        c.VILLAGE,
        c.required(c.HOUSEHOLD_NUMBER),
        Column("person_no", "人编号", plain(c.text), ("人口编号", "人员编号"), facts=lambda _value: {}),
        c.HEAD_NAME,
        c.HEAD_ID,
        c.NAME,
        c.SEX,
        c.BIRTH,
        c.ID_KIND,
        c.required(c.ID_NUMBER),
        c.RELATION,
        c.ETHNICITY,
        IN_SCHOOL,
        OUT_REASON,
        POVERTY_TYPE,
        MONITOR_TYPE,
        Column("exit_attribute", "脱贫属性", plain(c.text), ("脱贫标识", "是否脱贫")),
        Column("exit_year", "脱贫年度", plain(c.text)),
        Column("health", "健康状况", plain(c.text), ("健康状态", "健康情况", "身体情况")),
        Column("reason", "主要致贫原因", plain(c.text), ("贫困原因",)),
        c.PHONE,
    ),
    checks=(*checks.PERSON, school_age_says_where, relation_is_told),
    place=Place.TOWNSHIP,
    locate=_locate,
    destination=CHILDREN,
    senders=frozenset({Reach.COUNTY, Reach.TOWNSHIP}),
    departures=departures.POVERTY,
)
