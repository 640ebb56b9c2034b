"""What a child is entitled to in a term, with the reason: standards × recognised children × enrolment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from eduaid.core.models.places import Region, School
from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User


class Pending(models.TextChoices):
    """What has become of an entitlement since a list was made from it."""

    NONE = "", "无变化"
    CHANGED = "changed", "金额或标准有变"
    GONE = "gone", "不再符合"


class EntitlementQuerySet(models.QuerySet["Entitlement"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Children who go to school in the scope (就读地 pays), or whose hukou lies there (户籍地 checks)."""
        if scope.county:
            return self
        return self.filter(Q(school_town__in=scope.towns) | Q(hukou_town__in=scope.towns) | Q(school__in=scope.schools))

    def at_schools_of(self, area: Region | School) -> Self:
        """Counting rule 就读地."""
        if isinstance(area, School):
            return self.filter(school=area)
        return self if area.is_home else self.filter(school_town=area)

    def of_hukou(self, area: Region | School) -> Self:
        """Counting rule 户籍地."""
        if isinstance(area, School):
            return self.none()
        return self.exclude(hukou_town=None) if area.is_home else self.filter(hukou_town=area)

    def standing(self) -> Self:
        """Without those that yield to another programme (不得兼得) and those that no longer hold."""
        return self.filter(yields_to=None).exclude(pending=Pending.GONE)


# The first state is told by the row; history keeps what became of it.
@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Entitlement(models.Model):
    """One child, one programme, one term. Computed anew when facts change (`subsidies.entitlement`); once a list was made from
    it (`listed_at`) it stays as it was, and what differs stands in `pending…` until somebody accepts it.

    `facts`: what the rule looked at; `source_rows`: the list rows that say so. The sentence is made when it is read
    (`subsidies.eligibility`).
    """

    # References are held by triggers, once a statement: eduaid.core.database.references.
    student = models.ForeignKey(
        "students.Student", models.PROTECT, related_name="entitlements", verbose_name="学生", db_constraint=False
    )
    programme = models.ForeignKey(
        "subsidies.Programme",
        models.PROTECT,
        related_name="entitlements",
        verbose_name="项目",
        db_index=False,
        db_constraint=False,
    )
    term = models.ForeignKey(
        "core.Term", models.PROTECT, related_name="+", verbose_name="学期", db_index=False, db_constraint=False
    )
    standard = models.ForeignKey(
        "subsidies.Standard", models.PROTECT, related_name="entitlements", verbose_name="标准", db_constraint=False
    )
    amount = models.DecimalField("金额（元）", max_digits=9, decimal_places=2)
    stage = models.CharField("学段", max_length=1)
    boarding = models.BooleanField("寄宿", null=True)
    category = models.CharField("主类别", max_length=2, default="", blank=True)
    group = models.CharField("归类", max_length=20, default="", blank=True)
    tier = models.CharField("等级", max_length=1, default="", blank=True)
    recognition = models.ForeignKey(
        "subsidies.Recognition", models.PROTECT, null=True, related_name="+", verbose_name="认定", db_index=False
    )
    source_rows = ArrayField(models.BigIntegerField(), verbose_name="名单行", default=list)
    yields_to = models.ForeignKey(
        "subsidies.Programme",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="因享受而不再计",
        db_index=False,
        db_constraint=False,
    )
    # Copies, for row security and figures by place: where the child sat in this term.
    school = models.ForeignKey(
        "core.School", models.PROTECT, related_name="+", verbose_name="学校", db_index=False, db_constraint=False
    )
    school_town = models.ForeignKey(
        "core.Region",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="学校所在乡镇",
        db_index=False,
        db_constraint=False,
    )
    hukou_town = models.ForeignKey(
        "core.Region",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="户籍乡镇",
        db_index=False,
        db_constraint=False,
    )
    computed_at = models.DateTimeField("计算时间", default=timezone.now)
    listed_at = models.DateTimeField("列入名单时间", null=True, blank=True)
    pending = models.CharField("变动", max_length=8, choices=Pending.choices, default="", blank=True)
    pending_amount = models.DecimalField("变动后金额", max_digits=9, decimal_places=2, null=True)
    pending_standard = models.ForeignKey(
        "subsidies.Standard",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="变动后标准",
        db_index=False,
        db_constraint=False,
    )
    pending_at = models.DateTimeField("变动时间", null=True)

    objects = EntitlementQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "应享资助"
        ordering = ["id"]
        indexes = [
            models.Index(fields=["term", "school_town", "programme"], name="entitlement_town"),
            models.Index(fields=["term", "school", "programme"], name="entitlement_school"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["term", "programme", "student"], name="entitlement_once_a_term"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="entitlement_amount_above_zero"),
            # What nobody has listed is computed anew; only what stands in a list can wait for a decision.
            models.CheckConstraint(
                condition=Q(pending="", pending_at=None, pending_amount=None, pending_standard=None)
                | Q(pending="gone", listed_at__isnull=False, pending_at__isnull=False, pending_amount=None)
                | Q(
                    pending="changed",
                    listed_at__isnull=False,
                    pending_at__isnull=False,
                    pending_amount__isnull=False,
                    pending_standard__isnull=False,
                ),
                name="entitlement_waits_only_when_listed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount}元"


class GapCheckQuerySet(models.QuerySet["GapCheck"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        if scope.county:
            return self
        return self.filter(Q(school_town__in=scope.towns) | Q(school__in=scope.schools))


@pghistory.track()
class GapCheck(models.Model):
    """What people found about one gap between entitled and aided: handed out, and settled with a reason."""

    kind = models.CharField("问题", max_length=20)
    student = models.ForeignKey("students.Student", models.PROTECT, related_name="+", verbose_name="学生")
    programme = models.ForeignKey(
        "subsidies.Programme", models.PROTECT, related_name="+", verbose_name="项目", db_index=False
    )
    term = models.ForeignKey("core.Term", models.PROTECT, related_name="+", verbose_name="学期", db_index=False)
    school = models.ForeignKey("core.School", models.PROTECT, null=True, related_name="+", verbose_name="学校")
    school_town = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="+", verbose_name="核实乡镇")
    batch = models.UUIDField("批次", db_index=True, editable=False)
    due_on = models.DateField("限期")
    handed_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="派发人", db_index=False)
    handed_at = models.DateTimeField("派发时间", default=timezone.now)
    reason = models.CharField("核实情况", max_length=200, default="", blank=True)
    settled_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="核实人", db_index=False
    )
    settled_at = models.DateTimeField("核实时间", null=True, blank=True)

    objects = GapCheckQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "应助核实"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "student", "programme", "term"], name="gapcheck_once"),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by=None)
                | (Q(settled_at__isnull=False, settled_by__isnull=False) & ~Q(reason="")),
                name="gapcheck_settled_by_somebody_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.term_id}"
