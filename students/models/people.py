"""Students and households: the resolved view of all lists in force plus dated corrections.

Everything below the identity columns is written by `students.resolve` alone.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING, Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, CharField, F, Q, Value, When
from django.utils import timezone

from eduaid.core.models.places import Region, School, Stage
from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is misread over the telephone


def new_public_id() -> str:
    """A stable, meaningless name for a child: 10 characters, 49 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


class Sex(models.TextChoices):
    MALE = "1", "男"
    FEMALE = "2", "女"


class HukouRelation(models.TextChoices):
    """Where a pupil's hukou lies, seen from the township of the school."""

    SAME_TOWN = "same-town", "本镇户籍"
    OTHER_TOWN = "other-town", "外镇在本镇"
    OTHER_COUNTY = "other-county", "外县在本镇"
    UNKNOWN = "unknown", "户籍不明"


class StudentQuerySet(models.QuerySet["Student"]):
    def visible_to(self, user: User) -> Self:
        """Children with hukou or school in the user's scope, and those whom the user answers for."""
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        if scope.county:
            return self
        seen = Q(hukou_town__in=scope.towns) | Q(school_town__in=scope.towns) | Q(school__in=scope.schools)
        return self.filter(seen | Q(pk__in=scope.children)) if scope.children else self.filter(seen)

    def listed(self) -> Self:
        """Children whom at least one list in force names; the others keep their acts, flagged 来源已撤回."""
        return self.filter(merged_into=None).filter(
            Q(in_population=True) | Q(in_registry=True) | Q(in_roster=True) | Q(in_poverty=True) | Q(in_hardship=True)
        )

    def of_hukou(self, area: Region) -> Self:
        """Counting rule 户籍地: whose hukou lies in the area (the home county or one of its townships or villages)."""
        if area.is_home:
            return self.filter(hukou_town__isnull=False)
        return self.filter(Q(hukou_town=area) | Q(hukou_village=area))

    def at_schools_of(self, area: Region | School) -> Self:
        """Counting rule 就读地: who sits in a school of the area."""
        if isinstance(area, School):
            return self.filter(school=area)
        if area.is_home:
            return self.filter(school__is_outside=False)
        return self.filter(school_town=area)

    def born_between(self, first: dt.date, last: dt.date) -> Self:
        return self.filter(birth_on__range=(first, last))

    def with_hukou_relation(self) -> Self:
        """Annotates `hukou_relation`: every pupil falls in exactly one (HukouRelation)."""
        return self.annotate(
            hukou_relation=Case(
                When(hukou_town=F("school_town"), then=Value(HukouRelation.SAME_TOWN.value)),
                When(hukou_town__isnull=False, then=Value(HukouRelation.OTHER_TOWN.value)),
                When(hukou_outside=True, then=Value(HukouRelation.OTHER_COUNTY.value)),
                default=Value(HukouRelation.UNKNOWN.value),
                output_field=CharField(),
            )
        )


