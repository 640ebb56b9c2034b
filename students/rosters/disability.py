"""Disabled persons 残疾人名单, from the disabled persons' federation: who holds a certificate, of which kind and level.

A certificate number 残疾人证号 is the ID number followed by kind and level (20 digits): it is sealed like one.
"""

from eduaid.core import codes
from eduaid.core.lists import Column, ListKind, Place, Reading, RowFinding, Values, plain
from eduaid.core.roles import Reach
from eduaid.core.text import parse_date, parse_id
from eduaid.core.text.results import Parsed

from . import checks, departures, locate
from . import columns as c
from .known_children import KNOWN_CHILDREN

CERTIFICATE = Column(
    "certificate",
    "残疾人证号",
    plain(c.text),
    ("残疾证号", "残疾证号码", "残疾人证编号", "残疾证编号", "证号"),
    sealed=True,
    help="20 位：身份证号加类别、等级各 1 位，请先把该列设为文本格式再填写",
)
LEVEL = Column(
    "disability_level",
    "残疾等级",
    plain(codes.DISABILITY_LEVEL.parse),
    ("残疾级别", "等级", "残疾程度"),
    choices=tuple(entry.label for entry in codes.DISABILITY_LEVEL),
)
ISSUED = Column(
    "issued",
    "发证日期",
    plain(parse_date),
    ("办证日期", "残疾证发证日期", "首次办证日期", "批准日期"),
    facts=lambda day: {"issued": day.isoformat()},
)
PLACEMENT = Column(
    "placement",
    "安置方式",
    plain(codes.PLACEMENT.parse),
    ("安置形式", "就读情况", "教育安置"),
    choices=tuple(entry.label for entry in codes.PLACEMENT),
)


def certificate_agrees_with_id(row: Values, reading: Reading) -> list[RowFinding]:
    """The first 18 characters of a certificate are its holder's ID number, the last two kind and level."""
    written, number = row.get("certificate"), row.get("id_number")
    if not written:
        return []
    digits = "".join(char for char in written.upper() if char.isalnum())
    if len(digits) != 20:
        return [RowFinding("certificate", "certificate-length", params={"length": len(digits)})]
    inside = parse_id(digits[:18], "1")
    if number and not (isinstance(inside, Parsed) and inside.value.number == number.number):
        return [RowFinding("certificate", "certificate-not-of-id")]
    level = row.get("disability_level")
    if level and digits[19] != level:
        return [RowFinding("disability_level", "certificate-level", params={"of_certificate": digits[19]})]
    return []


def _locate(row: Values, reading: Reading) -> RowFinding | None:
    number = row.get("id_number")
    if number and number.born_on and not row.get("birth"):
        row.facts["birth_on"] = number.born_on.isoformat()
    if number and number.sex and not row.get("sex"):
        row.facts["sex"] = number.sex
    return locate.by_town(row, reading)


DISABILITY = ListKind(
    key="disability",
    label="残疾人名单",
    source="残联",
    about="持证残疾人，一行一人：残疾人证号、类别和等级。适龄儿童由此看出要不要安置、怎样安置。",
    columns=(
        c.SEQUENCE,
        c.TOWN,
        c.VILLAGE,
        c.NAME,
        c.SEX,
        c.BIRTH,
        c.ID_KIND,
        c.required(c.ID_NUMBER),
        CERTIFICATE,
        c.required(c.DISABILITY),
        c.required(LEVEL),
        ISSUED,
        PLACEMENT,
        c.GUARDIAN,
        c.PHONE,
        c.ADDRESS,
        c.NOTE,
    ),
    checks=(*checks.PERSON, certificate_agrees_with_id),
    place=Place.TOWNSHIP,
    locate=_locate,
    destination=KNOWN_CHILDREN,
    senders=frozenset({Reach.COUNTY, Reach.TOWNSHIP}),
    departures=departures.HARDSHIP,
)
