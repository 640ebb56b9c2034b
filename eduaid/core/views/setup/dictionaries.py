"""P61 字典: what every kind of list may hold, and the code tables; read off the declarations that the checks use."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import codes
from eduaid.core.lists import Column, ListKind, Place, UnknownKind, kind_of, kinds
from eduaid.core.roles import Right, may
from eduaid.core.views.pages import Tab
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
class CodeTable:
    title: str
    rows: list[codes.Entry]


def _line(column: Column) -> Line:
    """A long list of values is named, not copied: it stands among the code tables."""
    choices = column.choices
    values = choices if len(choices) <= 12 else (*choices[:6], f"等 {len(choices)} 项，见代码表")
    return Line(column.label, column.required, column.help, column.synonyms, values, column.sealed)


@needs()
def dictionaries(request: AccountRequest, key: str = "") -> HttpResponse:
    """One kind of list at a time; without one, the code tables."""
    kind = _kind(key) if key else None
    context: dict[str, object] = {
        "kinds": [Tab(one.label, reverse("setup-dictionary", args=[one.key]), one is kind) for one in kinds()],
        "codes_url": reverse("setup-dictionaries"),
        "codes": [] if kind else [CodeTable(table.title, list(table)) for table in codes.TABLES],
    }
    if kind is not None:
        template = reverse("import-template", args=[kind.key]) if may(request.user, Right.UPLOAD) else ""
        columns = [_line(column) for column in kind.columns]
        context["kind"] = KindPage(kind.label, kind.about, kind.source, _CUT[kind.place], template, columns)
    return render(request, "setup/dictionaries.html", context | tabs(request, "setup-dictionaries"))


def _kind(key: str) -> ListKind:
    try:
        return kind_of(key)
    except UnknownKind:
        raise Http404 from None
