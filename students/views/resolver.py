"""P15, the resolver: one child or pair as its lists tell it, side by side; a source picked, told apart, left open, undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import access
from eduaid.core.models import Region
from eduaid.core.models.access import Action
from eduaid.core.roles import Right, may
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from students import identity, panels, queues, settling
from students.actions import CannotCorrect, NotPossible
from students.crosscheck import COMPARED
from students.forms import MergeForm
from students.identity import Unsettled
from students.models import Discrepancy, MatchDecision, Student, Suggestion
from students.models.comparison import Verdict
from students.panels import Panel
from students.queues import Queue
from students.views.common import student_in_scope
from students.views.match import area_of

_LEVELS = {"sure": "ok", "likely": "warn", "doubtful": "mute"}


@dataclass(frozen=True)
class Item:
    """What the resolver is about: a child with the best suggestion of a second file, or a pair. `here`: its address."""

    child: Student
    other: Student | None
    suggestion: Suggestion | None
    queue: Queue
    area: Region
    pk: int
    path: str

    @property
    def here(self) -> str:
        return f"{self.path}?{urlencode({'town': self.area.code, 'queue': self.queue.key})}"


@dataclass(frozen=True)
class Advice:
    """A suggestion as it is shown: its level and word of confidence, and the reason."""

    level: str
    certainty: str
    reason: str
    url: str = ""
    link: str = ""


@dataclass(frozen=True)
class Choice:
    key: str
    label: str
    value: str


# --- the panel ------------------------------------------------------------------------------------------------


@needs(Right.SEE_CHILDREN)
def child(request: AccountRequest, public_id: str) -> HttpResponse:
    return _panel(request, _child(request, public_id))


@needs(Right.SEE_CHILDREN)
def pair(request: AccountRequest, pk: int) -> HttpResponse:
    return _panel(request, _pair(request, pk))


def _child(request: AccountRequest, public_id: str) -> Item:
    found = student_in_scope(public_id, request.scope)
    queue = queues.BY_KEY.get(request.GET.get("queue", ""), queues.QUEUES[0])
    if queue.is_pairs:
        raise Http404
    best = queues.of_children([found.pk]).filter(right__isnull=False).order_by("-score", "pk").first()
    keep, other = _files(best, found) if best else (found, None)
    path = reverse("match-child", args=[public_id])
    return Item(keep, other, best, queue, _area(request, found), found.pk, path)


def _pair(request: AccountRequest, pk: int) -> Item:
    found = Suggestion.objects.open().within(request.scope).filter(pk=pk).first()
    if found is None:
        raise Http404
    left, right = _files(found)
    path = reverse("match-pair", args=[pk])
    return Item(left, right, found, queues.BY_KEY["duplicates"], _area(request, left), pk, path)


def _files(suggestion: Suggestion, shown: Student | None = None) -> tuple[Student, Student]:
    """The file that would go on, and the other; one of them may lie beyond the reader's townships."""
    with row_security(EVERYTHING, local=True):
        found = Student.objects.with_hukou_relation().in_bulk([suggestion.left_id, suggestion.right_id])
    return found[suggestion.left_id], found[suggestion.right_id or 0]


def _area(request: AccountRequest, student: Student) -> Region:
    """Where the reader came from; else the whole county or the reader's own township."""
    return area_of(request)


