"""School years and terms. A figure of a term is a figure at a date inside it."""

from __future__ import annotations

import datetime as dt

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q


class DateRange(Func):
    """daterange(start, end, '[]') of two date columns."""

    function = "DATERANGE"
    output_field = DateRangeField()


@pghistory.track()
class SchoolYear(models.Model):
    label = models.CharField("学年", max_length=9, unique=True, help_text="如 2026-2027")
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期")

    class Meta:
        verbose_name = verbose_name_plural = "学年"
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="schoolyear_ends_after_start"),
            ExclusionConstraint(
                name="schoolyear_no_overlap",
                expressions=[
                    (DateRange("starts_on", "ends_on", RangeBoundary(inclusive_upper=True)), RangeOperators.OVERLAPS)
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label}学年"


class Season(models.TextChoices):
    AUTUMN = "autumn", "秋季"
    SPRING = "spring", "春季"


class TermQuerySet(models.QuerySet["Term"]):
    def at(self, day: dt.date) -> Term:
        """The term of a day: the last one that had begun (a summer day belongs to the spring term before it).

        Raises Term.DoesNotExist before the first term.
        """
        term = self.filter(starts_on__lte=day).order_by("-starts_on").first()
        if term is None:
            raise Term.DoesNotExist(f"{day:%Y年%-m月%-d日}之前没有学期，请先在“设置—学年学期”中建立")
        return term


@pghistory.track()
class Term(models.Model):
    year = models.ForeignKey(SchoolYear, models.PROTECT, related_name="terms", verbose_name="学年")
    season = models.CharField("学期", max_length=6, choices=Season.choices)
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期")

    objects = TermQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学期"
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["year", "season"], name="term_once_a_year"),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="term_ends_after_start"),
            ExclusionConstraint(
                name="term_no_overlap",
                expressions=[
                    (DateRange("starts_on", "ends_on", RangeBoundary(inclusive_upper=True)), RangeOperators.OVERLAPS)
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on.year}年{self.get_season_display()}学期"
