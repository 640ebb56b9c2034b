"""Where a child is: its whereabouts in the open rounds with their history, and saying so, for one child or for many at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from dropout import actions
from dropout.forms import WhereaboutsForm
from dropout.models import Verdict, Whereabouts
from dropout.models.census import Source, Window
from dropout.views.common import crumbs, strip
from dropout.views.ledgers import state_of
from eduaid.core import access, codes
from eduaid.core.display import State
from eduaid.core.models import User
from eduaid.core.models.access import Action
from eduaid.core.roles import Right, may
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from students.models import Student

_MOST = 500


@dataclass(frozen=True)
class Step:
    """One state that the whereabouts had: when, what, by whom and why."""

    at: dt.datetime
    what: str
    by: str
    why: str


@dataclass(frozen=True)
class InRound:
    """A child's whereabouts in one round. `listed`: what the lists say otherwise, of a contested decision."""

    round: str
    url: str
    state: State
    where: str
    proof: str
    basis: str
    document: str
    row_url: str
    decided: str
    is_open: bool
    contested: str
    keep_url: str
    undo_url: str
    steps: Sequence[Step]


def _child(public_id: str, request: AccountRequest) -> Student:
    found = (
        Student.objects.within(request.scope)
        .select_related("hukou_town", "hukou_village", "school")
        .filter(public_id=public_id)
        .first()
    )
    if found is None:
        raise Http404("没有这名学生")
    return found


def _may_decide(request: AccountRequest) -> bool:
    return may(request.user, Right.UPLOAD) or may(request.user, Right.CARE)


@needs(Right.SEE_CHILDREN)
def whereabouts(request: AccountRequest, public_id: str) -> HttpResponse:
    """The child in every round, the newest first, and the form for the open one. Each opening is logged."""
    child = _child(public_id, request)
    access.note(by=request.user, action=Action.VIEW, subject_kind="student", subject_id=child.pk, page=request.path)
    held = list(
        Whereabouts.objects.within(request.scope)
        .filter(student=child)
        .select_related("round", "where_school", "decided_by", "verdict")
        .order_by("-round__opened_at")
    )
    target = next((one for one in held if one.round.is_open and one.round.window == Window.COMPULSORY), None)
    target = target or next((one for one in held if one.round.is_open), None)
    form = None
    if target is not None and _may_decide(request):
        form = WhereaboutsForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                verdict = actions.decide(target, form.said(), by=request.user)
            except actions.CannotDecide as refusal:
                form.say(refusal.field, str(refusal))
            except (actions.NotPossible, NotAllowed) as refusal:
                messages.warning(request, str(refusal))
                return redirect("whereabouts", public_id)
            else:
                messages.success(
                    request, f"{child.name}的去向已记为“{codes.WHEREABOUTS.label(verdict.code)}”。记错了可在下面撤销。"
                )
                return redirect("whereabouts", public_id)
    return render(
        request,
        "dropout/whereabouts.html",
        {
            **strip(request),
            "crumbs": crumbs(Link(child.name)),
            "student": child,
            "student_url": reverse("student", args=[child.public_id]),
            "rounds": _rounds(request, held),
            "form": form,
            "proofs": _proofs(),
        },
    )


def _proofs() -> list[tuple[str, str]]:
    """Which proof each whereabouts needs, as the table of codes has it."""
    return [(f"{e.code} {e.label}", e.facts["evidence"]) for e in codes.WHEREABOUTS if e.facts["evidence"]]


def _rounds(request: AccountRequest, held: Sequence[Whereabouts]) -> list[InRound]:
    events: Any = Whereabouts.pgh_event_model.objects  # type: ignore[attr-defined]
    told = list(events.filter(pgh_obj_id__in=[one.pk for one in held]).order_by("pgh_id"))
    users = dict(
        User.objects.filter(pk__in={e.decided_by_id for e in told if e.decided_by_id}).values_list("pk", "display_name")
    )
    may_decide = _may_decide(request)
    shown = []
    for one in held:
        mine = may_decide and one.round.is_open
        shown.append(
            InRound(
                one.round.name,
                reverse("census-round", args=[one.round_id]),
                state_of(one),
                one.where,
                one.get_proof_display() if one.code.startswith("A") else "",
                one.basis,
                one.document,
                reverse("row-trace", args=[one.basis_row_id])
                if one.basis_row_id and may(request.user, Right.SEE_CHILDREN)
                else "",
                f"{one.decided_by}" if one.decided_by else Source.DERIVED.label,
                one.round.is_open,
                f"{codes.WHEREABOUTS.label(one.contested_code)}（{one.contested_basis}）" if one.contested_code else "",
                reverse("whereabouts-keep", args=[one.student.public_id, one.pk]) if mine else "",
                reverse("whereabouts-undo", args=[one.verdict_id]) if mine and one.verdict_id else "",
                _steps([event for event in told if event.pgh_obj_id == one.pk], users),
            )
        )
    return shown


