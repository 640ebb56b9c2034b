"""P22 学生库: every child in scope, narrowed by what the lists say, fifty a page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import codes, display
from eduaid.core.indicators import Basis, Counting, Indicator
from eduaid.core.models import Region, School
from eduaid.core.models.places import Stage
from eduaid.core.roles import Right, may, posts_of, today
from eduaid.core.templatetags.ui import mask_id
from eduaid.core.views.pages import ROWS_PER_PAGE, Chip, address, options
from eduaid.core.views.policy import AccountRequest, needs
from students import search
from students.indicators import STUDENT_ROWS
from students.models import Student
from students.models.people import HukouRelation, StudentQuerySet
from students.precedence import MEMBERSHIP

# --- what the list can be narrowed by ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Directory:
    """The townships and schools that a filter offers, read once a page."""

    towns: Sequence[Region]
    schools: Sequence[School]

    @classmethod
    def load(cls, town: str) -> Directory:
        """With a township chosen, its schools only."""
        schools = School.objects.in_county().order_by("code")
        return cls(
            list(Region.objects.townships()),
            list(schools.filter(town__code=town) if town else schools.only("code", "name")),
        )


@dataclass(frozen=True)
class Filter:
    """One drop-down list of the page. A value that it does not offer narrows nothing."""

    name: str
    label: str
    choices: Callable[[Directory], list[tuple[str, str]]]
    condition: Callable[[str], Q]


def _towns(directory: Directory) -> list[tuple[str, str]]:
    return [(town.code, town.name) for town in directory.towns]


_LISTS: dict[str, tuple[str, Q]] = {
    "population": ("户籍人口名单有", Q(in_population=True)),
    "registry": ("学籍有", Q(in_registry=True)),
    "roster": ("班级名册有", Q(in_roster=True)),
    "population-not-registry": ("有户籍无学籍", Q(in_population=True, in_registry=False)),
    "registry-not-roster": ("有学籍不在班", Q(in_registry=True, in_roster=False)),
    "roster-only": ("在班无学籍", Q(in_roster=True, in_registry=False)),
    "waiting": ("有待改的行", Q(has_waiting_row=True)),
}
WITHDRAWN = "withdrawn"

_POVERTY: dict[str, tuple[str, Q]] = {
    "poverty": ("建档立卡与监测对象", Q(in_poverty=True)),
    "hardship": ("困难群体名单", Q(in_hardship=True)),
    **{
        f"type-{entry.code}": (f"户类型：{entry.label}", Q(in_poverty=True, poverty_household__poverty_type=entry.code))
        for entry in codes.POVERTY_STATUS
    },
}

FILTERS: tuple[Filter, ...] = (
    Filter("town", "学校所在乡镇", _towns, lambda code: Q(school_town__code=code)),
    Filter("school", "学校", lambda d: [(s.code, s.name) for s in d.schools], lambda code: Q(school__code=code)),
    Filter(
        "stage",
        "学段",
        lambda _: [(stage.value, stage.label) for stage in Stage],
        lambda code: Q(grade__startswith=code),
    ),
    Filter("grade", "年级", lambda _: codes.GRADE.choices, lambda code: Q(grade=code)),
    Filter("hukou", "户籍乡镇", _towns, lambda code: Q(hukou_town__code=code)),
    Filter(
        "relation",
        "户籍关系",
        lambda _: [(relation.value, relation.label) for relation in HukouRelation],
        lambda value: Q(hukou_relation=value, school__isnull=False),
    ),
    Filter(
        "lists",
        "名单",
        lambda _: [*((key, label) for key, (label, _) in _LISTS.items()), (WITHDRAWN, "来源已撤回")],
        lambda key: _LISTS[key][1] if key in _LISTS else Q(),
    ),
    Filter(
        "poverty",
        "困难类别",
        lambda _: [(key, label) for key, (label, _) in _POVERTY.items()],
        lambda key: _POVERTY[key][1],
    ),
)

# --- in which order, with which columns ------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A column. `order`: the sort of the whole list that its head offers."""

    key: str
    label: str
    value: Callable[[Student], object]
    order: str = ""
    chosen: bool = True


COLUMNS: tuple[Shown, ...] = (
    Shown("sex", "性别", lambda s: s.get_sex_display()),
    Shown("birth", "出生日期", lambda s: display.dense_date(s.birth_on), "birth"),
    Shown("school", "就读学校", lambda s: s.school.name if s.school else display.NONE, "class"),
    Shown("class", "年级班级", lambda s: f"{codes.GRADE.label(s.grade)}{s.class_name}" or display.NONE),
    Shown("boarding", "寄宿", lambda s: {True: "寄宿", False: "走读", None: display.NONE}[s.boarding]),
    Shown("hukou", "户籍", lambda s: _hukou(s)),
    Shown("lists", "名单", lambda s: _lists(s)),
    Shown("ethnicity", "民族", lambda s: codes.ETHNIC.label(s.ethnicity) or display.NONE, chosen=False),
    Shown("left-behind", "留守", lambda s: codes.LEFT_BEHIND.label(s.left_behind) or display.NONE, chosen=False),
    Shown("disability", "残疾", lambda s: codes.DISABILITY.label(s.disability) or display.NONE, chosen=False),
)


