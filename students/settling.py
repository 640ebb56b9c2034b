"""What a person does in the comparison workbench: say whose list is right, say that two files are one, all certain ones at once.

No second truth: whose list is right is a correction where the lists would say otherwise, that two are one is a merge, and both
are remembered as decisions (`students.identity`).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from eduaid.core.lists import kind_of
from eduaid.core.models import Region, UploadRow, User
from eduaid.core.roles import Right, may
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.sealing import Opener
from eduaid.core.text import parse_id
from eduaid.core.text.results import Parsed
from eduaid.core.uploads import NotAllowed
from students import actions, crosscheck, identity, panels, provenance
from students.actions import NotPossible
from students.crosscheck import COMPARED
from students.models import Discrepancy, MatchDecision, Student, Suggestion
from students.models.comparison import Certainty
from students.numbers import opened
from students.provenance import Source
from students.wording import said_by

MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Certain:
    """What may be accepted without looking at each: pairs that are one child, values that two lists agree on."""

    pairs: tuple[Suggestion, ...]
    values: tuple[Discrepancy, ...]

    def __len__(self) -> int:
        return len(self.pairs) + len(self.values)


def certain(area: Region, scope: Scope) -> Certain:
    """The certain suggestions of a township (or the county) that the reader may settle, at most MOST_AT_ONCE of each."""
    pairs = Suggestion.objects.open().within(scope).filter(certainty=Certainty.SURE)
    values = Discrepancy.objects.open().filter(student__in=Student.objects.within(scope).listed().values("pk"))
    if not area.is_home:
        pairs, values = pairs.filter(town=area), values.filter(town=area)
    taken: set[int] = set()
    once = []
    for pair in pairs.order_by("-score", "pk")[:MOST_AT_ONCE]:
        if pair.left_id not in taken and pair.right_id not in taken:  # a child in two pairs is looked at by a person
            once.append(pair)
        taken |= {pair.left_id, pair.right_id or 0}
    sure = [
        one for one in values.select_related("student").order_by("pk")[: 4 * MOST_AT_ONCE] if panels.is_certain(one)
    ]
    return Certain(tuple(once), tuple(sure[:MOST_AT_ONCE]))


@transaction.atomic
def accept_certain(area: Region, scope: Scope, *, expected: int, by: User) -> uuid.UUID:
    """Does what `certain` proposes, as one batch that is undone in one step. `expected`: how many the page showed."""
    _may(by)
    batch = uuid.uuid4()
    with row_security(EVERYTHING, local=True):
        found = certain(area, scope)
        if len(found) != expected:
            raise NotPossible("确定的建议刚有变化，请重新核对后再采用。")
        for pair in found.pairs:
            left, right = _pair(pair)
            identity.merge(keep=left, other=right, reason=pair.reason, by=by, certainty=pair.certainty, batch=batch)
        for value in found.values:
            source, reason = panels.advice(value)
            _settle(value, source, None, reason, by, batch)
        crosscheck.compare([pair.left_id for pair in found.pairs])
    return batch


@transaction.atomic
def pick(
    child: Student,
    other: Student | None,
    *,
    source: str,
    of_other: bool,
    reason: str,
    by: User,
    settled: Mapping[str, str] | None = None,
    suggestion: Suggestion | None = None,
) -> uuid.UUID:
    """This list is right: two files become one child, and every value that the lists dispute is what this list says.

    Everything it does is one batch. Raises NotAllowed, NotPossible, identity.Unsettled, actions.CannotCorrect.
    """
    _may(by)
    batch = uuid.uuid4()
    with row_security(EVERYTHING, local=True):
        row = provenance.of(other if of_other and other is not None else child, EVERYTHING).picked(source)
        if row is None:
            raise NotPossible("这份名单刚有变化，已不再写到这名学生。请刷新页面。")
        if other is not None:
            identity.merge(
                keep=child,
                other=other,
                reason=reason,
                by=by,
                settled=settled,
                certainty=suggestion.certainty if suggestion else "",
                batch=batch,
            )
        crosscheck.compare([child.pk])
        child = Student.objects.get(pk=child.pk)
        disputed = list(Discrepancy.objects.open().filter(student=child).select_related("student").order_by("pk"))
        told = [one for one in disputed if source in one.said]
        if other is None and not told:
            raise NotPossible("各名单对这名学生的说法已经一致，或这份名单没有说。请刷新页面。")
        for value in told:
            _settle(value, source, row, reason, by, batch)
        crosscheck.compare([child.pk])
    return batch


def _settle(
    value: Discrepancy, source: str, row: Source | None, reason: str, by: User, batch: uuid.UUID
) -> MatchDecision:
    """Remembers the source; a correction is laid over only where the lists would say something else. `row` None: they do not."""
    child = Student.objects.get(pk=value.student_id)
    correction = None
    concept = COMPARED[value.concept][1]
    if row is not None and not _says_so(child, value.concept, value.said[source]):
        correction = actions.adopt(child, concept=concept, values=_entered(concept, row), by=by, reason=reason)
    return identity.note_source(
        child,
        concept=value.concept,
        source=source,
        said=value.said,
        correction=correction,
        reason=reason,
        by=by,
        batch=batch,
    )


_COLUMN = {
    "name": "name_key", "sex": "sex", "birth": "birth_on", "id": "id_digest", "school": "school_id", "grade": "grade",
    "boarding": "boarding",
}  # fmt: skip


def _says_so(child: Student, key: str, said: str) -> bool:
    """Whether the child's record already says what the list says."""
    column = _COLUMN[key]
    found: dict[str, Any] = {}
    for concept in panels.BY_KEY.values():
        found |= said_by(child, concept)
    return found[column] == said


