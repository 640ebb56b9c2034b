"""学年更替: a school, a township or the county goes up a grade at once, and graduates get their whereabouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pghistory
from django.db import models
from django.db.models import Q
from django.utils import timezone

from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User


class TurnState(models.TextChoices):
    DRAFT = "draft", "预览中"
    APPLIED = "applied", "已办理"
    UNDONE = "undone", "已撤销"
    DROPPED = "dropped", "已作废"


class Outcome(models.TextChoices):
    UP = "up", "升级"
    GRADUATE = "graduate", "毕业"
    STAY = "stay", "留级"
    AWAY = "away", "休学不升"


class TurnQuerySet(models.QuerySet["YearTurn"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        return self if scope.county else self.filter(Q(town__in=scope.towns) | Q(school__in=scope.schools))


@pghistory.track()
class YearTurn(models.Model):
    """One turn into a school year, of a school, of a township, or (neither) of the county: a draft until it is applied."""

    year = models.ForeignKey("core.SchoolYear", models.PROTECT, related_name="turns", verbose_name="进入的学年")
    town = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="+", verbose_name="乡镇")
    school = models.ForeignKey("core.School", models.PROTECT, null=True, related_name="+", verbose_name="学校")
    state = models.CharField("状态", max_length=8, choices=TurnState.choices, default=TurnState.DRAFT)
    made_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="建立人")
    made_at = models.DateTimeField("建立时间", default=timezone.now)
    applied_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="办理人")
    applied_at = models.DateTimeField("办理时间", null=True)
    undone_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="撤销人")
    undone_at = models.DateTimeField("撤销时间", null=True)
    undo_reason = models.CharField("撤销原因", max_length=200, default="", blank=True)

    objects = TurnQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学年更替"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(town=None) | Q(school=None), name="yearturn_one_place"),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "dropped"], applied_by=None)
                | Q(state__in=["applied", "undone"], applied_by__isnull=False, applied_at__isnull=False),
                name="yearturn_applied_by_somebody",
            ),
            models.CheckConstraint(
                condition=(Q(state="undone", undone_by__isnull=False) & ~Q(undo_reason=""))
                | (~Q(state="undone") & Q(undone_by=None)),
                name="yearturn_undone_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school or self.town or '全县'}进入{self.year}"


class TurnedQuerySet(models.QuerySet["Turned"]):
    def within(self, scope: Scope) -> Self:
        return self if scope.county else self.filter(Q(town__in=scope.towns) | Q(school__in=scope.schools))

    def in_force(self) -> Self:
        """Of turns that were applied, also what an undo had to keep."""
        return self.filter(turn__state__in=(TurnState.APPLIED, TurnState.UNDONE), withdrawn_at=None)


# Made by the hundred thousand; what people change about them is history.
@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Turned(models.Model):
    """What the turn does with one child. `destination`: a graduate's whereabouts afterwards (codes.GRADUATION)."""

    turn = models.ForeignKey(YearTurn, models.PROTECT, related_name="children", verbose_name="学年更替", db_index=False)
    year = models.ForeignKey(
        "core.SchoolYear", models.PROTECT, related_name="+", db_index=False, db_constraint=False, verbose_name="学年"
    )
    student = models.ForeignKey("students.Student", models.PROTECT, related_name="turns", verbose_name="学生")
    # School and township as the turn found them; held by triggers, once a statement.
    school = models.ForeignKey(
        "core.School", models.PROTECT, related_name="+", db_index=False, db_constraint=False, verbose_name="学校"
    )
    town = models.ForeignKey(
        "core.Region",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name="乡镇",
    )
    grade = models.CharField("原年级", max_length=2)
    class_name = models.CharField("原班级", max_length=20, default="", blank=True)
    outcome = models.CharField("结果", max_length=8, choices=Outcome.choices)
    to_grade = models.CharField("新年级", max_length=2, default="", blank=True)
    destination = models.CharField("毕业去向", max_length=2, default="", blank=True)
    note = models.CharField("备注", max_length=100, default="", blank=True)
    withdrawn_at = models.DateTimeField("撤销时间", null=True)

    objects = TurnedQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学年更替的学生"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "year"], condition=Q(withdrawn_at=None), name="turned_once_a_year"
            ),
            models.CheckConstraint(
                condition=Q(outcome="graduate", to_grade="")
                | (~Q(outcome="graduate") & ~Q(to_grade="") & Q(destination="")),
                name="turned_into_a_grade_or_out",
            ),
        ]
        indexes = [models.Index(fields=["turn", "school", "grade", "class_name"], name="turned_by_class")]
