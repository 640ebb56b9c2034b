"""What the bureau does to a child's record: correct a value, revoke a correction, settle one that a list contradicts.

Each is one transaction that resolves the child anew, leaves history with its reason, and tells the outbox.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

import pghistory
from django.db import connection, transaction
from django.utils import timezone

from eduaid.core import changes, codes
from eduaid.core.models import Region, School, User
from eduaid.core.roles import Right, may, today
from eduaid.core.rows import id_digest
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.sealing import Sealer, new_data_key
from eduaid.core.text import IdNumber, parse_id, parse_name
from eduaid.core.text.results import Parsed, Problem
from eduaid.core.uploads import NotAllowed
from students.facts import id_facts, name_facts
from students.models import Correction, Identifier, IdentityLink, Student
from students.models.people import Sex
from students.precedence import BY_KEY
from students.resolve import resolve, take_turn
from students.wording import as_text

SEALED_AS = b"correction"
"""The context under which a correction's ID number is sealed."""


class CannotCorrect(Exception):
    """The correction cannot be made; the sentence says what to do instead. `concept` names the field."""

    def __init__(self, concept: str, sentence: str) -> None:
        super().__init__(sentence)
        self.concept = concept


class NotPossible(Exception):
    """The correction is no longer in the state that the page showed."""


Values = dict[str, str | None]


# --- what a correction may say --------------------------------------------------------------------------------


def prepared(concept: str, values: Mapping[str, object]) -> Values:
    """The concept's resolved columns as text, from what somebody entered; raises CannotCorrect.

    Entered are the columns themselves (a school, township or village by its id), of a name `name`, of an ID number
    `id_number` and `id_type`; an empty value says that there is none.
    """
    if concept not in _PREPARERS or not BY_KEY[concept].correctable:
        raise CannotCorrect(concept, "这一项不能更正，只随名单变化。")
    return _PREPARERS[concept](values)


def _name(values: Mapping[str, object]) -> Values:
    return {column: as_text(value) for column, value in name_facts(_person("name", values["name"])).items()}


def _person(concept: str, entered: object) -> str:
    match parse_name(str(entered or "")):
        case Parsed(name):
            return name
        case Problem() as problem:
            raise CannotCorrect(concept, f"『{BY_KEY[concept].label}』{problem.sentence}。")
    raise CannotCorrect(concept, f"请填写『{BY_KEY[concept].label}』。")


def _guardian(values: Mapping[str, object]) -> Values:
    return {"guardian": _person("guardian", values["guardian"]) if values["guardian"] else None}


def _sex(values: Mapping[str, object]) -> Values:
    if values["sex"] not in Sex.values:
        raise CannotCorrect("sex", "请选择『性别』。")
    return {"sex": as_text(values["sex"])}


def _birth(values: Mapping[str, object]) -> Values:
    day = values["birth_on"]
    if not isinstance(day, dt.date):
        raise CannotCorrect("birth", "请填写『出生日期』，如 2012-09-01。")
    if day > today():
        raise CannotCorrect("birth", "『出生日期』晚于今天。请核对。")
    return {"birth_on": as_text(day)}


def id_number(values: Mapping[str, object]) -> IdNumber:
    """The ID number that was entered, checked; raises CannotCorrect without repeating it."""
    match parse_id(str(values["id_number"] or ""), str(values.get("id_type") or "1")):
        case Parsed(number):
            return number
        case Problem() as problem:
            raise CannotCorrect("id", f"『证件号码』{problem.sentence}。")
    raise CannotCorrect("id", "请填写『证件号码』。")


def _id(values: Mapping[str, object]) -> Values:
    number = id_number(values)
    facts = {column: as_text(value) for column, value in id_facts(number).items()}
    return facts | {"id_digest": id_digest(number).hex()}


def _hukou(values: Mapping[str, Any]) -> Values:
    town, village, outside = (
        values.get("hukou_town_id"),
        values.get("hukou_village_id"),
        bool(values.get("hukou_outside")),
    )
    if outside and (town or village):
        raise CannotCorrect("hukou", "县外户籍不再填写本县的乡镇和村。请清空乡镇和村，或取消“县外户籍”。")
    if not outside and not town:
        raise CannotCorrect("hukou", "请选择户籍所在的乡镇；户籍在县外的，请勾选“县外户籍”。")
    if village and not Region.objects.filter(pk=village, parent=town).exists():
        raise CannotCorrect("hukou", "所选的村不在所选的乡镇。请重新选择。")
    return {
        "hukou_town_id": as_text(town),
        "hukou_village_id": as_text(village),
        "hukou_outside": as_text(outside),
    }


