"""Drives workbooks with one bad thing a row through the real intake, and says what became of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eduaid.core import intake
from eduaid.core.models import Finding, Upload, UploadRow
from eduaid.core.models.uploads import FindingLevel
from eduaid.core.sealing import Opener
from tests.core.workbooks import Value, xlsx
from tests.small_county import SmallCounty, id_number

ACCEPTED, WAITING, REFUSED, REPEATED = "A", "W", "R", "D"


@dataclass(frozen=True)
class Outcome:
    """A staged row: its state, its findings as "column:code", the facts stored, and the cells as delivered."""

    state: str
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    facts: Mapping[str, Any]
    cells: Mapping[str, str]
    id_digest: bytes | None

    @property
    def said(self) -> tuple[str, ...]:
        """State, then what keeps the row from going in."""
        return (self.state, *self.errors)


def pupil(place: int = 1, /, **changes: Value) -> dict[str, Value]:
    """A clean row of a class roster in 水口镇; `place` makes it another child."""
    return {
        "学校名称": "水口镇蔡朱小学",
        "年级": "五年级",
        "班级": "1班",
        "姓名": "李小雨",
        "性别": "女",
        "出生日期": "2015-05-03",
        "身份证号": id_number("20150503", 2 * place),
        **changes,
    }


def person(place: int = 1, /, **changes: Value) -> dict[str, Value]:
    """A clean row of a population list of 水口镇."""
    return {
        "姓名": "李小雨",
        "性别": "女",
        "出生日期": "2015-05-03",
        "身份证号": id_number("20150503", 2 * place),
        "户籍地址": "示例县水口镇东风村",
        **changes,
    }


def sheet(rows: Sequence[Mapping[str, Value]]) -> list[list[Value]]:
    headers = list(dict.fromkeys(key for row in rows for key in row))
    return [list(headers), *([row.get(key) for key in headers] for row in rows)]


def sent(
    county: SmallCounty,
    kind: str,
    rows: Sequence[Mapping[str, Value]],
    *,
    place: str = "a",
    by: str = "town-a",
    date_1904: bool = False,
    **options: Any,
) -> Upload:
    """A workbook of these rows, through the real path up to the preview."""
    data = xlsx(sheet(rows), date_1904=date_1904)
    return county.send(kind, [], files=[("名单.xlsx", data)], place=place, by=by, **options)


def outcomes(upload: Upload) -> list[Outcome]:
    """In the order of the sheet."""
    found = list(Finding.objects.filter(upload=upload, row__isnull=False, answer="").order_by("row__number", "id"))
    must = (FindingLevel.ERROR, FindingLevel.ASK)
    return [
        Outcome(
            row.state,
            tuple(f"{f.column}:{f.code}" for f in found if f.row_id == row.pk and f.level in must),
            tuple(f"{f.column}:{f.code}" for f in found if f.row_id == row.pk and f.level not in must),
            row.facts,
            intake.delivered(row, Opener()),
            bytes(row.id_digest) if row.id_digest else None,
        )
        for row in UploadRow.objects.filter(sheet__upload=upload).order_by("sheet_id", "number")
    ]


def taken(county: SmallCounty, kind: str, rows: Sequence[Mapping[str, Value]], **options: Any) -> list[Outcome]:
    return outcomes(sent(county, kind, rows, **options))


def notes(upload: Upload) -> dict[str, int]:
    """What was changed without asking, as "column:code" → rows."""
    return {
        f"{found.column}:{found.code}": found.params["rows"]
        for found in Finding.objects.filter(upload=upload, row=None, level=FindingLevel.HINT)
        if "rows" in found.params and found.column
    }
