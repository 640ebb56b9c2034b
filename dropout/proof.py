"""What people do about evidence 取证: record where a child studies and by what it is proved, review it, report who refuses.

Each is one transaction that leaves history with its reason, has the census round derived anew where the standing of the proof
changed, and tells the outbox.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pghistory
from django.db import transaction
from django.utils import timezone

from dropout.actions import CAUSE, refresh
from dropout.models import Evidence, EvidenceFile
from dropout.models.evidence import UNPROVABLE, EvidenceState, FileType, school_year_of
from dropout.pictures import FileRejected, cleaned
from eduaid.core import changes, codes, files, scanning
from eduaid.core.models import DataKey, User
from eduaid.core.preflight import FileRefused
from eduaid.core.roles import Right, may, today
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.sealing import Opener, Sealer, digest, new_data_key
from eduaid.core.text import has_unstorable, mask_phone, parse_phone, tidy
from eduaid.core.text.results import Problem
from eduaid.core.uploads import NotAllowed
from students import acts
from students.models import Student

SEALED_AS = b"evidence-phone"
"""The context under which the phone of a school or class teacher is sealed."""

MOST_FILES = 6


class CannotRecord(Exception):
    """Something is missing or does not fit; the sentence says what, `field` names where."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class NotPossible(Exception):
    """It is no longer in the state that the page showed."""


@dataclass(frozen=True)
class Where:
    """Where a child goes to school, down to the class."""

    province: str = ""
    city: str = ""
    county: str = ""
    town: str = ""
    school: str = ""
    grade: str = ""
    class_name: str = ""


@dataclass(frozen=True)
class Proof:
    """What somebody found out: where, by what kind of proof, of which day, and whom to ask there."""

    where: Where
    kind: str
    proved_on: dt.date | None
    contact: str = ""
    phone: str = ""
    note: str = ""


_WHERE = (
    ("county", "县（市、区）", 30),
    ("school", "学校", 60),
    ("grade", "年级", 2),
    ("class_name", "班级", 20),
)


def checked(proof: Proof, *, on: dt.date) -> Proof:
    """The same, complete and tidied; raises CannotRecord for what is missing or does not fit."""
    where = Where(**{name: tidy(value) for name, value in vars(proof.where).items()})
    for name, label, _ in _WHERE:
        if not getattr(where, name):
            raise CannotRecord(
                name, f"请填写「{label}」。取证须写到省、市、县、学校、年级、班级；班级不清楚的，请向学校问清。"
            )
    if where.grade not in codes.GRADE:
        raise CannotRecord("grade", "「年级」不在年级表中，请重新选择。")
    if proof.kind not in codes.EVIDENCE_KIND:
        raise CannotRecord("kind", "请选择「取证方式」，按这名学生的情况选一种，不要求照片。")
    if proof.proved_on is None:
        raise CannotRecord("proved_on", "请填写「证明日期」，即开具证明或核实的那一天。")
    if proof.proved_on > on:
        raise CannotRecord("proved_on", f"「证明日期」{proof.proved_on}晚于今天。请改为开具证明或核实的那一天。")
    if proof.proved_on < dt.date(school_year_of(on), 7, 1):
        raise CannotRecord(
            "proved_on",
            f"「证明日期」{proof.proved_on}早于本学年。去年的证明不能证明今年在读，请取得{school_year_of(on)}年7月1日以后的证明。",
        )
    note, contact = tidy(proof.note)[:200], tidy(proof.contact)[:30]
    if proof.kind == "E9" and not note:
        raise CannotRecord("note", "「取证方式」选“其他证明”的，请在「备注」写明是什么证明。")
    for name, text in (*vars(where).items(), ("note", note), ("contact", contact)):
        if has_unstorable(text):
            raise CannotRecord(name, "含有无法保存的字符（多为乱码）。请重新输入。")
    phone = ""
    if proof.phone.strip():
        answer = parse_phone(proof.phone)
        if isinstance(answer, Problem):
            raise CannotRecord("phone", f"「联系电话」{answer.sentence}。")
        phone = answer.value if answer else ""
    limited = {name: value[:limit] for name, value, limit in _limited(where)}
    return Proof(Where(**limited), proof.kind, proof.proved_on, contact, phone, note)


