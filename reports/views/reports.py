"""P35 报告: the reports that were made, one as an official paper with its files, and its way to the final version."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from eduaid.core.display import State, zh_date
from eduaid.core.roles import Right, may
from eduaid.core.views.pages import Link, paged
from eduaid.core.views.policy import AccountRequest, needs
from reports import documents, workbooks
from reports.actions import NotAllowed, NotPossible, finalise, make_report, paper_of, recompute_all, shown, withdraw
from reports.areas import Area, covers, own_area
from reports.forms import WithdrawForm
from reports.models import Figure, Report
from reports.models.snapshots import ReportState
from reports.moments import Moment, NotADate, needs_replay
from reports.views.common import area_or_404

_SHOWN = {
    ReportState.DRAFT: State("warn", "草稿"),
    ReportState.FINAL: State("ok", "终稿"),
    ReportState.WITHDRAWN: State("mute", "已撤回"),
}
_WRITERS = {
    "docx": (documents.write_document, documents.CONTENT_TYPE),
    "xlsx": (workbooks.write_report, workbooks.CONTENT_TYPE),
}


@dataclass(frozen=True)
class Item:
    """A report in the list."""

    title: str
    url: str
    area: str
    as_of: dt.date
    by: str
    at: dt.datetime
    state: State


@dataclass(frozen=True)
class TieOut:
    text: str
    ok: bool
    url: str = ""


def shown_state(report: Report) -> State:
    return _SHOWN[ReportState(report.state)]


def site_of(request: AccountRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


@needs(Right.SEE_FIGURES)
def reports(request: AccountRequest) -> HttpResponse:
    found = Report.objects.within(request.scope).select_related("region", "school", "made_by")
    page = paged(request, found)
    own = own_area(request.scope)
    return render(
        request,
        "reports/list.html",
        {
            "crumbs": [Link("报告")],
            "scope_label": own.name,
            "page": page,
            "rows": [_item(report) for report in page.rows],
            "new": _new(request, own) if may(request.user, Right.REPORT) else None,
        },
    )


def _item(report: Report) -> Item:
    by = str(report.made_by) if report.made_by else "系统"
    return Item(
        report.title, report.get_absolute_url(), report.area.name, report.as_of, by, report.made_at, shown_state(report)
    )


@dataclass(frozen=True)
class New:
    """The button that makes a report of the reader's own place."""

    url: str
    area: str
    label: str


def _new(request: AccountRequest, own: Area) -> New:
    return New(reverse("report-new"), own.code, f"生成{own.name}工作进展情况汇总")


@require_POST
@needs(Right.REPORT)
def report_new(request: AccountRequest) -> HttpResponse:
    """Makes a draft of the place and day that were posted, and opens it."""
    area = area_or_404(request, request.POST.get("area", ""))
    try:
        made = make_report(area=area, moment=Moment.asked(request.POST.get("as_of")), by=request.user)
    except (NotADate, NotAllowed) as refusal:
        messages.error(request, str(refusal))
        return redirect("reports")
    messages.success(request, "报告已生成（草稿）。核对后可定为终稿；每个数字都可点开看名单。")
    return redirect(made)