def _hukou(student: Student) -> str:
    if student.hukou_town is not None:
        return f"{student.hukou_town.name}{student.hukou_village.name if student.hukou_village else ''}"
    return "县外" if student.hukou_outside else display.NONE


def _lists(student: Student) -> display.State | str:
    """Which of the three lists name the child, as one word; what is wrong comes first."""
    if student.is_withdrawn:
        return display.State("mute", "来源已撤回")
    if student.has_waiting_row:
        return display.State("warn", "待改")
    named = [
        word
        for word, is_in in (("户籍", student.in_population), ("学籍", student.in_registry), ("名册", student.in_roster))
        if is_in
    ]
    return "、".join(named) or "困难名单"


# Every order ends in a unique key, and no key is null, so that a page can start after any row. Children without a school
# come after all schools.
_KEYS: dict[str, tuple[str, ...]] = {
    "class": ("school_code", "grade", "class_name", "pinyin", "id"),
    "name": ("pinyin", "id"),
    "birth": ("born_on", "pinyin", "id"),
}
_BEFORE_ALL = dt.date(1, 1, 1)


@dataclass(frozen=True)
class Order:
    """An order of the list and the condition for what comes after a row in it."""

    name: str
    descending: bool

    @classmethod
    def asked(cls, text: str) -> Order:
        name = text.removeprefix("-")
        return cls(name, text.startswith("-")) if name in _KEYS else cls("class", False)

    def __str__(self) -> str:
        return f"-{self.name}" if self.descending else self.name

    @property
    def turned(self) -> Order:
        return Order(self.name, not self.descending)

    def apply(self, students: StudentQuerySet) -> StudentQuerySet:
        keys = _KEYS[self.name]
        return students.order_by(*(F(key).desc() if self.descending else F(key).asc() for key in keys))

    def after(self, row: Any) -> Q:
        """Rows that come after this one: the first key beyond it, or equal and the next key beyond it, and so on."""
        beyond = "lt" if self.descending else "gt"
        condition, same = Q(), Q()
        for key in _KEYS[self.name]:
            condition |= same & Q(**{f"{key}__{beyond}": getattr(row, key)})
            same &= Q(**{key: getattr(row, key)})
        return condition


def _with_keys(students: StudentQuerySet) -> StudentQuerySet:
    return students.annotate(
        school_code=Coalesce("school__code", Value("~")), born_on=Coalesce("birth_on", Value(_BEFORE_ALL))
    )


# --- the page --------------------------------------------------------------------------------------------------

# Another list or another order starts at its beginning.
_FIRST_PAGE = {"after": "", "before": "", "start": ""}


@dataclass(frozen=True)
class Figure:
    """The number of the whole answer; its rows are this list."""

    value: int
    url: str
    unit: str = "人"
    label: str = "学生"


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    sort_url: str
    sorted: str
    numeric: bool = False


@dataclass(frozen=True)
class Row:
    pk: int
    url: str
    name: str
    id_masked: str
    cells: Sequence[object]


@dataclass(frozen=True)
class Pager:
    shown_from: int
    shown_to: int
    total: int
    previous_url: str
    next_url: str


@needs(Right.SEE_CHILDREN)
def students(request: AccountRequest) -> HttpResponse:
    """As many queries whatever is asked and however many there are."""
    asked = {filter_.name: request.GET.get(filter_.name, "") for filter_ in FILTERS}
    directory = Directory.load(asked["town"])
    offered = {filter_.name: filter_.choices(directory) for filter_ in FILTERS}
    taken = {f.name: asked[f.name] for f in FILTERS if asked[f.name] in dict(offered[f.name])}
    typed = request.GET.get("q", "").strip()
    query = search.read(typed) if typed else None
    found = _narrowed(taken, query)

    order = Order.asked(request.GET.get("sort", ""))
    rows, has_previous, has_next = _page(request, found, order)
    total = _total(found, request)
    start = _start(request)
    shown = _chosen_columns(request)
    return render(
        request,
        "students/list.html",
        {
            "q": "" if query and query.is_number else typed,
            "number_asked": bool(query and query.by is not search.By.NAME and query.by is not search.By.SOUND),
            "filters": [
                {"name": f.name, "label": f.label, "options": options(offered[f.name], taken.get(f.name))}
                for f in FILTERS
            ],
            "chips": _chips(request, taken, offered, typed if query and not query.is_number else ""),
            "clear_url": reverse("students"),
            "columns": [_head(request, column, order) for column in shown],
            "name_head": _head(request, Shown("name", "姓名", lambda s: s.name, "name"), order),
            "choices": [{"key": c.key, "label": c.label, "checked": c in shown} for c in COLUMNS],
            "sort": str(order) if request.GET.get("sort") else "",
            "rows": [
                Row(
                    s.pk,
                    reverse("student", args=[s.public_id]),
                    s.name,
                    mask_id(s.id_prefix),
                    [c.value(s) for c in shown],
                )
                for s in rows
            ],
            "page": Pager(
                shown_from=start,
                shown_to=start + len(rows) - 1,
                total=total.value,
                previous_url=_step(request, before=rows[0], start=start - ROWS_PER_PAGE) if has_previous else "",
                next_url=_step(request, after=rows[-1], start=start + ROWS_PER_PAGE) if has_next else "",
            ),
            "total": total,
            "scope_label": "、".join(dict.fromkeys(str(post.region or post.school) for post in posts_of(request.user))),
            "as_of": today(),
            "imports_url": reverse("imports"),
            "assign_url": _assign_url(request),
        },
    )


