"""One child (or two files that may be one) as the lists tell it, side by side, with the characters that differ marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eduaid.core import codes
from eduaid.core.lists import kind_of
from eduaid.core.models import Region, School, UploadRow
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.sealing import Opener, Unreadable
from eduaid.core.text import parse_id
from eduaid.core.text.results import Parsed
from students import provenance
from students.crosscheck import COMPARED
from students.likeness import marked, marked_numbers
from students.models import Discrepancy, Student
from students.models.people import Sex
from students.numbers import opened
from students.precedence import BY_KEY, POPULATION, POVERTY, REGISTRY, ROSTER
from students.provenance import Source

SHOWN = (POPULATION, REGISTRY, ROSTER, POVERTY)
SHORT = {POPULATION: "户籍", REGISTRY: "学籍", ROSTER: "名册", POVERTY: "脱贫"}
"""Each list in one word, for buttons and keys."""


_BOARDING: Mapping[Any, str] = {True: "寄宿", False: "走读"}


@dataclass(frozen=True)
class Part:
    text: str
    differs: bool


@dataclass(frozen=True)
class Shown:
    """What one list says in one line. `hidden`: a number of which only the differing places are shown."""

    parts: tuple[Part, ...]
    differs: bool = False
    hidden: bool = False

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True)
class Line:
    label: str
    cells: tuple[Shown, ...]

    @property
    def differs(self) -> bool:
        return any(cell.differs for cell in self.cells)


@dataclass(frozen=True)
class Column:
    """A list's row about the child, or that the list has none. `of_other`: it stands in the second file."""

    kind: str
    label: str
    key: str = ""
    place: str = ""
    row_id: int | None = None
    of_other: bool = False

    @property
    def is_there(self) -> bool:
        return self.row_id is not None


@dataclass(frozen=True)
class Panel:
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    picked: Mapping[tuple[str, bool], Source] = field(default_factory=dict)


def of(child: Student, other: Student | None, scope: Scope) -> Panel:
    """The panel of a child, and of a second file. Identity and schooling are told to whoever sees the pair; the guardian only
    from lists of the reader's own side. At most a dozen queries."""
    told = [(False, provenance.of(child, scope))]
    if other is not None:
        with row_security(EVERYTHING, local=True):  # the second file may lie beyond the reader's townships
            told.append((True, provenance.of(other, scope)))
    picked = {
        (kind, second): source for kind in SHOWN for second, known in told if (source := known.picked(kind)) is not None
    }
    columns, sources = [], []
    for kind in SHOWN:
        there = [second for second in (False, True) if (kind, second) in picked]
        for second in there or [False]:
            found = picked.get((kind, second))
            columns.append(_column(kind, found, second, len(there) > 1))
            sources.append(found)
    keys = iter("123")
    columns = [
        Column(c.kind, c.label, next(keys, "") if c.is_there else "", c.place, c.row_id, c.of_other) for c in columns
    ]
    return Panel(tuple(columns), tuple(_lines(sources)), picked)


def _column(kind: str, source: Source | None, second: bool, twice: bool) -> Column:
    label = kind_of(kind).label + ("（另一份档案）" if second and twice else "")
    if source is None:
        return Column(kind, label)
    place = f"{source.effective_on:%Y-%m-%d}"
    if source.in_scope:
        place += f"，第 {source.line} 行"
    return Column(kind, label, "", place, source.row_id, second)