@pghistory.track(exclude=["pinyin", "name_keys", "key"])
class Student(models.Model):
    """A child whom the bureau answers for. Identifiers lie sealed in the rows that delivered them; here are only digests."""

    # Identity: made by matching, merged and split by people; resolving never touches these.
    public_id = models.CharField("编号", max_length=10, default=new_public_id, editable=False)
    made_at = models.DateTimeField("建档时间", default=timezone.now, editable=False)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged_from", verbose_name="并入", db_index=False
    )
    key = models.ForeignKey("core.DataKey", models.PROTECT, null=True, editable=False, related_name="+", db_index=False)

    # Resolved.
    name = models.CharField("姓名", max_length=60, default="")
    name_key = models.CharField(max_length=60, default="", editable=False)
    name_keys = ArrayField(
        models.CharField(max_length=60),
        default=list,
        editable=False,
        help_text="Keys of every name under which a list in force knows the child; a number is confirmed by any of them.",
    )
    pinyin = models.CharField(
        max_length=200, default="", editable=False, help_text="Full pinyin and initials, space-separated."
    )
    sex = models.CharField("性别", max_length=1, choices=Sex.choices, default="", blank=True)
    birth_on = models.DateField("出生日期", null=True, blank=True)
    ethnicity = models.CharField("民族", max_length=2, default="", blank=True)
    id_type = models.CharField("证件类型", max_length=1, default="", blank=True)
    id_prefix = models.CharField("证件号前六位", max_length=6, default="", blank=True)
    id_digest = models.BinaryField(null=True, editable=False)
    id_tail_digest = models.BinaryField(null=True, editable=False)
    registry_digest = models.BinaryField(null=True, editable=False)
    # Town, village and school are held by triggers, once a statement: eduaid.core.database.references.
    hukou_town = models.ForeignKey(
        "core.Region",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="户籍乡镇",
        db_constraint=False,
    )
    hukou_village = models.ForeignKey(
        "core.Region",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="户籍村",
        db_index=False,
        db_constraint=False,
    )
    hukou_outside = models.BooleanField("县外户籍", default=False)
    hukou_household = models.ForeignKey(
        "Household",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="hukou_members",
        verbose_name="户口簿的户",
        db_index=False,
    )
    poverty_household = models.ForeignKey(
        "Household",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="poverty_members",
        verbose_name="建档立卡的户",
        db_index=False,
    )
    school = models.ForeignKey(
        "core.School",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="students",
        verbose_name="就读学校",
        db_constraint=False,
    )
    school_town = models.ForeignKey(
        "core.Region",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="学校所在乡镇",
        db_constraint=False,  # the school's, whose own constraint holds
    )
    grade = models.CharField("年级", max_length=2, default="", blank=True)
    class_name = models.CharField("班级", max_length=20, default="", blank=True)
    boarding = models.BooleanField("寄宿", null=True, blank=True)
    left_behind = models.CharField("留守类型", max_length=1, default="", blank=True)
    migrant = models.BooleanField("随迁子女", null=True, blank=True)
    orphan = models.BooleanField("孤儿", null=True, blank=True)
    disability = models.CharField("残疾类型", max_length=1, default="", blank=True)
    guardian = models.CharField("监护人", max_length=60, default="", blank=True)

    in_population = models.BooleanField("户籍名单有", default=False)
    in_registry = models.BooleanField("学籍有", default=False)
    in_roster = models.BooleanField("班级名册有", default=False)
    in_poverty = models.BooleanField("建档立卡名单有", default=False)
    in_hardship = models.BooleanField("困难名单有", default=False)
    has_waiting_row = models.BooleanField("有待改的行", default=False)

    objects = StudentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学生"
        ordering = ["id"]
        indexes = [
            models.Index(fields=["id_tail_digest"], name="student_id_tail"),
            models.Index(fields=["name_key", "birth_on"], name="student_name_birth"),
            # Most children have none of these: an index of those who do is small, and costs a first list nothing.
            *(
                models.Index(fields=[field], condition=Q(**{f"{field}__isnull": False}), name=f"student_{name}")
                for field, name in (
                    ("merged_into", "merged"),
                    ("key", "key"),
                    ("hukou_village", "village"),
                    ("hukou_household", "hukou_household"),
                    ("poverty_household", "poverty_household"),
                )
            ),
        ]
        constraints = [
            # Not unique=True, which brings an index for LIKE along.
            models.UniqueConstraint(fields=["public_id"], name="student_public_id_once"),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="student_not_merged_into_itself"),
        ]

    def __str__(self) -> str:
        return self.name or self.public_id

    @property
    def stage(self) -> str:
        """The stage's code: the first digit of the grade's."""
        return self.grade[:1]

    @property
    def stage_label(self) -> str:
        return Stage(self.stage).label if self.stage else ""

    @property
    def masked_id(self) -> str:
        return f"{self.id_prefix}************" if self.id_prefix else ""

    @property
    def is_withdrawn(self) -> bool:
        """来源已撤回: no list in force names the child any more."""
        return not (self.in_population or self.in_registry or self.in_roster or self.in_poverty or self.in_hardship)


class HouseholdKind(models.TextChoices):
    HUKOU = "hukou", "户口簿"
    POVERTY = "poverty", "建档立卡"


class HouseholdQuerySet(models.QuerySet["Household"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        return self if scope.county else self.filter(town__in=scope.towns)

    def in_force(self) -> Self:
        return self.filter(is_listed=True)

    def of_hukou(self, area: Region) -> Self:
        return self if area.is_home else self.filter(Q(town=area) | Q(village=area))


class Household(models.Model):
    """A household as one authority numbers it: the hukou book, or the poverty register."""

    kind = models.CharField("来源", max_length=8, choices=HouseholdKind.choices)
    number = models.CharField("户编号", max_length=40)
    town = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="+", verbose_name="乡镇")
    village = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="+", verbose_name="村")
    head = models.CharField("户主", max_length=60, default="", blank=True)
    poverty_type = models.CharField("户类型", max_length=1, default="", blank=True)
    persons = models.PositiveSmallIntegerField("人数", default=0)
    is_listed = models.BooleanField("名单有", default=False)

    objects = HouseholdQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "户"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["kind", "number"], name="household_number_once")]

    def __str__(self) -> str:
        return f"{self.head or self.number}户"
