"""Coverage both ways: who is entitled and not aided (漏), who is aided and should not be (错).

Each kind of gap is a queryset of entitlements or awards of a term, narrowed by place and scope elsewhere. An award counts from
its approval on, whether the bank has answered or not; entitlements that yield to another programme are no gap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from eduaid.core.models import Term
from students.models import Enrolment
from subsidies.models import Award, Entitlement, GapCheck
from subsidies.models.programmes import Who


def aided(term: Term) -> QuerySet[Any]:
    """Awards of the term that stand. Additional payments count with the award that they supplement."""
    return Award.objects.approved().filter(term=term, programme__is_loan=False)


def _same_award(term: Term) -> Exists:
    return Exists(aided(term).filter(student=OuterRef("student"), programme=OuterRef("programme")))


def _same_entitlement(term: Term) -> Exists:
    found = Entitlement.objects.standing().filter(
        term=term, student=OuterRef("student"), programme=OuterRef("programme")
    )
    return Exists(found)


def entitled(term: Term) -> QuerySet[Any]:
    return Entitlement.objects.standing().filter(term=term)


def covered(term: Term) -> QuerySet[Any]:
    """Entitlements for which the child has an award of the same programme and term."""
    return entitled(term).filter(_same_award(term))


def missed(term: Term) -> QuerySet[Any]:
    return entitled(term).filter(~_same_award(term))


def not_entitled(term: Term) -> QuerySet[Any]:
    """Awards under programmes whose beneficiaries the rule finds, of children whom it does not find."""
    by_rule = aided(term).exclude(programme__who=Who.LISTED)
    return by_rule.filter(~_same_entitlement(term), supplements=None)


def twice(term: Term) -> QuerySet[Any]:
    """Awards beside another one of the same child (merged files are one child), programme and term."""
    other = aided(term).filter(programme=OuterRef("programme"), supplements=None).exclude(pk=OuterRef("pk"))
    child = Q(student=OuterRef("student"))
    merged = Q(student__merged_into=OuterRef("student")) | Q(student=OuterRef("student__merged_into"))
    siblings = Q(student__merged_into=OuterRef("student__merged_into"), student__merged_into__isnull=False)
    return aided(term).filter(Exists(other.filter(child | merged | siblings)), supplements=None)


def gone(term: Term) -> QuerySet[Any]:
    """Awards of children who have no enrolment in the term: left, graduated, or dead. Programmes by list reach beyond
    enrolment (freshmen, university students), so these are looked at for programmes by rule only."""
    enrolled = Enrolment.objects.filter(term=term, student=OuterRef("student"))
    return aided(term).exclude(programme__who=Who.LISTED).filter(~Exists(enrolled))


def other_amount(term: Term) -> QuerySet[Any]:
    """Awards that differ from what the standard gives the child."""
    due = Entitlement.objects.standing().filter(term=term, student=OuterRef("student"), programme=OuterRef("programme"))
    return aided(term).filter(Exists(due.exclude(amount=OuterRef("amount"))), supplements=None)


def shared_card(term: Term) -> QuerySet[Any]:
    """Awards onto a bank card that serves children of several; often a parent's, which is right, to be looked at once."""
    cards = (
        aided(term)
        .exclude(card_digest=None)
        .order_by()
        .values("card_digest")
        .annotate(children=Count("student", distinct=True))
        .filter(children__gt=1)
    )
    return aided(term).filter(card_digest__in=cards.values("card_digest"))


def outside(term: Term) -> QuerySet[Any]:
    """Awards of children whose school lies outside the county: 就读地 pays, so another county's list may have them too."""
    elsewhere = Enrolment.objects.filter(term=term, student=OuterRef("student"), school__is_outside=True)
    return aided(term).exclude(programme__who=Who.LISTED).filter(Exists(elsewhere))


@dataclass(frozen=True)
class GapKind:
    key: str
    label: str
    definition: str
    rows: Callable[[Term], QuerySet[Any]]
    of_awards: bool = True

    def open(self, term: Term) -> QuerySet[Any]:
        """Without those that somebody has looked at and settled with a reason (已核实)."""
        return self.rows(term).filter(~Exists(self._checks(term).exclude(settled_at=None)))

    def handed_out(self, term: Term) -> QuerySet[Any]:
        return self.rows(term).filter(Exists(self._checks(term).filter(settled_at=None)))

    def _checks(self, term: Term) -> QuerySet[GapCheck]:
        return GapCheck.objects.filter(
            kind=self.key, term=term, student=OuterRef("student"), programme=OuterRef("programme")
        )


GAPS: tuple[GapKind, ...] = (
    GapKind("missed", "应助未助", "按标准应享受、本学期没有已审核发放记录的人次。", missed, of_awards=False),
    GapKind(
        "not-entitled", "不应助而助", "已审核发放、但按标准不应享受的人次（只看由程序推定对象的项目）。", not_entitled
    ),
    GapKind(
        "twice", "同项目同学期重复", "同一学生在同一项目、同一学期有两笔以上已审核发放的笔数（并档的按一人算）。", twice
    ),
    GapKind("gone", "已离校", "已审核发放、但本学期没有就读记录的人次（毕业、转出、死亡等）。", gone),
    GapKind("other-amount", "金额与标准不符", "发放金额与应享受金额不同的人次，补发的除外。", other_amount),
    GapKind("shared-card", "一卡多人", "同一银行卡发给几名学生的笔数；多为家长的卡，核实一次即可。", shared_card),
    GapKind("outside", "在县外就读", "已审核发放、但学籍在县外学校的人次，就读地可能也已发放。", outside),
)
GAP_KINDS = {kind.key: kind for kind in GAPS}

__all__ = ["GAPS", "GAP_KINDS", "GapKind", "aided", "covered", "entitled", "missed"]