def _steps(events: Sequence[Any], users: dict[int, str]) -> list[Step]:
    """Each state once: what changed beside code, reason and author is no step."""
    steps: list[Step] = []
    seen: tuple[object, ...] = ()
    for position, event in enumerate(events):
        after = events[position + 1] if position + 1 < len(events) else None
        if after is not None and after.pgh_created_at == event.pgh_created_at:
            continue
        state = (event.code, event.basis, event.decided_by_id, event.contested_code)
        if state == seen:
            continue
        seen = state
        what = codes.WHEREABOUTS.label(event.code) or "未核"
        if event.contested_code:
            what += f"（名单另说：{codes.WHEREABOUTS.label(event.contested_code)}）"
        who = users.get(event.decided_by_id, "") if event.source == Source.PERSON else Source.DERIVED.label
        steps.append(Step(event.pgh_created_at, what, who, event.basis))
    return steps[::-1]


@require_POST
@needs(Right.UPLOAD, Right.CARE)
def keep(request: AccountRequest, public_id: str, pk: int) -> HttpResponse:
    child = _child(public_id, request)
    one = Whereabouts.objects.within(request.scope).filter(pk=pk, student=child).first()
    if one is None:
        raise Http404
    try:
        actions.keep(one, by=request.user)
    except (actions.NotPossible, NotAllowed) as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, "已维持原来的认定。名单再有变化时会重新提示。")
    return redirect("whereabouts", public_id)


@require_POST
@needs(Right.UPLOAD, Right.CARE)
def many(request: AccountRequest) -> HttpResponse:
    """First shows whom it will touch and asks what to say of them; with the answer it is done, all or none."""
    ids = [int(value) for value in request.POST.getlist("row") if value.isdigit() and len(value) < 19][:_MOST]
    held = list(
        Whereabouts.objects.within(request.scope)
        .filter(pk__in=ids, round__closed_at=None)
        .select_related("student", "student__hukou_town", "round")
        .order_by("student__pinyin", "pk")
    )
    if not held:
        messages.warning(request, "没有选中学生。请先在名单里勾选，再点“批量认定”。")
        return redirect("dropout")
    form = WhereaboutsForm(request.POST if "code" in request.POST else None)
    if form.is_bound and form.is_valid():
        try:
            verdict = actions.decide_many([one.pk for one in held], form.said(), by=request.user)
        except actions.CannotDecide as refusal:
            form.say(refusal.field, str(refusal))
        except (actions.NotPossible, NotAllowed) as refusal:
            messages.warning(request, str(refusal))
            return redirect("dropout")
        else:
            messages.success(
                request,
                f"{len(held)} 人的去向已记为“{codes.WHEREABOUTS.label(verdict.code)}”。可在轮次页撤销这次认定。",
            )
            return redirect("census-round", held[0].round_id)
    return render(
        request,
        "dropout/many.html",
        {
            **strip(request),
            "crumbs": crumbs(Link("批量认定")),
            "chosen": held,
            "decided": [one for one in held if one.source == Source.PERSON],
            "form": form,
            "proofs": _proofs(),
            "back_url": reverse("dropout"),
        },
    )


@needs(Right.UPLOAD, Right.CARE)
def undo(request: AccountRequest, pk: int) -> HttpResponse:
    """Says first how many children it takes back, then does it."""
    verdict = Verdict.objects.select_related("round", "by").filter(pk=pk).first()
    mine = (
        list(Whereabouts.objects.within(request.scope).filter(verdict=pk).select_related("student")) if verdict else []
    )
    if verdict is None or not (mine or request.scope.county or verdict.by_id == request.user.pk):
        raise Http404
    back = reverse("census-round", args=[verdict.round_id])
    if request.method == "POST":
        try:
            done = actions.undo(verdict, by=request.user)
        except (actions.NotPossible, NotAllowed) as refusal:
            messages.warning(request, str(refusal))
        else:
            since = f"，{done.decided_since} 人之后另有认定，保持不变" if done.decided_since else ""
            messages.success(request, f"已撤销 {done.taken_back} 人的认定{since}。")
        return redirect(back)
    effects = [
        f"{len(mine)} 人恢复到认定之前：此前另有人工认定的恢复那次认定，其余按现在的名单推定，推定不出的为未核。"
    ]
    if verdict.children > len(mine):
        effects.append(f"{verdict.children - len(mine)} 人之后另有认定，或不在您的范围内，不受影响。")
    return render(
        request,
        "confirm.html",
        {
            "crumbs": crumbs(Link(verdict.round.name, back), Link("撤销认定")),
            "title": "撤销认定",
            "question": f"{verdict.by}把 {verdict.children} 人的去向认定为“{codes.WHEREABOUTS.label(verdict.code)}”，要撤销吗？",
            "effects": effects,
            "confirm_label": "撤销认定",
            "danger": True,
            "back_url": back,
        },
    )
