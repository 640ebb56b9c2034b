"""Programmes of aid and their standards: what is paid to whom, since when, by which document. All of it is data.

A standard never changes once it stands (a trigger refuses it): it is ended, and a new one follows it. So whatever was paid
under an old standard keeps the row that justified it.
"""

from __future__ import annotations

import re
from typing import Self

import pghistory
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, IntegerRangeField, RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone

from eduaid.core import codes
from eduaid.core.models import Term
from eduaid.core.models.calendar import Season
from eduaid.core.models.places import Stage

# --- terms as numbers ------------------------------------------------------------------------------------------


def term_number(year: int, season: str) -> int:
    """Terms in the order in which they follow one another: standards reach into years for which no term was set up."""
    return year * 2 + (season == Season.AUTUMN)


def number_of(term: Term) -> int:
    return term_number(term.starts_on.year, term.season)


def term_label(number: int) -> str:
    year, autumn = divmod(number, 2)
    return f"{year}年{Season.AUTUMN.label if autumn else Season.SPRING.label}学期"


def parse_term(text: str) -> int | None:
    """`2023年秋季学期`, `2023秋季`, `2023-autumn` → the term's number; None where it says no term."""
    match = re.fullmatch(r"\s*(\d{4})\s*年?[-\s]?\s*(秋|春|autumn|spring)季?(?:学期)?\s*", text)
    if match is None:
        return None
    return term_number(int(match[1]), Season.AUTUMN if match[2] in ("秋", "autumn") else Season.SPRING)


class TermRange(Func):
    """int4range(from, until, '[]') of two columns of term numbers: the last term counts."""

    function = "INT4RANGE"
    template = "%(function)s(%(expressions)s, '[]')"
    output_field = IntegerRangeField()


# --- categories ------------------------------------------------------------------------------------------------