def _schooling(values: Mapping[str, Any]) -> Values:
    pk, grade = values.get("school_id"), values.get("grade")
    if not pk:
        raise CannotCorrect("schooling", "请选择『就读学校』。不再就读的，不在这里更正，由下一份名册反映。")
    school = School.objects.get(pk=pk)
    if grade and grade not in codes.GRADE:
        raise CannotCorrect("schooling", "『年级』不在年级表中，请重新选择。")
    if grade and school.stages and str(grade)[:1] not in school.stages:
        raise CannotCorrect("schooling", f"“{school.name}”没有这个学段。请核对学校或年级。")
    return {
        "school_id": as_text(school.pk),
        "school_town_id": as_text(school.town_id),
        "grade": as_text(grade),
        "class_name": as_text(values.get("class_name")),
    }


def _flag(concept: str) -> Callable[[Mapping[str, object]], Values]:
    column = BY_KEY[concept].says

    def prepare(values: Mapping[str, object]) -> Values:
        return {column: as_text(values[column])}

    return prepare


def _code(concept: str, table: codes.Table) -> Callable[[Mapping[str, object]], Values]:
    column = BY_KEY[concept].says

    def prepare(values: Mapping[str, object]) -> Values:
        if values[column] and values[column] not in table:
            raise CannotCorrect(concept, f"『{BY_KEY[concept].label}』不在代码表中，请重新选择。")
        return {column: as_text(values[column])}

    return prepare


_PREPARERS: dict[str, Callable[[Mapping[str, object]], Values]] = {
    "name": _name,
    "sex": _sex,
    "birth": _birth,
    "id": _id,
    "ethnicity": _code("ethnicity", codes.ETHNIC),
    "hukou": _hukou,
    "schooling": _schooling,
    "boarding": _flag("boarding"),
    "left-behind": _code("left-behind", codes.LEFT_BEHIND),
    "migrant": _flag("migrant"),
    "orphan": _flag("orphan"),
    "disability": _code("disability", codes.DISABILITY),
    "guardian": _guardian,
}


# --- the acts -------------------------------------------------------------------------------------------------


@transaction.atomic
def correct(student: Student, *, concept: str, values: Mapping[str, object], by: User, reason: str) -> Correction:
    """Lays a value over what the lists say, until a list says a third thing. `values` as in `prepared`.

    An earlier correction of the same concept gives way to this one. By a corrected ID number lists find the child from
    now on. Raises NotAllowed, CannotCorrect.
    """
    return _lay_over(student, concept=concept, values=values, by=by, reason=_checked(by, concept, reason))


@transaction.atomic
def adopt(student: Student, *, concept: str, values: Mapping[str, object], by: User, reason: str) -> Correction:
    """Lays over what the lists say a value that one of them says itself: whoever compares lists may pick between them, and
    say nothing of their own (`students.identity` takes `values` from the list's row). Raises NotAllowed, CannotCorrect."""
    if not may(by, Right.MATCH):
        raise NotAllowed("比对由乡镇负责人和县局控辍保学、数据管理人员办理。")
    return _lay_over(student, concept=concept, values=values, by=by, reason=reason)


