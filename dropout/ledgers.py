"""The three ledgers 三本台账 of the open 6—15 round: who stands in each, since when, and how entries leave it (销号)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet

from dropout.indicators import round_at
from dropout.models import CensusRound, Whereabouts
from dropout.models.census import OUT_OF_SCHOOL, Source, Window
from eduaid.core.indicators import Basis, Indicator, indicator_of
from eduaid.core.models import ListSlice, Region, School, User
from eduaid.core.roles import today
from eduaid.core.scope import Scope

Area = Region | School


@dataclass(frozen=True)
class Ledger:
    """`hukou`, `school`: the indicator that counts the ledger at a township or village, and at a school."""

    key: str
    label: str
    hukou: str
    school: str

    def indicator(self, area: Area) -> Indicator:
        return indicator_of(self.school if isinstance(area, School) else self.hukou)


ELIGIBLE = Ledger("eligible", "适龄儿童", "whereabouts.population", "whereabouts.at-school")
SUSPECTED = Ledger("suspected", "疑似辍学", "whereabouts.suspected", "whereabouts.at-school.suspected")
DROPOUT = Ledger("dropout", "辍学", "whereabouts.dropout", "whereabouts.at-school.dropout")
LEDGERS = (ELIGIBLE, SUSPECTED, DROPOUT)


def is_in(ledger: Ledger, code: str) -> bool:
    """A child is in at most one of 疑似 and 辍学: one whereabouts, one code."""
    if ledger is SUSPECTED:
        return code == ""
    return code in OUT_OF_SCHOOL if ledger is DROPOUT else True


def entries(ledger: Ledger, area: Area, scope: Scope) -> QuerySet[Any]:
    """The children in the ledger: exactly the rows of its indicator."""
    found: QuerySet[Any] = ledger.indicator(area).queryset(Basis(area, today()), scope)
    return found.select_related("hukou_town", "hukou_village", "school").order_by(
        "hukou_town__code", "hukou_village__code", "pinyin", "id"
    )


def struck_off(ledger: Ledger, area: Area, scope: Scope) -> QuerySet[Whereabouts]:
    """Whereabouts of children who were in the ledger and are out of it.

    That a child came in as 未核 and was derived in the same transaction is no entry.
    """
    round_ = round_at(Window.COMPULSORY, None)
    if round_ is None:
        return Whereabouts.objects.none()
    events: Any = Whereabouts.pgh_event_model.objects  # type: ignore[attr-defined]
    found = Whereabouts.objects.within(scope).filter(round=round_)
    found = found.of_hukou(area) if isinstance(area, Region) else found.filter(student__school=area)
    if ledger is DROPOUT:
        was = events.filter(pgh_obj=OuterRef("pk"), code__in=OUT_OF_SCHOOL)
        found = found.exclude(code__in=OUT_OF_SCHOOL).filter(Exists(was))
    else:
        same = events.filter(
            pgh_obj=OuterRef("pgh_obj"), pgh_created_at=OuterRef("pgh_created_at"), pgh_id__gt=OuterRef("pgh_id")
        )
        was = events.filter(pgh_obj=OuterRef("pk"), code="").filter(~Exists(same))
        found = found.exclude(code="").filter(Exists(was))
    return found.select_related("student", "where_school", "decided_by").order_by("-pk")


@dataclass(frozen=True)
class Stay:
    """A child's present state in a ledger: since when, and by what it came in or (`left`) went out."""

    since: dt.datetime
    how: str
    left: bool = False


def stays(ledger: Ledger, held: Sequence[Whereabouts]) -> dict[int, Stay]:
    """Whereabouts id → how it came into the ledger, or out of it. Two queries for a page of entries."""
    events: Any = Whereabouts.pgh_event_model.objects  # type: ignore[attr-defined]
    told: dict[int, list[Any]] = {}
    for event in events.filter(pgh_obj_id__in=[one.pk for one in held]).order_by("pgh_id"):
        told.setdefault(event.pgh_obj_id, []).append(event)
    users = dict(User.objects.filter(pk__in={w.decided_by_id for w in held}).values_list("pk", "display_name"))
    found: dict[int, Stay] = {}
    for one in held:
        inside = is_in(ledger, one.code)
        run = None
        for event in reversed(told.get(one.pk, [])):
            if is_in(ledger, event.code) != inside:
                break
            run = event
        if run is not None:
            found[one.pk] = Stay(run.pgh_created_at, _how(run, users), left=not inside)
    return found


