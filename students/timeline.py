"""What became of a child's record: every change of a resolved value, with the list or the person behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from eduaid.core.lists import kind_of
from eduaid.core.models import Upload, User
from eduaid.core.scope import EVERYTHING, Scope, row_security
from students.models import Student
from students.precedence import MEMBERSHIP
from students.wording import Places, changed, in_words

PAGE = 20

# The guardian is the school side's to know; the other side's history leaves it out.
_OF_THE_SCHOOL_SIDE = frozenset({"guardian"})


@dataclass(frozen=True)
class Change:
    """One concept: what it said before and after; empty text for nothing."""

    label: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.label}：{self.before or '（空）'} → {self.after or '（空）'}"


@dataclass(frozen=True)
class Moment:
    """One write to the record."""

    event_id: int
    at: dt.datetime
    title: str
    url: str
    by: str
    reason: str
    changes: tuple[Change, ...]

    @property
    def on(self) -> dt.datetime:
        return self.at

    @property
    def text(self) -> str:
        return "；".join(str(change) for change in self.changes)


@dataclass(frozen=True)
class Timeline:
    """Newest first; `older_than` starts the next page, None at the beginning of the record."""

    moments: tuple[Moment, ...]
    older_than: int | None


def of(student: Student, scope: Scope, *, responsible: bool, before: int | None = None) -> Timeline:
    """A page of the child's history; five queries. `responsible`: the reader may see what the school's side knows."""
    history: Any = Student
    events = history.pgh_event_model.objects.filter(pgh_obj=student).select_related("pgh_context").order_by("-pgh_id")
    if before is not None:
        events = events.filter(pgh_id__lt=before)
    found = list(events[: PAGE + 1])  # one more: a state is compared with the one before it
    shown = list(zip(found[:PAGE], [*found[1:], None], strict=False))
    differing = [(event, previous, changed(previous, event) if previous else []) for event, previous in shown]
    places = Places.of(said for _, _, changes in differing for _, *sides in changes for said in sides)
    contexts = [event.pgh_context.metadata if event.pgh_context else {} for event, _ in shown]
    users = dict(User.objects.filter(pk__in=_named(contexts, "user")).values_list("pk", "display_name"))
    with row_security(EVERYTHING, local=True):  # of a list beyond the reader's scope the kind is told, nothing else
        uploads = Upload.objects.in_bulk(_named(contexts, "upload"))
    moments = []
    for (event, previous, changes), context in zip(differing, contexts, strict=True):
        title, url = _cause(context, uploads, scope, first=event.pgh_label == "insert")
        moments.append(
            Moment(
                event_id=event.pgh_id,
                at=event.pgh_created_at,
                title=title,
                url=url,
                by=users.get(context.get("user"), ""),
                reason=str(context.get("reason") or ""),
                changes=tuple(
                    Change(concept.label, in_words(concept.key, old, places), in_words(concept.key, new, places))
                    for concept, old, new in changes
                    if responsible or concept.key not in _OF_THE_SCHOOL_SIDE
                )
                + (_memberships(previous, event) if previous else ()),
            )
        )
    return Timeline(tuple(moments), found[PAGE - 1].pgh_id if len(found) > PAGE else None)


def _named(contexts: Sequence[Mapping[str, Any]], key: str) -> set[int]:
    return {context[key] for context in contexts if context.get(key)}


def _cause(context: Mapping[str, Any], uploads: Mapping[int, Upload], scope: Scope, *, first: bool) -> tuple[str, str]:
    """What called for the writing: a list taking force or going, a correction; with the receipt's address in scope."""
    start = "建档：" if first else ""
    upload = uploads.get(context.get("upload", 0))
    if upload is not None:
        verb = "撤回" if context.get("reason") else "生效"
        if scope.county or upload.town_id in scope.towns or upload.school_id in scope.schools:
            title = f"{start}{kind_of(upload.kind).label}名单 {upload.pk} 号{verb}"
            return title, reverse("import-receipt", args=[upload.pk])
        return f"{start}{kind_of(upload.kind).label}名单{verb}", ""
    if context.get("reason"):
        return f"{start}更正", ""
    return f"{start}重新归并", ""


def _memberships(before: Any, after: Any) -> tuple[Change, ...]:
    told: Sequence[tuple[str, str]] = [(kind, flag) for kind, flag in MEMBERSHIP.items()]
    return tuple(
        Change(f"{kind_of(kind).label}名单", _listed(getattr(before, flag)), _listed(getattr(after, flag)))
        for kind, flag in told
        if getattr(before, flag) != getattr(after, flag)
    )


def _listed(is_listed: bool) -> str:
    return "有" if is_listed else "无"