@transaction.atomic
def take_back(correction: Correction, *, by: User, reason: str) -> None:
    """Ends a correction that came from comparing lists; one that is ended already stays so. Raises NotAllowed."""
    if not may(by, Right.MATCH):
        raise NotAllowed("比对由乡镇负责人和县局控辍保学、数据管理人员办理。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        student = _locked(correction.student)
        held = Correction.objects.select_for_update().get(pk=correction.pk)
        if held.revoked_at is None:
            _end(held, by=by)
            _resolve(student, cause="corrected")


def _lay_over(student: Student, *, concept: str, values: Mapping[str, object], by: User, reason: str) -> Correction:
    wanted = prepared(concept, values)
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        student = _locked(student)
        if student.merged_into_id is not None:
            raise CannotCorrect(concept, "这份档案已并入另一份，请在那一份上更正。")
        earlier = Correction.objects.select_for_update().holding().filter(student=student, concept=concept).first()
        listed = _listed(student, concept)
        if wanted == (earlier.values if earlier else listed):
            raise CannotCorrect(concept, f"『{BY_KEY[concept].label}』现在就是这个值，不用更正。")
        if earlier and wanted == listed:
            raise CannotCorrect(concept, f"『{BY_KEY[concept].label}』与名单一致。请撤销原来的更正，不必再更正一次。")
        if earlier:
            _end(earlier, by=by)
        sealed = None
        if concept == "id":
            number = id_number(values)
            if not number_is_known(student, number):
                Identifier.objects.create(kind=Identifier.ID_NUMBER, digest=id_digest(number), student=student)
            sealed = _seal(student, number)
        correction = Correction.objects.create(
            student=student, concept=concept, values=wanted, replaced=listed, sealed=sealed, reason=reason, made_by=by
        )
        _resolve(student, cause="corrected")
    return correction


@transaction.atomic
def revoke(correction: Correction, *, by: User, reason: str) -> None:
    """Takes a correction back: the lists' value shows again. Raises NotAllowed, NotPossible."""
    reason = _checked(by, correction.concept, reason)
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        student = _locked(correction.student)
        _end(_holding(correction), by=by)
        _resolve(student, cause="corrected")


@transaction.atomic
def decide(correction: Correction, *, keep: bool, by: User, reason: str) -> None:
    """Settles a correction that a list contradicts with a third value: `keep` it over that one too, or give way.

    Raises NotAllowed, NotPossible (somebody else was first).
    """
    reason = _checked(by, correction.concept, reason)
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        student = _locked(correction.student)
        correction = _holding(correction)
        if correction.contested_by is None:
            raise NotPossible("这条更正与名单已没有矛盾，可能刚由别人处理。请刷新页面。")
        if keep:
            correction.replaced, correction.contested_by = correction.contested_by, None
            correction.save(update_fields=["replaced", "contested_by"])
        else:
            _end(correction, by=by)
        _resolve(student, cause="decided")


def _checked(by: User, concept: str, reason: str) -> str:
    if not may(by, Right.CORRECT):
        raise NotAllowed("更正由县局数据管理员办理。请把应更正的内容和依据告诉他们。")
    if not reason.strip():
        raise CannotCorrect(concept, "请填写『更正原因』，写明依据（如户口簿、公安复函）。")
    return reason.strip()[:200]


def _locked(student: Student) -> Student:
    take_turn()  # lists that take force decide over what a correction is writing, and the other way round
    return Student.objects.select_for_update().get(pk=student.pk)


def _holding(correction: Correction) -> Correction:
    held = Correction.objects.select_for_update().get(pk=correction.pk)
    if held.revoked_at is not None:
        raise NotPossible("这条更正已经撤销。")
    return held


def _listed(student: Student, concept: str) -> Values:
    """What the lists in force say of the concept, in the form in which the resolver compares it with a correction.

    Resolving leaves it in `resolve_values` until the transaction ends; it writes nothing where nothing has changed.
    """
    resolve([student.pk], say=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT said->%s FROM resolve_values WHERE student_id = %s", [concept, student.pk])
        (said,) = cursor.fetchone()
    listed: Values = json.loads(said)
    return listed


def _end(correction: Correction, *, by: User) -> None:
    correction.revoked_by, correction.revoked_at, correction.contested_by = by, timezone.now(), None
    correction.save(update_fields=["revoked_by", "revoked_at", "contested_by"])
    if correction.concept == "id":
        _release_number(correction)


def number_is_known(student: Student, number: IdNumber) -> bool:
    """Whether the number names the child already; raises CannotCorrect where it names another one: that is a question
    of identity, not of a wrong digit."""
    known = (
        Identifier.objects.filter(kind=Identifier.ID_NUMBER, digest=id_digest(number)).select_related("student").first()
    )
    if known is not None and student.pk not in (known.student_id, known.student.merged_into_id):
        raise CannotCorrect(
            "id",
            f"该证件号已是“{known.student}”（档案号 {known.student.public_id}）的。"
            "是同一人请合并两份档案，不是请核对号码。",
        )
    return known is not None


def _release_number(correction: Correction) -> None:
    """A number that only the correction knew no longer names the child; one that a list delivered stays."""
    mark = bytes.fromhex(correction.values["id_digest"])
    if not IdentityLink.objects.filter(student=correction.student_id, row__id_digest=mark).exists():
        Identifier.objects.filter(kind=Identifier.ID_NUMBER, digest=mark, student=correction.student_id).delete()


def _seal(student: Student, number: IdNumber) -> bytes:
    """The number's text under the child's own key, which is made with the first correction that needs it."""
    if student.key is None:
        student.key = new_data_key("child")
        student.save(update_fields=["key"])
    return Sealer(student.key).seal(number.number.encode(), SEALED_AS)


def _resolve(student: Student, *, cause: str) -> None:
    written: Any = resolve([student.pk])
    changes.record(cause=cause, students=written)
