"""Who is who: two files of one child made one and taken apart again, a row given to another child, and what was said about it.

Each act is one transaction in somebody's name, with its reason in history; it resolves exactly the children it touches and
tells the outbox. Nothing is lost by it: every decision can be undone, with its consequences shown first.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pghistory
from django.db import transaction
from django.utils import timezone

from eduaid.core import changes
from eduaid.core.lists import kind_of
from eduaid.core.models import Term, UploadRow, User
from eduaid.core.roles import Right, may, today
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.sealing import Opener, Sealer, new_data_key
from eduaid.core.text import name_key
from eduaid.core.uploads import NotAllowed
from students import acts
from students.actions import SEALED_AS, NotPossible
from students.acts import Conflict
from students.models import Alias, Correction, Enrolment, Identifier, IdentityLink, MatchDecision, Student
from students.models.comparison import Verdict
from students.models.identity import LinkRule
from students.precedence import BY_KEY
from students.resolve import resolve, take_turn
from students.wording import Places, in_words

KEEP, OTHER = "keep", "other"
"""How a conflict is settled: what the file that goes on says, or what the other one says."""

CORRECTION = "correction"


class Unsettled(NotPossible):
    """Only one of the two files may keep something, and nobody said which. `conflicts` names it."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__(f"两份档案的{'、'.join(c.label for c in conflicts)}各有一条，只能留一条。请逐项选定。")
        self.conflicts = conflicts


@dataclass(frozen=True)
class Consequences:
    """What an act will do, in sentences, and what a person has to settle with it."""

    effects: tuple[str, ...]
    conflicts: tuple[Conflict, ...] = ()


# --- one child, two files -------------------------------------------------------------------------------------


def merge_preview(keep: Student, other: Student) -> Consequences:
    """What merging `other` into `keep` would do. Raises NotPossible where it cannot be done."""
    with row_security(EVERYTHING, local=True):
        keep, other = _both(keep, other, lock=False)
        _may_merge(keep, other)
        kinds = _kinds(IdentityLink.objects.filter(student__in=[other.pk, *_merged(other)]))
        conflicts = _conflicts(keep, other)
    effects = [
        f"以“{keep}”（档案号 {keep.public_id}）为准，“{other}”（档案号 {other.public_id}）并入，只供查看。",
        f"{'、'.join(kinds)}里写到“{other}”的行都归到这一份档案，各项数字只计一人。" if kinds else "没有名单行要移动。",
        "走访、资助等已办理的事项留在原档案上，在合并后的档案里一并看到。",
        "以后的名单按任何一个证件号、学籍号都找到这一份档案；合并可以撤销，撤销后恢复原样。",
    ]
    return Consequences(tuple(effects), tuple(conflicts))


@transaction.atomic
def merge(
    *,
    keep: Student,
    other: Student,
    reason: str,
    by: User,
    settled: Mapping[str, str] | None = None,
    certainty: str = "",
    batch: uuid.UUID | None = None,
) -> MatchDecision:
    """Points `other` to `keep`: its rows follow when children are resolved; acts are never moved.

    `settled`: conflict key → KEEP or OTHER. Raises NotAllowed, NotPossible, Unsettled.
    """
    reason = _checked(by, reason)
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        take_turn()
        keep, other = _both(keep, other)
        _may_merge(keep, other)
        conflicts = _conflicts(keep, other)
        picked = settled or {}
        if open_ones := [c for c in conflicts if picked.get(c.key) not in (KEEP, OTHER)]:
            raise Unsettled(open_ones)
        carried = _merged(other)
        Student.objects.filter(pk__in=[other.pk, *carried]).update(merged_into=keep)
        known = set(Alias.objects.filter(student=keep).values_list("name_key", flat=True)) | {keep.name_key}
        aliases = _add_aliases(keep, other, known, by)
        resolve([keep.pk])
        made, ended = _carry_corrections(keep, other, picked, by)
        Enrolment.objects.filter(student__in=[other.pk, *carried], term__in=_terms_of(keep)).delete()
        told = {
            merging.key: dict(merging.settle(keep.pk, other.pk, _picked_of(merging.key, picked), by))
            for merging in acts.mergings()
        }
        _supersede(keep, other, by)
        decision = MatchDecision.objects.create(
            verdict=Verdict.SAME,
            student=keep,
            other=other,
            reason=reason,
            certainty=certainty,
            batch=batch,
            made_by=by,
            record={"carried": carried, "made": made, "ended": ended, "aliases": aliases, "acts": told},
        )
        _resolve([keep.pk], also=[other.pk, *carried], cause="merged")
    return decision