def _entered(concept: str, row: Source) -> Mapping[str, object]:
    """What the row says, in the form in which a correction is entered (`students.actions.prepared`)."""
    facts = row.facts
    match concept:
        case "name":
            return {"name": facts.get("name")}
        case "sex":
            return {"sex": facts.get("sex")}
        case "birth":
            return {"birth_on": dt.date.fromisoformat(str(facts["birth_on"]))}
        case "boarding":
            return {"boarding": facts.get("boarding")}
        case "schooling":
            return {"school_id": row.school_id, "grade": facts.get("grade"), "class_name": facts.get("class_name")}
        case "id":
            text = opened(UploadRow.objects.get(pk=row.row_id), Opener()).get(kind_of(row.kind).id_column, "")
            number = parse_id(text, str(facts.get("id_type") or "1"))
            if not isinstance(number, Parsed):
                raise NotPossible("这份名单的证件号不能采用，请换一份名单，或由数据管理员更正。")
            return {"id_number": number.value.number, "id_type": number.value.kind}
    raise KeyError(concept)


@transaction.atomic
def take_back(decisions: Sequence[MatchDecision], *, reason: str, by: User) -> None:
    """Undoes decisions, the last first, and compares the children they touched again, so that the queues show them at once."""
    touched: set[int] = set()
    for decision in sorted(decisions, key=lambda one: -one.pk):
        touched.update(identity.undo(decision, reason=reason, by=by))
    crosscheck.compare(touched)


def same_batch(decision: MatchDecision) -> list[MatchDecision]:
    """What was decided in the same go and still stands: it is undone together."""
    if decision.batch is None:
        return [decision]
    return list(MatchDecision.objects.standing().filter(batch=decision.batch).order_by("pk"))


def _pair(suggestion: Suggestion) -> tuple[Student, Student]:
    found = Student.objects.in_bulk([suggestion.left_id, suggestion.right_id])
    return found[suggestion.left_id], found[suggestion.right_id or 0]


def _may(by: User) -> None:
    if not may(by, Right.MATCH):
        raise NotAllowed("比对由乡镇负责人和县局控辍保学、数据管理人员办理。")
