"""Totals: which lines of a table are the sum of which others.

Words, numbers of headings, indentation and the header's groups propose; the figures decide. A total is believed where it
adds up in most of the lines that cross it, so that a wrong cell stands out against the others. Works on rows and columns alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from reports.table_check import words
from reports.table_check.equations import Linear, Rule, RuleName
from reports.table_check.layout import Block, Key, Line
from reports.table_check.values import Value

_HALF = Decimal("0.5")
_LONGEST_RUN = 60
_MOST_LINES = 400
_MOST_COLUMNS = 40


def rounding(total: Value, parts: Sequence[Value]) -> Decimal:
    """How far a printed total may lie from the sum of its printed parts. Whole numbers are exact."""
    finest = max((part.decimals for part in parts), default=0)
    added = sum(1 for part in parts if part.number) * _HALF.scaleb(-finest) if finest else Decimal(0)
    return added + (_HALF.scaleb(-total.decimals) if total.decimals < finest else Decimal(0))


@dataclass
class Axis:
    """A table seen along one direction: `lines` are added up, and each of `across` is an instance."""

    lines: list[Line]
    across: list[Line]
    value: Callable[[Line, Line], Value]
    key: Callable[[Line, Line], Key]
    name: RuleName
    sheet: str
    noun: str
    has_person_times: bool
    by_columns: bool

    @classmethod
    def rows_of(cls, block: Block) -> Axis:
        across = [line for line in block.columns if line.is_numeric]
        return cls(
            block.rows,
            across,
            block.value,
            block.key,
            RuleName.SUM_ROWS,
            block.name,
            "行",
            any(line.measure == "人次" for line in across),
            False,
        )

    @classmethod
    def columns_of(cls, block: Block) -> Axis:
        return cls(
            [line for line in block.columns if line.is_numeric],
            block.rows,
            lambda line, other: block.value(other, line),
            lambda line, other: block.key(other, line),
            RuleName.SUM_COLUMNS,
            block.name,
            "列",
            any(line.measure == "人次" for line in block.rows),
            True,
        )


@dataclass(frozen=True)
class Verdict:
    """How a proposal stands: crossing lines where it holds, those where at least two parts say something, those where not."""

    held: tuple[int, ...]
    strong: tuple[int, ...]
    failed: tuple[int, ...]
    digits: float

    @property
    def is_good(self) -> bool:
        return bool(self.held)


@dataclass
class Accepted:
    total: int
    parts: tuple[int, ...]
    verdict: Verdict
    is_told: bool  # by words


@dataclass
class Sums:
    """Finds the totals of an axis; `rules` afterwards holds what is believed."""

    axis: Axis
    accepted: dict[int, Accepted] = field(default_factory=dict)

    def __post_init__(self) -> None:
        axis = self.axis
        self._values = [[axis.value(line, other) for other in axis.across] for line in axis.lines]
        self._addable = [words.is_added(other.text) for other in axis.across]
        self._own = [words.is_added(line.text) for line in axis.lines]
        self._parent: dict[int, int] = {}

    def rules(self) -> list[Rule]:
        order = sorted(
            (at for at, line in enumerate(self.axis.lines) if line.rank and self._own[at]),
            key=lambda at: (self.axis.lines[at].rank, at),
        )
        self._by_words(order)
        self._by_structure()
        self._by_figures()
        self._by_words([at for at in order if at not in self.accepted or self.accepted[at].verdict.failed])
        self._told_only(order)
        found = [self._rule(entry.total, entry.parts, entry.verdict.failed) for entry in self.accepted.values()]
        return [rule for rule in [*found, *self._other_levels()] if rule.equations]

    # --- proposals ---------------------------------------------------------------------------------------------

    def _by_words(self, order: Sequence[int]) -> None:
        for at in order:
            best: Accepted | None = None
            for parts in self._proposed(at):
                verdict = self._verdict(at, parts)
                if not self._is_believed(verdict, told=True):
                    continue
                if best is None or _better(verdict, best.verdict):
                    best = Accepted(at, parts, verdict, True)
            if best and (at not in self.accepted or _better(best.verdict, self.accepted[at].verdict)):
                self._accept(best)

    def _proposed(self, at: int) -> Iterator[tuple[int, ...]]:
        """Sets of lines that a total named by words may be the sum of, the most natural first."""
        seen: set[tuple[int, ...]] = set()
        for parts in self._sets(at):
            if len(parts) >= 1 and at not in parts and parts not in seen and self._may_be_parts(at, parts):
                seen.add(parts)
                yield parts

    def _may_be_parts(self, at: int, parts: Sequence[int]) -> bool:
        return len(parts) > 1 or self.axis.lines[parts[0]].rank < self.axis.lines[at].rank

    def _sets(self, at: int) -> Iterator[tuple[int, ...]]:
        lines = self.axis.lines
        line = lines[at]
        yield from self._by_path(at)
        count = len(lines)
        totals = [i for i, other in enumerate(lines) if other.rank]
        higher = [i for i in totals if lines[i].rank >= line.rank and i != at]
        below = ([i for i in totals if i > at], [i for i in higher if i > at])
        above = ([i for i in totals if i < at], [i for i in higher if i < at])
        ranges: list[range] = []
        for earlier in above[::-1]:
            ranges.append(range(earlier[-1] + 1 if earlier else 0, at))
        same_group = [i for i in range(count) if lines[i].group == line.group]
        ranges.append(range(same_group[0], at))
        for later in below[::-1]:
            ranges.append(range(at + 1, later[0] if later else count))
        ranges.append(range(at + 1, same_group[-1] + 1))
        ranges += [range(at), range(at + 1, count), range(count)]
        for span in ranges:
            within = [i for i in span if i != at and self._own[i]]
            yield from self._cuts(at, within)
        for span in ranges:
            yield from self._same_measure(at, [i for i in span if i != at and self._own[i]])

    def _cuts(self, at: int, within: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """Ways to take a stretch of lines without counting anything twice."""
        lines = self.axis.lines
        mine = self._ancestors(at)
        within = [i for i in within if i not in mine]
        chosen = set(within)
        tops = [i for i in within if not self._has_parent_in(i, chosen)]
        yield tuple(i for i in tops if not lines[i].is_subset)
        yield tuple(i for i in within if not lines[i].rank and not lines[i].is_subset)
        yield tuple(i for i in within if not lines[i].rank and i not in self.accepted and not lines[i].is_subset)
        yield tuple(i for i in within if lines[i].rank and not lines[i].is_subset)
        yield tuple(i for i in self._outside_subsets(tops))
        levels = sorted({lines[i].level for i in within if lines[i].level})
        for level in levels[:2]:
            yield tuple(i for i in within if lines[i].level == level and not lines[i].is_subset)
        if within:
            least = min(lines[i].indent for i in within)
            if any(lines[i].indent > least for i in within):
                yield tuple(i for i in within if lines[i].indent == least and not lines[i].is_subset)
        yield tuple(i for i in within if lines[i].is_subset)
        yield tuple(tops)

    def _outside_subsets(self, within: Sequence[int]) -> Iterator[int]:
        """Without 其中 lines and those set in like them that follow."""
        lines = self.axis.lines
        depth: int | None = None
        for i in within:
            if lines[i].is_subset:
                depth = lines[i].indent
            elif depth is not None and depth > 0 and lines[i].indent >= depth:
                continue
            else:
                depth = None
                yield i

    def _by_path(self, at: int) -> Iterator[tuple[int, ...]]:
        """Lines called like this one but for the word for the total: 合计—人数 from 小学—人数 and 初中—人数."""
        lines = self.axis.lines
        path = lines[at].path
        for place, part in enumerate(path):
            if not words.rank_of(part) and not words.is_whole_year(part):
                continue
            found = [
                i
                for i, other in enumerate(lines)
                if i != at
                and len(other.path) == len(path)
                and all(mine == its for k, (mine, its) in enumerate(zip(path, other.path, strict=True)) if k != place)
            ]
            plain = tuple(i for i in found if not words.rank_of(lines[i].path[place]) and not lines[i].is_subset)
            yield plain
            yield tuple(i for i in found if not lines[i].is_subset)
            near = [i for i in plain if i > at]
            yield tuple(near)
            yield tuple(i for i in plain if i < at)
            # Groups of different depth: the same last word anywhere below another head.
            if place < len(path) - 1:
                tail = path[place + 1 :]
                loose = [
                    i
                    for i, other in enumerate(lines)
                    if i != at and other.path[-len(tail) :] == tail and len(other.path) > len(tail)
                ]
                yield tuple(i for i in loose if not lines[i].rank and not lines[i].is_subset)
        if len(path) > 1:
            under = [
                i
                for i, other in enumerate(lines)
                if i != at and other.path[: len(path) - 1] == path[:-1] and len(other.path) >= len(path)
            ]
            under = [i for i in under if self._own[i]]
            yield tuple(i for i in under if not lines[i].rank and not lines[i].is_subset)
            yield tuple(i for i in under if lines[i].rank and not lines[i].is_subset)
        named = [
            i
            for i, other in enumerate(lines)
            if i != at and len(other.path) > len(path) and other.path[: len(path)] == path
        ]
        yield tuple(i for i in named if not lines[i].rank and not lines[i].is_subset)
        yield from self._by_groups(at)

    def _by_groups(self, at: int) -> Iterator[tuple[int, ...]]:
        """All lines below one head of the header beside the total: 合计 | 按来源: 中央 省 县 | 按用途: …"""
        lines = self.axis.lines
        head: dict[str, list[int]] = {}
        for i, other in enumerate(lines):
            if i != at and len(other.path) > 1 and other.path[:1] != lines[at].path[:1]:
                head.setdefault(other.path[0], []).append(i)
        for group in head.values():
            yield tuple(i for i in group if not lines[i].rank and not lines[i].is_subset and self._own[i])

    def _same_measure(self, at: int, within: Sequence[int]) -> Iterator[tuple[int, ...]]:
        lines = self.axis.lines
        measure = lines[at].measure
        if measure:
            same = [i for i in within if lines[i].measure == measure]
            yield tuple(i for i in same if not lines[i].rank and not lines[i].is_subset)
            yield tuple(i for i in same if not self._has_parent_in(i, set(same)) and not lines[i].is_subset)
            yield tuple(i for i in same if lines[i].rank and not lines[i].is_subset)

    def _by_structure(self) -> None:
        """Headings with figures of their own above numbered or indented parts: 一、学前教育 over 1. 2. 3."""
        lines = self.axis.lines
        for at in reversed(range(len(lines))):
            if at in self.accepted or not self._own[at]:
                continue
            for parts in self._children(at):
                verdict = self._verdict(at, parts)
                if len(parts) > 1 and self._is_believed(verdict, told=False, structured=True):
                    self._accept(Accepted(at, parts, verdict, False))
                    break

    def _children(self, at: int) -> Iterator[tuple[int, ...]]:
        lines = self.axis.lines
        line = lines[at]
        if line.level:
            run = []
            for i in range(at + 1, len(lines)):
                if lines[i].rank >= words.Rank.TOTAL or (lines[i].level and lines[i].level <= line.level):
                    break
                run.append(i)
            if run and lines[run[0]].level:
                yield tuple(i for i in run if lines[i].level == lines[run[0]].level and not lines[i].is_subset)
            yield tuple(i for i in run if not lines[i].is_subset and self._parent.get(i) is None)
            yield tuple(run)
        deeper = []
        for i in range(at + 1, len(lines)):
            if lines[i].indent <= line.indent or lines[i].rank >= words.Rank.TOTAL:
                break
            deeper.append(i)
        if deeper:
            yield tuple(i for i in deeper if lines[i].indent == lines[deeper[0]].indent)
        after = at + 1
        if after < len(lines) and lines[after].is_subset:
            run = [after]
            for i in range(after + 1, len(lines)):
                if not lines[i].is_subset and lines[i].indent <= line.indent:
                    break
                run.append(i)
            yield tuple(run)
        if line.path:
            yield tuple(
                i
                for i, other in enumerate(lines)
                if i != at
                and len(other.path) == len(line.path) + 1
                and other.path[: len(line.path)] == line.path
                and not other.rank
            )

    def _by_figures(self) -> None:
        """Lines that no word tells about but which are, nearly everywhere, the sum of those before or after them."""
        lines = self.axis.lines
        if len(lines) > _MOST_LINES or len(self.axis.across) < 2:
            return
        floats = [
            [float(cell.number) if cell.number is not None else 0.0 if cell.zero else math.nan for cell in row]
            for row in self._values
        ]
        for _ in range(3):
            grown = False
            for at in range(len(lines)):
                if at in self.accepted or not self._own[at]:
                    continue
                best: Accepted | None = None
                for run in self._runs(at):
                    parts = self._fitting(at, run, floats)
                    for chosen in parts:
                        verdict = self._verdict(at, chosen)
                        if self._is_believed(verdict, told=False) and (best is None or _better(verdict, best.verdict)):
                            best = Accepted(at, chosen, verdict, False)
                if best:
                    self._accept(best)
                    grown = True
            if not grown:
                return

    def _runs(self, at: int) -> Iterator[list[int]]:
        lines = self.axis.lines
        tops = [i for i in range(len(lines)) if (self._parent.get(i) is None or i == at) and self._own[i]]
        mine = self._ancestors(at)
        measure = lines[at].measure
        pools = (
            tops,
            [i for i in tops if lines[i].measure == measure],
            [i for i in tops if lines[i].measure in (measure, "")],
        )
        for pool in dict.fromkeys(map(tuple, pools)):
            place = pool.index(at) if at in pool else -1
            if place < 0:
                continue
            yield [i for i in pool[place + 1 : place + 1 + _LONGEST_RUN] if i not in mine]
            yield [i for i in reversed(pool[max(0, place - _LONGEST_RUN) : place]) if i not in mine]
            if self.axis.by_columns and len(pool) <= _MOST_COLUMNS:
                for start in range(len(pool) - 1):
                    if start not in (place, place + 1):
                        end = place if start < place else len(pool)
                        yield [i for i in pool[start:end] if i not in mine]

    def _fitting(self, at: int, run: Sequence[int], floats: Sequence[Sequence[float]]) -> Iterator[tuple[int, ...]]:
        """Beginnings of a run whose sum is near the line in most places. Roughly, to be judged exactly afterwards."""
        mine = floats[at]
        sums = [0.0] * len(mine)
        filled = [x for x, value in enumerate(mine) if value and not math.isnan(value) and self._addable[x]]
        if len(filled) < 2:
            return
        for count, i in enumerate(run, 1):
            row = floats[i]
            for x in filled:
                if not math.isnan(row[x]):
                    sums[x] += row[x]
            if count >= 2:
                near = sum(1 for x in filled if abs(sums[x] - mine[x]) <= 0.006 * count + 1e-6 * abs(mine[x]))
                if 3 * near >= 2 * len(filled) and near >= 2:
                    yield tuple(sorted(run[:count]))
                if all(sums[x] > 1.5 * mine[x] > 0 for x in filled):
                    return

    def _told_only(self, order: Sequence[int]) -> None:
        """A total that adds up nowhere although its words leave no doubt about its parts."""
        lines = self.axis.lines
        for at in order:
            if at in self.accepted or not lines[at].is_plain_total:
                continue
            parts = self._plain_parts(at)
            if len(parts) < 2:
                continue
            verdict = self._verdict(at, parts)
            if verdict.held and len(verdict.failed) > 2 * len(verdict.held):
                continue
            if not verdict.failed:
                continue
            most = 1 if self.axis.by_columns else 3
            if (
                len(verdict.failed) <= most
                and all(
                    self._deviation(at, parts, x) <= (0.6 if len(verdict.failed) == 1 else 0.25) for x in verdict.failed
                )
                or not self.axis.by_columns
                and self._leaves_out(at, parts, verdict.failed)
            ):
                self._accept(Accepted(at, parts, verdict, True))

    def _plain_parts(self, at: int) -> tuple[int, ...]:
        """The parts of the only total of a flat table; none where anything makes that doubtful."""
        lines = self.axis.lines
        others = [i for i in range(len(lines)) if i != at and self._own[i]]
        if any(
            lines[i].rank or lines[i].is_subset or i in self.accepted or lines[i].indent != lines[others[0]].indent
            for i in others
        ):
            return ()
        if len({lines[i].level for i in others}) != 1 or at not in (0, len(lines) - 1):
            return ()
        if self.axis.by_columns and (
            len({lines[i].measure for i in (*others, at)} - {""}) > 1 or len({len(lines[i].path) for i in others}) > 1
        ):
            return ()
        if any("不含" in line.text or "未含" in line.text for line in lines):
            return ()
        return tuple(others)

    def _deviation(self, at: int, parts: Sequence[int], x: int) -> float:
        total = float(self._number(at, x))
        added = float(sum(self._number(i, x) for i in parts))
        return abs(total - added) / max(abs(added), 1e-9)

    def _leaves_out(self, at: int, parts: Sequence[int], failed: Sequence[int]) -> bool:
        """Whether one numbered line was left out of every total: a formula that ends too early."""
        lines = self.axis.lines
        if not all(lines[i].level == 3 for i in parts):
            return False
        return any(
            all(self._number(at, x) == sum(self._number(k, x) for k in parts if k != i) for x in failed) for i in parts
        )

    # --- judging -----------------------------------------------------------------------------------------------

    def _number(self, at: int, x: int) -> Decimal:
        return self._values[at][x].number or Decimal(0)

    def _verdict(self, at: int, parts: Sequence[int]) -> Verdict:
        held: list[int] = []
        strong: list[int] = []
        failed: list[int] = []
        digits = 0.0
        for x in range(len(self.axis.across)):
            told = self._instance(at, parts, x)
            if told is None:
                continue
            total, values, tolerance = told
            added = sum(values, Decimal(0))
            if abs(total - added) <= tolerance:
                filled = sum(1 for value in values if value)
                if not filled and not total:
                    continue
                held.append(x)
                if filled > 1:
                    strong.append(x)
                    step = max(tolerance, _HALF.scaleb(-self._values[at][x].decimals))
                    digits += math.log10(1 + abs(float(total) / (2 * float(step))))
            elif self._may_fail(total, values, x):
                failed.append(x)
        return Verdict(tuple(held), tuple(strong), tuple(failed), digits)

    def _instance(self, at: int, parts: Sequence[int], x: int) -> tuple[Decimal, list[Decimal], Decimal] | None:
        """(total, parts, tolerance) at one crossing line; None where it says nothing or may not be added."""
        if not self._addable[x]:
            return None
        total = self._values[at][x]
        cells = [self._values[i][x] for i in parts]
        if (total.number is None and not total.dash) or total.percent:
            return None
        if any((cell.number is None and not cell.zero) or cell.covered or cell.percent for cell in cells):
            return None
        if total.dash and not any(cell.number for cell in cells):
            return None
        return total.number or Decimal(0), [cell.number or Decimal(0) for cell in cells], rounding(total, cells)

    def _may_fail(self, total: Decimal, values: Sequence[Decimal], x: int) -> bool:
        """False where the figures look like standards or averages, which no total adds up."""
        filled = [value for value in values if value]
        if len(filled) < 2:
            return True
        if all(value == total for value in filled):
            return False
        other = self.axis.across[x]
        return not (not other.measure and min(filled) <= total <= max(filled) and sum(filled) > Decimal("1.8") * total)

    def _is_believed(self, verdict: Verdict, *, told: bool, structured: bool = False) -> bool:
        held, strong, failed = len(verdict.held), len(verdict.strong), len(verdict.failed)
        if told:
            if not failed:
                return held >= 1
            return (
                strong >= 1
                and verdict.digits >= 1.5
                and failed <= (held if strong < 3 else 2 * held // 2)
                or (strong >= 1 and verdict.digits >= 2.5 and failed <= 2 and held >= 1)
            )
        if structured:
            return (
                (strong >= 2 and failed <= max(0, strong // 2) and verdict.digits >= 3)
                or (strong >= 1 and not failed and verdict.digits >= 2)
                or (strong == 1 and failed == 1 and verdict.digits >= 3)
            )
        if not failed:
            return strong >= 2 and verdict.digits >= 4
        return strong >= 3 and 4 * failed <= max(4, strong) and verdict.digits >= 7

    def _accept(self, entry: Accepted) -> None:
        before = self.accepted.get(entry.total)
        if before:
            for part in before.parts:
                if self._parent.get(part) == entry.total:
                    del self._parent[part]
        if any(entry.total in self._below(part) for part in entry.parts):
            return
        self.accepted[entry.total] = entry
        for part in entry.parts:
            held = self._parent.get(part)
            if held is None or len(self.accepted[held].parts) > len(entry.parts):
                self._parent[part] = entry.total

    def _below(self, at: int) -> set[int]:
        found: set[int] = set()
        waiting = [at]
        while waiting:
            one = waiting.pop()
            if one in self.accepted:
                for part in self.accepted[one].parts:
                    if part not in found:
                        found.add(part)
                        waiting.append(part)
        return found

    def _ancestors(self, at: int) -> set[int]:
        found: set[int] = set()
        while (parent := self._parent.get(at)) is not None and parent not in found:
            found.add(parent)
            at = parent
        return found

    def _has_parent_in(self, at: int, chosen: set[int]) -> bool:
        return bool(self._ancestors(at) & chosen)

    # --- what comes of it ----------------------------------------------------------------------------------------

    def _other_levels(self) -> Iterator[Rule]:
        """The same totals told by the parts of their parts: a wrong cell then shows at both levels."""
        for entry in list(self.accepted.values()):
            expanded = [k for i in entry.parts for k in (self.accepted[i].parts if i in self.accepted else (i,))]
            if len(set(expanded)) == len(expanded) > len(entry.parts):
                parts = tuple(sorted(expanded))
                verdict = self._verdict(entry.total, parts)
                if len(verdict.strong) >= 2 and 2 * len(verdict.failed) <= len(verdict.strong):
                    yield self._rule(entry.total, parts, verdict.failed)
            covering = [
                other
                for other in self.accepted.values()
                if other.total != entry.total and len(other.parts) > 1 and set(other.parts) < set(entry.parts)
            ]
            if len(covering) > 1:
                taken = [k for other in covering for k in other.parts]
                if len(set(taken)) == len(taken):
                    rest = [i for i in entry.parts if i not in set(taken)]
                    parts = tuple(sorted([*rest, *(other.total for other in covering)]))
                    verdict = self._verdict(entry.total, parts)
                    if len(verdict.strong) >= 2 and 2 * len(verdict.failed) <= len(verdict.strong):
                        yield self._rule(entry.total, parts, verdict.failed)

    def _rule(self, at: int, parts: Sequence[int], failed: Sequence[int]) -> Rule:
        axis = self.axis
        lines = axis.lines
        told = _named([lines[i].label if not axis.by_columns else lines[i].text for i in parts], axis.noun)
        sentence = f"“{lines[at].text or '合计'}”等于{told}之和"
        name = axis.name
        if len(parts) == 2 and {words.half_of(lines[i].text) for i in parts} == {1, 2}:
            name = RuleName.HALVES_OF_YEAR
        equations: list[Linear] = []
        for x, other in enumerate(axis.across):
            instance = self._instance(at, parts, x)
            if instance is None:
                continue
            total, values, tolerance = instance
            if abs(total - sum(values, Decimal(0))) > tolerance and not self._may_fail(total, values, x):
                continue
            key = axis.key(lines[at], other)
            cells = [axis.key(lines[i], other) for i in parts]
            equations.append(
                Linear(
                    name,
                    key,
                    (key, *cells),
                    sentence,
                    self._counts_once(at, parts, x, total, values),
                    ((key, Decimal(-1)), *((cell, Decimal(1)) for cell in cells)),
                    tolerance,
                )
            )
        return Rule(name, axis.sheet, sentence, list(equations))

    def _counts_once(self, at: int, parts: Sequence[int], x: int, total: Decimal, values: Sequence[Decimal]) -> bool:
        """Persons beside person-times may be counted once in the total although several lines name them."""
        measure = self.axis.across[x].measure if not self.axis.by_columns else self.axis.lines[at].measure
        if measure != "人" or not self.axis.has_person_times and not self._whole_year(at):
            return False
        if not max(values, default=Decimal(0)) <= total < sum(values, Decimal(0)):
            return False
        if self.axis.by_columns:
            return True
        others = [k for k, other in enumerate(self.axis.across) if k != x and other.measure == "人"]
        added = self._verdict(at, parts)
        return not any(k in added.strong for k in others)

    def _whole_year(self, at: int) -> bool:
        return any(map(words.is_whole_year, self.axis.lines[at].path)) and "年" in self.axis.lines[at].text


def _better(mine: Verdict, other: Verdict) -> bool:
    """A later proposal must clearly beat an earlier, more natural one."""
    if len(mine.failed) + 1 < len(other.failed) and len(mine.held) >= len(other.held):
        return True
    if not mine.failed and len(other.failed) * 3 > len(other.held) and len(mine.strong) >= len(other.strong):
        return True
    return len(mine.held) > len(other.held) + 1 and len(mine.failed) <= len(other.failed)


def _named(labels: Sequence[str], noun: str) -> str:
    told = [label for label in labels if label]
    if len(told) == len(labels) <= 3:
        return "、".join(f"“{label}”" for label in told)
    return f"“{told[0]}”等 {len(labels)} {noun}" if told else f" {len(labels)} {noun}"
