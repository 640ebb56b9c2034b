"""Random published tables that are right, of the layouts in use, and errors planted in them. Used by tests and measurement.

Every layout is a function of a random generator that answers `Table`. All figures follow from others exactly as such tables
say; `Table.loose` names figures that nothing else in the table tells about, where an error cannot be seen.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

import openpyxl
from openpyxl.utils import get_column_letter

Content: TypeAlias = str | int | Decimal | None
Grid: TypeAlias = list[list[Content]]

TOWNS = [
    "青石镇",
    "白沙镇",
    "石洲乡",
    "龙潭镇",
    "黄坪乡",
    "梅岭镇",
    "柳溪乡",
    "古塘镇",
    "双桥乡",
    "大垅镇",
    "南坑乡",
    "云山镇",
    "清江镇",
    "桃源乡",
    "永和镇",
]
PROGRAMMES = [
    "学前教育资助",
    "义务教育生活补助",
    "普通高中国家助学金",
    "普通高中免学费",
    "中职国家助学金",
    "中职免学费",
    "营养改善计划",
    "雨露计划",
    "圆梦助学",
    "泛海助学",
]
CATEGORIES = ["脱贫户", "监测户", "低保家庭", "特困供养", "孤儿", "残疾学生", "烈士子女", "其他"]
STAGES = ["学前", "小学", "初中", "高中", "中职"]


@dataclass
class Sheet:
    name: str
    rows: Grid
    merges: list[str] = field(default_factory=list)


@dataclass
class Planted:
    """One wrong cell. `accepted`: cells that may be named for it."""

    sheet: str
    cell: str
    before: Content
    after: Content


@dataclass
class Table:
    """`checked`: (sheet, row, column) of figures that some relation of the table tells about, from 0."""

    layout: str
    sheets: list[Sheet]
    checked: list[tuple[int, int, int]]

    def xlsx(self, *, as_text: bool = False) -> bytes:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for sheet in self.sheets:
            page = book.create_sheet(sheet.name)
            for r, row in enumerate(sheet.rows, 1):
                for c, content in enumerate(row, 1):
                    if content is not None:
                        page.cell(r, c, _written(content, as_text))
            for merge in sheet.merges:
                page.merge_cells(merge)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    def csv(self) -> bytes:
        lines = []
        for row in self.sheets[0].rows:
            lines.append(
                ",".join(
                    f'"{content:,}"' if isinstance(content, int) else str(content if content is not None else "")
                    for content in row
                )
            )
        return "\n".join(lines).encode("gb18030")

    def plant(self, rnd: random.Random) -> Planted:
        sheet, row, column = rnd.choice(self.checked)
        before = self.sheets[sheet].rows[row][column]
        assert isinstance(before, int | Decimal)
        after = _spoilt(rnd, before)
        self.sheets[sheet].rows[row][column] = after
        return Planted(self.sheets[sheet].name, f"{get_column_letter(column + 1)}{row + 1}", before, after)


def _written(content: Content, as_text: bool) -> object:
    if isinstance(content, Decimal):
        return f"{content:,}" if as_text else float(content)
    if isinstance(content, int) and as_text:
        return f"{content:,}" if content else "—"
    return content


def _spoilt(rnd: random.Random, value: int | Decimal) -> int | Decimal:
    """As people get figures wrong: two digits swapped, one digit else, one dropped, the neighbour's figure, some more or less."""
    digits = str(abs(value))
    for _ in range(20):
        way = rnd.choice(["swap", "digit", "drop", "more", "less"])
        text = digits
        places = [i for i, c in enumerate(digits) if c.isdigit()]
        if way == "swap" and len(places) > 1:
            i = rnd.randrange(len(places) - 1)
            a, b = places[i], places[i + 1]
            text = digits[:a] + digits[b] + digits[a + 1 : b] + digits[a] + digits[b + 1 :]
        elif way == "digit":
            i = rnd.choice(places[: max(1, len(places) - (2 if isinstance(value, Decimal) else 0))])
            text = digits[:i] + rnd.choice("123456789") + digits[i + 1 :]
        elif way == "drop" and len(places) > 2:
            i = rnd.choice(places[1:-1])
            text = digits[:i] + digits[i + 1 :]
        elif way == "more":
            text = str(value + rnd.randint(1, 30))
        elif way == "less":
            text = str(abs(value - rnd.randint(1, 9)))
        changed = Decimal(text) if isinstance(value, Decimal) else int(text)
        if (
            abs(changed - value) > max(Decimal("0.05"), abs(Decimal(value)) / 500 if isinstance(value, Decimal) else 0)
            and changed != value
        ):
            return changed
    return value + 7


