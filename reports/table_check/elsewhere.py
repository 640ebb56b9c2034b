"""The same figure in two places: from table to table, and from the sentence around a table to its cells."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from eduaid.core.text.characters import compact
from reports.table_check import words
from reports.table_check.equations import Equation, Linear, Rule, RuleName
from reports.table_check.layout import Block, Key, Line, Note
from reports.table_check.values import Value, places

_HALF = Decimal("0.5")
_MOST_PAIRS = 60


@dataclass(frozen=True)
class Place:
    key: Key
    value: Value
    row: Line
    column: Line


def _equal(one: Place, other: Place, why: str) -> Linear:
    slack = Decimal(0)
    mine, its = one.value.decimals, other.value.decimals
    if mine != its:
        slack = _HALF.scaleb(-min(mine, its))
    return Linear(
        RuleName.EQUAL_ELSEWHERE,
        other.key,
        (other.key, one.key),
        why,
        False,
        ((other.key, Decimal(-1)), (one.key, Decimal(1))),
        slack,
    )


def _believed(equations: Sequence[Equation], places_: Sequence[tuple[Place, Place]]) -> bool:
    """Nearly all agree, and what agrees is more than chance: small numbers and zeros prove little."""
    agree = [(one, other) for (one, other), e in zip(places_, equations, strict=True) if _same(e, one, other)]
    telling = {one.value.number for one, _ in agree if one.value.number and abs(one.value.number) >= 10}
    failed = len(equations) - len(agree)
    return len(telling) >= 3 and (failed == 0 or 5 * failed <= len(telling) or (failed == 1 and len(telling) >= 3))


def _same(equation: Equation, one: Place, other: Place) -> bool:
    return equation.holds({one.key: one.value.number or Decimal(0), other.key: other.value.number or Decimal(0)})


def _by_label(block: Block) -> dict[tuple[str, str], list[Place]]:
    found: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for row in block.rows:
        for column in block.columns:
            value = block.value(row, column)
            if column.is_numeric and value.number is not None and row.text:
                found[_plain(row.text), _plain(column.text)].append(Place(block.key(row, column), value, row, column))
    return found


def _plain(text: str) -> str:
    return compact(words.numbering(text)[1] or text)


def between_tables(blocks: Sequence[Block]) -> list[Rule]:
    """Cells of the same row and column label in two tables, where those of the same line of labels nearly all agree."""
    rules: list[Rule] = []
    labelled = [_by_label(block) for block in blocks]
    for count, (a, b) in enumerate(combinations(range(len(blocks)), 2)):
        if count >= _MOST_PAIRS:
            break
        pairs = [
            (one[0], labelled[b][label][0])
            for label, one in labelled[a].items()
            if len(one) == 1 and len(labelled[b].get(label, ())) == 1
        ]
        if len(pairs) < 4 or not _same_unit(blocks[a], blocks[b]):
            continue
        rules += _agreeing(pairs, blocks[a], blocks[b])
    rules += _sheets_of_parts(blocks)
    return rules


def _same_unit(a: Block, b: Block) -> bool:
    return words.money_factor(a.unit) == words.money_factor(b.unit)


def _agreeing(pairs: Sequence[tuple[Place, Place]], a: Block, b: Block) -> Iterator[Rule]:
    """All pairs together, else column by column: a yearly table repeats only some columns of another."""
    name = f"“{a.name}”与“{b.name}”中同名的数字相等"
    groups: list[list[tuple[Place, Place]]] = [list(pairs)]
    by_column: dict[str, list[tuple[Place, Place]]] = defaultdict(list)
    for pair in pairs:
        by_column[pair[0].column.text].append(pair)
    by_row: dict[str, list[tuple[Place, Place]]] = defaultdict(list)
    for pair in pairs:
        by_row[pair[0].row.text].append(pair)
    for group in (groups, list(by_column.values()), list(by_row.values())):
        found = []
        for chosen in group:
            equations: list[Equation] = [
                _equal(one, other, f"与工作表“{a.name}”中的“{one.row.text}—{one.column.text}”是同一个数字")
                for one, other in chosen
            ]
            if _believed(equations, chosen):
                found.append(Rule(RuleName.EQUAL_ELSEWHERE, b.name, name, equations))
        if found:
            yield from found
            return


def _sheets_of_parts(blocks: Sequence[Block]) -> Iterator[Rule]:
    """A table whose rows are called as other sheets: each row is that sheet's total. And one that adds up its sheets."""
    by_name: dict[str, list[Block]] = defaultdict(list)
    for block in blocks:
        by_name[_plain(block.name)].append(block)
    for block in blocks:
        pairs: list[tuple[Place, Place]] = []
        for row in block.rows:
            others = [other for other in by_name.get(_plain(row.label), ()) if other.sheet != block.sheet]
            if len(others) != 1:
                continue
            totals = [line for line in others[0].rows if line.rank >= words.Rank.TOTAL]
            if len(totals) != 1:
                continue
            for column in block.columns:
                twins = [c for c in others[0].columns if c.text == column.text and c.is_numeric]
                if len(twins) == 1:
                    mine, its = block.value(row, column), others[0].value(totals[0], twins[0])
                    if mine.number is not None and its.number is not None:
                        pairs.append(
                            (
                                Place(others[0].key(totals[0], twins[0]), its, totals[0], twins[0]),
                                Place(block.key(row, column), mine, row, column),
                            )
                        )
        equations: list[Equation] = [
            _equal(one, other, f"应与工作表“{other.row.label}”的合计相同") for one, other in pairs
        ]
        if pairs and _believed(equations, pairs):
            yield Rule(RuleName.EQUAL_ELSEWHERE, block.name, "各行与同名工作表的合计相等", equations)
    yield from _sum_of_sheets(blocks)


