"""Household registration lists 户籍人口: each police station sweeps the people of 3 to 22 of its township.

The stations use three forms: one sheet with short titles, one with the village first, and one sheet for each village.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from students.demo.accounts import letter
from students.demo.identifiers import IdentityNumbers
from students.demo.people import Household, Person, households_in
from students.demo.places import Region
from students.demo.slips import POPULATION_SLIPS, Entry, Slips, born_cell
from students.demo.workbooks import Sheet, Workbook
from students.demo.world import World, has_hukou_row
from students.demo.xlsx import Cell

AS_OF = date(2026, 8, 31)

_SONS = ("长子", "次子", "三子", "四子", "五子")
_DAUGHTERS = ("长女", "次女", "三女", "四女", "五女")


@dataclass(slots=True)
class _Line:
    """A row to be: the household register in which it stands, which for a double registration is a second one."""

    household: Household
    relation: str
    entry: Entry


_Column = Callable[[int, _Line, str], Cell]


def _village(_serial: int, line: _Line, _style: str) -> Cell:
    return line.household.book_village


def _group(_serial: int, line: _Line, _style: str) -> Cell:
    return f"{line.household.group}组"


def _station(_serial: int, line: _Line, _style: str) -> Cell:
    assert line.household.village
    return f"{line.household.village.township.name.removesuffix('镇').removesuffix('乡')}派出所"


_COLUMNS: dict[str, _Column] = {
    "book": lambda serial, line, style: line.household.book_no,
    "head": lambda serial, line, style: line.household.head.name,
    "head_id": lambda serial, line, style: line.household.head.id_no,
    "relation": lambda serial, line, style: line.relation,
    "name": lambda serial, line, style: line.entry.name,
    "former": lambda serial, line, style: line.entry.person.former_name,
    "sex": lambda serial, line, style: line.entry.sex,
    "ethnic": lambda serial, line, style: line.entry.ethnic,
    "born": lambda serial, line, style: born_cell(line.entry, style),
    "id": lambda serial, line, style: line.entry.id_no,
    "address": lambda serial, line, style: line.household.address,
    "town": lambda serial, line, style: line.household.village.township.name if line.household.village else "",
    "village": _village,
    "group": _group,
    "station": _station,
    "empty": lambda serial, line, style: "",
    "serial": lambda serial, line, style: serial,
}


@dataclass(frozen=True, slots=True)
class _Form:
    """The form of a station: columns as (header, what), date style, titles with {town} and {day}."""

    columns: tuple[tuple[str, str], ...]
    born: str
    titles: tuple[str, ...]
    sheet_per_village: bool = False


_FORMS = (
    _Form(
        (
            ("序号", "serial"),
            ("户号", "book"),
            ("户主姓名", "head"),
            ("与户主关系", "relation"),
            ("姓名", "name"),
            ("曾用名", "former"),
            ("性别", "sex"),
            ("民族", "ethnic"),
            ("出生日期", "born"),
            ("公民身份号码", "id"),
            ("户籍所在地", "address"),
            ("行政村", "village"),
            ("村民小组", "group"),
            ("登记派出所", "station"),
            ("备注", "empty"),
        ),
        "compact",
        ("{town}户籍人口（3—22周岁）名册", "填报单位：{short}派出所　　截止日期：{day}"),
    ),
    _Form(
        (
            ("序号", "serial"),
            ("乡镇", "town"),
            ("行政村", "village"),
            ("村民小组", "group"),
            ("户号", "book"),
            ("户主", "head"),
            ("户主或与户主关系", "relation"),
            ("姓名", "name"),
            ("性别", "sex"),
            ("出生日期", "born"),
            ("公民身份证件编号", "id"),
            ("民族", "ethnic"),
            ("家庭住址", "address"),
            ("户口登记机关", "station"),
        ),
        "dashed",
        ("附件2", "示例县{town}3—22周岁户籍人口摸排表", "填报单位（盖章）：{short}派出所　　　　填报日期：{day}"),
    ),
    _Form(
        (
            ("序号", "serial"),
            ("姓名", "name"),
            ("性别", "sex"),
            ("民族", "ethnic"),
            ("出生", "born"),
            ("身份证号码", "id"),
            ("户号", "book"),
            ("户主姓名", "head"),
            ("户主身份证号", "head_id"),
            ("与户主关系", "relation"),
            ("住址", "address"),
            ("行政村", "village"),
        ),
        "date",
        ("{town}适龄人口户籍信息（公安口径）",),
        sheet_per_village=True,
    ),
)
# The form of each township by position; the sixth sends three files by age
_FORM_OF = (0, 1, 0, 2, 1, 0, 0, 1, 2, 0, 1, 2)
_THREE_FILES = 5


def make_population_lists(world: World) -> list[Workbook]:
    """Make the list of each township, in the order of townships."""
    doubles = _double_registrations(world)
    workbooks: list[Workbook] = []
    for position, township in enumerate(world.places.townships):
        rng = world.rng(f"population:{township.code}")
        slips = Slips(rng, world.rates, POPULATION_SLIPS)
        lines = _lines(world, township, slips, doubles.get(township.code, []), rng)
        if not lines:
            continue  # a list without rows is no list
        form = _FORMS[_FORM_OF[position]]
        if position == _THREE_FILES:
            bounds = (("3—5岁", 3, 5), ("6—15岁", 6, 15), ("16—22岁", 16, 22))
            for label, low, high in bounds:
                part = [line for line in lines if low <= line.entry.person.age <= high]
                if not part:
                    continue
                workbook = _workbook(world, township, position, form, part, f"{township.name}户籍人口{label}.xlsx")
                workbook.group = f"{township.name}户籍人口"
                workbooks.append(workbook)
        else:
            workbooks.append(_workbook(world, township, position, form, lines, f"{township.name}户籍人口2026.xlsx"))
    return workbooks


def _lines(
    world: World,
    township: Region,
    slips: Slips,
    doubles: list[tuple[Household, Person, str]],
    rng: random.Random,
) -> list[_Line]:
    lines: list[_Line] = []
    by_household: dict[int, list[tuple[Person, str]]] = {}
    for household, child, second_id in doubles:
        by_household.setdefault(household.number, []).append((child, second_id))
    for household in households_in(world.population, township.code):
        relations = _relations(household)
        for child, relation in zip(household.children, relations, strict=True):
            if not has_hukou_row(child):
                continue
            entry = slips.entry(child)
            if world.enrolment(child).situation in ("dead", "emigrated"):
                entry.planted.append("not-cancelled")
            if household.village and household.book_village != household.village.region.name:
                entry.planted.append("old-village")
            lines.append(_Line(household, relation, entry))
        for child, second_id in by_household.get(household.number, []):
            entry = slips.entry(child)
            entry.id_no = second_id
            entry.planted = [kind for kind in entry.planted if not kind.startswith("id-")] + ["duplicate-hukou"]
            lines.append(
                _Line(household, rng.choice(("外孙子", "孙子") if child.sex == "男" else ("外孙女", "孙女")), entry)
            )
    return lines


def _relations(household: Household) -> list[str]:
    """Return each child's relation to the head."""
    if household.head is household.grandfather:
        return ["孙子" if child.sex == "男" else "孙女" for child in household.children]
    if len(household.children) == 1:
        return ["独生子" if household.children[0].sex == "男" else "独生女"]
    counts = {"男": 0, "女": 0}
    relations: list[str] = []
    for child in household.children:
        relations.append((_SONS if child.sex == "男" else _DAUGHTERS)[min(counts[child.sex], 4)])
        counts[child.sex] += 1
    return relations


