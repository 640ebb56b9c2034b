"""ID numbers as arrays: read, checked, repaired by their own check digit, compared digit by digit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eduaid.core.text.characters import compact
from eduaid.core.text.ids import WEIGHTS
from students.linkage.arrays import Flags, Ints, Longs, Rows

Digits = npt.NDArray[np.uint8]
WIDTH = 19
"""One more than an ID number has: a digit may have been doubled."""
X, STAR, OTHER, NONE = 10, 11, 12, 255
_CHECK = np.array([1, 0, 10, 9, 8, 7, 6, 5, 4, 3, 2], np.uint8)  # GB 11643: position = weighted sum modulo 11
_WEIGHTS = np.array(WEIGHTS, np.int32)
_MONTH_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_LOOK_ALIKE = str.maketrans("OQDILZSB", "00011258")
_EMPTY = frozenset({"", "无", "没有", "未办", "不详", "NONE", "NULL", "NAN", "-", "--", "/"})

_BYTES = np.full(256, OTHER, np.uint8)
_BYTES[ord("0") : ord("9") + 1] = np.arange(10)
_BYTES[[ord("X"), ord("x")]] = X
_BYTES[[ord("*"), ord("?"), ord("#")]] = STAR


@dataclass(frozen=True)
class Numbers:
    """ID numbers of all rows. `digits` as written (15 digits written out to 18), NONE behind the end; `value` is the number itself
    where it is valid, else -1; `birth` yyyymmdd of any 18 digits with a real date, else 0."""

    digits: Digits
    length: Ints
    value: Longs
    birth: Ints
    old_form: Flags
    """Had fifteen digits: the century and the check digit are ours."""

    @property
    def is_valid(self) -> Flags:
        return np.asarray(self.value >= 0)


def read_numbers(texts: Sequence[str | None], latest_year: int) -> Numbers:
    """Plain 18-digit cells all at once, the others one by one. `latest_year`: nobody in the lists is born later."""
    rows = len(texts)
    digits = np.full((rows, WIDTH), NONE, np.uint8, order="F")  # read column by column
    length = np.zeros(rows, np.int32)
    old_form = np.zeros(rows, bool)
    if not any(texts):
        return Numbers(digits, length, np.full(rows, -1, np.int64), np.zeros(rows, np.int32), old_form)
    cells = texts if None not in texts else [text or "" for text in texts]
    codes = np.frombuffer(("\n".join(cells) + "\n").encode("utf-8", "replace"), np.uint8)  # type: ignore[arg-type]
    ends = np.flatnonzero(codes == 10)
    if len(ends) != rows:
        return read_numbers([(text or "").replace("\n", " ") for text in texts], latest_year)
    starts = np.zeros(rows, np.int64)
    starts[1:] = ends[:-1] + 1
    plain = np.flatnonzero(ends - starts == 18)
    clean = np.ones(len(plain), bool)
    read = []
    for place in range(18):
        column = _BYTES[codes[starts[plain] + place]]
        clean &= column <= (X if place == 17 else 9)
        read.append(column)
    everyone = clean.all()
    plain = plain[clean]
    for place, column in enumerate(read):
        digits[plain, place] = column if everyone else column[clean]
    length[plain] = 18
    rest = np.flatnonzero((length == 0) & (ends > starts))
    for row in rest.tolist():
        text, was_short = _cleaned(texts[row] or "", latest_year)
        if text:
            found = _BYTES[np.frombuffer(text.encode("ascii", "replace"), np.uint8)]
            digits[row, : len(found)] = found
            length[row] = len(found)
            old_form[row] = was_short
    value, birth = _checked(digits, length)
    return Numbers(digits, length, value, birth, old_form)


def _cleaned(text: str, latest_year: int) -> tuple[str, bool]:
    """What can be compared of an unusual cell; empty when nothing can. And whether it had fifteen digits."""
    text = compact(text).upper().strip("'\"=`’‘")
    text = text.replace("-", "").replace("·", "").replace("＊", "*").replace("×", "*").replace("●", "*")
    if text in _EMPTY or not 14 <= len(text) <= WIDTH or "E+" in text:
        return "", False
    if len(text) == WIDTH and text[0] in "GLJ":
        text = text[1:]
    text = text[:-1].translate(_LOOK_ALIKE) + (text[-1] if text[-1] in "Xx" else text[-1].translate(_LOOK_ALIKE))
    if sum(char.isdigit() or char == "*" for char in text) < len(text) - 3 or sum(map(str.isdigit, text)) < 8:
        return "", False
    if len(text) == 15 and text.isascii() and text.isdigit():
        century = "20" if 2000 + int(text[6:8]) <= latest_year else "19"
        body = text[:6] + century + text[6:]
        total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
        return body + "10X98765432"[total % 11], True
    return text, False


def _checked(digits: Digits, length: Ints) -> tuple[Longs, Ints]:
    """(number or -1, yyyymmdd or 0) of each row."""
    value = np.zeros(len(digits), np.int64)
    total = np.zeros(len(digits), np.int32)
    birth = np.zeros(len(digits), np.int32)
    fits = length == 18
    for place in range(17):
        column = digits[:, place]
        fits &= column < X
        value *= 10
        value += column
        total += column.astype(np.int32) * _WEIGHTS[place]
        if 6 <= place < 14:
            birth = birth * 10 + column
    real = _real_dates(birth) & (length >= 14)
    valid = fits & real & (_CHECK[total % 11] == digits[:, 17])
    return np.where(valid, value * 11 + digits[:, 17], -1), np.where(real & (length == 18), birth, 0).astype(np.int32)


def _real_dates(days: Ints) -> Flags:
    year, month, day = days // 10000, days // 100 % 100, days % 100
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    fits = (year >= 1900) & (year < 2100) & (month >= 1) & (month <= 12) & (day >= 1)
    return np.asarray(fits & (day <= _MONTH_DAYS[np.where(fits, month, 0)]) & ((month != 2) | (day < 29) | leap))


_INVERSE = np.array([0, *(pow(factor, -1, 11) for factor in range(1, 11))])
_FACTORS = np.append(
    _WEIGHTS, 1
)  # with the check digit (X = 10) counted once, the sum of a valid number is 1 modulo 11


def repairs(numbers: Numbers, rows: Rows) -> tuple[Rows, Longs]:
    """The valid numbers that one slip can have turned into those of the rows: a wrong digit, neighbours swapped, a digit lost or
    one too many. The check digit tells for each place which digit it must have been; (row, number)."""
    found_rows: list[Rows] = []
    found: list[Longs] = []

    def keep(owners: Rows, digits: Digits) -> None:
        value, _ = _checked(digits, np.full(len(digits), 18, np.int32))
        hit = np.flatnonzero(value >= 0)
        found_rows.append(owners[hit])
        found.append(value[hit])

    for size, mend in ((18, _mended_whole), (17, _mended_short), (19, _mended_long)):
        own = rows[numbers.length[rows] == size]
        if len(own):
            digits = np.ascontiguousarray(numbers.digits[own])
            for which, mended in mend(digits):
                keep(own[which], mended)
    if not found:
        return np.empty(0, np.intp), np.empty(0, np.int64)
    return np.concatenate(found_rows), np.concatenate(found)


def _mended_whole(written: Digits) -> Iterator[tuple[Rows, Digits]]:
    digits = written[:, :18].astype(np.int64)
    unread = digits > 9
    unread[:, 17] = digits[:, 17] > X
    digits[unread] = 0
    total = digits @ _FACTORS % 11
    needed = (digits + (1 - total)[:, None] * _INVERSE[_FACTORS % 11]) % 11
    # Where one character is no digit, it is the slip; where two are, there is more than one.
    slips = unread.sum(1)[:, None]
    allowed: Flags = (slips == 0) | (unread & (slips == 1))
    allowed &= (needed <= 9) | (np.arange(18) == 17)
    which, place = np.nonzero(allowed)
    mended = written[which]
    mended[np.arange(len(which)), place] = needed[which, place]
    yield which, mended
    change = (_FACTORS[:-1] - _FACTORS[1:]) * (digits[:, 1:] - digits[:, :-1])
    right = ((total[:, None] + change) % 11 == 1) & (slips == 0)
    which, place = np.nonzero(right)
    mended, line = written[which], np.arange(len(which))
    mended[line, place], mended[line, place + 1] = written[which, place + 1], written[which, place]
    yield which, mended


def _mended_short(written: Digits) -> Iterator[tuple[Rows, Digits]]:
    """A digit is missing: put in front of each place the one that makes the sum right."""
    digits = written[:, :17].astype(np.int64)
    zero = np.zeros((len(digits), 1), np.int64)
    before = np.hstack([zero, np.cumsum(digits * _FACTORS[:17], 1)])
    behind = np.cumsum((digits * _FACTORS[1:])[:, ::-1], 1)[:, ::-1]
    total = before + np.hstack([behind, zero])
    needed = (1 - total) * _INVERSE[_FACTORS % 11] % 11
    which, place = np.nonzero((needed <= 9) | (np.arange(18) == 17))
    places = np.arange(18)
    source = np.minimum(places - (places > place[:, None]), 16)
    mended = np.full((len(which), WIDTH), NONE, np.uint8)
    mended[:, :18] = np.take_along_axis(written[which], source, 1)
    mended[np.arange(len(which)), place] = needed[which, place]
    yield which, mended


def _mended_long(written: Digits) -> Iterator[tuple[Rows, Digits]]:
    for place in range(19):
        mended = np.full_like(written, NONE)
        mended[:, :18] = np.delete(written, place, axis=1)
        yield np.arange(len(written)), mended


# How two written numbers stand to each other. The first three speak of valid numbers.
SAME, OLD, DIFFERENT, MISSING, DIGIT, SWAP, LENGTH, TWO, TAIL, FAR, FIFTEEN, ROUNDED, MASK, SAME_BROKEN = range(14)


@dataclass(frozen=True)
class NumberEvidence:
    """`place` counts from 1: the digit in which a DIGIT, SWAP or LENGTH pair differs; 0 for the others."""

    kind: npt.NDArray[np.int8]
    place: npt.NDArray[np.int8]


def compare_numbers(numbers: Numbers, left: Rows, right: Rows) -> NumberEvidence:
    a_length, b_length = numbers.length[left], numbers.length[right]
    kind = np.full(len(left), FAR, np.int8)
    place = np.zeros(len(left), np.int8)
    kind[(a_length == 0) | (b_length == 0)] = MISSING
    known = (numbers.value[left] >= 0) & (numbers.value[right] >= 0)
    same = known & (numbers.value[left] == numbers.value[right])
    own = ~numbers.old_form[left] & ~numbers.old_form[right]
    kind[known & ~same & own] = DIFFERENT
    kind[same] = np.where(own[same], SAME, FIFTEEN)
    open_ = np.flatnonzero((kind == FAR) & ~same)
    if len(open_):
        found = _compare_written(numbers, left[open_], right[open_])
        kind[open_], place[open_] = found.kind, found.place
    return NumberEvidence(kind, place)


def _compare_written(numbers: Numbers, left: Rows, right: Rows) -> NumberEvidence:
    a, b = numbers.digits[left], numbers.digits[right]
    a_length, b_length = numbers.length[left], numbers.length[right]
    kind = np.full(len(left), FAR, np.int8)
    place = np.zeros(len(left), np.int8)
    masked = (a == STAR) | (b == STAR)
    unlike = (a != b) & ~masked
    count = unlike.sum(1)
    one_length = a_length == b_length
    swapped = unlike[:, :-1] & unlike[:, 1:] & (a[:, :-1] == b[:, 1:]) & (a[:, 1:] == b[:, :-1])
    slips = count - swapped.any(1)
    rows = np.arange(len(a))
    last_a = np.maximum(a_length - 4, 0)[:, None] + np.arange(4)
    last_b = np.maximum(b_length - 4, 0)[:, None] + np.arange(4)
    tail = (a[rows[:, None], last_a] == b[rows[:, None], last_b]).all(1) & (a_length >= 15) & (b_length >= 15)
    kind[tail] = TAIL
    rounded = one_length & ~unlike[:, :15].any(1)
    for side in (a, b):
        kind[rounded & (side[:, 15:18] == 0).all(1) & (a_length == 18)] = ROUNDED
    kind[one_length & (slips == 2)] = TWO
    first = unlike.argmax(1) + 1
    one = one_length & (count == 1)
    kind[one], place[one] = DIGIT, first[one]
    swap = one_length & (count == 2) & swapped.any(1)
    kind[swap], place[swap] = SWAP, first[swap]
    near = np.abs(a_length - b_length) == 1
    if near.any():
        longer = np.where((a_length > b_length)[:, None], a, b)[near]
        shorter = np.where((a_length > b_length)[:, None], b, a)[near]
        size = np.minimum(a_length, b_length)[near]
        places = np.arange(WIDTH - 1)
        inside = places < size[:, None]
        straight = (longer[:, :-1] != shorter[:, :-1]) & inside
        shifted = (longer[:, 1:] != shorter[:, :-1]) & inside
        zero = np.zeros((len(straight), 1), np.int64)
        before = np.hstack([zero, np.cumsum(straight, 1)])
        after = np.hstack([shifted.sum(1)[:, None] - np.cumsum(shifted, 1), zero])
        after = np.hstack([shifted.sum(1)[:, None], after[:, :-1]])
        cost = before + after
        best = cost.min(1)
        where = np.flatnonzero(near)
        kind[where[best == 0]] = LENGTH
        place[where[best == 0]] = cost.argmin(1)[best == 0] + 1
        kind[where[best == 1]] = TWO
    stars = one_length & masked.any(1) & (count == 0)
    kind[stars], place[stars] = MASK, 0
    broken = one_length & (count == 0) & ~masked.any(1)
    kind[broken], place[broken] = SAME_BROKEN, 0
    return NumberEvidence(kind, place)
