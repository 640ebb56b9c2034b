"""What must hold between cells, one instance at a time, as exact arithmetic with a tolerance for printed roundings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from reports.table_check.layout import Key
from reports.table_check.values import places

Numbers = Mapping[Key, Decimal]
_ZERO = Decimal(0)


class RuleName(StrEnum):
    """What a finding's `rule` can be."""

    SUM_ROWS = "sum-rows"
    SUM_COLUMNS = "sum-columns"
    SUM_SHEETS = "sum-sheets"
    HALVES_OF_YEAR = "halves-of-year"
    SOURCE_EQUALS_USE = "source-equals-use"
    PRODUCT = "product"
    RATE = "rate"
    AVERAGE = "average"
    DIFFERENCE = "difference"
    GROWTH = "growth"
    SUBSET = "subset"
    PERSONS_NOT_ABOVE_PERSON_TIMES = "persons-not-above-person-times"
    DATES_IN_ORDER = "dates-in-order"
    EQUAL_ELSEWHERE = "equal-elsewhere"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    RuleName.SUM_ROWS: "合计行等于各行之和",
    RuleName.SUM_COLUMNS: "合计列等于各列之和",
    RuleName.SUM_SHEETS: "汇总表等于各分表之和",
    RuleName.HALVES_OF_YEAR: "春季加秋季等于全年",
    RuleName.SOURCE_EQUALS_USE: "按来源合计等于按用途合计",
    RuleName.PRODUCT: "人数乘标准等于金额",
    RuleName.RATE: "比例等于两数相除",
    RuleName.AVERAGE: "平均数等于总数除以个数",
    RuleName.DIFFERENCE: "增减数等于两数相减",
    RuleName.GROWTH: "增长率等于增减数除以基数",
    RuleName.SUBSET: "其中数不大于总数",
    RuleName.PERSONS_NOT_ABOVE_PERSON_TIMES: "人数不大于人次",
    RuleName.DATES_IN_ORDER: "日期先后相符",
    RuleName.EQUAL_ELSEWHERE: "同一数字各处相等",
}


@dataclass(eq=False)
class Equation(ABC):
    """`target` is the cell that the others determine, named when nothing tells which one is wrong. `doubtful`: does not
    speak on its own, only together with another that fails at the same cell."""

    rule: RuleName
    target: Key
    cells: tuple[Key, ...]
    why: str
    doubtful: bool = False
    is_equality: ClassVar[bool] = True

    @abstractmethod
    def holds(self, numbers: Numbers) -> bool: ...

    @abstractmethod
    def solved(self, numbers: Numbers, key: Key) -> Decimal | None:
        """What the cell would have to say; None where that cannot be told from this equation."""


@dataclass(eq=False)
class Linear(Equation):
    """Σ coefficient × cell = 0."""

    terms: tuple[tuple[Key, Decimal], ...] = ()
    tolerance: Decimal = _ZERO

    def residual(self, numbers: Numbers) -> Decimal:
        return sum((factor * numbers.get(key, _ZERO) for key, factor in self.terms), _ZERO)

    def holds(self, numbers: Numbers) -> bool:
        return abs(self.residual(numbers)) <= self.tolerance

    def solved(self, numbers: Numbers, key: Key) -> Decimal | None:
        factor = sum((factor for at, factor in self.terms if at == key), _ZERO)
        if not factor:
            return None
        return numbers.get(key, _ZERO) - self.residual(numbers) / factor


@dataclass(eq=False)
class Product(Equation):
    """target = a × b × factor. `whole`: the first factor counts persons, who do not come in parts."""

    factor: Decimal = Decimal(1)
    tolerance: Decimal = _ZERO

    def holds(self, numbers: Numbers) -> bool:
        amount, a, b = (numbers.get(key, _ZERO) for key in self.cells)
        return abs(amount - a * b * self.factor) <= self.tolerance

    def solved(self, numbers: Numbers, key: Key) -> Decimal | None:
        amount, a, b = (numbers.get(key, _ZERO) for key in self.cells)
        if key == self.target:
            return a * b * self.factor
        other = b if key == self.cells[1] else a
        if not other:
            return None
        found = amount / (other * self.factor)
        return found if places(found) <= (0 if key == self.cells[1] else 2) else None


@dataclass(eq=False)
class Ratio(Equation):
    """target = (a − less) ÷ b × factor; `cells` are target, a, b and, where it is a growth, less."""

    factor: Decimal = Decimal(1)
    tolerance: Decimal = _ZERO
    printed: int = 4  # places of the expected figure

    def _wanted(self, numbers: Numbers) -> Decimal | None:
        _, a, b, *less = (numbers.get(key, _ZERO) for key in self.cells)
        return ((a - (less[0] if less else _ZERO)) / b * self.factor) if b else None

    def holds(self, numbers: Numbers) -> bool:
        wanted = self._wanted(numbers)
        return wanted is None or abs(numbers.get(self.target, _ZERO) - wanted) <= self.tolerance

    def solved(self, numbers: Numbers, key: Key) -> Decimal | None:
        wanted = self._wanted(numbers)
        return round(wanted, self.printed) if key == self.target and wanted is not None else None


@dataclass(eq=False)
class AtMost(Equation):
    """target ≤ the other cell."""

    is_equality: ClassVar[bool] = False

    def holds(self, numbers: Numbers) -> bool:
        part, whole = (numbers.get(key, _ZERO) for key in self.cells)
        return part <= whole

    def solved(self, numbers: Numbers, key: Key) -> Decimal | None:
        return None


@dataclass
class Rule:
    """One relation of lines that the table follows, with its instances. `words`: how it reads to people."""

    name: RuleName
    sheet: str
    words: str
    equations: list[Equation]