_WHOLE_SHEET = re.compile(r"汇总|合计|总表|全县|全区|全市")


def _sum_of_sheets(blocks: Sequence[Block]) -> Iterator[Rule]:
    wholes = [block for block in blocks if _WHOLE_SHEET.search(block.name)]
    if len(wholes) != 1 or len(blocks) < 3:
        return
    whole = wholes[0]
    parts = [block for block in blocks if block is not whole]
    if len({block.sheet for block in blocks}) != len(blocks):
        return
    mine, its = _by_label(whole), [_by_label(block) for block in parts]
    equations: list[Equation] = []
    held, failed = set[Decimal](), 0
    for label, told in mine.items():
        found = [labels.get(label, []) for labels in its]
        if len(told) != 1 or any(len(places_) != 1 for places_ in found) or not words.is_added(told[0].column.text):
            continue
        cells = [places_[0] for places_ in found]
        total = told[0].value.number or Decimal(0)
        added = sum((cell.value.number or Decimal(0) for cell in cells), Decimal(0))
        finest = max(cell.value.decimals for cell in (*cells, told[0]))
        slack = _HALF.scaleb(-finest) * len(cells) if finest else Decimal(0)
        if abs(total - added) <= slack:
            held.add(total)
        else:
            failed += 1
        terms = ((told[0].key, Decimal(-1)), *((cell.key, Decimal(1)) for cell in cells))
        equations.append(
            Linear(
                RuleName.SUM_SHEETS,
                told[0].key,
                tuple(key for key, _ in terms),
                f"应等于其余 {len(cells)} 张表同一格之和",
                False,
                terms,
                slack,
            )
        )
    if len([number for number in held if number >= 10]) >= 3 and 4 * failed <= len(held):
        yield Rule(RuleName.SUM_SHEETS, whole.name, f"“{whole.name}”等于其余 {len(parts)} 张表之和", equations)


# --- sentences -------------------------------------------------------------------------------------------------------

_SAID = re.compile(
    r"(?<![\d.第])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(余|多)?(万人次|人次|万元|亿元|元|万人|人|名|户|所)", re.ASCII
)
_WHOLE_WORDS = re.compile(r"(?:共计|总计|合计|累计|共)")
_FILLER = re.compile(
    r"全[县区市省]|本[县区市]|共计|总计|合计|累计|共|发放|资助|补助|救助|受助|惠及|下达|落实|资金|金额|经费|学生|幼儿|儿童|人数|总|各类|各学段|家庭经济困难|困难|享受|"
    r"涉及|覆盖|达|为|计|有|了|约|的|名|\d{4}年|春季|秋季|学期|学年|上半年|下半年|[,;:。、()]|[^\w]|我[县区市]|现有|投入|安排|拨付|到位|[^,;。]*[县区市]"
)
_COUNTED = {
    "人次": "人次",
    "万人次": "人次",
    "人": "人",
    "名": "人",
    "万人": "人",
    "户": "户",
    "所": "校",
    "元": "元",
    "万元": "元",
    "亿元": "元",
}
_TIMES = {"万人次": 10_000, "万人": 10_000, "万元": 10_000, "亿元": 100_000_000}


