"""Census rounds (摸排) and where each child is in a round: exactly one whereabouts a child and round."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self

import pghistory
from django.db import models
from django.db.models import Q
from django.utils import timezone

from eduaid.core import codes
from eduaid.core.models.places import Region, School
from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User


class Window(models.TextChoices):
    """Which ages a round is about. The birth dates are the round's own (`born_from`, `born_to`)."""

    COMPULSORY = "6-15", "6—15周岁（适龄儿童）"
    SWEEP = "3-22", "3—22周岁（全面摸排）"
    PRESCHOOL = "3-5", "3—5周岁（学前，按村）"

    @property
    def ages(self) -> tuple[int, int]:
        youngest, oldest = self.value.split("-")
        return int(youngest), int(oldest)


def born_in(window: Window, school_year: int) -> tuple[dt.date, dt.date]:
    """The birth dates of an age window in a school year: 6–15 in 2022 is 2006-09-01 to 2016-08-31."""
    youngest, oldest = window.ages
    return dt.date(school_year - oldest - 1, 9, 1), dt.date(school_year - youngest, 8, 31)


class CensusRoundQuerySet(models.QuerySet["CensusRound"]):
    def open(self) -> Self:
        return self.filter(closed_at=None)

    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Rounds that reach into the scope; whose children these are is narrowed by their own querysets."""
        if scope.county:
            return self
        towns = scope.towns | set(School.objects.filter(pk__in=scope.schools).values_list("town_id", flat=True))
        return self.filter(Q(towns=None) | Q(towns__in=towns)).distinct()


@pghistory.track()
class CensusRound(models.Model):
    """One sweep over all children of an age window with hukou in the county or in the given townships."""

    name = models.CharField("名称", max_length=60)
    window = models.CharField("范围", max_length=4, choices=Window.choices, default=Window.COMPULSORY)
    born_from = models.DateField("出生自")
    born_to = models.DateField("出生至")
    towns = models.ManyToManyField(
        "core.Region", related_name="+", verbose_name="乡镇", blank=True, help_text="不选就是全县"
    )
    as_of = models.DateField("基准日")
    deadline = models.DateField("截止日期")
    opened_by = models.ForeignKey(
        "core.User", models.PROTECT, related_name="+", verbose_name="发起人", db_index=False, editable=False
    )
    opened_at = models.DateTimeField("发起时间", default=timezone.now, editable=False)
    closed_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="结束人", db_index=False, editable=False
    )
    closed_at = models.DateTimeField("结束时间", null=True, editable=False)

    objects = CensusRoundQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "摸排轮次"
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="censusround_name_once"),
            # Figures speak of the open round of a window: there is one.
            models.UniqueConstraint(
                fields=["window"], condition=Q(closed_at=None), name="censusround_one_open_a_window"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="censusround_has_a_name"),
            models.CheckConstraint(condition=Q(window__in=Window.values), name="censusround_window"),
            models.CheckConstraint(condition=Q(born_to__gt=models.F("born_from")), name="censusround_born_in_order"),
            models.CheckConstraint(
                condition=Q(deadline__gte=models.F("as_of")), name="censusround_deadline_not_before_its_day"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None) | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="censusround_closed_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class Place(models.TextChoices):
    """Where somebody goes to school, seen from the township of the hukou."""

    TOWN = "T", "本镇内"
    COUNTY = "C", "县内外镇"
    OUTSIDE = "O", "县外"


class Source(models.TextChoices):
    """How a whereabouts was reached. Nothing known (未核) is derived too: from lists that say nothing certain."""

    DERIVED = "derived", "名单推定"
    PERSON = "person", "人工认定"


class Proof(models.TextChoices):
    """By what a child in school is proved to be there (取证)."""

    NONE = "", "未取证"
    REGISTRY = "registry", "学籍"
    EVIDENCE = "evidence", "证明材料"


IN_SCHOOL = tuple(entry.code for entry in codes.WHEREABOUTS if entry.group == "在校")
NOT_COUNTED = tuple(entry.code for entry in codes.WHEREABOUTS if entry.group == "不计")
OUT_OF_SCHOOL = tuple(entry.code for entry in codes.WHEREABOUTS if entry.group == "辍学")
AT_A_SCHOOL = tuple(code for code in IN_SCHOOL if code != "A6")
"""In school somewhere: home teaching (A6) is a placement, but no place."""

_PLACES = {"A1": Place.TOWN, "A2": Place.COUNTY, "A3": Place.OUTSIDE, "A4": Place.OUTSIDE, "A5": Place.OUTSIDE}


def place_of_code(code: str) -> Place | None:
    """The place that a code says by itself; None where the school says it (A7, A8) or there is none."""
    return _PLACES.get(code)


@pghistory.track()
class Verdict(models.Model):
    """What somebody decided at once about one child or about many: the unit of undoing."""

    round = models.ForeignKey(CensusRound, models.PROTECT, related_name="verdicts", verbose_name="轮次")
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="认定人", db_index=False)
    at = models.DateTimeField("认定时间", default=timezone.now)
    code = models.CharField("去向", max_length=4)
    children = models.PositiveIntegerField("人数")
    undone_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="撤销人", db_index=False
    )
    undone_at = models.DateTimeField("撤销时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "去向认定"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None) | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="verdict_undone_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{codes.WHEREABOUTS.label(self.code)}：{self.children}人"


class WhereaboutsQuerySet(models.QuerySet["Whereabouts"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Children with hukou or school in the scope, and those said to be in one of its schools."""
        if scope.county:
            return self
        return self.filter(
            Q(hukou_town__in=scope.towns)
            | Q(student__hukou_town__in=scope.towns)
            | Q(student__school_town__in=scope.towns)
            | Q(student__school__in=scope.schools)
            | Q(where_school__in=scope.schools)
            | Q(student__in=scope.children)
        )

    def of_hukou(self, area: Region) -> Self:
        return self if area.is_home else self.filter(Q(hukou_town=area) | Q(hukou_village=area))

    def unverified(self) -> Self:
        """未核: nobody knows where they are, or only with a doubt that a person has to settle."""
        return self.filter(code="")

    def contested(self) -> Self:
        """Decided by a person, contradicted by lists that came later."""
        return self.exclude(contested_code="")


