"""Tables on a terminal: a Chinese character is two columns wide."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence

from eduaid.core.display import NONE, figure_text
from reports.numbers import Number, Share
from reports.papers import Cell, Part, Table, prose

_WIDTH = 100


def width(text: str) -> int:
    """Columns on the terminal: 2 for wide and full-width characters, 0 for combining ones."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def columns(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> Iterator[str]:
    """Rows set in columns, two spaces apart; those in `right` are set to the right."""
    widths = [max(width(row[position]) for row in rows) for position in range(len(rows[0]))]
    for row in rows:
        cells = []
        for position, text in enumerate(row):
            room = " " * (widths[position] - width(text))
            cells.append(room + text if position in right else text + room)
        yield "  ".join(cells).rstrip()


def table_lines(table: Table) -> Iterator[str]:
    """Caption, header, places, total; units stand in the header."""
    header = [table.row_label, *(f"{c.label}({c.unit})" if c.unit else c.label for c in table.columns)]
    rows = [[line.name, *map(_cell, line.cells)] for line in table.rows]
    if table.totals:
        rows.append(["合计", *map(_cell, table.totals)])
    yield table.caption
    yield from columns([header, *rows], right=range(1, len(header)))


def _cell(cell: Cell) -> str:
    if isinstance(cell, (Number, Share)):
        return figure_text(cell.value, cell.unit, table=True)[0]
    return cell or NONE


def wrapped(paragraph: tuple[Part, ...]) -> Iterator[str]:
    """A paragraph in lines of at most a hundred columns."""
    line = "　　"
    for char in prose(paragraph):
        if width(line) + width(char) > _WIDTH:
            yield line
            line = ""
        line += char
    yield line