def _area(top: int, left: int, bottom: int, right: int) -> str:
    return f"{get_column_letter(left + 1)}{top + 1}:{get_column_letter(right + 1)}{bottom + 1}"


class _Page:
    """Rows of a sheet while they are being written."""

    def __init__(self, name: str = "Sheet1") -> None:
        self.sheet = Sheet(name, [])
        self.checked: list[tuple[int, int]] = []

    @property
    def at(self) -> int:
        return len(self.sheet.rows)

    def row(self, *content: Content) -> int:
        self.sheet.rows.append(list(content))
        return self.at - 1

    def title(self, rnd: random.Random, width: int, text: str, unit: str = "") -> None:
        self.row(text)
        if rnd.random() < 0.8:
            self.sheet.merges.append(_area(self.at - 1, 0, self.at - 1, width - 1))
        if unit or rnd.random() < 0.3:
            form = rnd.randrange(3)
            if form == 0:
                self.row(*[None] * (width - 1), f"单位：{unit or '人'}")
            elif form == 1:
                self.row("填报单位：某县教育局", *[None] * max(0, width - 3), "2021年6月", f"单位：{unit or '人'}")
            else:
                self.row(f"单位：{unit or '人'}")
        if rnd.random() < 0.1:
            self.row()

    def footer(self, rnd: random.Random) -> None:
        if rnd.random() < 0.4:
            self.row("填表人：王某", None, "审核人：李某", None, "填报日期：2021年6月30日")
        if rnd.random() < 0.3:
            self.row("备注：1.本表按学期填报。2.数据截至2021年6月30日。")

    def merge(self, top: int, left: int, bottom: int, right: int) -> None:
        if top != bottom or left != right:
            self.sheet.merges.append(_area(top, left, bottom, right))


def _finish(layout: str, *pages: _Page) -> Table:
    checked = [(i, row, column) for i, page in enumerate(pages) for row, column in page.checked]
    return Table(layout, [page.sheet for page in pages], checked)


def _figure(rnd: random.Random, decimals: int = 0, most: int = 900) -> int | Decimal:
    if rnd.random() < 0.06:
        return Decimal(0) if decimals else 0
    if decimals:
        return Decimal(rnd.randint(10, most * 10**decimals)).scaleb(-decimals)
    return rnd.randint(1, most)


def _add(values: Sequence[Content]) -> int | Decimal:
    total: int | Decimal = 0
    for value in values:
        if isinstance(value, int | Decimal):
            total += value
    return total


def _labels(rnd: random.Random, count: int) -> list[str]:
    pool = [*TOWNS, "县直学校", "实验小学", "第一中学"]
    return rnd.sample(pool, min(count, len(pool)))


