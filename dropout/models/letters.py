"""Letters 协查函: asking the bureau of another county to confirm that our children study there, and what it answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pghistory
from django.db import models
from django.db.models import Q
from django.utils import timezone

from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User


class Answer(models.TextChoices):
    WAITING = "", "未答复"
    CONFIRMED = "confirmed", "属实"
    ELSEWHERE = "elsewhere", "情况不符"
    UNKNOWN = "unknown", "查无此人"


@pghistory.track()
class InquiryLetter(models.Model):
    """One letter to one receiving county. Numbered within its year without gaps: 〔2026〕3号."""

    year = models.PositiveSmallIntegerField("年份")
    number = models.PositiveSmallIntegerField("编号")
    to_office = models.CharField("收函单位", max_length=60)
    place = models.CharField("收函县", max_length=80, help_text="省、市、县，各名学生的就读地")
    reply_by = models.DateField("请求答复日期")
    full_numbers = models.BooleanField("写明完整证件号", default=False)
    written_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="拟稿人", db_index=False)
    written_at = models.DateTimeField("拟稿时间", default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = "协查函"
        ordering = ["-year", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["year", "number"], name="inquiryletter_number_once"),
            models.CheckConstraint(condition=Q(number__gt=0), name="inquiryletter_number_positive"),
        ]

    def __str__(self) -> str:
        return f"〔{self.year}〕{self.number}号"


class InquiredChildQuerySet(models.QuerySet["InquiredChild"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        if scope.county:
            return self
        return self.filter(
            Q(student__hukou_town__in=scope.towns)
            | Q(student__school_town__in=scope.towns)
            | Q(student__school__in=scope.schools)
            | Q(student__in=scope.children)
        )


@pghistory.track()
class InquiredChild(models.Model):
    """A child named in a letter, and the answer about it."""

    letter = models.ForeignKey(InquiryLetter, models.PROTECT, related_name="children", verbose_name="协查函")
    student = models.ForeignKey("students.Student", models.PROTECT, related_name="inquiries", verbose_name="学生")
    said = models.CharField("我县掌握的就读情况", max_length=200, default="", blank=True)
    answer = models.CharField("答复", max_length=9, choices=Answer.choices, default=Answer.WAITING, blank=True)
    answer_note = models.CharField("答复说明", max_length=200, default="", blank=True)
    answered_on = models.DateField("答复日期", null=True)
    noted_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="登记人", db_index=False
    )

    objects = InquiredChildQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "协查学生"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["letter", "student"], name="inquiredchild_once_a_letter"),
            models.CheckConstraint(
                condition=Q(answer="", answered_on=None, noted_by=None)
                | (~Q(answer="") & Q(answered_on__isnull=False, noted_by__isnull=False)),
                name="inquiredchild_answered_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.letter}：{self.get_answer_display()}"
