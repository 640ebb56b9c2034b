"""What stands in the cells of many rows at once: as delivered, with the corrections laid over. Unmasked: the caller decides who sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from eduaid.core.cells import Cell
from eduaid.core.intake import CELL, ROW
from eduaid.core.models import CellEdit, UploadRow
from eduaid.core.reading.frames import unpacked
from eduaid.core.sealing import Opener
from eduaid.core.text import plain


def cells_of(rows: Iterable[UploadRow], opener: Opener) -> dict[int, dict[str, Cell]]:
    """Row → column key → cell, as `intake.delivered_cells` reads one row. One query."""
    # Cells that JSON has no word for come back as what they were: a damaged number must not turn into good text.
    opened: dict[int, dict[str, Cell]] = {
        row.pk: json.loads(opener.open(row.sealed, ROW), object_hook=_cell_or_row) for row in rows
    }
    for edit in CellEdit.objects.filter(row__in=opened).order_by("pk"):
        opened[edit.row_id][edit.column] = opener.open(edit.sealed, CELL).decode() or None
    return opened


def texts_of(rows: Iterable[UploadRow], opener: Opener) -> dict[int, dict[str, str]]:
    """Row → column key → text."""
    return {pk: {key: plain(cell) for key, cell in cells.items()} for pk, cells in cells_of(rows, opener).items()}


def _cell_or_row(found: dict[str, Any]) -> Any:
    return unpacked(found) if len(found) == 1 and next(iter(found)).startswith("$") else found