def by_town(rnd: random.Random) -> Table:
    """Towns down, measures by stage across, total column first or last (or none), total row above or below."""
    page = _Page()
    towns = _labels(rnd, rnd.randint(3, 14))
    measures = rnd.choice([["人数"], ["人数", "金额"], ["校数", "班数", "学生数"], ["人次", "金额（元）"]])
    stages = rnd.sample(STAGES, rnd.randint(2, 4))
    has_total_column = rnd.random() < 0.8
    first = rnd.random() < 0.5
    groups = (
        ([*(["合计"] if first else []), *stages, *([] if first else [rnd.choice(["合计", "总计", "小计"])])])
        if has_total_column
        else stages
    )
    serial = rnd.random() < 0.6
    lead = 2 if serial else 1
    page.title(rnd, lead + len(groups) * len(measures), "某县教育基本情况统计表")
    merged = rnd.random() < 0.7
    if len(measures) == 1 and rnd.random() < 0.8:
        page.row(*(["序号"] if serial else []), "乡镇", *groups)
    else:
        top = page.row(
            *(["序号"] if serial else []),
            "乡镇",
            *[text for group in groups for text in (group, *[None] * (len(measures) - 1))],
        )
        page.row(*[None] * lead, *(measures * len(groups)))
        if merged:
            for column in range(lead):
                page.merge(top, column, top + 1, column)
            for place in range(len(groups)):
                page.merge(top, lead + place * len(measures), top, lead + (place + 1) * len(measures) - 1)
    body = []
    for town in towns:
        parts = {stage: [_figure(rnd, 2 if m == "金额" else 0) for m in measures] for stage in stages}
        cells: list[Content] = []
        for group in groups:
            cells += (
                parts[group] if group in parts else [_add([parts[s][k] for s in stages]) for k in range(len(measures))]
            )
        body.append((town, cells))
    total = [_add([cells[k] for _, cells in body]) for k in range(len(body[0][1]))]
    word = rnd.choice(["合计", "总计", "合 计", "全县合计", "全县", "共计"])
    rows: list[tuple[Content, str, Sequence[Content]]] = [(n, town, cells) for n, (town, cells) in enumerate(body, 1)]
    at = rnd.choice([0, len(rows)])
    in_label = rnd.random() < 0.5
    rows.insert(at, (word if serial and not in_label else None, word if not serial or in_label else "", total))
    for number, label, cells in rows:
        row = page.row(*([number] if serial else []), label or None, *cells)
        page.checked += [(row, lead + k) for k in range(len(cells))]
    page.footer(rnd)
    return _finish("by-town", page)


def by_stage(rnd: random.Random) -> Table:
    """Stages in a merged first column, their parts in the second, a 小计 each, a grand total above or below."""
    page = _Page()
    columns = rnd.choice(
        [
            ["合计", "男", "女"],
            ["学校数", "班数", "学生数", "教职工数"],
            ["资助人数", "资助金额（万元）"],
            ["人数", "人次", "金额"],
        ]
    )
    page.title(rnd, 2 + len(columns), "某县各学段情况汇总表")
    page.row("学段", "项目", *columns)
    has_sexes = "男" in columns
    grand: list[list[Content]] = []
    place = page.row() if rnd.random() < 0.3 else None
    above = rnd.random() < 0.3
    merged = rnd.random() < 0.7
    for stage in rnd.sample(STAGES, rnd.randint(2, 4)):
        parts = rnd.sample(["城区", "镇区", "乡村", "民办", "县直"], rnd.randint(2, 4))
        lines = []
        for part in parts:
            if has_sexes:
                pair = [_figure(rnd), _figure(rnd)]
                lines.append((part, [_add(pair), *pair]))
            else:
                lines.append((part, _row_of(rnd, columns)))
        sub = [_add([cells[k] for _, cells in lines]) for k in range(len(columns))]
        grand.append(list(sub))
        lines.insert(0 if above else len(lines), ("小计", list(sub)))
        top = page.at
        for k, (label, cells) in enumerate(lines):
            row = page.row(stage if k == 0 or not merged and rnd.random() < 0.3 else None, label, *cells)
            page.checked += [(row, 2 + i) for i in range(len(columns))]
        if merged:
            for row in range(top + 1, page.at):
                page.sheet.rows[row][0] = None
            page.merge(top, 0, page.at - 1, 0)
    total = [_add([cells[k] for cells in grand]) for k in range(len(columns))]
    if place is not None:
        page.sheet.rows[place] = ["总计", None, *total]
        row = place
    else:
        row = page.row("总计" if rnd.random() < 0.5 else "合计", None, *total)
    if rnd.random() < 0.5:
        page.merge(row, 0, row, 1)
    page.checked += [(row, 2 + i) for i in range(len(columns))]
    page.footer(rnd)
    return _finish("by-stage", page)