@pghistory.track()
class Category(models.Model):
    """How this county treats a kind of hardship (`codes.HARDSHIP_TYPE`): which is the main one, who needs no application.

    A child may be in several lists; the category with the smallest rank is the main one, the others are flags.
    """

    code = models.CharField("类别", max_length=2, unique=True, choices=codes.HARDSHIP_TYPE.choices)
    rank = models.PositiveSmallIntegerField("先后", unique=True, help_text="一名学生属于几类时，数字小的作主类别")
    is_direct = models.BooleanField(
        "凭名单直接认定", default=False, help_text="在生效名单里就算家庭经济困难，不必另行申请"
    )
    tier = models.CharField(
        "直接认定的等级", max_length=1, choices=codes.HARDSHIP_LEVEL.choices, default="", blank=True
    )
    note = models.CharField("说明", max_length=200, default="", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "困难类别"
        ordering = ["rank"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_direct=False) | Q(tier__in=["1", "2", "3"]), name="category_direct_has_a_tier"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return codes.HARDSHIP_TYPE.label(self.code)


class Form(models.TextChoices):
    """By which words a document or a report form sorts categories."""

    FOUR = "four", "四类学生"
    CLASS = "class", "第一类、第二类"


@pghistory.track()
class CategoryMapping(models.Model):
    """Into which group of a form a main category falls: 四类 is not 第一类, and each county form may differ."""

    form = models.CharField("口径", max_length=20)
    category = models.ForeignKey(
        Category, models.PROTECT, related_name="mappings", verbose_name="困难类别", db_index=False
    )
    group = models.CharField("归入", max_length=20)
    note = models.CharField("说明", max_length=200, default="", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "类别口径"
        ordering = ["form", "category__rank"]
        constraints = [
            models.UniqueConstraint(fields=["category", "form"], name="categorymapping_one_group_a_form"),
            models.CheckConstraint(condition=~Q(form="") & ~Q(group=""), name="categorymapping_says_both"),
        ]

    def __str__(self) -> str:
        return f"{self.form}：{self.group}"


# --- programmes ------------------------------------------------------------------------------------------------


class Who(models.TextChoices):
    """The rule by which a programme's beneficiaries are found."""

    EVERYONE = "everyone", "在校学生"
    RECOGNISED = "recognised", "家庭经济困难学生"
    LISTED = "listed", "按申请或名单"

    @property
    def explained(self) -> str:
        return {
            Who.EVERYONE: "本学期在这些学段就读的全部学生",
            Who.RECOGNISED: "本学期就读、并认定为家庭经济困难的学生",
            Who.LISTED: "不由程序推定，凭申请、评审或捐助名单",
        }[self]


class Counting(models.TextChoices):
    """In what a programme's beneficiaries are counted."""

    PERSONS = "persons", "人"
    PAYMENTS = "payments", "人次（笔）"
    PERSON_TERMS = "person-terms", "人次（人·期）"


class ProgrammeQuerySet(models.QuerySet["Programme"]):
    def open(self) -> Self:
        return self.filter(closed_at=None)

    def entitling(self) -> Self:
        """Those whose beneficiaries the program finds by itself."""
        return self.open().exclude(who=Who.LISTED).filter(is_loan=False)

    def in_totals(self) -> Self:
        """Loans are never inside aid totals."""
        return self.filter(is_loan=False)


@pghistory.track()
class Programme(models.Model):
    """A kind of aid. Those of the state are loaded from `subsidies/seeds`; a county adds its own here."""

    key = models.SlugField("代号", max_length=40, unique=True)
    name = models.CharField("名称", max_length=60, unique=True)
    short = models.CharField("简称", max_length=20, default="", blank=True)
    stages = ArrayField(models.CharField(max_length=1, choices=Stage.choices), verbose_name="学段")
    who = models.CharField("对象", max_length=10, choices=Who.choices)
    categories = ArrayField(
        models.CharField(max_length=2),
        verbose_name="限困难类别",
        default=list,
        blank=True,
        help_text="只给这些类别的学生；不选就不限",
    )
    grades = ArrayField(
        models.CharField(max_length=2), verbose_name="限年级", default=list, blank=True, help_text="不选就不限"
    )
    form = models.CharField(
        "类别口径", max_length=20, default="", blank=True, help_text="标准按哪一种口径分类，如四类学生"
    )
    counting = models.CharField("计数", max_length=12, choices=Counting.choices, default=Counting.PERSON_TERMS)
    is_loan = models.BooleanField("是贷款", default=False, help_text="贷款不计入资助合计")
    is_local = models.BooleanField("本县自设", default=False)
    rank = models.PositiveSmallIntegerField("排序", default=500, help_text="不得兼得时，数字小的优先")
    basis = models.CharField("政策依据", max_length=200, default="", blank=True)
    note = models.CharField("说明", max_length=300, default="", blank=True)
    added_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="设立人", db_index=False
    )
    added_at = models.DateTimeField("设立时间", default=timezone.now, editable=False)
    closed_at = models.DateTimeField("停办时间", null=True, blank=True)

    objects = ProgrammeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资助项目"
        ordering = ["rank", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(stages=[]), name="programme_has_a_stage"),
            models.CheckConstraint(condition=Q(is_loan=False) | Q(who=Who.LISTED), name="programme_loans_by_list"),
            models.CheckConstraint(
                condition=Q(is_local=False) | Q(added_by__isnull=False), name="programme_local_added_by_somebody"
            ),
            models.CheckConstraint(
                condition=Q(categories=[]) | ~Q(who=Who.EVERYONE), name="programme_categories_of_recognised"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def short_name(self) -> str:
        return self.short or self.name

    @property
    def stages_label(self) -> str:
        return "、".join(Stage(stage).label for stage in self.stages)

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class Boarding(models.TextChoices):
    ANY = "", "不分"
    BOARDING = "1", "寄宿"
    DAY = "0", "走读"


class Per(models.TextChoices):
    """For which time the amount is paid, and with which term it falls due."""

    TERM = "term", "每学期"
    YEAR_AUTUMN = "year-autumn", "每学年（秋季发）"
    YEAR_SPRING = "year-spring", "每学年（春季发）"
    ONCE = "once", "一次性"


class StandardQuerySet(models.QuerySet["Standard"]):
    def in_effect(self, number: int) -> Self:
        """Those of a term (by its number)."""
        return self.filter(from_term__lte=number).filter(Q(until_term=None) | Q(until_term__gte=number))


# The first state is told by the row, and most of it cannot change; history keeps when it was ended, and by whom.
@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Standard(models.Model):
    """What one child gets: by programme, stage, boarding, tier and group, from one term to another (both count).

    `tier`, `group` and `boarding` empty: for all. Where several fit a child, the one that says more goes first: group, then
    tier, then boarding. `is_confirmed` false: amount or start is known from second hand (待核实).
    """

    programme = models.ForeignKey(
        Programme, models.PROTECT, related_name="standards", verbose_name="项目", db_index=False
    )
    stage = models.CharField("学段", max_length=1, choices=Stage.choices)
    boarding = models.CharField("就读方式", max_length=1, choices=Boarding.choices, default="", blank=True)
    tier = models.CharField("等级", max_length=1, choices=codes.HARDSHIP_LEVEL.choices, default="", blank=True)
    group = models.CharField("类别", max_length=20, default="", blank=True)
    amount = models.DecimalField("金额（元）", max_digits=9, decimal_places=2, validators=[MinValueValidator(0)])
    per = models.CharField("发放", max_length=12, choices=Per.choices, default=Per.TERM)
    from_term = models.PositiveSmallIntegerField("自学期")
    until_term = models.PositiveSmallIntegerField("至学期", null=True, blank=True)
    document = models.CharField("文号", max_length=80)
    is_confirmed = models.BooleanField("已核实", default=True)
    note = models.CharField("说明", max_length=200, default="", blank=True)
    added_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="录入人", db_index=False
    )
    added_at = models.DateTimeField("录入时间", default=timezone.now, editable=False)

    objects = StandardQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资助标准"
        ordering = ["programme", "stage", "boarding", "group", "tier", "from_term"]
        constraints = [
            ExclusionConstraint(
                name="standard_one_at_a_time",
                expressions=[
                    ("programme", RangeOperators.EQUAL),
                    ("stage", RangeOperators.EQUAL),
                    ("boarding", RangeOperators.EQUAL),
                    ("tier", RangeOperators.EQUAL),
                    ("group", RangeOperators.EQUAL),
                    (TermRange("from_term", "until_term"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(until_term=None) | Q(until_term__gte=F("from_term")), name="standard_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="standard_amount_above_zero"),
            models.CheckConstraint(condition=~Q(document=""), name="standard_has_a_document"),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="standard_stage"),
            models.CheckConstraint(condition=Q(per__in=Per.values), name="standard_per"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="frozen",
                fields=[
                    "programme", "stage", "boarding", "tier", "group", "amount", "per", "from_term", "document",
                    "added_by", "added_at",
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.programme_id}：{self.what}{self.amount}元"

    @property
    def what(self) -> str:
        """Whom it is for: 小学、寄宿、特别困难."""
        return "、".join(
            filter(
                None,
                [
                    Stage(self.stage).label,
                    Boarding(self.boarding).label if self.boarding else "",
                    self.group,
                    codes.HARDSHIP_LEVEL.label(self.tier),
                ],
            )
        )

    @property
    def from_label(self) -> str:
        return term_label(self.from_term)

    @property
    def until_label(self) -> str:
        return term_label(self.until_term) if self.until_term is not None else ""

    @property
    def terms_label(self) -> str:
        return f"{self.from_label}起" if self.until_term is None else f"{self.from_label}至{self.until_label}"


@pghistory.track()
class Exclusion(models.Model):
    """Two programmes that one child does not get together in a term; all others may be stacked.

    The programme with the smaller rank stands, the other is left out and says so.
    """

    stands = models.ForeignKey(
        Programme, models.PROTECT, related_name="excludes", verbose_name="优先的项目", db_index=False
    )
    yields = models.ForeignKey(Programme, models.PROTECT, related_name="excluded_by", verbose_name="不再享受的项目")
    document = models.CharField("依据", max_length=120, default="", blank=True)
    note = models.CharField("说明", max_length=200, default="", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "不得兼得"
        ordering = ["stands__rank", "yields__rank"]
        constraints = [
            models.UniqueConstraint(fields=["stands", "yields"], name="exclusion_once"),
            models.CheckConstraint(condition=~Q(stands=F("yields")), name="exclusion_of_two"),
        ]

    def __str__(self) -> str:
        return f"{self.stands}与{self.yields}不得兼得"
