"""Letters 协查函 to the bureaus of other counties: write one about children said to study there, note what is answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pghistory
from django.db import connection, transaction

from dropout.models import Evidence, InquiredChild, InquiryLetter
from dropout.models.evidence import EvidenceState, school_year_of
from dropout.models.letters import Answer
from eduaid.core import access
from eduaid.core.models import User
from eduaid.core.models.access import Action
from eduaid.core.roles import Right, may, today
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.text import tidy
from eduaid.core.uploads import NotAllowed


class CannotWrite(Exception):
    """The letter lacks something; `field` names what to fill in."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def to_ask_about(place: str = "") -> list[Evidence]:
    """This school year's records of children outside the county without an accepted proof and not asked about yet, by place.

    `place`: 省市县 in one word, as `place_of` says it.
    """
    found = (
        Evidence.objects.of_year(school_year_of(today()))
        .filter(state__in=[EvidenceState.RECORDED, EvidenceState.RETURNED, EvidenceState.UNREACHABLE, EvidenceState.REFUSED])
        .exclude(at_county="")
        .exclude(student__inquiries__letter__year__gte=school_year_of(today()), student__inquiries__answer="")
        .select_related("student", "student__hukou_town")
        .order_by("at_province", "at_city", "at_county", "student_id")
    )  # fmt: skip
    return [one for one in found if not place or place_of(one) == place]


def place_of(one: Evidence) -> str:
    return "".join(dict.fromkeys(filter(None, (one.at_province, one.at_city, one.at_county))))


@transaction.atomic
def write(
    evidence: Collection[Evidence], *, to_office: str, reply_by: dt.date, full_numbers: bool, by: User
) -> InquiryLetter:
    """Writes one letter about children of one place, with the next number of the year.

    Raises NotAllowed, CannotWrite. Full numbers are noted in the access log with everybody whom they concern.
    """
    _may_write(by)
    to_office = tidy(to_office)[:60]
    if not to_office:
        raise CannotWrite("to_office", "请填写「收函单位」，如“××县教育局”。")
    if reply_by <= today():
        raise CannotWrite("reply_by", f"「请求答复日期」{reply_by}不晚于今天。请给对方留出时间。")
    places = {place_of(one) for one in evidence}
    if len(places) != 1:
        raise CannotWrite("children", "一份函只写给一个县。请只选同一个县的学生。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="拟协查函"):
        with connection.cursor() as cursor:  # one after the other, so that numbers have no gaps and no twins
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('dropout_inquiryletter'))")
        year = today().year
        last = InquiryLetter.objects.filter(year=year).order_by("-number").first()
        letter = InquiryLetter.objects.create(
            year=year,
            number=last.number + 1 if last else 1,
            to_office=to_office,
            place=places.pop(),
            reply_by=reply_by,
            full_numbers=full_numbers,
            written_by=by,
        )
        InquiredChild.objects.bulk_create(
            InquiredChild(letter=letter, student_id=one.student_id, said=one.where[:200]) for one in evidence
        )
        if full_numbers:
            access.note(
                by=by,
                action=Action.EXPORT,
                subject_kind="inquiry-letter",
                subject_id=letter.pk,
                page=f"协查函{letter}",
                purpose=f"协查函写明完整证件号，致{to_office}"[:100],
                rows=len(evidence),
            )
    return letter


@transaction.atomic
def answer(child: InquiredChild, *, said: str, note: str = "", on: dt.date, by: User) -> None:
    """What the other bureau answered about a child. It proves nothing by itself: the reply is recorded as evidence.

    Raises NotAllowed, CannotWrite.
    """
    _may_write(by)
    if said not in Answer.values or not said:
        raise CannotWrite("answer", "请选择「答复」。")
    if on > today():
        raise CannotWrite("on", f"「答复日期」{on}晚于今天。请改为收到复函的那一天。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="登记复函"):
        held = InquiredChild.objects.select_for_update().get(pk=child.pk)
        held.answer, held.answer_note, held.answered_on, held.noted_by = said, tidy(note)[:200], on, by
        held.save(update_fields=["answer", "answer_note", "answered_on", "noted_by"])


def _may_write(by: User) -> None:
    if not may(by, Right.VERIFY):
        raise NotAllowed("协查函由县局控辍保学专干拟写和登记。请与他们联系。")
