"""Spot checks 抽查: some children of every school drawn by a seed, called, and what was found put right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User

FEWEST, MOST = 5, 10
"""How many children of a school are drawn (5~10人/校); a school with fewer is called whole."""


@pghistory.track()
class SpotCheck(models.Model):
    """One draw. Its seed and the pool of each school are kept, so that anybody can draw again and get the same children."""

    name = models.CharField("名称", max_length=60)
    round = models.ForeignKey(
        "dropout.CensusRound", models.PROTECT, null=True, related_name="spot_checks", verbose_name="轮次"
    )
    seed = models.CharField("随机种子", max_length=40)
    per_school = models.PositiveSmallIntegerField("每校人数")
    drawn_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="抽取人", db_index=False)
    drawn_at = models.DateTimeField("抽取时间", default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = "抽查"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="spotcheck_name_once"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(seed=""), name="spotcheck_has_name_and_seed"),
            models.CheckConstraint(condition=Q(per_school__range=(FEWEST, MOST)), name="spotcheck_five_to_ten"),
        ]

    def __str__(self) -> str:
        return self.name


class SpotPool(models.Model):
    """From whom was drawn: the children of a school, or of a township those who study elsewhere. Written once."""

    check_of = models.ForeignKey(SpotCheck, models.PROTECT, related_name="pools", verbose_name="抽查")
    school = models.ForeignKey("core.School", models.PROTECT, null=True, related_name="+", verbose_name="学校")
    town = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="+", verbose_name="乡镇")
    children = ArrayField(models.BigIntegerField(), verbose_name="抽取范围")

    class Meta:
        verbose_name = verbose_name_plural = "抽取范围"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["check_of", "school", "town"], name="spotpool_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """水口镇中心小学, or 水口镇（在外就读）."""
        return str(self.school) if self.school else f"{self.town.name if self.town else '户籍不明'}（在外就读）"


class Outcome(models.TextChoices):
    WAITING = "", "未抽查"
    TRUE = "true", "属实"
    UNTRUE = "untrue", "不属实"
    UNREACHABLE = "unreachable", "无法接通"


class SpotCallQuerySet(models.QuerySet["SpotCall"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        if scope.county:
            return self
        seen = (
            Q(student__hukou_town__in=scope.towns)
            | Q(student__school_town__in=scope.towns)
            | Q(student__school__in=scope.schools)
        )
        return self.filter(seen | Q(student__in=scope.children) if scope.children else seen)


@pghistory.track()
class SpotCall(models.Model):
    """A child that was drawn, and what the call found. An untrue record is put right by a date."""

    check_of = models.ForeignKey(SpotCheck, models.PROTECT, related_name="calls", verbose_name="抽查")
    pool = models.ForeignKey(SpotPool, models.PROTECT, related_name="calls", verbose_name="抽取范围")
    student = models.ForeignKey("students.Student", models.PROTECT, related_name="spot_calls", verbose_name="学生")
    said = models.CharField("登记的就读情况", max_length=200, default="", blank=True)
    outcome = models.CharField("结果", max_length=11, choices=Outcome.choices, default=Outcome.WAITING, blank=True)
    note = models.CharField("说明", max_length=200, default="", blank=True)
    called_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="抽查人", db_index=False
    )
    called_at = models.DateTimeField("抽查时间", null=True)
    due_on = models.DateField("整改期限", null=True)
    rectified_on = models.DateField("整改日期", null=True)
    rectified_note = models.CharField("整改情况", max_length=200, default="", blank=True)
    rectified_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="销号人", db_index=False
    )

    objects = SpotCallQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "抽查学生"
        ordering = ["id"]
        indexes = [models.Index(fields=["check_of", "outcome"], name="spotcall_outcome")]
        constraints = [
            models.UniqueConstraint(fields=["check_of", "student"], name="spotcall_once_a_check"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="spotcall_outcome_known"),
            models.CheckConstraint(
                condition=Q(outcome="", called_by=None, called_at=None)
                | (~Q(outcome="") & Q(called_by__isnull=False, called_at__isnull=False)),
                name="spotcall_called_by_somebody",
            ),
            # An untrue record says what was found and by when it is put right; nothing else has a task.
            models.CheckConstraint(
                condition=(Q(outcome=Outcome.UNTRUE, due_on__isnull=False) & ~Q(note=""))
                | (~Q(outcome=Outcome.UNTRUE) & Q(due_on=None, rectified_on=None)),
                name="spotcall_untrue_has_a_task",
            ),
            models.CheckConstraint(
                condition=Q(rectified_on=None, rectified_by=None, rectified_note="")
                | (Q(rectified_on__isnull=False, rectified_by__isnull=False) & ~Q(rectified_note="")),
                name="spotcall_rectified_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.check_of}：{self.get_outcome_display()}"
