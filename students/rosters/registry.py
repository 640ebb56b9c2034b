"""Registry 学籍: the export of the national student-record system, in both generations (学校标识码版 and 学籍接续标识版)."""

from collections.abc import Mapping
from dataclasses import replace

from eduaid.core import codes
from eduaid.core.lists import Column, Json, ListKind, Place, Reading, RowFinding, Values, plain
from eduaid.core.roles import Reach
from eduaid.core.text import parse_flag, parse_month

from . import checks, departures, locate
from . import columns as c
from .destination import CHILDREN

ENROLLED = Column(
    "enrolled",
    "入学年月",
    plain(parse_month),
    ("入学时间", "入学日期", "入学年份", "入园日期"),
    facts=lambda month: {"enrolled_on": month.isoformat()},
)
HUKOU_REGION = Column(
    "hukou_region",
    "户口所在地行政区划",
    lambda reading: reading.regions.parse_address,
    ("户口所在地", "户籍所在地", "户籍地址", "户籍地址（省/市/县区/乡镇街道/详细地址）"),
    facts=lambda _found: {},
)
HUKOU_TYPE = Column("hukou_type", "户口性质", plain(codes.HUKOU_TYPE.parse), ("户别",))
# The export has three addresses; each of them is a column of its own there.
HOME_ADDRESS = replace(c.HOME_ADDRESS, synonyms=("家庭住址",))
# The export writes codes: here 1 is never a yes.
BOARDING = replace(c.BOARDING, reader=plain(codes.BOARDING.parse))
LEFT_BEHIND = replace(c.LEFT_BEHIND, reader=plain(codes.LEFT_BEHIND.parse))
HEALTH = Column("health", "健康状况", plain(codes.HEALTH.parse), ("健康状态", "健康情况", "身体情况"))


def _locate(row: Values, reading: Reading) -> RowFinding | None:
    """The school as in every school list; the hukou region becomes a fact of the row."""
    for column in ("registry_continuation", "registry_auxiliary"):
        if row.get(column):
            row.parsed.setdefault("registry_number", row.get(column))
    region = row.get("hukou_region")
    if region is not None:
        facts: Mapping[str, Json] = c.hukou_facts(region, reading)
        row.facts.update(facts)
    return locate.by_school(row, reading)


REGISTRY = ListKind(
    key="registry",
    label="学籍",
    source="全国中小学生学籍系统导出",
    about="学籍系统导出的在籍学生。两代导出表（学校标识码版、学籍接续标识版）都能直接上传，不必改列名。",
    columns=(
        c.required(c.SCHOOL_CODE),
        c.NAME,
        c.SEX,
        c.BIRTH,
        c.ETHNICITY,
        c.ID_KIND,
        c.ID_NUMBER,
        c.FORMER_NAME,
        c.REGISTRY_NUMBER,
        c.REGISTRY_CONTINUATION,
        c.REGISTRY_AUXILIARY,
        HUKOU_TYPE,
        HUKOU_REGION,
        c.GRADE,
        c.CLASS,
        ENROLLED,
        BOARDING,
        c.ADDRESS,
        HOME_ADDRESS,
        c.PHONE,
        HEALTH,
        LEFT_BEHIND,
        c.MIGRANT,
        c.ORPHAN,
        c.DISABILITY,
        Column("one_subsidy", "是否享受一补", plain(parse_flag)),
        Column("needs_aid", "是否需要申请资助", plain(parse_flag)),
        Column("martyr", "是否烈士或优抚子女", plain(parse_flag)),
        Column("inclusive", "随班就读", plain(c.text)),
        Column("in_class_no", "班内学号", plain(c.text), ("学号", "学生学号"), facts=lambda _value: {}),
        replace(c.GUARDIAN, label="成员1姓名", synonyms=("监护人姓名", *c.GUARDIAN.synonyms)),
        replace(c.GUARDIAN_RELATION, label="成员1关系", synonyms=("与学生关系", *c.GUARDIAN_RELATION.synonyms)),
        replace(c.GUARDIAN_PHONE, label="成员1联系电话", synonyms=("监护人电话", *c.GUARDIAN_PHONE.synonyms)),
        replace(c.GUARDIAN_ID, label="成员1身份证件号", synonyms=("监护人证件号", *c.GUARDIAN_ID.synonyms)),
        Column("guardian2", "成员2姓名", plain(c.text), sealed=True),
        Column("guardian2_phone", "成员2联系电话", plain(c.text), sealed=True),
        Column("guardian2_id", "成员2身份证件号", plain(c.text), sealed=True),
    ),
    checks=checks.PUPIL,
    place=Place.SCHOOL,
    locate=_locate,
    destination=CHILDREN,
    senders=frozenset({Reach.COUNTY, Reach.TOWNSHIP, Reach.SCHOOL}),
    departures=departures.SCHOOL,
    registry_column="registry_number",
)