def _limited(where: Where) -> list[tuple[str, str, int]]:
    limits = {"province": 20, "city": 20, "county": 30, "town": 30, "school": 60, "grade": 2, "class_name": 20}
    return [(name, getattr(where, name), limit) for name, limit in limits.items()]


# --- recording ------------------------------------------------------------------------------------------------


@transaction.atomic
def record(student: Student, proof: Proof, *, by: User, pictures: Sequence[bytes] = ()) -> Evidence:
    """Writes down where the child studies this school year; a second person then looks at it.

    What was recorded and not yet accepted, returned, or given up as refused or unreachable is replaced by this.
    Raises NotAllowed, CannotRecord, FileRejected, NotPossible (accepted already).
    """
    _may_record(student, by)
    proof = checked(proof, on=today())
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="登记取证"):
        student = Student.objects.select_for_update().get(pk=student.pk)
        one = _standing(student) or Evidence(
            student=student,
            school_year=school_year_of(today()),
            town_id=student.hukou_town_id or student.school_town_id,
            school_id=student.school_id,
        )
        if one.state == EvidenceState.ACCEPTED:
            raise NotPossible("这名学生本学年的取证已经审核通过。要改的，请先由县局退回。")
        _write(one, proof, student, by=by)
        _keep_files(one, pictures, by=by)
    return one


@transaction.atomic
def correct(evidence: Evidence, proof: Proof, *, by: User, pictures: Sequence[bytes] = ()) -> Evidence:
    """Puts right what was recorded or returned; it waits for its review again. Raises as `record` does."""
    _may_record(evidence.student, by)
    if not evidence.in_charge(Scope.of(by)):
        raise NotAllowed("这条取证由登记的一方负责，请联系他们或县局改正。")
    proof = checked(proof, on=today())
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="改正取证"):
        one = _held(evidence, but=(EvidenceState.ACCEPTED, EvidenceState.WITHDRAWN))
        _write(one, proof, Student.objects.select_for_update().get(pk=one.student_id), by=by)
        _keep_files(one, pictures, by=by)
    return one


