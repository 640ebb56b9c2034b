"""Checking a whole file: reads it, finds what must hold, and names the cells that do not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from eduaid.core.parser import Book, parse
from reports.table_check import words
from reports.table_check.blame import Blamed, blame, limit_of
from reports.table_check.elsewhere import Said, between_tables, cell_of, with_sentences
from reports.table_check.equations import Equation, Rule, RuleName
from reports.table_check.layout import Block, Key, blocks_of, grid_of
from reports.table_check.relations import WrongDay, days_in_order, relations
from reports.table_check.sums import Axis, Sums
from reports.table_check.values import BLANK, Value, shown

__all__ = ["Finding", "Report", "check_book", "check_file"]


@dataclass(frozen=True)
class Finding:
    """A cell that does not fit. `printed` and `expected` are exact: a number, or text such as 88.11% or ≤120."""

    sheet: str
    row: int  # from 1
    column: int  # from 0
    rule: RuleName
    printed: Decimal | str
    expected: Decimal | str
    why: str

    @property
    def cell(self) -> str:
        return f"{column_letters(self.column)}{self.row}"


@dataclass
class Report:
    """What was looked at and what came of it. `blocks` counts tables with figures; `rules` are those that the file follows."""

    findings: list[Finding]
    rules: list[Rule]
    grids: Mapping[str, list[list[Value]]]
    blocks: int = 0
    sheets: int = 0
    _held: Counter[RuleName] = field(default_factory=Counter)

    @property
    def compared(self) -> int:
        return sum(len(rule.equations) for rule in self.rules)

    def by_rule(self) -> list[tuple[RuleName, int, int]]:
        """(rule, relations found, comparisons made), in the order of the rules."""
        return [
            (name, len(rules), sum(len(rule.equations) for rule in rules))
            for name in RuleName
            if (rules := [rule for rule in self.rules if rule.name is name])
        ]


def check_file(data: bytes, filename: str = "") -> Report:
    """Raises `eduaid.core.preflight.FileRefused` for a file that cannot be read."""
    return check_book(parse(data, filename))


def check_book(book: Book) -> Report:
    grids: dict[str, list[list[Value]]] = {}
    blocks: list[Block] = []
    for index, sheet in enumerate(book.sheets):
        grid = grid_of(sheet)
        grids[sheet.name] = grid
        blocks += blocks_of(index, sheet, grid)[0]
    names = [sheet.name for sheet in book.sheets]
    all_grids = [grids[name] for name in names]
    rules, said = _rules(blocks)
    numbers = _numbers(blocks, said)
    days: list[WrongDay] = []
    for block in blocks:
        wrong, held = days_in_order(block)
        days += wrong
        rules += held
    equations = [e for rule in rules if rule.name is not RuleName.DATES_IN_ORDER for e in rule.equations]
    blamed = blame(equations, numbers)
    findings = [_finding(item, names, all_grids, said, numbers) for item in blamed]
    findings += [
        Finding(
            day.sheet,
            day.key[1] + 1,
            day.key[2],
            RuleName.DATES_IN_ORDER,
            day.printed,
            f"不早于 {day.not_before}",
            day.why,
        )
        for day in days
    ]
    order = {name: place for place, name in enumerate(names)}
    findings.sort(key=lambda item: (order[item.sheet], item.row, item.column))
    return Report(findings, rules, grids, len(blocks), len(names))


def _rules(blocks: Sequence[Block]) -> tuple[list[Rule], dict[Key, Said]]:
    rules: list[Rule] = []
    said: dict[Key, Said] = {}
    for block in blocks:
        for axis in (Axis.rows_of(block), Axis.columns_of(block)):
            rules += Sums(axis).rules()
            rules += relations(axis)
        for rule, figure in with_sentences(block):
            rules.append(rule)
            said[figure.key] = figure
    rules += between_tables(blocks)
    return _distinct(rules), said


def _distinct(rules: Sequence[Rule]) -> list[Rule]:
    """The same relation found in two ways counts once."""
    seen: set[frozenset[Key]] = set()
    kept = []
    for rule in rules:
        fresh = []
        for equation in rule.equations:
            cells = frozenset(equation.cells)
            if equation.is_equality and cells in seen:
                continue
            if equation.is_equality:
                seen.add(cells)
            fresh.append(equation)
        if fresh:
            kept.append(Rule(rule.name, rule.sheet, rule.words, fresh))
    return kept


def _numbers(blocks: Sequence[Block], said: Mapping[Key, Said]) -> dict[Key, Decimal]:
    numbers = {
        block.key(row, column): value.number
        for block in blocks
        for row in block.rows
        for column in block.columns
        if (value := block.value(row, column)).number is not None
    }
    return {**numbers, **{key: figure.number for key, figure in said.items()}}


def _finding(
    item: Blamed,
    names: Sequence[str],
    grids: Sequence[list[list[Value]]],
    said: Mapping[Key, Said],
    numbers: dict[Key, Decimal],
) -> Finding:
    first = next((e for e in item.because if e.is_equality and not e.doubtful), item.because[0])
    sheet, row, column = cell_of(item.key)
    printed: Decimal | str
    expected: Decimal | str
    if item.key in said:
        printed = said[item.key].text
        expected = f"{shown(item.expected)}{said[item.key].unit}" if item.expected is not None else ""
    else:
        line = grids[sheet][row]
        value = line[column] if column < len(line) else BLANK
        printed = _printed(value)
        expected = _expected(item, value, first, numbers)
    return Finding(names[sheet], row + 1, column, first.rule, printed, expected, _because(item.because, first))


def _printed(value: Value) -> Decimal | str:
    if value.number is None or value.percent:
        return value.text
    return value.number


def _expected(item: Blamed, value: Value, first: Equation, numbers: dict[Key, Decimal]) -> Decimal | str:
    if item.expected is None:
        limit = limit_of(first, numbers)
        return f"不大于 {shown(limit)}" if limit is not None else ""
    if value.percent:
        return f"{shown(round(item.expected * 100, max(value.decimals - 2, 0)))}%"
    return item.expected


def _because(because: Sequence[Equation], first: Equation) -> str:
    return "；".join(dict.fromkeys([first.why, *(e.why for e in because if not e.doubtful)]))


def column_letters(column: int) -> str:
    """0 is A, 26 is AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def has_totals(blocks: Sequence[Block]) -> bool:
    return any(line.rank > words.Rank.NONE for block in blocks for line in (*block.rows, *block.columns))