def _panel(request: AccountRequest, item: Item, form: MergeForm | None = None, pressed: str = "") -> HttpResponse:
    for one in (item.child, item.other):
        if one is not None:
            access.note(
                by=request.user, action=Action.VIEW, subject_kind="student", subject_id=one.pk, page=request.path
            )
    panel = panels.of(item.child, item.other, request.scope)
    disputed = list(Discrepancy.objects.open().filter(student=item.child).order_by("pk")) if item.other is None else []
    following = item.queue.after(item.area, request.scope, item.pk)
    back = f"{reverse('match')}?{urlencode({'town': item.area.code, 'queue': item.queue.key})}"
    may_decide = may(request.user, Right.MATCH)
    return render(
        request,
        "students/resolver.html",
        {
            "crumbs": [Link("比对", back if may_decide else ""), Link(item.queue.label, back if may_decide else ""), Link(str(item.child))],
            "item": item,
            "title": f"{item.child}" + (f" / {item.other}" if item.other else ""),
            "files": _links(request, item),
            "panel": panel,
            "advice": _advice(request, item, disputed),
            "choices": _choices(item, panel, disputed) if may_decide else [],
            "may_decide": may_decide,
            "can_differ": item.other is not None,
            "standing": _standing(item),
            "decide_url": item.here.replace("?", "decide/?", 1),
            "next_url": _address(item.queue, following, item.area) if following is not None else back,
            "next_label": "下一个" if following is not None else "回到队列",
            "back_url": back,
            "undo": _last(request),
            "form": form,
            "pressed": pressed,
        },
    )  # fmt: skip


def _address(queue: Queue, row: object, area: Region, **more: object) -> str:
    """The row's panel; the fragment puts the focus into it, so that keys work at once."""
    if isinstance(row, Suggestion):
        path = reverse("match-pair", args=[row.pk])
    else:
        assert isinstance(row, Student)
        path = reverse("match-child", args=[row.public_id])
    return f"{path}?{urlencode({'town': area.code, 'queue': queue.key, **more})}#resolver"


def _links(request: AccountRequest, item: Item) -> list[Link]:
    """The files, as far as the reader may open them."""
    both = [one for one in (item.child, item.other) if one is not None]
    seen = set(
        Student.objects.within(request.scope).filter(pk__in=[one.pk for one in both]).values_list("pk", flat=True)
    )
    return [
        Link(f"{one}（{one.public_id}）", reverse("student", args=[one.public_id]) if one.pk in seen else "")
        for one in both
    ]


def _advice(request: AccountRequest, item: Item, disputed: Sequence[Discrepancy]) -> list[Advice]:
    found = []
    if item.suggestion is not None:
        suggestion = item.suggestion
        found.append(
            Advice(
                _LEVELS[suggestion.certainty],
                str(suggestion.get_certainty_display()),
                f"两份档案可能是同一人：{suggestion.reason}",
            )
        )
    for one in disputed:
        sure = panels.is_certain(one)
        found.append(Advice("ok" if sure else "warn", "确定" if sure else "可能", panels.advice(one)[1]))
    rows = (
        queues.of_children([item.child.pk]).filter(row__isnull=False).select_related("row").order_by("-score", "pk")[:3]
    )
    with row_security(EVERYTHING, local=True):
        waiting = list(rows)
    for one_row in waiting:
        row = one_row.row
        assert row is not None
        mine = request.scope.county or row.town_id in request.scope.towns or row.school_id in request.scope.schools
        found.append(
            Advice(
                _LEVELS[one_row.certainty],
                str(one_row.get_certainty_display()),
                f"名单 {row.upload_id} 号第 {row.number} 行待改，可能写的就是这名学生：{one_row.reason}",
                reverse("row-trace", args=[row.pk]) if mine else "",
                "看这一行" if mine else "",
            )
        )
    return found


def _choices(item: Item, panel: Panel, disputed: Sequence[Discrepancy]) -> list[Choice]:
    """Which source may be picked: any list that is there for a pair, for one child those that take part in the dispute."""
    said = {kind for one in disputed for kind in one.said}
    return [
        Choice(
            column.key,
            (f"是同一人，以{column.label}为准" if item.other is not None else f"以{column.label}为准"),
            f"{column.kind}{':other' if column.of_other else ''}",
        )
        for column in panel.columns
        if column.key and (item.other is not None or column.kind in said)
    ]


def _standing(item: Item) -> str:
    """待核, where somebody has said so."""
    both = [one.pk for one in (item.child, item.other) if one is not None]
    checks = MatchDecision.objects.standing().filter(verdict=Verdict.CHECK, student__in=both, concept="")
    checks = checks.filter(other__in=both) if item.other is not None else checks.filter(other=None)
    found = checks.select_related("made_by").first()
    return f"待核：{found.made_by}，{found.reason}" if found else ""


