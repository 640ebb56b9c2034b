"""Who is who in two or three lists of persons: `match_lists`. Plain Python and numpy, no Django, no database.

Each row is `Matched` with one row of another list, `NotFound` there, or `Ambiguous`: a person has to choose. Every pair tells its
reason in a sentence. How it decides, and what it cannot: docs/matching.md. Whom a row speaks of at intake: `students.linking`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from students.linkage import names as _names
from students.linkage import numbers as _numbers
from students.linkage.arrays import Flags, Floats, Rows
from students.linkage.columns import Table, table_of
from students.linkage.deciding import Decided, decide
from students.linkage.evidence import COMMON, Evidence, Weights, compare
from students.linkage.people import People
from students.linkage.reasons import Codes, pair_sentence
from students.linkage.triangles import closed

__all__ = ["Ambiguous", "Matched", "Matching", "NotFound", "Pair", "People", "match_lists"]

_KINDS = ("agree", "close", "differ", "untold", "mixed")
_NAME_KINDS = ("equal", "former", "sound", "near-sound", "masked", "order", "dropped", "replaced", "given", "surname", "other",
               "untold")  # fmt: skip
_NUMBER_KINDS = ("same", "old", "different-valid", "untold", "digit", "swap", "length", "two", "tail", "far", "fifteen", "rounded",
                 "masked", "same-broken")  # fmt: skip


class Pair(NamedTuple):
    """Two rows of two lists. `score` is the probability that they are one person; rows are numbered as their lists say."""

    left_list: str
    left_row: int
    right_list: str
    right_row: int
    answer: Literal["matched", "review"]
    score: float
    reason: str
    evidence: tuple[tuple[str, str], ...]
    """(column, how it stands): ("name", "sound"), ("number", "digit"), ("birth", "agree") …; what is not told is left out."""


@dataclass(frozen=True, slots=True)
class Matched:
    pair: Pair


@dataclass(frozen=True, slots=True)
class NotFound:
    """Nobody in the other list."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A person has to decide; the likeliest first."""

    candidates: tuple[Pair, ...]


Answer = Matched | NotFound | Ambiguous


