"""What the kernel's pages share: crumbs, chips, drop-down options and paging."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

T = TypeVar("T")
ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class Link:
    """A crumb, a tab or a button: a word and where it leads; without address it is the page itself."""

    label: str
    url: str = ""


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    current: bool
    count: int | None = None


@dataclass(frozen=True)
class Option:
    """An entry of a drop-down list."""

    value: str
    label: str
    selected: bool = False


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address without it."""

    label: str
    remove_url: str


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list, in the shape of `partials/pager.html`."""

    rows: Sequence[T]
    shown_from: int
    shown_to: int
    total: int
    previous_url: str
    next_url: str


def address(request: HttpRequest, **changes: object) -> str:
    """This page's address with some of its parameters changed; an empty value takes the parameter away."""
    query = request.GET.copy()
    for name, value in changes.items():
        if value in ("", None):
            query.pop(name, None)
        else:
            query[name] = str(value)
    text = query.urlencode()
    return f"{request.path}?{text}" if text else request.path


def paged(request: HttpRequest, rows: QuerySet[Any, T] | Sequence[T], *, size: int = ROWS_PER_PAGE) -> Page[T]:
    """The page that `?page=` asks for (the nearest one when it does not exist). Two queries for a queryset."""
    if isinstance(rows, QuerySet) and not rows.ordered:
        rows = rows.order_by("pk")  # without an order a row may stand on two pages, and another on none
    page = Paginator(rows, size).get_page(request.GET.get("page"))
    return Page(
        rows=list(page.object_list),
        shown_from=page.start_index(),
        shown_to=page.end_index(),
        total=page.paginator.count,
        previous_url=address(request, page=page.number - 1 if page.number > 2 else "") if page.has_previous() else "",
        next_url=address(request, page=page.number + 1) if page.has_next() else "",
    )


def options(choices: Iterable[tuple[Any, Any]], selected: str | None) -> list[Option]:
    return [Option(str(value), str(label), str(value) == (selected or "")) for value, label in choices]


def chip(request: HttpRequest, name: str, label: str) -> Chip:
    return Chip(label, address(request, **{name: "", "page": ""}))
