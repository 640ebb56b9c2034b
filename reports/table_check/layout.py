"""The tables on a sheet: which rows are header, which cells are labels, and what each row and column of figures is called.

A sheet may hold several tables one below the other, a header printed again on each page, and a table in two halves side by
side that go on from one another. All positions are counted from 0.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from eduaid.core.parser import Sheet
from eduaid.core.text.characters import compact
from reports.table_check import words
from reports.table_check.values import BLANK, COVERED, Value, value_of

Key = tuple[int, int, int]  # sheet, row, column


@dataclass(eq=False)
class Line:
    """A row or a column of figures. `at`: its row or column; `shift`: columns to the right, for rows of a second half.

    `group`: the heading without figures below which a row stands; `level`: of the number at the head of its label.
    """

    at: int
    path: tuple[str, ...]
    shift: int = 0
    indent: int = 0
    level: int = 0
    group: int = 0
    is_numeric: bool = True
    rank: words.Rank = field(init=False)
    is_subset: bool = field(init=False)
    measure: str = field(init=False)

    def __post_init__(self) -> None:
        above = any(words.is_plain_total(part) or words.bare(part) == "全年" for part in self.path[:-1])
        self.rank = words.rank_of(self.label) or (words.Rank.TOTAL if above else words.Rank.NONE)
        self.is_subset = any(map(words.is_subset, self.path))
        self.measure = words.measure_of(self.label) or next(filter(None, map(words.measure_of, self.path[::-1])), "")

    @property
    def label(self) -> str:
        return self.path[-1] if self.path else ""

    @property
    def text(self) -> str:
        return "—".join(self.path)

    @property
    def is_plain_total(self) -> bool:
        return words.is_plain_total(self.label) or any(map(words.is_plain_total, self.path))


@dataclass
class Note:
    """A text around a table: a title, a sentence, a footer."""

    key: Key
    text: str


@dataclass
class Block:
    """One table. `columns` are those of figures (and of days); `notes` the texts above and below it."""

    sheet: int
    name: str
    rows: list[Line]
    columns: list[Line]
    notes: list[Note]
    header: range
    unit: str  # the titles' words about the money unit, such as 万元
    label_heads: tuple[str, ...]
    _grid: list[list[Value]]

    def key(self, row: Line, column: Line) -> Key:
        return self.sheet, row.at, column.at + row.shift

    def value(self, row: Line, column: Line) -> Value:
        cells = self._grid[row.at]
        at = column.at + row.shift
        return cells[at] if at < len(cells) else BLANK


class _Kind(Enum):
    BLANK = auto()
    NOTE = auto()
    WORDS = auto()
    INDEX = auto()
    FIGURES = auto()


def grid_of(sheet: Sheet) -> list[list[Value]]:
    """All cells; what lies beneath a merge that holds a figure is marked as covered."""
    grid = [[value_of(cell) for cell in row] for row in sheet.rows]
    for top, left, bottom, right in sheet.merged:
        anchor = grid[top - 1][left] if top <= len(grid) and left < len(grid[top - 1]) else BLANK
        if anchor.number is None:
            continue
        for row in range(top - 1, min(bottom, len(grid))):
            for column in range(left, right + 1):
                if (row, column) != (top - 1, left) and column < len(grid[row]) and grid[row][column].zero:
                    grid[row][column] = COVERED
    return grid


def blocks_of(index: int, sheet: Sheet, grid: list[list[Value]]) -> tuple[list[Block], list[Note]]:
    """The sheet's tables, and the texts that stand in none of them."""
    reader = _Reader(index, sheet, grid)
    return reader.read()