def _lines(sources: Sequence[Source | None]) -> list[Line]:
    facts = [source.facts if source else {} for source in sources]
    towns = {value for said in facts for key in ("hukou_town_id", "hukou_village_id") if (value := said.get(key))}
    schools = {source.school_id for source in sources if source and source.school_id}
    with row_security(EVERYTHING, local=True):
        places: dict[Any, str] = dict(Region.objects.filter(pk__in=towns).values_list("pk", "name"))
        names: dict[Any, str] = dict(School.objects.filter(pk__in=schools).values_list("pk", "name"))
    texts: list[tuple[str, list[str]]] = [
        ("姓名", [str(said.get("name") or "") for said in facts]),
        ("性别", [str(Sex(said["sex"]).label) if said.get("sex") else "" for said in facts]),
        ("出生日期", [str(said.get("birth_on") or "") for said in facts]),
    ]
    lines = [_line(label, said) for label, said in texts]
    lines.append(_number_line(_numbers(sources)))
    texts = [
        (
            "户籍地",
            [
                "县外" if said.get("hukou_outside") else
                f"{places.get(said.get('hukou_town_id'), '')}{places.get(said.get('hukou_village_id'), '')}"
                for said in facts
            ],
        ),
        ("就读学校", [names.get(source.school_id, "") if source else "" for source in sources]),
        ("年级", [codes.GRADE.label(said["grade"]) if said.get("grade") in codes.GRADE else "" for said in facts]),
        ("班级", [str(said.get("class_name") or "") for said in facts]),
        ("就读方式", [_BOARDING.get(said.get("boarding"), "") for said in facts]),
        (
            "监护人",
            [str(source.facts.get("guardian") or "") if source and source.in_scope else "" for source in sources],
        ),
    ]  # fmt: skip
    # Offices write places and classes each in its own way: only what is compared is marked.
    lines += [
        _line(label, said, compare=label in ("就读学校", "年级", "就读方式")) for label, said in texts if any(said)
    ]
    return lines


def _line(label: str, texts: Sequence[str], *, compare: bool = True) -> Line:
    differ = compare and len({text for text in texts if text}) > 1
    runs = marked(texts) if differ else [[(text, False)] if text else [] for text in texts]
    return Line(label, tuple(Shown(tuple(Part(*run) for run in one), differ and bool(one)) for one in runs))


def _number_line(numbers: Sequence[str]) -> Line:
    differ = len({number for number in numbers if number}) > 1
    cells = [
        Shown(tuple(Part(*run) for run in one), differ and bool(one), hidden=bool(one))
        for one in marked_numbers(numbers)
    ]
    return Line("证件号码", tuple(cells))


def _numbers(sources: Sequence[Source | None]) -> list[str]:
    """The ID number in each row, opened for comparing; only the places that differ leave this module."""
    rows = [source.row_id for source in sources if source and source.id_digest]
    opener = Opener()
    with row_security(EVERYTHING, local=True):
        held = UploadRow.objects.order_by().in_bulk(rows)
    return [_number(held[s.row_id], s, opener) if s and s.row_id in held else "" for s in sources]


def _number(row: UploadRow, source: Source, opener: Opener) -> str:
    try:
        text = opened(row, opener).get(kind_of(source.kind).id_column, "")
    except Unreadable:
        return ""
    found = parse_id(text, str(source.facts.get("id_type") or "1"))
    return found.value.number if isinstance(found, Parsed) else ""


def advice(discrepancy: Discrepancy) -> tuple[str, str]:
    """The list that is believed by the table of precedence, and why; certain where another list says the same."""
    label, concept, _ = COMPARED[discrepancy.concept]
    said = discrepancy.said
    source = next(kind for kind in BY_KEY[concept].order if kind in said)
    agreeing = [SHORT.get(kind, kind_of(kind).label) for kind in said if kind != source and said[kind] == said[source]]
    name = SHORT.get(source, kind_of(source).label)
    against = "、".join(SHORT.get(kind, kind_of(kind).label) for kind in said if said[kind] != said[source])
    if agreeing:
        return source, f"{label}：{name}与{'、'.join(agreeing)}一致，{against}不同 → 以{name}为准"
    return source, f"{label}：{name}与{against}不同，一般以{name}为准"


def is_certain(discrepancy: Discrepancy) -> bool:
    """Two lists against the others, the most trusted among them."""
    source, _ = advice(discrepancy)
    said = discrepancy.said
    return sum(value == said[source] for value in said.values()) > 1