@dataclass(frozen=True)
class Said:
    """A figure in a sentence. `key` carries its place: the cell, and which figure of it."""

    key: Key
    number: Decimal
    decimals: int
    unit: str
    before: str
    text: str


def said_in(notes: Sequence[Note]) -> list[Said]:
    found = []
    for note in notes:
        text = compact(note.text).replace("，", ",")
        last = 0
        for count, match in enumerate(_SAID.finditer(text)):
            if match[3]:
                last = match.end()
                continue
            number = Decimal(match[1].replace(",", "") + (match[2] or ""))
            decimals = len(match[2]) - 1 if match[2] else 0
            sheet, row, column = note.key
            before = text[last : match.start()]
            last = match.end()
            # A figure of a sentence is no cell of its own: its place is kept beside those of the cells.
            found.append(Said((sheet, row, -1 - column * 100 - count), number, decimals, match[4], before, match[0]))
    return found


def cell_of(key: Key) -> Key:
    """The cell in which a figure of a sentence stands."""
    return key if key[2] >= 0 else (key[0], key[1], (-1 - key[2]) // 100)


def with_sentences(block: Block) -> Iterator[tuple[Rule, Said]]:
    """Sentences above and below a table, compared with the total that they plainly speak of."""
    total_rows = [row for row in block.rows if row.rank >= words.Rank.TOTAL]
    if len(total_rows) != 1 and len(block.rows) > 1:
        top = max((row.rank for row in total_rows), default=words.Rank.NONE)
        total_rows = [row for row in total_rows if row.rank == top]
    rows = total_rows if len(total_rows) == 1 else block.rows if len(block.rows) == 1 else []
    speaks_of_total = False
    for said in said_in(block.notes):
        whole = _WHOLE_WORDS.search(said.before) is not None
        if "其中" in said.before:
            speaks_of_total = False
            whole = False
        speaks_of_total = whole or (speaks_of_total and not re.search(r"[一-鿿]", _FILLER.sub("", said.before)))
        row = (
            rows[0]
            if rows and speaks_of_total and not re.search(r"[一-鿿]", _FILLER.sub("", said.before))
            else _row_named(block, said.before)
        )
        if row is None:
            continue
        columns = _columns_for(block, said.unit)
        cells = [(column, block.value(row, column)) for column in columns]
        if len(cells) != 1 or cells[0][1].number is None:
            continue
        column, value = cells[0]
        factor = _factor(block, column, said.unit)
        if not factor:
            continue
        finest = places(factor)
        coarse = _HALF.scaleb(-said.decimals) * factor if said.decimals < value.decimals or factor != 1 else Decimal(0)
        exact = said.number * factor
        if round(exact, value.decimals) == value.number and value.decimals >= places(exact):
            coarse = Decimal(0)
        elif finest and value.decimals < places(exact):
            coarse = max(coarse, _HALF.scaleb(-value.decimals))
        key = block.key(row, column)
        why = f"“{said.text}”应与表中“{row.text}—{column.text}”一致"
        terms = ((said.key, -factor), (key, Decimal(1)))
        equation = Linear(RuleName.EQUAL_ELSEWHERE, said.key, (said.key, key), why, False, terms, coarse)
        yield Rule(RuleName.EQUAL_ELSEWHERE, block.name, why, [equation]), said


def _row_named(block: Block, before: str) -> Line | None:
    """The row that a sentence names right before a figure, when nothing else is said there."""
    found = [row for row in block.rows if len(row.label) >= 2 and not row.rank and row.label in before]
    if not found:
        return None
    longest = max(len(row.label) for row in found)
    chosen = [row for row in found if len(row.label) == longest]
    rest = _FILLER.sub("", before.replace(chosen[0].label, "").replace("其中", ""))
    return chosen[0] if len(chosen) == 1 and not re.search(r"[一-鿿]", rest) else None


def _columns_for(block: Block, unit: str) -> list[Line]:
    measure = _COUNTED[unit]
    fitting = [
        line for line in block.columns if line.is_numeric and line.measure == measure and words.is_added(line.text)
    ]
    if len(fitting) > 1:
        totals = [line for line in fitting if line.rank and not line.is_subset]
        fitting = totals if len(totals) == 1 else fitting
    return fitting


def _factor(block: Block, column: Line, unit: str) -> Decimal:
    """What a figure in the sentence's unit is multiplied by to stand in the column; 0 where a unit is unknown."""
    times = Decimal(_TIMES.get(unit, 1))
    if _COUNTED[unit] != "元":
        return times
    here = words.money_factor(column.text) or words.money_factor(block.unit)
    return times / here if here else Decimal(0)
