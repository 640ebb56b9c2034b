"""Evidence 取证: the ledger, a child's page, and recording where somebody studies, on a phone or a desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from dropout import proof
from dropout.indicators import round_at
from dropout.models import Evidence, EvidenceFile, InquiredChild, SpotCall, Whereabouts
from dropout.models.census import Window
from dropout.models.evidence import UNPROVABLE, EvidenceState, FileType, school_year_of
from dropout.proof_forms import STATE_CHOICES, EvidenceForm, GiveUpForm, ReasonForm, TownReportForm
from dropout.views.proof_common import (
    child_in_scope,
    crumbs,
    evidence_in_scope,
    figure_of,
    own_area,
    rate_text,
    say_at,
    shown,
    tabs,
)
from eduaid.core import access, display, files
from eduaid.core.indicators import Basis, indicator_of
from eduaid.core.models import Region
from eduaid.core.models.access import Action
from eduaid.core.roles import Right, may, today
from eduaid.core.sealing import Unreadable
from eduaid.core.templatetags.ui import mask_id
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link, chip, options, paged
from eduaid.core.views.policy import AccountRequest, needs
from students.models import Student

_LEVELS: dict[str, display.Level] = {
    EvidenceState.RECORDED: "warn",
    EvidenceState.RETURNED: "bad",
    EvidenceState.ACCEPTED: "ok",
    EvidenceState.REFUSED: "bad",
    EvidenceState.UNREACHABLE: "bad",
    EvidenceState.WITHDRAWN: "mute",
}


def state_of(one: Evidence) -> display.State:
    return display.State(_LEVELS[one.state], one.get_state_display())


# --- the ledger -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    name: str
    url: str
    id_masked: str
    town: str
    state: display.State
    where: str
    kind: str
    note: str
    by: str


@needs(Right.SEE_CHILDREN)
def ledger(request: AccountRequest) -> HttpResponse:
    """Everything recorded this school year in scope, or with `state=none` who has nothing recorded yet."""
    area = own_area(request)
    town, state = request.GET.get("town", ""), request.GET.get("state", "")
    towns = list(Region.objects.townships()) if request.scope.county else []
    if state not in dict(STATE_CHOICES):
        state = ""
    asked = next((region for region in towns if region.code == town), None)
    page = paged(
        request, _without_record(request, asked or area) if state == "none" else _records(request, asked, state)
    )
    lines = [_line_of_child(row) if isinstance(row, Student) else _line(row) for row in page.rows]
    share, definition = rate_text(request, "evidence.away.rate", area)
    chips = []
    if asked:
        chips.append(chip(request, "town", asked.name))
    if state:
        chips.append(chip(request, "state", dict(STATE_CHOICES)[state]))
    return shown(
        request,
        "evidence/list.html",
        {
            "crumbs": [Link("取证")],
            "tabs": tabs(request, "evidence-list"),
            "place": str(area),
            "kpis": [
                {"figure": figure_of(request, f"evidence.away{key}", area), "more": more}
                for key, more in (("", "县内外镇＋县外"), (".proved", ""), (".unproved", ""), (".waiting", ""))
            ],
            "share": share,
            "share_definition": definition,
            "towns": options([(region.code, region.name) for region in towns], town),
            "states": options(STATE_CHOICES, state),
            "chips": chips,
            "clear_url": reverse("evidence-list"),
            "rows": lines,
            "page": page,
        },
    )


def _records(request: AccountRequest, town: Region | None, state: str) -> Any:
    rows = Evidence.objects.within(request.scope).standing().of_year(school_year_of(today()))
    rows = rows.filter(state=state) if state else rows
    rows = rows.filter(town=town) if town else rows
    return rows.select_related("student", "student__hukou_town", "verified_by").order_by("-verified_at", "-id")


def _without_record(request: AccountRequest, area: Any) -> Any:
    rows: Any = indicator_of("evidence.away.none").queryset(Basis(area, today()), request.scope)
    return rows.select_related("hukou_town").order_by("hukou_town__code", "hukou_household_id", "pk")


def _line(one: Evidence) -> Line:
    child = one.student
    return Line(
        name=child.name,
        url=reverse("evidence-child", args=[child.public_id]),
        id_masked=mask_id(child.id_prefix) if child.id_prefix else "",
        town=child.hukou_town.name if child.hukou_town else "",
        state=state_of(one),
        where=one.where,
        kind=one.kind_label,
        note=one.reason,
        by=f"{one.verified_by} {display.dense_date(one.verified_at)}",
    )


def _line_of_child(child: Student) -> Line:
    return Line(
        name=child.name,
        url=reverse("evidence-child", args=[child.public_id]),
        id_masked=mask_id(child.id_prefix) if child.id_prefix else "",
        town=child.hukou_town.name if child.hukou_town else "",
        state=display.State("mute", "尚未登记"),
        where="",
        kind="",
        note="",
        by="",
    )


# --- one child --------------------------------------------------------------------------------------------------


@needs(Right.SEE_CHILDREN)
def child(request: AccountRequest, public_id: str) -> HttpResponse:
    """What is known of where the child studies; each opening is logged."""
    student = child_in_scope(public_id, request)
    access.note(by=request.user, action=Action.VIEW, subject_kind="student", subject_id=student.pk, page=request.path)
    return _child_page(request, student)


def _child_page(
    request: AccountRequest,
    student: Student,
    *,
    phone: str = "",
    give_up: GiveUpForm | None = None,
    report: TownReportForm | None = None,
    withdraw: ReasonForm | None = None,
) -> HttpResponse:
    records = list(
        Evidence.objects.within(request.scope)
        .filter(student=student)
        .select_related("verified_by", "reviewed_by", "reported_by")
        .order_by("-school_year", "-id")[:20]
    )
    year = school_year_of(today())
    current = next((one for one in records if one.school_year == year and one.state != EvidenceState.WITHDRAWN), None)
    mine = current is not None and current.in_charge(request.scope)
    may_record = may(request.user, Right.CARE)
    can_give_up = may_record and (current is None or current.state in (EvidenceState.RETURNED, *UNPROVABLE))
    reportable = may_record and current is not None and current.state in UNPROVABLE
    withdrawable = (
        mine
        and may_record
        and current is not None
        and (current.state != EvidenceState.ACCEPTED or may(request.user, Right.VERIFY))
    )
    office = f"{student.hukou_town.name}人民政府" if student.hukou_town else ""
    recordable = may_record and (current is None or (current.state != EvidenceState.ACCEPTED))
    return shown(
        request,
        "evidence/child.html",
        {
            "crumbs": crumbs(Link(student.name)),
            "student": student,
            "student_url": reverse("student", args=[student.public_id]),
            "household": str(student.hukou_household) if student.hukou_household else "",
            "whereabouts": _whereabouts(student),
            "year": f"{year}—{year + 1}学年",
            "current": current,
            "state": state_of(current) if current else display.State("mute", "尚未登记"),
            "mine": mine,
            "phone": phone,
            "files": files_of(current) if current and mine else [],
            "record_url": reverse("evidence-record", args=[student.public_id]) if recordable else "",
            "give_up": (give_up or GiveUpForm()) if can_give_up else None,
            "report": (report or TownReportForm(initial={"office": office, "on": today()})) if reportable else None,
            "withdraw": (withdraw or ReasonForm(prefix="w")) if withdrawable else None,
            "form": next((form for form in (give_up, report, withdraw) if form is not None), None),
            "reveal_url": reverse("evidence-phone", args=[current.pk])
            if current and mine and current.phone_masked and may(request.user, Right.REVEAL)
            else "",
            "older": [one for one in records if one is not current],
            "inquiries": list(
                InquiredChild.objects.within(request.scope).filter(student=student).select_related("letter")
            ),
            "calls": list(
                SpotCall.objects.within(request.scope).filter(student=student).exclude(outcome="").select_related("check_of")
            ),
        },
    )  # fmt: skip


def _whereabouts(student: Student) -> Whereabouts | None:
    round_ = round_at(Window.COMPULSORY, None)
    if round_ is None:
        return None
    return Whereabouts.objects.filter(round=round_, student=student).select_related("where_school").first()


@dataclass(frozen=True)
class Shown:
    label: str
    url: str
    is_picture: bool
    remove_url: str


def files_of(one: Evidence) -> list[Shown]:
    changeable = one.state not in (EvidenceState.ACCEPTED, EvidenceState.WITHDRAWN)
    return [
        Shown(
            f"材料{number}（{file.get_type_display()}，{max(1, file.size // 1024)} KB）",
            reverse("evidence-file", args=[one.pk, file.pk]),
            file.type == FileType.PICTURE,
            reverse("evidence-file-remove", args=[one.pk, file.pk]) if changeable else "",
        )
        for number, file in enumerate(one.files.filter(removed_at=None), 1)
    ]


# --- recording --------------------------------------------------------------------------------------------------


@needs(Right.CARE)
def record(request: AccountRequest, public_id: str) -> HttpResponse:
    """One form for a first record, a correction and a proof after all; it comes filled with what is known already."""
    student = child_in_scope(public_id, request)
    known = _known(student)
    if request.method == "POST":
        form = EvidenceForm(request.POST, request.FILES)
        if form.is_valid() and _recorded(request, student, form):
            messages.success(request, f"已登记{student.name}的取证，等待另一人审核。")
            return redirect("evidence-child", student.public_id)
    else:
        form = EvidenceForm(initial=known)
    return shown(
        request,
        "evidence/record.html",
        {
            "crumbs": crumbs(Link(student.name, reverse("evidence-child", args=[student.public_id])), Link("登记取证")),
            "student": student,
            "form": form,
            "prefilled": bool(known),
            "back_url": reverse("evidence-child", args=[student.public_id]),
        },
    )


def _recorded(request: AccountRequest, student: Student, form: EvidenceForm) -> bool:
    try:
        proof.record(student, form.proof(), by=request.user, pictures=form.contents())
    except proof.CannotRecord as refusal:
        say_at(form, refusal.field, str(refusal))
        return False
    except (proof.NotPossible, NotAllowed) as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


def _known(student: Student) -> dict[str, Any]:
    """What was written down before, this year or last; else the place that the round knows. Never asked twice."""
    last = Evidence.objects.standing().filter(student=student).exclude(at_school="").order_by("-school_year").first()
    if last is None:
        there = _whereabouts(student)
        if there is None or (there.where_school is None and not there.where_text):
            return {}
        school = there.where_school.name if there.where_school else ""
        return {"school": school or there.where_text, "grade": student.grade, "class_name": student.class_name}
    this_year = last.school_year == school_year_of(today())
    known: dict[str, Any] = {
        "province": last.at_province,
        "city": last.at_city,
        "county": last.at_county,
        "town": last.at_town,
        "school": last.at_school,
        "contact": last.contact,
    }
    if this_year:
        known |= {
            "grade": last.at_grade,
            "class_name": last.at_class,
            "kind": last.kind,
            "proved_on": last.proved_on,
            "note": last.note,
        }
    return known


@require_POST
@needs(Right.CARE)
def give_up(request: AccountRequest, public_id: str) -> HttpResponse:
    student = child_in_scope(public_id, request)
    form = GiveUpForm(request.POST)
    if form.is_valid():
        try:
            proof.give_up(student, **form.cleaned_data, by=request.user)
        except proof.CannotRecord as refusal:
            say_at(form, refusal.field, str(refusal))
        except (proof.NotPossible, NotAllowed) as refusal:
            messages.warning(request, str(refusal))
            return redirect("evidence-child", public_id)
        else:
            messages.success(request, "已记下。请书面报告镇政府后，在下面登记报告日期。")
            return redirect("evidence-child", public_id)
    return _child_page(request, student, give_up=form)


@require_POST
@needs(Right.CARE)
def report(request: AccountRequest, pk: int) -> HttpResponse:
    one = evidence_in_scope(pk, request)
    form = TownReportForm(request.POST)
    if form.is_valid():
        try:
            proof.report_to_town(one, **form.cleaned_data, by=request.user)
        except proof.CannotRecord as refusal:
            say_at(form, refusal.field, str(refusal))
        except (proof.NotPossible, NotAllowed) as refusal:
            messages.warning(request, str(refusal))
            return redirect("evidence-child", one.student.public_id)
        else:
            messages.success(request, f"已登记向{one.reported_to or form.cleaned_data['office']}的报告。")
            return redirect("evidence-child", one.student.public_id)
    return _child_page(request, child_in_scope(one.student.public_id, request), report=form)


@require_POST
@needs(Right.CARE)
def withdraw(request: AccountRequest, pk: int) -> HttpResponse:
    one = evidence_in_scope(pk, request)
    form = ReasonForm(request.POST, prefix="w")
    if form.is_valid():
        try:
            proof.withdraw(one, reason=form.cleaned_data["reason"], by=request.user)
        except (proof.CannotRecord, proof.NotPossible, NotAllowed) as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, "已撤回这条取证。需要时可以重新登记。")
        return redirect("evidence-child", one.student.public_id)
    return _child_page(request, child_in_scope(one.student.public_id, request), withdraw=form)


# --- files and phone --------------------------------------------------------------------------------------------


@needs(Right.SEE_CHILDREN)
def file(request: AccountRequest, pk: int, file_pk: int) -> HttpResponse:
    """A file, for the side that answers for the proof; each opening is logged."""
    one = evidence_in_scope(pk, request)
    kept = EvidenceFile.objects.filter(pk=file_pk, evidence=one, removed_at=None).first()
    if kept is None or not one.in_charge(request.scope):
        raise Http404
    try:
        data = files.load(kept.stored_as)
    except (Unreadable, FileNotFoundError):
        raise Http404("材料读不出来") from None
    access.note(
        by=request.user, action=Action.DOWNLOAD, subject_kind="evidence-file", subject_id=kept.pk, page=request.path
    )
    response = HttpResponse(data, content_type=kept.type)
    ending = "jpg" if kept.type == FileType.PICTURE else "pdf"
    # A PDF is opened by the reader's own program, not inside this site.
    how = "inline" if kept.type == FileType.PICTURE else "attachment"
    response["Content-Disposition"] = f'{how}; filename="evidence-{one.pk}-{kept.pk}.{ending}"'
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@needs(Right.CARE)
def remove_file(request: AccountRequest, pk: int, file_pk: int) -> HttpResponse:
    one = evidence_in_scope(pk, request)
    kept = EvidenceFile.objects.filter(pk=file_pk, evidence=one, removed_at=None).first()
    if kept is None or not one.in_charge(request.scope):
        raise Http404
    try:
        proof.remove_file(kept, by=request.user)
    except (proof.NotPossible, NotAllowed) as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, "已移除这份材料。")
    return redirect("evidence-child", one.student.public_id)


@require_POST
@needs(Right.REVEAL)
def phone(request: AccountRequest, pk: int) -> HttpResponse:
    """The school's phone in full, for calling it; logged."""
    one = evidence_in_scope(pk, request)
    if not one.in_charge(request.scope):
        raise Http404
    try:
        number = proof.phone_of(one)
    except Unreadable as refusal:
        messages.warning(request, f"{refusal}。")
        return redirect("evidence-child", one.student.public_id)
    access.note(
        by=request.user,
        action=Action.REVEAL,
        subject_kind="evidence",
        subject_id=one.pk,
        page=request.path,
        purpose="取证联系电话：核实就读",
    )
    response = _child_page(request, child_in_scope(one.student.public_id, request), phone=number)
    response["Cache-Control"] = "no-store"
    return response
