"""All lists as one table of arrays: rows of the first list, then of the second, then of the third."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from eduaid.core.text.characters import half_width
from eduaid.core.text.dates import parse_date, parse_month
from eduaid.core.text.results import Parsed
from students.linkage.arrays import Flags, Floats, Ints, Longs, flat, shares, weighted
from students.linkage.names import Names, distinct_names, with_frequencies
from students.linkage.numbers import Numbers, read_numbers
from students.linkage.people import People


def _log_shares(column: Ints, lists: int, usual: float) -> Floats:
    told = column[column >= 0]
    found = shares(np.bincount(told, minlength=1), lists, len(told), usual)
    return np.append(np.log(np.clip(found, 0.001, 1.0)), 0.0)


T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Table:
    """`bounds[k]` is the first row of list k, the last bound the number of all rows. -1 and 0 mean: not told."""

    lists: Sequence[People]
    bounds: tuple[int, ...]
    names: Names
    name: Ints
    former: Ints
    guardians: tuple[Ints, ...]
    numbers: Numbers
    embedded: Longs
    """The valid ID inside a 学籍号, which is today's or an old one."""
    registry: Longs
    birth: Ints
    """yyyymmdd of the birth column, yyyymm00 where the day is not told."""
    sex: Ints
    phone: Longs
    township: Ints
    village: Ints
    school: Ints

    def rows_of(self, position: int) -> slice:
        return slice(self.bounds[position], self.bounds[position + 1])

    @cached_property
    def any_birth(self) -> Ints:
        """The column's, else the ID's."""
        return np.where(self.birth > 0, self.birth, self.numbers.birth)

    @cached_property
    def people(self) -> int:
        """Rows of the longest list."""
        return max(int(np.diff(self.bounds).max(initial=1)), 1)

    @cached_property
    def day_share(self) -> tuple[Ints, Floats]:
        """Birth dates in order, and how many of the people are born on each."""
        days, counts = np.unique(self.any_birth, return_counts=True)
        return days, shares(counts, len(self.lists), len(self.any_birth), 1 / 5000)

    @cached_property
    def phone_count(self) -> tuple[Longs, Longs]:
        return np.unique(self.phone, return_counts=True)

    @cached_property
    def guardian_shares(self) -> tuple[Floats, Floats]:
        """How common each name is among the guardians, and how common its sound."""
        told = np.concatenate([column[column >= 0] for column in self.guardians])
        counts = np.bincount(told, minlength=len(self.names))
        _, inverse = np.unique(self.names.sound_key, return_inverse=True)
        by_sound = np.bincount(inverse, counts)[inverse] if len(counts) else counts
        return tuple(shares(count, len(self.lists), len(told), 2e-4) for count in (counts, by_sound))  # type: ignore[return-value]

    @cached_property
    def place_logs(self) -> tuple[Floats, Floats, Floats]:
        """Logarithm of each township's, village's and school's share; one more at the end for those that are not told."""
        several = len(self.lists)
        return (
            _log_shares(self.township, several, 0.08),
            _log_shares(self.village, several, 0.01),
            _log_shares(self.school, several, 0.03),
        )


