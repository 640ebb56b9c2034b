"""What a cell of a published table says: a number with its printed decimals, a day or month, or words."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from eduaid.core.cells import Cell, Damaged, ErrorValue, Uncached
from eduaid.core.text.characters import compact, number_text, plain, tidy

_DASHES = frozenset(["-", "—", "–", "－", "−—", "——", "--", "---", "————", "/", "\\", "、", "／", "─", "──", "〇", "○"])
UNITS = "万人次|人次|万元|亿元|万人|平方米|平方公里|公里|毫米|所|户|名|人|元|个|间|套|㎡|亩|册|台|班|项|次|批|件|份|辆|家|村|吨|校|处|期|场|条"
_NUMBER = re.compile(rf"[¥￥]?([-−]?)(\d{{1,3}}(?:,\d{{3}})+|\d+)(\.\d+)?(%|％|‰|{UNITS})?", re.ASCII)
_CODE = re.compile(r"0\d+", re.ASCII)
_MOST_DIGITS = 14  # longer ones are numbers of persons or accounts
_MOST_DECIMALS = 9  # beyond these stands the noise of a division


@dataclass(frozen=True, slots=True)
class Value:
    """A cell. Exactly one of `number` and `day` is set, or neither for words and blanks.

    `decimals`: printed places after the point; of a percentage two more, because its `number` is the share (88.11 % is
    0.8811). `day`: (year, month or 0, day or 0). `zero`: blank or a dash, which counts as nothing. `lost`: a formula
    without a result or with an error, of which nothing may be concluded.
    """

    text: str
    number: Decimal | None = None
    decimals: int = 0
    percent: bool = False
    unit: str = ""
    day: tuple[int, int, int] | None = None
    zero: bool = False
    dash: bool = False
    lost: bool = False
    indent: int = 0
    typed: bool = False  # a number that stands in the cell as text
    covered: bool = False  # beneath a merge over several rows or columns of figures

    @property
    def words(self) -> str:
        """The text of a cell that holds words, empty for numbers and blanks."""
        return self.text if self.number is None and not self.zero and not self.lost else ""


BLANK = Value("", zero=True)
COVERED = Value("", zero=True, covered=True)


def value_of(cell: Cell) -> Value:
    match cell:
        case None:
            return BLANK
        case bool():
            return Value("是" if cell else "否")
        case float() | int():
            return _of_float(float(cell))
        case str():
            return _of_text(cell)
        case dt.datetime() | dt.date():
            return Value(f"{cell:%Y-%m-%d}", day=(cell.year, cell.month, cell.day))
        case ErrorValue() | Uncached() | Damaged():
            return Value(plain(cell), lost=True)
    return Value(plain(cell))


def _of_float(cell: float) -> Value:
    number = Decimal(number_text(cell))
    if len(number.as_tuple().digits) > _MOST_DIGITS and number == number.to_integral_value():
        return Value(number_text(cell))
    decimals = places(number)
    if decimals > _MOST_DECIMALS:
        number, decimals = round(number, _MOST_DECIMALS), _MOST_DECIMALS
    return Value(number_text(cell), number, decimals)


def places(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@lru_cache(maxsize=50_000)
def _of_text(cell: str) -> Value:
    text = tidy(cell.replace("\n", "").replace("\r", ""))
    bare = compact(text)
    if not bare:
        return BLANK
    if bare in _DASHES:
        return Value(text, zero=True, dash=True)
    found = _NUMBER.fullmatch(bare)
    if found and len(found[2]) <= _MOST_DIGITS and not (_CODE.fullmatch(found[2]) and not found[3]):
        sign, whole, fraction, unit = found.groups()
        number = Decimal(whole.replace(",", "") + (fraction or ""))
        decimals = len(fraction) - 1 if fraction else 0
        if sign:
            number = -number
        if unit in ("%", "％"):
            return Value(text, number / 100, decimals + 2, percent=True, typed=True)
        if unit == "‰":
            return Value(text, number / 1000, decimals + 3, percent=True, typed=True)
        return Value(text, number, decimals, unit=unit or "", typed=True)
    return Value(text, day=day_of(bare), indent=_indent(cell))


def _indent(cell: str) -> int:
    """How far the words are set in; a full-width space is two."""
    count = 0
    for character in cell:
        if character == "\u3000":
            count += 2
        elif character in " \xa0\u2002":
            count += 1
        elif character == "\u2003":
            count += 2
        else:
            break
    return count


_YEAR = r"((?:19|20)\d\d)"
_DAYS = (
    re.compile(rf"{_YEAR}年(\d{{1,2}})月(?:(\d{{1,2}})[日号])?(?:底|初|中旬|上旬|下旬|前)?", re.ASCII),
    re.compile(rf"{_YEAR}[-./](\d{{1,2}})(?:[-./](\d{{1,2}}))?", re.ASCII),
    re.compile(rf"{_YEAR}(\d\d)(\d\d)", re.ASCII),
    re.compile(rf"{_YEAR}年()()", re.ASCII),
)


def day_of(bare: str) -> tuple[int, int, int] | None:
    for pattern in _DAYS:
        if found := pattern.fullmatch(bare):
            year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
            if month <= 12 and day <= 31:
                return year, month, day
    return None


def is_before(day: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    """Whether a day lies before another, as far as both are told: 2019年 is not before 2019年3月."""
    for mine, its in zip(day, other, strict=True):
        if not mine or not its:
            return False
        if mine != its:
            return mine < its
    return False


def shown(number: Decimal) -> str:
    """An exact number as people write it: no exponent, no trailing zeros."""
    text = f"{number.normalize():f}"
    return "0" if text in ("-0", "") else text
