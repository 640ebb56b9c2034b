"""Evidence 取证: by what a child who goes to school elsewhere is proved to be there, down to the class."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from eduaid.core import codes
from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User


class EvidenceState(models.TextChoices):
    RECORDED = "recorded", "待审核"
    RETURNED = "returned", "已退回"
    ACCEPTED = "accepted", "已通过"
    REFUSED = "refused", "拒不提供"
    UNREACHABLE = "unreachable", "无法联系"
    WITHDRAWN = "withdrawn", "已撤回"


PROVING = (EvidenceState.RECORDED, EvidenceState.RETURNED, EvidenceState.ACCEPTED)
"""States in which there is a proof to look at."""

UNPROVABLE = (EvidenceState.REFUSED, EvidenceState.UNREACHABLE)
"""States in which there is none, with the reason why."""


def school_year_of(day: dt.date) -> int:
    """The calendar year in which the school year of a day began (1 September, as the figures count)."""
    return day.year - (day.month < 9)


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Evidence about children with hukou or school in the scope."""
        if scope.county:
            return self
        seen = (
            Q(student__hukou_town__in=scope.towns)
            | Q(student__school_town__in=scope.towns)
            | Q(student__school__in=scope.schools)
        )
        return self.filter(seen | Q(student__in=scope.children) if scope.children else seen)

    def standing(self) -> Self:
        """All but what was withdrawn: at most one a child and school year."""
        return self.exclude(state=EvidenceState.WITHDRAWN)

    def accepted(self) -> Self:
        return self.filter(state=EvidenceState.ACCEPTED)

    def waiting(self) -> Self:
        """Recorded and not yet looked at by a second person."""
        return self.filter(state=EvidenceState.RECORDED)

    def of_year(self, school_year: int) -> Self:
        return self.filter(school_year=school_year)


