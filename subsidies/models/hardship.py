"""Who is in hardship: what lists say from one day to another, and what people recognised on application (教财〔2018〕16号).

Neither is shown beyond the side that answers for the child: the bureau, and the school with its township. The township of the
hukou checks payments, not reasons.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self, TypeVar

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from eduaid.core import codes
from eduaid.core.models.calendar import DateRange
from eduaid.core.models.places import Region, School
from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User


_M = TypeVar("_M", bound=models.Model)


class HardshipQuerySet(models.QuerySet[_M]):
    """Rows about children in hardship, by the school's side only."""

    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        if scope.county:
            return self
        return self.filter(Q(school_town__in=scope.towns) | Q(school__in=scope.schools))

    def at_schools_of(self, area: Region | School) -> Self:
        """Counting rule 就读地."""
        if isinstance(area, School):
            return self.filter(school=area)
        return self if area.is_home else self.filter(school_town=area)


class ChildCategoryQuerySet(HardshipQuerySet["ChildCategory"]):
    def held_on(self, day: dt.date) -> Self:
        """In effect on that day: the first day counts, the last is the day before `ended_on`."""
        return self.filter(from_on__lte=day).filter(Q(ended_on=None) | Q(ended_on__gt=day))


# The beginning is told by the row; history keeps what became of it.
@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class ChildCategory(models.Model):
    """A child is in a category from one day to another, as lists in force say. One category at a time is the main one, the
    others are flags. Written by `subsidies.entitlement` alone; a list that no longer names the child ends the row, it does
    not take it away."""

    # Student, row, school and township are held by triggers, once a statement: eduaid.core.database.references.
    student = models.ForeignKey(
        "students.Student",
        models.PROTECT,
        related_name="categories",
        verbose_name="学生",
        db_index=False,
        db_constraint=False,
    )  # childcategory_one_main begins with it
    category = models.CharField("类别", max_length=2, choices=codes.HARDSHIP_TYPE.choices)
    detail = models.CharField("细类", max_length=20, default="", blank=True, help_text="户类型，如脱贫户、边缘易致贫户")
    is_main = models.BooleanField("主类别")
    from_on = models.DateField("起")
    ended_on = models.DateField("止", null=True, blank=True, help_text="自这一天起不再在册")
    row = models.ForeignKey(
        "core.UploadRow", models.PROTECT, related_name="+", verbose_name="名单行", db_index=False, db_constraint=False
    )
    # Copies of the child's, for row security: whose school it is answers for the child.
    school = models.ForeignKey(
        "core.School", models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    school_town = models.ForeignKey(
        "core.Region", models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )

    objects = ChildCategoryQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学生困难类别"
        ordering = ["student", "from_on", "id"]
        constraints = [
            ExclusionConstraint(
                name="childcategory_one_main",
                expressions=[
                    ("student", RangeOperators.EQUAL),
                    (DateRange("from_on", "ended_on"), RangeOperators.OVERLAPS),
                ],
                condition=Q(is_main=True),
            ),
            ExclusionConstraint(
                name="childcategory_once_at_a_time",
                expressions=[
                    ("student", RangeOperators.EQUAL),
                    ("category", RangeOperators.EQUAL),
                    (DateRange("from_on", "ended_on"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("from_on")), name="childcategory_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(category__in=[entry.code for entry in codes.HARDSHIP_TYPE]), name="childcategory_category"
            ),
        ]

    def __str__(self) -> str:
        return codes.HARDSHIP_TYPE.label(self.category)


class RecognitionState(models.TextChoices):
    """How far a recognition has come; approved, noticed and filed ones count."""

    APPLIED = "applied", "待评议"
    REVIEWED = "reviewed", "待审核"
    APPROVED = "approved", "待公示"
    NOTICED = "noticed", "待归档"
    FILED = "filed", "已归档"
    REFUSED = "refused", "未认定"
    WITHDRAWN = "withdrawn", "已撤回"


IN_EFFECT = (RecognitionState.APPROVED.value, RecognitionState.NOTICED.value, RecognitionState.FILED.value)
"""Recognised: by the bureau's approval; an objection upheld during the public notice withdraws it."""
OPEN = (RecognitionState.APPLIED.value, RecognitionState.REVIEWED.value)


class Source(models.TextChoices):
    APPLICATION = "application", "本人申请"
    LISTS = "lists", "名单预填"


class RecognitionQuerySet(HardshipQuerySet["Recognition"]):
    def in_effect(self) -> Self:
        return self.filter(state__in=IN_EFFECT)

    def waiting(self) -> Self:
        return self.filter(state__in=OPEN)


@pghistory.track(exclude=["reason", "review"])
class Recognition(models.Model):
    """A child is recognised as being in hardship for a school year, from a term on; an adjustment is a newer row of a later
    term. `reason` and `review` are private: shown on its own page only, never in lists, exports or notices."""

    student = models.ForeignKey("students.Student", models.PROTECT, related_name="recognitions", verbose_name="学生")
    year = models.ForeignKey("core.SchoolYear", models.PROTECT, related_name="+", verbose_name="学年", db_index=False)
    term = models.ForeignKey("core.Term", models.PROTECT, related_name="+", verbose_name="自学期")
    school = models.ForeignKey("core.School", models.PROTECT, related_name="+", verbose_name="学校")
    school_town = models.ForeignKey(
        "core.Region", models.PROTECT, null=True, related_name="+", verbose_name="学校所在乡镇"
    )
    source = models.CharField("来源", max_length=12, choices=Source.choices, default=Source.APPLICATION)
    state = models.CharField("状态", max_length=10, choices=RecognitionState.choices, default=RecognitionState.APPLIED)
    category = models.CharField("困难类别", max_length=2, choices=codes.HARDSHIP_TYPE.choices)
    tier = models.CharField("认定等级", max_length=1, choices=codes.HARDSHIP_LEVEL.choices, default="", blank=True)
    reason = models.TextField("申请理由", max_length=1000, default="", blank=True)
    review = models.TextField("走访、访谈与评议情况", max_length=2000, default="", blank=True)
    ways = ArrayField(
        models.CharField(max_length=10), verbose_name="认定方式", default=list, blank=True, help_text="走访、访谈等"
    )
    applied_on = models.DateField("申请日期")
    reviewed_on = models.DateField("评议日期", null=True, blank=True)
    recorded_by = models.ForeignKey(
        "core.User", models.PROTECT, related_name="+", verbose_name="录入人", db_index=False
    )
    recorded_at = models.DateTimeField("录入时间", default=timezone.now, editable=False)
    reviewed_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="评议人", db_index=False
    )
    decided_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="审核人", db_index=False
    )
    decided_at = models.DateTimeField("审核时间", null=True, blank=True)
    comment = models.CharField("审核意见", max_length=200, default="", blank=True)
    notice_from = models.DateField("公示起", null=True, blank=True)
    notice_until = models.DateField("公示止", null=True, blank=True)
    filed_at = models.DateTimeField("归档时间", null=True, blank=True)

    objects = RecognitionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "困难认定"
        ordering = ["-id"]
        indexes = [models.Index(fields=["year", "state", "school_town"], name="recognition_queue")]
        constraints = [
            models.UniqueConstraint(
                fields=["student", "term"],
                condition=~Q(state__in=["withdrawn"]),
                name="recognition_once_a_term",
            ),
            # 录入人不得审核自己录入的申请, nor who reviewed it at the school.
            models.CheckConstraint(
                condition=Q(decided_by=None)
                | (~Q(decided_by=F("recorded_by")) & (Q(reviewed_by=None) | ~Q(decided_by=F("reviewed_by")))),
                name="recognition_decided_by_another",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["applied", "reviewed", "withdrawn"])
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="recognition_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["reviewed", *IN_EFFECT])
                | (Q(reviewed_by__isnull=False, reviewed_on__isnull=False) & ~Q(tier="")),
                name="recognition_reviewed_with_a_tier",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=IN_EFFECT) | Q(tier__in=["1", "2", "3"]), name="recognition_of_a_hardship"
            ),
            models.CheckConstraint(
                condition=Q(notice_from=None, notice_until=None) | Q(notice_until__gte=F("notice_from")),
                name="recognition_notice_in_order",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["noticed", "filed"]) | Q(notice_from__isnull=False),
                name="recognition_noticed_from_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}：{codes.HARDSHIP_LEVEL.label(self.tier)}"

    @property
    def is_in_effect(self) -> bool:
        return self.state in IN_EFFECT

    @property
    def category_label(self) -> str:
        return codes.HARDSHIP_TYPE.label(self.category)

    @property
    def tier_label(self) -> str:
        return codes.HARDSHIP_LEVEL.label(self.tier)
