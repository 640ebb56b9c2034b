"""学年更替: choose a place and a school year, look at every class, name exceptions and whereabouts, apply, undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import codes, display
from eduaid.core.display import State
from eduaid.core.models import SchoolYear
from eduaid.core.roles import Right, may, posts_of
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link, Option, address, paged
from eduaid.core.views.policy import AccountRequest, needs
from students import turning
from students.models import Student, Turned, YearTurn
from students.models.turns import Outcome, TurnState
from students.turning import CannotTurn, ClassLine
from students.views.figures import area_asked

_CLASSES, _NAMES = 40, 50
_LEVELS: dict[TurnState, display.Level] = {
    TurnState.DRAFT: "warn",
    TurnState.APPLIED: "ok",
    TurnState.UNDONE: "mute",
    TurnState.DROPPED: "mute",
}


@dataclass(frozen=True)
class TurnLine:
    label: str
    url: str
    by: str
    state: State


@dataclass(frozen=True)
class ClassRow:
    """A class of the preview; `key` names it in forms and addresses."""

    key: str
    label: str
    url: str
    becomes: str
    told: ClassLine


@dataclass(frozen=True)
class ChildRow:
    pk: int
    name: str
    url: str
    outcome: str
    destination: str
    note: str


def _crumbs(*last: Link) -> list[Link]:
    return [Link("学籍变动", reverse("moves")), Link("学年更替", reverse("turns")), *last]


@needs(Right.UPLOAD, Right.SEE_FIGURES)
def turns(request: AccountRequest) -> HttpResponse:
    page = paged(
        request,
        YearTurn.objects.within(request.scope)
        .exclude(state=TurnState.DROPPED)
        .select_related("year", "town", "school", "made_by")
        .order_by("-pk"),
    )
    places = [post.region or post.school for post in posts_of(request.user)]
    return render(
        request,
        "students/turns.html",
        {
            "rows": [
                TurnLine(str(one), reverse("turn", args=[one.pk]), f"{one.made_by} {display.dense_date(one.made_at)}", _state(one))
                for one in page.rows
            ],
            "page": page,
            "years": [Option(str(year.pk), str(year)) for year in SchoolYear.objects.order_by("-starts_on")[:4]],
            "places": list({place.code: Option(place.code, str(place)) for place in places if place}.values())
            if may(request.user, Right.UPLOAD)
            else [],
            "new_url": reverse("turn-new"),
            "crumbs": [Link("学籍变动", reverse("moves")), Link("学年更替")],
        },
    )  # fmt: skip


def _state(turn: YearTurn) -> State:
    return State(_LEVELS[TurnState(turn.state)], turn.get_state_display())


@require_POST
@needs(Right.UPLOAD)
def new(request: AccountRequest) -> HttpResponse:
    area = area_asked(request, request.POST.get("place", ""))
    chosen = request.POST.get("year", "")
    year = SchoolYear.objects.filter(pk=int(chosen)).first() if chosen.isdigit() and len(chosen) < 9 else None
    if year is None:
        messages.error(request, "请选择要进入的学年。没有的，先由县局在“设置—学年学期”中建立。")
        return redirect("turns")
    try:
        turn = turning.prepare(area, year, by=request.user)
    except (CannotTurn, NotAllowed) as refusal:
        messages.error(request, str(refusal))
        return redirect("turns")
    return redirect("turn", turn.pk)


def _turn(request: AccountRequest, pk: int) -> YearTurn:
    found = YearTurn.objects.within(request.scope).select_related("year", "town", "school").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@needs(Right.UPLOAD, Right.SEE_FIGURES)
def turn(request: AccountRequest, pk: int) -> HttpResponse:
    """All classes of the turn, or with `?class=` the children of one."""
    one = _turn(request, pk)
    told = turning.classes(one, request.scope)
    may_change = may(request.user, Right.UPLOAD) and one.state in (TurnState.DRAFT, TurnState.APPLIED)
    asked = request.GET.get("class", "")
    chosen = next((line for line in told if _key(line) == asked), None)
    context = {
        "turn": one,
        "state": _state(one),
        "is_draft": one.state == TurnState.DRAFT,
        "is_applied": one.state == TurnState.APPLIED,
        "may_change": may_change,
        "set_url": reverse("turn-set", args=[pk]),
        "apply_url": reverse("turn-apply", args=[pk]),
        "drop_url": reverse("turn-drop", args=[pk]),
        "undo_url": reverse("turn-undo", args=[pk]),
    }
    if chosen is not None:
        return _class(request, one, chosen, context)
    page = paged(request, told, size=_CLASSES)
    graduating = [line for line in told if line.graduate]
    return render(
        request,
        "students/turn.html",
        context
        | {
            "rows": [_row(request, line) for line in page.rows],
            "page": page,
            "totals": [sum(getattr(line, name) for line in told) for name in (*Outcome.values, "open")],
            "graduating": [Option(_key(line), _label(line)) for line in graduating][:200],
            "choices": _choices({line.grade for line in graduating}),
            "crumbs": _crumbs(Link(str(one))),
        },
    )


def _key(line: ClassLine) -> str:
    return f"{line.school}·{line.grade}·{line.class_name}"


def _label(line: ClassLine) -> str:
    return f"{line.school_name} {codes.GRADE.label(line.grade)}{line.class_name}"


def _row(request: AccountRequest, line: ClassLine) -> ClassRow:
    becomes = codes.GRADE.label(line.to_grade) if line.to_grade else "毕业"
    return ClassRow(_key(line), _label(line), address(request, **{"class": _key(line), "page": ""}), becomes, line)


def _choices(grades: set[str]) -> list[Option]:
    found: dict[str, str] = {}
    for grade in sorted(grades):
        found |= dict(turning.destinations(grade))
    return [Option(code, label) for code, label in found.items()]


def _class(request: AccountRequest, one: YearTurn, line: ClassLine, context: dict[str, object]) -> HttpResponse:
    page = paged(
        request,
        Turned.objects.within(request.scope)
        .filter(turn=one, school=line.school, grade=line.grade, class_name=line.class_name, withdrawn_at=None)
        .order_by("student__pinyin", "pk"),
        size=_NAMES,
    )
    children = Student.objects.within(request.scope).in_bulk([row.student_id for row in page.rows])
    return render(
        request,
        "students/turn_class.html",
        context
        | {
            "label": _label(line),
            "key": _key(line),
            "rows": [_child(row, children.get(row.student_id)) for row in page.rows],
            "page": page,
            "choices": _choices({line.grade}) if line.graduate else [],
            "back_url": reverse("turn", args=[one.pk]),
            "crumbs": _crumbs(Link(str(one), reverse("turn", args=[one.pk])), Link(_label(line))),
        },
    )


def _child(row: Turned, child: Student | None) -> ChildRow:
    becomes = f"→{codes.GRADE.label(row.to_grade)}" if row.outcome == Outcome.UP else ""
    return ChildRow(
        row.pk,
        child.name if child else "（已不在本校）",
        reverse("student", args=[child.public_id]) if child else "",
        f"{row.get_outcome_display()}{becomes}",
        codes.GRADUATION.label(row.destination) if row.destination else "",
        row.note,
    )


# --- the acts --------------------------------------------------------------------------------------------------


@require_POST
@needs(Right.UPLOAD)
def change(request: AccountRequest, pk: int) -> HttpResponse:
    """Whereabouts of whole classes or of ticked children, or who stays in the grade."""
    one = _turn(request, pk)
    back = reverse("turn", args=[pk])
    if request.POST.get("class"):
        back = f"{back}?{_query(request.POST['class'])}"
    try:
        chosen = _chosen(request)
        do = request.POST.get("do", "")
        if do in ("stay", "up"):
            done = turning.hold_back(one, chosen, back=do == "stay", by=request.user)
            messages.success(request, f"{done:,} 人{'留在原年级' if do == 'stay' else '恢复升级'}。")
        else:
            note, destination = request.POST.get("note", ""), request.POST.get("destination", "")
            done = turning.send(one, chosen, destination=destination, note=note, by=request.user)
            messages.success(request, f"已填写 {done:,} 名毕业生的去向：{codes.GRADUATION.label(destination)}。")
    except (CannotTurn, NotAllowed) as refusal:
        messages.error(request, str(refusal))
    return redirect(back)


def _query(key: str) -> str:

    return urlencode({"class": key})


def _chosen(request: AccountRequest) -> Q:
    """Ticked children, else one whole class, else (全部毕业班) everybody; raises CannotTurn."""
    ticked = [int(pk) for pk in request.POST.getlist("row") if pk.isdigit() and len(pk) < 12]
    if ticked:
        return Q(pk__in=ticked)
    group = request.POST.get("group", "")
    if group == "all":
        return Q()
    school, _, rest = group.partition("·")
    grade, _, class_name = rest.partition("·")
    if not school.isdigit():
        raise CannotTurn("没有选中学生。请勾选学生，或选择一个班。")
    return Q(school=int(school), grade=grade, class_name=class_name)


def _act(request: AccountRequest, pk: int, act: Callable[[YearTurn], str], after: str = "") -> HttpResponse:
    one = _turn(request, pk)
    try:
        messages.success(request, act(one))
    except (CannotTurn, NotAllowed) as refusal:
        messages.error(request, str(refusal))
        return redirect("turn", pk)
    return redirect(after) if after else redirect("turn", pk)


@require_POST
@needs(Right.UPLOAD)
def apply(request: AccountRequest, pk: int) -> HttpResponse:
    return _act(
        request, pk, lambda one: f"已办理，共 {turning.apply(one, by=request.user):,} 人。新年级以下学期的名册为准。"
    )


@require_POST
@needs(Right.UPLOAD)
def drop(request: AccountRequest, pk: int) -> HttpResponse:
    def act(one: YearTurn) -> str:
        turning.drop(one, by=request.user)
        return "预览已作废。"

    return _act(request, pk, act, "turns")


@needs(Right.UPLOAD)
def undo(request: AccountRequest, pk: int) -> HttpResponse:
    """What undoing would touch is shown before; it asks for the reason."""
    one = _turn(request, pk)
    if request.method == "POST":
        reason = request.POST.get("reason", "")

        def act(found: YearTurn) -> str:
            told = turning.undo(found, by=request.user, reason=reason)
            kept = f"，{told.kept:,} 人保留（{told.reason}）" if told.kept else ""
            return f"已撤销 {told.withdrawn:,} 人的升级和毕业{kept}。"

        return _act(request, pk, act)
    told = turning.undoing(one)
    return render(
        request,
        "students/turn_undo.html",
        {
            "turn": one,
            "told": told,
            "back_url": reverse("turn", args=[pk]),
            "crumbs": _crumbs(Link(str(one), reverse("turn", args=[pk])), Link("撤销")),
        },
    )