def split_preview(decision: MatchDecision) -> Consequences:
    """What taking a merge back would do."""
    with row_security(EVERYTHING, local=True):
        keep, other = decision.student, decision.other
        assert other is not None
        rows = _rows_to_give_back(decision)
        kinds = _kinds(IdentityLink.objects.filter(pk__in=rows))
    effects = [
        f"“{other}”（档案号 {other.public_id}）恢复为单独的档案，合并前归它的名单行、更正和办理事项都回到它名下。",
        f"“{keep}”（档案号 {keep.public_id}）按自己的名单行重新归并，各项数字改计两人。",
    ]
    if kinds:
        effects.append(f"合并以后收到的{'、'.join(kinds)}里，证件号或学籍号属于“{other}”的行归到它名下。")
    return Consequences(tuple(effects))


def _split(decision: MatchDecision, by: User) -> list[int]:
    keep, other = decision.student, decision.other
    assert other is not None
    keep, other = _both(keep, other)
    if other.merged_into_id is None:
        raise NotPossible("这两份档案已经分开。请刷新页面。")
    canonical = other.merged_into_id  # the kept file may have been merged into a third since
    later = MatchDecision.objects.standing().filter(verdict=Verdict.SAME, other=keep).first()
    if canonical != keep.pk and later is not None:
        raise NotPossible(f"“{keep}”后来又并入了“{later.student}”。请先撤销那一次合并，再撤销这一次。")
    moved = _rows_to_give_back(decision)
    carried = [pk for pk in decision.record["carried"] if _still_carried(pk, keep.pk)]
    Student.objects.filter(pk=other.pk).update(merged_into=None)
    Student.objects.filter(pk__in=carried).update(merged_into=other)
    IdentityLink.objects.filter(pk__in=moved).update(student=other)
    Alias.objects.filter(pk__in=decision.record["aliases"]).delete()
    for correction in Correction.objects.filter(pk__in=decision.record["made"], revoked_at=None):
        _end(correction, by)
    resolve([keep.pk, other.pk])
    for ended in Correction.objects.filter(pk__in=decision.record["ended"]):
        if not Correction.objects.holding().filter(student=keep, concept=ended.concept).exists():
            _copy(ended, keep, by, ended.replaced)
    told = decision.record.get("acts", {})
    for merging in acts.mergings():
        if merging.key in told:
            merging.restore(keep.pk, other.pk, told[merging.key], by)
    return [keep.pk, other.pk]


# --- a row that speaks of somebody else -----------------------------------------------------------------------


def move_preview(row: UploadRow, to: Student | None) -> Consequences:
    """What giving the row to another child, or to a new one, would do."""
    with row_security(EVERYTHING, local=True):
        link = _link_of(row)
        kind = kind_of(row.slice.kind if row.slice else row.upload.kind).label
        place = f"{kind}名单 {row.upload_id} 号第 {row.number} 行"
    target = f"“{to}”（档案号 {to.public_id}）" if to is not None else "一份新建的档案"
    return Consequences(
        (
            f"{place}不再归“{link.student}”（档案号 {link.student.public_id}），改归{target}。",
            "只有这一行写过的证件号、学籍号也跟着走；两名学生按各自的名单行重新归并。",
            "可以撤销，撤销后这一行回到原来的档案。",
        )
    )


@transaction.atomic
def move_row(row: UploadRow, *, to: Student | None, reason: str, by: User) -> MatchDecision:
    """Gives a row of a list to another child, or (`to` None) to a new one. Raises NotAllowed, NotPossible."""
    reason = _checked(by, reason)
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        take_turn()
        link = _link_of(row)
        if to is not None:
            to = Student.objects.select_for_update().get(pk=to.merged_into_id or to.pk)
            if to.pk in (link.student_id, link.student.merged_into_id):
                raise NotPossible("这一行已经归这份档案，不用改认。")
        target = to.pk if to is not None else Student.objects.create().pk  # resolving fills it from the row
        numbers = _give(link, target, by)
        _resolve([link.student_id, target], cause="moved")
        return MatchDecision.objects.create(
            verdict=Verdict.MOVED,
            student_id=target,
            other_id=link.student_id,
            row=row,
            reason=reason,
            made_by=by,
            record={
                "from": link.student_id,
                "to": target,
                "rule": link.rule,
                "by": link.made_by_id,
                "numbers": numbers,
            },
        )


