"""P10 导入中心: a card for each kind of list that the reader sends, and the record of all lists in scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import prefilled, senders
from eduaid.core.display import State as Shown
from eduaid.core.display import zh_date
from eduaid.core.forms.lists import ACCEPTED
from eduaid.core.lists import ListKind, kind_of, kinds
from eduaid.core.models import Region, School, Term, Upload
from eduaid.core.models.uploads import State, UploadQuerySet
from eduaid.core.roles import Right, may, posts_of, today
from eduaid.core.views.imports.common import READERS, in_scope, page_of, shown_state, title
from eduaid.core.views.pages import Chip, chip, options, paged
from eduaid.core.views.policy import AccountRequest, needs

OPEN = "open"
_STATES = [(OPEN, "未办完"), *State.choices]


@dataclass(frozen=True)
class Mention:
    """Another list, in a word."""

    text: str
    url: str


@dataclass(frozen=True)
class Drop:
    """What a file that is dropped on the card is sent with: a complete list of today, for the sender's own place."""

    kind: str
    scope: str
    effective_on: dt.date


@dataclass(frozen=True)
class Card:
    title: str
    lines: list[str]
    state: Shown
    template_url: str
    prefilled_url: str
    upload_url: str
    drop: Drop | None
    running_url: str
    open: Mention | None
    last: Mention | None


@dataclass(frozen=True)
class Counts:
    accepted: int
    waiting: int
    refused: int


@dataclass(frozen=True)
class Line:
    title: str
    url: str
    kind: str
    scope: str
    by: str
    at: dt.datetime
    effective_on: dt.date
    state: Shown
    counts: Counts
    receipt_url: str
    retry_url: str


@needs(*READERS)
def index(request: AccountRequest) -> HttpResponse:
    term = Term.objects.filter(starts_on__lte=today()).order_by("-starts_on").first()
    found, filters = _filtered(request)
    page = paged(request, found)
    posts = posts_of(request.user)
    return render(
        request,
        "imports/index.html",
        {
            "cards": _cards(request, term),
            "history": [_line(upload) for upload in page.rows],
            "page": page,
            "approvals_url": reverse("approvals") if may(request.user, Right.APPROVE) else "",
            "pending_url": reverse("departures-pending") if may(request.user, Right.SEE_CHILDREN) else "",
            "upload_url": reverse("import-new") if may(request.user, Right.UPLOAD) else "",
            "scope_label": "、".join(dict.fromkeys(str(post.region or post.school) for post in posts)),
            "term_label": str(term) if term else "",
            "clear_url": reverse("imports"),
            "accept": ",".join(ACCEPTED),
            "max_mb": settings.UPLOAD_MAX_BYTES // 1_048_576,
            **filters,
        },
    )


def _cards(request: AccountRequest, term: Term | None) -> list[Card]:
    """The newest open list and the last one in force of each kind in the running term, and of which kinds anybody is in
    force at all: three queries."""
    sent = senders.kinds_of(request.user)
    if not sent:
        return []
    lists = in_scope(request).filter(kind__in=[kind.key for kind in sent])
    this_term = lists.filter(effective_on__gte=term.starts_on) if term else lists
    in_force = {
        upload.kind: upload
        for upload in this_term.applied().filter(state=State.IN_FORCE).order_by("kind", "-applied_at").distinct("kind")
    }
    unfinished = {upload.kind: upload for upload in lists.open().order_by("kind", "-pk").distinct("kind")}
    place = senders.usual_place(request.user)
    filled = prefilled.kinds_in_force(place) if place is not None else frozenset()
    return [_card(kind, place, in_force, unfinished, is_filled=kind.key in filled) for kind in sent]


def _card(
    kind: ListKind,
    place: Region | School | None,
    in_force: Mapping[str, Upload],
    unfinished: Mapping[str, Upload],
    *,
    is_filled: bool,
) -> Card:
    done, todo = in_force.get(kind.key), unfinished.get(kind.key)
    running = todo is not None and todo.state in (State.RECEIVED, State.APPROVED)
    state = shown_state(todo) if todo else Shown("ok", "本学期已生效") if done else Shown("mute", "本学期未报")
    return Card(
        title=kind.label,
        lines=[f"{kind.source}。{kind.about}"],
        state=state,
        template_url=reverse("import-template", args=[kind.key]),
        prefilled_url=reverse("import-prefilled", args=[kind.key]) if is_filled else "",
        upload_url=f"{reverse('import-new')}?kind={kind.key}",
        drop=Drop(kind.key, place.code, today()) if place else None,
        running_url=page_of(todo) if todo and running else "",
        open=Mention(f"{title(todo)}（{todo.place_name}）", page_of(todo)) if todo and not running else None,
        last=Mention(f"{zh_date(done.effective_on)} {done.place_name} {done.rows_accepted:,} 行", page_of(done))
        if done
        else None,
    )


def _filtered(request: AccountRequest) -> tuple[UploadQuerySet, dict[str, object]]:
    """The record as the address filters it, and the filters for the page."""
    q, kind, state = (request.GET.get(name, "").strip() for name in ("q", "kind", "state"))
    found = in_scope(request).order_by("-pk")
    chips: list[Chip] = []
    if q:
        number = Q(pk=int(q)) if q.isdigit() and len(q) < 9 else Q()
        found = found.filter(
            Q(pk__in=found.filter(files__name__icontains=q).values("pk")) | Q(comment__icontains=q) | number
        )
        chips.append(chip(request, "q", q))
    known = {one.key: one.label for one in kinds()}
    if kind in known:
        found = found.of_kind(kind)
        chips.append(chip(request, "kind", known[kind]))
    if state in dict(_STATES):
        found = found.open() if state == OPEN else found.filter(state=state)
        chips.append(chip(request, "state", dict(_STATES)[state]))
    shown: dict[str, object] = {
        "q": q,
        "kinds": options(known.items(), kind),
        "states": options(_STATES, state),
        "chips": chips,
    }
    return found, shown


def _line(upload: Upload) -> Line:
    failed = upload.state in (State.REFUSED, State.FAILED)
    return Line(
        title(upload),
        page_of(upload),
        kind_of(upload.kind).label,
        upload.place_name,
        str(upload.uploaded_by),
        upload.uploaded_at,
        upload.effective_on,
        shown_state(upload),
        Counts(upload.rows_accepted, upload.rows_waiting, upload.rows_refused),
        reverse("import-receipt", args=[upload.pk]) if upload.applied_at else "",
        page_of(upload) if failed else "",
    )
