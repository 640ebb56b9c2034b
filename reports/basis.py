"""The lists that figures rest on: which are in force for a place, and of what date."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, TypedDict

from django.db.models import Count, Max, Q, QuerySet

from dropout.indicators import prefix_of, round_at
from dropout.models import CensusRound
from dropout.models.census import Window
from eduaid.core.lists import kind_of
from eduaid.core.models import ListSlice, Region, School
from eduaid.core.models.places import Level
from eduaid.core.scope import EVERYTHING, row_security
from reports.areas import Area, town_of
from students.models import Correction
from students.precedence import KINDS

# Which kinds of list speak in which figures, by the start of the indicator's key; the first that fits.
_KINDS_BEHIND: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("population.6-15.in-registry", ("population", "registry")),
    ("population", ("population",)),
    ("pupils.hukou", ("class-roster", "population", "registry")),
    ("pupils.poverty", ("class-roster", "poverty-register")),
    ("pupils", ("class-roster",)),
    ("households.poverty", ("poverty-register",)),
    ("persons.poverty", ("poverty-register",)),
    ("persons.hardship", ("hardship",)),
    ("difference.population-not-registry", ("population", "registry")),
    ("difference.registry-not-roster", ("registry", "class-roster")),
    ("difference.roster-only", ("class-roster", "registry")),
    ("schools", ("class-roster",)),
    ("whereabouts", ("population", "registry", "class-roster")),
)


def kinds_behind(key: str) -> tuple[str, ...]:
    """The kinds of list that an indicator reads, the one that names its rows first; empty: any kind."""
    return next((kinds for start, kinds in _KINDS_BEHIND if key.startswith(start)), ())


@dataclass(frozen=True)
class KindInForce:
    """How recent a place's lists of one kind are."""

    kind: str
    label: str
    oldest: dt.date
    newest: dt.date


def _of(area: Area) -> Q:
    """Slices that speak of a place below the county: its own, its schools'; for a school its own only."""
    if isinstance(area, School):
        return Q(school=area)
    if area.level == Level.VILLAGE:
        return Q(town=town_of(area))
    return Q(town=area) | Q(school__town=area)


def current_slices(area: Area) -> QuerySet[ListSlice]:
    """Slices in force that speak of the place, and those of county-wide lists: these cover it even where they name nobody.

    Ask with everything in sight: a county-wide list is beyond a township's.
    """
    slices = ListSlice.objects.filter(is_current=True)
    if isinstance(area, Region) and area.is_home:
        return slices
    return slices.filter(_of(area) | Q(upload__region__is_home=True))


def kinds_in_force(area: Area) -> dict[str, KindInForce]:
    """Kind → how recent, for the kinds of which the place has a list in force; nothing else of them is told."""
    dates: dict[str, list[dt.date]] = {}
    with row_security(EVERYTHING, local=True):
        for kind, day in current_slices(area).values_list("kind", "effective_on").distinct():
            dates.setdefault(kind, []).append(day)
    return {
        kind.key: KindInForce(kind.key, kind.label, min(dates[kind.key]), max(dates[kind.key]))
        for kind in (kind_of(key) for key in KINDS)
        if kind.key in dates
    }


def lacking(key: str, area: Area) -> str:
    """Why a figure is 0 although nobody was counted out: a list that it reads is not in force. Else empty."""
    if key.startswith("whereabouts") and census_of(key) is None:
        return "没有正在进行的摸排。县局发起一轮摸排后，这里才有数。"
    have = kinds_in_force(area)
    gone = [kind_of(kind).label for kind in kinds_behind(key) if kind not in have]
    return f"还没有生效的名单：{'、'.join(gone)}。名单通过审核后这里才有数。" if gone else ""


def census_of(key: str) -> CensusRound | None:
    """The open round that a figure of whereabouts speaks of."""
    window = next((one for one in Window if key.startswith(f"{prefix_of(one)}.") and one != Window.COMPULSORY), None)
    return round_at(window or Window.COMPULSORY, None)


class ListVersion(TypedDict):
    """One list in force: how often it had been edited, and how many of its slices counted."""

    upload: int
    version: int
    kind: str
    effective_on: str
    slices: int


class BasisRecord(TypedDict):
    """What a report's figures rest on, as JSON. `corrections`: how many held, and the newest of them."""

    lists: list[ListVersion]
    corrections: int
    newest_correction: int | None


def record_of(area: Area) -> BasisRecord:
    """The basis as it stands (inside `answering_for`: as it stood)."""
    with row_security(EVERYTHING, local=True):
        rows: Any = list(
            current_slices(area)
            .order_by("upload_id")
            .values("upload_id", "upload__version", "kind", "effective_on")
            .annotate(slices=Count("pk"))
        )
        corrections = Correction.objects.holding().aggregate(count=Count("pk"), newest=Max("pk"))
    return {
        "lists": [
            {
                "upload": row["upload_id"],
                "version": row["upload__version"],
                "kind": row["kind"],
                "effective_on": row["effective_on"].isoformat(),
                "slices": row["slices"],
            }
            for row in rows
        ],
        "corrections": corrections["count"],
        "newest_correction": corrections["newest"],
    }