class Matching:
    """What was found. Arrays of pairs at once; reasons and evidence are made when they are asked for.

    `left`, `right` number the rows of each list from 0; `left_list`, `right_list` number the lists. In every pair of lists each
    row stands in at most one pair that is not `review`.
    """

    def __init__(
        self, table: Table, sides: dict[tuple[int, int], Decided], weights: dict[tuple[int, int], Weights]
    ) -> None:
        self._table = table
        self._weights = weights
        self._spans: list[tuple[tuple[int, int], int, int]] = []
        lists: list[tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]] = []
        at = 0
        for pair, side in sides.items():
            size = len(side.left)
            self._spans.append((pair, at, at + size))
            lists.append((np.full(size, pair[0], np.int8), np.full(size, pair[1], np.int8)))
            at += size
        decided = list(sides.values())
        bounds = np.array(table.bounds)
        self.left_list = np.concatenate([one for one, _ in lists])
        self.right_list = np.concatenate([two for _, two in lists])
        self._left: Rows = np.concatenate([side.left for side in decided])
        self._right: Rows = np.concatenate([side.right for side in decided])
        self.left: Rows = self._left - bounds[self.left_list]
        self.right: Rows = self._right - bounds[self.right_list]
        self.review: Flags = np.concatenate([side.review for side in decided])
        self.score: Floats = np.concatenate([side.score for side in decided])
        self._via = np.concatenate([side.via for side in decided])

    def __len__(self) -> int:
        return len(self.left)

    @property
    def lists(self) -> Sequence[People]:
        return self._table.lists

    @cached_property
    def _codes(self) -> list[Codes]:
        parts: list[npt.NDArray[np.int8]] = []
        for pair, start, end in self._spans:
            weights = self._weights.get(pair, COMMON)
            seen: Evidence = compare(self._table, self._left[start:end], self._right[start:end], weights)
            columns = (
                seen.name, seen.number, seen.place, seen.birth, seen.sex, seen.guardian, seen.phone, seen.registry, seen.township,
                seen.village, seen.school, seen.valid,
            )  # fmt: skip
            parts.append(np.stack([column.astype(np.int8) for column in columns], 1))
        return [tuple(codes) for codes in np.concatenate(parts).tolist()]

    @cached_property
    def _rivals(self) -> npt.NDArray[np.intp]:
        """For each pair that is asked, how many pairs of the same lists are asked about its left or its right row."""
        count = np.zeros(len(self), np.intp)
        asked = np.flatnonzero(self.review)
        for rows, other in ((self._left, self.right_list), (self._right, self.left_list)):
            _, group, size = np.unique(rows[asked] * 4 + other[asked], return_inverse=True, return_counts=True)
            count[asked] = np.maximum(count[asked], size[group])
        return count

    def pair(self, position: int) -> Pair:
        codes = self._codes[position]
        one, two = self.lists[self.left_list[position]], self.lists[self.right_list[position]]
        left, right = int(self.left[position]), int(self.right[position])
        review, score, via = bool(self.review[position]), float(self.score[position]), int(self._via[position])
        reason = pair_sentence(
            codes,
            review=review,
            score=score,
            rivals=int(self._rivals[position]),
            through=self.lists[via - 1].label if via > 0 else "",
            against=self.lists[-via - 1].label if via < 0 else "",
            sides=(one.label, two.label),
        )
        return Pair(
            one.label, one.rows[left] if one.rows is not None else left + 1,
            two.label, two.rows[right] if two.rows is not None else right + 1,
            "review" if review else "matched", round(score, 4), reason, _evidence(codes),
        )  # fmt: skip

    def __iter__(self) -> Iterator[Pair]:
        """The pairs, list by list, in the order of the left rows."""
        return map(self.pair, np.lexsort((self.right, self.left, self.right_list, self.left_list)).tolist())

    def rows(self) -> Iterator[tuple[str, int, str, int, str, float, str]]:
        """The same as tuples without the evidence, for files: a hundred thousand pairs a second."""
        order = np.lexsort((self.right, self.left, self.right_list, self.left_list))
        labels = [people.label for people in self.lists]
        numbers = [people.rows if people.rows is not None else range(1, len(people) + 1) for people in self.lists]
        columns = (
            self.left_list,
            self.left,
            self.right_list,
            self.right,
            self.review,
            self.score.round(4),
            self._via,
            self._rivals,
        )
        for position, one, left, two, right, review, score, via, rivals in zip(
            order.tolist(), *(column[order].tolist() for column in columns), strict=True
        ):
            reason = pair_sentence(
                self._codes[position], review=review, score=score if review else 1.0, rivals=rivals,
                through=labels[via - 1] if via > 0 else "", against=labels[-via - 1] if via < 0 else "", sides=(labels[one], labels[two]),
            )  # fmt: skip
            answer = "review" if review else "matched"
            yield labels[one], numbers[one][left], labels[two], numbers[two][right], answer, score, reason

    def answer(self, of: str, row: int, among: str) -> Answer:
        """For the row (counted from 0) of the list with the label `of`: who it is in the list with the label `among`."""
        labels = [people.label for people in self.lists]
        here, there = labels.index(of), labels.index(among)
        found = self._by_row.get((here, row, there), [])
        sure = [position for position in found if not self.review[position]]
        if sure:
            return Matched(self.pair(sure[0]))
        if not found:
            return NotFound()
        return Ambiguous(
            tuple(self.pair(position) for position in sorted(found, key=lambda at: -float(self.score[at])))
        )

    @cached_property
    def _by_row(self) -> dict[tuple[int, int, int], list[int]]:
        found: dict[tuple[int, int, int], list[int]] = {}
        columns = (self.left_list.tolist(), self.left.tolist(), self.right_list.tolist(), self.right.tolist())
        for position, (one, left, two, right) in enumerate(zip(*columns, strict=True)):
            found.setdefault((one, left, two), []).append(position)
            found.setdefault((two, right, one), []).append(position)
        return found


def _evidence(codes: Codes) -> tuple[tuple[str, str], ...]:
    name, number, _place, *others, _valid = codes
    found = [("name", _NAME_KINDS[name]), ("number", _NUMBER_KINDS[number])]
    columns = ("birth", "sex", "guardian", "phone", "registry", "township", "village", "school")
    found += [(column, _KINDS[kind]) for column, kind in zip(columns, others, strict=True)]
    return tuple((column, kind) for column, kind in found if kind != "untold")


assert len(_NAME_KINDS) == _names.NO_NAME + 1 and len(_NUMBER_KINDS) == _numbers.SAME_BROKEN + 1


def match_lists(*lists: People) -> Matching:
    """Matches two or three lists, each pair of lists one to one; three lists are also compared around the triangle."""
    if not 2 <= len(lists) <= 3:
        raise ValueError("two or three lists are compared")
    if len({people.label for people in lists}) < len(lists):
        raise ValueError("every list needs a label of its own")
    table = table_of(lists)
    sides: dict[tuple[int, int], Decided] = {}
    weights: dict[tuple[int, int], Weights] = {}
    for pair in combinations(range(len(lists)), 2):
        sides[pair], weights[pair] = decide(table, *pair)
    if len(lists) == 3:
        sides = closed(table, sides, weights)
    return Matching(table, sides, weights)