def _how(event: Any, users: dict[int, str]) -> str:
    who = users.get(event.decided_by_id, "") if event.source == Source.PERSON else Source.DERIVED.label
    return f"{who}：{event.basis}" if event.basis else who


def whereabouts_of(round_: CensusRound, students: Sequence[int]) -> dict[int, Whereabouts]:
    """Child → its whereabouts in the round, for a page of children. One query."""
    held = Whereabouts.objects.filter(round=round_, student__in=students).select_related("where_school", "decided_by")
    return {one.student_id: one for one in held}


# --- 四查三比对 -------------------------------------------------------------------------------------------------


CHECKED = (("population", "户籍"), ("registry", "学籍"), ("class-roster", "在校"), ("poverty-register", "脱贫"))
"""The lists that are to be there: 查户籍, 查学籍, 查在校, 查脱贫户."""


@dataclass(frozen=True)
class ListState:
    """A township's lists of one kind: their dates, or since when there is none. `level`: ok, warn (of an earlier term), bad."""

    level: str
    text: str


def list_states(towns: Sequence[Region], term_began: dt.date | None) -> dict[int, list[ListState]]:
    """Township → the state of each list of `CHECKED`. Three queries for all townships."""
    town_of = dict(School.objects.filter(is_outside=False).values_list("pk", "town_id"))
    current: dict[tuple[str, int], tuple[dt.date, dt.date, set[int]]] = {}
    last: dict[tuple[str, int], dt.date] = {}
    slices = ListSlice.objects.filter(applied_at__isnull=False).order_by()
    for kind, town, school, is_current, newest, oldest in slices.values_list(
        "kind", "town_id", "school_id", "is_current"
    ).annotate(newest=Max("effective_on"), oldest=Min("effective_on")):
        at = town or town_of.get(school)
        if at is None:
            continue
        key = (kind, at)
        last[key] = max(newest, last.get(key, newest))
        if is_current:
            first, latest, schools = current.get(key, (oldest, newest, set()))
            current[key] = (min(first, oldest), max(latest, newest), schools | ({school} if school else set()))
    due = dict(
        School.objects.filter(is_outside=False, valid_until=None)
        .order_by()
        .values_list("town_id")
        .annotate(Count("pk"))
    )
    return {
        town.pk: [_state(kind, town.pk, current, last, due.get(town.pk, 0), term_began) for kind, _ in CHECKED]
        for town in towns
    }


def _state(
    kind: str,
    town: int,
    current: dict[tuple[str, int], tuple[dt.date, dt.date, set[int]]],
    last: dict[tuple[str, int], dt.date],
    schools: int,
    term_began: dt.date | None,
) -> ListState:
    found = current.get((kind, town))
    if found is None:
        before = last.get((kind, town))
        return ListState("bad", f"缺，{before:%Y-%m-%d}的已撤回" if before else "缺，从未报送")
    oldest, newest, sent = found
    text = f"{newest:%Y-%m-%d}"
    if kind == "class-roster" and len(sent) < schools:
        text += f"，{len(sent)}/{schools}所"
    if term_began is not None and oldest < term_began:
        return ListState("warn", f"{text}，旧名单{oldest:%Y-%m-%d}" if newest != oldest else f"{text}，非本学期")
    return ListState("warn" if kind == "class-roster" and len(sent) < schools else "ok", text)


def towns_seen(scope: Scope) -> list[Region]:
    """The townships whose lists the reader is told of."""
    towns = Region.objects.townships().valid_on(today())
    if not scope.county:
        own = scope.towns | set(School.objects.filter(pk__in=scope.schools).values_list("town_id", flat=True))
        towns = towns.filter(Q(pk__in=own))
    return list(towns)