def _double_registrations(world: World) -> dict[str, list[tuple[Household, Person, str]]]:
    """Choose children with a second registration: with relatives in another register, under another valid number."""
    rng = world.rng("population:doubles")
    ids: IdentityNumbers = world.population.ids
    listed = [child for child in world.population.children if has_hukou_row(child)]
    households = [household for household in world.population.households if household.village]
    found: dict[str, list[tuple[Household, Person, str]]] = {}
    for child in rng.sample(listed, round(len(listed) * world.rates.duplicate_hukou)):
        host = rng.choice(households)
        while host is child.household:
            host = rng.choice(households)
        second = ids.issue("990121", child.born, child.sex)
        found.setdefault(host.township, []).append((host, child, second))
    return found


def _workbook(
    world: World, township: Region, position: int, form: _Form, lines: list[_Line], filename: str
) -> Workbook:
    day = "2026年8月31日"
    short = township.name.removesuffix("镇").removesuffix("乡")
    titles = [title.format(town=township.name, short=short, day=day) for title in form.titles]
    if form.sheet_per_village:
        parts: dict[str, list[_Line]] = {}
        for line in lines:
            parts.setdefault(line.household.village.region.name if line.household.village else "", []).append(line)
    else:
        parts = {"Sheet1": lines}
    sheets = [_sheet(world, form, name, part, titles, filename) for name, part in parts.items()]
    return Workbook(
        filename=filename,
        kind="population",
        scope_code=township.code,
        as_of=AS_OF,
        sheets=sheets,
        uploaded_by=f"town-{letter(position)}",
        approved_by="county",
        group=filename,
        note="公安户籍人口摸排",
    )


def _sheet(world: World, form: _Form, name: str, lines: list[_Line], titles: list[str], filename: str) -> Sheet:
    sheet = Sheet(name)
    sheet.add_titles(titles, len(form.columns))
    sheet.add_header([header for header, _ in form.columns])
    getters = [_COLUMNS[what] for _, what in form.columns]
    style = form.born
    for serial, line in enumerate(lines, start=1):
        sheet.rows.append([getter(serial, line, style) for getter in getters])
        world.truth.add(filename, name, len(sheet.rows), line.entry.person.number, line.entry.kinds)
    return sheet