def _move_back(decision: MatchDecision, by: User) -> list[int]:
    record = decision.record
    link = IdentityLink.objects.select_for_update().get(pk=decision.row_id)
    if link.student_id != record["to"]:
        raise NotPossible("这一行后来又改认给了别人。请先撤销那一次。")
    IdentityLink.objects.filter(pk=link.pk).update(student=record["from"], rule=record["rule"], made_by=record["by"])
    Identifier.objects.filter(pk__in=record["numbers"], student=record["to"]).update(student=record["from"])
    return [record["from"], record["to"]]


def _link_of(row: UploadRow) -> IdentityLink:
    link = IdentityLink.objects.select_related("student").filter(pk=row.pk).first()
    if link is None:
        raise NotPossible("这一行还没有归到任何学生，请在名单的核对结果里处理。")
    return link


def _give(link: IdentityLink, target: int, by: User) -> list[int]:
    """Points the link to the child, and the numbers that no other row of the old one delivered; answers these."""
    row = link.row
    moved = []
    for kind, column in ((Identifier.ID_NUMBER, "id_digest"), (Identifier.REGISTRY_NUMBER, "registry_digest")):
        mark = getattr(row, column)
        others = IdentityLink.objects.filter(student=link.student_id, **{f"row__{column}": mark}).exclude(pk=link.pk)
        if mark is not None and not others.exists():
            held = Identifier.objects.filter(kind=kind, digest=mark, student=link.student_id)
            moved += list(held.values_list("pk", flat=True))
    Identifier.objects.filter(pk__in=moved).update(student=target)
    IdentityLink.objects.filter(pk=link.pk).update(
        student=target, rule=LinkRule.PERSON, made_by=by, made_at=timezone.now()
    )
    return moved


# --- what people say about pairs and values -------------------------------------------------------------------


@transaction.atomic
def tell_apart(
    *, left: Student, right: Student, reason: str, by: User, certainty: str = "", batch: uuid.UUID | None = None
) -> MatchDecision:
    """Two children, not one: the pair is never proposed again. Raises NotAllowed, NotPossible."""
    reason = _checked(by, reason)
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        left, right = _both(left, right)
        if left.merged_into_id == right.pk or right.merged_into_id == left.pk:
            raise NotPossible("这两份档案已经合并。要认定不是同一人，请先撤销合并。")
        _supersede(left, right, by)
        return MatchDecision.objects.create(
            verdict=Verdict.DIFFERENT,
            student=left,
            other=right,
            reason=reason,
            certainty=certainty,
            batch=batch,
            made_by=by,
        )


@transaction.atomic
def leave_open(*, student: Student, other: Student | None = None, reason: str, by: User) -> MatchDecision:
    """待核: somebody has to look; the child or the pair stays in its queue, marked. Raises NotAllowed, NotPossible."""
    reason = _checked(by, reason)
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        if other is not None:
            student, other = _both(student, other)
            _supersede(student, other, by)
        else:
            student = Student.objects.select_for_update().get(pk=student.pk)
            _end_decisions(_about_child(student), by)
        return MatchDecision.objects.create(
            verdict=Verdict.CHECK, student=student, other=other, reason=reason, made_by=by
        )


def note_source(
    student: Student,
    *,
    concept: str,
    source: str,
    said: Mapping[str, str],
    correction: Correction | None,
    reason: str,
    by: User,
    batch: uuid.UUID | None,
) -> MatchDecision:
    """Remembers which list was believed about a value, as long as the lists say the same. Inside an act's transaction."""
    _end_decisions(MatchDecision.objects.standing().filter(student=student, other=None, row=None, concept=concept), by)
    return MatchDecision.objects.create(
        verdict=Verdict.SOURCE,
        student=student,
        concept=concept,
        source=source,
        said=said,
        reason=reason,
        batch=batch,
        made_by=by,
        record={"correction": correction.pk if correction else None},
    )