def table_of(lists: Sequence[People]) -> Table:
    bounds = tuple(int(bound) for bound in np.cumsum([0, *map(len, lists)]))
    most_guardians = max((len(people.guardians) for people in lists), default=0)
    columns: list[Sequence[str | None]] = []
    for people in lists:
        blank: Sequence[str | None] = [""] * len(people)
        guardians = [*people.guardians, *[blank] * (most_guardians - len(people.guardians))]
        plain, former = _without_remarks(people.names, people.former_names)
        columns += [plain, former, *guardians]
    names, which = distinct_names(columns)
    width = 2 + most_guardians
    stacked = [np.concatenate(which[column::width]) if lists else np.zeros(0, np.int32) for column in range(width)]
    names = with_frequencies(names, which[0::width])
    latest = dt.date.today().year
    numbers = read_numbers(_stacked([people.id_numbers for people in lists], lists), latest)
    registry, embedded = _registry(_stacked([people.registry_numbers for people in lists], lists), latest)
    sex = _coded(_stacked([people.sexes for people in lists], lists), _sex)
    told = numbers.value // 11 % 2
    sex = np.where((sex == 0) & numbers.is_valid, np.where(told == 1, 1, 2), sex).astype(np.int32)
    return Table(
        lists=lists,
        bounds=bounds,
        names=names,
        name=stacked[0],
        former=stacked[1],
        guardians=tuple(stacked[2:]),
        numbers=numbers,
        embedded=embedded,
        registry=registry,
        birth=_coded(_stacked([people.births for people in lists], lists), _birth),
        sex=sex,
        phone=_phones(_stacked([people.phones for people in lists], lists)),
        township=_places(_stacked([people.townships for people in lists], lists)),
        village=_places(_stacked([people.villages for people in lists], lists)),
        school=_places(_stacked([people.schools for people in lists], lists)),
    )


def _stacked(columns: Sequence[Sequence[T] | None], lists: Sequence[People]) -> list[T | None]:
    found: list[T | None] = []
    for column, people in zip(columns, lists, strict=True):
        found.extend(column if column is not None else [None] * len(people))
    return found


_REMARK = re.compile(r"[(（\[【〔<《](.*?)(?:[)）\]】〕>》]|$)")
_BRACKETS = re.compile(r"[(（\[【〔<《]")
_FORMER = re.compile(r"^(?:曾用名|原名|又名|别名|小名|现名)?[:：]?")


def _without_remarks(
    names: Sequence[str | None], former: Sequence[str | None] | None
) -> tuple[Sequence[str | None], Sequence[str | None]]:
    """王伟（曾用名王小伟） → 王伟, 王小伟. Lists hardly ever hold such cells, so they are looked for at once."""
    told: Sequence[str | None] = former if former is not None else [""] * len(names)
    if not _BRACKETS.search("".join(filter(None, names))):
        return names, told
    plain, other = list(names), list(told)
    for row, name in enumerate(names):
        if name and (match := _REMARK.search(name)):
            plain[row] = name[: match.start()] + name[match.end() :]
            if not other[row] and (inside := _FORMER.sub("", match[1])) and len(inside) >= 2:
                other[row] = inside
    return plain, other


def _coded(cells: Sequence[T], read: Callable[[T], int]) -> Ints:
    """Each distinct cell is read once."""
    if not any(cells):
        return np.full(len(cells), read(cells[0]) if len(cells) else 0, np.int32)
    known = {cell: read(cell) for cell in dict.fromkeys(cells)}
    return np.fromiter(map(known.__getitem__, cells), np.int32, len(cells))


_SEXES = {
    "男": 1,
    "女": 2,
    "1": 1,
    "2": 2,
    "m": 1,
    "f": 2,
    "male": 1,
    "female": 2,
    "男性": 1,
    "女性": 2,
    "男孩": 1,
    "女孩": 2,
}


def _sex(cell: str | None) -> int:
    text = half_width(cell or "").strip().lower()
    return _SEXES.get(text, 0) or _SEXES.get(text.partition("-")[2], 0) or _SEXES.get(text[-1:], 0)


_USUAL_DATE = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})|(\d{4})(\d\d)(\d\d)", re.ASCII)


def _birth(cell: dt.date | str | None) -> int:
    if cell is None or cell == "":
        return 0
    if isinstance(cell, str) and (plain := _USUAL_DATE.fullmatch(cell)):
        year, of_year, day = int(plain[1] or plain[4]), int(plain[2] or plain[5]), int(plain[3] or plain[6])
        if 1900 <= year < 2100 and 1 <= of_year <= 12 and 1 <= day <= 28:
            return year * 10000 + of_year * 100 + day
    answer = parse_date(cell)
    if isinstance(answer, Parsed):
        return answer.value.year * 10000 + answer.value.month * 100 + answer.value.day
    month = parse_month(cell)
    if isinstance(month, Parsed):
        return month.value.year * 10000 + month.value.month * 100
    return 0