@transaction.atomic
def withdraw(evidence: Evidence, *, by: User, reason: str) -> None:
    """Takes a record back that was made of the wrong child; an accepted one only the bureau takes back.

    Raises NotAllowed, CannotRecord, NotPossible.
    """
    _may_record(evidence.student, by)
    reason = _said(reason, "请填写「撤回原因」。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        one = _held(evidence, but=(EvidenceState.WITHDRAWN,))
        was_accepted = one.state == EvidenceState.ACCEPTED
        if was_accepted and not may(by, Right.VERIFY):
            raise NotAllowed("审核通过的取证由县局控辍保学专干撤回。请与他们联系。")
        if not one.in_charge(Scope.of(by)):
            raise NotAllowed("这条取证由登记的一方负责，请联系他们或县局撤回。")
        one.state, one.reason = EvidenceState.WITHDRAWN, reason
        one.save(update_fields=["state", "reason"])
        if was_accepted:
            _follow(one)


@transaction.atomic
def give_up(student: Student, *, state: str, reason: str, by: User) -> Evidence:
    """Notes that the family refuses (REFUSED) or cannot be reached (UNREACHABLE), and why; to be reported to the township.

    Raises NotAllowed, CannotRecord, NotPossible (a proof stands).
    """
    _may_record(student, by)
    if state not in UNPROVABLE:
        raise CannotRecord("state", "请选择“拒不提供”或“无法联系”。")
    reason = _said(reason, "请写明经过，如何时、用什么方式联系了谁，对方怎么说。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        student = Student.objects.select_for_update().get(pk=student.pk)
        one = _standing(student) or Evidence(
            student=student,
            school_year=school_year_of(today()),
            town_id=student.hukou_town_id or student.school_town_id,
            school_id=student.school_id,
        )
        if one.state in (EvidenceState.ACCEPTED, EvidenceState.RECORDED) and one.pk:
            raise NotPossible(f"这名学生本学年已有取证（{one.get_state_display()}）。请先撤回它，再登记。")
        one.state, one.reason = state, reason
        one.verified_by, one.verified_at = by, timezone.now()
        one.reviewed_by = one.reviewed_at = None
        one.save()
    return one


@transaction.atomic
def report_to_town(evidence: Evidence, *, office: str, on: dt.date, by: User) -> None:
    """Notes that a child without proof was reported to the township government. Raises NotAllowed, CannotRecord, NotPossible."""
    _may_record(evidence.student, by)
    office = tidy(office)[:60]
    if not office:
        raise CannotRecord("office", "请填写「报告单位」，如“水口镇人民政府”。")
    if on > today():
        raise CannotRecord("on", f"「报告日期」{on}晚于今天。请改为书面报告的那一天。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="报告镇政府"):
        one = _held(evidence)
        if one.state not in UNPROVABLE:
            raise NotPossible("只有拒不提供或无法联系的才需要报告镇政府；这条的状态已经变了，请刷新页面。")
        one.reported_to, one.reported_on, one.reported_by = office, on, by
        one.save(update_fields=["reported_to", "reported_on", "reported_by"])


def _write(one: Evidence, proof: Proof, student: Student, *, by: User) -> None:
    where = proof.where
    one.at_province, one.at_city, one.at_county, one.at_town = where.province, where.city, where.county, where.town
    one.at_school, one.at_grade, one.at_class = where.school, where.grade, where.class_name
    one.kind, one.proved_on, one.contact, one.note = proof.kind, proof.proved_on, proof.contact, proof.note
    if proof.phone:
        one.phone_sealed = Sealer(_key_of(student)).seal(proof.phone.encode(), SEALED_AS)
        one.phone_masked = mask_phone(proof.phone)[:60]
    one.state, one.reason = EvidenceState.RECORDED, ""
    one.verified_by, one.verified_at = by, timezone.now()
    one.reviewed_by = one.reviewed_at = None
    one.save()


# --- reviewing ------------------------------------------------------------------------------------------------


@transaction.atomic
def accept(evidence: Evidence, *, by: User) -> None:
    """A second person finds the proof good: the child counts as proved. Raises NotAllowed, NotPossible."""
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="审核通过"):
        one = _reviewed(evidence, by=by)
        one.state = EvidenceState.ACCEPTED
        one.save(update_fields=["state", "reviewed_by", "reviewed_at"])
        _follow(one)


@transaction.atomic
def send_back(evidence: Evidence, *, by: User, reason: str) -> None:
    """A second person says what is missing, also of one accepted before. Raises NotAllowed, CannotRecord, NotPossible."""
    reason = _said(reason, "请填写「退回原因」，写明缺什么、怎么补。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        one = _reviewed(evidence, by=by, also=EvidenceState.ACCEPTED)
        was_accepted = one.state == EvidenceState.ACCEPTED
        one.state, one.reason = EvidenceState.RETURNED, reason
        one.save(update_fields=["state", "reason", "reviewed_by", "reviewed_at"])
        if was_accepted:
            _follow(one)


def _reviewed(evidence: Evidence, *, by: User, also: str = "") -> Evidence:
    if not may(by, Right.VERIFY):
        raise NotAllowed("取证由县局控辍保学专干审核。请与他们联系。")
    one = _held(evidence)
    if one.state not in (EvidenceState.RECORDED, also):
        raise NotPossible(f"这条取证现在是“{one.get_state_display()}”，可能刚由别人处理。请看下一条。")
    if one.verified_by_id == by.pk:
        raise NotAllowed("这条取证是您自己登记的，须由另一人审核。")
    one.reviewed_by, one.reviewed_at = by, timezone.now()
    return one


# --- files and phone ------------------------------------------------------------------------------------------


@transaction.atomic
def remove_file(file: EvidenceFile, *, by: User) -> None:
    """Takes a file that does not belong there out of sight; it stays sealed. Raises NotAllowed, NotPossible."""
    _may_record(file.evidence.student, by)
    if not file.evidence.in_charge(Scope.of(by)):
        raise NotAllowed("材料由登记的一方管理。请联系他们或县局。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="移除材料"):
        _held(file.evidence, but=(EvidenceState.ACCEPTED, EvidenceState.WITHDRAWN))
        file.removed_at = timezone.now()
        file.save(update_fields=["removed_at"])


def _keep_files(one: Evidence, pictures: Sequence[bytes], *, by: User) -> None:
    there = {bytes(mark) for mark in one.files.filter(removed_at=None).values_list("digest", flat=True)}
    if len(there) + len(pictures) > MOST_FILES:
        raise CannotRecord("pictures", f"每条取证最多 {MOST_FILES} 个文件。请只留能说明问题的。")
    stored: list[str] = []
    try:
        for data in pictures:
            kept = cleaned(data)
            mark = digest("evidence-file", kept.data.hex())
            if mark in there:
                continue
            if scanning.is_configured():
                scanning.scan(data)
            stored.append(files.store(kept.data, _key_of(one.student)))
            EvidenceFile.objects.create(
                evidence=one,
                type=FileType(kept.type),
                stored_as=stored[-1],
                size=len(kept.data),
                digest=mark,
                added_by=by,
            )
            there.add(mark)
    except FileRejected as refusal:
        _forget(stored)
        raise CannotRecord("pictures", str(refusal)) from refusal
    except FileRefused as refusal:
        _forget(stored)
        raise CannotRecord("pictures", f"{refusal.sentence}。") from refusal
    except files.NotStored as refusal:
        _forget(stored)
        raise CannotRecord("pictures", "服务器存不下这个文件，没有保存。请稍后再试，并告诉系统管理员。") from refusal


def _forget(stored: Sequence[str]) -> None:
    for name in stored:
        files.forget(name)


def phone_of(one: Evidence) -> str:
    """The phone in full. Raises sealing.Unreadable; empty where none was given."""
    return Opener().open(one.phone_sealed, SEALED_AS).decode() if one.phone_sealed else ""


def _key_of(student: Student) -> DataKey:
    """The child's own key, made with the first act that needs it."""
    if student.key is None:
        student.key = new_data_key("child")
        student.save(update_fields=["key"])
    return student.key


# --- shared ---------------------------------------------------------------------------------------------------


def _may_record(student: Student, by: User) -> None:
    if not may(by, Right.CARE):
        raise NotAllowed("取证由乡镇中心校、学校、包保教师和县局登记。请把您知道的情况告诉他们。")
    if not Student.objects.within(Scope.of(by)).filter(pk=student.pk).exists():
        raise NotAllowed("这名学生不在您的管理范围内。")


def _said(text: str, ask: str) -> str:
    text = tidy(text)[:200]
    if not text:
        raise CannotRecord("reason", ask)
    return text


def _standing(student: Student) -> Evidence | None:
    found = Evidence.objects.standing().of_year(school_year_of(today())).filter(student=student)
    return found.select_for_update(of=("self",)).select_related("student").first()


def _held(evidence: Evidence, *, but: Sequence[str] = ()) -> Evidence:
    one = Evidence.objects.select_for_update(of=("self",)).select_related("student").get(pk=evidence.pk)
    if one.state in but:
        raise NotPossible(f"这条取证现在是“{one.get_state_display()}”，不能这样办理。请刷新页面。")
    return one


def _follow(one: Evidence) -> None:
    """The round counts the child as proved, or no longer."""
    refresh([one.student_id])
    changes.record(cause=CAUSE, students=[one.student_id])


def _holding(students: Collection[int]) -> set[int]:
    found = Evidence.objects.standing().filter(student__in=students)
    return set(found.values_list("student_id", flat=True))


acts.register(_holding)
