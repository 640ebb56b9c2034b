"""学籍变动: who enters, moves, pauses or returns through the year, as acts of two persons.

Lists stay the source of where a child is; an accepted movement stands beside them (docs/decisions/0017).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Value, When
from django.utils import timezone

from eduaid.core.models.calendar import DateRange
from eduaid.core.models.uploads import RowState
from eduaid.core.scope import Scope
from students.precedence import ROSTER

if TYPE_CHECKING:
    from eduaid.core.models import User


class Kind(models.TextChoices):
    ADMISSION = "admission", "招生入学"
    TRANSFER = "transfer", "县内转学"
    OUT = "out", "转出县外"
    IN = "in", "县外转入"
    SUSPENSION = "suspend", "休学"
    RESUMPTION = "resume", "复学"
    DEFERRAL = "defer", "缓学"


TRANSFERS = (Kind.TRANSFER, Kind.OUT, Kind.IN)
ABSENCES = (Kind.SUSPENSION, Kind.DEFERRAL)


class Stand(models.TextChoices):
    """The states of a movement: proposed → accepted | rejected | withdrawn; accepted → revoked."""

    PROPOSED = "proposed", "待办理"
    ACCEPTED = "accepted", "已同意"
    REJECTED = "rejected", "已退回"
    WITHDRAWN = "withdrawn", "已撤回"
    REVOKED = "revoked", "已撤销"


class Authority(models.TextChoices):
    """Who may approve a deferral (义务教育法第十一条)."""

    BUREAU = "bureau", "县教育局"
    GOVERNMENT = "government", "镇人民政府"


class MovementQuerySet(models.QuerySet["Movement"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Both sides see it, and whoever sees the child; to everybody else it does not exist."""
        from students.models.people import Student  # noqa: PLC0415  (the child's module stands beside this one)

        if scope.county:
            return self
        sides = Q(from_town__in=scope.towns) | Q(to_town__in=scope.towns)
        sides |= Q(from_school__in=scope.schools) | Q(to_school__in=scope.schools)
        return self.filter(sides | Q(student__in=Student.objects.within(scope).values("pk")))

    def open(self) -> Self:
        return self.filter(state=Stand.PROPOSED)

    def in_effect(self, on: dt.date) -> Self:
        """Accepted and holding on that day: a transfer from its day on, an absence until its last day."""
        return self.filter(state=Stand.ACCEPTED, from_on__lte=on).filter(Q(until_on=None) | Q(until_on__gte=on))

    def known_at(self, moment: dt.datetime) -> Self:
        return self.filter(decided_at__lte=moment)

    def with_whereabouts(self) -> Self:
        """Annotates `whereabouts`: the code of the whereabouts table that the movement says; empty where it says none
        (admission, resumption: the school's list names the child)."""
        same_town = Q(from_town=F("to_town"))
        return self.annotate(
            whereabouts=Case(
                When(kind=Kind.SUSPENSION, then=Value("B10")),
                When(kind=Kind.DEFERRAL, then=Value("B9")),
                When(Q(kind=Kind.TRANSFER) & same_town, then=Value("A1")),
                When(kind=Kind.TRANSFER, then=Value("A2")),
                When(kind=Kind.OUT, out_of_province=True, then=Value("A4")),
                When(kind=Kind.OUT, then=Value("A3")),
                default=Value(""),
                output_field=CharField(),
            )
        )

    def lapsed(self, on: dt.date) -> Self:
        """Suspensions and deferrals that have run out, after which nobody came back by an act: 到期未复学."""
        back = Movement.objects.filter(resumes=OuterRef("pk"), state=Stand.ACCEPTED)
        return self.filter(~Exists(back), state=Stand.ACCEPTED, kind__in=ABSENCES, until_on__lt=on)

    def contradicted(self) -> Self:
        """Accepted ones of which a class roster of a later date says otherwise: the child sits in another school than the
        one moved to, or in any class while away. Needs all lists in sight."""
        from students.models.identity import IdentityLink  # noqa: PLC0415  (as above)

        named = IdentityLink.objects.filter(
            student=OuterRef("student"),
            row__state=RowState.ACCEPTED,
            row__slice__is_current=True,
            row__slice__kind=ROSTER,
            row__slice__effective_on__gt=OuterRef("from_on"),
        )
        still_away = Q(until_on=None) | Q(until_on__gte=F("said_on"))
        last = named.order_by("-row__slice__effective_on", "-row_id")
        return self.annotate(
            said_on=models.Subquery(last.values("row__slice__effective_on")[:1]),
            said_school=models.Subquery(last.values("row__school")[:1]),
        ).filter(
            (Q(kind__in=(Kind.TRANSFER, Kind.IN, Kind.ADMISSION)) & ~Q(said_school=F("to_school")))
            | (Q(kind__in=(Kind.OUT, *ABSENCES)) & still_away),
            state=Stand.ACCEPTED,
            said_on__isnull=False,
        )


