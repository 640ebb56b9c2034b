"""Reports as they were made, and every figure printed in them with the code that leads back to its rows.

A report is a frozen result: its wording and figures are kept as printed, with the date (`as_of`), the moment (`known_at`) and the
lists that were in force, so that each figure can be computed again as it was known then (docs/architecture.md).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Self

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from eduaid.core.models import Region, School
from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is misread on paper or over the telephone
_CODE_LENGTH = 6


def new_codes(count: int) -> list[str]:
    """That many trace codes, different from one another and from all that exist: six characters, 887 million of them."""
    codes: set[str] = set()
    while len(codes) < count:
        fresh = {"".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH)) for _ in range(count - len(codes))}
        codes |= fresh - set(Figure.objects.filter(code__in=fresh).values_list("code", flat=True))
    return sorted(codes)


class ReportKind(models.TextChoices):
    COUNTY_PROGRESS = "county-progress", "工作进展情况汇总"


class ReportState(models.TextChoices):
    DRAFT = "draft", "草稿"
    FINAL = "final", "终稿"
    WITHDRAWN = "withdrawn", "已撤回"


class ReportQuerySet(models.QuerySet["Report"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Reports of the places in scope, and what the county has issued."""
        if scope.county:
            return self
        own = Q(town__in=scope.towns) | Q(school__in=scope.schools)
        issued = Q(state__in=[ReportState.FINAL, ReportState.WITHDRAWN], town=None, school=None)
        return self.filter(own | issued)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent("state", condition=pghistory.AnyChange("state")),
    fields=["state", "as_of", "known_at", "made_by", "finalised_by", "withdrawn_by", "withdraw_reason"],
)
class Report(models.Model):
    """One report about one area. `made_by` is empty for a report that the system made by itself (the command line).

    `content`: the paper as printed (`reports.papers`), figures by their position. `basis`: the lists in force and the corrections
    that the figures rest on (`reports.basis`).
    """

    kind = models.CharField("种类", max_length=20, choices=ReportKind.choices)
    title = models.CharField("标题", max_length=120)
    region = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="+", verbose_name="区域")
    school = models.ForeignKey("core.School", models.PROTECT, null=True, related_name="+", verbose_name="学校")
    town = models.ForeignKey(
        "core.Region",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="乡镇",
        help_text="The township that may see the report; empty for the county's.",
    )
    as_of = models.DateField("截至")
    known_at = models.DateTimeField("按何时所知")
    basis = models.JSONField("依据", default=dict)
    content = models.JSONField("内容", default=dict)
    state = models.CharField("状态", max_length=10, choices=ReportState.choices, default=ReportState.DRAFT)
    made_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="reports", verbose_name="生成人")
    made_at = models.DateTimeField("生成时间", default=timezone.now)
    finalised_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="定稿人")
    finalised_at = models.DateTimeField("定稿时间", null=True)
    withdrawn_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="撤回人")
    withdrawn_at = models.DateTimeField("撤回时间", null=True)
    withdraw_reason = models.CharField("撤回原因", max_length=200, default="", blank=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "报告"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(region__isnull=True, school__isnull=False) | Q(region__isnull=False, school__isnull=True),
                name="report_of_a_region_or_a_school",
            ),
            models.CheckConstraint(
                condition=~Q(state=ReportState.FINAL) | Q(finalised_at__isnull=False, finalised_by__isnull=False),
                name="report_final_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state=ReportState.WITHDRAWN)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdraw_reason=""),
                name="report_withdrawn_with_a_reason",
            ),
        ]
        # What was printed stays as it was printed.
        triggers = [
            pgtrigger.Protect(
                name="report_keeps_its_words",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("content", "basis", "as_of", "known_at", "region", "school", "kind"),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("report", args=[self.pk])

    @property
    def area(self) -> Region | School:
        """The place that the report is about; the caller has selected region and school."""
        place = self.region or self.school
        assert place is not None
        return place


class FigureQuerySet(models.QuerySet["Figure"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Figures of visible reports: those about the scope's own places, and the county's totals."""
        if scope.county:
            return self
        own = Q(town__in=scope.towns) | Q(school__in=scope.schools)
        reports = Report.objects.within(scope)
        return self.filter(own | Q(town=None, school=None), report__in=reports)


class Figure(models.Model):
    """One printed number: which indicator of which area, what it was, how it reads, and its trace code.

    A rate has its denominator in `over` and `over_value`; `drill` narrows as the drill-down page does.
    """

    report = models.ForeignKey(Report, models.CASCADE, related_name="figures", verbose_name="报告")
    position = models.PositiveIntegerField("序号")
    code = models.CharField("溯源编码", max_length=_CODE_LENGTH, unique=True)
    indicator = models.CharField("指标", max_length=60)
    over = models.CharField("分母", max_length=60, default="", blank=True)
    label = models.CharField("名称", max_length=80)
    unit = models.CharField("单位", max_length=8)
    region = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="+", verbose_name="区域")
    school = models.ForeignKey("core.School", models.PROTECT, null=True, related_name="+", verbose_name="学校")
    town = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="+", verbose_name="乡镇")
    drill = models.JSONField("细分", default=dict, blank=True)
    value = models.DecimalField("数值", max_digits=18, decimal_places=2)
    over_value = models.DecimalField("分母数值", max_digits=18, decimal_places=2, null=True)
    text = models.CharField("印出的文字", max_length=40)
    sentence = models.CharField("所在句子", max_length=600, default="", blank=True)

    objects = FigureQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "报告数字"
        ordering = ["report", "position"]
        constraints = [
            models.UniqueConstraint(fields=["report", "position"], name="figure_position_once"),
            models.CheckConstraint(
                condition=Q(region__isnull=True, school__isnull=False) | Q(region__isnull=False, school__isnull=True),
                name="figure_of_a_region_or_a_school",
            ),
            models.CheckConstraint(
                condition=Q(over="", over_value=None) | ~Q(over="") & Q(over_value__isnull=False),
                name="figure_rate_has_its_denominator",
            ),
        ]
        triggers = [pgtrigger.Protect(name="figure_never_changes", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.label} {self.text}"

    @property
    def area(self) -> Region | School:
        """The caller has selected region and school."""
        place = self.region or self.school
        assert place is not None
        return place
