"""Acts on programmes and standards: add, end, withdraw. What was paid under a standard keeps its row."""

from __future__ import annotations

from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from eduaid.core import changes
from eduaid.core.models import User
from eduaid.core.models.places import Stage
from subsidies import entitlement
from subsidies.models import Entitlement, Programme, Standard
from subsidies.models.programmes import Boarding, Counting, Per, Who, term_label


class StandardRefused(Exception):
    """A standard cannot be added, ended or withdrawn; the sentence says why and what to do."""


class ProgrammeRefused(Exception):
    """A programme cannot be added; the sentence says why and what to do."""


def _recompute() -> None:
    """The running term's entitlements are computed anew; past terms stay as they were computed."""
    changes.record(cause=entitlement.STANDARDS, students=[])


@transaction.atomic
def add_programme(
    *, name: str, stages: list[str], who: Who, counting: Counting, basis: str, note: str = "", by: User
) -> Programme:
    """A programme of the county's own. Raises ProgrammeRefused where one of that name is there."""
    if Programme.objects.filter(name=name).exists():
        raise ProgrammeRefused(
            f"已有名为“{name}”的项目。如要调整金额，请在该项目下增加标准；确是另一项目，请换一个名称。"
        )
    last = Programme.objects.filter(is_local=True).order_by("-id").first()
    return Programme.objects.create(
        key=f"local-{(last.pk if last else 0) + 1}",
        name=name,
        stages=stages,
        who=who,
        counting=counting,
        basis=basis,
        note=note,
        is_local=True,
        rank=800,
        added_by=by,
    )


@transaction.atomic
def add_standard(
    programme: Programme,
    *,
    stage: Stage,
    amount: Decimal,
    document: str,
    from_term: int,
    until_term: int | None = None,
    per: Per = Per.TERM,
    boarding: Boarding = Boarding.ANY,
    tier: str = "",
    group: str = "",
    note: str = "",
    is_confirmed: bool = True,
    by: User,
) -> Standard:
    """Adds a standard; the one for the same children that is still open ends with the term before. Raises StandardRefused
    where an ended one reaches into its time, or the programme is not for the stage."""
    if stage not in programme.stages:
        raise StandardRefused(f"“{programme}”不含{stage.label}学段。请选{programme.stages_label}，或另设项目。")
    same = programme.standards.filter(stage=stage, boarding=boarding, tier=tier, group=group)
    open_one = same.filter(until_term=None, from_term__lt=from_term).first()
    if open_one is not None:
        end_standard(open_one, until_term=from_term - 1, by=by)
    try:
        with transaction.atomic():
            standard = Standard.objects.create(
                programme=programme,
                stage=stage,
                amount=amount,
                document=document,
                from_term=from_term,
                until_term=until_term,
                per=per,
                boarding=boarding,
                tier=tier,
                group=group,
                note=note,
                is_confirmed=is_confirmed,
                added_by=by,
            )
    except IntegrityError as error:
        if "standard_one_at_a_time" not in str(error):
            raise
        raise StandardRefused(
            f"{term_label(from_term)}起已有同一学段、就读方式、等级、类别的标准。请先把原标准的止期改到它之前，再增加新标准。"
        ) from error
    _recompute()
    return standard


@transaction.atomic
def end_standard(standard: Standard, *, until_term: int, by: User) -> None:
    """The standard holds up to and with that term. Lists that were made under it in later terms keep it, and what they would
    hold now waits beside them (`Entitlement.pending`)."""
    if until_term < standard.from_term:
        raise StandardRefused(
            f"止于{term_label(until_term)}，早于起始的{standard.from_label}。如这条标准录错、从未使用，请用“撤回标准”。"
        )
    Standard.objects.filter(pk=standard.pk).update(until_term=until_term)
    _recompute()


@transaction.atomic
def withdraw_standard(standard: Standard, *, by: User) -> None:
    """Takes away a standard under which no list was made; entitlements computed from it go too and are computed anew."""
    if standard.entitlements.exclude(listed_at=None).exists():
        raise StandardRefused("已按这条标准做过名单，不能撤回。请改用“结束”，给它写上止期，再增加新标准。")
    Entitlement.objects.filter(standard=standard).delete()
    try:
        standard.delete()
    except ProtectedError as error:
        raise StandardRefused("这条标准已被发放记录使用，不能撤回。请改用“结束”，给它写上止期。") from error
    _recompute()


@transaction.atomic
def confirm_standard(standard: Standard, *, by: User) -> None:
    """Somebody has seen the document: amount and terms are right."""
    Standard.objects.filter(pk=standard.pk).update(is_confirmed=True)
