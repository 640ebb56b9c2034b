"""The list behind a figure as a file: numbers masked, formulas defused, and who took it, when and under which serial on top."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from eduaid.core.display import dense_moment
from eduaid.core.indicators import Indicator
from eduaid.core.models import User
from eduaid.core.roles import posts_of
from eduaid.core.workbooks import OutColumn, OutSheet, Value, write_csv, write_workbook

FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


@dataclass(frozen=True)
class Watermark:
    """Who takes the file, of which unit, when, and the serial under which it is logged."""

    user: str
    unit: str
    moment: str
    serial: str

    @classmethod
    def of(cls, user: User) -> Watermark:
        posts = posts_of(user)
        unit = str(posts[0].region or posts[0].school) if posts else ""
        now = timezone.now()
        return cls(str(user), unit, dense_moment(now), f"{timezone.localtime(now):%Y%m%d}-{secrets.token_hex(4)}")

    @property
    def line(self) -> str:
        return f"导出人：{self.unit} {self.user}　导出时间：{self.moment}　编号：{self.serial}　仅供工作使用，不得外传"


def cells_of(indicator: Indicator, row: Any) -> list[Value]:
    return [_value(column.value(row)) for column in indicator.row_kind.columns]


def _value(value: object) -> Value:
    if value is None or isinstance(value, (str, int, float)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def export(
    indicator: Indicator,
    rows: QuerySet[Any],
    *,
    title: str,
    facts: Iterable[str],
    watermark: Watermark,
    file_format: str,
) -> bytes:
    """The prepared rows as .xlsx or .csv. Rows are read in blocks, so that a long list needs no more memory."""
    columns = indicator.row_kind.columns
    lines: Iterator[list[Value]] = (cells_of(indicator, row) for row in rows.iterator(chunk_size=2000))
    if file_format == "csv":
        # The watermark is the first line, the header the second.
        head: list[Value] = [column.label for column in columns]
        return b"".join(write_csv([f"{title}　{'　'.join(facts)}　{watermark.line}"], _after(head, lines)))
    sheet = OutSheet(
        name="名单",
        title=title,
        lines=[*facts, watermark.line],
        rows=lines,
        columns=[OutColumn(c.label, "whole" if c.numeric else "text", 8.0 if c.numeric else 16.0) for c in columns],
    )
    return write_workbook([sheet], watermark=f"{watermark.unit} {watermark.user} {watermark.moment} {watermark.serial}")


def _after(first: list[Value], rest: Iterator[list[Value]]) -> Iterator[list[Value]]:
    yield first
    yield from rest
