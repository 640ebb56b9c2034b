"""From the rows of a figure to the rows, files and lines of the lists that say so: the last steps of a trace."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.fields.json import KT
from django.urls import reverse

from eduaid.core.indicators import Indicator
from eduaid.core.lists import kind_of
from eduaid.core.models import ListSlice, School, Upload, UploadFile, UploadRow, UploadSheet
from eduaid.core.models.uploads import RowState
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.text import scrub
from reports.basis import kinds_behind
from students.models import Household, Student
from students.precedence import KINDS, POVERTY


@dataclass(frozen=True)
class Source:
    """Where a row of a figure comes from; empty where no list row speaks of it, or only one beyond the reader's scope."""

    text: str = ""
    url: str = ""


NO_SOURCE = Source()


@dataclass(frozen=True)
class SourceFile:
    """A file whose rows a figure rests on. `rows`: how many of them, as far as the reader's scope goes."""

    kind: str
    file: str
    scope: str
    effective_on: dt.date
    rows: int
    url: str
    digest: str


def _counting() -> QuerySet[UploadRow]:
    """Rows of any kind that count now: accepted ones of current slices, and those held by a newer row that waits.

    Unordered: the usual order goes by way of the list, and a county-wide list is beyond a township's sight.
    """
    held = Q(held_by__state=RowState.WAITING, held_by__slice__is_current=True)
    return UploadRow.objects.order_by().filter(Q(slice__is_current=True) | held, state=RowState.ACCEPTED)


def _within(rows: QuerySet[UploadRow], scope: Scope) -> QuerySet[UploadRow]:
    """Rows of the reader's places, and of whole lists that were sent for them: those that `row-trace` opens."""
    if scope.county:
        return rows
    lists = Upload.objects.filter(scope.q(town="town", school="school")).order_by()
    return rows.filter(Q(town__in=scope.towns) | Q(school__in=scope.schools) | Q(upload__in=lists.values("pk")))


def sources_of(indicator: Indicator, rows: Sequence[Any], scope: Scope) -> dict[int, Source]:
    """For the rows on a page: the list row that names each, of the kind that the figure reads first. One query."""
    if not rows:
        return {}
    if isinstance(rows[0], UploadRow):
        slices = {row.slice_id for row in rows}
        kinds = dict(ListSlice.objects.filter(pk__in=slices).values_list("pk", "kind"))
        return {row.pk: _source(row.pk, kinds.get(row.slice_id, ""), row.number) for row in rows}
    order = [*kinds_behind(indicator.key), *(kind for kind in KINDS if kind not in kinds_behind(indicator.key))]
    if isinstance(rows[0], Student):
        ids = [row.pk for row in rows]
        found = _within(_counting(), scope).filter(Q(link__student__in=ids) | Q(link__student__merged_into__in=ids))
        spoken = [
            (merged or student, pk, kind, number)
            for student, merged, pk, kind, number in found.values_list(
                "link__student_id", "link__student__merged_into_id", "pk", "slice__kind", "number"
            )
        ]
    elif isinstance(rows[0], Household):
        numbers = {row.number: row.pk for row in rows}
        found = _within(_counting(), scope).filter(slice__kind=POVERTY).annotate(household=KT("facts__household_no"))
        spoken = [
            (numbers[household], pk, kind, number)
            for household, pk, kind, number in found.filter(household__in=list(numbers)).values_list(
                "household", "pk", "slice__kind", "number"
            )
        ]
    else:
        return {}
    spoken.sort(key=lambda row: (order.index(row[2]) if row[2] in order else len(order), row[1]))
    sources: dict[int, Source] = {}
    for owner, pk, kind, number in spoken:
        sources.setdefault(owner, _source(pk, kind, number))
    return sources


def _source(pk: int, kind: str, number: int) -> Source:
    label = kind_of(kind).label if kind else "名单"
    return Source(f"{label}第 {number} 行", reverse("row-trace", args=[pk]))


def files_behind(indicator: Indicator, rows: QuerySet[Any], scope: Scope) -> list[SourceFile]:
    """The files whose rows the figure rests on, most rows first. `rows`: the indicator's rows in scope. Two queries."""
    kinds = kinds_behind(indicator.key)
    if rows.model is School:
        return _files_of_schools(rows, kinds, scope)
    spoken: QuerySet[Any]
    if rows.model is UploadRow:
        # Waiting rows do not count, and yet they are what such a figure counts.
        spoken = UploadRow.objects.order_by().filter(pk__in=rows.order_by().values("pk"))
    elif rows.model is Student:
        students = rows.order_by().values("pk")
        spoken = _counting().filter(Q(link__student__in=students) | Q(link__student__merged_into__in=students))
    else:
        numbers = rows.order_by().values("number")
        spoken = _counting().annotate(household=KT("facts__household_no")).filter(household__in=numbers)
    if kinds:
        spoken = spoken.filter(slice__kind__in=kinds)
    counted = _within(spoken, scope).values_list("sheet_id").annotate(count=Count("pk"))
    return _named(dict(counted), scope)


def _named(counts: dict[int, int], scope: Scope) -> list[SourceFile]:
    """Rows by sheet as rows by file. Of a list beyond the reader's scope the file may be known, not the receipt."""
    with row_security(EVERYTHING, local=True):
        sheets = (
            UploadSheet.objects.order_by()
            .filter(pk__in=counts)
            .select_related("file", "upload", "upload__region", "upload__school")
        )
        rows: dict[UploadFile, int] = {}
        uploads: dict[UploadFile, Upload] = {}
        for sheet in sheets:
            rows[sheet.file] = rows.get(sheet.file, 0) + counts[sheet.pk]
            uploads[sheet.file] = sheet.upload
    found = [_file(file, uploads[file], number, scope) for file, number in rows.items()]
    return sorted(found, key=lambda file: -file.rows)


def _file(file: UploadFile, upload: Upload, rows: int, scope: Scope) -> SourceFile:
    mine = scope.county or upload.town_id in scope.towns or upload.school_id in scope.schools
    return SourceFile(
        kind=kind_of(upload.kind).label,
        file=scrub(file.name),
        scope=upload.place_name,
        effective_on=upload.effective_on,
        rows=rows,
        url=reverse("import-receipt", args=[upload.pk]) if mine else "",
        digest=file.sha256,
    )


def _files_of_schools(schools: QuerySet[Any], kinds: Iterable[str], scope: Scope) -> list[SourceFile]:
    """For a figure that counts schools: the sheets by which they have reported."""
    slices = ListSlice.objects.filter(is_current=True, kind__in=kinds, school__in=schools.order_by().values("pk"))
    spoken = UploadRow.objects.order_by().filter(slice__in=slices.values("pk"))
    return _named(dict(_within(spoken, scope).values_list("sheet_id").annotate(count=Count("pk"))), scope)
