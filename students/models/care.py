"""包保: which person answers for which child, from one day to another."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from eduaid.core.models.calendar import DateRange
from eduaid.core.roles import RESPONSIBLE_ROLES, today
from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User


class Tie(models.TextChoices):
    """As what somebody answers for a child."""

    CLASS_TEACHER = "class", "班主任"
    TEACHER = "teacher", "包保教师"
    LEADER = "leader", "学校负责人"
    CADRE = "cadre", "结对干部"


class ResponsibilityQuerySet(models.QuerySet["Responsibility"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Those of children whom the scope sees."""
        from students.models.people import Student  # noqa: PLC0415  (people.py names this module's table)

        return self if scope.county else self.filter(student__in=Student.objects.within(scope))

    def held_on(self, day: dt.date) -> Self:
        """In effect on that day: the first day counts, the last is the day before `ended_on`."""
        return self.filter(from_on__lte=day).filter(Q(ended_on=None) | Q(ended_on__gt=day))

    def left_behind(self, day: dt.date) -> Self:
        """In effect, but the person has left: the account is stopped, or holds no post any more that can answer for a child."""
        from eduaid.core.models import Post  # noqa: PLC0415  (core.models is complete only by now)

        posts = Post.objects.held_on(day).filter(user=OuterRef("user"), role__in=RESPONSIBLE_ROLES)
        return self.held_on(day).filter(Q(user__is_active=False) | ~Exists(posts))


# The beginning is told by the row; history keeps what became of it.
@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Responsibility(models.Model):
    """One person answers for one child, at most one at a time. `ended_on` is the first day on which it holds no more: a hand-over
    leaves neither a gap nor a day with two, and one that was taken back on its first day never held."""

    student = models.ForeignKey(
        "students.Student", models.PROTECT, related_name="responsibilities", verbose_name="学生", db_index=False
    )  # responsibility_one_at_a_time begins with it
    user = models.ForeignKey("core.User", models.PROTECT, related_name="charges", verbose_name="责任人")
    tie = models.CharField("身份", max_length=8, choices=Tie.choices, default=Tie.TEACHER)
    from_on = models.DateField("起")
    ended_on = models.DateField("止", null=True, blank=True, help_text="自这一天起不再负责")
    assigned_by = models.ForeignKey(
        "core.User", models.PROTECT, related_name="+", verbose_name="分配人", db_index=False
    )
    assigned_at = models.DateTimeField("分配时间", default=timezone.now)
    ended_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="结束人", db_index=False
    )
    reason = models.CharField("结束原因", max_length=120, default="", blank=True)
    batch = models.UUIDField(
        "批次", editable=False, db_index=True, help_text="What was assigned at once is undone at once."
    )
    ended_in = models.UUIDField("交接批次", null=True, blank=True, editable=False, db_index=True)

    objects = ResponsibilityQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "包保"
        ordering = ["-from_on", "-id"]
        constraints = [
            ExclusionConstraint(
                name="responsibility_one_at_a_time",
                expressions=[
                    ("student", RangeOperators.EQUAL),
                    (DateRange("from_on", "ended_on"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("from_on")), name="responsibility_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None, ended_by=None) | Q(ended_on__isnull=False, ended_by__isnull=False),
                name="responsibility_ended_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}（{self.get_tie_display()}）"


def children_of(user: User) -> frozenset[int]:
    """The children whom somebody answers for today."""
    held = Responsibility.objects.held_on(today()).filter(user=user)
    return frozenset(held.values_list("student", flat=True))
