"""The way down from a figure: county → township → school or village → class, then the children (at most four clicks)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import CharField, Value
from django.db.models.functions import Concat

from eduaid.core import codes
from eduaid.core.indicators import Amount, Basis, Breakdown, Indicator
from eduaid.core.models import Region, School
from eduaid.core.scope import Scope
from reports.areas import Area

NOWHERE = "none"
"""The drill that keeps what lies in no part of a breakdown: its value is that breakdown's key."""

_JOIN = "·"


class UnknownDrill(LookupError):
    """An address narrows by something that the indicator is not split by."""


def filters_of(indicator: Indicator, drill: Mapping[str, str]) -> dict[str, Any]:
    """Breakdown key → part, as it stands in addresses, as conditions on the indicator's rows. Raises UnknownDrill."""
    paths = {breakdown.key: breakdown.path for breakdown in indicator.breakdowns}
    filters: dict[str, Any] = {}
    for key, part in drill.items():
        try:
            if key == NOWHERE:
                filters[f"{paths[part]}__isnull"] = True
            else:
                filters[paths[key]] = part
        except KeyError:
            raise UnknownDrill(f"“{indicator.label}”不能按“{key}”细分") from None
    return filters


_WORDS = ("programme", "stage", "category", "tier")
"""Breakdowns by a code that stands in addresses as it is and may be asked for at any place."""


def drill_keys(indicator: Indicator) -> tuple[str, ...]:
    """What an address may narrow the indicator by beside its place: grade, class, and what lies nowhere."""
    return (*(b.key for b in indicator.breakdowns if b.key in ("grade", "class", *_WORDS)), NOWHERE)


@dataclass(frozen=True)
class Step:
    """One part of a figure, a click further down: another place, or a narrower drill of the same place."""

    name: str
    value: Amount
    area: Area
    drill: Mapping[str, str]


@dataclass(frozen=True)
class Way:
    """One way to split a figure at a place, as a tab: its key and label."""

    key: str
    label: str
    breakdown: Breakdown


def ways_of(indicator: Indicator, area: Area, drill: Mapping[str, str]) -> tuple[Way, ...]:
    """How the figure may be split here; the first is shown unless another is asked for."""
    have = {breakdown.key: breakdown for breakdown in indicator.breakdowns}
    if drill.get(NOWHERE) or "class" in drill:
        return ()
    if isinstance(area, School):
        wanted = ["class"] if "grade" in drill else ["grade-class", "grade"]
    elif area.is_home:
        wanted = ["town"]
    elif area.level == "township":
        wanted = ["school", "village", "grade"]
    else:
        wanted = []
    ways = []
    wanted += _WORDS
    for key in (key for key in wanted if key not in drill):
        if key == "grade-class" and {"grade", "class"} <= have.keys():
            ways.append(Way(key, "班级", _GRADE_AND_CLASS))
        elif key in have:
            ways.append(Way(key, have[key].label, have[key]))
    return tuple(ways)


def _grade_class_names(parts: Sequence[Any]) -> dict[Any, str]:
    return {
        part: f"{codes.GRADE.label(part.split(_JOIN)[0]) or '未填年级'} {part.split(_JOIN)[1] or '未填班级'}"
        for part in parts
    }


# A class is named within its grade: “1班” alone is one of six.
_GRADE_AND_CLASS = Breakdown("grade-class", "班级", "grade_and_class", _grade_class_names)


def steps(indicator: Indicator, way: Way, basis: Basis, scope: Scope, drill: Mapping[str, str]) -> list[Step]:
    """The parts of the figure that anybody is in, named, with the way to each. Two queries."""
    asked = indicator
    if way.breakdown is _GRADE_AND_CLASS:
        asked = replace(
            indicator,
            rows=lambda b: indicator.rows(b).annotate(
                grade_and_class=Concat("grade", Value(_JOIN), "class_name", output_field=CharField())
            ),
        )
    values = asked.values_by(way.breakdown, basis, scope)
    if way.key in ("town", "village", "school"):
        return _places(way, values, basis.area, drill)
    names = way.breakdown.names(list(values))
    found = []
    for part in sorted(values, key=_in_order):
        if way.key == "grade-class":
            grade, class_name = part.split(_JOIN)
            further = {**drill, "grade": grade, "class": class_name}
        else:
            further = {**drill, way.key: part}
        found.append(Step(names.get(part) or "未填", values[part], basis.area, further))
    return found


def _in_order(part: Any) -> list[tuple[int, str]]:
    """2班 before 10班: runs of digits by their number."""
    return [(int(piece), "") if piece.isdigit() else (0, piece) for piece in re.findall(r"\d+|\D+", str(part))]


def _places(way: Way, values: Mapping[Any, Amount], area: Area, drill: Mapping[str, str]) -> list[Step]:
    model: type[Region] | type[School] = School if way.key == "school" else Region
    places: dict[int, Area] = {place.pk: place for place in model.objects.filter(pk__in=[pk for pk in values if pk])}
    found = [Step(places[pk].name, value, places[pk], drill) for pk, value in values.items() if pk in places]
    found.sort(key=lambda step: (-step.value, step.area.code))
    rest = sum(value for pk, value in values.items() if pk not in places)
    if rest:
        found.append(Step(f"未落到{way.label}", rest, area, {**drill, NOWHERE: way.key}))
    return found
