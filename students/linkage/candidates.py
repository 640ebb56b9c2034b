"""Which pairs of two lists are looked at closely. Every key is a combination that two people hardly share by chance; a key that
would give too many pairs (a block of ten thousand 王伟) gives none, and a narrower one finds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from students.linkage.arrays import Flags, Ints, Keys, Rows, joined, key
from students.linkage.columns import Table
from students.linkage.numbers import repairs

NARROW, WIDE = 400, 40
"""The most pairs that one value of a key may give: for keys that nearly identify, and for the others."""


@dataclass(frozen=True)
class Side:
    """Rows of one list with what the keys are made of. A row may stand several times: under its former name, with the birth date
    of its column and of its ID."""

    rows: Rows
    name: Ints
    birth: Ints


def settled(table: Table, left: slice, right: slice) -> tuple[Rows, Rows]:
    """Pairs that are beyond doubt: the same valid ID, nowhere else in either list, and the same name."""
    value = table.numbers.value
    a, b = _single(value[left]) + left.start, _single(value[right]) + right.start
    order = np.argsort(value[b])
    at = np.searchsorted(value[b], value[a], sorter=order)
    found = at < len(b)
    a, b = a[found], b[order[at[found]]]
    same = (value[a] == value[b]) & (table.name[a] == table.name[b]) & (table.name[a] >= 0)
    same &= ~table.numbers.old_form[a] & ~table.numbers.old_form[b]
    return a[same], b[same]


def _single(values: np.ndarray) -> Rows:
    """Where the values stand that stand once; -1 does not count."""
    order = np.argsort(values)
    ordered = values[order]
    alone = np.ones(len(values), bool)
    alone[1:] &= ordered[1:] != ordered[:-1]
    alone[:-1] &= ordered[1:] != ordered[:-1]
    return np.asarray(order[alone & (ordered >= 0)])


def candidates(table: Table, left: Rows, right: Rows) -> tuple[Rows, Rows]:
    """Pairs of rows that share some key, each once. `left` and `right` hold the rows that are not settled."""
    if not len(left) or not len(right):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    found: list[Keys] = []
    size = np.uint64(table.bounds[-1])

    def keep(pairs: tuple[Rows, Rows]) -> None:
        found.append(pairs[0].astype(np.uint64) * size + pairs[1].astype(np.uint64))

    for a, b, limit in _numbers(table, left, right):
        keep(joined(*a, *b, limit))
    sides = _side(table, left), _side(table, right)
    for (a_rows, a_keys, limit), (b_rows, b_keys, _) in zip(*(_keys(table, side) for side in sides), strict=True):
        keep(joined(a_rows, a_keys, b_rows, b_keys, limit))
    pairs = np.unique(np.concatenate(found))
    return (pairs // size).astype(np.intp), (pairs % size).astype(np.intp)


Keyed = tuple[Rows, Keys]


def _numbers(table: Table, left: Rows, right: Rows) -> Iterator[tuple[Keyed, Keyed, int]]:
    """Equal numbers of any column, and what a broken number may have been."""
    values = [_values(table, rows) for rows in (left, right)]
    yield values[0], values[1], NARROW
    registries = [rows[table.registry[rows] >= 0] for rows in (left, right)]
    yield (
        (registries[0], table.registry[registries[0]].astype(np.uint64)),
        (registries[1], table.registry[registries[1]].astype(np.uint64)),
        NARROW,
    )
    for rows, other, turned in ((left, values[1], False), (right, values[0], True)):
        broken = rows[(table.numbers.length[rows] > 0) & ~table.numbers.is_valid[rows]]
        owners, repaired = repairs(table.numbers, broken)
        mended = (owners, repaired.astype(np.uint64))
        yield (other, mended, NARROW) if turned else (mended, other, NARROW)
    # Both written wrongly: the same last four digits of the same day's births are left to the other keys.


def _values(table: Table, rows: Rows) -> Keyed:
    own, inside = rows[table.numbers.value[rows] >= 0], rows[table.embedded[rows] >= 0]
    inside = inside[table.embedded[inside] != table.numbers.value[inside]]
    numbers = np.concatenate([table.numbers.value[own], table.embedded[inside]])
    return np.concatenate([own, inside]), numbers.astype(np.uint64)


def _side(table: Table, rows: Rows) -> Side:
    named = rows[table.name[rows] >= 0]
    renamed = rows[table.former[rows] >= 0]
    owners = np.concatenate([named, renamed])
    name = np.concatenate([table.name[named], table.former[renamed]])
    birth = table.any_birth[owners]
    second = table.numbers.birth[owners]
    again = np.flatnonzero((second > 0) & (second != birth))
    return Side(
        np.concatenate([owners, owners[again]]),
        np.concatenate([name, name[again]]),
        np.concatenate([birth, second[again]]),
    )


def _keys(table: Table, side: Side) -> Iterator[tuple[Rows, Keys, int]]:
    """The same keys in the same order for either side."""
    rows, names, numbers = side.rows, table.names, table.numbers
    sound, order, given = names.sound_key[side.name], names.any_order[side.name], names.given_key[side.name]
    surname = names.sounds[side.name, 0]
    has_given = names.length[side.name] > names.surname[side.name]
    birth, sex, town = side.birth, table.sex[rows], table.township[rows]
    phone = table.phone[rows]
    day = (birth > 0) & (birth % 100 > 0)
    places = np.maximum(numbers.length[rows] - 4, 0)[:, None] + np.arange(4)
    tail = numbers.digits[rows[:, None], places].astype(np.uint32) @ np.array([1 << 24, 1 << 16, 1 << 8, 1], np.uint32)
    has_tail = numbers.length[rows] >= 15
    start = numbers.digits[rows, :6].astype(np.uint64) @ np.array([14**k for k in range(6)], np.uint64)

    def of(tag: int, limit: int, known: Flags, *parts: np.ndarray) -> tuple[Rows, Keys, int]:
        at = np.flatnonzero(known)
        return rows[at], key(np.full(len(at), tag), *(part[at] for part in parts)), limit

    yield of(1, NARROW, day, sound, birth)
    yield of(2, NARROW, day, order, birth)
    yield of(3, WIDE, day & (sex > 0), surname, birth, sex)
    yield of(4, WIDE, day & has_given, given, birth)
    yield of(5, NARROW, has_tail, sound, tail)
    yield of(6, WIDE, has_tail & day, birth, tail)
    yield of(7, WIDE, has_tail & day & (sex > 0), start, birth, sex)
    yield of(8, NARROW, phone > 0, sound, phone)
    yield of(9, WIDE, (phone > 0) & (sex > 0), phone, sex)
    yield of(10, NARROW, (phone > 0) & day, phone, birth)
    yield of(11, WIDE, names.length[side.name] > 0, sound)
    yield of(12, WIDE, names.length[side.name] > 0, order)
    yield of(13, WIDE, (town >= 0) & (sex > 0), sound, town, sex)
    yield of(14, WIDE, (town >= 0) & (birth > 0), sound, town, birth // 100)
    yield of(15, WIDE, birth > 0, sound, birth // 100)
    yield of(16, WIDE, birth > 0, sound, birth % 10000)
    yield of(17, WIDE, has_tail & (sex > 0), surname, tail, sex)
    yield of(18, WIDE, (town >= 0) & day & (sex > 0), town, birth, sex)
    # A guardian stands in any of the columns, so each is a row of its own.
    owner = np.tile(np.arange(len(rows)), len(table.guardians))
    adult = np.concatenate([column[rows] for column in table.guardians]) if table.guardians else owner.astype(np.int32)
    owner, adult = owner[adult >= 0], adult[adult >= 0]
    spoken = names.sound_key[adult]

    def by_adult(tag: int, limit: int, known: Flags, *parts: np.ndarray) -> tuple[Rows, Keys, int]:
        at = np.flatnonzero(known[owner])
        who = owner[at]
        return rows[who], key(np.full(len(at), tag), spoken[at], *(part[who] for part in parts)), limit

    everybody = np.ones(len(rows), bool)
    yield by_adult(21, NARROW, everybody, sound)
    yield by_adult(22, NARROW, everybody, order)
    yield by_adult(23, WIDE, day, birth)
    yield by_adult(24, WIDE, (town >= 0) & (sex > 0), town, sex)
    yield by_adult(25, WIDE, birth > 0, sex, birth // 10000)
    yield by_adult(26, WIDE, has_given, given)
    yield by_adult(27, WIDE, has_tail, tail)