def _row_of(rnd: random.Random, columns: Sequence[str]) -> list[Content]:
    cells: list[Content] = []
    for column in columns:
        if column == "人次":
            people = cells[-1]
            assert isinstance(people, int)
            cells.append(people + rnd.randint(0, 60))
        else:
            cells.append(_figure(rnd, 2 if "金额" in column else 0))
    return cells


def numbered(rnd: random.Random) -> Table:
    """一、二、 with figures of their own over 1. 2. 3. (or （一）), and a total."""
    page = _Page()
    columns = rnd.choice([["人数", "金额"], ["计划数", "完成数", "资金（万元）"], ["2019年", "2020年", "2021年"]])
    in_serial = rnd.random() < 0.4
    lead = 2 if in_serial else 1
    page.title(rnd, lead + len(columns), "某县教育扶贫资金项目表")
    page.row(*(["序号"] if in_serial else []), "项目", *columns)
    children = rnd.choice(["1.", "（一）", "　　", "1、"])
    tens = [2 if "资金" in c or "金额" in c else 0 for c in columns]
    grand = []
    top = page.row() if rnd.random() < 0.5 else None
    for n, programme in enumerate(rnd.sample(PROGRAMMES, rnd.randint(2, 4))):
        lines = [[_figure(rnd, t) for t in tens] for _ in range(rnd.randint(2, 4))]
        total = [_add([cells[k] for cells in lines]) for k in range(len(columns))]
        grand.append(total)
        han = "一二三四五"[n]
        row = page.row(*([han, programme] if in_serial else [f"{han}、{programme}"]), *total)
        page.checked += [(row, lead + k) for k in range(len(columns))]
        for m, cells in enumerate(lines):
            number = (
                "（" + "一二三四"[m] + "）"
                if children == "（一）"
                else children
                if children.strip() == ""
                else f"{m + 1}{children[1]}"
            )
            name = rnd.choice(["建档立卡", "低保", "残疾", "其他", "特困"]) + str(m)
            row = page.row(*([m + 1, name] if in_serial else [f"{number}{name}"]), *cells)
            page.checked += [(row, lead + k) for k in range(len(columns))]
    total = [_add([cells[k] for cells in grand]) for k in range(len(columns))]
    if top is not None:
        page.sheet.rows[top] = [*([None] if in_serial else []), "合计", *total]
    else:
        top = page.row(*([None] if in_serial else []), "合计", *total)
    page.checked += [(top, lead + k) for k in range(len(columns))]
    page.footer(rnd)
    return _finish("numbered", page)


def spring_autumn(rnd: random.Random) -> Table:
    """A county's aid by stage: spring, autumn and year, each with its two classes of households."""
    page = _Page()
    names = ["财政下达资金", "资助金额", "资助人数", "1类人数", "1类金额", "2类人数", "2类金额"]
    heads = [
        *(("春季", name) for name in names),
        *(("秋季", name) for name in names),
        ("全年", "资助人次"),
        ("全年", "资助金额"),
    ]
    page.title(rnd, 2 + len(heads), "某县2021年学生资助情况统计表", "万元")
    top = page.row("学段", "项目名称", *[h for h, _ in heads])
    page.row(None, None, *[n for _, n in heads])
    for row_cells, (left, right) in ((top, (2, 8)), (top, (9, 15)), (top, (16, 17))):
        for column in range(left + 1, right + 1):
            page.sheet.rows[row_cells][column] = None
        page.merge(row_cells, left, row_cells, right)
    page.merge(top, 0, top + 1, 0)
    page.merge(top, 1, top + 1, 1)
    body = []
    for stage in rnd.sample(STAGES, rnd.randint(3, 5)):
        cells: list[Content] = []
        for _ in range(2):
            one, two = rnd.randint(20, 900), rnd.randint(20, 900)
            a, b = _figure(rnd, 4, 90), _figure(rnd, 4, 90)
            cells += [_figure(rnd, 2, 200), a + b, one + two, one, a, two, b]
        cells += [_add([cells[2], cells[9]]), _add([cells[1], cells[8]])]
        body.append(cells)
        row = page.row(stage, rnd.choice(PROGRAMMES), *cells)
        page.checked += [(row, 2 + k) for k in range(len(cells))]
    row = page.row("合计", None, *[_add([cells[k] for cells in body]) for k in range(len(heads))])
    page.checked += [(row, 2 + k) for k in range(len(heads))]
    page.merge(row, 0, row, 1)
    page.footer(rnd)
    return _finish("spring-autumn", page)


