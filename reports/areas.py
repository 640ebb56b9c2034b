"""The place that a page is about: found by its code, and only if the reader's scope covers it."""

from __future__ import annotations

from eduaid.core.indicators import Counting, Indicator, area_of
from eduaid.core.models import Region, School
from eduaid.core.models.places import Level
from eduaid.core.scope import Scope

Area = Region | School


class NoSuchArea(LookupError):
    """There is no such place, or it lies outside the reader's scope: the answer is the same (404)."""


def covers(scope: Scope, area: Area) -> bool:
    """As `Scope.covers`, and a village with its township."""
    if scope.covers(area):
        return True
    return isinstance(area, Region) and area.level == Level.VILLAGE and area.parent_id in scope.towns


def area_for(scope: Scope, code: str = "") -> Area:
    """The place of that code, or without a code the widest that the scope covers. Raises NoSuchArea."""
    if not code:
        return own_area(scope)
    try:
        area = area_of(code)
    except LookupError as error:
        raise NoSuchArea(str(error)) from None
    inside = not area.is_outside if isinstance(area, School) else area.is_home or area.level != Level.COUNTY
    if not inside or not covers(scope, area):
        raise NoSuchArea(f"没有代码为“{code}”的区划或学校")
    return area


def own_area(scope: Scope) -> Area:
    """The county for the bureau, else the first township or school of the scope. Raises NoSuchArea for a scope of nothing."""
    found: Area | None = None
    if scope.county:
        found = Region.objects.filter(is_home=True).first()
    elif scope.towns:
        found = Region.objects.filter(pk__in=scope.towns).order_by("code").first()
    elif scope.schools:
        found = School.objects.filter(pk__in=scope.schools).select_related("town").order_by("code").first()
    if found is None:
        raise NoSuchArea("还没有建立本县的区划，请先在“设置—区划”中建立。")
    return found


def town_of(area: Area) -> Region | None:
    """The township that an area is or lies in; None for the county."""
    if isinstance(area, School):
        return area.town
    if area.level == Level.VILLAGE:
        return area.parent
    return None if area.is_home else area


def is_told_of(indicator: Indicator, area: Area) -> bool:
    """Whether the indicator says anything of such a place: 户籍地 ends at the village, 就读地 at the school."""
    if isinstance(area, School):
        return indicator.counting is not Counting.HUKOU
    if area.level == Level.VILLAGE:
        return indicator.counting is Counting.HUKOU and any(b.key == "village" for b in indicator.breakdowns)
    return True


def whole_word(area: Area) -> str:
    """全县, 全镇, 全乡, 全街道, 全村, 全校: how a sentence speaks of all of it."""
    if isinstance(area, School):
        return "全校"
    if area.is_home:
        return "全县"
    if area.level == Level.VILLAGE:
        return "全村"
    for end in ("街道", "镇", "乡"):
        if area.name.endswith(end):
            return f"全{end}"
    return "全乡镇"
