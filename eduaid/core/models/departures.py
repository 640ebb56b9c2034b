"""Where somebody is whom the last list in force names and the next complete list does not (去向)."""

from __future__ import annotations

from typing import Self

import pghistory
from django.db import models
from django.utils import timezone

PENDING = "Z"
"""待核: not known yet. Allowed at submission; stays an open matter."""


class DepartureQuerySet(models.QuerySet["Departure"]):
    def unsaid(self) -> Self:
        return self.filter(code="")

    def pending(self) -> Self:
        """Open matters: in lists that took force, nobody knows yet where they are."""
        return self.filter(code=PENDING, upload__applied_at__isnull=False, upload__undone_at=None)


# Made by the thousand when a list is read; what people say about them is history.
@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Departure(models.Model):
    """One missing row of a list: what other lists propose, and the sender's word, given before the list is submitted and kept
    with it from then on.

    `row` belongs to the older list. `code` is one that the kind of list allows (`ListKind.departures`) or 待核; empty: nothing
    said yet. `basis` is the reason of the proposal as a sentence. `by` is empty where the program noted 待核 itself.
    """

    upload = models.ForeignKey("core.Upload", models.PROTECT, related_name="departures", db_index=False)
    row = models.ForeignKey("core.UploadRow", models.PROTECT, related_name="departures")
    # Copies of the row's place, for row security.
    town = models.ForeignKey(
        "core.Region", models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    school = models.ForeignKey(
        "core.School", models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    code = models.CharField("去向", max_length=4, default="", blank=True)
    note = models.CharField("备注", max_length=120, default="", blank=True)
    proposed = models.CharField("建议", max_length=4, default="", blank=True)
    proposed_school = models.ForeignKey(
        "core.School", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="建议的学校"
    )
    basis = models.CharField("依据", max_length=200, default="", blank=True)
    is_certain = models.BooleanField("建议确定", default=False)
    by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="填写人"
    )
    at = models.DateTimeField("填写时间", default=timezone.now)

    objects = DepartureQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "去向"
        constraints = [models.UniqueConstraint(fields=["upload", "row"], name="departure_once_a_missing_row")]
        indexes = [models.Index(fields=["upload", "code"], name="departure_said")]

    def __str__(self) -> str:
        return f"{self.upload}：{self.code}"
