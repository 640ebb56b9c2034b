"""Three lists: what two of them say of the third. A row that is the same person as another, which is the same as a third, closes
the triangle; a triangle that does not close has a wrong side, and the weakest goes to a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from students.linkage import names as n
from students.linkage import numbers as i
from students.linkage.arrays import Flags, Floats, Rows
from students.linkage.columns import Table
from students.linkage.deciding import Decided, log_odds, must_be_asked
from students.linkage.evidence import AGREE, Weights, compare
from students.linkage.numbers import compare_numbers

Sides = dict[tuple[int, int], Decided]
_DOUBTFUL = -6.0  # logarithm of the odds below which the rows themselves speak against what the third list says


def closed(table: Table, sides: Sides, weights: Mapping[tuple[int, int], Weights]) -> Sides:
    """The same decisions with the third sides of triangles added, and contradictions put to a person."""
    sides = _contradictions_asked(table, sides)
    sides = _numbers_asked(table, sides)
    for _ in range(2):
        for pair in sides:
            sides[pair] = _third_sides(table, sides, pair, weights[pair])
    return sides


def _partners(table: Table, sides: Sides, first: int, second: int) -> tuple[Rows, Floats]:
    """For each row of all lists its matched partner in the other of the two lists, or -1, and the score."""
    side = sides[min(first, second), max(first, second)]
    partner = np.full(table.bounds[-1], -1, np.intp)
    score = np.zeros(table.bounds[-1])
    sure = ~side.review
    partner[side.left[sure]], partner[side.right[sure]] = side.right[sure], side.left[sure]
    score[side.left[sure]] = score[side.right[sure]] = side.score[sure]
    return partner, score


def _contradictions_asked(table: Table, sides: Sides) -> Sides:
    ab, ab_score = _partners(table, sides, 0, 1)
    bc, bc_score = _partners(table, sides, 1, 2)
    ac, ac_score = _partners(table, sides, 0, 2)
    weakest: dict[tuple[int, int], set[int]] = {pair: set() for pair in sides}
    for pivot, (one, one_score, one_pair), (two, two_score, two_pair), (third, _, third_pair) in (
        (1, (ab, ab_score, (0, 1)), (bc, bc_score, (1, 2)), (ac, ac_score, (0, 2))),
        (0, (ab, ab_score, (0, 1)), (ac, ac_score, (0, 2)), (bc, bc_score, (1, 2))),
        (2, (ac, ac_score, (0, 2)), (bc, bc_score, (1, 2)), (ab, ab_score, (0, 1))),
    ):
        rows = np.arange(table.bounds[pivot], table.bounds[pivot + 1])
        rows = rows[(one[rows] >= 0) & (two[rows] >= 0)]
        x, y = one[rows], two[rows]
        odd = ((third[x] >= 0) & (third[x] != y)) | ((third[y] >= 0) & (third[y] != x))
        score_third = np.zeros(table.bounds[-1])
        score_third[:] = {(0, 1): ab_score, (1, 2): bc_score, (0, 2): ac_score}[third_pair]
        for row, p, q in zip(rows[odd].tolist(), x[odd].tolist(), y[odd].tolist(), strict=True):
            scores = {one_pair: one_score[row], two_pair: two_score[row]}
            thirds = {r for r in (p, q) if third[r] >= 0}
            low = min(scores, key=lambda pair: (scores[pair], pair))
            third_low = min((score_third[r] for r in thirds), default=2.0)
            if third_low < scores[low]:
                weakest[third_pair].update(r for r in thirds if score_third[r] == third_low)
            elif scores[low] < 1.0:
                weakest[low].add(row)
    found: Sides = {}
    for pair, side in sides.items():
        doubtful = np.fromiter(weakest[pair], np.intp, len(weakest[pair]))
        found[pair] = _asked(side, np.isin(side.left, doubtful) | np.isin(side.right, doubtful), 3 - sum(pair))
    return found


def _asked(side: Decided, which: Flags, third: int) -> Decided:
    """The matched pairs `which` put to a person, because the third list contradicts them; what is beyond doubt stays."""
    doubted = which & ~side.review & (side.score < 1.0)
    via = np.where(doubted, -(third + 1), side.via).astype(np.int8)
    return replace(side, review=side.review | doubted, via=via)


_LIKE = (i.SAME, i.OLD, i.DIGIT, i.SWAP, i.LENGTH, i.TWO, i.FIFTEEN, i.ROUNDED, i.MASK)


def _numbers_asked(table: Table, sides: Sides) -> Sides:
    """A row matched to two rows whose valid numbers differ would make one person of them: the side goes to a person whose
    number is not like the row's, both sides where the row's number does not tell."""
    value, own = table.numbers.value, ~table.numbers.old_form
    for pivot in range(3):
        one, two = (other for other in range(3) if other != pivot)
        (to_one, one_score), (to_two, two_score) = (_partners(table, sides, pivot, other) for other in (one, two))
        rows = np.arange(table.bounds[pivot], table.bounds[pivot + 1])
        rows = rows[(to_one[rows] >= 0) & (to_two[rows] >= 0)]
        x, y = to_one[rows], to_two[rows]
        apart = (value[x] >= 0) & (value[y] >= 0) & (value[x] != value[y]) & own[x] & own[y]
        rows, x, y = rows[apart], x[apart], y[apart]
        like_x, like_y = (np.isin(compare_numbers(table.numbers, rows, other).kind, _LIKE) for other in (x, y))
        weaker_x, weaker_y = one_score[rows] <= two_score[rows], two_score[rows] <= one_score[rows]
        doubt_x, doubt_y = ~like_x | (like_y & weaker_x), ~like_y | (like_x & weaker_y)
        for other, doubted in ((one, rows[doubt_x]), (two, rows[doubt_y])):
            pair = min(pivot, other), max(pivot, other)
            here = sides[pair].left if pivot < other else sides[pair].right
            sides[pair] = _asked(sides[pair], np.isin(here, doubted), 3 - pivot - other)
    return sides


def _third_sides(table: Table, sides: Sides, pair: tuple[int, int], weights: Weights) -> Decided:
    side = sides[pair]
    pivot = 3 - pair[0] - pair[1]
    near = side.review
    known = set(zip(side.left[near].tolist(), side.right[near].tolist(), strict=True))
    taken = np.zeros(table.bounds[-1], bool)
    taken[side.left[~near]] = taken[side.right[~near]] = True
    interesting = _open_pivots(table, sides, pivot, pair)
    to_left, left_score, left_sure = _edges(sides, pivot, pair[0], interesting)
    to_right, right_score, right_sure = _edges(sides, pivot, pair[1], interesting)
    left: list[int] = []
    right: list[int] = []
    sure: list[bool] = []
    score: list[float] = []
    upgraded: set[tuple[int, int]] = set()
    for row in to_left.keys() & to_right.keys():
        for a, a_score, a_sure in zip(to_left[row], left_score[row], left_sure[row], strict=True):
            for b, b_score, b_sure in zip(to_right[row], right_score[row], right_sure[row], strict=True):
                if taken[a] or taken[b] or not (a_sure or b_sure):
                    continue
                if (a, b) in known:
                    if a_sure and b_sure:
                        upgraded.add((a, b))
                    continue
                left.append(a)
                right.append(b)
                sure.append(a_sure and b_sure)
                score.append(a_score * b_score)
    if not left and not upgraded:
        return side
    keep = np.ones(len(side.left), bool)
    if upgraded:
        for position in np.flatnonzero(near).tolist():
            both = (int(side.left[position]), int(side.right[position]))
            if both in upgraded:
                keep[position] = False
                left.append(both[0])
                right.append(both[1])
                sure.append(True)
                score.append(0.999)
    a_rows, b_rows = np.array(left, np.intp), np.array(right, np.intp)
    seen = compare(table, a_rows, b_rows, weights)
    # Another given name passes here as for a renaming: a third row, matched to both, vouches for number and birth date.
    renamed = (seen.name == n.SURNAME) & (seen.number == i.SAME) & (seen.birth == AGREE)
    asked = (must_be_asked(seen) & ~renamed) | (log_odds(seen, 2) < _DOUBTFUL) | ~np.array(sure)
    once = _first_only(a_rows, b_rows, asked, np.array(score))
    asked |= ~once
    return Decided(
        np.concatenate([side.left[keep], a_rows]),
        np.concatenate([side.right[keep], b_rows]),
        np.concatenate([side.review[keep], asked]),
        np.concatenate([side.score[keep], np.array(score)]),
        np.concatenate([side.via[keep], np.full(len(left), pivot + 1, np.int8)]),
    )


def _open_pivots(table: Table, sides: Sides, pivot: int, pair: tuple[int, int]) -> Flags:
    """Rows of the pivot list that could close a side: matched to both other lists, which are not matched to each other, or
    with a question open."""
    open_ = np.zeros(table.bounds[-1], bool)
    to_left, _ = _partners(table, sides, pivot, pair[0])
    to_right, _ = _partners(table, sides, pivot, pair[1])
    third, _ = _partners(table, sides, *pair)
    rows = np.arange(table.bounds[pivot], table.bounds[pivot + 1])
    both = rows[(to_left[rows] >= 0) & (to_right[rows] >= 0)]
    open_[both[(third[to_left[both]] < 0) & (third[to_right[both]] < 0)]] = True
    for other in pair:
        side = sides[min(pivot, other), max(pivot, other)]
        open_[(side.left if pivot < other else side.right)[side.review]] = True
    return open_


def _edges(
    sides: Sides, pivot: int, other: int, which: Flags
) -> tuple[dict[int, list[int]], dict[int, list[float]], dict[int, list[bool]]]:
    """For each row of the pivot list all it is matched with or asked about in the other list."""
    side = sides[min(pivot, other), max(pivot, other)]
    here, there = (side.left, side.right) if pivot < other else (side.right, side.left)
    kept = which[here]
    rows: dict[int, list[int]] = {}
    scores: dict[int, list[float]] = {}
    sure: dict[int, list[bool]] = {}
    for row, partner, score, review in zip(
        here[kept].tolist(), there[kept].tolist(), side.score[kept].tolist(), side.review[kept].tolist(), strict=True
    ):
        rows.setdefault(row, []).append(partner)
        scores.setdefault(row, []).append(score)
        sure.setdefault(row, []).append(not review)
    return rows, scores, sure


def _first_only(left: Rows, right: Rows, asked: Flags, score: Floats) -> Flags:
    """Which of the unasked pairs may stay so when every row may stand in one only."""
    allowed = np.zeros(len(left), bool)
    used: set[int] = set()
    for position in np.argsort(-score, kind="stable").tolist():
        if not asked[position] and left[position] not in used and right[position] not in used:
            used.update((int(left[position]), int(right[position])))
            allowed[position] = True
    return allowed | asked