# Every state, so that figures can be replayed as they were known at a moment.
@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Whereabouts(models.Model):
    """Where a child of the round is: derived from lists in force, or decided by a person. `code` empty: 未核.

    What is known of an unverified child stands in `basis`. A person's decision is never overwritten: lists that say otherwise
    later are noted in `contested_code` and `contested_basis` and put to a person.
    """

    # Round, student, school, row, town and village are held by triggers, once a statement: eduaid.core.database.references.
    round = models.ForeignKey(
        CensusRound,
        models.PROTECT,
        related_name="whereabouts",
        verbose_name="轮次",
        db_index=False,
        db_constraint=False,
    )  # whereabouts_once_a_round begins with it
    student = models.ForeignKey(
        "students.Student", models.PROTECT, related_name="whereabouts", verbose_name="学生", db_constraint=False
    )
    code = models.CharField("去向", max_length=4, default="", blank=True)
    place = models.CharField("就读地", max_length=1, choices=Place.choices, default="", blank=True)
    where_school = models.ForeignKey(
        "core.School",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="就读学校",
        db_index=False,
        db_constraint=False,
    )
    where_text = models.CharField(
        "就读地点", max_length=120, default="", blank=True, help_text="省市县、学校、年级、班级"
    )
    proof = models.CharField("取证", max_length=8, choices=Proof.choices, default="", blank=True)
    source = models.CharField("得出方式", max_length=8, choices=Source.choices, default=Source.DERIVED)
    basis = models.CharField("依据", max_length=200, default="", blank=True)
    document = models.CharField("证明材料", max_length=120, default="", blank=True)
    basis_row = models.ForeignKey(
        "core.UploadRow",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="依据的名单行",
        db_index=False,
        db_constraint=False,
    )
    departure = models.ForeignKey(
        "core.Departure",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="依据的去向说明",
        db_index=False,
    )
    verdict = models.ForeignKey(Verdict, models.PROTECT, null=True, related_name="whereabouts", verbose_name="认定")
    decided_by = models.ForeignKey(
        "core.User",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="认定人",
        db_index=False,
    )
    decided_at = models.DateTimeField("认定时间", null=True)
    listed_code = models.CharField(
        "名单所说",
        max_length=4,
        default="",
        blank=True,
        editable=False,
        help_text="What the lists say for certain, whoever decided otherwise: a decision is contested when this changes.",
    )
    contested_code = models.CharField("名单另说", max_length=4, default="", blank=True)
    contested_basis = models.CharField("名单另说的依据", max_length=200, default="", blank=True)

    # Copies of the child's, for row security and for figures by place.
    hukou_town = models.ForeignKey(
        "core.Region",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="户籍乡镇",
        db_index=False,
        db_constraint=False,
    )
    hukou_village = models.ForeignKey(
        "core.Region",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="户籍村",
        db_index=False,
        db_constraint=False,
    )

    objects = WhereaboutsQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "去向"
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["round", "code", "place", "proof", "hukou_town", "hukou_village"], name="whereabouts_figures"
            ),
            models.Index(fields=["round", "hukou_town"], name="whereabouts_town"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["round", "student"], name="whereabouts_once_a_round"),
            models.CheckConstraint(
                condition=Q(code="") | Q(code__in=[entry.code for entry in codes.WHEREABOUTS]),
                name="whereabouts_code",
            ),
            models.CheckConstraint(
                condition=(
                    Q(place="") & ~Q(code__in=AT_A_SCHOOL)
                    | Q(place=Place.TOWN, code="A1")
                    | Q(place=Place.COUNTY, code="A2")
                    | Q(place=Place.OUTSIDE, code__in=["A3", "A4", "A5"])
                    | Q(place__in=Place.values, code__in=["A7", "A8"])
                ),
                name="whereabouts_place_fits_code",
            ),
            models.CheckConstraint(condition=Q(proof="") | Q(code__in=IN_SCHOOL), name="whereabouts_proof_of_school"),
            # Whoever decides says what, when and why; what the program derived is nobody's decision.
            models.CheckConstraint(
                condition=Q(source=Source.DERIVED, decided_by=None, decided_at=None, verdict=None, contested_code="")
                | (
                    Q(source=Source.PERSON, decided_by__isnull=False, decided_at__isnull=False, verdict__isnull=False)
                    & ~Q(code="")
                    & ~Q(basis="")
                ),
                name="whereabouts_decided_by_somebody",
            ),
            # 辍学 is said by a person, never by a list alone.
            models.CheckConstraint(
                condition=~Q(code__in=OUT_OF_SCHOOL) | Q(source=Source.PERSON), name="whereabouts_dropout_by_a_person"
            ),
            models.CheckConstraint(
                condition=Q(contested_code="") | ~Q(contested_basis=""), name="whereabouts_contested_with_a_basis"
            ),
        ]

    def __str__(self) -> str:
        return codes.WHEREABOUTS.label(self.code) or "未核"

    @property
    def label(self) -> str:
        return codes.WHEREABOUTS.label(self.code) or "未核"

    @property
    def where(self) -> str:
        """School and what was written beside it."""
        school = self.where_school.name if self.where_school else ""
        return "，".join(filter(None, [school, self.where_text]))
