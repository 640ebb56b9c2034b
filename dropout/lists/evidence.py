"""Evidence lists 取证名单: where children of a township study elsewhere, down to the class, with kind and day of the proof.

A row that takes force is a record like one made on the page: it waits for somebody else's review.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dropout.lists.records import RECORDS
from dropout.models.evidence import school_year_of
from eduaid.core import codes
from eduaid.core.lists import Column, ListKind, Place, Reading, RowFinding, Values, plain
from eduaid.core.roles import Reach
from eduaid.core.text import parse_date
from students.rosters import checks, departures, locate
from students.rosters import columns as c


def _where(key: str, label: str, *synonyms: str, required: bool = False) -> Column:
    return Column(key, label, plain(c.text), synonyms, required=required)


KIND = Column(
    "evidence_kind",
    "取证方式",
    plain(codes.EVIDENCE_KIND.parse),
    ("取证形式", "证明方式", "证明种类", "取证材料", "证明材料"),
    required=True,
    choices=tuple(entry.label for entry in codes.EVIDENCE_KIND),
)
PROVED_ON = Column(
    "proved_on",
    "证明日期",
    plain(parse_date),
    ("取证日期", "取证时间", "核实日期", "核实时间", "开具日期"),
    required=True,
    facts=lambda day: {"proved_on": day.isoformat()},
    help="本学年 7 月 1 日以后",
)


def proof_is_of_this_year(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """A proof of last year proves nothing this year; one of tomorrow is a slip."""
    day = row.get("proved_on")
    if day is None:
        return
    if day > reading.effective_on:
        yield RowFinding("proved_on", "proof-after-list")
    elif (day.year, day.month) < (school_year_of(reading.effective_on), 7):
        yield RowFinding(
            "proved_on", "proof-of-last-year", params={"since": f"{school_year_of(reading.effective_on)}-07-01"}
        )


def other_proof_is_described(row: Values, reading: Reading) -> Iterator[RowFinding]:
    if row.get("evidence_kind") == "E9" and not row.get("note"):
        yield RowFinding("note", "proof-undescribed")


def _locate(row: Values, reading: Reading) -> RowFinding | None:
    number = row.get("id_number")
    if number and number.born_on and not row.get("birth"):
        row.facts["birth_on"] = number.born_on.isoformat()
    return locate.by_town(row, reading)


_COLUMNS: Sequence[Column] = (
    c.SEQUENCE,
    c.TOWN,
    c.VILLAGE,
    c.NAME,
    c.SEX,
    c.BIRTH,
    c.ID_KIND,
    c.required(c.ID_NUMBER),
    _where("at_province", "就读省", "省", "省份", "就读省份", "所在省"),
    _where("at_city", "就读市", "市", "地市", "就读地市", "所在市"),
    _where("at_county", "就读县", "县", "县区", "区县", "就读县区", "县（市、区）", "所在县", required=True),
    _where("at_town", "就读乡镇", "就读乡镇街道", "街道", "所在乡镇"),
    _where("at_school", "就读学校", "现就读学校", "学校名称", "学校", "就读学校（填当前就读学校）", required=True),
    replace(
        c.GRADE,
        key="at_grade",
        label="就读年级",
        synonyms=("年级", "所在年级"),
        required=True,
        facts=lambda grade: {"at_grade": grade.code},
        again=None,
        fills_down=False,
    ),
    _where("at_class", "就读班级", "班级", "班", "所在班级", required=True),
    KIND,
    PROVED_ON,
    Column(
        "contact", "联系人", plain(c.text), ("班主任", "学校联系人", "联系老师"), sealed=True, facts=lambda _text: {}
    ),
    c.PHONE,
    c.NOTE,
)

EVIDENCE = ListKind(
    key="evidence",
    label="取证名单",
    source="中心校、学校",
    about="在外就读的孩子，一行一人：就读到班级、取证方式、证明日期和联系电话。生效后逐人等待县局另一人审核。",
    columns=tuple(_COLUMNS),
    checks=(*checks.PERSON, proof_is_of_this_year, other_proof_is_described),
    place=Place.TOWNSHIP,
    locate=_locate,
    destination=RECORDS,
    senders=frozenset({Reach.COUNTY, Reach.TOWNSHIP}),
    departures=departures.SCHOOL,
)
