"""What a sheet says besides its data: totals as controls, and which lines were no data. Plain Python over rows; no Django."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from eduaid.core.cells import Row
from eduaid.core.spreadsheets import Header, RowKind, normalise_header, printed_total
from eduaid.core.text.characters import compact

_AMOUNT_WORDS = re.compile(r"金额|[元费款]|补助|资助|补贴|收入|支出|标准|合计|小计|总[额计数]|人数|数量")
_NO_AMOUNT_WORDS = re.compile(
    r"序号|编号|号码|代码|电话|手机|邮编|年级|班|年份|年度|年龄|日期|时间|备注|说明|^号$|学号|户号"
)
_NUMBER = re.compile(r"[¥￥]?(-?\d+(?:\.\d+)?)(元|万元)?", re.ASCII)
_CENT = 0.005


@lru_cache(maxsize=20_000)
def _amount(text: str) -> float | None:
    """A cell's text as yuan, None where it is no amount."""
    if found := _NUMBER.fullmatch(compact(text).replace(",", "")):
        return float(found[1]) * (10_000 if found[2] == "万元" else 1)
    return None


@dataclass(frozen=True, slots=True)
class Difference:
    """A claim that the rows do not bear out. `column` is the position of an amount, or None where people were counted."""

    number: int
    column: int | None
    printed: float
    counted: float


class Control:
    """Adds up people and amounts row by row, and compares when a total row comes.

    A total may speak of the rows since the last total, of those since the last total of the same name (小计 inside 合计),
    or of the whole sheet; one that stands above the data is compared at the end. `people`: positions in which a total row
    writes how many there are (name, number); `mapped`: positions of known columns, which hold no amounts unless `amounts`
    says so.
    """

    def __init__(
        self,
        header: Header,
        sample: Sequence[Row],
        *,
        mapped: Collection[int] = (),
        amounts: Collection[int] = (),
        people: Collection[int] = (),
    ) -> None:
        self._people = frozenset(people)
        self.columns = tuple(
            position
            for position, text in enumerate(header.texts)
            if position in amounts or (position not in mapped and _may_hold_amounts(text, position, sample))
        )
        self._rows = 0
        self._sums = dict.fromkeys(self.columns, 0.0)
        # What had been added up when the last total of a name (empty: of any name) was met.
        self._marks: dict[str, tuple[int, Mapping[int, float]]] = {}
        self._pending: list[tuple[int, Row]] = []

    def add(self, row: Row) -> None:
        self._rows += 1
        if self.columns:
            self.add_amounts(row)

    def add_many(self, rows: int) -> None:
        """Rows whose amounts need no adding up (`columns` is empty)."""
        self._rows += rows

    def add_amounts(self, row: Row) -> None:
        width = len(row)
        for position in self.columns:
            if position < width:
                cell = row[position]
                if type(cell) is float:
                    self._sums[position] += cell
                elif type(cell) is str and (amount := _amount(cell)) is not None:
                    self._sums[position] += amount

    def check(self, number: int, row: Row) -> list[Difference]:
        """A total row's claims that differ from what stands above it."""
        if not self._rows:
            self._pending.append((number, row))
            return []
        name = _name(row)
        found = self._compare(number, row, name)
        self._marks[name] = self._marks[""] = (self._rows, dict(self._sums))
        return found

    def finish(self) -> list[Difference]:
        """The claims of total rows above the data, compared with the whole sheet."""
        return [difference for number, row in self._pending for difference in self._compare(number, row, "")]

    def _compare(self, number: int, row: Row, name: str) -> list[Difference]:
        printed = printed_total(row)
        starts = [self._marks[key] for key in ("", name) if key in self._marks]
        starts.append((0, {}))
        found: list[Difference] = []
        people = [printed.people] if printed.people is not None else []
        people += [int(value) for at, value in printed.numbers.items() if at in self._people and value.is_integer()]
        if people:
            counts = [self._rows - rows for rows, _ in starts]
            if people[0] not in counts:
                found.append(Difference(number, None, people[0], counts[0]))
        for position in self.columns:
            claimed = printed.numbers.get(position)
            if claimed is None:
                continue
            sums = [self._sums[position] - before.get(position, 0.0) for _, before in starts]
            if not any(abs(claimed - total) < _CENT for total in sums):
                found.append(Difference(number, position, claimed, round(sums[0], 2)))
        return found


def _may_hold_amounts(text: str, position: int, sample: Iterable[Row]) -> bool:
    name = normalise_header(text)
    if _NO_AMOUNT_WORDS.search(name):
        return False
    if _AMOUNT_WORDS.search(name):
        return True
    cells = [row[position] for row in sample if position < len(row) and row[position] is not None]
    return bool(cells) and all(type(cell) is float for cell in cells)


def _name(row: Row) -> str:
    """合计, 小计 …: the word that the row begins with."""
    for cell in row:
        if type(cell) is str and (found := re.search(r"合计|小计|总计|共计|累计", compact(cell))):
            return found[0]
    return "合计"


_KINDS = {
    RowKind.HEADER: "重复的表头",
    RowKind.TITLE: "重复的标题",
    RowKind.TOTAL: "合计",
    RowKind.FOOTER: "表尾说明",
    RowKind.BLANK: "空行",
}
_LISTED = 10


def lines_in_words(numbers: Iterable[int], most: int = _LISTED) -> str:
    """Row numbers with runs drawn together: 第 3—5、9 行; after ``most`` runs an 等."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = "、".join(str(a) if a == b else f"{a}—{b}" for a, b in runs[:most])
    return f"第 {shown} 行{'等' if len(runs) > most else ''}"


class Skipped:
    """The lines of a sheet that were not taken for data, by what they are."""

    def __init__(self, header_last: int) -> None:
        self._numbers: dict[RowKind, list[int]] = defaultdict(list)
        self._previous = header_last
        self._blank = 0

    def pass_by(self, number: int) -> None:
        """Notes the blank lines between the last line and this one."""
        if number > self._previous + 1:
            self._blank += number - self._previous - 1
        self._previous = number

    def note(self, kind: RowKind, number: int) -> None:
        self._numbers[kind].append(number)

    @property
    def count(self) -> int:
        return self._blank + sum(map(len, self._numbers.values()))

    def in_words(self) -> str:
        """合计 2 行（第 20、40 行）、空行 3 行."""
        parts = [
            f"{word} {len(self._numbers[kind])} 行（{lines_in_words(self._numbers[kind])}）"
            for kind, word in _KINDS.items()
            if kind is not RowKind.BLANK and self._numbers.get(kind)
        ]
        if blank := self._blank + len(self._numbers.get(RowKind.BLANK, ())):
            parts.append(f"空行 {blank} 行")
        return "、".join(parts)
