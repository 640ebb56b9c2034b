"""Relations between lines that their words announce and the figures bear out: products, rates, averages, differences, halves
of a year, sources and uses, subsets, persons and person-times, days in order. Works on rows and columns alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations

from eduaid.core.text.characters import compact
from reports.table_check import words
from reports.table_check.equations import AtMost, Equation, Linear, Product, Ratio, Rule, RuleName
from reports.table_check.layout import Block, Key, Line
from reports.table_check.sums import Axis
from reports.table_check.values import Value, day_of, is_before

_ONE = Decimal(1)
_HALF = Decimal("0.5")
_MOST_LINES = 80
_MONEY = {"元": 1, "千元": 1_000, "万元": 10_000, "亿元": 100_000_000}


def relations(axis: Axis) -> list[Rule]:
    if len(axis.lines) > _MOST_LINES and not axis.by_columns:
        return []
    finder = _Finder(axis)
    return [
        rule
        for rules in (
            finder.products(),
            finder.halves(),
            finder.sources(),
            finder.persons(),
            finder.subsets(),
            finder.ratios(),
            finder.differences(),
        )
        for rule in rules
        if rule.equations
    ]


class _Finder:
    def __init__(self, axis: Axis) -> None:
        self._axis = axis
        self._lines = axis.lines
        self._cells = [[axis.value(line, other) for other in axis.across] for line in axis.lines]
        self._known: set[int] = set()  # lines that a ratio or difference already explains

    def _key(self, at: int, x: int) -> Key:
        return self._axis.key(self._lines[at], self._axis.across[x])

    def _numbers(self, lines: Sequence[int], x: int) -> list[Decimal] | None:
        """The figures at one crossing line, a blank as nothing; None where one is no figure."""
        cells = [self._cells[at][x] for at in lines]
        if any((cell.number is None and not cell.zero) or cell.covered for cell in cells) or all(
            cell.number is None for cell in cells
        ):
            return None
        return [cell.number or Decimal(0) for cell in cells]

    def _printed(self, at: int, x: int) -> bool:
        return self._cells[at][x].number is not None

    def _crossing(self) -> range:
        return range(len(self._axis.across))

    def _decimals(self, at: int) -> int:
        return max((cell.decimals for cell in self._cells[at]), default=0)

    # --- 人数 × 标准 = 金额 ----------------------------------------------------------------------------------------

    def products(self) -> Iterator[Rule]:
        standards = [
            at for at, line in enumerate(self._lines) if words.is_standard(line.text) and not words.is_rate(line.text)
        ]
        for at in standards:
            best: tuple[int, int, Rule] | None = None
            for amount, persons in permutations(range(len(self._lines)), 2):
                if at in (amount, persons) or not self._is_amount(amount) or not self._is_count(persons):
                    continue
                for factor in self._factors(at, amount):
                    rule, held = self._product(amount, persons, at, factor)
                    near = -abs(amount - at) - abs(persons - at)
                    if rule and (best is None or (held, near) > best[:2]):
                        best = (held, near, rule)
            if best:
                yield best[2]

    def _is_amount(self, at: int) -> bool:
        return (
            self._lines[at].measure in ("元", "")
            and not words.is_standard(self._lines[at].text)
            and words.is_added(self._lines[at].text)
        )

    def _is_count(self, at: int) -> bool:
        return self._lines[at].measure in ("人", "人次", "户", "校", "班", "") and words.is_added(self._lines[at].text)

    def _factors(self, standard: int, amount: int) -> Iterator[Decimal]:
        for base in (_ONE, Decimal("0.0001"), Decimal("0.001"), Decimal(10_000)):
            for times in (1, 2, Decimal("0.5"), 10, 5, 12, 6, 4, 8, 9, 3):
                yield base * times

    def _product(self, amount: int, persons: int, standard: int, factor: Decimal) -> tuple[Rule | None, int]:
        held, failed, equations = 0, 0, []
        tens = self._decimals(amount)
        name = f"“{self._lines[amount].text}”等于“{self._lines[persons].text}”乘“{self._lines[standard].text}”"
        if factor != _ONE:
            name += f"再乘 {factor.normalize():f}"
        for x in self._crossing():
            found = self._numbers((amount, persons, standard), x)
            if found is None or not found[1] or not found[2] or not self._printed(amount, x):
                continue
            cell = self._cells[amount][x]
            wanted = found[1] * found[2] * factor
            tolerance = _HALF.scaleb(-max(tens, cell.decimals)) if wanted != round(wanted, tens) else Decimal(0)
            ok = abs(found[0] - wanted) <= max(
                tolerance,
                _HALF.scaleb(-cell.decimals)
                if wanted != round(wanted, cell.decimals) and cell.decimals
                else Decimal(0),
            )
            held, failed = held + ok, failed + (not ok)
            key = self._key(amount, x)
            equations.append(
                Product(
                    RuleName.PRODUCT,
                    key,
                    (key, self._key(persons, x), self._key(standard, x)),
                    name,
                    False,
                    factor,
                    abs(found[0] - wanted) if ok else tolerance,
                )
            )
        good = held >= 2 and 2 * failed <= held or (held >= 3 and failed < held)
        return (
            Rule(RuleName.PRODUCT, self._axis.sheet, name, list[Equation](equations)) if good else None
        ), held - failed

    # --- 春季 + 秋季 = 全年 ---------------------------------------------------------------------------------------

    def halves(self) -> Iterator[Rule]:
        for at, line in enumerate(self._lines):
            if not any(map(words.is_whole_year, line.path)):
                continue
            core = words.without_half(line.text)
            pairs = [
                [
                    i
                    for i, other in enumerate(self._lines)
                    if words.half_of(other.text) == half and words.without_half(other.text) == core
                ]
                for half in (1, 2)
            ]
            if len(pairs[0]) == len(pairs[1]) == 1:
                parts = (pairs[0][0], pairs[1][0])
                name = f"“{line.text}”等于“{self._lines[parts[0]].text}”加“{self._lines[parts[1]].text}”"
                yield from self._signed(RuleName.HALVES_OF_YEAR, at, [(parts[0], 1), (parts[1], 1)], name, fewest=1)

    # --- by source = by use ---------------------------------------------------------------------------------------

    def sources(self) -> Iterator[Rule]:
        def under(told: object) -> list[list[int]]:
            groups: dict[str, list[int]] = {}
            for i, line in enumerate(self._lines):
                if len(line.path) > 1 and told(line.path[0]) and not line.is_subset:  # type: ignore[operator]
                    groups.setdefault(line.path[0], []).append(i)
            return list(groups.values())

        from_, to = (
            under(lambda text: words.is_source(text) and not words.is_use(text)),
            under(lambda text: words.is_use(text) and not words.is_source(text)),
        )
        for source in from_:
            for use in to:
                left = [i for i in source if not self._lines[i].rank and words.is_added(self._lines[i].text)]
                right = [i for i in use if not self._lines[i].rank and words.is_added(self._lines[i].text)]
                if len(left) < 1 or len(right) < 1 or len(left) + len(right) < 3:
                    continue
                totals = [i for i in (*source, *use) if self._lines[i].rank]
                if totals:  # each side has a total of its own, which is compared instead
                    one = [i for i in source if self._lines[i].rank][:1]
                    two = [i for i in use if self._lines[i].rank][:1]
                    left, right = one or left, two or right
                name = f"“{self._lines[source[0]].path[0]}”各项之和等于“{self._lines[use[0]].path[0]}”各项之和"
                yield from self._signed(
                    RuleName.SOURCE_EQUALS_USE,
                    right[-1],
                    [*((i, 1) for i in left), *((i, -1) for i in right[:-1])],
                    name,
                    fewest=2,
                )

    def _signed(
        self, rule: RuleName, at: int, parts: Sequence[tuple[int, int]], name: str, *, fewest: int
    ) -> Iterator[Rule]:
        held, failed, equations = 0, 0, []
        lines = (at, *(i for i, _ in parts))
        for x in self._crossing():
            found = self._numbers(lines, x)
            if found is None or not self._printed(at, x) or any(self._cells[i][x].percent for i in lines):
                continue
            factors = [Decimal(-1), *(Decimal(sign) for _, sign in parts)]
            finest = max(self._cells[i][x].decimals for i in lines)
            slack = _HALF.scaleb(-finest) * len(lines) if finest else Decimal(0)
            if self._cells[at][x].decimals < finest:
                slack += _HALF.scaleb(-self._cells[at][x].decimals)
            residual = sum((factor * number for factor, number in zip(factors, found, strict=True)), Decimal(0))
            if not any(found):
                continue
            ok = abs(residual) <= slack
            held, failed = held + ok, failed + (not ok)
            terms = tuple((self._key(i, x), factor) for i, factor in zip(lines, factors, strict=True))
            counted_once = (
                rule is RuleName.HALVES_OF_YEAR
                and self._lines[at].measure == "人"
                and residual > 0
                and found[0] >= max(found[1:])
            )
            equations.append(
                Linear(rule, terms[0][0], tuple(key for key, _ in terms), name, counted_once, terms, slack)
            )
        if held >= fewest and 2 * failed <= max(held, 2 if held > 1 else held):
            yield Rule(rule, self._axis.sheet, name, list(equations))

    # --- 人 ≤ 人次, 其中 ≤ 总数 -------------------------------------------------------------------------------------

    def persons(self) -> Iterator[Rule]:
        for at, line in enumerate(self._lines):
            if "人次" not in line.text:
                continue
            for i, other in enumerate(self._lines):
                if i == at or "人次" in other.text or "人" not in other.label:
                    continue
                if compact(line.text).replace("人次数", "人次").replace("人次", "人") in (
                    compact(other.text).replace("人数", "人"),
                    compact(other.text),
                ):
                    name = f"“{other.text}”不大于“{line.text}”"
                    yield from self._at_most(RuleName.PERSONS_NOT_ABOVE_PERSON_TIMES, i, at, name, needed=0)

    def subsets(self) -> Iterator[Rule]:
        for at, line in enumerate(self._lines):
            if not line.is_subset or not words.is_added(line.text):
                continue
            whole = self._whole_of(at)
            if whole is not None:
                name = f"“{line.text}”不大于“{self._lines[whole].text}”"
                yield from self._at_most(
                    RuleName.SUBSET, at, whole, name, needed=1 if len(self._axis.across) > 1 else 0
                )

    def _whole_of(self, at: int) -> int | None:
        """The nearest line before that is no subset itself and counts the same."""
        line = self._lines[at]
        for i in range(at - 1, -1, -1):
            other = self._lines[i]
            if other.is_subset or (
                line.indent and other.indent >= line.indent and not any("其中" in part for part in line.path)
            ):
                continue
            if not words.is_added(other.text):
                continue
            if self._axis.by_columns and other.measure != line.measure and line.measure and other.measure:
                continue
            return i
        return None

    def _at_most(self, rule: RuleName, part: int, whole: int, name: str, *, needed: int) -> Iterator[Rule]:
        equations: list[Equation] = []
        held = failed = 0
        for x in self._crossing():
            if not (self._printed(part, x) and self._printed(whole, x)) or not words.is_added(
                self._axis.across[x].text
            ):
                continue
            found = self._numbers((part, whole), x)
            if found is None or not any(found) or self._cells[part][x].percent != self._cells[whole][x].percent:
                continue
            ok = found[0] <= found[1]
            held, failed = held + ok, failed + (not ok)
            key = self._key(part, x)
            equations.append(AtMost(rule, key, (key, self._key(whole, x)), name))
        if held >= needed and failed <= max(held // 2, 1 if held else 0) or (not needed and failed == 1 and held == 0):
            yield Rule(rule, self._axis.sheet, name, equations)

    # --- rates, averages, growth -----------------------------------------------------------------------------------

    def ratios(self) -> Iterator[Rule]:
        numeric = [i for i in range(len(self._lines)) if any(cell.number for cell in self._cells[i])]
        plain = [i for i in numeric if words.is_added(self._lines[i].text)][:40]
        for at in numeric:
            text = self._lines[at].text
            growth, average = words.is_growth(text), words.is_average(text)
            percent = any(cell.percent for cell in self._cells[at])
            if not (growth or average or words.is_rate(text) or percent):
                continue
            rule = RuleName.GROWTH if growth else RuleName.AVERAGE if average else RuleName.RATE
            best: tuple[float, Rule] | None = None
            factors = (
                (_ONE, Decimal(100)) if not average else (_ONE, Decimal(10_000), Decimal("0.0001"), Decimal(1_000))
            )
            if (
                not average
                and not percent
                and max((abs(c.number) for c in self._cells[at] if c.number is not None), default=0) > 1
            ):
                factors = factors[::-1]
            for factor in factors:
                for a, b in permutations(plain, 2):
                    if at in (a, b):
                        continue
                    for less in ((b,), ()) if growth else ((),):
                        found = self._ratio(rule, at, a, b, less, factor)
                        if found and (best is None or found[0] > best[0]):
                            best = found
                if (
                    not average
                    and not growth
                    and (share := self._share(at, plain, factor))
                    and (best is None or share[0] > best[0])
                ):
                    best = share
            if best:
                yield best[1]

    def _slack(self, at: int, x: int, places: int) -> Decimal:
        own = self._cells[at][x].decimals
        return _HALF.scaleb(-min(own or places, places)) if own < places else _HALF.scaleb(-own) if own else _HALF

    def _ratio(
        self, rule: RuleName, at: int, a: int, b: int, less: tuple[int, ...], factor: Decimal
    ) -> tuple[float, Rule] | None:
        places = min(self._decimals(at), 8)
        lines = (at, a, b, *less)
        held, failed, distinct, equations = 0, 0, set[Decimal](), []
        for x in self._crossing():
            found = self._numbers(lines, x)
            if found is None or not found[2] or not self._printed(at, x):
                continue
            wanted = (found[1] - (found[2] if less else 0)) / found[2] * factor
            slack = self._slack(at, x, places)
            ok = abs(found[0] - wanted) <= slack + Decimal("1e-9")
            held, failed = held + ok, failed + (not ok)
            if ok:
                distinct.add(found[0])
            elif 3 * failed > 2 + len(self._axis.across):
                return None
            keys = tuple(self._key(i, x) for i in lines)
            equations.append((keys, slack + Decimal("1e-9")))
        if held < 2 or len(distinct) < 2 or 3 * failed > held + 1:
            return None
        told = self._lines
        minus = f"（“{told[a].text}”减“{told[b].text}”）" if less else f"“{told[a].text}”"
        name = f"“{told[at].text}”等于{minus}除以“{told[b].text}”"
        found_rule = Rule(
            rule,
            self._axis.sheet,
            name,
            [Ratio(rule, keys[0], keys, name, False, factor, slack, max(places, 2)) for keys, slack in equations],
        )
        near = 1 / (2 + abs(at - a) + abs(at - b))
        return held - failed + len(distinct) * 0.5 + near, found_rule

    def _share(self, at: int, plain: Sequence[int], factor: Decimal) -> tuple[float, Rule] | None:
        """占比: each line's share of the total that crosses it."""
        totals = [x for x in self._crossing() if self._axis.across[x].rank >= words.Rank.TOTAL]
        places = min(self._decimals(at), 8)
        for whole in totals:
            for a in plain:
                base = self._cells[a][whole].number
                if not base or a == at:
                    continue
                held, failed, distinct, equations = 0, 0, set[Decimal](), []
                for x in self._crossing():
                    found = self._numbers((at, a), x)
                    if found is None or not self._printed(at, x) or not self._printed(a, x):
                        continue
                    slack = self._slack(at, x, places) + Decimal("1e-9")
                    ok = abs(found[0] - found[1] / base * factor) <= slack
                    held, failed = held + ok, failed + (not ok)
                    if ok:
                        distinct.add(found[0])
                    equations.append(((self._key(at, x), self._key(a, x), self._key(a, whole)), slack))
                if held >= 3 and len(distinct) >= 2 and 3 * failed <= held:
                    name = (
                        f"“{self._lines[at].text}”等于“{self._lines[a].text}”占“{self._axis.across[whole].text}”的比例"
                    )
                    return held - failed + len(distinct) * 0.5, Rule(
                        RuleName.RATE,
                        self._axis.sheet,
                        name,
                        [
                            Ratio(RuleName.RATE, keys[0], keys, name, False, factor, slack, max(places, 2))
                            for keys, slack in equations
                        ],
                    )
        return None

    # --- 增减, 结余, 缺口 --------------------------------------------------------------------------------------------

    def differences(self) -> Iterator[Rule]:
        plain = [i for i, line in enumerate(self._lines) if words.is_added(line.text) and not words.is_rate(line.text)][
            :40
        ]
        for at, line in enumerate(self._lines):
            if not words.is_change(line.text) or words.is_growth(line.text) or words.is_rate(line.text):
                continue
            best: tuple[float, Rule] | None = None
            others = [i for i in (plain if at in plain else [*plain, at]) if i != at]
            for a, b in permutations(others, 2):
                name = f"“{line.text}”等于“{self._lines[a].text}”减“{self._lines[b].text}”"
                for rule in self._signed(RuleName.DIFFERENCE, at, [(a, 1), (b, -1)], name, fewest=3):
                    numbers = [self._cells[at][x].number for x in self._crossing()]
                    strong = [n for n in numbers if n]
                    if len(set(strong)) < 3:
                        continue
                    score = len(rule.equations) + 1 / (2 + abs(at - a) + abs(at - b))
                    failed = sum(1 for x in self._crossing() if not self._balanced(at, a, b, x))
                    if 4 * failed <= max(4, len(strong)) and (best is None or score - 2 * failed > best[0]):
                        best = (score - 2 * failed, rule)
            if best:
                yield best[1]

    def _balanced(self, at: int, a: int, b: int, x: int) -> bool:
        found = self._numbers((at, a, b), x)
        return found is None or not self._printed(at, x) or abs(found[0] - found[1] + found[2]) <= Decimal("0.02")


