"""The figures about 包保: who has somebody to answer for them, and who has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from eduaid.core.indicators import Basis, Breakdown, Counting, Indicator, register
from eduaid.core.models import User
from students.indicators import BY_SCHOOL, PUPILS, STUDENT_ROWS
from students.models import Responsibility
from students.models.care import ResponsibilityQuerySet


def held(basis: Basis) -> ResponsibilityQuerySet:
    """What was in effect on the day, as far as it had been entered by then."""
    found = Responsibility.objects.held_on(basis.as_of)
    return found.filter(assigned_at__lte=basis.known_at) if basis.known_at else found


def _of_child(basis: Basis) -> QuerySet[Responsibility]:
    return held(basis).filter(student=OuterRef("pk"))


def _with(basis: Basis) -> QuerySet[Any]:
    mine = _of_child(basis)
    return PUPILS.rows(basis).annotate(responsible=Subquery(mine.values("user")[:1])).filter(Exists(mine))


def _without(basis: Basis) -> QuerySet[Any]:
    return PUPILS.rows(basis).filter(~Exists(_of_child(basis)))


def _left(basis: Basis) -> QuerySet[Any]:
    gone = held(basis).left_behind(basis.as_of).filter(student=OuterRef("pk"))
    return PUPILS.rows(basis).filter(Exists(gone))


def _names(ids: Sequence[Any]) -> Mapping[Any, str]:
    return dict(User.objects.filter(Q(pk__in=[pk for pk in ids if pk])).values_list("pk", "display_name"))


BY_RESPONSIBLE = Breakdown("responsible", "责任人", "responsible", _names)

WITH = Indicator(
    key="responsibility.with",
    label="在校学生—有包保责任人",
    unit="人",
    definition="在校学生中，当天有包保责任人（教师或干部）的人数，一人只计一名责任人。",
    source="班级名册、包保分配",
    counting=Counting.SCHOOL,
    row_kind=STUDENT_ROWS,
    rows=_with,
    breakdowns=(*BY_SCHOOL, BY_RESPONSIBLE),
)
WITHOUT = Indicator(
    key="responsibility.without",
    label="在校学生—无包保责任人",
    unit="人",
    definition="在校学生中，当天没有包保责任人的人数，与有包保责任人的人数合为在校学生数。",
    source="班级名册、包保分配",
    counting=Counting.SCHOOL,
    row_kind=STUDENT_ROWS,
    rows=_without,
    breakdowns=BY_SCHOOL,
)
LEFT = Indicator(
    key="responsibility.left",
    label="在校学生—责任人已离任",
    unit="人",
    definition="在校学生中，包保责任人的账号已停用、或当天已没有可以包保学生的岗位，因而需要交接的人数。",
    source="班级名册、包保分配、人员岗位",
    counting=Counting.SCHOOL,
    row_kind=STUDENT_ROWS,
    rows=_left,
    breakdowns=BY_SCHOOL,
)

register(WITH, WITHOUT, LEFT)
