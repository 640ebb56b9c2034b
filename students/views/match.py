"""P15 比对: the queues of a township, what lists they lack, certain suggestions at once, and what was decided."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_POST

from eduaid.core import codes, display
from eduaid.core.indicators import UnknownIndicator, indicator_of
from eduaid.core.lists import kind_of
from eduaid.core.models import Region
from eduaid.core.models.places import Level
from eduaid.core.roles import Right, may, today
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link, Option, Tab, address, options, paged
from eduaid.core.views.policy import AccountRequest, needs
from students import crosscheck, identity, panels, queues, settling
from students.actions import NotPossible
from students.crosscheck import COMPARED
from students.forms import ReasonForm
from students.models import MatchDecision, Student
from students.models.comparison import Verdict
from students.queues import QUEUES, Queue
from students.tasks import compare_area
from students.views.figures import Figure, figure


@dataclass(frozen=True)
class Equation:
    """In the shape of `partials/equation.html`."""

    title: str
    total: Figure
    terms: Sequence[Figure]
    gap: Figure


@dataclass(frozen=True)
class Line:
    """A row of a queue: a child, or a pair of files."""

    name: str
    url: str
    cells: tuple[str, ...]
    hint: str


@dataclass(frozen=True)
class Told:
    """A decision in the list of decisions."""

    pk: int
    what: str
    who: str
    detail: str
    by: str
    when: object
    reason: str
    state: display.State
    undo_url: str


# --- the queues -----------------------------------------------------------------------------------------------


@needs(Right.MATCH)
def match(request: AccountRequest) -> HttpResponse:
    area = area_of(request)
    queue = _queue(request)
    page = paged(request, queue.rows(area, request.scope))
    hints = queues.with_hints(queue, page.rows)
    shown = [(one, figure(request, one.indicator, area)) for one in QUEUES]
    equations = _equations(request, area)
    return render(
        request,
        "students/match.html",
        {
            "crumbs": [Link("比对")],
            "area": area,
            "towns": _towns(request, area),
            "tabs": module_tabs(request, "match"),
            "tabs_label": "控辍保学",
            "equations": equations,
            "queues": [
                {"label": one.label, "figure": number, "url": address(request, queue=one.key, page=""), "current": one is queue}
                for one, number in shown
            ],
            "queue": queue,
            "rows": [_line(queue, row, hints, area) for row in page.rows],
            "columns": _COLUMNS[queue.is_pairs],
            "page": page,
            "lacking": crosscheck.lacking(area),
            "is_even": not any(number.value for _, number in shown),
            "bulk_url": f"{reverse('match-bulk')}?town={area.code}",
            "compare_url": reverse("match-compare"),
            "decisions_url": f"{reverse('match-decisions')}?town={area.code}",
        },
    )  # fmt: skip


def area_of(request: AccountRequest) -> Region:
    """The township asked for, by default the reader's own or the whole county; 404 outside the scope."""
    code = request.POST.get("town") or request.GET.get("town")
    scope = request.scope
    if not code:
        if scope.county:
            return Region.objects.home()
        own = Region.objects.filter(pk__in=scope.towns, level=Level.TOWNSHIP).order_by("code").first()
        if own is None:
            raise Http404
        return own
    found = Region.objects.filter(code=code).order_by("-valid_from").first()
    if found is None or not (found.is_home or found.level == Level.TOWNSHIP) or not scope.covers(found):
        raise Http404
    return found


def _queue(request: AccountRequest) -> Queue:
    key = request.GET.get("queue") or QUEUES[0].key
    if key not in queues.BY_KEY:
        raise Http404
    return queues.BY_KEY[key]


def _towns(request: AccountRequest, area: Region) -> list[Option]:
    """Whom the reader may choose from; empty where there is only one."""
    if not request.scope.county and len(request.scope.towns) < 2:
        return []
    towns = Region.objects.valid_on(today()).filter(level=Level.TOWNSHIP, parent__is_home=True).order_by("code")
    if not request.scope.county:
        towns = towns.filter(pk__in=request.scope.towns)
    home = [(Region.objects.home().code, "全县")] if request.scope.county else []
    return options([*home, *towns.values_list("code", "name")], area.code)


