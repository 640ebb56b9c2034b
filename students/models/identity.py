"""Identity: which row speaks of which child, by which numbers a child is known, and what the bureau corrected."""

from __future__ import annotations

from typing import Self

import pghistory
from django.db import models
from django.db.models import Q
from django.utils import timezone

from students.precedence import BY_KEY


class LinkRule(models.TextChoices):
    ID_NUMBER = "id", "证件号与姓名一致"
    REGISTRY_NUMBER = "registry", "学籍号与姓名一致"
    KEY = "key", "预填表的行标识与姓名一致"
    NAME_AND_BIRTH = "name-birth", "姓名、出生日期一致（均无有效证件号）"
    NEW = "new", "首次出现"
    PERSON = "person", "人工认定"


# Links are made by the hundred thousand; only what people change about them is history.
@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class IdentityLink(models.Model):
    """A row of a list speaks of this child. Made by the engine or a person, with its reason."""

    row = models.OneToOneField(
        "core.UploadRow", models.PROTECT, primary_key=True, related_name="link", verbose_name="名单行"
    )
    student = models.ForeignKey("students.Student", models.PROTECT, related_name="links", verbose_name="学生")
    rule = models.CharField("依据", max_length=10, choices=LinkRule.choices)
    made_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="认定人", db_index=False
    )
    made_at = models.DateTimeField("时间", default=timezone.now)


class Identifier(models.Model):
    """A number by which a child is or was known, as a keyed digest. One number names one child."""

    ID_NUMBER, REGISTRY_NUMBER = "id", "registry"

    kind = models.CharField(max_length=10)
    digest = models.BinaryField()
    student = models.ForeignKey("students.Student", models.PROTECT, related_name="identifiers")
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "digest"], name="identifier_names_one_child")]


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def holding(self) -> Self:
        return self.filter(revoked_at=None)

    def contested(self) -> Self:
        """Corrections that a later list contradicts with a third value: a person has to decide."""
        return self.holding().exclude(contested_by=None)


@pghistory.track()
class Correction(models.Model):
    """The bureau says otherwise than the lists. It remembers the value that it replaced: it holds while the lists still say
    that or the corrected value; a third value in a later list is put to a person (`contested_by`), never swallowed.

    `values` and `replaced`: resolved column → value as text. An ID number stands there as digests; its text lies in `sealed`.
    """

    student = models.ForeignKey("students.Student", models.PROTECT, related_name="corrections", verbose_name="学生")
    concept = models.CharField("更正项", max_length=20)
    values = models.JSONField("更正为")
    replaced = models.JSONField("名单原值")
    sealed = models.BinaryField(null=True, editable=False)
    reason = models.CharField("原因", max_length=200)
    made_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="更正人")
    made_at = models.DateTimeField("更正时间", default=timezone.now)
    revoked_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="撤销人"
    )
    revoked_at = models.DateTimeField("撤销时间", null=True, blank=True)
    contested_by = models.JSONField("新名单的值", null=True, blank=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "更正"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["student", "concept"], condition=Q(revoked_at=None), name="correction_one_a_concept"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="correction_has_a_reason"),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by=None) | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="correction_revoked_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student}：{BY_KEY[self.concept].label}更正"
