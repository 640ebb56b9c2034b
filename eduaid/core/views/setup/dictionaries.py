"""P61 字典: what every kind of list may hold, and the code tables; read off the declarations that the checks use."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import codes
from eduaid.core.lists import Column, ListKind, Place, UnknownKind, kind_of, kinds
from eduaid.core.roles import Right, may
from eduaid.core.views.pages import Tab, options
from eduaid.core.views.policy import AccountRequest, needs
from eduaid.core.views.setup.tabs import tabs

_CUT = {Place.SCHOOL: "按学校分份", Place.TOWNSHIP: "按乡镇分份"}


@dataclass(frozen=True)
class Line:
    """A column as the dictionary shows it."""

    label: str
    required: bool
    text: str
    synonyms: tuple[str, ...]
    values: tuple[str, ...]
    sealed: bool


@dataclass(frozen=True)
class KindPage:
    label: str
    description: str
    source: str
    cut: str
    template_url: str
    columns: list[Line]


@dataclass(frozen=True)
class CodeRow:
    code: str
    label: str
    note: str
    source: str


@dataclass(frozen=True)
class CodeTable:
    title: str
    rows: list[CodeRow]


def _line(column: Column) -> Line:
    """A long list of values is named, not copied: it stands among the code tables."""
    choices = column.choices
    values = choices if len(choices) <= 12 else (*choices[:6], f"等 {len(choices)} 项，见代码表")
    return Line(column.label, column.required, column.help, column.synonyms, values, column.sealed)


def _table(table: codes.Table) -> CodeTable:
    """A table as people read it; notes for programmers stay out."""
    return CodeTable(
        table.title,
        [
            CodeRow(
                entry.code,
                entry.label,
                "" if "parse_" in entry.note else entry.note,
                "本系统自定" if entry.source == "eduaid" else entry.source,
            )
            for entry in table
        ],
    )


@needs()
def dictionary(request: AccountRequest, key: str) -> HttpResponse:
    """One kind of list."""
    kind = _kind(key)
    template = reverse("import-template", args=[kind.key]) if may(request.user, Right.UPLOAD) else ""
    columns = [_line(column) for column in kind.columns]
    page = KindPage(kind.label, kind.about, kind.source, _CUT[kind.place], template, columns)
    context = {"kinds": _kinds(kind), "codes_url": reverse("setup-dictionaries"), "kind": page}
    return render(request, "setup/dictionaries.html", context | tabs(request, "setup-dictionaries"))


@needs()
def code_tables(request: AccountRequest) -> HttpResponse:
    """The code tables, one at a time."""
    asked = request.GET.get("table", "")
    shown = next((table for table in codes.TABLES if table.file == asked), codes.TABLES[0])
    context = {
        "kinds": _kinds(None),
        "codes_url": reverse("setup-dictionaries"),
        "tables": options([(table.file, table.title) for table in codes.TABLES], shown.file),
        "table": _table(shown),
    }
    return render(request, "setup/dictionaries.html", context | tabs(request, "setup-dictionaries"))


def _kinds(current: ListKind | None) -> list[Tab]:
    return [Tab(one.label, reverse("setup-dictionary", args=[one.key]), one is current) for one in kinds()]


def _kind(key: str) -> ListKind:
    try:
        return kind_of(key)
    except UnknownKind:
        raise Http404 from None