@transaction.atomic
def undo(decision: MatchDecision, *, reason: str, by: User) -> list[int]:
    """Takes a decision back with everything that it did; answers the children it touched. Raises NotAllowed, NotPossible."""
    reason = _checked(by, reason)
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        take_turn()
        decision = (
            MatchDecision.objects.select_for_update(of=["self"])
            .select_related("student", "other", "row")
            .get(pk=decision.pk)
        )
        if decision.undone_at is not None:
            raise NotPossible("这个决定已经撤销。")
        match decision.verdict:
            case Verdict.SAME:
                touched = _split(decision, by)
            case Verdict.MOVED:
                touched = _move_back(decision, by)
            case Verdict.SOURCE:
                touched = [decision.student_id]
                for correction in Correction.objects.holding().filter(pk=decision.record.get("correction")):
                    _end(correction, by)
            case _:
                touched = [pk for pk in (decision.student_id, decision.other_id) if pk is not None]
        decision.undone_by, decision.undone_at, decision.undo_reason = by, timezone.now(), reason
        decision.save(update_fields=["undone_by", "undone_at", "undo_reason"])
        _resolve(touched, cause="undone")
    return touched


@transaction.atomic
def undo_batch(batch: uuid.UUID, *, reason: str, by: User) -> list[int]:
    """Takes back every standing decision that was made in one go, the last first."""
    touched: set[int] = set()
    with row_security(EVERYTHING, local=True):
        standing = list(MatchDecision.objects.standing().filter(batch=batch).order_by("-pk"))
        if not standing:
            raise NotPossible("这一批决定已经撤销。")
        for decision in standing:
            touched.update(undo(decision, reason=reason, by=by))
    return sorted(touched)


# --- parts ----------------------------------------------------------------------------------------------------


def _checked(by: User, reason: str) -> str:
    if not may(by, Right.MATCH):
        raise NotAllowed("比对由乡镇负责人和县局控辍保学、数据管理人员办理。")
    if not reason.strip():
        raise NotPossible("请填写理由，写明依据（如户口簿、学校来函、电话核实）。")
    return reason.strip()[:200]


def _both(first: Student, second: Student, *, lock: bool = True) -> tuple[Student, Student]:
    students = Student.objects.select_for_update() if lock else Student.objects.all()
    found = {child.pk: child for child in students.filter(pk__in=[first.pk, second.pk]).order_by("pk")}
    return found[first.pk], found[second.pk]


def _may_merge(keep: Student, other: Student) -> None:
    if keep.pk == other.pk:
        raise NotPossible("这是同一份档案。")
    for one in (keep, other):
        if one.merged_into_id is not None:
            raise NotPossible(f"“{one}”（档案号 {one.public_id}）已并入别的档案。请刷新页面，用继续使用的那一份。")
    apart = _of_pair(keep, other).filter(verdict=Verdict.DIFFERENT).first()
    if apart is not None:
        raise NotPossible(f"{apart.made_by}已认定这两份档案不是同一人（{apart.reason}）。请先在比对决定里撤销。")


def _merged(student: Student) -> list[int]:
    return list(Student.objects.filter(merged_into=student).order_by("pk").values_list("pk", flat=True))


def _still_carried(pk: int, keep: int) -> bool:
    return Student.objects.filter(pk=pk, merged_into=keep).exists()


def _kinds(links: Any) -> list[str]:
    kinds = links.order_by().values_list("row__slice__kind", flat=True).distinct()
    return [kind_of(kind).label for kind in sorted(kind for kind in kinds if kind)]


def _rows_to_give_back(decision: MatchDecision) -> list[int]:
    """Rows that came after the merge and carry a number of the other file: they went to the kept one only by the merge."""
    files = [decision.other_id, *decision.record["carried"]]
    found: list[int] = []
    for kind, column in ((Identifier.ID_NUMBER, "id_digest"), (Identifier.REGISTRY_NUMBER, "registry_digest")):
        numbers = Identifier.objects.filter(student__in=files, kind=kind).values("digest")
        links = IdentityLink.objects.filter(
            student=decision.student_id, made_at__gt=decision.made_at, **{f"row__{column}__in": numbers}
        )
        found += links.values_list("pk", flat=True)
    return sorted(set(found))