@dataclass(frozen=True)
class WrongDay:
    """A day that lies before one that it must not precede."""

    sheet: str
    key: Key
    printed: str
    not_before: str
    why: str


def days_in_order(block: Block) -> tuple[list[WrongDay], list[Rule]]:
    """Finish not before start, and the steps of a project one after the other."""
    starts = [line for line in block.columns if words.starts(line.text)]
    ends = [line for line in block.columns if words.ends(line.text)]
    pairs = [(a, b) for a in starts for b in ends if _same_subject(a, b)]
    pairs = list(dict.fromkeys(pairs))
    staged = [(words.stage_of(line.text), line) for line in block.columns]
    for number, a in staged:
        for other, b in staged:
            if 0 < number < other and _same_subject(a, b) and (a, b) not in pairs:
                pairs.append((a, b))
    wrong: list[WrongDay] = []
    rules: list[Rule] = []
    for a, b in pairs:
        found: list[WrongDay] = []
        held = 0
        for row in block.rows:
            first, second = day_in(block.value(row, a)), day_in(block.value(row, b))
            if not first or not second:
                continue
            if is_before(second, first):
                why = f"“{b.text}”不应早于“{a.text}”"
                found.append(
                    WrongDay(block.name, block.key(row, b), block.value(row, b).text, block.value(row, a).text, why)
                )
            else:
                held += 1
        if held + len(found) and (len(found) <= held or len(found) == 1):
            wrong += found
            marks: list[Equation] = [AtMost(RuleName.DATES_IN_ORDER, (block.sheet, 0, 0), (), "")] * held
            rules.append(Rule(RuleName.DATES_IN_ORDER, block.name, f"“{b.text}”不早于“{a.text}”", marks))
    seen: set[Key] = set()
    return [item for item in wrong if not (item.key in seen or seen.add(item.key))], rules  # type: ignore[func-returns-value]


def _same_subject(a: Line, b: Line) -> bool:
    """Planned days go with planned days, those of one group of the header with those of the same."""
    planned = [("计划" in line.text or "拟" in line.text) for line in (a, b)]
    return planned[0] == planned[1] and (a.path[:-1] == b.path[:-1])


def day_in(cell: Value) -> tuple[int, int, int] | None:
    if cell.day:
        return cell.day
    return day_of(compact(cell.text)) if cell.number is not None else None
