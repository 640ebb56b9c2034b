"""From evidence to answers: every row gets at most one partner in the other list, or a person is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from students.linkage import names as n
from students.linkage import numbers as i
from students.linkage.arrays import Flags, Floats, Keys, Rows, key, mixed
from students.linkage.candidates import candidates, settled
from students.linkage.columns import Table
from students.linkage.evidence import (
    AGREE,
    CLOSE,
    DIFFER,
    MIXED,
    Evidence,
    Weights,
    compare,
    learnt,
    with_names_learnt,
)

SURE = 0.99
"""From this probability on a pair is matched without a person, unless a rule asks for one."""
WORTH_ASKING = 0.1
"""Below this probability nobody is bothered."""
_SIBLINGS = 0.5  # brothers and sisters that a row has among the undecided rows of the other list, on average
_CHUNK = 400_000
_ROUNDS = 6


@dataclass(frozen=True)
class Decided:
    """Pairs of one pair of lists; every row stands in at most one pair that is not `review`."""

    left: Rows
    right: Rows
    review: Flags
    score: Floats
    via: npt.NDArray[np.int8]
    """0: by the rows themselves; k + 1: because both are the same as one row of list k; -(k + 1): list k speaks against it."""


def decide(table: Table, first: int, second: int) -> tuple[Decided, Weights]:
    left, right = table.rows_of(first), table.rows_of(second)
    a, b = settled(table, left, right)
    weights = learnt(table, a, b)
    open_left = np.setdiff1d(np.arange(left.start, left.stop), a, assume_unique=True)
    open_right = np.setdiff1d(np.arange(right.start, right.stop), b, assume_unique=True)
    pairs = candidates(table, open_left, open_right)
    seen = _compared(table, *pairs, weights)
    weights, seen = _with_names_learnt(table, weights, seen, len(a))
    odds = log_odds(seen, max(len(open_left), len(open_right)))
    likely = odds > np.log(WORTH_ASKING / 10)
    found = _assigned(table, seen.take(likely), odds[likely])
    return (
        Decided(
            np.concatenate([a, found.left]),
            np.concatenate([b, found.right]),
            np.concatenate([np.zeros(len(a), bool), found.review]),
            np.concatenate([np.ones(len(a)), found.score]),
            np.zeros(len(a) + len(found.left), np.int8),
        ),
        weights,
    )


def _compared(table: Table, left: Rows, right: Rows, weights: Weights) -> Evidence:
    """In chunks, so that memory does not grow with the number of candidates; what is hopeless is not kept."""
    parts: list[Evidence] = []
    for start in range(0, max(len(left), 1), _CHUNK):
        seen = compare(table, left[start : start + _CHUNK], right[start : start + _CHUNK], weights)
        parts.append(seen.take(seen.same - np.logaddexp(seen.chance, seen.sibling) > -3.0))
    fields = Evidence.__dataclass_fields__
    return Evidence(**{field: np.concatenate([getattr(part, field) for part in parts]) for field in fields})


def log_odds(seen: Evidence, others: int) -> Floats:
    """`others`: among how many rows a stranger could look like this by chance."""
    against = np.logaddexp(np.log(max(others, 2)) + seen.chance, np.log(_SIBLINGS) + seen.sibling)
    return np.asarray(np.minimum(seen.same - against, 60.0))


def _with_names_learnt(table: Table, weights: Weights, seen: Evidence, exact: int) -> tuple[Weights, Evidence]:
    same = (seen.number == i.SAME) & ~np.isin(seen.birth, (DIFFER, MIXED)) & (seen.name != n.FORMER)
    kinds = np.concatenate([np.full(exact, n.EQUAL, np.int8), seen.name[same]])
    better = with_names_learnt(weights, kinds)
    shift = np.log(better.name) - np.log(weights.name)
    values = {field: getattr(seen, field) for field in seen.__dataclass_fields__}
    return better, Evidence(**{**values, "same": seen.same + shift[seen.name]})


def must_be_asked(seen: Evidence) -> Flags:
    """Pairs that no score may match: two valid numbers that differ; a number without its name; a name alone.

    Whatever else agrees: a twin's number, typed in by mistake, comes with the same birth date, sex, guardian and phone, and
    looks just like a renaming.
    """
    asked = (seen.number == i.DIFFERENT) | np.isin(seen.name, (n.SURNAME, n.OTHER, n.NO_NAME))
    numbered = ~np.isin(seen.number, (i.MISSING, i.FAR, i.DIFFERENT))
    beyond = numbered | (seen.registry == AGREE) | np.isin(seen.birth, (AGREE, CLOSE))
    beyond |= (seen.guardian == AGREE) | (seen.phone == AGREE)
    return np.asarray(asked | ~beyond)


def _assigned(table: Table, seen: Evidence, odds: Floats) -> Decided:
    """Round by round: the surest pairs take their rows out of the game, and the others are weighed again without them."""
    order = np.lexsort((_content(table, seen.left) + _content(table, seen.right), -odds))
    seen, odds = seen.take(order), odds[order]
    asked = must_be_asked(seen)
    left_twin, right_twin = _twin_rows(table, seen.left), _twin_rows(table, seen.right)
    left, right = seen.left.tolist(), seen.right.tolist()
    matched = np.zeros(len(seen), bool)
    alive = np.ones(len(seen), bool)
    score = np.zeros(len(seen))
    taken: set[int] = set()
    for _ in range(_ROUNDS):
        at = np.flatnonzero(alive)
        score[at] = _shares(odds[at], seen.left[at], seen.right[at], left_twin[at], right_twin[at])
        news = False
        for pair in at[(score[at] >= SURE) & ~asked[at]].tolist():
            if left[pair] not in taken and right[pair] not in taken:
                taken.update((left[pair], right[pair]))
                matched[pair] = news = True
        if not news:
            break
        gone = np.fromiter(taken, np.intp, len(taken))
        free = ~np.isin(seen.left, gone) & ~np.isin(seen.right, gone)
        # The second row of somebody who stands twice in a list keeps its claim; a person looks at it.
        alive = free
    best = _one_each(left, right, np.flatnonzero(alive), taken)
    review = best & (score >= WORTH_ASKING)
    rivals = alive & ~best & (score >= max(WORTH_ASKING, 0.15))
    repeated = ~matched & ~alive & (odds > np.log(SURE / (1 - SURE))) & _twin_of_matched(matched, left_twin, right_twin)
    kept = np.flatnonzero(matched | review | rivals | repeated)
    return Decided(seen.left[kept], seen.right[kept], ~matched[kept], score[kept], np.zeros(len(kept), np.int8))


def _content(table: Table, rows: Rows) -> Keys:
    """A number made of what a row says, so that nothing depends on the order of rows."""
    return key(table.name[rows], table.numbers.value[rows], table.birth[rows], table.phone[rows], table.township[rows])


def _twin_rows(table: Table, rows: Rows) -> Keys:
    """The same for rows of one list that are one person beyond doubt, else each row's own."""
    value = table.numbers.value[rows]
    sure = (value >= 0) & (table.name[rows] >= 0)
    return np.where(sure, key(value, table.name[rows]), mixed(rows + (1 << 50)))


