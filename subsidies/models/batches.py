"""Payment batches: who is to get how much of which programme in a term, from the draft to the bank's answer.

A batch is all or nothing: it is submitted with typed totals that agree with its rows, approved by somebody else, and what was known of
the child on that day is frozen in the rows. Each row goes to the bank in one payment file at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from eduaid.core.models import Region, School
from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User


class BatchState(models.TextChoices):
    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待审核"
    HALF = "half", "待二审"
    APPROVED = "approved", "已审核"
    WITHDRAWN = "withdrawn", "已撤销"


class BatchSource(models.TextChoices):
    ENTITLEMENT = "entitlement", "应助名单"
    LIST = "list", "上传的名单"
    HAND = "hand", "逐人录入"


class AidBatchQuerySet(models.QuerySet["AidBatch"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Batches of the scope's places, and those that hold an award which the scope sees."""
        if scope.county:
            return self
        own = Q(town__in=scope.towns) | Q(school__in=scope.schools)
        return self.filter(own | Q(pk__in=Award.objects.within(scope).values("batch")))


@pghistory.track()
class AidBatch(models.Model):
    """One programme, one term, one place. `heads` and `amount` are the typed control totals, equal to the rows' since `submit`."""

    programme = models.ForeignKey("subsidies.Programme", models.PROTECT, related_name="batches", verbose_name="项目")
    term = models.ForeignKey("core.Term", models.PROTECT, related_name="+", verbose_name="学期")
    region = models.ForeignKey(
        "core.Region", models.PROTECT, null=True, related_name="+", verbose_name="区域", db_index=False
    )
    school = models.ForeignKey("core.School", models.PROTECT, null=True, related_name="+", verbose_name="学校")
    town = models.ForeignKey(
        "core.Region",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="乡镇",
        help_text="The township that may see the batch; empty for the county's.",
    )
    source = models.CharField("来源", max_length=12, choices=BatchSource.choices)
    upload = models.ForeignKey(
        "core.Upload", models.PROTECT, null=True, blank=True, related_name="aid_batches", verbose_name="名单"
    )
    state = models.CharField("状态", max_length=10, choices=BatchState.choices, default=BatchState.DRAFT)
    heads = models.PositiveIntegerField("人次合计", null=True)
    amount = models.DecimalField("金额合计（元）", max_digits=14, decimal_places=2, null=True)
    data_key = models.ForeignKey("core.DataKey", models.PROTECT, related_name="+", editable=False, db_index=False)
    made_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="制单人", db_index=False)
    made_at = models.DateTimeField("制单时间", default=timezone.now)
    submitted_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="提交人", db_index=False
    )
    submitted_at = models.DateTimeField("提交时间", null=True)
    approved_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="审核人", db_index=False
    )
    approved_at = models.DateTimeField("审核时间", null=True)
    second_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="二审人", db_index=False
    )
    second_at = models.DateTimeField("二审时间", null=True)
    returned_for = models.CharField("退回原因", max_length=200, default="", blank=True)
    withdrawn_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="撤销人", db_index=False
    )
    withdrawn_at = models.DateTimeField("撤销时间", null=True)
    withdraw_reason = models.CharField("撤销原因", max_length=200, default="", blank=True)
    unnoticed_for = models.CharField("不公示的原因", max_length=200, default="", blank=True)

    objects = AidBatchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "发放批次"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(region__isnull=True, school__isnull=False) | Q(region__isnull=False, school__isnull=True),
                name="aidbatch_of_a_region_or_a_school",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "withdrawn"])
                | Q(submitted_by__isnull=False, heads__isnull=False, amount__isnull=False),
                name="aidbatch_submitted_with_totals",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["half", "approved"]) | Q(approved_by__isnull=False),
                name="aidbatch_approved_by_somebody",
            ),
            # Three different people: who made or submitted it, who checked it, who checked it again.
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("made_by")) & ~Q(approved_by=F("submitted_by")),
                name="aidbatch_approved_by_another",
            ),
            models.CheckConstraint(
                condition=Q(second_by=None)
                | ~Q(second_by=F("made_by")) & ~Q(second_by=F("submitted_by")) & ~Q(second_by=F("approved_by")),
                name="aidbatch_second_by_a_third",
            ),
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | Q(withdrawn_by__isnull=False) & ~Q(withdraw_reason=""),
                name="aidbatch_withdrawn_with_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["programme", "term", "state"], name="aidbatch_programme_term")]

    def __str__(self) -> str:
        return f"发放批次{self.pk}号"

    def get_absolute_url(self) -> str:
        return reverse("aid-batch", args=[self.pk])

    @property
    def place(self) -> Region | School:
        """The caller has selected region and school."""
        place = self.region or self.school
        assert place is not None
        return place


class AwardState(models.TextChoices):
    DRAFT = "draft", "草稿"
    APPROVED = "approved", "待发放"
    SENT = "sent", "已交银行"
    PAID = "paid", "已发放"
    FAILED = "failed", "发放失败"
    DUE_BACK = "due-back", "待追回"
    RECOVERED = "recovered", "已追回"
    CANCELLED = "cancelled", "已取消"