def _equations(request: AccountRequest, area: Region) -> list[Equation]:
    """What the lists add up to. Where the whereabouts of a census are kept, their equation comes first."""

    def number(key: str) -> Figure:
        return figure(request, indicator_of(key), area)

    found = []
    if (whole := _census_whole()) is not None:
        parts = [number(key) for key in indicator_of(whole).parts]
        gaps = [part for part in parts if "未核" in part.label]
        if gaps:
            found.append(Equation("去向", number(whole), [p for p in parts if p is not gaps[0] and p.value], gaps[0]))
    found.append(
        Equation(
            "户籍与学籍",
            number("population.6-15"),
            [number("population.6-15.in-registry")],
            number("difference.population-not-registry"),
        )
    )
    found.append(
        Equation(
            "学籍与在校", number("registry"), [number("registry.in-roster")], number("difference.registry-not-roster")
        )
    )
    return found


_CENSUS = ("whereabouts", "whereabouts.population", "census.population")


def _census_whole() -> str | None:
    for key in _CENSUS:
        try:
            if indicator_of(key).parts:
                return key
        except UnknownIndicator:
            continue
    return None


_COLUMNS = {
    False: ("姓名", "性别", "出生日期", "证件号", "户籍", "就读", "线索"),
    True: ("姓名", "出生日期", "写到的名单", "另一份档案", "出生日期", "写到的名单", "线索"),
}


def _line(queue: Queue, row: object, hints: dict[int, str], area: Region) -> Line:
    if queue.is_pairs:
        pair = row
        told = pair.told  # type: ignore[attr-defined]  # of this queue rows are suggestions
        left, right = told.get("left", {}), told.get("right", {})
        hint = hints[pair.pk] or f"{pair.get_certainty_display()}：{pair.reason}"  # type: ignore[attr-defined]  # as above
        url = f"{reverse('match-pair', args=[pair.pk])}?town={area.code}#resolver"  # type: ignore[attr-defined]  # as above
        return Line(
            left.get("name", ""),
            url,
            (left.get("birth", ""), left.get("lists", ""), right.get("name", ""), right.get("birth", ""), right.get("lists", "")),
            hint,
        )  # fmt: skip
    assert isinstance(row, Student)
    hukou = row.hukou_town.name if row.hukou_town else ("县外" if row.hukou_outside else "")
    grade = codes.GRADE.label(row.grade) if row.grade in codes.GRADE else ""
    return Line(
        row.name or row.public_id,
        f"{reverse('match-child', args=[row.public_id])}?town={area.code}&queue={queue.key}#resolver",
        (
            row.get_sex_display(),
            row.birth_on.isoformat() if row.birth_on else "",
            row.masked_id,
            hukou,
            f"{row.school.name if row.school else ''} {grade}".strip(),
        ),
        hints[row.pk],
    )


_MODULE = (
    ("三本台账", "dropout", Right.SEE_FIGURES),
    ("比对", "match", Right.MATCH),
    ("取证", "evidence", Right.SEE_CHILDREN),
    ("抽查", "spotchecks", Right.VERIFY),
    ("学籍变动", "moves", Right.SEE_CHILDREN),
)


def module_tabs(request: AccountRequest, current: str) -> list[Tab]:
    """The pages of 控辍保学; those that are not there (an app left out) have no tab."""
    tabs = []
    for label, name, right in _MODULE:
        if may(request.user, right):
            try:
                tabs.append(Tab(label, reverse(name), name == current))
            except NoReverseMatch:
                continue
    return tabs


@require_POST
@needs(Right.MATCH)
def compare(request: AccountRequest) -> HttpResponse:
    """Compares a township anew, in a worker."""
    area = area_of(request)
    compare_area.delay_on_commit(area.pk)
    messages.success(request, f"已开始重新比对{area.name}，几秒钟后刷新本页即可看到结果。")
    return redirect(f"{reverse('match')}?town={area.code}")