def aid_by_town(rnd: random.Random) -> Table:
    """Total persons before day pupils and boarders, and the money that follows from them."""
    page = _Page()
    page.title(rnd, 8, "义务教育家庭经济困难学生生活补助汇总表", "元")
    page.row("序号", "乡镇名称", "总人数", "小学走读生", "小学寄宿生", "初中走读生", "初中寄宿生", "补助资金合计")
    body = []
    for n, town in enumerate(_labels(rnd, rnd.randint(4, 15)), 1):
        v = [rnd.randint(3, 300) for _ in range(4)]
        money = v[0] * 250 + v[1] * 500 + Decimal(v[2]) * Decimal("312.5") + v[3] * 625
        cells: list[Content] = [sum(v), *v, money]
        body.append(cells)
        row = page.row(n, town, *cells)
        page.checked += [(row, 2 + k) for k in range(6)]
    row = page.row("合计", None, *[_add([cells[k] for cells in body]) for k in range(6)])
    page.checked += [(row, 2 + k) for k in range(6)]
    page.merge(row, 0, row, 1)
    page.footer(rnd)
    return _finish("aid-by-town", page)


def standards(rnd: random.Random) -> Table:
    """Persons times standard is the amount, in yuan or in ten thousands; a total of persons and amount, none of standards."""
    page = _Page()
    in_wan = rnd.random() < 0.5
    page.title(rnd, 5, "某县学生资助标准及金额表")
    page.row("序号", "资助项目", "资助标准（元/生）", "人数", f"金额（{'万元' if in_wan else '元'}）")
    body = []
    for n, name in enumerate(rnd.sample(PROGRAMMES, rnd.randint(3, 9)), 1):
        standard, people = rnd.choice([250, 375, 500, 625, 750, 1000, 1500, 2000]), rnd.randint(5, 900)
        amount: int | Decimal = Decimal(standard * people) / 10_000 if in_wan else standard * people
        body.append([standard, people, amount])
        row = page.row(n, name, *body[-1])
        page.checked += [(row, k) for k in (2, 3, 4)]
    row = page.row("合计", None, rnd.choice([None, "—"]), _add([c[1] for c in body]), _add([c[2] for c in body]))
    page.checked += [(row, 3), (row, 4)]
    page.footer(rnd)
    return _finish("standards", page)