@pghistory.track()
class Movement(models.Model):
    """One movement of one child, asked for by one person and decided by another.

    The child's name and class stand here as they were when it was asked for: the receiving side does not see the child's file
    before the child is theirs. `from_on`: the first day in the new state; `until_on`: the last day of an absence.
    """

    student = models.ForeignKey("students.Student", models.PROTECT, related_name="movements", verbose_name="学生")
    kind = models.CharField("种类", max_length=10, choices=Kind.choices)
    state = models.CharField("状态", max_length=10, choices=Stand.choices, default=Stand.PROPOSED)
    child_name = models.CharField("姓名", max_length=60)
    child_sex = models.CharField("性别", max_length=1, default="", blank=True)
    child_birth_on = models.DateField("出生日期", null=True, blank=True)
    grade = models.CharField("年级", max_length=2, default="", blank=True)
    class_name = models.CharField("班级", max_length=20, default="", blank=True)
    from_school = models.ForeignKey(
        "core.School", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="原学校"
    )
    from_town = models.ForeignKey(
        "core.Region", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="原乡镇"
    )
    to_school = models.ForeignKey(
        "core.School", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="去往学校"
    )
    to_town = models.ForeignKey(
        "core.Region", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="去往乡镇"
    )
    elsewhere = models.CharField("县外地点和学校", max_length=100, default="", blank=True)
    out_of_province = models.BooleanField("省外", default=False)
    from_on = models.DateField("起")
    until_on = models.DateField("止", null=True, blank=True)
    reason = models.CharField("事由", max_length=200)
    papers = ArrayField(models.CharField(max_length=12), verbose_name="已查验的材料", default=list)
    authority = models.CharField("批准机关", max_length=10, choices=Authority.choices, default="", blank=True)
    document_no = models.CharField("批准文号", max_length=40, default="", blank=True)
    applied_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="申请人")
    applied_at = models.DateTimeField("申请时间", default=timezone.now)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="办理人")
    decided_at = models.DateTimeField("办理时间", null=True)
    note = models.CharField("办理意见", max_length=200, default="", blank=True)
    closed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="撤回人")
    closed_at = models.DateTimeField("撤回时间", null=True)
    closing_reason = models.CharField("撤回原因", max_length=200, default="", blank=True)
    resumes = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", verbose_name="所复的休学")
    replaced_until_on = models.DateField("原定止", null=True, editable=False)

    objects = MovementQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学籍变动"
        ordering = ["-applied_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["student", "kind"], condition=Q(state="proposed"), name="movement_one_open_of_a_kind"
            ),
            models.UniqueConstraint(
                fields=["student"],
                condition=Q(state="proposed", kind__in=["transfer", "out", "in"]),
                name="movement_one_open_transfer",
            ),
            ExclusionConstraint(
                name="movement_one_absence_at_a_time",
                expressions=[
                    ("student", RangeOperators.EQUAL),
                    (DateRange("from_on", "until_on", RangeBoundary(inclusive_upper=True)), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="accepted", kind__in=["suspend", "defer"]),
            ),
            models.CheckConstraint(
                condition=Q(until_on=None) | Q(until_on__gte=F("from_on")), name="movement_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["suspend", "defer"], until_on__isnull=False)
                | (~Q(kind__in=["suspend", "defer"]) & Q(until_on=None)),
                name="movement_absences_have_an_end",
            ),
            models.CheckConstraint(
                condition=~Q(kind="transfer")
                | (Q(from_school__isnull=False, to_school__isnull=False) & ~Q(from_school=F("to_school"))),
                name="movement_transfer_to_another_school",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["out", "in"]) | ~Q(elsewhere=""), name="movement_beyond_the_county_names_it"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["in", "admission", "resume"]) | Q(to_school__isnull=False),
                name="movement_into_a_school_names_it",
            ),
            models.CheckConstraint(
                condition=Q(kind="resume", resumes__isnull=False) | (~Q(kind="resume") & Q(resumes=None)),
                name="movement_resumes_a_suspension",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="movement_has_a_reason"),
            # Two persons: whoever asked decides neither way.
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("applied_by")), name="movement_decided_by_another"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "withdrawn"], decided_by=None, decided_at=None)
                | Q(state__in=["accepted", "rejected", "revoked"], decided_by__isnull=False, decided_at__isnull=False),
                name="movement_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=(Q(state__in=["withdrawn", "revoked"], closed_by__isnull=False) & ~Q(closing_reason=""))
                | Q(state__in=["proposed", "accepted", "rejected"], closed_by=None),
                name="movement_closed_with_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(note=""), name="movement_rejected_with_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.child_name}：{self.get_kind_display()}"

    @property
    def is_open(self) -> bool:
        return self.state == Stand.PROPOSED