# --- all certain ones at once ---------------------------------------------------------------------------------


@needs(Right.MATCH)
def bulk(request: AccountRequest) -> HttpResponse:
    """Shows what would be accepted, then does it as one batch."""
    area = area_of(request)
    back = f"{reverse('match')}?town={area.code}"
    found = settling.certain(area, request.scope)
    if request.method == "POST":
        expected = request.POST.get("expected", "")
        try:
            batch = settling.accept_certain(
                area, request.scope, expected=int(expected) if expected.isdigit() else -1, by=request.user
            )
        except (NotPossible, NotAllowed) as refusal:
            messages.warning(request, str(refusal))
            return redirect(f"{reverse('match-bulk')}?town={area.code}")
        messages.success(request, f"已采用{area.name}的 {len(found)} 条确定建议，可以整批撤销。")
        return redirect(f"{reverse('match-decisions')}?town={area.code}&batch={batch}")
    if not len(found):
        messages.info(request, "现在没有可以成批采用的确定建议。")
        return redirect(back)
    with row_security(EVERYTHING, local=True):
        names = Student.objects.in_bulk([pk for pair in found.pairs for pk in (pair.left_id, pair.right_id or 0)])
    effects = [
        f"合并：{names[pair.left_id]}与{names[pair.right_id or 0]}（{pair.reason}）" for pair in found.pairs[:50]
    ] + [
        f"{value.student}：{COMPARED[value.concept][0]}以{kind_of(panels.advice(value)[0]).label}为准"
        for value in found.values[:50]
    ]
    if len(found.pairs) > 50 or len(found.values) > 50:
        effects.append("其余从略，采用后可在比对决定里逐条查看。")
    effects.append("不改动任何名单；采用后可以整批撤销，撤销后恢复原样。")
    return render(
        request,
        "confirm.html",
        {
            "crumbs": [Link("比对", back), Link("采用确定建议")],
            "title": f"采用 {len(found)} 条确定建议",
            "question": f"范围：{area.name}。合并 {len(found.pairs)} 对，认定以谁为准 {len(found.values)} 项。",
            "effects": effects,
            "fields": [{"name": "expected", "value": len(found)}, {"name": "town", "value": area.code}],
            "confirm_label": f"采用这 {len(found)} 条",
            "danger": False,
            "back_url": back,
        },
    )


# --- what was decided -----------------------------------------------------------------------------------------


@needs(Right.MATCH)
def decisions(request: AccountRequest) -> HttpResponse:
    """Every decision about children of the reader's townships, the newest first, each with its undo."""
    found = MatchDecision.objects.within(request.scope)
    batch = request.GET.get("batch", "")
    if batch:
        found = found.filter(batch=_uuid(batch))
    if request.GET.get("standing"):
        found = found.standing()
    page = paged(request, found.order_by("-pk").values_list("pk", flat=True))
    with row_security(EVERYTHING, local=True):  # of a pair one file may lie beyond the reader's townships
        rows = MatchDecision.objects.select_related("student", "other", "made_by", "undone_by", "row").in_bulk(
            page.rows
        )
    return render(
        request,
        "students/decisions.html",
        {
            "crumbs": [Link("比对", reverse("match")), Link("比对决定")],
            "tabs": module_tabs(request, "match"),
            "tabs_label": "控辍保学",
            "rows": [_told(rows[pk]) for pk in page.rows],
            "page": page,
            "batch_undo_url": reverse("match-undo-batch", args=[batch]) if batch else "",
            "all_url": reverse("match-decisions"),
            "standing_url": f"{reverse('match-decisions')}?standing=1",
            "is_standing": bool(request.GET.get("standing")),
        },
    )


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