@pghistory.track(exclude=["phone_sealed"])
class Evidence(models.Model):
    """What is known in a school year of where a child studies, who found out, and what a second person says of it.

    A proof is recorded, then accepted or returned by somebody else; a family that refuses or cannot be reached is recorded with
    the reason and reported to the township government. A proof of last year proves nothing this year.
    """

    student = models.ForeignKey("students.Student", models.PROTECT, related_name="evidence", verbose_name="学生")
    school_year = models.PositiveSmallIntegerField("学年", help_text="学年开始的年份")
    state = models.CharField("状态", max_length=11, choices=EvidenceState.choices, default=EvidenceState.RECORDED)

    at_province = models.CharField("省", max_length=20, default="", blank=True)
    at_city = models.CharField("市", max_length=20, default="", blank=True)
    at_county = models.CharField("县（市、区）", max_length=30, default="", blank=True)
    at_town = models.CharField("乡镇（街道）", max_length=30, default="", blank=True)
    at_school = models.CharField("学校", max_length=60, default="", blank=True)
    at_grade = models.CharField("年级", max_length=2, default="", blank=True)
    at_class = models.CharField("班级", max_length=20, default="", blank=True)

    kind = models.CharField("取证方式", max_length=2, default="", blank=True)
    proved_on = models.DateField("证明日期", null=True, blank=True)
    contact = models.CharField("联系人", max_length=30, default="", blank=True, help_text="班主任或学校办公室")
    phone_sealed = models.BinaryField(null=True, editable=False)
    phone_masked = models.CharField("联系电话", max_length=60, default="", blank=True, editable=False)
    note = models.CharField("备注", max_length=200, default="", blank=True)

    # The side that answers for the proof: it alone sees phone and files.
    town = models.ForeignKey(
        "core.Region", models.PROTECT, null=True, related_name="+", verbose_name="负责乡镇", db_index=False
    )
    school = models.ForeignKey(
        "core.School", models.PROTECT, null=True, related_name="+", verbose_name="负责学校", db_index=False
    )
    row = models.ForeignKey(
        "core.UploadRow", models.PROTECT, null=True, related_name="+", verbose_name="取证名单的行", editable=False
    )

    verified_by = models.ForeignKey(
        "core.User", models.PROTECT, related_name="+", verbose_name="核实人", db_index=False
    )
    verified_at = models.DateTimeField("核实时间", default=timezone.now)
    reviewed_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="审核人", db_index=False
    )
    reviewed_at = models.DateTimeField("审核时间", null=True)
    reason = models.CharField(
        "原因", max_length=200, default="", blank=True, help_text="退回、拒不提供、无法联系或撤回的原因"
    )
    reported_to = models.CharField("报告单位", max_length=60, default="", blank=True)
    reported_on = models.DateField("报告日期", null=True, blank=True)
    reported_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="报告人", db_index=False
    )

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "取证"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["school_year", "state", "student"], name="evidence_year_state"),
            models.Index(fields=["town", "state"], name="evidence_town_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["student", "school_year"],
                condition=~Q(state=EvidenceState.WITHDRAWN),
                name="evidence_once_a_year",
            ),
            models.CheckConstraint(condition=Q(state__in=EvidenceState.values), name="evidence_state"),
            models.CheckConstraint(
                condition=Q(kind="") | Q(kind__in=[entry.code for entry in codes.EVIDENCE_KIND]), name="evidence_kind"
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("verified_by")), name="evidence_reviewed_by_another"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[EvidenceState.ACCEPTED, EvidenceState.RETURNED], reviewed_by__isnull=False)
                & Q(reviewed_at__isnull=False)
                | Q(state=EvidenceState.WITHDRAWN)
                | Q(state__in=[EvidenceState.RECORDED, *UNPROVABLE], reviewed_by=None, reviewed_at=None),
                name="evidence_reviewed_when_decided",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNPROVABLE)
                | Q(state=EvidenceState.WITHDRAWN)
                | (
                    ~Q(kind="")
                    & Q(proved_on__isnull=False)
                    & ~Q(at_county="")
                    & ~Q(at_school="")
                    & ~Q(at_grade="")
                    & ~Q(at_class="")
                ),
                name="evidence_says_where_down_to_the_class",
            ),  # fmt: skip
            models.CheckConstraint(
                condition=Q(state__in=[EvidenceState.RECORDED, EvidenceState.ACCEPTED]) | ~Q(reason=""),
                name="evidence_says_why",
            ),
            models.CheckConstraint(
                condition=Q(reported_on=None, reported_to="", reported_by=None)
                | (Q(reported_on__isnull=False, reported_by__isnull=False) & ~Q(reported_to="")),
                name="evidence_reported_to_somebody",
            ),
            models.CheckConstraint(
                condition=Q(phone_sealed=None, phone_masked="") | (Q(phone_sealed__isnull=False) & ~Q(phone_masked="")),
                name="evidence_phone_sealed_and_masked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}：{self.where or '未写明就读地'}"

    @property
    def where(self) -> str:
        """省市县乡镇学校年级班级, as an office writes it."""
        return f"{self.where_school}{codes.GRADE.label(self.at_grade)}{self.at_class}"

    @property
    def where_school(self) -> str:
        place = dict.fromkeys(filter(None, (self.at_province, self.at_city, self.at_county, self.at_town)))
        return f"{''.join(place)}{self.at_school}"

    @property
    def kind_label(self) -> str:
        return codes.EVIDENCE_KIND.label(self.kind)

    @property
    def is_proof(self) -> bool:
        return self.state in PROVING

    def in_charge(self, scope: Scope) -> bool:
        """Whether the scope is of the side that answers for the proof: it may see phone and files."""
        return (
            scope.county
            or self.town_id in scope.towns
            or self.school_id in scope.schools
            or self.student_id in scope.children
        )


class FileType(models.TextChoices):
    PICTURE = "image/jpeg", "图片"
    PDF = "application/pdf", "PDF"


@pghistory.track(exclude=["stored_as"])
class EvidenceFile(models.Model):
    """A sealed file that proves: a picture, drawn anew without what the camera wrote into it, or a PDF as it came."""

    evidence = models.ForeignKey(Evidence, models.PROTECT, related_name="files", verbose_name="取证")
    type = models.CharField("种类", max_length=15, choices=FileType.choices)
    stored_as = models.CharField(max_length=40, editable=False)
    size = models.PositiveIntegerField("字节")
    digest = models.BinaryField(editable=False, help_text="Keyed digest of the bytes as they are kept.")
    added_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="添加人", db_index=False)
    added_at = models.DateTimeField("添加时间", default=timezone.now)
    removed_at = models.DateTimeField("移除时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "取证材料"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(type__in=FileType.values), name="evidencefile_type"),
            models.UniqueConstraint(
                fields=["evidence", "digest"], condition=Q(removed_at=None), name="evidencefile_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()}（{self.size // 1024 or 1} KB）"
