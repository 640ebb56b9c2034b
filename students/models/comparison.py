"""Comparing the lists: names that lists know a child by, what the comparison found, and what people decided about it.

Suggestions and discrepancies are computed (`students.crosscheck`); one that no longer holds is ended, not deleted, so that a
figure of last week can be counted again. Decisions are people's: they are undone, never deleted.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from eduaid.core.models import Region
from eduaid.core.scope import Scope
from students.models.people import Student

if TYPE_CHECKING:
    from eduaid.core.models import User


class Certainty(models.TextChoices):
    """How sure the program is; only the first may be accepted in bulk."""

    SURE = "sure", "确定"
    LIKELY = "likely", "可能"
    DOUBTFUL = "doubtful", "存疑"


class Verdict(models.TextChoices):
    SAME = "same", "同一人"
    DIFFERENT = "different", "不是同一人"
    SOURCE = "source", "以某份名单为准"
    CHECK = "check", "待核"
    MOVED = "moved", "名单行改认"


PAIRS = (Verdict.SAME, Verdict.DIFFERENT, Verdict.CHECK)
"""Verdicts about two children."""


class Alias(models.Model):
    """A name that a person confirmed to be this child's: lists that use it find the child by its number without asking."""

    student = models.ForeignKey("students.Student", models.PROTECT, related_name="aliases", verbose_name="学生")
    name = models.CharField("姓名", max_length=60)
    name_key = models.CharField(max_length=60, editable=False)
    made_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="认定人")
    made_at = models.DateTimeField("时间", default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = "曾用或别写的姓名"
        constraints = [models.UniqueConstraint(fields=["student", "name_key"], name="alias_once_a_child")]

    def __str__(self) -> str:
        return self.name


class MatchDecisionQuerySet(models.QuerySet["MatchDecision"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Decisions about a child whose hukou or school lies in the scope."""
        if scope.county:
            return self
        seen = Student.objects.within(scope).values("pk")
        return self.filter(Q(student__in=seen) | Q(other__in=seen))

    def standing(self) -> Self:
        return self.filter(undone_at=None)

    def standing_at(self, moment: dt.datetime | None) -> Self:
        if moment is None:
            return self.standing()
        return self.filter(made_at__lte=moment).filter(Q(undone_at=None) | Q(undone_at__gt=moment))


# The first state is told by the row itself; history keeps what became of it.
@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class MatchDecision(models.Model):
    """What somebody said about a pair of children, a child, a value or a row. It holds for the next lists as well, until undone.

    `said`: what the lists said then, by kind; a value that has changed since is asked about again. `record`: what an undo needs.
    """

    verdict = models.CharField("决定", max_length=10, choices=Verdict.choices)
    student = models.ForeignKey("students.Student", models.PROTECT, related_name="decisions", verbose_name="学生")
    other = models.ForeignKey(
        "students.Student", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="另一份档案"
    )
    row = models.ForeignKey(
        "core.UploadRow", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="名单行"
    )
    concept = models.CharField("项目", max_length=20, default="", blank=True)
    source = models.CharField("以哪份名单为准", max_length=20, default="", blank=True)
    said = models.JSONField("名单的说法", null=True, blank=True)
    reason = models.CharField("理由", max_length=200)
    certainty = models.CharField("当时的建议", max_length=10, choices=Certainty.choices, default="", blank=True)
    batch = models.UUIDField("批次", null=True, blank=True)
    record = models.JSONField(default=dict, editable=False)
    made_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="决定人")
    made_at = models.DateTimeField("时间", default=timezone.now)
    undone_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="撤销人"
    )
    undone_at = models.DateTimeField("撤销时间", null=True, blank=True)
    undo_reason = models.CharField("撤销理由", max_length=200, default="", blank=True)

    objects = MatchDecisionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "比对决定"
        ordering = ["-id"]
        indexes = [models.Index(fields=["batch"], condition=Q(batch__isnull=False), name="match_decision_batch")]
        constraints = [
            models.UniqueConstraint(
                Least("student", "other"),
                Greatest("student", "other"),
                condition=Q(undone_at=None, other__isnull=False, verdict__in=PAIRS),
                name="match_decision_one_a_pair",
            ),
            models.UniqueConstraint(
                fields=["student", "concept"],
                condition=Q(undone_at=None, other=None, row=None),
                name="match_decision_one_a_value",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="match_decision_has_a_reason"),
            models.CheckConstraint(condition=~Q(student=F("other")), name="match_decision_about_two_children"),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None) | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="match_decision_undone_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student}：{self.get_verdict_display()}"


class SuggestionQuerySet(models.QuerySet["Suggestion"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Pairs of which at least one child lies in the scope: whoever answers for it has to know."""
        return self if scope.county else self.filter(towns__overlap=list(scope.towns))

    def found_at_moment(self, moment: dt.datetime | None = None) -> Self:
        if moment is None:
            return self.filter(gone_at=None)
        return self.filter(found_at__lte=moment).filter(Q(gone_at=None) | Q(gone_at__gt=moment))

    def open(self, moment: dt.datetime | None = None) -> Self:
        """Pairs of two files that nobody has settled (待核 is not settled)."""
        settled = MatchDecision.objects.standing_at(moment).filter(verdict__in=(Verdict.SAME, Verdict.DIFFERENT))
        pair = Q(student=OuterRef("left"), other=OuterRef("right")) | Q(
            student=OuterRef("right"), other=OuterRef("left")
        )
        return self.found_at_moment(moment).filter(right__isnull=False).exclude(Exists(settled.filter(pair)))


class Suggestion(models.Model):
    """Two files (or a file and a waiting row) that may speak of one child, with the reason in one sentence without numbers.

    `left` is the file that would go on. `town`: the township that answers, the hukou's before the school's; `towns`: every
    township that one of the two belongs to, which all see the pair. `told`: left and right → name, birth, lists, as found, so
    that a pair can be listed where only one of its files may be read.
    """

    left = models.ForeignKey("students.Student", models.PROTECT, related_name="+")
    right = models.ForeignKey("students.Student", models.PROTECT, null=True, related_name="+")
    row = models.ForeignKey("core.UploadRow", models.PROTECT, null=True, related_name="+")
    certainty = models.CharField("把握", max_length=10, choices=Certainty.choices)
    score = models.SmallIntegerField("得分", default=0)
    reason = models.CharField("理由", max_length=200)
    town = models.ForeignKey(
        Region, models.PROTECT, null=True, related_name="+", verbose_name="乡镇", db_constraint=False
    )
    towns = ArrayField(models.BigIntegerField(), default=list)
    told = models.JSONField(default=dict)
    found_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True)

    objects = SuggestionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "疑似同一人"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                Least("left", "right"),
                Greatest("left", "right"),
                condition=Q(gone_at=None, right__isnull=False),
                name="suggestion_one_a_pair",
            ),
            models.UniqueConstraint(
                fields=["left", "row"], condition=Q(gone_at=None, row__isnull=False), name="suggestion_one_a_row"
            ),
            models.CheckConstraint(
                condition=Q(right__isnull=False, row=None) | Q(right=None, row__isnull=False),
                name="suggestion_of_a_file_or_a_row",
            ),
            models.CheckConstraint(condition=~Q(left=F("right")), name="suggestion_of_two_children"),
        ]

    def __str__(self) -> str:
        return f"{self.left_id} / {self.right_id or self.row_id}"


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    def found_at_moment(self, moment: dt.datetime | None = None) -> Self:
        if moment is None:
            return self.filter(gone_at=None)
        return self.filter(found_at__lte=moment).filter(Q(gone_at=None) | Q(gone_at__gt=moment))

    def open(self, moment: dt.datetime | None = None) -> Self:
        """Values that nobody has settled, or about which the lists say something else than when they were settled."""
        settled = MatchDecision.objects.standing_at(moment).filter(
            verdict=Verdict.SOURCE, student=OuterRef("student"), concept=OuterRef("concept"), said=OuterRef("said")
        )
        return self.found_at_moment(moment).exclude(Exists(settled))


class Discrepancy(models.Model):
    """Lists in force that contradict one another about a child. `said`: kind of list → what it says, as text; a number as its
    digest. `town`: the township that answers, the school's before the hukou's."""

    student = models.ForeignKey("students.Student", models.PROTECT, related_name="discrepancies")
    concept = models.CharField("项目", max_length=20)
    said = models.JSONField("名单的说法")
    town = models.ForeignKey(
        Region, models.PROTECT, null=True, related_name="+", verbose_name="乡镇", db_constraint=False
    )
    found_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True)

    objects = DiscrepancyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "信息不一致"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["student", "concept"], condition=Q(gone_at=None), name="discrepancy_one_a_concept"
            )
        ]

    def __str__(self) -> str:
        return f"{self.student}：{self.concept}"