def _told(decision: MatchDecision) -> Told:
    stands = decision.undone_at is None
    return Told(
        pk=decision.pk,
        what=_what(decision),
        who=str(decision.student),
        detail=_detail(decision),
        by=str(decision.made_by),
        when=decision.made_at,
        reason=decision.reason,
        state=display.State("ok", "有效")
        if stands
        else display.State("mute", f"{decision.undone_by}撤销：{decision.undo_reason}"),
        undo_url=reverse("match-undo", args=[decision.pk]) if stands else "",
    )


def _what(decision: MatchDecision) -> str:
    if decision.verdict == Verdict.SOURCE:
        return f"以{kind_of(decision.source).label}为准"
    return str(decision.get_verdict_display())


def _detail(decision: MatchDecision) -> str:
    if decision.verdict == Verdict.SOURCE:
        return COMPARED[decision.concept][0] if decision.concept in COMPARED else ""
    if decision.verdict == Verdict.MOVED and decision.row is not None:
        return f"名单 {decision.row.upload_id} 号第 {decision.row.number} 行，原归“{decision.other}”"
    return f"与“{decision.other}”（{decision.other.public_id}）" if decision.other else ""


@needs(Right.MATCH)
def undo(request: AccountRequest, pk: int) -> HttpResponse:
    """Shows what undoing would do, then does it, together with what was decided in the same go."""
    if not MatchDecision.objects.within(request.scope).filter(pk=pk).exists():
        raise Http404
    with row_security(EVERYTHING, local=True):
        decision = MatchDecision.objects.select_related("student", "other", "row").get(pk=pk)
        together = settling.same_batch(decision) if decision.undone_at is None else []
    return _undo(request, decision, together)


@needs(Right.MATCH)
def undo_batch(request: AccountRequest, batch: str) -> HttpResponseBase:
    found = MatchDecision.objects.within(request.scope).standing().filter(batch=_uuid(batch)).order_by("pk").first()
    if found is None:
        raise Http404
    return undo(request, found.pk)


def _undo(request: AccountRequest, decision: MatchDecision, together: Sequence[MatchDecision]) -> HttpResponse:
    back = request.POST.get("back") or request.GET.get("back") or ""
    target = back if back.startswith("/match/") else reverse("match-decisions")
    if not together:
        messages.warning(request, "这个决定已经撤销。")
        return redirect(target)
    form = ReasonForm(request.POST if request.method == "POST" and "reason" in request.POST else None)
    at_once = request.method == "POST" and "now" in request.POST
    if request.method == "POST" and (at_once or form.is_valid()):
        try:
            settling.take_back(
                together, reason="刚才按错了" if at_once else form.cleaned_data["reason"], by=request.user
            )
        except (NotPossible, NotAllowed) as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, "已撤销，恢复原样。")
        return redirect(target)
    with row_security(EVERYTHING, local=True):
        effects = []
        for one in MatchDecision.objects.select_related("student", "other", "row").filter(
            pk__in=[d.pk for d in together[:50]]
        ):
            effects += _undo_effects(one)
    return render(
        request,
        "confirm.html",
        {
            "crumbs": [Link("比对", reverse("match")), Link("比对决定", reverse("match-decisions")), Link("撤销")],
            "title": "撤销比对决定",
            "question": f"撤销“{decision}”"
            + (f"，连同同一次作出的决定共 {len(together)} 条。" if len(together) > 1 else "。"),
            "effects": effects,
            "form": form,
            "fields": [{"name": "back", "value": back}] if back else [],
            "confirm_label": "撤销",
            "danger": True,
            "back_url": target,
        },
    )


def _undo_effects(decision: MatchDecision) -> list[str]:
    match decision.verdict:
        case Verdict.SAME:
            return list(identity.split_preview(decision).effects)
        case Verdict.SOURCE:
            return [f"“{decision.student}”的{COMPARED[decision.concept][0]}回到名单的说法，重新列入信息不一致。"]
        case Verdict.MOVED:
            return [f"{_detail(decision)}，撤销后回到原来的档案。"]
        case Verdict.DIFFERENT:
            return [f"“{decision.student}”与“{decision.other}”可能重新列入疑似重复。"]
    return [f"“{decision.student}”不再标为待核。"]