def _phones(cells: Sequence[str | None]) -> Longs:
    """The digits of the first number in the cell; 0 for none, for less than seven digits and for one digit throughout."""
    value = np.zeros(len(cells), np.int64)
    if not any(cells):
        return value
    texts = cells if None not in cells else [cell or "" for cell in cells]
    codes = np.frombuffer(("\n".join(texts) + "\n").encode("utf-8", "replace"), np.uint8)  # type: ignore[arg-type]
    ends = np.flatnonzero(codes == 10)
    if len(ends) != len(cells):
        return _phones([(cell or "").replace("\n", " ") for cell in cells])
    starts = np.zeros(len(cells), np.int64)
    starts[1:] = ends[:-1] + 1
    usual = np.flatnonzero(ends - starts == 11)
    clean = np.ones(len(usual), bool)
    found = np.zeros(len(usual), np.int64)
    for place in range(11):
        digit = codes[starts[usual] + place] - np.uint8(48)  # anything below 0 wraps round above 9
        clean &= digit <= 9
        found *= 10
        found += digit
    value[usual[clean]] = found[clean]
    value[value % 11_111_111_111 == 0] = 0
    rest = ends > starts
    rest[usual[clean]] = False
    for row in np.flatnonzero(rest).tolist():
        value[row] = _phone(texts[row] or "")
    return value


_SEVERAL = re.compile(r"[/,，、;；|\s]+(?=\+?\d{7})")


def _phone(text: str) -> int:
    text = half_width(text).removesuffix(".0")
    digits = re.sub(r"\D", "", _SEVERAL.split(text)[0] if len(text) > 13 else text, flags=re.ASCII)[-11:]
    return int(digits) if len(digits) >= 7 and len(set(digits)) > 1 else 0


_SUFFIX = re.compile(r"(?:街道办事处|人民政府|村民委员会|居民委员会|村委会|居委会|街道|社区|镇|乡|村)$")


def _places(cells: Sequence[str | None]) -> Ints:
    """Numbers for places; the kind of place behind its name is often left out. -1: not told."""
    codes: dict[str, int] = {"": -1}

    def number(cell: str | None) -> int:
        text = re.sub(r"\s+", "", half_width(cell or ""))
        bare = _SUFFIX.sub("", text)
        text = bare if len(bare) >= 2 else text
        return codes.setdefault(text, len(codes) - 1)

    return _coded(cells, number)


def _registry(cells: Sequence[str | None], latest_year: int) -> tuple[Longs, Longs]:
    """(hash of the 学籍号 or -1, the valid ID inside it or -1)."""
    if not any(cells):
        nothing = np.full(len(cells), -1, np.int64)
        return nothing, nothing.copy()
    inside = read_numbers([cell[1:] if cell and cell[0] in "GgLlＧＬ" else None for cell in cells], latest_year)
    points, owner = flat([cell or "" for cell in cells])
    points = np.where(points >= 0xFF01, points - 0xFEE0, points)
    points = np.where((points >= 97) & (points <= 122), points - 32, points)
    kept = np.flatnonzero((points >= 48) & (points <= 90))
    points, owner = points[kept], owner[kept]
    size = np.bincount(owner, minlength=len(cells))
    filled = np.flatnonzero(size)
    found = np.full(len(cells), -1, np.int64)
    if len(filled):
        starts = (np.cumsum(size) - size)[filled]
        place = np.arange(len(points)) - np.repeat(starts, size[filled])
        whole = np.add.reduceat(weighted(points, place % 64), starts)
        found[filled] = (whole >> np.uint64(1)).astype(np.int64)
    return np.where(size >= 8, found, -1), inside.value


def list_of(table: Table, rows: Longs) -> Ints:
    return np.searchsorted(np.array(table.bounds[1:]), rows, "right").astype(np.int32)


def told(column: Ints | Longs) -> Flags:
    return np.asarray(column > 0)
