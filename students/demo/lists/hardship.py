"""Hardship lists of other offices: minimum living allowance, disability, orphans, destitute, children of martyrs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from students.demo.people import Person
from students.demo.slips import POVERTY_SLIPS, Entry, Slips, born_cell
from students.demo.workbooks import Sheet, Workbook
from students.demo.world import World
from students.demo.xlsx import Cell

AS_OF = date(2026, 8, 20)
_LEVELS = ("", "一级", "二级", "三级", "四级")


@dataclass(slots=True)
class _Line:
    entry: Entry
    category: str


_GETTERS: dict[str, Callable[[int, _Line], Cell]] = {
    "serial": lambda serial, line: serial,
    "town": lambda serial, line: _township(line.entry.person),
    "village": lambda serial, line: line.entry.person.household.book_village,
    "head": lambda serial, line: line.entry.person.household.head.name,
    "guardian": lambda serial, line: line.entry.person.household.guardian[0].name,
    "relation": lambda serial, line: line.entry.person.household.guardian[1],
    "name": lambda serial, line: line.entry.name,
    "sex": lambda serial, line: line.entry.sex,
    "ethnic": lambda serial, line: line.entry.ethnic,
    "born": lambda serial, line: born_cell(line.entry, "dashed"),
    "id": lambda serial, line: line.entry.id_no,
    # Exports of the offices' systems put a tab behind the number, so that spreadsheet programs leave it alone
    "id_tab": lambda serial, line: f"{line.entry.id_no}\t" if line.entry.id_no else "",
    "category": lambda serial, line: line.category,
    "disability": lambda serial, line: _disability(line.entry.person),
    "certified": lambda serial, line: _year_since_birth(line.entry.person),
    "from": lambda serial, line: f"{_year_since_birth(line.entry.person)}-{1 + line.entry.person.number % 12:02d}-01",
    "address": lambda serial, line: line.entry.person.household.address,
    "phone": lambda serial, line: line.entry.phone,
    "empty": lambda serial, line: "",
}


@dataclass(frozen=True, slots=True)
class _Form:
    filename: str
    categories: tuple[str, ...]
    titles: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    note: str
    footer: str = ""


_FORMS = (
    _Form(
        "低保对象名单（未成年人及在校生）.csv",
        ("农村低保", "城市低保"),
        (),
        (
            ("序号", "serial"),
            ("乡镇", "town"),
            ("行政村", "village"),
            ("户主姓名", "head"),
            ("成员姓名", "name"),
            ("性别", "sex"),
            ("身份证号码", "id_tab"),
            ("家庭困难类型", "category"),
            ("认定时间", "from"),
            ("联系电话", "phone"),
        ),
        "民政局低保系统导出",
    ),
    _Form(
        "示例县残疾儿童少年名册.xlsx",
        ("残疾",),
        ("示例县持证残疾儿童少年名册", "填报单位：示例县残疾人联合会　　2026年8月20日"),
        (
            ("序号", "serial"),
            ("姓名", "name"),
            ("性别", "sex"),
            ("民族", "ethnic"),
            ("出生日期", "born"),
            ("证件号码", "id"),
            ("乡镇", "town"),
            ("行政村", "village"),
            ("特殊群体类型", "category"),
            ("残疾类别及等级", "disability"),
            ("残疾证办证年度", "certified"),
            ("监护人姓名", "guardian"),
            ("联系电话", "phone"),
            ("备注", "empty"),
        ),
        "县残联提供",
        "填表人：　　　　审核人：",
    ),
    _Form(
        "孤儿和事实无人抚养儿童花名册.xlsx",
        ("孤儿", "事实无人抚养儿童"),
        ("示例县孤儿、事实无人抚养儿童花名册",),
        (
            ("序号", "serial"),
            ("姓名", "name"),
            ("性别", "sex"),
            ("身份证号", "id"),
            ("特殊群体类型", "category"),
            ("乡镇", "town"),
            ("行政村", "village"),
            ("家庭住址", "address"),
            ("委托监护人姓名", "guardian"),
            ("与被监护人关系", "relation"),
            ("联系电话", "phone"),
        ),
        "民政局提供",
        "合计",
    ),
    _Form(
        "特困供养未成年人.xls",
        ("特困供养",),
        ("示例县特困救助供养人员（未成年人及在校生）名单", "单位：示例县民政局"),
        (
            ("序号", "serial"),
            ("乡镇", "town"),
            ("行政村", "village"),
            ("姓名", "name"),
            ("性别", "sex"),
            ("公民身份号码", "id"),
            ("家庭困难类型", "category"),
            ("认定时间", "from"),
            ("联系电话", "phone"),
        ),
        "民政局提供",
    ),
    _Form(
        "烈士子女名单.xlsx",
        ("烈士子女",),
        ("示例县烈士子女（在校）名单",),
        (
            ("序号", "serial"),
            ("姓名", "name"),
            ("身份证号码", "id"),
            ("特殊群体类型", "category"),
            ("乡镇", "town"),
            ("家庭住址", "address"),
            ("联系电话", "phone"),
        ),
        "退役军人事务局提供",
    ),
)


def make_hardship_lists(world: World) -> list[Workbook]:
    """Make one list for each office and category; a category without people has no list."""
    workbooks: list[Workbook] = []
    for form in _FORMS:
        slips = Slips(world.rng(f"hardship:{form.filename}"), world.rates, POVERTY_SLIPS)
        lines = [
            _Line(slips.entry(child, phone=child.household.phones[0]), category)
            for child in _ordered(world)
            for category in form.categories
            if category in child.hardship
        ]
        if lines:
            workbooks.append(_workbook(world, form, lines))
    return workbooks


def _ordered(world: World) -> list[Person]:
    return sorted(
        (child for child in world.population.children if child.hardship and child.alive),
        key=lambda child: (child.household.origin, child.household.number, child.number),
    )


def _workbook(world: World, form: _Form, lines: list[_Line]) -> Workbook:
    name = "" if form.filename.endswith("csv") else "Sheet1"
    sheet = Sheet(name)
    sheet.add_titles(form.titles, len(form.columns))
    sheet.add_header([header for header, _ in form.columns])
    getters = [_GETTERS[what] for _, what in form.columns]
    for serial, line in enumerate(lines, start=1):
        sheet.rows.append([getter(serial, line) for getter in getters])
        world.truth.add(form.filename, name, len(sheet.rows), line.entry.person.number, line.entry.kinds)
    if form.footer:
        sheet.rows.append([form.footer, f"{len(lines)}人"] if form.footer == "合计" else [form.footer])
    return Workbook(
        filename=form.filename,
        kind="hardship",
        scope_code=world.places.townships[0].parent,
        as_of=AS_OF,
        sheets=[sheet],
        uploaded_by="aid",
        approved_by="leader",
        group=form.filename,
        category="、".join(form.categories),
        note=form.note,
    )


def _township(child: Person) -> str:
    village = child.household.village
    return village.township.name if village else ""


def _year_since_birth(child: Person) -> int:
    return max(child.born.year + 1, 2017 + child.number % 9)


def _disability(child: Person) -> str:
    return f"{child.disability}{_LEVELS[child.disability_level]}"
