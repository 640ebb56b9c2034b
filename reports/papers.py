"""What a report says, apart from how it is shown: the page, the Word document and the workbook all render one `Paper`.

A paper is kept as JSON with its report; figures stand in it by their position, so that an old report reads as it was printed
whatever has become of the wording since.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports.numbers import Figured, Number, Share

Part = str | Figured
Cell = Figured | str | None


@dataclass(frozen=True)
class Heading:
    """A column of a table; the unit stands in the header."""

    label: str
    unit: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Line:
    name: str
    cells: tuple[Cell, ...]
    url: str = ""


@dataclass(frozen=True)
class Table:
    """Figures by place. `title` is its heading on a page; `caption` names it, with the unit that all columns share."""

    caption: str
    row_label: str
    columns: tuple[Heading, ...]
    rows: tuple[Line, ...]
    totals: tuple[Cell, ...] = ()
    note: str = ""
    title: str = ""


@dataclass(frozen=True)
class Section:
    title: str
    paragraphs: tuple[tuple[Part, ...], ...]
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Definition:
    """The 口径 of an indicator that the paper uses."""

    label: str
    unit: str
    text: str
    counting: str
    source: str


@dataclass(frozen=True)
class Check:
    """The outcome of one tie-out rule, in words."""

    text: str
    ok: bool


@dataclass(frozen=True)
class Paper:
    title: str
    area_name: str
    office: str
    as_of: dt.date
    sections: tuple[Section, ...]
    definitions: tuple[Definition, ...]
    checks: tuple[Check, ...] = ()


def placed(sections: Iterable[Section]) -> Iterator[tuple[Figured, str]]:
    """Every printed figure in reading order, with the words that it stands in."""
    for section in sections:
        for paragraph in section.paragraphs:
            words = prose(paragraph)
            for part in paragraph:
                if not isinstance(part, str):
                    yield part, words
        for table in section.tables:
            for line in (*table.rows, Line("合计", table.totals)):
                for column, cell in zip(table.columns, line.cells, strict=False):
                    if isinstance(cell, (Number, Share)):
                        yield cell, f"{table.caption}：{line.name}，{column.label}"


def prose(paragraph: tuple[Part, ...]) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in paragraph)


# --- as JSON, figures by position --------------------------------------------------------------------------------


def to_json(paper: Paper) -> dict[str, Any]:
    """`paper` without its figures' values: each stands as its position in `placed`."""
    positions = iter(range(1_000_000))

    def part(item: Cell) -> Any:
        if isinstance(item, (Number, Share)):
            return {"figure": next(positions)}
        return item

    def line(item: Line) -> dict[str, Any]:
        return {"name": item.name, "cells": [part(cell) for cell in item.cells]}

    def table(item: Table) -> dict[str, Any]:
        return {
            "caption": item.caption,
            "row_label": item.row_label,
            "note": item.note,
            "title": item.title,
            "columns": [[column.label, column.unit, column.numeric] for column in item.columns],
            "rows": [line(row) for row in item.rows],
            "totals": [part(cell) for cell in item.totals],
        }

    return {
        "title": paper.title,
        "area_name": paper.area_name,
        "office": paper.office,
        "as_of": paper.as_of.isoformat(),
        "sections": [
            {
                "title": section.title,
                "paragraphs": [[part(item) for item in paragraph] for paragraph in section.paragraphs],
                "tables": [table(item) for item in section.tables],
            }
            for section in paper.sections
        ],
        "definitions": [[d.label, d.unit, d.text, d.counting, d.source] for d in paper.definitions],
        "checks": [[check.text, check.ok] for check in paper.checks],
    }


def from_json(content: Mapping[str, Any], figure: Callable[[int], Figured]) -> Paper:
    """The paper again; `figure` gives the printed figure of a position."""

    def part(item: Any) -> Any:
        return figure(item["figure"]) if isinstance(item, dict) else item

    def table(item: Mapping[str, Any]) -> Table:
        return Table(
            caption=item["caption"],
            row_label=item["row_label"],
            note=item["note"],
            title=item["title"],
            columns=tuple(Heading(*column) for column in item["columns"]),
            rows=tuple(Line(row["name"], tuple(part(cell) for cell in row["cells"])) for row in item["rows"]),
            totals=tuple(part(cell) for cell in item["totals"]),
        )

    return Paper(
        title=content["title"],
        area_name=content["area_name"],
        office=content["office"],
        as_of=dt.date.fromisoformat(content["as_of"]),
        sections=tuple(
            Section(
                section["title"],
                tuple(tuple(part(item) for item in paragraph) for paragraph in section["paragraphs"]),
                tuple(table(item) for item in section["tables"]),
            )
            for section in content["sections"]
        ),
        definitions=tuple(Definition(*item) for item in content["definitions"]),
        checks=tuple(Check(*item) for item in content["checks"]),
    )