def _shares(odds: Floats, left: Rows, right: Rows, left_twin: Keys, right_twin: Keys) -> Floats:
    """Each pair's probability among what its two rows could be: this pair, another pair of either row, or nobody."""
    weight = np.exp(np.clip(odds, -30, 60))
    shares = np.ones(len(odds))
    for row, twin in ((left, right_twin), (right, left_twin)):
        _, group = np.unique(row, return_inverse=True)
        everybody = np.bincount(group, weight)[group]
        _, cell = np.unique(key(row, twin), return_inverse=True)
        itself = np.bincount(cell, weight)[cell]
        others = np.maximum(everybody - itself, 0.0)
        shares = np.minimum(shares, weight / (1.0 + others + weight))
    return shares


def _one_each(left: list[int], right: list[int], pairs: Rows, taken: set[int]) -> Flags:
    """The best pairs in order, none of whose rows is in a better one."""
    best = np.zeros(len(left), bool)
    used = set(taken)
    for pair in pairs.tolist():
        if left[pair] not in used and right[pair] not in used:
            used.update((left[pair], right[pair]))
            best[pair] = True
    return best


def _twin_of_matched(matched: Flags, left_twin: Keys, right_twin: Keys) -> Flags:
    pairs = key(left_twin, right_twin)
    return np.asarray(np.isin(pairs, pairs[matched]))
