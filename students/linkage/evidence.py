"""What the rows of a pair agree in, and what that weighs.

Three explanations of a pair compete: the same person; two people who have nothing to do with each other; brother or sister. Each
gives what is seen a probability, and the pair's odds are those of the first against the sum of the others. So a shared guardian
and phone speak for the same family only, and the given name, the birth date and the number must tell who of the family it is.
What a list does not tell has the same probability under all three: an empty cell never agrees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from students.linkage import names as n
from students.linkage import numbers as i
from students.linkage.arrays import Flags, Floats, Ints, Longs, Rows, shares
from students.linkage.columns import Table
from students.linkage.names import compare_names
from students.linkage.numbers import compare_numbers

Kinds = npt.NDArray[np.int8]
AGREE, CLOSE, DIFFER, UNTOLD, MIXED = range(5)
"""Every column but name and number. MIXED: the birth columns differ, a birth date in a number agrees."""


@dataclass(frozen=True)
class Evidence:
    """Pair by pair: how each column stands, as small numbers, and the logarithms of the three probabilities."""

    left: Rows
    right: Rows
    name: Kinds
    number: Kinds
    place: Kinds
    birth: Kinds
    sex: Kinds
    guardian: Kinds
    phone: Kinds
    registry: Kinds
    township: Kinds
    village: Kinds
    school: Kinds
    valid: npt.NDArray[np.int8]
    """Bit 0: the left number is valid; bit 1: the right one."""
    same: Floats
    chance: Floats
    sibling: Floats

    def __len__(self) -> int:
        return len(self.left)

    def take(self, which: npt.NDArray[np.intp] | Flags) -> Evidence:
        return replace(self, **{field: getattr(self, field)[which] for field in self.__dataclass_fields__})


@dataclass(frozen=True)
class Weights:
    """How often rows of the same person stand in each kind to each other, column by column. Learnt from pairs beyond doubt; where
    they do not tell, as in common lists."""

    name: Floats
    birth: Floats
    sex: Floats
    guardian: Floats
    phone: Floats
    township: Floats
    village: Floats
    school: Floats


_NAME = {
    n.EQUAL: 0.985, n.FORMER: 2e-3, n.SOUND: 5e-3, n.NEAR_SOUND: 1e-3, n.MASKED: 1e-3, n.ORDER: 1e-3, n.DROPPED: 2e-3,
    n.REPLACED: 4e-3, n.GIVEN: 7e-4, n.SURNAME: 2e-3, n.OTHER: 5e-4, n.NO_NAME: 1.0,
}  # fmt: skip
COMMON = Weights(
    name=np.array([_NAME[kind] for kind in range(12)]),
    birth=np.array([0.975, 0.012, 0.006, 1.0, 0.007]),
    sex=np.array([0.995, 1.0, 0.005, 1.0, 1.0]),
    guardian=np.array([0.75, 0.02, 0.23, 1.0, 1.0]),
    phone=np.array([0.75, 0.02, 0.23, 1.0, 1.0]),
    township=np.array([0.93, 1.0, 0.07, 1.0, 1.0]),
    village=np.array([0.88, 1.0, 0.12, 1.0, 1.0]),
    school=np.array([0.9, 1.0, 0.1, 1.0, 1.0]),
)
_PRIOR_PAIRS = {"name": 300.0, "birth": 100.0}  # how many pairs the common figures are worth; other columns 30
_SAMPLE = 5_000


def learnt(table: Table, left: Rows, right: Rows) -> Weights:
    """From pairs whose number and name leave no doubt; no more than a sample of them, evenly drawn."""
    if len(left) > _SAMPLE:
        drawn = np.linspace(0, len(left) - 1, _SAMPLE).astype(np.intp)
        left, right = left[drawn], right[drawn]
    if not len(left):
        return COMMON
    seen = compare(table, left, right, COMMON)
    found = {}
    for field in COMMON.__dataclass_fields__:
        common = getattr(COMMON, field)
        if field == "name":
            continue  # these pairs were chosen by their names
        kinds = getattr(seen, field)
        if field == "birth":
            # A number of which the birth date is read says nothing about birth columns.
            kinds = kinds[(table.birth[left] > 0) & (table.birth[right] > 0)]
        counts = np.bincount(kinds, minlength=5).astype(float)
        counts[UNTOLD] = 0.0
        prior = np.where(np.arange(5) == UNTOLD, 0.0, common)
        prior[prior == 1.0] = 0.0
        worth = _PRIOR_PAIRS.get(field, 30.0)
        share = (counts + worth * prior / prior.sum()) / (counts.sum() + worth)
        found[field] = np.where((np.arange(5) == UNTOLD) | (share == 0.0), 1.0, share)
    return replace(COMMON, **found)


def with_names_learnt(weights: Weights, kinds: Kinds) -> Weights:
    """`kinds`: how the names of pairs stand whose numbers agree and whose birth columns do not contradict them."""
    counts = np.bincount(kinds, minlength=12).astype(float)
    counts[n.NO_NAME] = 0
    worth = _PRIOR_PAIRS["name"]
    share = (counts + worth * COMMON.name / COMMON.name[: n.NO_NAME].sum()) / (counts.sum() + worth)
    # Rare ways may look rarer than they are in a small list, and another's number may hide among the pairs.
    floor = np.where(np.isin(np.arange(12), (n.SURNAME, n.OTHER)), 0.0, COMMON.name * 0.3)
    share = np.maximum(share, floor)
    share[[n.SURNAME, n.OTHER]] = np.minimum(share[[n.SURNAME, n.OTHER]], 5e-3)
    share[n.NO_NAME] = 1.0
    return replace(weights, name=share)


def compare(table: Table, left: Rows, right: Rows, weights: Weights) -> Evidence:
    size = len(left)
    same, chance, sibling = np.zeros(size), np.zeros(size), np.zeros(size)
    people = table.people

    def weigh(kind: Kinds, same_share: Floats, chance_log: Floats, sibling_log: Floats) -> None:
        nonlocal same, chance, sibling
        same = same + np.log(same_share[kind])
        chance = chance + chance_log
        sibling = sibling + sibling_log

    name, name_chance, name_sibling = _names(table, left, right, people)
    weigh(name, weights.name, name_chance, name_sibling)
    birth, birth_chance = _births(table, left, right, people)
    weigh(birth, weights.birth, birth_chance, np.log([0.012, 0.01, 0.97, 1.0, 0.02])[birth])
    sex = _told_equal(table.sex[left], table.sex[right], 0)
    weigh(sex, weights.sex, np.log([0.5, 1.0, 0.5, 1.0, 1.0])[sex], np.log([0.5, 1.0, 0.5, 1.0, 1.0])[sex])
    guardian, guardian_chance = _guardians(table, left, right)
    weigh(guardian, weights.guardian, guardian_chance, np.log([0.9, 0.05, 0.15, 1.0, 1.0])[guardian])
    phone, phone_chance = _phones(table, left, right)
    weigh(phone, weights.phone, phone_chance, np.log([0.85, 1e-3, 0.2, 1.0, 1.0])[phone])
    township = _told_equal(table.township[left], table.township[right], -1)
    town_log, village_log, school_log = table.place_logs
    weigh(township, weights.township, np.where(township == AGREE, town_log[table.township[left]], 0.0),
          np.log([0.95, 1.0, 0.08, 1.0, 1.0])[township])  # fmt: skip
    village = _told_equal(table.village[left], table.village[right], -1)
    # Within one township a village says less than its share of the county.
    village_log = np.minimum(village_log - np.where(town_log.any(), np.log(0.1), 0.0), np.log(0.6))
    weigh(village, weights.village, np.where(village == AGREE, village_log[table.village[left]], 0.0),
          np.log([0.93, 1.0, 0.1, 1.0, 1.0])[village])  # fmt: skip
    school = _told_equal(table.school[left], table.school[right], -1)
    school_log = np.minimum(school_log + np.log(4.0), np.log(0.6))
    weigh(school, weights.school, np.where(school == AGREE, school_log[table.school[left]], 0.0),
          np.log([0.6, 1.0, 0.4, 1.0, 1.0])[school])  # fmt: skip

    number, place = _numbers(table, left, right)
    number_same, number_chance, number_sibling = _number_logs(number, birth, people)
    same, chance, sibling = same + number_same, chance + number_chance, sibling + number_sibling
    registry = _told_equal(table.registry[left], table.registry[right], -1)
    counted = (registry == AGREE) & ~np.isin(number, (i.SAME, i.OLD))
    same = same + np.where(counted, np.log(0.9), 0.0)
    chance = chance + np.where(counted, np.log(2e-3 / people), 0.0)
    sibling = sibling + np.where(counted, np.log(2e-3), 0.0)
    against = (registry == DIFFER) & ~np.isin(number, (i.SAME, i.OLD))
    same = same + np.where(against, np.log(0.08), 0.0)
    valid = table.numbers.is_valid[left] + 2 * table.numbers.is_valid[right].astype(np.int8)
    return Evidence(
        left, right, name, number, place, birth, sex, guardian, phone, registry, township, village, school,
        valid.astype(np.int8), same, chance, sibling,
    )  # fmt: skip


def _names(table: Table, left: Rows, right: Rows, people: int) -> tuple[Kinds, Floats, Floats]:
    kind = np.full(len(left), n.NO_NAME, np.int8)
    chance, sibling = np.zeros(len(left)), np.zeros(len(left))
    for a, b, former in (
        (table.name, table.name, False), (table.former, table.name, True), (table.name, table.former, True)
    ):  # fmt: skip
        told = (a[left] >= 0) & (b[right] >= 0)
        if former:
            told &= ~np.isin(kind, (n.EQUAL, n.SOUND))
        at = np.flatnonzero(told)
        if not len(at):
            continue
        seen = compare_names(table.names, a[left[at]].astype(np.intp), b[right[at]].astype(np.intp), people)
        better = np.ones(len(at), bool)
        found = seen.kind
        if former:
            better = np.isin(seen.kind, (n.EQUAL, n.SOUND))
            found = np.full(len(at), n.FORMER, np.int8)
        hit = at[better]
        kind[hit], chance[hit], sibling[hit] = found[better], seen.chance[better], seen.sibling[better]
    return kind, chance, sibling


def _births(table: Table, left: Rows, right: Rows, people: int) -> tuple[Kinds, Floats]:
    a, b = table.any_birth[left], table.any_birth[right]
    kind = np.full(len(left), DIFFER, np.int8)
    kind[(a == 0) | (b == 0)] = UNTOLD
    month_only = ((a % 100 == 0) | (b % 100 == 0)) & (a > 0) & (b > 0)
    equal = (a == b) & (a > 0) & ~month_only
    near = ~equal & ~month_only & (kind == DIFFER) & _one_slip(a, b)
    kind[near] = CLOSE
    kind[equal] = AGREE
    same_month = month_only & (a // 100 == b // 100)
    kind[same_month] = AGREE
    a_id, b_id = table.numbers.birth[left], table.numbers.birth[right]
    cross = ((a_id == b_id) | (a_id == b) | (a == b_id)) & ((a_id > 0) | (b_id > 0))
    cross &= np.where(a_id > 0, (a_id == b_id) | (a_id == b), a == b_id) | ((a == b_id) & (b_id > 0))
    kind[(kind == DIFFER) & cross] = MIXED
    values, share = table.day_share
    at = np.searchsorted(values, a)
    agree = np.log(np.maximum(share[np.minimum(at, len(share) - 1)], 1 / 9000))
    chance = np.select(
        [same_month, kind == AGREE, kind == CLOSE, kind == MIXED],
        [np.log(1 / 150), agree, np.log(0.012), np.log(6e-4)],
        0.0,
    )
    return kind, chance


def _one_slip(a: Ints, b: Ints) -> Flags:
    """One digit wrong, neighbours or day and month swapped, or only the day, the month or the year another."""
    year_a, month_a, day_a = a // 10000, a // 100 % 100, a % 100
    year_b, month_b, day_b = b // 10000, b // 100 % 100, b % 100
    one_part = ((year_a == year_b).astype(int) + (month_a == month_b) + (day_a == day_b)) == 2
    turned = (year_a == year_b) & (month_a == day_b) & (day_a == month_b)
    gap = np.abs(a - b)
    power = np.isin(gap % 9, (0,)) & np.isin(gap, [9 * k * 10**p for k in range(1, 10) for p in range(8)])
    swapped = power & (_digit_sum(a) == _digit_sum(b))
    return np.asarray(one_part | turned | swapped)


def _digit_sum(days: Ints) -> Ints:
    return np.sum([days // 10**place % 10 for place in range(8)], axis=0)


def _told_equal(a: Ints | Longs, b: Ints | Longs, untold: int) -> Kinds:
    return np.where((a == untold) | (b == untold), UNTOLD, np.where(a == b, AGREE, DIFFER)).astype(np.int8)


def _guardians(table: Table, left: Rows, right: Rows) -> tuple[Kinds, Floats]:
    kind = np.full(len(left), UNTOLD, np.int8)
    chance = np.zeros(len(left))
    if not table.guardians or not len(table.names.sound_key):
        return kind, chance  # nobody is named, neither as a child nor as a guardian
    by_name, by_sound = table.guardian_shares
    for a in table.guardians:
        for b in table.guardians:
            x, y = a[left], b[right]
            both = (x >= 0) & (y >= 0)
            kind[both & (kind == UNTOLD)] = DIFFER
            close = both & (table.names.sound_key[x] == table.names.sound_key[y])
            hit = close & (kind != AGREE) & (x != y)
            kind[hit] = CLOSE
            chance[hit] = np.minimum(chance[hit], np.log(np.maximum(by_sound[x[hit]], 1e-5)))
            hit = both & (x == y)
            chance[hit & (kind != AGREE)] = 0.0
            kind[hit] = AGREE
            chance[hit] = np.minimum(chance[hit], np.log(by_name[x[hit]]))
    return kind, chance


def _phones(table: Table, left: Rows, right: Rows) -> tuple[Kinds, Floats]:
    a, b = table.phone[left], table.phone[right]
    kind = np.where((a == 0) | (b == 0), UNTOLD, np.where(a == b, AGREE, DIFFER)).astype(np.int8)
    chance = np.zeros(len(left))
    if not (kind != UNTOLD).any():
        return kind, chance
    values, counts = table.phone_count
    hit = np.flatnonzero(kind == AGREE)
    total = len(table.phone) - counts[values == 0].sum()
    chance[hit] = np.log(shares(counts[np.searchsorted(values, a[hit])], len(table.lists), total, 1e-4))
    other = np.flatnonzero(kind == DIFFER)
    gap = np.abs(a[other] - b[other])
    one = np.isin(gap, [k * 10**p for k in range(1, 10) for p in range(11)])
    swap = np.isin(gap, [9 * k * 10**p for k in range(1, 10) for p in range(11)])
    close = other[one | swap]
    kind[close] = CLOSE
    chance[close] = np.log(1e-4)
    return kind, chance


def _numbers(table: Table, left: Rows, right: Rows) -> tuple[Kinds, Kinds]:
    seen = compare_numbers(table.numbers, left, right)
    kind, place = seen.kind.copy(), seen.place
    own_left, own_right = table.numbers.value[left], table.numbers.value[right]
    in_left, in_right = table.embedded[left], table.embedded[right]
    old = (in_left >= 0) & ((in_left == own_right) | (in_left == in_right))
    old |= (in_right >= 0) & (in_right == own_left)
    kind[old & ~np.isin(kind, (i.SAME, i.DIFFERENT))] = i.OLD
    return kind, place


def _number_logs(kind: Kinds, birth: Kinds, people: int) -> tuple[Floats, Floats, Floats]:
    """Of kinds of numbers. What is seen of a broken number depends on the birth date, which is part of it."""
    born = birth == AGREE
    size = 14
    same, chance, sibling = np.zeros(size), np.zeros((2, size)), np.zeros((2, size))

    def put(what: int, m: float, by_chance: tuple[float, float], as_sibling: tuple[float, float]) -> None:
        same[what] = np.log(m)
        chance[:, what] = np.log(by_chance)
        sibling[:, what] = np.log(as_sibling)

    wrong = 2e-3 / people  # somebody else's valid number typed in
    put(i.SAME, 0.95, (wrong, wrong), (2e-3, 2e-3))
    put(i.OLD, 0.5, (wrong, wrong), (1e-3, 1e-3))
    put(i.FIFTEEN, 0.9, (10 * wrong, 10 * wrong), (2e-3, 2e-3))
    put(i.DIFFERENT, 5e-3, (1.0, 1.0), (1.0, 1.0))
    put(i.DIGIT, 0.4, (1e-6, 0.02), (1e-5, 0.1))
    put(i.SWAP, 0.2, (1e-6, 0.004), (1e-5, 0.02))
    put(i.LENGTH, 0.2, (1e-6, 0.004), (1e-5, 0.02))
    put(i.TWO, 0.1, (1e-4, 0.1), (1e-3, 0.4))
    put(i.TAIL, 0.05, (2e-3, 2e-3), (3e-3, 3e-3))
    put(i.ROUNDED, 0.4, (1e-4, 0.02), (1e-4, 0.1))
    put(i.MASK, 0.9, (1e-3, 2e-3), (2e-3, 3e-3))
    put(i.SAME_BROKEN, 0.5, (wrong, wrong), (1e-3, 1e-3))
    put(i.FAR, 0.1, (0.95, 0.8), (0.95, 0.5))
    return same[kind], chance[born.astype(int), kind], sibling[born.astype(int), kind]
