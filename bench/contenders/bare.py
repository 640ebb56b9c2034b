"""The limit: the least that any program must do to have the same rows in a table, done the fastest way we know.

calamine in this process → normalise and validate each distinct text once → COPY into a staging table → compare with
what is there → merge. One plain table with four indexes; no rows as delivered, no seals, no findings to show, no
identities, no approval, no history, no undo, no guard against hostile files.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date

from django.db import connection, connections, transaction
from python_calamine import CalamineWorkbook

from bench.contenders import Files
from bench.measuring import Steps
from bench.roster import COLUMNS
from eduaid.core import codes
from eduaid.core.text.ids import is_valid_id

_KEYS = ", ".join(column.key for column in COLUMNS)
_OTHERS = [column.key for column in COLUMNS if column.key != "id_number"]
_TABLE = ", ".join(f"{column.key} {column.sql}" for column in COLUMNS)


class BadCell(ValueError):
    """A cell that no row may have."""


def run(files: Files, steps: Steps) -> None:
    _make_table()
    before = _rows()
    with steps.timed("first import"):
        added, changed, same = _take(files.first, steps)
    assert (added, changed, same, _rows()) == (files.rows, 0, 0, before + files.rows)
    with steps.timed("same rows in other bytes"):
        added, changed, same = _take(files.other_bytes, Steps())
    assert (added, changed, same) == (0, 0, files.rows)
    with steps.timed("1 % changed"):
        added, changed, same = _take(files.changed_list, Steps())
    assert (added, changed, same) == (0, files.changed, files.rows - files.changed)


def _take(data: bytes, steps: Steps) -> tuple[int, int, int]:
    with steps.timed("  read, normalise, validate"):
        lines = io.StringIO("".join(_lines(data)))
    with steps.timed("  copy, compare, merge"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE staged ({_TABLE}) ON COMMIT DROP")
        cursor.copy_expert(f"COPY staged ({_KEYS}) FROM STDIN", lines)
        cursor.execute("ANALYZE staged")
        cursor.execute(
            "SELECT count(*) FILTER (WHERE p.id IS NULL),"
            f" count(*) FILTER (WHERE p.id IS NOT NULL AND {_differs('s')}),"
            f" count(*) FILTER (WHERE p.id IS NOT NULL AND NOT {_differs('s')})"
            " FROM staged s LEFT JOIN bare_pupil p USING (id_number)"
        )
        preview = cursor.fetchone()
        cursor.execute(
            f"INSERT INTO bare_pupil AS p ({_KEYS}) SELECT {_KEYS} FROM staged ON CONFLICT (id_number)"
            f" DO UPDATE SET ({', '.join(_OTHERS)}) = ROW ({_columns_of('excluded')}) WHERE {_differs('excluded')}"
        )
    return preview  # type: ignore[no-any-return]


def _columns_of(table: str) -> str:
    return ", ".join(f"{table}.{key}" for key in _OTHERS)


def _differs(table: str) -> str:
    return f"({_columns_of('p')}) IS DISTINCT FROM ({_columns_of(table)})"


def _lines(data: bytes) -> Iterator[str]:
    """The rows as lines of COPY."""
    rows = iter(CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).iter_rows())
    places = {header: place for place, header in enumerate(next(rows))}
    columns = [(places[column.header], _Known(_READERS.get(column.key, _text))) for column in COLUMNS]
    for row in rows:
        yield "\t".join([known[row[place]] for place, known in columns]) + "\n"


class _Known(dict[object, str]):
    """Cell → its text for COPY, read once."""

    def __init__(self, read: Callable[[str], str]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, cell: object) -> str:
        text = unicodedata.normalize("NFKC", str(int(cell) if isinstance(cell, float) else cell)).strip()
        self[cell] = read = self._read(text) if text else "\\N"
        return read


_ESCAPED = str.maketrans({"\\": "\\\\", "\t": " ", "\n": " ", "\r": " "})


def _text(text: str) -> str:
    return text.translate(_ESCAPED)


def _id_number(text: str) -> str:
    if not is_valid_id(text.upper()):
        raise BadCell("ID number")
    return text.upper()


def _registry_number(text: str) -> str:
    if text[0] not in "GJL" or not is_valid_id(text[1:]):
        raise BadCell("registry number")
    return text


def _date(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _matching(pattern: str) -> Callable[[str], str]:
    fits = re.compile(pattern).fullmatch

    def read(text: str) -> str:
        if not fits(text):
            raise BadCell(pattern)
        return text

    return read


def _coded(table: codes.Table) -> Callable[[str], str]:
    by_label = {entry.label: entry.code for entry in table}
    return by_label.__getitem__


_READERS: dict[str, Callable[[str], str]] = {
    "id_number": _id_number,
    "registry_number": _registry_number,
    "birth": _date,
    "guardian_phone": _matching(r"1[3-9]\d{9}"),
    "phone": _matching(r"1[3-9]\d{9}"),
    "name": _matching(r"[^\W\d_]{2,}(?:·[^\W\d_]+)*"),
    "sex": _coded(codes.SEX),
    "ethnicity": _coded(codes.ETHNIC),
    "id_kind": _coded(codes.ID_TYPE),
    "boarding": _coded(codes.BOARDING),
    "left_behind": _coded(codes.LEFT_BEHIND),
    "disability": _coded(codes.DISABILITY),
    "grade": _coded(codes.GRADE),
    "migrant": {"是": "t", "否": "f"}.__getitem__,
    "orphan": {"是": "t", "否": "f"}.__getitem__,
}


def _make_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('bare_pupil') IS NULL")
        if not cursor.fetchone()[0]:
            return

    with connections["owner"].cursor() as cursor:
        cursor.execute(
            f"""
            CREATE TABLE bare_pupil (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {_TABLE}, UNIQUE (id_number));
            CREATE INDEX ON bare_pupil (name, birth);
            CREATE INDEX ON bare_pupil (school_name);
            GRANT ALL ON bare_pupil TO eduaid_app;
            """
        )
    connections["owner"].close()


def _rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bare_pupil")
        return int(cursor.fetchone()[0])