def _report(request: AccountRequest, pk: int) -> Report:
    found = (
        Report.objects.within(request.scope)
        .select_related("region", "region__parent", "school", "school__town", "made_by", "finalised_by", "withdrawn_by")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


@needs(Right.SEE_FIGURES)
def report(request: AccountRequest, pk: int) -> HttpResponse:
    found = _report(request, pk)
    paper = paper_of(found, request.scope)
    mine = may(request.user, Right.REPORT) and covers(request.scope, found.area)
    return render(
        request,
        "reports/report.html",
        {
            "crumbs": [Link("报告", reverse("reports")), Link(f"第 {found.pk} 号")],
            "report": {
                "title": paper.title,
                "subtitle": f"（截至{zh_date(paper.as_of)}）",
                "office": paper.office,
                "issued_on": paper.as_of,
                "version": f"第 {found.pk} 号",
                "state": shown_state(found),
                "made_by": str(found.made_by or "系统"),
                "made_at": found.made_at,
                "withdraw_reason": found.withdraw_reason,
            },
            "scope_label": paper.area_name,
            "as_of": found.as_of,
            "sections": paper.sections,
            "definitions": paper.definitions,
            "downloads": [
                Link("导出 Word", reverse("report-file", args=[pk, "docx"])),
                Link("导出 Excel", reverse("report-file", args=[pk, "xlsx"])),
            ],
            "tie_outs": [TieOut(check.text, check.ok) for check in paper.checks],
            "broken": sum(not check.ok for check in paper.checks),
            "final_url": reverse("report-final", args=[pk]) if mine and found.state == ReportState.DRAFT else "",
            "changes_url": reverse("report-changes", args=[pk]) if covers(request.scope, found.area) else "",
            "withdraw_url": reverse("report-withdraw", args=[pk]) if mine and found.state == ReportState.FINAL else "",
        },
    )


@needs(Right.SEE_FIGURES)
def report_file(request: AccountRequest, pk: int, file_format: str) -> HttpResponse:
    """The report as .docx or .xlsx: counts only, no names."""
    if file_format not in _WRITERS:
        raise Http404
    found = _report(request, pk)
    write, content_type = _WRITERS[file_format]
    data = write(found, paper_of(found, request.scope), site=site_of(request))
    name = f"{found.title}_{found.as_of:%Y%m%d}_第{pk}号.{file_format}"
    return HttpResponse(
        data,
        content_type=content_type,
        headers={"Content-Disposition": content_disposition_header(True, name) or "", "Cache-Control": "no-store"},
    )


@dataclass(frozen=True)
class Change:
    """A printed figure that the lists of now no longer give."""

    label: str
    area: str
    printed: str
    now: str
    url: str


@needs(Right.SEE_FIGURES)
def report_changes(request: AccountRequest, pk: int) -> HttpResponse:
    """P53 重算: every figure at its own date and moment, and which of them have changed since."""
    found = _report(request, pk)
    if not covers(request.scope, found.area):
        raise Http404
    again = recompute_all(found)
    differing = [item for item in again if not item.same]
    # Nothing recorded since: what is known now is what was known then.
    now = recompute_all(found, as_known_now=True) if needs_replay(Moment(found.as_of, found.known_at)) else again
    changed = [item for item in now if not item.same]
    return render(
        request,
        "reports/changes.html",
        {
            "crumbs": [Link("报告", reverse("reports")), Link(f"第 {pk} 号", found.get_absolute_url()), Link("重算")],
            "title": found.title,
            "as_of": found.as_of,
            "known_at": found.known_at,
            "count": len(again),
            "differing": [_change(item.figure, item.text, found, request) for item in differing],
            "changed": [_change(item.figure, item.text, found, request) for item in changed],
        },
    )


def _change(figure: Figure, now: str, found: Report, request: AccountRequest) -> Change:
    printed = shown(figure, found, request.scope)
    return Change(figure.sentence or figure.label, figure.area.name, figure.text, now, printed.url)


@require_POST
@needs(Right.REPORT)
def report_final(request: AccountRequest, pk: int) -> HttpResponse:
    found = _report(request, pk)
    try:
        finalise(found, by=request.user)
    except (NotAllowed, NotPossible) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "已定为终稿。如需更改，请先撤回，再重新生成。")
    return redirect(found)


@needs(Right.REPORT)
def report_withdraw(request: AccountRequest, pk: int) -> HttpResponse:
    """Asks for the reason first; the report stays readable, marked."""
    found = _report(request, pk)
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            withdraw(found, by=request.user, reason=form.cleaned_data["reason"])
        except (NotAllowed, NotPossible) as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "报告已撤回。")
        return redirect(found)
    return render(
        request,
        "confirm.html",
        {
            "title": "撤回报告",
            "question": f"撤回“{found.title}”（第 {found.pk} 号，截至{zh_date(found.as_of)}）的终稿？",
            "effects": ["报告仍可查看，标明已撤回", "已印出的溯源编码仍然有效", "可按新的名单重新生成报告"],
            "confirm_label": "撤回",
            "danger": True,
            "back_url": found.get_absolute_url(),
            "form": form,
            "crumbs": [
                Link("报告", reverse("reports")),
                Link(f"第 {found.pk} 号", found.get_absolute_url()),
                Link("撤回"),
            ],
        },
    )