class _Reader:
    def __init__(self, index: int, sheet: Sheet, grid: list[list[Value]]) -> None:
        self._index, self._sheet, self._grid = index, sheet, grid
        self._anchors: dict[tuple[int, int], tuple[int, int]] = {}
        for top, left, bottom, right in sheet.merged:
            if (bottom - top + 1) * (right - left + 1) > 20_000:
                continue
            for row in range(top - 1, bottom):
                for column in range(left, right + 1):
                    self._anchors[row, column] = (top - 1, left)
        self._width = max(map(len, grid), default=0)

    def read(self) -> tuple[list[Block], list[Note]]:
        blocks: list[Block] = []
        header: list[int] = []
        data: list[int] = []
        notes: list[Note] = []
        since: list[Note] = []  # texts since the last row of figures

        def close() -> None:
            nonlocal header, data, notes, since
            if data and (block := self._block(header, data, [*notes, *since])):
                blocks.append(block)
                notes = []
            notes = [*notes, *since] if not data else list(since)
            header, data, since = [], [], []

        for row in range(len(self._grid)):
            kind = self._kind(row, bool(header), bool(data))
            if kind is _Kind.BLANK or kind is _Kind.INDEX:
                continue
            if kind is _Kind.FIGURES:
                data.append(row)
                continue
            if kind is _Kind.NOTE:
                if (header or data) and self._is_heading(row, data):
                    data.append(row)
                elif data:
                    since += self._notes(row)
                else:
                    notes += self._notes(row)
                    header = []
                continue
            if not data:
                header.append(row)
            elif self._is_new_header(row, data):
                if self._repeats(row, header) and not self._ends_here(data, since, notes):
                    since = []
                else:
                    close()
                    header = [row]
            elif not self._repeats(row, header):
                data.append(row)
        rest = [*notes, *since]
        close()
        return blocks, rest if not blocks else notes

    def _texts(self, row: int) -> list[tuple[int, Value]]:
        return [(column, cell) for column, cell in enumerate(self._grid[row]) if cell.words]

    def _notes(self, row: int) -> list[Note]:
        return [Note((self._index, row, column), cell.text) for column, cell in self._texts(row)]

    def _kind(self, row: int, has_header: bool, has_data: bool) -> _Kind:
        cells = self._grid[row]
        texts = self._texts(row)
        numbers = [(column, cell) for column, cell in enumerate(cells) if cell.number is not None]
        dashes = sum(cell.dash for cell in cells)
        if not texts and not numbers:
            return _Kind.BLANK if not dashes else _Kind.FIGURES if has_data else _Kind.BLANK
        if texts and words.IS_FOOTER.fullmatch(compact(texts[0][1].text)):
            return _Kind.NOTE
        if numbers:
            if has_header and not has_data and _counts_columns([cell for _, cell in numbers], texts):
                return _Kind.INDEX
            if not has_data and (texts or len(numbers) > 1) and all(map(_is_year, (cell for _, cell in numbers))):
                below = self._grid[row + 1] if row + 1 < len(self._grid) else []
                if (
                    any(cell.number is not None and not _is_year(cell) for cell in below)
                    and len(numbers) + len(texts) > 1
                ):
                    return _Kind.WORDS
            return _Kind.FIGURES
        if dashes >= 2 and has_data:
            return _Kind.FIGURES
        if len(texts) == 1 or any(re.match(r"(?:计量|金额)?单位[:：]", compact(cell.text)) for _, cell in texts):
            return _Kind.NOTE
        return _Kind.WORDS

    def _is_heading(self, row: int, data: Sequence[int]) -> bool:
        """A short label on its own between rows of figures, such as 一、义务教育: not a title of the next table."""
        column, cell = self._texts(row)[0]
        if len(cell.text) > 20 or column > 2:
            return False
        merged = [m for m in self._sheet.merged if m[0] - 1 == row and m[1] == column]
        if merged and merged[0][3] - merged[0][1] >= max(3, self._width - 2) and not words.numbering(cell.text)[0]:
            return False
        below = next(
            (r for r in range(row + 1, min(row + 4, len(self._grid))) if self._kind(r, True, True) is not _Kind.BLANK),
            None,
        )
        return below is not None and self._kind(below, True, True) is _Kind.FIGURES

    def _is_new_header(self, row: int, data: Sequence[int]) -> bool:
        figures = Counter(column for r in data for column, cell in enumerate(self._grid[r]) if cell.number is not None)
        often = {column for column, count in figures.items() if 3 * count >= len(data)}
        over = [column for column, _ in self._texts(row) if column in often]
        return len(over) >= 2 or (len(over) == 1 and len(often) <= 2)

    def _repeats(self, row: int, header: Sequence[int]) -> bool:
        mine = {(column, compact(cell.text)) for column, cell in self._texts(row)}
        return any(mine == {(column, compact(cell.text)) for column, cell in self._texts(r)} for r in header)

    def _ends_here(self, data: Sequence[int], since: Sequence[Note], notes: Sequence[Note]) -> bool:
        """Whether a table is over before its header comes again: its last row is a total, or a new title stands between."""
        last = next((cell.text for _, cell in self._texts(data[-1])), "")
        titles = {compact(note.text) for note in notes}
        return words.rank_of(last) >= words.Rank.TOTAL or any(
            compact(note.text) not in titles and not words.IS_FOOTER.fullmatch(compact(note.text)) for note in since
        )

    def _block(self, header: list[int], data: list[int], notes: list[Note]) -> Block | None:
        rows = [row for row in data if any(c.number is not None or c.dash for c in self._grid[row])]
        if not rows:
            return None
        paths = self._header_paths(header)
        columns = range(self._width)
        period, halves = _period(paths, [[self._cell(row, column) for column in columns] for row in rows])
        labels, serial, lines = self._columns(rows, paths, period)
        if not lines:
            return None
        found: list[Line] = []
        for half in range(halves):
            found += self._rows(data, labels, serial, half * period if halves > 1 else 0, lines)
        titles = " ".join([*(note.text for note in notes), *(text for path in paths for text in path)])
        unit = re.search(r"单位[:：]?\s*[(（]?\s*([^\s()（）]*元[^\s()（）]*)", titles)
        heads = tuple(paths[column][-1] if paths[column] else "" for column in labels)
        top = header[0] if header else rows[0]
        return Block(
            self._index,
            self._sheet.name,
            found,
            lines,
            notes,
            range(top, rows[0]),
            unit[1] if unit else "",
            heads,
            self._grid,
        )

    def _cell(self, row: int, column: int) -> Value:
        cells = self._grid[row]
        return cells[column] if column < len(cells) else BLANK

    def _header_paths(self, header: list[int]) -> list[tuple[str, ...]]:
        """By column, the header's texts from top to bottom, each once; a group's word stands over all of its columns."""
        has_merges = any((row, column) in self._anchors for row in header for column in range(self._width))
        rows: list[list[str]] = []
        for row in header:
            texts = []
            for column in range(self._width):
                at = self._anchors.get((row, column), (row, column))
                texts.append(_one_line(self._cell(*at).text))
            rows.append(texts)
        if not has_merges:
            for place, texts in enumerate(rows[:-1]):
                below = rows[place + 1 :]
                for column in range(1, self._width):
                    told = any(line[column] for line in below) and any(line[column - 1] for line in below)
                    if not texts[column] and texts[column - 1] and told:
                        texts[column] = texts[column - 1]
        return [_path(texts[column] for texts in rows) for column in range(self._width)]

    def _columns(
        self, rows: Sequence[int], paths: Sequence[tuple[str, ...]], period: int
    ) -> tuple[list[int], int | None, list[Line]]:
        """(columns of labels, the one of serial numbers, columns of figures and days)."""
        labels: list[int] = []
        serial: int | None = None
        lines: list[Line] = []
        for column in range(period):
            cells = [self._cell(row, column) for row in rows]
            head = compact("".join(paths[column]))
            numbers = sum(cell.number is not None for cell in cells)
            texts = sum(bool(cell.words) for cell in cells)
            days = sum(cell.day is not None for cell in cells)
            if not numbers and not texts and not days:
                continue
            is_first = not lines
            if (
                is_first
                and serial is None
                and (re.fullmatch(r"(?:序号|编号|No\.?|序|号)", head) or (not labels and _is_serial(cells)))
            ):
                serial = column
                continue
            if is_first and re.search(r"年份|年度$|^年$|^学年$|年级$|^月份?$", head):
                labels.append(column)
                continue
            if texts > numbers and not days:
                if is_first:
                    labels.append(column)
                continue
            is_date = days > numbers or (
                days + numbers and (words.starts(head) or words.ends(head)) and re.search(r"时间|日期|年月", head)
            )
            if re.search(r"代码|编码|电话|邮编|标识码|身份证|账号|备注|排名|名次", head):
                continue
            lines.append(Line(column, paths[column], is_numeric=bool(numbers) and not is_date))
        if not labels and serial is not None:
            labels = [serial]
        return labels, serial, lines

    def _rows(
        self, data: list[int], labels: list[int], serial: int | None, shift: int, columns: list[Line]
    ) -> list[Line]:
        found: list[Line] = []
        group, above = 0, [""] * len(labels)
        for row in data:
            own = [self._cell(row, column + shift) for column in labels]
            number = self._cell(row, serial + shift).text if serial is not None else ""
            if not any(
                (c := self._cell(row, line.at + shift)).number is not None or c.dash or c.day for line in columns
            ):
                group += any(cell.words for cell in own) or bool(number)
                above = [""] * len(labels)
                continue
            texts = []
            for place, column in enumerate(labels):
                at = self._anchors.get((row, column + shift))
                text = own[place].text if not own[place].zero else ""
                if not text and at and at != (row, column + shift) and at[1] == column + shift:
                    text = self._cell(*at).text
                elif not text and at is None and place < len(labels) - 1 and self._may_fill(own, place, above[place]):
                    text = above[place]
                texts.append(_one_line(text))
            above = texts
            path = _path(texts)
            if not path and number and not number.isdigit():
                path = (_one_line(number),)
            leaf = next((cell for cell in reversed(own) if cell.words), BLANK)
            level = words.numbering(number)[0] if number and not number.isdigit() else 0
            level = level or words.numbering(leaf.text)[0] or (3 if number.isdigit() else 0)
            found.append(Line(row, path, shift, leaf.indent, level, group))
        return found

    def _may_fill(self, own: list[Value], place: int, above: str) -> bool:
        """Whether a blank label goes on with the one above it: the next label speaks, and is no total of its own."""
        after = [cell.text for cell in own[place + 1 :] if cell.words]
        return (
            bool(after) and words.rank_of(above) is words.Rank.NONE and not words.rank_of(after[0]) >= words.Rank.TOTAL
        )


