"""Figures of many indicators for one place and its parts, fetched with one query a total and one a split, and kept until
something changes.

A page asks a board once for all that it shows; it never asks cell by cell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from eduaid.core.indicators import Amount, Breakdown, Indicator, indicator_of, rate_of
from eduaid.core.models import Region, School
from eduaid.core.models.places import Level
from eduaid.core.scope import Scope
from reports.areas import Area, is_told_of
from reports.basis import KindInForce, kinds_in_force
from reports.moments import Moment, answering_for, state_of_the_data
from reports.numbers import Number, Share, basis_of

_KEEP_SECONDS = 600

Part = int | str | None


@dataclass(frozen=True)
class Fetched:
    """Plain values, as they are cached: totals by indicator, and parts by indicator and split."""

    totals: dict[str, Amount]
    parts: dict[tuple[str, str], dict[Part, Amount]]
    lists: dict[str, KindInForce]


@dataclass(frozen=True)
class Split:
    """How a place falls into parts: the breakdown's key, and the parts in their order."""

    key: str
    label: str
    places: tuple[Area, ...]


class Board:
    """The figures of one place, ready. `total` and `cell` give them as numbers that lead to their rows."""

    def __init__(self, area: Area, moment: Moment, fetched: Fetched, splits: Sequence[Split]) -> None:
        self.area = area
        self.moment = moment
        self.splits = {split.key: split for split in splits}
        self._fetched = fetched

    def __contains__(self, key: str) -> bool:
        return key in self._fetched.totals

    @property
    def lists(self) -> dict[str, KindInForce]:
        """Which kinds of list are in force for the place, and how recent they are."""
        return self._fetched.lists

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._fetched.totals)

    def total(self, key: str, label: str = "") -> Number:
        return Number.of(indicator_of(key), self._fetched.totals[key], self.area, self.moment, label=label)

    def has(self, key: str, split: str) -> bool:
        """Whether the indicator can be split that way."""
        return (key, split) in self._fetched.parts

    def amount(self, key: str, split: str, place: Area) -> Amount:
        return self._fetched.parts[key, split].get(place.pk, 0)

    def cell(self, key: str, split: str, place: Area) -> Number:
        return Number.of(indicator_of(key), self.amount(key, split, place), place, self.moment)

    def unplaced(self, key: str, split: str) -> Number:
        """What lies in the area but in none of its parts (no village written, no township known)."""
        named = {place.pk for place in self.splits[split].places}
        value = sum(amount for part, amount in self._fetched.parts[key, split].items() if part not in named)
        return Number.of(indicator_of(key), value, self.area, self.moment, drill={"none": split})

    def share(self, label: str, part: Number, whole: Number) -> Share:
        return Share.of(label, part, whole, self.moment)

    def rate(self, key: str) -> Share:
        """A declared rate of the place; it leads to the rows for which it is not 100 %."""
        rate = rate_of(key)
        return Share.of(rate.label, self.total(rate.part), self.total(rate.whole), self.moment, rest=rate.rest)

    def rate_cell(self, key: str, split: str, place: Area) -> Share:
        rate = rate_of(key)
        part, whole = self.cell(rate.part, split, place), self.cell(rate.whole, split, place)
        return Share.of(rate.label, part, whole, self.moment, rest=rate.rest)


def fetch_board(area: Area, moment: Moment, scope: Scope, keys: Iterable[str]) -> Board:
    """Computes, or takes from the cache, the totals of these indicators and their splits into the next smaller places.

    The scope must cover the area. Indicators that say nothing of such a place are left out.
    """
    asked = [indicator for indicator in map(indicator_of, dict.fromkeys(keys)) if is_told_of(indicator, area)]
    splits = splits_of(area, moment)
    names = {split.key for split in splits}
    wanted = {i.key: (i, [b for b in i.breakdowns if b.key in names]) for i in asked}
    place = _cache_key(area, moment, scope, list(wanted))
    fetched: Fetched | None = cache.get(place)
    if fetched is None:
        with answering_for(moment):
            fetched = _fetch(list(wanted.values()), area, moment, scope)
        cache.set(place, fetched, _KEEP_SECONDS)
    return Board(area, moment, fetched, splits)


def _fetch(
    wanted: Sequence[tuple[Indicator, Sequence[Breakdown]]],
    area: Area,
    moment: Moment,
    scope: Scope,
) -> Fetched:
    basis = basis_of(area, moment)
    totals: dict[str, Amount] = {}
    parts: dict[tuple[str, str], dict[Part, Amount]] = {}
    for indicator, breakdowns in wanted:
        totals[indicator.key] = indicator.value(basis, scope)
        for breakdown in breakdowns:
            parts[indicator.key, breakdown.key] = indicator.values_by(breakdown, basis, scope)
    return Fetched(totals, parts, kinds_in_force(area))


def _cache_key(area: Area, moment: Moment, scope: Scope, keys: Sequence[str]) -> str:
    parts: list[Any] = [
        state_of_the_data(),
        type(area).__name__,
        area.pk,
        moment.as_of,
        moment.known_at,
        scope.county,
        sorted(scope.towns),
        sorted(scope.schools),
        keys,
    ]
    return "board:" + hashlib.sha256(repr(parts).encode()).hexdigest()


def splits_of(area: Area, moment: Moment) -> tuple[Split, ...]:
    """The next smaller places: a county's townships, a township's schools and villages. A school has none."""
    if isinstance(area, School):
        return ()
    if area.is_home:
        towns = Region.objects.townships().valid_on(moment.as_of)
        return (Split("town", "乡镇", tuple(towns)),)
    if area.level == Level.TOWNSHIP:
        schools = School.objects.lying_in(area).valid_on(moment.as_of).order_by("code")
        villages = area.children.filter(level=Level.VILLAGE).valid_on(moment.as_of).order_by("code")
        return (Split("school", "学校", tuple(schools)), Split("village", "村", tuple(villages)))
    return ()
