"""P02 工作台: what waits for the reader, their numbers, the last lists, notices; each block by what their posts may do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core.display import State as Shown
from eduaid.core.display import zh_date
from eduaid.core.first_run import Step, steps
from eduaid.core.lists import kind_of
from eduaid.core.models import Notice, Term, Upload
from eduaid.core.models.uploads import State
from eduaid.core.roles import Right, may, today
from eduaid.core.views.imports.common import in_scope, page_of, shown_state, title
from eduaid.core.views.policy import AccountRequest, needs
from reports.areas import NoSuchArea, own_area
from reports.moments import Moment
from reports.numbers import Number
from reports.sections import Overview, overview
from reports.views.progress import KeyFigure
from students.models import Correction

_TASKS, _IMPORTS, _NOTICES = 10, 8, 8


@dataclass(frozen=True)
class Task:
    """One thing to do: what, why, where."""

    title: str
    url: str
    why: str
    state: Shown


@dataclass(frozen=True)
class Imported:
    title: str
    url: str
    scope: str
    at: dt.datetime
    state: Shown
    summary: str


@dataclass(frozen=True)
class News:
    text: str
    url: str
    at: dt.datetime


@needs()
def home(request: AccountRequest) -> HttpResponse:
    """Never more than ten tasks; the pages behind them hold the rest."""
    seen = _seen(request)
    tasks = list(islice(_tasks(request, seen), _TASKS))
    checklist = _checklist(request)
    term = Term.objects.filter(starts_on__lte=today()).order_by("-starts_on").first()
    handles_lists = may(request.user, Right.UPLOAD) or may(request.user, Right.APPROVE)
    return render(
        request,
        "home.html",
        {
            "today": today(),
            "term_label": str(term) if term else "",
            "tasks": tasks,
            "tasks_more_url": _all_tasks(request) if handles_lists and len(tasks) == _TASKS else "",
            "done_note": "" if tasks else _done_note(request),
            "kpis": [KeyFigure(figure) for figure in seen.key_figures] if seen else [],
            "imports": _imports(request) if handles_lists else [],
            "imports_url": reverse("imports") if handles_lists else "",
            "notices": _notices(request),
            "checklist": checklist,
            "checklist_url": next((step.url for step in checklist if not step.done), ""),
        },
    )


def _all_tasks(request: AccountRequest) -> str:
    return reverse("approvals" if may(request.user, Right.APPROVE) else "imports")


def _seen(request: AccountRequest) -> Overview | None:
    """The figures of the reader's own place; none for those who see no figures, or before the first list."""
    if not may(request.user, Right.SEE_FIGURES):
        return None
    try:
        area = own_area(request.scope)
    except NoSuchArea:
        return None
    seen = overview(area, Moment.asked(None), request.scope)
    return seen if seen.lists else None


# --- tasks ----------------------------------------------------------------------------------------------------


def _tasks(request: AccountRequest, seen: Overview | None) -> Iterator[Task]:
    if may(request.user, Right.APPROVE):
        yield from _to_approve(request)
    if may(request.user, Right.UPLOAD):
        yield from _to_finish(request)
    if may(request.user, Right.CORRECT):
        yield from _contested()
    if seen is not None and (may(request.user, Right.UPLOAD) or may(request.user, Right.APPROVE)):
        yield from _gaps(seen)


def _to_approve(request: AccountRequest) -> Iterator[Task]:
    """Lists that wait for the bureau; one's own is approved by somebody else."""
    waiting = in_scope(request).filter(state=State.SUBMITTED).exclude(uploaded_by=request.user).order_by("submitted_at")
    for upload in waiting[:_TASKS]:
        why = f"{upload.submitted_by or upload.uploaded_by}提交，可入库 {upload.rows_accepted:,} 行"
        if upload.rows_waiting:
            why += f"，待改 {upload.rows_waiting:,} 行"
        yield Task(f"审核{_name(upload)}", page_of(upload), why, shown_state(upload))


def _to_finish(request: AccountRequest) -> Iterator[Task]:
    """One's own lists that stand at a question, or could not be read."""
    open_states = [State.MAPPING, State.REVIEW, State.FAILED, State.REFUSED]
    mine = in_scope(request).filter(uploaded_by=request.user, state__in=open_states, applied_at=None).order_by("-pk")
    verbs = {
        State.MAPPING: ("确认列对应", "有几列看不出是什么"),
        State.REVIEW: ("核对并提交", ""),
        State.FAILED: ("重试", ""),
        State.REFUSED: ("换一个文件", ""),
    }
    for upload in mine[:_TASKS]:
        verb, why = verbs[State(upload.state)]
        if upload.state == State.REVIEW:
            why = f"可入库 {upload.rows_accepted:,} 行，需修改 {upload.rows_waiting:,} 行"
        yield Task(f"{verb}：{_name(upload)}", page_of(upload), why or upload.error, shown_state(upload))


def _contested() -> Iterator[Task]:
    """Corrections that a later list contradicts: somebody has to decide."""
    found = Correction.objects.contested().select_related("student").order_by("pk")
    for correction in found[:_TASKS]:
        yield Task(
            f"更正待定：{correction.student}",
            reverse("student", args=[correction.student.public_id]),
            "新名单与更正不一致，请决定按哪个",
            Shown("warn", "待决定"),
        )


def _gaps(seen: Overview) -> Iterator[Task]:
    """Schools without a roster and rows that wait, from the figures of the reader's own place."""
    figures = {figure.key: figure for figure in seen.key_figures if isinstance(figure, Number)}
    suspected = figures.get("whereabouts.suspected")
    if suspected is not None and suspected.value:
        yield Task(f"核实{suspected.text}的去向", suspected.url, "疑似辍学：名单推定不出去向", Shown("warn", "未核"))
    silent = figures.get("schools.not-sent")
    if silent is not None and silent.value:
        yield Task(f"{silent.text}学校未报班级名册", silent.url, "本学期还没有生效的名册", Shown("warn", "未报"))
    if seen.waiting is not None and seen.waiting.value:
        yield Task(f"{seen.waiting.text}待改", seen.waiting.url, "改好后这些行才入库", Shown("warn", "待改"))


def _name(upload: Upload) -> str:
    return f"{upload.place_name}{kind_of(upload.kind).label}名单（{zh_date(upload.effective_on)}）"


def _done_note(request: AccountRequest) -> str:
    last = in_scope(request).filter(state=State.IN_FORCE).order_by("-applied_at").first()
    return f"最近生效的是{_name(last)}。" if last else ""


# --- the other blocks -----------------------------------------------------------------------------------------


def _imports(request: AccountRequest) -> list[Imported]:
    return [
        Imported(
            f"{kind_of(upload.kind).label} · {title(upload)}",
            page_of(upload),
            upload.place_name,
            upload.uploaded_at,
            shown_state(upload),
            f"新增 {upload.rows_added:,}，变更 {upload.rows_changed:,}" if upload.applied_at else "",
        )
        for upload in in_scope(request).order_by("-pk")[:_IMPORTS]
    ]


def _notices(request: AccountRequest) -> list[News]:
    found = Notice.objects.filter(user=request.user).order_by("-pk")[:_NOTICES]
    return [News(notice.text, notice.url, notice.created_at) for notice in found]


def _checklist(request: AccountRequest) -> list[Step]:
    """The first five steps, for those who set the county up, until all are done."""
    if not (may(request.user, Right.MANAGE_PLACES) or may(request.user, Right.MANAGE_ACCOUNTS)):
        return []
    found = steps()
    return [] if all(step.done for step in found) else found
