"""Public notices 公示 of approved batches: what everybody may read for some working days, and what was objected.

Source of what may be shown: 教财〔2018〕16号: name, school, grade and class; never numbers, addresses, telephones, birth dates, cards or
the hardship itself; at least five working days; to be taken down when the period ends.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING, Self

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User


def new_address() -> str:
    """128 bits: an address that nobody guesses before it is handed out."""
    return secrets.token_urlsafe(16)


class PublicNoticeQuerySet(models.QuerySet["PublicNotice"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        if scope.county:
            return self
        from subsidies.models.batches import AidBatch  # noqa: PLC0415  (batches.py is read after this module)

        return self.filter(batch__in=AidBatch.objects.within(scope))

    def running(self, day: dt.date) -> Self:
        """On show that day: from the first day to the last, unless taken down."""
        return self.filter(starts_on__lte=day, ends_on__gte=day, taken_down_at=None)


@pghistory.track(exclude=["rows"])
class PublicNotice(models.Model):
    """`rows`: the page's rows, whitelisted columns only, as they were shown; `sha256` is the digest of the sealed page."""

    batch = models.ForeignKey("subsidies.AidBatch", models.PROTECT, related_name="notices", verbose_name="批次")
    address = models.CharField("公开地址", max_length=24, unique=True, default=new_address, editable=False)
    title = models.CharField("标题", max_length=120)
    columns = models.JSONField("列", default=list)
    rows = models.JSONField("行", default=list)
    contact = models.CharField("异议受理电话", max_length=60)
    starts_on = models.DateField("公示起")
    ends_on = models.DateField("公示止")
    working_days = models.PositiveSmallIntegerField("工作日数")
    stored_as = models.CharField(max_length=80, editable=False)
    sha256 = models.CharField("存证指纹", max_length=64, editable=False)
    made_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="发布人", db_index=False)
    made_at = models.DateTimeField("发布时间", default=timezone.now)
    taken_down_at = models.DateTimeField("提前撤下时间", null=True)
    taken_down_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="撤下人", db_index=False
    )
    taken_down_for = models.CharField("撤下原因", max_length=200, default="", blank=True)

    objects = PublicNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "公示"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="notice_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(working_days__gte=5), name="notice_five_working_days"),
            models.UniqueConstraint(fields=["batch"], condition=Q(taken_down_at=None), name="notice_one_a_batch"),
            models.CheckConstraint(
                condition=Q(taken_down_at=None) | Q(taken_down_by__isnull=False) & ~Q(taken_down_for=""),
                name="notice_taken_down_with_a_reason",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="notice_stays_as_shown",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "batch", "address", "columns", "rows", "starts_on", "ends_on", "stored_as", "sha256"
                ),
            ),
            pgtrigger.Protect(name="notice_is_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.title

    def is_running(self, day: dt.date) -> bool:
        return self.taken_down_at is None and self.starts_on <= day <= self.ends_on

    def is_over(self, day: dt.date) -> bool:
        return self.taken_down_at is None and day > self.ends_on


class Outcome(models.TextChoices):
    UPHELD = "upheld", "属实，已处理"
    REJECTED = "rejected", "不属实"


class ObjectionQuerySet(models.QuerySet["Objection"]):
    def within(self, scope: Scope) -> Self:
        return self if scope.county else self.filter(notice__in=PublicNotice.objects.within(scope))

    def open(self) -> Self:
        return self.filter(answered_at=None)


@pghistory.track()
class Objection(models.Model):
    """What somebody said against a notice, and what came of it. `award`: about whom, where it is about one child."""

    notice = models.ForeignKey(PublicNotice, models.PROTECT, related_name="objections", verbose_name="公示")
    award = models.ForeignKey(
        "subsidies.Award", models.PROTECT, null=True, blank=True, related_name="objections", verbose_name="涉及学生"
    )
    text = models.CharField("异议内容", max_length=400)
    received_on = models.DateField("收到日期")
    received_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="受理人")
    outcome = models.CharField("结论", max_length=8, choices=Outcome.choices, default="", blank=True)
    answer = models.CharField("答复", max_length=400, default="", blank=True)
    answered_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="答复人")
    answered_at = models.DateTimeField("答复时间", null=True)

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "异议"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at=None, outcome="", answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(outcome="") & ~Q(answer=""),
                name="objection_answered_in_full",
            )
        ]

    def __str__(self) -> str:
        return f"异议{self.pk}号"


@pghistory.track()
class WorkdayOverride(models.Model):
    """A day that the county works or rests otherwise than the state's calendar says (and days of years that it does not know yet)."""

    day = models.DateField("日期", unique=True)
    is_workday = models.BooleanField("上班")
    note = models.CharField("说明", max_length=60, default="", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "调休"
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}{'上班' if self.is_workday else '休息'}"