def _assign_url(request: AccountRequest) -> str:
    """包保分配 of the reader's own place."""
    if not may(request.user, Right.ASSIGN):
        return ""
    place = next((post.region or post.school for post in posts_of(request.user)), None)
    return reverse("assign", args=[place.code]) if place else ""


def _narrowed(taken: dict[str, str], query: search.Asked | None) -> StudentQuerySet:
    found = Student.objects.listed()
    if taken.get("lists") == WITHDRAWN:
        found = Student.objects.filter(merged_into=None, **dict.fromkeys(MEMBERSHIP.values(), False))
    if "relation" in taken:
        found = found.with_hukou_relation()
    for filter_ in FILTERS:
        if filter_.name in taken:
            found = found.filter(filter_.condition(taken[filter_.name]))
    return search.named(found, query) if query else found


def _total(found: StudentQuerySet, request: AccountRequest) -> Figure:
    """How many there are: the list is an indicator like any other, so it is counted and narrowed as one."""
    indicator = Indicator(
        key="students.listed",
        label="学生",
        unit="人",
        definition="符合所选条件、至少一份生效名单写到的学生人数，一人计一次。",
        source="各类名单",
        counting=Counting.SCHOOL,
        row_kind=STUDENT_ROWS,
        rows=lambda _basis: found,
    )
    basis = Basis(Region.objects.home(), today())
    return Figure(int(indicator.value(basis, request.scope)), address(request, **_FIRST_PAGE))


def _page(request: AccountRequest, found: StudentQuerySet, order: Order) -> tuple[list[Student], bool, bool]:
    """Fifty rows after or before the one that the address names (by public id), and whether there are more each way."""
    visible = _with_keys(found).within(request.scope)
    backwards = bool(request.GET.get("before"))
    anchor_id = request.GET.get("before") or request.GET.get("after")
    anchor = None
    if anchor_id:
        anchor = _with_keys(Student.objects.within(request.scope)).filter(public_id=anchor_id).first()
    direction = order.turned if backwards and anchor else order
    if anchor:
        visible = visible.filter(direction.after(anchor))
    # Ids first: sorting whole rows of the county takes three times as long.
    ids = list(direction.apply(visible).values_list("pk", flat=True)[: ROWS_PER_PAGE + 1])
    more, ids = len(ids) > ROWS_PER_PAGE, ids[:ROWS_PER_PAGE]
    shown = Student.objects.within(request.scope).select_related("school", "hukou_town", "hukou_village").in_bulk(ids)
    rows = [shown[pk] for pk in ids]
    if anchor is None:
        return rows, False, more
    if backwards:
        return rows[::-1], more, bool(rows)
    return rows, bool(rows), more


def _start(request: AccountRequest) -> int:
    text = request.GET.get("start", "")
    return max(1, int(text)) if text.isdigit() and len(text) < 8 else 1


def _step(request: AccountRequest, *, start: int, before: Student | None = None, after: Student | None = None) -> str:
    return address(
        request,
        before=before.public_id if before else "",
        after=after.public_id if after else "",
        start=start if start > 1 else "",
    )


def _chosen_columns(request: AccountRequest) -> list[Shown]:
    wanted = set(request.GET.getlist("col"))
    return [column for column in COLUMNS if (column.key in wanted if wanted else column.chosen)]


def _head(request: AccountRequest, column: Shown, order: Order) -> Column:
    if not column.order:
        return Column(column.key, column.label, "", "")
    is_current = column.order == order.name
    wanted = str(order.turned) if is_current else column.order
    state = ("descending" if order.descending else "ascending") if is_current else ""
    return Column(column.key, column.label, address(request, sort=wanted, **_FIRST_PAGE), state)


def _chips(
    request: AccountRequest, taken: dict[str, str], offered: dict[str, list[tuple[str, str]]], typed: str
) -> list[Chip]:
    named = [(f.name, f"{f.label}：{dict(offered[f.name])[taken[f.name]]}") for f in FILTERS if f.name in taken]
    if typed:
        named.insert(0, ("q", f"姓名：{typed}"))
    return [Chip(label, address(request, **{name: "", **_FIRST_PAGE})) for name, label in named]
