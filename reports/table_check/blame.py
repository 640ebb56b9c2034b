"""Which cell is wrong, where relations fail: the one whose correction mends the most of them and breaks the fewest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from reports.table_check.equations import AtMost, Equation
from reports.table_check.layout import Key

_MOST_FINDINGS = 2_000


@dataclass
class Blamed:
    """A cell, what it should say (None: only that the relation fails), and the relations that say so."""

    key: Key
    expected: Decimal | None
    because: list[Equation]


def blame(equations: Sequence[Equation], numbers: dict[Key, Decimal]) -> list[Blamed]:
    """Each failing relation is explained by exactly one of the answers. Does not change `numbers`."""
    current = dict(numbers)
    by_cell: dict[Key, list[Equation]] = defaultdict(list)
    for equation in equations:
        for key in dict.fromkeys(equation.cells):
            by_cell[key].append(equation)
    open_ = [equation for equation in equations if not equation.holds(current)]
    found: list[Blamed] = []
    while open_ and len(found) < _MOST_FINDINGS:
        failing = set(map(id, open_))
        best: tuple[tuple[int, int, int], list[tuple[Key, Decimal]]] | None = None
        for equation in open_:
            if not equation.is_equality:
                continue
            for key in dict.fromkeys(equation.cells):
                wanted = equation.solved(current, key)
                if wanted is None:
                    continue
                fixed, broken = _effect(by_cell[key], failing, current, key, wanted)
                score = (fixed - broken, fixed, int(any(e.target == key and id(e) in failing for e in by_cell[key])))
                if best is None or score > best[0]:
                    best = (score, [(key, wanted)])
                elif score == best[0] and all(key != other for other, _ in best[1]):
                    best[1].append((key, wanted))
        if best is None:
            found += [Blamed(equation.target, None, [equation]) for equation in open_ if _speaks(equation)]
            break
        (gain, fixed, is_target), choices = best
        if gain >= 1 and (len(choices) == 1 or (is_target and fixed == 1)):
            key, wanted = choices[0]
            before = current.get(key, Decimal(0))
            current[key] = wanted
            mended = [e for e in by_cell[key] if id(e) in failing and e.holds(current)]
            if any(_speaks(e) for e in mended) or len(mended) > 1:
                found.append(Blamed(key, wanted, mended))
            else:
                current[key] = before
            open_ = [e for e in open_ if e not in mended]
            continue
        # Several cells would do as well: the total of the smallest sum among them is named, and its siblings are not.
        tied = {key for key, _ in choices}
        concerned = [e for e in open_ if tied & set(e.cells)] or list(open_)
        first = min((e for e in concerned if e.is_equality), key=lambda e: len(e.cells))
        if gain >= 1:
            shared = [e for e in concerned if tied <= set(e.cells)] or [first]
        else:
            shared = [first]
        if _speaks(first) or len(shared) > 1:
            found.append(Blamed(first.target, first.solved(current, first.target), shared))
        open_ = [e for e in open_ if e not in shared and e is not first]
    return _once(found)


def _speaks(equation: Equation) -> bool:
    return not equation.doubtful


def _effect(
    around: Sequence[Equation], failing: set[int], current: dict[Key, Decimal], key: Key, wanted: Decimal
) -> tuple[int, int]:
    before = current.get(key, Decimal(0))
    current[key] = wanted
    fixed = broken = 0
    for equation in around:
        holds = equation.holds(current)
        if id(equation) in failing:
            fixed += holds
        elif not holds:
            broken += 1
    current[key] = before
    return fixed, broken


def _once(found: Sequence[Blamed]) -> list[Blamed]:
    by_cell: dict[Key, Blamed] = {}
    for item in found:
        if item.key in by_cell:
            by_cell[item.key].because += item.because
        else:
            by_cell[item.key] = item
    return list(by_cell.values())


def limit_of(equation: Equation, numbers: dict[Key, Decimal]) -> Decimal | None:
    """What the larger side of a broken 'not above' says."""
    return numbers.get(equation.cells[1], Decimal(0)) if isinstance(equation, AtMost) else None
