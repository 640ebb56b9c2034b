"""P25 学生资助 /aid/: the term's programmes, who is entitled to how much, how far lists cover that; and one child's reason."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import codes, display
from eduaid.core.indicators import Basis
from eduaid.core.models import Region, School, UploadRow
from eduaid.core.models.places import Stage
from eduaid.core.roles import Right, may, today
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from students.views.figures import Area
from subsidies import eligibility
from subsidies.indicators import (
    BY_PROGRAMME,
    BY_SCHOOL,
    BY_TOWN,
    COVERED,
    ENTITLED,
    ENTITLED_AMOUNT,
    ENTITLED_PERSONS,
    MISSED,
    RECOGNISED,
    WAITING,
)
from subsidies.models import Entitlement, Programme
from subsidies.models.hardship import Source
from subsidies.models.programmes import number_of, term_label
from subsidies.views.common import Kpi, number, own_area, running_term, term_asked
from subsidies.views.tabs import tabs


@dataclass(frozen=True)
class Column:
    label: str
    unit: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Row:
    name: str
    url: str
    cells: list[object]


@dataclass(frozen=True)
class Table:
    """In the shape of `partials/figure_table.html`."""

    caption: str
    row_label: str
    columns: list[Column]
    rows: list[Row]
    totals: list[object]
    note: str = ""


_COLUMNS = [
    Column("应享", "人次"),
    Column("应享金额", "万元"),
    Column("已助", "人次"),
    Column("未助", "人次"),
    Column("覆盖率"),
]
_SHOWN = (ENTITLED, ENTITLED_AMOUNT, COVERED, MISSED)


def _cells(values: list[int | Decimal], area: Area, **drill: str) -> list[object]:
    figures = [number(indicator, value, area, **drill) for indicator, value in zip(_SHOWN, values, strict=True)]
    return [*figures, display.Rate(values[2], values[0])]


def covers(part: int | Decimal, whole: int | Decimal) -> str:
    """全覆盖 ✓(N=N), only where nobody is missing."""
    return f"全覆盖 ✓（{part}={whole}）" if whole and part == whole else ""


@needs(Right.SEE_FIGURES)
def overview(request: AccountRequest) -> HttpResponse:
    area = own_area(request)
    term = running_term()
    context: dict[str, object] = {
        "tabs": tabs(request, "aid"),
        "area": area,
        "term": term,
        "crumbs": [] if not request.GET.get("area") else [Link("学生资助", reverse("aid")), Link(area.name)],
    }
    if term is None:
        return render(request, "aid/overview.html", context)
    basis = Basis(area, today())
    by_programme = [indicator.values_by(BY_PROGRAMME, basis, request.scope) for indicator in _SHOWN]
    programmes = Programme.objects.filter(key__in=by_programme[0]).order_by("rank", "pk")
    rows = [
        Row(
            programme.short_name,
            reverse("aid-programme", args=[programme.key]),
            _cells([values.get(programme.key, 0) for values in by_programme], area, programme=programme.key),
        )
        for programme in programmes
    ]
    totals = [
        sum(values.values(), start=Decimal(0) if i.sum_of else 0)
        for i, values in zip(_SHOWN, by_programme, strict=True)
    ]
    whole, _, covered, missed = totals
    persons, recognised, waiting = (
        indicator.value(basis, request.scope) for indicator in (ENTITLED_PERSONS, RECOGNISED, WAITING)
    )
    return render(
        request,
        "aid/overview.html",
        context
        | {
            "kpis": [
                Kpi(number(ENTITLED_PERSONS, persons, area), "一人享受几项只计一次"),
                Kpi(number(ENTITLED, whole, area), covers(covered, whole)),
                Kpi(number(RECOGNISED, recognised, area)),
                Kpi(number(WAITING, waiting, area)),
            ],
            "table": Table(
                "按项目（本学期）", "项目", _COLUMNS, rows, _cells(totals, area),
                "一人一项目一学期计一次；贷款不在其中。不得兼得的只计一项。",
            ),
            "places": _places(request, area, basis),
            "has_programmes": bool(rows),
        },
    )  # fmt: skip


def _places(request: AccountRequest, area: Area, basis: Basis) -> Table | None:
    """By township, or by school of the township; the widest gap first."""
    if isinstance(area, School):
        return None
    split = BY_TOWN if area.is_home else BY_SCHOOL
    by_place = [indicator.values_by(split, basis, request.scope) for indicator in _SHOWN]
    model: type[Region] | type[School] = Region if area.is_home else School
    found = model.objects.filter(pk__in=[pk for pk in by_place[0] if pk])
    rows = [
        (
            by_place[3].get(place.pk, 0),
            place.code,
            Row(
                place.name,
                f"{reverse('aid')}?area={place.code}",
                _cells([values.get(place.pk, 0) for values in by_place], place),
            ),
        )
        for place in found
    ]
    rows.sort(key=lambda row: (-row[0], row[1]))
    return Table(
        "按学校所在乡镇" if area.is_home else "按学校",
        "乡镇" if area.is_home else "学校",
        _COLUMNS,
        [row for *_, row in rows],
        [],
        "未助多的在前。",
    )


@needs(Right.SEE_FIGURES)
def reason(request: AccountRequest, public_id: str, key: str) -> HttpResponse:
    """Why a child is entitled to a programme in a term: the rule, the standard, the facts and the rows that say so."""
    row = (
        Entitlement.objects.within(request.scope)
        .filter(student__public_id=public_id, programme__key=key, term=term_asked(request))
        .select_related(
            "student", "programme", "term", "standard", "school", "recognition", "yields_to", "pending_standard"
        )
        .first()
    )
    if row is None:
        raise Http404
    sources = UploadRow.objects.filter(pk__in=row.source_rows).select_related("slice", "upload")
    answers = (
        request.scope.county or row.school_id in request.scope.schools or row.school_town_id in request.scope.towns
    )
    grade = row.student.enrolments.filter(term=row.term).values_list("grade", flat=True).first() or ""
    told = eligibility.Told(
        term=term_label(number_of(row.term)),
        school=row.school.name,
        grade=codes.GRADE.label(grade),
        boarding=row.boarding,
        programme=row.programme.short_name,
        what=row.standard.what,
        amount=row.amount,
        per=row.standard.per,
        document=row.standard.document,
        category=codes.HARDSHIP_TYPE.label(row.category),
        tier=codes.HARDSHIP_LEVEL.label(row.tier),
        recognised=_recognised(row),
        yields_to=row.yields_to.short_name if row.yields_to else "",
    )
    return render(
        request,
        "aid/reason.html",
        {
            "tabs": tabs(request, "aid"),
            "crumbs": [Link("学生资助", reverse("aid")), Link("享受依据")],
            "row": row,
            "stage": Stage(row.stage).label,
            "sentence": eligibility.sentence(told),
            "sources": [
                Link(f"{codes.HARDSHIP_TYPE.label(source.facts.get('category', '')) or '建档立卡与监测对象'}名单，第 {source.number} 行", reverse("row-trace", args=[source.pk]))
                for source in sources
            ]
            if answers
            else [],
            "student_url": reverse("student", args=[public_id]) if may(request.user, Right.SEE_CHILDREN) else "",
            "programme_url": reverse("aid-programme", args=[key]),
        },
    )  # fmt: skip


def _recognised(row: Entitlement) -> str:
    if row.recognition is not None:
        how = "经名单预填、学校评议" if row.recognition.source == Source.LISTS else "经申请、学校评议"
        return f"{how}、县局审核认定"
    return "由生效名单直接认定" if row.source_rows else ""
