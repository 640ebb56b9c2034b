"""Lists of persons as files, read for matching: any layout that the intake reads, any columns beyond the name, nothing stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eduaid.core.cells import Cell, Damaged, Row
from eduaid.core.lists import Column
from eduaid.core.parser import ParserKilled, open_book
from eduaid.core.preflight import MB, FileRefused, Limits
from eduaid.core.spreadsheets import ColumnMapping, Header, RowKind, classify_row, find_header, map_columns
from eduaid.core.text.characters import number_text, plain
from students.linkage.people import People
from students.rosters import columns as c

LIMITS = Limits(
    file_bytes=1024 * MB,
    rows=2_000_000,
    unpacked_bytes=8192 * MB,
    cpu_seconds=1800,
    wall_seconds=3600.0,
    memory_bytes=8192 * MB,
)
"""Larger than for an upload: whoever runs the command answers for the file."""

_GUARDIAN = replace(
    c.GUARDIAN,
    synonyms=(
        *(name for name in c.GUARDIAN.synonyms if "父" not in name),
        "监护人1姓名",
        "监护人一姓名",
        "第一监护人",
        "家长",
    ),
)
_FATHER = replace(c.GUARDIAN, key="father", label="父亲姓名", synonyms=("父亲", "监护人(父亲)", "爸爸姓名"))
_MOTHER = replace(c.GUARDIAN, key="mother", label="母亲姓名", synonyms=("母亲", "监护人(母亲)", "妈妈姓名"))
_SECOND = replace(
    c.GUARDIAN, key="guardian_2", label="监护人2姓名", synonyms=("成员2姓名", "监护人二姓名", "第二监护人")
)
_NAME = replace(c.NAME, synonyms=(*c.NAME.synonyms, "儿童姓名", "孩子姓名", "适龄儿童姓名", "被监护人姓名", "人员姓名"))
COLUMNS: tuple[Column, ...] = (
    _NAME, c.FORMER_NAME, c.ID_NUMBER, c.REGISTRY_NUMBER, c.BIRTH, c.SEX, _GUARDIAN, _SECOND, _FATHER, _MOTHER, c.HEAD_NAME,
    c.PHONE, c.GUARDIAN_PHONE, c.TOWN, c.VILLAGE, c.SCHOOL_NAME,
)  # fmt: skip
_HEAD = 60


class Unreadable(Exception):
    """A file that gives no list of persons; the sentence says what is wrong and what to do."""


@dataclass(frozen=True)
class ListFile:
    people: People
    headers: Mapping[str, str]
    """Column key → the header as it stands in the file."""
    sheet: str
    left_out: tuple[str, ...]
    """Other sheets with persons, which were not read: row numbers could not tell them apart."""


def read_list(path: Path, label: str, *, limits: Limits = LIMITS) -> ListFile:
    """Raises Unreadable. Rows keep the numbers that the spreadsheet shows."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise Unreadable(f"找不到文件“{path}”。请检查路径和文件名。") from None
    except IsADirectoryError:
        raise Unreadable(f"“{path}”是文件夹。请给出其中的表格文件。") from None
    except OSError:
        raise Unreadable(f"文件“{path}”打不开。请检查它是否被占用、是否有读取权限。") from None
    try:
        found = _read(data, path, label, limits)
    except FileRefused as refusal:
        raise Unreadable(f"文件“{path.name}”不能读取：{refusal.sentence}。") from None
    except ParserKilled:
        raise Unreadable(
            f"文件“{path.name}”没有读完：读取进程被终止。请重试；仍然如此时，请检查内存是否够用。"
        ) from None
    if found is None:
        raise Unreadable(f"文件“{path.name}”里没有找到“姓名”列。请在表头中写明“姓名”，再重新比对。")
    if not len(found.people):
        raise Unreadable(f"文件“{path.name}”的表头下面没有人员。请检查是否选错了文件。")
    return found


def _read(data: bytes, path: Path, label: str, limits: Limits) -> ListFile | None:
    chosen: tuple[str, Header, ColumnMapping, list[tuple[int, Row]]] | None = None
    others: list[str] = []
    with open_book(data, path.name, limits=limits) as book:
        for sheet in book.sheets():
            rows: list[tuple[int, Row]] = []
            header: Header | None = None
            for block in sheet:
                rows += block.numbered()
                if header is None:
                    header = find_header(rows[:_HEAD], COLUMNS, merged=sheet.merged)
                    if header is None and len(rows) > _HEAD:
                        break
                if chosen is not None:
                    break
            if header is None:
                continue
            below = [(number, row) for number, row in rows if number > header.last]
            mapping = map_columns(header.texts, COLUMNS, sample=[row for _, row in below[:200]])
            if _position(mapping, "name") is None:
                continue
            if chosen is None:
                chosen = sheet.name, header, mapping, below
            else:
                others.append(sheet.name)
    if chosen is None:
        return None
    sheet_name, header, mapping, below = chosen
    people, places = _people(label, header, mapping, below)
    headers = {key: header.texts[place] for key, place in places.items()}
    return ListFile(people, headers, sheet_name, tuple(others))


def _position(mapping: ColumnMapping, key: str) -> int | None:
    """Where the column stands; the first where several headers read the same."""
    for position, found in mapping.columns.items():
        if found == key:
            return position
    return mapping.candidates[key][0] if key in mapping.ambiguous and mapping.candidates.get(key) else None


def _people(
    label: str, header: Header, mapping: ColumnMapping, below: Sequence[tuple[int, Row]]
) -> tuple[People, dict[str, int]]:
    places: dict[str, int] = {}
    for column in COLUMNS:
        place = _position(mapping, column.key)
        if place is not None and place not in places.values():
            places[column.key] = place
    name_at, id_at = places["name"], places.get("id_number", -1)
    rows: list[int] = []
    kept: list[Row] = []
    for number, row in below:
        identity = row[id_at] if 0 <= id_at < len(row) else None
        name = row[name_at] if name_at < len(row) else None
        if not (type(identity) is str and len(identity) == 18):
            if name is None and identity is None:
                continue
            if classify_row(row, header) is not RowKind.DATA:
                continue
        rows.append(number)
        kept.append(row)

    def texts(key: str) -> list[str] | None:
        place = places.get(key)
        if place is None:
            return None
        cells = [row[place] if place < len(row) else None for row in kept]
        return [cell if type(cell) is str else _text(cell) for cell in cells]

    guardians = [
        told for key in ("guardian", "guardian_2", "father", "mother", "household_head") if (told := texts(key))
    ]
    phones, guardian_phones = texts("phone"), texts("guardian_phone")
    if phones and guardian_phones:
        phones = [own or other for own, other in zip(guardian_phones, phones, strict=True)]
    people = People(
        label,
        texts("name") or [],
        former_names=texts("former_name"),
        id_numbers=texts("id_number"),
        registry_numbers=texts("registry_number"),
        births=texts("birth"),
        sexes=texts("sex"),
        guardians=guardians,
        phones=phones or guardian_phones,
        townships=texts("town"),
        villages=texts("village"),
        schools=texts("school_name"),
        rows=rows,
    )
    return people, places


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Damaged):
        return cell.shown
    if isinstance(cell, float):
        return number_text(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return plain(cell) if isinstance(cell, str | bool) else ""
