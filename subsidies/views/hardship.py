"""/aid/hardship/: who is recognised, whose turn it is, and one child's recognition from application to file."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import display
from eduaid.core.indicators import Basis
from eduaid.core.models import Term
from eduaid.core.roles import Right, may, today
from eduaid.core.views.pages import Link, Tab, address, paged
from eduaid.core.views.policy import AccountRequest, needs
from students.models import Student
from subsidies import recognition
from subsidies.aid_forms import ApplicationForm, CommentForm, NoticeForm, ReviewForm
from subsidies.indicators import RECOGNISED, RECOGNISED_NOTHING, WAITING
from subsidies.models import ChildCategory, Recognition
from subsidies.models.hardship import RecognitionState
from subsidies.models.programmes import number_of
from subsidies.views.common import Kpi, number, own_area, running_term, term_asked
from subsidies.views.tabs import tabs

_LEVELS: dict[str, display.Level] = {
    RecognitionState.APPLIED: "warn",
    RecognitionState.REVIEWED: "warn",
    RecognitionState.APPROVED: "ok",
    RecognitionState.NOTICED: "ok",
    RecognitionState.FILED: "ok",
    RecognitionState.REFUSED: "bad",
    RecognitionState.WITHDRAWN: "mute",
}


def _state(one: Recognition) -> display.State:
    return display.State(_LEVELS[one.state], one.get_state_display())


def _may_record(request: AccountRequest) -> bool:
    return may(request.user, Right.UPLOAD)


@needs(Right.SEE_FIGURES)
def hardship(request: AccountRequest) -> HttpResponse:
    """The recognitions of the school year by state; the first state with something to do is shown."""
    area, term = own_area(request), running_term()
    context: dict[str, object] = {"tabs": tabs(request, "aid-hardship"), "area": area, "term": term}
    if term is None:
        return render(request, "aid/hardship.html", context)
    every = Recognition.objects.within(request.scope).filter(year=term.year_id).at_schools_of(area)
    states = list(RecognitionState)
    counts = {state: every.filter(state=state).count() for state in states}
    default = next((s for s in (RecognitionState.REVIEWED, RecognitionState.APPLIED) if counts[s]), states[0])
    asked = request.GET.get("state", default.value)
    current = RecognitionState(asked) if asked in RecognitionState.values else default
    page = paged(
        request,
        every.filter(state=current)
        .select_related("student", "school", "term")
        .order_by("school_id", "student__pinyin", "pk"),
    )
    basis = Basis(area, today())
    kpis = [
        Kpi(number(one, one.value(basis, request.scope), area)) for one in (RECOGNISED, RECOGNISED_NOTHING, WAITING)
    ]
    return render(
        request,
        "aid/hardship.html",
        context
        | {
            "kpis": kpis,
            "states": [
                Tab(state.label, address(request, state=state.value, page=""), state is current, counts[state])
                for state in states
            ],
            "rows": [{"one": one, "state": _state(one), "url": _url(one)} for one in page.rows],
            "page": page,
            "prefill_url": reverse("aid-hardship-prefill") if _may_record(request) else "",
        },
    )


def _url(one: Recognition) -> str:
    return f"{reverse('aid-recognition', args=[one.student.public_id])}?term={number_of(one.term)}"


@needs(Right.UPLOAD)
@require_POST
def prefill(request: AccountRequest) -> HttpResponse:
    """报过的不再报: an application for everybody whom lists in force name, to be reviewed."""
    term = running_term()
    if term is None:
        raise Http404
    held = RECOGNISED.queryset(Basis(own_area(request), today()), request.scope)
    made = recognition.prefill(term, list(held.values_list("pk", flat=True)), by=request.user)
    messages.success(
        request, f"已按生效名单预填 {made} 份，请学校评议。" if made else "名单上的学生都已有认定，没有新增。"
    )
    return redirect(f"{reverse('aid-hardship')}?state=applied")


def _child(request: AccountRequest, public_id: str, term: Term) -> Student:
    """A child of the side that answers: the school, its township, the bureau; 404 beyond, also where the hukou lies."""
    found = Student.objects.within(request.scope).filter(public_id=public_id, enrolments__term=term)
    if not request.scope.county:
        found = found.filter(school__in=request.scope.schools) | found.filter(school_town__in=request.scope.towns)
    child = found.select_related("school").first()
    if child is None:
        raise Http404
    return child


@needs(Right.SEE_FIGURES)
def recognise(request: AccountRequest, public_id: str) -> HttpResponse:
    """One child's recognition in a term: the application is recorded here, and each later step is taken here."""
    term = term_asked(request)
    if term is None:
        raise Http404
    child = _child(request, public_id, term)
    one = (
        Recognition.objects.within(request.scope)
        .filter(student=child, term=term)
        .exclude(state=RecognitionState.WITHDRAWN)
        .select_related("recorded_by", "reviewed_by", "decided_by", "school")
        .first()
    )
    form = _step(request, one)
    back = f"{request.path}?term={number_of(term)}"
    if request.method == "POST":
        if form is None:
            raise Http404
        if form.is_valid():
            try:
                _take(request, child, term, one, form.cleaned_data)
                messages.success(request, "已保存。")
                return redirect(back)
            except recognition.RecognitionRefused as refusal:
                form.add_error(None, str(refusal))
    return render(
        request,
        "aid/recognition.html",
        {
            "tabs": tabs(request, "aid-hardship"),
            "crumbs": [Link("困难认定", reverse("aid-hardship")), Link(child.name)],
            "child": child,
            "term": term,
            "one": one,
            "state": _state(one) if one else None,
            "held": ChildCategory.objects.filter(student=child).select_related(None),
            "form": form,
            "buttons": _buttons(request, one) if form is not None else [],
        },
    )