def _last(request: AccountRequest) -> dict[str, str] | None:
    """The decision just made, to be undone with one key."""
    done = request.GET.get("done", "")
    if not done.isdigit() or len(done) > 18:
        return None
    found = MatchDecision.objects.within(request.scope).standing().filter(pk=int(done), made_by=request.user).first()
    if found is None:
        return None
    return {
        "url": reverse("match-undo", args=[found.pk]),
        "label": str(found.get_verdict_display()),
        "back": request.path,
    }


# --- deciding -------------------------------------------------------------------------------------------------


@require_POST
@needs(Right.MATCH)
def decide_child(request: AccountRequest, public_id: str) -> HttpResponse:
    return _decide(request, _child(request, public_id))


@require_POST
@needs(Right.MATCH)
def decide_pair(request: AccountRequest, pk: int) -> HttpResponse:
    return _decide(request, _pair(request, pk))


def _decide(request: AccountRequest, item: Item) -> HttpResponse:
    """Does what the button or key says and goes on to the next; a conflict comes back as a question on the same panel."""
    pressed = request.POST.get("do", "")
    following = item.queue.after(item.area, request.scope, item.pk)
    reason = request.POST.get("reason", "").strip() or _reason(item)
    form = None
    if "settling" in request.POST and item.other is not None:
        form = MergeForm(request.POST, conflicts=identity.merge_preview(item.child, item.other).conflicts)
        if not form.is_valid():
            return _panel(request, item, form, pressed)
        reason = form.cleaned_data["reason"]
    try:
        done, told = _do(request, item, pressed, reason, form.settled if form else None)
    except Unsettled as question:
        form = MergeForm(initial={"reason": reason}, conflicts=question.conflicts)
        messages.warning(request, str(question))
        return _panel(request, item, form, pressed)
    except (NotPossible, NotAllowed, CannotCorrect) as refusal:
        messages.warning(request, str(refusal))
        return redirect(f"{item.here}#resolver")
    messages.success(request, f"{told} 可以撤销。")
    if following is None:
        target = f"{reverse('match')}?{urlencode({'town': item.area.code, 'queue': item.queue.key})}"
        return redirect(target)
    return redirect(_address(item.queue, following, item.area, done=done))


def _do(
    request: AccountRequest, item: Item, pressed: str, reason: str, settled: dict[str, str] | None
) -> tuple[int, str]:
    """The decision made, and what was done in a sentence."""
    if pressed == "check":
        made = identity.leave_open(student=item.child, other=item.other, reason=reason, by=request.user)
        return made.pk, f"“{item.child}”已标为待核。"
    if pressed == "different" and item.other is not None:
        certainty = item.suggestion.certainty if item.suggestion else ""
        made = identity.tell_apart(
            left=item.child, right=item.other, reason=reason, by=request.user, certainty=certainty
        )
        return made.pk, f"“{item.child}”与“{item.other}”已认定不是同一人，以后不再提示。"
    source, _, second = pressed.partition(":")
    if source not in panels.SHOWN:
        raise NotPossible("请先选定以哪一份名单为准。")
    batch = settling.pick(
        item.child,
        item.other,
        source=source,
        of_other=second == "other",
        reason=reason,
        by=request.user,
        settled=settled,
        suggestion=item.suggestion,
    )
    label = panels.SHORT[source]
    first = MatchDecision.objects.within(EVERYTHING).filter(batch=batch).order_by("pk").first()
    assert first is not None
    if item.other is not None:
        return first.pk, f"“{item.child}”与“{item.other}”已合为一份档案，以{label}为准。"
    return first.pk, f"“{item.child}”已认定以{label}为准。"


def _reason(item: Item) -> str:
    if item.suggestion is not None:
        return item.suggestion.reason
    disputed = Discrepancy.objects.open().filter(student=item.child).order_by("pk")
    labels = "、".join(COMPARED[one.concept][0] for one in disputed)
    return f"比对认定：{labels}" if labels else f"比对认定：{item.queue.label}"
