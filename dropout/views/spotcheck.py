"""P32 随机抽查: draw by a seed, a call sheet to print, what the calls found, what was put right, the text for the bulletin."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from dropout import bulletin, spot
from dropout.models import SpotCall, SpotCheck
from dropout.models.spot_checks import Outcome
from dropout.proof_forms import DrawForm, OutcomeForm, RectifyForm
from dropout.views.proof_common import crumbs, figure_of, own_area, say_at, shown
from eduaid.core import display
from eduaid.core.indicators import Basis, indicator_of
from eduaid.core.models import Region
from eduaid.core.roles import Right, may, today
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link, Tab, paged
from eduaid.core.views.policy import AccountRequest, needs
from students.views.figures import Figure

_LEVELS: dict[str, display.Level] = {
    Outcome.WAITING: "mute",
    Outcome.TRUE: "ok",
    Outcome.UNTRUE: "bad",
    Outcome.UNREACHABLE: "warn",
}
_PARTS = (
    ("spotcheck", ""),
    ("spotcheck.called", ""),
    ("spotcheck.true", "true"),
    ("spotcheck.untrue", "untrue"),
    ("spotcheck.unreachable", "unreachable"),
)


@needs(Right.VERIFY)
def spotchecks(request: AccountRequest) -> HttpResponse:
    """What was drawn so far, and the form for a new draw."""
    form = DrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = spot.draw(by=request.user, **form.cleaned_data)
        except spot.CannotDraw as refusal:
            say_at(form, refusal.field, str(refusal))
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"已抽取。随机种子是 {made.seed}，请记入抽查记录。")
            return redirect("spotcheck", made.pk)
    area = own_area(request)
    page = paged(request, SpotCheck.objects.select_related("drawn_by", "round"))
    return shown(
        request,
        "spotcheck/index.html",
        {
            "crumbs": crumbs(Link("随机抽查")),
            "form": form,
            "kpis": [
                {"figure": figure_of(request, key, area), "more": ""}
                for key in ("spotcheck", "spotcheck.true", "spotcheck.untrue", "spotcheck.unrectified")
            ],
            "rows": [(check, reverse("spotcheck", args=[check.pk])) for check in page.rows],
            "page": page,
        },
    )


def _check_or_404(pk: int) -> SpotCheck:
    check = SpotCheck.objects.select_related("drawn_by", "round").filter(pk=pk).first()
    if check is None:
        raise Http404
    return check


@dataclass(frozen=True)
class Line:
    call: SpotCall
    url: str
    child_url: str
    state: display.State
    task: display.State | None


def _line(call: SpotCall) -> Line:
    task = None
    if call.outcome == Outcome.UNTRUE:
        if call.rectified_on:
            task = display.State("ok", f"{display.dense_date(call.rectified_on)} 已整改")
        elif call.due_on and call.due_on < today():
            task = display.State("bad", f"逾期{(today() - call.due_on).days}天")
        else:
            task = display.State("warn", f"限 {display.dense_date(call.due_on)}")
    return Line(
        call,
        reverse("spot-call", args=[call.check_of_id, call.pk]),
        reverse("student", args=[call.student.public_id]),
        display.State(_LEVELS[call.outcome], call.get_outcome_display()),
        task,
    )


def _figures(request: AccountRequest, check: SpotCheck) -> dict[str, Figure]:
    """The figures of one check: those of the indicator, narrowed to it."""
    home = Region.objects.get(is_home=True)
    basis = Basis(home, today(), drill={"check_of": str(check.pk)})
    found = {}
    for key in (*(key for key, _ in _PARTS), "spotcheck.rectified", "spotcheck.unrectified", "spotcheck.reached"):
        indicator = indicator_of(key)
        url = f"{reverse('indicator', args=[key])}?check={check.pk}" if may(request.user, Right.SEE_FIGURES) else ""
        found[key] = Figure(indicator.value(basis, request.scope), url, indicator.unit, indicator.label)
    return found


def _counts(figures: dict[str, Figure], check: SpotCheck) -> bulletin.Counts:
    def of(key: str) -> int:
        return int(figures[key].value)

    return bulletin.Counts(
        of("spotcheck"),
        of("spotcheck.called"),
        of("spotcheck.true"),
        of("spotcheck.untrue"),
        of("spotcheck.unreachable"),
        of("spotcheck.rectified"),
        len(check.pools.all()),
    )


@needs(Right.VERIFY)
def spotcheck(request: AccountRequest, pk: int) -> HttpResponse:
    check = _check_or_404(pk)
    outcome = request.GET.get("outcome", "")
    calls = SpotCall.objects.within(request.scope).filter(check_of=check)
    if outcome in Outcome.values and outcome:
        calls = calls.filter(outcome=outcome)
    elif outcome == "waiting":
        calls = calls.filter(outcome="")
    page = paged(
        request, calls.select_related("student", "pool__school", "pool__town", "check_of").order_by("pool_id", "id")
    )
    figures = _figures(request, check)
    counts = _counts(figures, check)
    here = reverse("spotcheck", args=[check.pk])
    return shown(
        request,
        "spotcheck/check.html",
        {
            "crumbs": crumbs(Link("随机抽查", reverse("spotchecks")), Link(check.name)),
            "check": check,
            "kpis": [
                {"figure": figures[key], "more": ""}
                for key in ("spotcheck", "spotcheck.called", "spotcheck.untrue", "spotcheck.unrectified")
            ],
            "share": display.percent(counts.true, counts.reached),
            "tabs": [
                Tab(label, f"{here}?outcome={key}" if key else here, outcome == key)
                for key, label in (("", "全部"), ("waiting", "未抽查"), *((o.value, o.label) for o in Outcome if o))
            ],
            "rows": [_line(call) for call in page.rows],
            "page": page,
            "sheet_url": reverse("spot-sheet", args=[check.pk]),
            "bulletin": bulletin.paragraph(
                check.name, timezone.localdate(check.drawn_at), check.per_school, check.seed, counts
            ),
            "again_url": reverse("spot-again", args=[check.pk]),
        },
    )


@needs(Right.VERIFY)
def sheet(request: AccountRequest, pk: int) -> HttpResponse:
    """To print: names, where they are said to be, room for what was heard; no numbers."""
    check = _check_or_404(pk)
    calls = SpotCall.objects.within(request.scope).filter(check_of=check)
    page = paged(request, calls.select_related("student", "pool__school", "pool__town").order_by("pool_id", "id"))
    return shown(
        request,
        "spotcheck/sheet.html",
        {
            "crumbs": crumbs(
                Link("随机抽查", reverse("spotchecks")),
                Link(check.name, reverse("spotcheck", args=[check.pk])),
                Link("电话记录单"),
            ),
            "check": check,
            "rows": page.rows,
            "page": page,
            "printed_by": str(request.user),
            "printed_at": timezone.now(),
        },
    )


@require_POST
@needs(Right.VERIFY)
def again(request: AccountRequest, pk: int) -> HttpResponse:
    """Draws once more from the kept pools with the kept seed and says whether the same children come out."""
    check = _check_or_404(pk)
    if spot.drawn_again(check):
        messages.success(request, f"用种子 {check.seed} 重抽，结果与原来完全一致。")
    else:
        messages.error(request, "重抽的结果与原来不一致，抽查记录可能被改动过。请联系系统管理员核查。")
    return redirect("spotcheck", check.pk)


def _call_or_404(request: AccountRequest, pk: int, call_pk: int) -> SpotCall:
    call = (
        SpotCall.objects.within(request.scope)
        .select_related("student", "student__hukou_town", "pool__school", "pool__town", "check_of", "called_by")
        .filter(pk=call_pk, check_of=pk)
        .first()
    )
    if call is None:
        raise Http404
    return call


@needs(Right.VERIFY)
def call(request: AccountRequest, pk: int, call_pk: int) -> HttpResponse:
    """One child: what is said, the outcome, and the task of an untrue record. Afterwards the next who waits."""
    one = _call_or_404(request, pk, call_pk)
    initial = {"outcome": one.outcome, "note": one.note, "due_on": one.due_on}
    form = OutcomeForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            spot.note(one, outcome=said["outcome"], text=said["note"], due_on=said["due_on"], by=request.user)
        except spot.CannotNote as refusal:
            say_at(form, refusal.field, str(refusal))
        except (spot.NotPossible, NotAllowed) as refusal:
            form.add_error(None, str(refusal))
        else:
            following = one.check_of.calls.filter(outcome="", pk__gt=one.pk).first()
            messages.success(request, f"已登记{one.student.name}的结果。")
            if following is None:
                return redirect("spotcheck", pk)
            return redirect("spot-call", pk, following.pk)
    return _call_page(request, one, form, RectifyForm(prefix="r", initial={"on": today()}))


def _call_page(request: AccountRequest, one: SpotCall, form: OutcomeForm, rectify_form: RectifyForm) -> HttpResponse:
    return shown(
        request,
        "spotcheck/call.html",
        {
            "crumbs": crumbs(
                Link("随机抽查", reverse("spotchecks")),
                Link(one.check_of.name, reverse("spotcheck", args=[one.check_of_id])),
                Link(one.student.name),
            ),
            "line": _line(one),
            "form": form,
            "closed": one.rectified_on is not None,
            "rectify": rectify_form if one.outcome == Outcome.UNTRUE and one.rectified_on is None else None,
            "rectify_url": reverse("spot-rectify", args=[one.check_of_id, one.pk]),
            "phone_urls": [
                (label, reverse("student-reveal", args=[one.student.public_id, what]))
                for label, what in (("监护人电话", "guardian-phone"), ("联系电话", "phone"))
            ]
            if may(request.user, Right.REVEAL)
            else [],
            "back_url": reverse("spotcheck", args=[one.check_of_id]),
        },
    )


@require_POST
@needs(Right.VERIFY)
def rectify(request: AccountRequest, pk: int, call_pk: int) -> HttpResponse:
    one = _call_or_404(request, pk, call_pk)
    form = RectifyForm(request.POST, prefix="r")
    if form.is_valid():
        try:
            spot.rectify(one, text=form.cleaned_data["note"], on=form.cleaned_data["on"], by=request.user)
        except spot.CannotNote as refusal:
            say_at(form, refusal.field, str(refusal))
        except (spot.NotPossible, NotAllowed) as refusal:
            messages.warning(request, str(refusal))
            return redirect("spotcheck", pk)
        else:
            messages.success(request, f"{one.student.name}的整改已销号。")
            return redirect("spotcheck", pk)
    return _call_page(request, one, OutcomeForm(), form)
