"""The double-entry ledger of aid money. The database keeps its promises whatever the code above it forgets
(migration 0003; docs/decisions): an entry's lines balance and are written at once, nothing is changed or taken away, no account of an
award falls below zero, no more leaves the fund than was approved, and a closed term takes no entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone

from eduaid.core.scope import Scope
from subsidies.money import DEEDS, LABELS, Deed, Place

if TYPE_CHECKING:
    from eduaid.core.models import User

PLACES = [(place.value, LABELS[place]) for place in Place]


class Account(models.Model):
    """One place where money of one programme can be."""

    programme = models.ForeignKey(
        "subsidies.Programme", models.PROTECT, related_name="accounts", verbose_name="项目", db_index=False
    )
    place = models.CharField("账户", max_length=9, choices=PLACES)

    class Meta:
        verbose_name = verbose_name_plural = "账户"
        constraints = [models.UniqueConstraint(fields=["programme", "place"], name="account_once_a_programme")]
        triggers = [
            pgtrigger.Protect(name="account_stays", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.programme} {self.get_place_display()}"


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        """Entries about awards that the scope sees."""
        if scope.county:
            return self
        from subsidies.models.batches import Award  # noqa: PLC0415  (batches.py names this module's tables)

        return self.filter(pk__in=Line.objects.filter(award__in=Award.objects.within(scope)).values("entry"))


class Entry(models.Model):
    """One act with money: two lines for each award that it concerns. Never changed; `reverses` names the entry that it mirrors."""

    deed = models.CharField("事项", max_length=8, choices=[(deed.value, DEEDS[deed]) for deed in Deed])
    programme = models.ForeignKey(
        "subsidies.Programme", models.PROTECT, related_name="+", verbose_name="项目", db_index=False
    )
    term = models.ForeignKey("core.Term", models.PROTECT, related_name="+", verbose_name="入账学期")
    batch = models.ForeignKey("subsidies.AidBatch", models.PROTECT, related_name="entries", verbose_name="批次")
    happened_on = models.DateField("发生日期")
    recorded_at = models.DateTimeField("入账时间", default=timezone.now, editable=False)
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="经手人", db_index=False)
    note = models.CharField("说明", max_length=200, default="", blank=True)
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="reversed_by", verbose_name="冲销的记账"
    )

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "记账"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(deed=Deed.REVERSE.value, reverses__isnull=False) & ~Q(note="")
                | ~Q(deed=Deed.REVERSE.value) & Q(reverses=None),
                name="entry_reversal_names_its_entry",
            ),
        ]
        triggers = [pgtrigger.Protect(name="entry_stays", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_deed_display()} {self.pk}"


class LineQuerySet(models.QuerySet["Line"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        if scope.county:
            return self
        from subsidies.models.batches import Award  # noqa: PLC0415  (batches.py names this module's tables)

        return self.filter(award__in=Award.objects.within(scope))

    def holdings(self, **of: object) -> dict[str, models.Value]:
        """Place → 元, summed over the lines asked for; empty accounts are absent."""
        sums = self.filter(**of).order_by().values_list("account__place").annotate(models.Sum("amount"))
        return {place: amount for place, amount in sums if amount}


class Line(models.Model):
    """Plus came into the account, minus left it, in 元."""

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="lines", verbose_name="记账")
    account = models.ForeignKey(Account, models.PROTECT, related_name="lines", verbose_name="账户", db_index=False)
    # Held by triggers, once a statement: eduaid.core.database.references.
    award = models.ForeignKey(
        "subsidies.Award", models.PROTECT, related_name="lines", verbose_name="资助", db_constraint=False
    )
    amount = models.DecimalField("金额（元）", max_digits=12, decimal_places=2)

    objects = LineQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "分录"
        constraints = [
            models.UniqueConstraint(fields=["entry", "award", "account"], name="line_once_an_entry"),
            models.CheckConstraint(condition=~Q(amount=0), name="line_moves_something"),
        ]
        triggers = [pgtrigger.Protect(name="line_stays", operation=pgtrigger.Update | pgtrigger.Delete)]


@pghistory.track()
class TermClosing(models.Model):
    """A term whose books are closed. What is found later is booked in the term in which it is found."""

    term = models.OneToOneField("core.Term", models.PROTECT, related_name="aid_closing", verbose_name="学期")
    closed_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="结账人")
    closed_at = models.DateTimeField("结账时间", default=timezone.now)
    note = models.CharField("说明", max_length=200, default="", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "学期结账"
        triggers = [pgtrigger.Protect(name="closing_stays", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.term}已结账"