LIVE = (
    AwardState.DRAFT,
    AwardState.APPROVED,
    AwardState.SENT,
    AwardState.PAID,
    AwardState.FAILED,
    AwardState.DUE_BACK,
)
"""States in which the child has, or is about to have, the money: nobody has two such awards of a programme and term."""


class AwardQuerySet(models.QuerySet["Award"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Where the child's school lies, where its hukou lies, and rows of the scope's own batches are seen by their place."""
        if scope.county:
            return self
        seen = Q(school_town__in=scope.towns) | Q(hukou_town__in=scope.towns) | Q(school__in=scope.schools)
        return self.filter(seen)

    def live(self) -> Self:
        return self.filter(state__in=LIVE)

    def approved(self) -> Self:
        """Approved and not taken back: what a figure of aid counts, whether the bank has answered or not."""
        return self.filter(state__in=[s for s in LIVE if s != AwardState.DRAFT])

    def paid(self) -> Self:
        return self.filter(state=AwardState.PAID)


_FROZEN = (
    "batch_id", "programme_id", "term_id", "student_id", "amount", "standard_id", "supplements_id", "row_id", "name",
    "school_id", "school_town_id", "hukou_town_id", "grade", "class_name", "boarding", "category", "tier",
    "is_registered_poor", "household_id", "basis", "frozen_at",
)  # fmt: skip
_FACTS_CHANGE = (
    "OLD.frozen_at IS NOT NULL AND ("
    + " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in _FROZEN)
    + ")"
)


@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent(), exclude=["card_sealed", "card_digest"])
class Award(models.Model):
    """One child's money of one programme and term. `supplements`: pays a difference on top of another award (补发)."""

    # Batch, programme, term, school and townships are held by triggers, once a statement: eduaid.core.database.references.
    batch = models.ForeignKey(AidBatch, models.PROTECT, related_name="awards", verbose_name="批次", db_constraint=False)
    programme = models.ForeignKey(
        "subsidies.Programme",
        models.PROTECT,
        related_name="awards",
        verbose_name="项目",
        db_constraint=False,
        db_index=False,
    )
    term = models.ForeignKey(
        "core.Term", models.PROTECT, related_name="+", verbose_name="学期", db_constraint=False, db_index=False
    )
    student = models.ForeignKey(
        "students.Student", models.PROTECT, related_name="awards", verbose_name="学生", db_constraint=False
    )
    amount = models.DecimalField("金额（元）", max_digits=10, decimal_places=2)
    standard = models.ForeignKey(
        "subsidies.Standard",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="awards",
        verbose_name="标准",
        db_index=False,
    )
    supplements = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="supplemented_by",
        verbose_name="补发",
        db_index=False,
    )
    state = models.CharField("状态", max_length=9, choices=AwardState.choices, default=AwardState.DRAFT)
    reason = models.CharField("原因", max_length=200, default="", blank=True, help_text="失败、取消或追回的原因")
    row = models.ForeignKey(
        "core.UploadRow", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="来源行",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    paid_on = models.DateField("发放日期", null=True, blank=True)

    # What was known on the day of the approval; in a draft, when the row was made.
    name = models.CharField("姓名", max_length=60)
    school = models.ForeignKey(
        "core.School", models.PROTECT, null=True, related_name="+", verbose_name="学校", db_constraint=False
    )
    school_town = models.ForeignKey(
        "core.Region", models.PROTECT, null=True, related_name="+", verbose_name="学校所在乡镇", db_constraint=False
    )
    hukou_town = models.ForeignKey(
        "core.Region", models.PROTECT, null=True, related_name="+", verbose_name="户籍乡镇", db_constraint=False
    )
    grade = models.CharField("年级", max_length=2, default="", blank=True)
    class_name = models.CharField("班级", max_length=20, default="", blank=True)
    boarding = models.BooleanField("寄宿", null=True, blank=True)
    category = models.CharField("困难类别", max_length=12, default="", blank=True)
    tier = models.CharField("档次", max_length=12, default="", blank=True)
    is_registered_poor = models.BooleanField("建档立卡", default=False)
    household = models.ForeignKey(
        "students.Household", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="户",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    basis = models.CharField("依据", max_length=400, default="", blank=True)
    frozen_at = models.DateTimeField("情况截至", null=True)

    # The account that is paid into. The number is sealed under the batch's data key and opened for the bank's file alone.
    bank = models.CharField("开户银行", max_length=60, default="", blank=True)
    holder = models.CharField("户名", max_length=60, default="", blank=True)
    card_sealed = models.BinaryField(null=True, editable=False)
    card_last4 = models.CharField("卡号后四位", max_length=4, default="", blank=True)
    card_digest = models.BinaryField(null=True, editable=False)

    objects = AwardQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资助"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "term", "student"],
                condition=Q(supplements=None, state__in=LIVE),
                name="award_once_a_programme_and_term",
            ),
            models.UniqueConstraint(
                fields=["supplements"], condition=Q(state__in=LIVE), name="award_supplemented_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="award_above_zero"),
            models.CheckConstraint(
                condition=Q(card_sealed=None, card_last4="", card_digest=None)
                | Q(card_sealed__isnull=False, card_digest__isnull=False) & ~Q(card_last4=""),
                name="award_card_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["failed", "due-back", "recovered", "cancelled"]) | ~Q(reason=""),
                name="award_trouble_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "cancelled"]) | Q(frozen_at__isnull=False),
                name="award_approved_is_frozen",
            ),
            models.CheckConstraint(condition=~Q(state="paid") | Q(paid_on__isnull=False), name="award_paid_on_a_day"),
        ]
        indexes = [
            models.Index(fields=["programme", "term", "school_town"], name="award_programme_town"),
            models.Index(fields=["card_digest"], condition=Q(card_digest__isnull=False), name="award_card"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="award_approved_keeps_its_facts",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(_FACTS_CHANGE),
            ),
            pgtrigger.Protect(
                name="award_approved_stays",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__frozen_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.amount}元"


class PaymentFileQuerySet(models.QuerySet["PaymentFile"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        return self if scope.county else self.filter(batch__in=AidBatch.objects.within(scope))


@pghistory.track()
class PaymentFile(models.Model):
    """What one bank gets of one batch at a time. `mark` stands in the file and comes back with the bank's answer."""

    batch = models.ForeignKey(AidBatch, models.PROTECT, related_name="files", verbose_name="批次")
    mark = models.CharField("批次标识", max_length=20, unique=True)
    bank = models.CharField("银行", max_length=60)
    heads = models.PositiveIntegerField("笔数")
    amount = models.DecimalField("金额（元）", max_digits=14, decimal_places=2)
    made_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="生成人", db_index=False)
    made_at = models.DateTimeField("生成时间", default=timezone.now)

    objects = PaymentFileQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "发放文件"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.mark


class PaymentState(models.TextChoices):
    SENT = "sent", "已交银行"
    PAID = "paid", "成功"
    FAILED = "failed", "失败"
    RECALLED = "recalled", "收回未发"
    RECOVERED = "recovered", "已追回"


class PaymentQuerySet(models.QuerySet["Payment"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        return self if scope.county else self.filter(award__in=Award.objects.within(scope))


@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Payment(models.Model):
    """One attempt to pay an award: a row of a payment file. Whoever fails is corrected and stands in a new file once."""

    award = models.ForeignKey(Award, models.PROTECT, related_name="payments", verbose_name="资助")
    file = models.ForeignKey(PaymentFile, models.PROTECT, related_name="payments", verbose_name="发放文件")
    number = models.PositiveIntegerField("行号")
    attempt = models.PositiveSmallIntegerField("第几次", default=1)
    amount = models.DecimalField("金额（元）", max_digits=10, decimal_places=2)
    card_last4 = models.CharField("卡号后四位", max_length=4)
    state = models.CharField("状态", max_length=9, choices=PaymentState.choices, default=PaymentState.SENT)
    reason = models.CharField("失败原因", max_length=200, default="", blank=True)
    answered_on = models.DateField("回盘日期", null=True)
    row = models.ForeignKey(
        "core.UploadRow",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="回盘行",
        db_constraint=False,
        db_index=False,
    )

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "发放"
        ordering = ["file", "number"]
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="payment_number_once"),
            models.UniqueConstraint(fields=["award", "attempt"], name="payment_attempt_once"),
            # At most one attempt is out or has succeeded: nobody is paid twice, and a failure is re-issued once at a time.
            models.UniqueConstraint(
                fields=["award"], condition=Q(state__in=["sent", "paid"]), name="payment_one_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(reason=""), name="payment_failed_for_a_reason"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.file} {self.number}"


class LimitQuerySet(models.QuerySet["ApprovalLimit"]):
    def in_effect(self, programme_id: int) -> ApprovalLimit | None:
        """The programme's own limit, else the general one; of several the newest that has begun."""
        begun = self.filter(from_on__lte=timezone.localdate()).filter(Q(programme=programme_id) | Q(programme=None))
        return begun.order_by(F("programme").asc(nulls_last=True), "-from_on", "-id").first()


@pghistory.track()
class ApprovalLimit(models.Model):
    """From which amount on a batch needs a second approver."""

    programme = models.ForeignKey(
        "subsidies.Programme", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="项目",
        help_text="不选就是所有项目",
    )  # fmt: skip
    amount = models.DecimalField("达到多少元须二审", max_digits=14, decimal_places=2)
    from_on = models.DateField("起")

    objects = LimitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "二审金额"
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="approvallimit_above_zero")]

    def __str__(self) -> str:
        return f"{self.amount:,.2f} 元"
