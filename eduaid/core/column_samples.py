"""The first values of a sheet's columns, for somebody who must say what a column is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.conf import settings

from eduaid.core import files
from eduaid.core.models import Upload, UploadFile, UploadSheet
from eduaid.core.parser import OpenSheet, open_book
from eduaid.core.preflight import FileRefused, Limits
from eduaid.core.text import plain, tidy

SAMPLES = 3
_LOOK_AT = 60
_LONGEST = 24


def of(upload: Upload, sheets: Sequence[UploadSheet]) -> dict[int, dict[int, list[str]]]:
    """Sheet id → column position → up to three different values, shortened; unmasked.

    The files are opened again in the limited process and left after the first rows. A file that can no longer be read
    gives no samples.
    """
    wanted: dict[int, list[UploadSheet]] = defaultdict(list)
    by_file: dict[int, UploadFile] = {}
    for sheet in sheets:
        wanted[sheet.file_id].append(sheet)
        by_file[sheet.file_id] = sheet.file
    found: dict[int, dict[int, list[str]]] = {}
    for pk, file in by_file.items():
        try:
            found |= _of_file(file, {sheet.position: sheet for sheet in wanted[pk]})
        except FileRefused:
            continue
    return found


def _of_file(file: UploadFile, sheets: dict[int, UploadSheet]) -> dict[int, dict[int, list[str]]]:
    limits = Limits(file_bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
    found: dict[int, dict[int, list[str]]] = {}
    with open_book(files.load(file.stored_as), file.name, limits=limits) as book:
        for told in book.sheets():
            if sheet := sheets.get(told.index):
                found[sheet.pk] = _of_sheet(told, below=sheet.header_to)
            if len(found) == len(sheets):
                break
    return found


def _of_sheet(sheet: OpenSheet, *, below: int) -> dict[int, list[str]]:
    values: dict[int, list[str]] = defaultdict(list)
    looked = 0
    for block in sheet:
        for number, row in block.numbered():
            if number <= below:
                continue
            for position, cell in enumerate(row):
                text = tidy(plain(cell))[:_LONGEST]
                if text and len(values[position]) < SAMPLES and text not in values[position]:
                    values[position].append(text)
            looked += 1
            if looked >= _LOOK_AT:
                return dict(values)
    return dict(values)
