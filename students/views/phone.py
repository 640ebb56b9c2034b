"""P40, P41: on a phone, the children whom the reader answers for, and one of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import access, codes, display
from eduaid.core.display import State
from eduaid.core.models.access import Action
from eduaid.core.roles import Right, today
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.sealing import Unreadable
from eduaid.core.views.pages import Link, paged
from eduaid.core.views.policy import AccountRequest, needs
from students import numbers, provenance
from students.models import Movement, Responsibility, Student
from students.models.movements import ABSENCES
from students.numbers import NUMBERS, NotOnFile
from students.views.reveal import SECONDS, alert_when_many

_CARDS = 50
_PHONE = NUMBERS["guardian-phone"]


@dataclass(frozen=True)
class Card:
    name: str
    url: str
    school: str
    state: State
    since: str


@needs(Right.CARE)
def charges(request: AccountRequest) -> HttpResponse:
    """P40: a card a child; who needs attention comes first. As many queries for one as for fifty."""
    held = Responsibility.objects.held_on(today()).filter(user=request.user)
    mine = Student.objects.filter(pk__in=held.values("student"), merged_into=None).select_related("school")
    page = paged(
        request, mine.order_by("in_roster", "school__code", "grade", "class_name", "pinyin", "pk"), size=_CARDS
    )
    shown = [child.pk for child in page.rows]
    since = dict(held.filter(student__in=shown).values_list("student", "from_on"))
    away = {one.student_id: one for one in _away(shown)}
    return render(
        request,
        "students/charges.html",
        {
            "cards": [
                Card(
                    child.name,
                    reverse("charge", args=[child.public_id]),
                    _place(child),
                    _state(child, away.get(child.pk)),
                    display.dense_date(since[child.pk]),
                )
                for child in page.rows
            ],
            "page": page,
        },
    )


def _away(students: list[int]) -> list[Movement]:
    return list(Movement.objects.in_effect(today()).filter(student__in=students, kind__in=ABSENCES))


def _place(child: Student) -> str:
    school = child.school.name if child.school else ""
    return f"{school} {codes.GRADE.label(child.grade)}{child.class_name}".strip() or "现在没有就读学校"


def _state(child: Student, away: Movement | None) -> State:
    """From what exists now: lists and movements."""
    if child.is_withdrawn:
        return State("mute", "来源已撤回")
    if away is not None:
        return State("warn", f"{away.get_kind_display()}，至 {display.dense_date(away.until_on)}")
    return State("ok", "在班") if child.in_roster else State("bad", "名册上没有，去向待核")


def _mine(request: AccountRequest, public_id: str) -> Student:
    """404 for a child whom somebody else answers for: it does not exist here."""
    held = Responsibility.objects.held_on(today()).filter(user=request.user).values("student")
    child = Student.objects.select_related("school", "hukou_village").filter(public_id=public_id, pk__in=held).first()
    if child is None:
        raise Http404
    return child


@needs(Right.CARE)
def charge(request: AccountRequest, public_id: str) -> HttpResponse:
    return _page(request, _mine(request, public_id))


@require_POST
@needs(Right.CARE)
def phone(request: AccountRequest, public_id: str) -> HttpResponse:
    """The guardian's phone for calling the family: shown for thirty seconds, always logged."""
    child = _mine(request, public_id)
    try:
        with row_security(EVERYTHING, local=True):
            text = numbers.in_full(_PHONE, child, provenance.of(child, _of_school(child)))
    except (NotOnFile, Unreadable) as refusal:
        return _page(request, child, refusal=str(refusal))
    access.note(
        by=request.user,
        action=Action.REVEAL,
        subject_kind="student",
        subject_id=child.pk,
        page=request.path,
        purpose=f"{_PHONE.label}：{_PHONE.purpose}",
    )
    alert_when_many(request.user)
    response = _page(request, child, phone=text)
    response["Cache-Control"] = "no-store"
    return response


def _of_school(child: Student) -> Scope:
    """Who answers for a child reads the family's contacts as the child's school delivered them."""
    return Scope(False, frozenset(), frozenset({child.school_id} if child.school_id else set()))


def _page(request: AccountRequest, child: Student, *, phone: str = "", refusal: str = "") -> HttpResponse:
    with row_security(EVERYTHING, local=True):
        told = provenance.of(child, _of_school(child))
        masked = {number.key: text for number, text in numbers.masked_contacts(told)}
    movements = (
        Movement.objects.filter(student=child).select_related("from_school", "to_school").order_by("-applied_at")
    )
    away = _away([child.pk])
    return render(
        request,
        "students/charge.html",
        {
            "student": child,
            "state": _state(child, away[0] if away else None),
            "place": _place(child),
            "village": str(child.hukou_village or ""),
            "guardian": told.origins["guardian"].value,
            "masked": masked.get(_PHONE.key, ""),
            "phone": phone,
            "seconds": SECONDS,
            "refusal": refusal,
            "phone_url": reverse("charge-phone", args=[child.public_id]),
            "movements": [
                {"label": one.get_kind_display(), "on": one.from_on, "state": one.get_state_display()}
                for one in movements[:3]
            ],
            "crumbs": [Link("我的包保学生", reverse("charges")), Link(child.name)],
        },
    )