def _step(
    request: AccountRequest, one: Recognition | None
) -> ApplicationForm | ReviewForm | CommentForm | NoticeForm | None:
    """The form of the next step that the reader may take; None where it is somebody else's turn."""
    data = request.POST or None
    records, decides = _may_record(request), may(request.user, Right.AID)
    if one is None:
        return ApplicationForm(data, initial={"applied_on": today()}) if records else None
    if one.state == RecognitionState.APPLIED and records:
        return ReviewForm(data, initial={"tier": one.tier, "reviewed_on": today()})
    if one.state == RecognitionState.APPROVED and decides:
        return NoticeForm(data)
    if one.state in (RecognitionState.REVIEWED, RecognitionState.NOTICED, RecognitionState.FILED) and decides:
        return CommentForm(data)
    return None


def _buttons(request: AccountRequest, one: Recognition | None) -> list[tuple[str, str]]:
    """(value, label) of what may be done now; the first is the usual one."""
    if one is None:
        return [("apply", "登记申请")]
    return {
        RecognitionState.APPLIED: [("review", "提交县局审核")],
        RecognitionState.REVIEWED: [("approve", "通过"), ("back", "退回学校"), ("refuse", "不予认定")],
        RecognitionState.APPROVED: [("notice", "登记公示")],
        RecognitionState.NOTICED: [("file", "归档"), ("withdraw", "撤回认定")],
        RecognitionState.FILED: [("withdraw", "撤回认定")],
    }.get(RecognitionState(one.state), [])


def _take(
    request: AccountRequest, child: Student, term: Term, one: Recognition | None, said: dict[str, object]
) -> None:
    """Takes the step whose button was pressed. Raises RecognitionRefused."""
    by, data = request.user, dict(said)
    if one is None:
        recognition.apply(child, term=term, by=by, **data)  # type: ignore[arg-type]  # the form's own fields
        return
    step = request.POST.get("step", "")
    if step not in {value for value, _ in _buttons(request, one)}:
        raise recognition.RecognitionRefused("这一步现在不能办理，请刷新后再看。")
    act = {
        "review": recognition.review,
        "approve": recognition.approve,
        "back": recognition.send_back,
        "refuse": recognition.refuse,
        "notice": recognition.notice,
        "file": recognition.file,
        "withdraw": recognition.withdraw,
    }[step]
    if step == "file":
        data = {}
    act(one, by=by, **data)  # type: ignore[operator]  # each takes its form's fields
