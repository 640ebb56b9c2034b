"""/aid/programmes/: programmes and their standards over time; staff add and end standards, and add local programmes."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import display
from eduaid.core.models.places import Stage
from eduaid.core.roles import Right, may, today
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from subsidies import standards
from subsidies.aid_forms import EndForm, ProgrammeForm, StandardForm
from subsidies.models import CategoryMapping, Programme, Standard
from subsidies.models.programmes import Boarding, Counting, Per, Who, number_of
from subsidies.views.common import running_term
from subsidies.views.tabs import tabs


def _programme(key: str) -> Programme:
    found = Programme.objects.filter(key=key).first()
    if found is None:
        raise Http404
    return found


def _standard_state(standard: Standard, number: int) -> display.State:
    if standard.until_term is not None and standard.until_term < number:
        return display.State("mute", "已结束")
    if standard.from_term > number:
        return display.State("mute", "未开始")
    return display.State("ok", "执行中") if standard.is_confirmed else display.State("warn", "执行中，待核实")


def _number_now() -> int:
    term = running_term()
    day = today()
    return number_of(term) if term is not None else day.year * 2 + (day.month >= 8)


@needs(Right.SEE_FIGURES)
def programmes(request: AccountRequest) -> HttpResponse:
    number = _number_now()
    rows = []
    for programme in Programme.objects.prefetch_related("standards"):
        now = [s for s in programme.standards.all() if _standard_state(s, number).level in ("ok", "warn")]
        rows.append(
            {
                "programme": programme,
                "url": reverse("aid-programme", args=[programme.key]),
                "who": Who(programme.who).label,
                "standards": now,
                "state": display.State("mute", "已停办")
                if not programme.is_open
                else display.State("ok", "执行中")
                if now
                else display.State("warn", "未定标准"),
            }
        )
    return render(
        request,
        "aid/programmes.html",
        {
            "tabs": tabs(request, "aid-programmes"),
            "rows": rows,
            "new_url": reverse("aid-programme-new") if may(request.user, Right.AID) else "",
        },
    )


@needs(Right.SEE_FIGURES)
def programme(request: AccountRequest, key: str) -> HttpResponse:
    """One programme with all its standards, past and coming; a new standard is posted here."""
    found = _programme(key)
    manages = may(request.user, Right.AID)
    groups = sorted(
        set(CategoryMapping.objects.filter(form=found.form).values_list("group", flat=True))
        | set(found.standards.exclude(group="").values_list("group", flat=True))
    )
    form = StandardForm(found, groups, request.POST or None, prefix="new") if manages else None
    if request.method == "POST":
        if form is None:
            raise Http404
        if form.is_valid():
            said = form.cleaned_data
            try:
                standards.add_standard(
                    found,
                    stage=Stage(said["stage"]),
                    amount=said["amount"],
                    document=said["document"],
                    from_term=said["from_term"],
                    until_term=said["until_term"],
                    per=Per(said["per"]),
                    boarding=Boarding(said["boarding"]),
                    tier=said["tier"],
                    group=said["group"],
                    note=said["note"],
                    by=request.user,
                )
            except standards.StandardRefused as refusal:
                form.add_error("from_term", str(refusal))
            else:
                messages.success(request, "已增加标准，应享资助随后更新。")
                return redirect("aid-programme", key=key)
    number = _number_now()
    return render(
        request,
        "aid/programme.html",
        {
            "tabs": tabs(request, "aid-programmes"),
            "crumbs": [Link("项目与标准", reverse("aid-programmes")), Link(found.short_name)],
            "programme": found,
            "who": Who(found.who),
            "counting": Counting(found.counting).label,
            "rows": [
                {"standard": one, "state": _standard_state(one, number), "can_end": manages and one.until_term is None}
                for one in found.standards.order_by("stage", "boarding", "group", "tier", "-from_term")
            ],
            "excludes": [*found.excludes.select_related("yields"), *found.excluded_by.select_related("stands")],
            "form": form,
            "manages": manages,
        },
    )


def _standard(key: str, pk: int) -> Standard:
    found = Standard.objects.filter(programme__key=key, pk=pk).first()
    if found is None:
        raise Http404
    return found


@needs(Right.AID)
@require_POST
def end_standard(request: AccountRequest, key: str, pk: int) -> HttpResponse:
    form = EndForm(request.POST, prefix="end")
    if form.is_valid():
        try:
            standards.end_standard(_standard(key, pk), until_term=form.cleaned_data["until_term"], by=request.user)
            messages.success(request, "已写上止期，以后的学期不再按这条标准计算。")
        except standards.StandardRefused as refusal:
            messages.error(request, str(refusal))
    else:
        messages.error(request, " ".join(str(error) for error in form.errors["until_term"]))
    return redirect("aid-programme", key=key)


@needs(Right.AID)
@require_POST
def withdraw_standard(request: AccountRequest, key: str, pk: int) -> HttpResponse:
    try:
        standards.withdraw_standard(_standard(key, pk), by=request.user)
        messages.success(request, "已撤回这条标准，应享资助随后更新。")
    except standards.StandardRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("aid-programme", key=key)


@needs(Right.AID)
@require_POST
def confirm_standard(request: AccountRequest, key: str, pk: int) -> HttpResponse:
    standards.confirm_standard(_standard(key, pk), by=request.user)
    messages.success(request, "已记为核实。")
    return redirect("aid-programme", key=key)


@needs(Right.AID)
def programme_new(request: AccountRequest) -> HttpResponse:
    form = ProgrammeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = standards.add_programme(
                name=said["name"],
                stages=said["stages"],
                who=Who(said["who"]),
                counting=Counting(said["counting"]),
                basis=said["basis"],
                note=said["note"],
                by=request.user,
            )
        except standards.ProgrammeRefused as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, "已设立项目，请接着增加标准。")
            return redirect("aid-programme", key=made.key)
    return render(
        request,
        "aid/programme_new.html",
        {
            "tabs": tabs(request, "aid-programmes"),
            "crumbs": [Link("项目与标准", reverse("aid-programmes")), Link("设立项目")],
            "form": form,
        },
    )