def _conflicts(keep: Student, other: Student) -> list[Conflict]:
    """What both files hold and a child can have once: corrections of the same value, and what the apps above say."""
    held = {(c.student_id, c.concept): c for c in Correction.objects.holding().filter(student__in=[keep.pk, other.pk])}
    places = Places.of(c.values for c in held.values())
    found = []
    for concept in BY_KEY:
        mine, theirs = held.get((keep.pk, concept)), held.get((other.pk, concept))
        if mine is not None and theirs is not None and mine.values != theirs.values:
            said = [in_words(concept, c.values, places) or "（空）" for c in (mine, theirs)]
            found.append(Conflict(f"{CORRECTION}:{concept}", f"『{BY_KEY[concept].label}』的更正", *said))
    for merging in acts.mergings():
        found += merging.conflicts(keep.pk, other.pk)
    return found


def _picked_of(key: str, picked: Mapping[str, str]) -> Collection[str]:
    return [name for name, side in picked.items() if name.startswith(f"{key}:") and side == OTHER]


def _add_aliases(keep: Student, other: Student, known: set[str], by: User) -> list[int]:
    """The other file's name stays known: the next list that uses it is not asked about again."""
    if not other.name or other.name_key in known:
        return []
    return [Alias.objects.create(student=keep, name=other.name, name_key=name_key(other.name), made_by=by).pk]


def _carry_corrections(
    keep: Student, other: Student, picked: Mapping[str, str], by: User
) -> tuple[list[int], list[int]]:
    """Corrections of the other file go on with the kept one, unless that one has its own and it was preferred.

    Copies, so that both files are whole again after a split. Answers the ids of those made and of those ended.
    """
    made, ended = [], []
    mine = {c.concept: c for c in Correction.objects.holding().filter(student=keep)}
    for correction in Correction.objects.holding().filter(student=other).order_by("pk"):
        own = mine.get(correction.concept)
        if own is not None:
            if picked.get(f"{CORRECTION}:{correction.concept}") != OTHER:
                continue
            _end(own, by)
            ended.append(own.pk)
        made.append(_copy(correction, keep, by, correction.replaced).pk)
    return made, ended


def _copy(correction: Correction, child: Student, by: User, replaced: Any) -> Correction:
    sealed = None
    if correction.sealed is not None:
        if child.key is None:
            child.key = new_data_key("child")
            child.save(update_fields=["key"])
        sealed = Sealer(child.key).seal(Opener().open(correction.sealed, SEALED_AS), SEALED_AS)
    return Correction.objects.create(
        student=child,
        concept=correction.concept,
        values=correction.values,
        replaced=replaced,
        sealed=sealed,
        reason=correction.reason,
        made_by=by,
    )


def _end(correction: Correction, by: User) -> None:
    correction.revoked_by, correction.revoked_at, correction.contested_by = by, timezone.now(), None
    correction.save(update_fields=["revoked_by", "revoked_at", "contested_by"])


def _terms_of(keep: Student) -> Any:
    """Terms of which the kept child has an enrolment of its own: the other file's would count it twice."""
    return Term.objects.filter(pk__in=Enrolment.objects.filter(student=keep).values("term"), ends_on__gte=today())


def _of_pair(left: Student, right: Student) -> Any:
    both = [left.pk, right.pk]
    return MatchDecision.objects.standing().filter(student__in=both, other__in=both, row=None)


def _about_child(student: Student) -> Any:
    return MatchDecision.objects.standing().filter(student=student, other=None, row=None, concept="")


def _supersede(left: Student, right: Student, by: User) -> None:
    """A new word about a pair ends what was said before: 待核, or that they are two."""
    _end_decisions(_of_pair(left, right).exclude(verdict=Verdict.SAME), by)


def _end_decisions(decisions: Any, by: User) -> None:
    for decision in decisions:
        decision.undone_by, decision.undone_at, decision.undo_reason = by, timezone.now(), "已有新的决定"
        decision.save(update_fields=["undone_by", "undone_at", "undo_reason"])


def _resolve(students: Iterable[int], *, cause: str, also: Sequence[int] = ()) -> None:
    """Resolves and tells the outbox: of these, written or not, something above may follow from who is who."""
    touched = sorted(set(students))
    written: Any = resolve(touched)
    changes.record(cause=cause, students={*touched, *written, *also})