def _one_line(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _path(texts: object) -> tuple[str, ...]:
    path: list[str] = []
    for text in texts:  # type: ignore[attr-defined]
        if text and (not path or path[-1] != text):
            path.append(text)
    return tuple(path)


def _is_year(cell: Value) -> bool:
    return cell.number is not None and not cell.decimals and 1990 <= cell.number <= 2100 and not cell.unit


def _is_serial(cells: Sequence[Value]) -> bool:
    numbers = [cell.number for cell in cells if cell.number is not None]
    return (
        len(numbers) >= 2
        and numbers == list(range(int(numbers[0]), int(numbers[0]) + len(numbers)))
        and numbers[0] in (0, 1)
    )


def _counts_columns(numbers: Sequence[Value], texts: Sequence[tuple[int, Value]]) -> bool:
    """The line 甲 乙 1 2 3 below a header."""
    values = [cell.number for cell in numbers if cell.number is not None]
    first = int(values[0])
    short = all(len(cell.text) == 1 or "=" in cell.text for _, cell in texts)
    return first in (0, 1, 2, 3) and values == list(range(first, first + len(values))) and short and len(values) > 1


def _period(paths: Sequence[tuple[str, ...]], rows: Sequence[Sequence[Value]]) -> tuple[int, int]:
    """(columns of a half, halves) where a table goes on beside itself under the same header; else (width, 1)."""
    width = len(paths)
    filled = [column for column in range(width) if paths[column]]
    if not filled:
        return width, 1
    last = filled[-1] + 1
    for period in range(2, last // 2 + 1):
        halves, rest = divmod(last, period)
        if rest == period - 1 and not paths[period - 1] and last > period:
            halves += 1
        elif rest:
            continue
        same = all(paths[column] == paths[column % period] for column in range(last))
        texts = any(
            2 * sum(bool(row[column].words) for row in rows) > len(rows)
            for column in range(period, min(2 * period, last))
        )
        if same and halves > 1 and texts and any(paths[:period]):
            return period, halves
    return width, 1