def enrolment(rnd: random.Random) -> Table:
    """Children of school age, those in school with 其中 boarders and girls, those not, and the rate."""
    page = _Page()
    page.title(rnd, 7, "某县适龄儿童少年入学情况表")
    page.row("乡镇", "适龄人数", "在校人数", "其中：女", "其中：寄宿", "未入学人数", "入学率（%）")
    body = []
    for _ in range(rnd.randint(4, 12)):
        whole = rnd.randint(300, 2500)
        out = rnd.randint(0, 40)
        in_ = whole - out
        girls, boarders = rnd.randint(in_ // 3, in_ // 2), rnd.randint(0, in_ // 2)
        body.append([whole, in_, girls, boarders, out])
    total: list[Content] = [_add([c[k] for c in body]) for k in range(5)]
    for label, cells in [*zip(_labels(rnd, len(body)), body, strict=False), ("合计", total)]:
        whole_, in__ = cells[0], cells[1]
        assert isinstance(whole_, int) and isinstance(in__, int)
        rate = round(Decimal(in__) / whole_ * 100, 2)
        row = page.row(label, *cells, rate)
        page.checked += [(row, 1 + k) for k in range(6)]
    page.footer(rnd)
    return _finish("enrolment", page)


def year_on_year(rnd: random.Random) -> Table:
    """Last year, this year, change and growth; shares of the total."""
    page = _Page()
    percent = rnd.random() < 0.5
    page.title(rnd, 5, "某县教育经费同比情况表", "万元")
    page.row("项目", "2020年", "2021年", "增减额", "增长率" if percent else "增长率（%）")
    lines = [[_figure(rnd, 2, 9000) + 100, _figure(rnd, 2, 9000) + 100] for _ in range(rnd.randint(4, 9))]
    total = [_add([c[k] for c in lines]) for k in range(2)]
    for label, (a, b) in [*zip(PROGRAMMES, lines, strict=False), ("合计", total)]:
        rate: Content = round((Decimal(b) - a) / a * 100, 2)
        row = page.row(label, a, b, Decimal(b) - a, f"{rate}%" if percent else rate)
        page.checked += [(row, k) for k in (1, 2, 3)] + ([] if percent else [(row, 4)])
    page.footer(rnd)
    return _finish("year-on-year", page)


def funding(rnd: random.Random) -> Table:
    """Projects with money by source and by use, and a total before both."""
    page = _Page()
    page.title(rnd, 8, "某县改薄项目资金来源与使用情况表", "万元")
    top = page.row("学校", "总投资", "资金来源", None, None, "资金用途", None)
    page.row(None, None, "中央", "省级", "县级", "土建", "设备")
    page.merge(top, 0, top + 1, 0)
    page.merge(top, 1, top + 1, 1)
    page.merge(top, 2, top, 4)
    page.merge(top, 5, top, 6)
    body = []
    for name in _labels(rnd, rnd.randint(4, 10)):
        parts = [_figure(rnd, 0, 300) for _ in range(3)]
        whole = _add(parts) + 2
        parts[0] += 2
        use = rnd.randint(1, int(whole) - 1)
        cells: list[Content] = [whole, *parts, use, whole - use]
        body.append(cells)
        row = page.row(name, *cells)
        page.checked += [(row, 1 + k) for k in range(6)]
    row = page.row("合计", *[_add([c[k] for c in body]) for k in range(6)])
    page.checked += [(row, 1 + k) for k in range(6)]
    page.footer(rnd)
    return _finish("funding", page)


def items(rnd: random.Random) -> Table:
    """Programmes with person-times and money, and a sentence above that says the total."""
    page = _Page()
    lines = [[rnd.randint(1, 1800), _figure(rnd, rnd.choice([1, 2, 4]), 90) + 1] for _ in range(rnd.randint(4, 9))]
    total = [_add([c[k] for c in lines]) for k in range(2)]
    page.row("某县2021年学生资助情况")
    page.row(f"2021年全县共资助{total[0]}人次{total[1].normalize():f}万元。")  # type: ignore[union-attr]
    page.row("序号", "项目", "人次", "金额（万元）")
    for n, (name, cells) in enumerate(zip(PROGRAMMES, lines, strict=False), 1):
        row = page.row(n, name, *cells)
        page.checked += [(row, 2), (row, 3)]
    row = page.row("合计", None, *total)
    page.checked += [(row, 2), (row, 3)]
    page.footer(rnd)
    return _finish("items", page)


def two_tables(rnd: random.Random) -> Table:
    """Two tables below one another under titles of their own."""
    first, second = by_town(rnd), rnd.choice([by_stage, standards, numbered])(rnd)
    below = len(first.sheets[0].rows) + 2
    page = first.sheets[0]
    page.rows += [[], []]
    page.rows += [["表二"]] if rnd.random() < 0.5 else []
    below = len(page.rows)
    page.rows += second.sheets[0].rows
    for merge in second.sheets[0].merges:
        page.merges.append(_moved(merge, below))
    checked = first.checked + [(0, row + below, column) for _, row, column in second.checked]
    return Table("two-tables", [page], checked)


def _moved(merge: str, rows: int) -> str:
    from openpyxl.utils import range_boundaries

    left, top, right, bottom = range_boundaries(merge)
    return _area(top - 1 + rows, left - 1, bottom - 1 + rows, right - 1)


def sheets(rnd: random.Random) -> Table:
    """A summary whose rows are the totals of the other sheets."""
    towns = rnd.sample(TOWNS, rnd.randint(3, 5))
    columns = ["在校生", "寄宿生", "资助人数", "资助金额（元）"]
    pages = []
    totals = []
    for town in towns:
        page = _Page(town)
        page.title(rnd, 6, f"{town}学校情况表")
        page.row("序号", "学校", *columns)
        body = [
            [rnd.randint(20, 900), rnd.randint(5, 300), rnd.randint(5, 300), rnd.randint(5000, 90000)]
            for _ in range(rnd.randint(3, 6))
        ]
        for n, cells in enumerate(body, 1):
            row = page.row(n, f"{town}第{n}小学", *cells)
            page.checked += [(row, 2 + k) for k in range(4)]
        total = [_add([c[k] for c in body]) for k in range(4)]
        row = page.row("合计", None, *total)
        page.checked += [(row, 2 + k) for k in range(4)]
        totals.append(total)
        pages.append(page)
    whole = _Page("汇总")
    whole.title(rnd, 6, "全县汇总表")
    whole.row("序号", "乡镇", *columns)
    for n, (town, total) in enumerate(zip(towns, totals, strict=True), 1):
        row = whole.row(n, town, *total)
        whole.checked += [(row, 2 + k) for k in range(4)]
    row = whole.row("合计", None, *[_add([t[k] for t in totals]) for k in range(4)])
    whole.checked += [(row, 2 + k) for k in range(4)]
    return _finish("sheets", whole, *pages)


def side_by_side(rnd: random.Random) -> Table:
    """A long list of towns in two halves beside one another, with the total at the end of the second."""
    page = _Page()
    heads = ["乡镇", "人数", "金额（元）"]
    page.title(rnd, 6, "各乡镇资助情况表")
    page.row(*heads, *heads)
    towns = rnd.sample(TOWNS, rnd.choice([5, 7, 9, 11]))
    body: list[list[Content]] = [[town, rnd.randint(10, 900), rnd.randint(1000, 90000)] for town in towns]
    body.append(["合计", _add([c[1] for c in body]), _add([c[2] for c in body])])
    half = len(body) // 2
    for left, right in zip(body[:half], body[half:], strict=True):
        row = page.row(*left, *right)
        page.checked += [(row, k) for k in (1, 2, 4, 5)]
    return _finish("side-by-side", page)


def programme_and_categories(rnd: random.Random) -> Table:
    """Aid of a term by programme: amount, persons, person-times, and amounts by category of household."""
    page = _Page()
    heads = ["金额(万元)", "人数", "人次", *CATEGORIES]
    page.title(rnd, 3 + len(heads), "学期学生资助汇总表")
    page.row("教育阶段", "资助项目", *heads, "备注")
    body = []
    for stage, name in zip(STAGES, rnd.sample(PROGRAMMES, len(STAGES)), strict=True):
        parts = [_figure(rnd, 4, 60) for _ in CATEGORIES]
        people = rnd.randint(50, 900)
        cells: list[Content] = [_add(parts), people, people + rnd.randint(0, 90), *parts]
        body.append(cells)
        row = page.row(stage, name, *cells, rnd.choice([None, None, "含监测户"]))
        page.checked += [(row, 2 + k) for k in (0, *range(3, len(cells)))]
    people = _add([c[1] for c in body])
    total: list[Content] = [_add([c[k] for c in body]) for k in range(len(heads))]
    total[1] = int(people) - rnd.choice([0, 0, 17])  # persons aided twice are counted once
    row = page.row("合计", None, *total)
    page.checked += [(row, 2 + k) for k in range(len(total)) if k != 1]
    return _finish("programme-and-categories", page)


LAYOUTS: tuple[Callable[[random.Random], Table], ...] = (
    by_town,
    by_stage,
    numbered,
    spring_autumn,
    aid_by_town,
    standards,
    enrolment,
    year_on_year,
    funding,
    items,
    two_tables,
    sheets,
    side_by_side,
    programme_and_categories,
)
