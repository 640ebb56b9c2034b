"""学籍变动: what was asked for, what waits for the reader, one movement with its two persons and its papers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import codes, display
from eduaid.core.display import State
from eduaid.core.models import User
from eduaid.core.models.accounts import RoleKey
from eduaid.core.roles import Right, may, posts_of, today
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link, Tab, address, paged
from eduaid.core.views.policy import AccountRequest, needs
from students import moving
from students.models import Movement, Student
from students.models.movements import Authority, Kind, MovementQuerySet, Stand
from students.movement_forms import MovementForm
from students.moving import CannotMove, NoLonger
from students.views.common import student_in_scope

_PARTS = {
    "mine": "待我办理",
    "open": "全部待办理",
    "away": "休学缓学中",
    "lapsed": "到期未复学",
    "contradicted": "与名册不一致",
    "all": "全部",
}
_STATES: dict[Stand, display.Level] = {
    Stand.PROPOSED: "warn",
    Stand.ACCEPTED: "ok",
    Stand.REJECTED: "bad",
    Stand.WITHDRAWN: "mute",
    Stand.REVOKED: "mute",
}


@dataclass(frozen=True)
class Line:
    name: str
    url: str
    kind: str
    way: str
    days: str
    applied: str
    state: State


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True)
class Act:
    """A form on the page of a movement: what it does, which fields it asks."""

    url: str
    label: str
    field: str
    required: bool
    asks_number: bool = False
    danger: bool = False


def _crumbs(*last: Link) -> list[Link]:
    return [Link("学籍变动", reverse("moves")), *last]


@needs(Right.SEE_CHILDREN)
def moves(request: AccountRequest) -> HttpResponse:
    part = request.GET.get("part", "open")
    part = part if part in _PARTS else "open"
    rows = _part(request, part).select_related("from_school", "to_school", "applied_by").order_by("-applied_at", "-pk")
    page = paged(request, rows)
    return render(
        request,
        "students/moves.html",
        {
            "tabs": [Tab(label, address(request, part=key, page=""), key == part) for key, label in _PARTS.items()],
            "part": part,
            "rows": [_line(one, part) for one in page.rows],
            "page": page,
            "turns_url": reverse("turns")
            if may(request.user, Right.UPLOAD) or may(request.user, Right.SEE_FIGURES)
            else "",
            "students_url": reverse("students"),
            "crumbs": [Link("学籍变动")],
        },
    )


def _part(request: AccountRequest, part: str) -> MovementQuerySet:
    seen = Movement.objects.within(request.scope)
    if part == "mine":
        return seen.open().exclude(applied_by=request.user).filter(_for_me(request))
    if part == "open":
        return seen.open()
    if part == "away":
        return seen.in_effect(today()).filter(kind__in=(Kind.SUSPENSION, Kind.DEFERRAL))
    if part == "lapsed":
        return seen.lapsed(today())
    if part == "contradicted":
        with row_security(EVERYTHING, local=True):  # the roster may be another township's
            return seen.filter(pk__in=list(seen.contradicted().values_list("pk", flat=True)))
    return seen


def _for_me(request: AccountRequest) -> Q:
    """The condition of `moving.may_decide` over many."""
    if may(request.user, Right.APPROVE):
        return Q()
    if not may(request.user, Right.UPLOAD):
        return Q(pk=None)
    scope = request.scope
    arriving = Q(kind__in=(Kind.TRANSFER, Kind.ADMISSION, Kind.RESUMPTION))
    arriving &= Q(to_town__in=scope.towns) | Q(to_school__in=scope.schools)
    towns = [post.region_id for post in posts_of(request.user) if post.role == RoleKey.TOWN_HEAD]
    return arriving | Q(kind=Kind.DEFERRAL, authority=Authority.GOVERNMENT, from_town__in=towns)


def _line(one: Movement, part: str) -> Line:
    state = _state(one)
    if part == "contradicted":
        state = State("bad", "与名册不一致")
    elif part == "lapsed":
        state = State("bad", "到期未复学")
    return Line(
        one.child_name,
        reverse("move", args=[one.pk]),
        one.get_kind_display(),
        _way(one),
        _days(one),
        f"{one.applied_by} {display.dense_date(one.applied_at)}",
        state,
    )


def _state(one: Movement) -> State:
    return State(_STATES[Stand(one.state)], one.get_state_display())


def _way(one: Movement) -> str:
    here = one.from_school.name if one.from_school else ""
    there = one.to_school.name if one.to_school else ""
    if one.kind == Kind.OUT:
        return f"{here} → {one.elsewhere}"
    if one.kind == Kind.IN:
        return f"{one.elsewhere} → {there}"
    if one.kind == Kind.TRANSFER:
        return f"{here} → {there}"
    return here or there or display.NONE


def _days(one: Movement) -> str:
    if one.until_on is None:
        return f"{display.dense_date(one.from_on)} 起"
    return f"{display.dense_date(one.from_on)} 至 {display.dense_date(one.until_on)}"


# --- one movement ----------------------------------------------------------------------------------------------


def _movement(request: AccountRequest, pk: int) -> Movement:
    # Not with the child: that may lie beyond the reader's sight while the movement does not.
    found = (
        Movement.objects.within(request.scope)
        .select_related("from_school", "to_school", "from_town", "to_town", "applied_by", "decided_by", "closed_by")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


@needs(Right.SEE_CHILDREN)
def move(request: AccountRequest, pk: int) -> HttpResponse:
    return _page(request, pk)


def _page(request: AccountRequest, pk: int, refusal: Exception | None = None) -> HttpResponse:
    one = _movement(request, pk)
    child = Student.objects.within(request.scope).filter(pk=one.student_id).first()
    with row_security(EVERYTHING, local=True):
        contradiction = Movement.objects.filter(pk=pk).contradicted().first()
    papers = {paper.key: paper.label for paper in moving.PAPERS[one.kind]}
    return render(
        request,
        "students/move.html",
        {
            "movement": one,
            "state": _state(one),
            "child_url": reverse("student", args=[child.public_id]) if child else "",
            "facts": _facts(one, papers),
            "acts": _acts(one, request.user),
            "waits_for": moving.whose_turn(one) if one.is_open else "",
            "contradicted": contradiction is not None,
            "steps": _steps(one),
            "errors": [str(refusal)] if refusal else [],
            "crumbs": _crumbs(Link(f"{one.child_name}：{one.get_kind_display()}")),
        },
    )


def _facts(one: Movement, papers: dict[str, str]) -> list[Fact]:
    born = display.zh_date(one.child_birth_on) if one.child_birth_on else ""
    told = [
        ("姓名", one.child_name),
        ("性别", {"1": "男", "2": "女"}.get(one.child_sex, "")),
        ("出生日期", born),
        ("年级班级", f"{codes.GRADE.label(one.grade)}{one.class_name}"),
        ("原学校", _at(one.from_school, one.from_town)),
        ("去往学校", _at(one.to_school, one.to_town)),
        ("县外地点", f"{one.elsewhere}{'（省外）' if one.out_of_province else ''}" if one.elsewhere else ""),
        ("日期", _days(one)),
        ("事由", one.reason),
        ("已查验的材料", "、".join(papers[key] for key in one.papers if key in papers)),
        ("批准机关", one.get_authority_display() if one.authority else ""),
        ("批准文号", one.document_no),
    ]
    return [Fact(label, value) for label, value in told if value]


def _at(school: object, town: object) -> str:
    return f"{school}（{town}）" if school and town else str(school or "")


def _steps(one: Movement) -> list[dict[str, object]]:
    steps = [{"on": one.applied_at, "title": "提出", "by": str(one.applied_by), "text": one.reason}]
    if one.decided_by:
        word = "退回" if one.state == Stand.REJECTED else "同意"
        steps.append({"on": one.decided_at, "title": word, "by": str(one.decided_by), "text": one.note})
    if one.closed_by:
        word = one.get_state_display().removeprefix("已")
        steps.append({"on": one.closed_at, "title": word, "by": str(one.closed_by), "text": one.closing_reason})
    return steps


def _acts(one: Movement, user: User) -> list[Act]:
    found = []
    if moving.may_decide(one, user):
        asks_number = one.kind in (Kind.SUSPENSION, Kind.DEFERRAL, Kind.OUT)
        found.append(Act(reverse("move-accept", args=[one.pk]), "同意", "办理意见（可不填）", False, asks_number))
        found.append(Act(reverse("move-reject", args=[one.pk]), "退回", "退回的原因", True, danger=True))
    if moving.may_withdraw(one, user):
        found.append(Act(reverse("move-withdraw", args=[one.pk]), "撤回申请", "撤回的原因", True, danger=True))
    if moving.may_revoke(one, user):
        found.append(Act(reverse("move-revoke", args=[one.pk]), "撤销", "撤销的原因", True, danger=True))
    return found


def _decide(request: AccountRequest, pk: int, act: Callable[[Movement], None], done: str) -> HttpResponse:
    one = _movement(request, pk)
    try:
        act(one)
    except CannotMove as refusal:
        return _page(request, pk, refusal)
    except (NotAllowed, NoLonger) as refusal:
        messages.error(request, str(refusal))
        return redirect("move", pk)
    messages.success(request, f"{one.child_name}的{one.get_kind_display()}{done}。")
    return redirect("move", pk)


@require_POST
@needs(Right.UPLOAD, Right.APPROVE)
def accept(request: AccountRequest, pk: int) -> HttpResponse:
    note, number = request.POST.get("note", ""), request.POST.get("document_no", "")
    return _decide(
        request, pk, lambda one: moving.accept(one, by=request.user, note=note, document_no=number), "已同意"
    )


@require_POST
@needs(Right.UPLOAD, Right.APPROVE)
def reject(request: AccountRequest, pk: int) -> HttpResponse:
    note = request.POST.get("note", "")
    return _decide(request, pk, lambda one: moving.reject(one, by=request.user, reason=note), "已退回")


@require_POST
@needs(Right.UPLOAD)
def withdraw(request: AccountRequest, pk: int) -> HttpResponse:
    note = request.POST.get("note", "")
    return _decide(request, pk, lambda one: moving.withdraw(one, by=request.user, reason=note), "已撤回")


@require_POST
@needs(Right.APPROVE)
def revoke(request: AccountRequest, pk: int) -> HttpResponse:
    note = request.POST.get("note", "")
    return _decide(request, pk, lambda one: moving.revoke(one, by=request.user, reason=note), "已撤销，不再有效")


# --- asking for one --------------------------------------------------------------------------------------------


@needs(Right.UPLOAD)
def choose(request: AccountRequest, public_id: str) -> HttpResponse:
    """Which movement of this child."""
    child = student_in_scope(public_id, request.scope)
    enrolled = child.school is not None and not child.school.is_outside
    kinds = (
        (Kind.TRANSFER, Kind.OUT, Kind.SUSPENSION, Kind.RESUMPTION)
        if enrolled
        else (Kind.ADMISSION, Kind.IN, Kind.RESUMPTION, Kind.DEFERRAL)
    )
    return render(
        request,
        "students/move_choose.html",
        {
            "student": child,
            "kinds": [
                {
                    "label": kind.label,
                    "url": reverse("move-new", args=[public_id, kind.value]),
                    "papers": "、".join(paper.label for paper in moving.PAPERS[kind] if paper.needed),
                }
                for kind in kinds
            ],
            "history": [_line(one, "") for one in Movement.objects.within(request.scope).filter(student=child).select_related(
                "from_school", "to_school", "applied_by"
            )[:50]],
            "crumbs": _crumbs(Link(child.name, reverse("student", args=[public_id])), Link("办理")),
        },
    )  # fmt: skip


@needs(Right.UPLOAD)
def new(request: AccountRequest, public_id: str, kind: str) -> HttpResponse:
    if kind not in Kind.values:
        raise Http404
    child = student_in_scope(public_id, request.scope)
    form = MovementForm(
        request.POST if request.method == "POST" else None, kind=Kind(kind), child=child, scope=request.scope
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = moving.propose(child, form.asked(), by=request.user)
        except CannotMove as refusal:
            form.refuse(refusal)
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"已提出，等待{moving.whose_turn(made)}办理。")
            return redirect("move", made.pk)
    return render(
        request,
        "students/move_new.html",
        {
            "form": form,
            "student": child,
            "kind_label": Kind(kind).label,
            "back_url": reverse("move-choose", args=[public_id]),
            "crumbs": _crumbs(
                Link(child.name, reverse("student", args=[public_id])),
                Link("办理", reverse("move-choose", args=[public_id])),
                Link(str(Kind(kind).label)),
            ),
        },
    )
