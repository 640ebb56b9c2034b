"""生源地信用助学贷款: who of last summer's candidates has applied and who has it. Loans are paid back: they are in no aid total."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone

from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User


class LoanState(models.TextChoices):
    CANDIDATE = "candidate", "未申请"
    APPLIED = "applied", "已申请"
    DONE = "done", "已办结"
    DECLINED = "declined", "不需要"


class LoanQuerySet(models.QuerySet["Loan"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        return self if scope.county else self.filter(town__in=scope.towns)

    def of_year(self, year: int) -> Self:
        return self.filter(year=year)

    def wanted(self) -> Self:
        """The denominator of the completion rate: candidates who have not said that they need none."""
        return self.exclude(state=LoanState.DECLINED)


@pghistory.track()
class Loan(models.Model):
    """One university student and one year; `year` is the calendar year of the autumn term. `student`: where the files know the person."""

    year = models.PositiveSmallIntegerField("年度")
    person_digest = models.BinaryField(editable=False, help_text="Keyed digest of the ID number.")
    student = models.ForeignKey(
        "students.Student", models.PROTECT, null=True, blank=True, related_name="loans", verbose_name="学生"
    )
    name = models.CharField("姓名", max_length=60)
    town = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="+", verbose_name="户籍乡镇")
    university = models.CharField("高校", max_length=100, default="", blank=True)
    is_registered_poor = models.BooleanField("建档立卡", default=False)
    state = models.CharField("状态", max_length=9, choices=LoanState.choices, default=LoanState.CANDIDATE)
    amount = models.DecimalField("贷款金额（元）", max_digits=10, decimal_places=2, null=True, blank=True)
    applied_on = models.DateField("申请日期", null=True, blank=True)
    done_on = models.DateField("办结日期", null=True, blank=True)
    row = models.ForeignKey(
        "core.UploadRow", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="来源行", db_index=False
    )
    changed_at = models.DateTimeField("更新时间", default=timezone.now)

    objects = LoanQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "生源地信用助学贷款"
        ordering = ["town", "id"]
        constraints = [
            models.UniqueConstraint(fields=["year", "person_digest"], name="loan_once_a_year"),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(amount__isnull=False, done_on__isnull=False),
                name="loan_done_with_amount",
            ),
            models.CheckConstraint(condition=Q(amount=None) | Q(amount__gt=0), name="loan_above_zero"),
        ]
        indexes = [models.Index(fields=["year", "town", "state"], name="loan_year_town")]

    def __str__(self) -> str:
        return f"{self.year}年 {self.name}"


class LoanSnapshotQuerySet(models.QuerySet["LoanSnapshot"]):
    def within(self, scope: Scope) -> Self:
        return self if scope.county else self.filter(town__in=scope.towns)

    def at(self, year: int, moment: dt.datetime) -> Self:
        """The last state of each township that was taken by that moment."""
        return self.filter(year=year, taken_at__lte=moment).order_by("town", "-taken_at", "-id").distinct("town")


class LoanSnapshot(models.Model):
    """How far a township was at a moment. Written after each change, never altered: what was reported can be shown again."""

    year = models.PositiveSmallIntegerField("年度")
    town = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="+", verbose_name="乡镇")
    taken_at = models.DateTimeField("时间", default=timezone.now)
    candidates = models.PositiveIntegerField("应办")
    applied = models.PositiveIntegerField("已申请")
    done = models.PositiveIntegerField("已办结")
    amount = models.DecimalField("金额（元）", max_digits=14, decimal_places=2)

    objects = LoanSnapshotQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "贷款进度"
        ordering = ["-taken_at", "town"]
        indexes = [models.Index(fields=["year", "town", "-taken_at"], name="loansnapshot_of_town")]
        constraints = [
            models.CheckConstraint(
                condition=Q(done__lte=models.F("applied"), applied__lte=models.F("candidates")),
                name="loansnapshot_done_within_applied",
            )
        ]
        triggers = [pgtrigger.Protect(name="snapshot_stays", operation=pgtrigger.Update | pgtrigger.Delete)]
