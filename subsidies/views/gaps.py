"""P27 /aid/gaps/: entitled and not aided, aided and not entitled, twice, gone, other amounts, shared cards."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import display
from eduaid.core.indicators import Basis
from eduaid.core.models import Term
from eduaid.core.roles import Right, may, today
from eduaid.core.views.pages import Tab, address, paged
from eduaid.core.views.policy import AccountRequest, needs
from subsidies import gap_checks
from subsidies.aid_forms import HandOutForm, SettleForm
from subsidies.gaps import GAP_KINDS, GAPS, GapKind
from subsidies.indicators import COVERED, ENTITLED, MISSED
from subsidies.indicators import GAPS as INDICATORS
from subsidies.models import GapCheck
from subsidies.views.common import Kpi, number, own_area, running_term
from subsidies.views.overview import covers
from subsidies.views.tabs import tabs


def _kind(key: str) -> GapKind:
    try:
        return GAP_KINDS[key]
    except KeyError:
        raise Http404 from None


@needs(Right.SEE_FIGURES)
def gaps(request: AccountRequest) -> HttpResponse:
    area, term = own_area(request), running_term()
    kind = _kind(request.GET.get("kind", GAPS[0].key))
    context: dict[str, object] = {"tabs": tabs(request, "aid-gaps"), "area": area, "term": term}
    if term is None:
        return render(request, "aid/gaps.html", context)
    basis = Basis(area, today())
    counts = {key: indicator.value(basis, request.scope) for key, indicator in INDICATORS.items()}
    whole, covered, missed = (i.value(basis, request.scope) for i in (ENTITLED, COVERED, MISSED))
    rows = INDICATORS[kind.key].queryset(basis, request.scope)
    shown = rows.select_related("student", "programme", "school").order_by("school_id", "student__pinyin", "pk")
    page = paged(request, shown)
    checks = {
        (check.student_id, check.programme_id): check
        for check in GapCheck.objects.filter(
            kind=kind.key, term=term, student__in=[row.student_id for row in page.rows]
        ).select_related("handed_by")
    }
    return render(
        request,
        "aid/gaps.html",
        context
        | {
            "kpis": [
                Kpi(number(ENTITLED, whole, area), covers(covered, whole)),
                Kpi(number(COVERED, covered, area), f"覆盖率 {display.percent(covered, whole)}"),
                Kpi(number(MISSED, missed, area)),
            ],
            "kinds": [
                Tab(one.label, address(request, kind=one.key, page=""), one is kind, int(counts[one.key]))
                for one in GAPS
            ],
            "kind": kind,
            "page": page,
            "rows": [_line(request, kind, row, checks.get((row.student_id, row.programme_id))) for row in page.rows],
            "full": covers(covered, whole) if kind.key == "missed" else "",
            "figure": number(INDICATORS[kind.key], counts[kind.key], area),
            "settle_url": reverse("aid-gap-settle") if _may_settle(request) else "",
            "hand_out_form": HandOutForm() if may(request.user, Right.AID) and page.rows else None,
        },
    )


def _may_settle(request: AccountRequest) -> bool:
    return may(request.user, Right.AID) or may(request.user, Right.UPLOAD)


def _line(request: AccountRequest, kind: GapKind, row: Any, check: GapCheck | None) -> dict[str, object]:
    state = display.State("warn", f"已派发，限{display.dense_date(check.due_on)}") if check else None
    return {
        "name": row.student.name,
        "public_id": row.student.public_id,
        "url": reverse("student", args=[row.student.public_id]),
        "programme": row.programme,
        "amount": row.amount,
        "school": row.school.name if row.school else "",
        "state": state,
    }


def _one(request: AccountRequest) -> tuple[GapKind, Term, Any]:
    """The gap that a form names, in the reader's scope; 404 otherwise."""
    kind, term = _kind(request.POST.get("kind", "")), running_term()
    area = own_area(request)
    if term is None:
        raise Http404
    rows: Any = INDICATORS[kind.key].queryset(Basis(area, today()), request.scope)
    row = rows.filter(
        student__public_id=request.POST.get("student", ""), programme__key=request.POST.get("programme", "")
    ).first()
    # The township of the hukou sees the row; the school's side answers for it.
    answers = row is not None and (
        request.scope.county or row.school_id in request.scope.schools or row.school_town_id in request.scope.towns
    )
    if not answers:
        raise Http404
    return kind, term, row


@needs(Right.AID, Right.UPLOAD)
@require_POST
def settle(request: AccountRequest) -> HttpResponse:
    kind, term, row = _one(request)
    form = SettleForm(request.POST)
    if form.is_valid():
        gap_checks.settle(kind, term, row, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, f"{row.student.name}已记为核实，不再列入“{kind.label}”。")
    else:
        messages.error(request, "请写明『核实情况』，以后查得到为什么不再列为问题。")
    return redirect(f"{reverse('aid-gaps')}?kind={kind.key}")


@needs(Right.AID)
@require_POST
def hand_out(request: AccountRequest) -> HttpResponse:
    """Every open gap of the kind in the area becomes a task of the school that answers for it."""
    kind, term = _kind(request.POST.get("kind", "")), running_term()
    form = HandOutForm(request.POST)
    if term is None:
        raise Http404
    if form.is_valid():
        rows = INDICATORS[kind.key].queryset(Basis(own_area(request), today()), request.scope)
        try:
            made = gap_checks.hand_out(kind, term, rows, due_on=form.cleaned_data["due_on"], by=request.user)
            messages.success(request, f"已派发 {made} 条核实任务，学校在本页逐条写核实情况。")
        except gap_checks.GapRefused as refusal:
            messages.error(request, str(refusal))
    else:
        messages.error(request, "请填写『限期』，如 2026-12-01。")
    return redirect(f"{reverse('aid-gaps')}?kind={kind.key}")
