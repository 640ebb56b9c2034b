"""Where rows of evidence lists take force: each becomes a record that waits for its review, or goes again with its list."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

from django.utils import timezone

from dropout.models import Evidence
from dropout.models.evidence import EvidenceState, school_year_of
from dropout.proof import SEALED_AS
from eduaid.core.intake import CELL, ROW
from eduaid.core.models import CellEdit, Upload, UploadRow
from eduaid.core.models.uploads import RowState
from eduaid.core.sealing import Opener, Sealer, new_data_key
from eduaid.core.text import mask_phone, parse_phone
from eduaid.core.text.results import Parsed
from students.models import IdentityLink
from students.rosters.known_children import KnownChildren

_LENGTHS = {
    "at_province": 20, "at_city": 20, "at_county": 30, "at_town": 30, "at_school": 60, "at_grade": 2, "at_class": 20,
}  # fmt: skip
_FACTS = tuple(_LENGTHS)
_WRITTEN = [
    "state", *_FACTS, "kind", "proved_on", "contact", "note", "phone_sealed", "phone_masked", "row", "verified_by",
    "verified_at", "reviewed_by", "reviewed_at", "reason",
]  # fmt: skip


class Records(KnownChildren):
    """What an accepted proof says is not overwritten by a list; everything else the list knows better."""

    def take_force(self, upload: Upload, flipped: Sequence[int]) -> list[int]:
        written = super().take_force(upload, flipped)
        _record(upload)
        return written

    def withdraw(self, upload: Upload, flipped: Sequence[int]) -> list[int]:
        written = super().withdraw(upload, flipped)
        (
            Evidence.objects.filter(row__sheet__upload=upload)
            .filter(state__in=[EvidenceState.RECORDED, EvidenceState.RETURNED])
            .update(state=EvidenceState.WITHDRAWN, reason="取证名单已撤回")
        )
        for older in (
            Upload.objects.filter(slices__in=flipped, slices__is_current=True).distinct().order_by("effective_on")
        ):
            _record(older)
        return written


def _record(upload: Upload) -> None:
    """Records of the accepted rows, in a handful of statements. A row that was recorded before stays as it is."""
    rows = {
        row.pk: row
        for row in UploadRow.objects.filter(sheet__upload=upload, state=RowState.ACCEPTED).only(
            "pk", "facts", "sealed", "town_id"
        )
    }
    links = dict(IdentityLink.objects.filter(row__in=rows).values_list("row_id", "student_id"))
    there = {
        one.student_id: one
        for one in Evidence.objects.standing().filter(
            school_year=school_year_of(upload.effective_on), student__in=set(links.values())
        )
    }
    texts = _texts(upload, [rows[pk] for pk in links])
    sealer: Sealer | None = None
    made: list[Evidence] = []
    changed: list[Evidence] = []
    for pk, student in sorted(links.items()):
        one = there.get(student)
        if one is not None and (one.state == EvidenceState.ACCEPTED or one.row_id == pk):
            continue
        is_new = one is None
        one = one or Evidence(student_id=student, school_year=school_year_of(upload.effective_on))
        there[student] = one
        facts = rows[pk].facts
        for field in _FACTS:
            setattr(one, field, str(facts.get(field) or "")[: _LENGTHS[field]])
        one.kind, one.proved_on = str(facts["evidence_kind"]), dt.date.fromisoformat(str(facts["proved_on"]))
        phone, one.contact, one.note = texts[pk]
        if phone:
            sealer = sealer or Sealer(new_data_key("evidence"))
            one.phone_sealed, one.phone_masked = sealer.seal(phone.encode(), SEALED_AS), mask_phone(phone)[:60]
        one.state, one.reason, one.row_id, one.town_id = EvidenceState.RECORDED, "", pk, rows[pk].town_id
        one.verified_by_id, one.verified_at = upload.uploaded_by_id, timezone.now()
        one.reviewed_by = one.reviewed_at = None
        (made if is_new else changed).append(one)
    Evidence.objects.bulk_create(made, batch_size=1000)
    Evidence.objects.bulk_update([one for one in changed if one.pk], _WRITTEN, batch_size=500)


def _texts(upload: Upload, rows: Sequence[UploadRow]) -> dict[int, tuple[str, str, str]]:
    """Phone, contact and note of each row as delivered, corrected cells as corrected."""
    opener = Opener()
    edits: dict[tuple[int, str], str] = {}
    for edit in CellEdit.objects.filter(upload=upload, column__in=["phone", "contact", "note"]).order_by("pk"):
        edits[edit.row_id, edit.column] = opener.open(edit.sealed, CELL).decode()
    found = {}
    for row in rows:
        cells = json.loads(opener.open(row.sealed, ROW))

        def text(column: str, row: UploadRow = row, cells: dict[str, object] = cells) -> str:
            cell = edits.get((row.pk, column), cells.get(column))
            return str(cell) if isinstance(cell, (str, int)) else ""

        answer = parse_phone(text("phone"))
        phone = answer.value if isinstance(answer, Parsed) else ""
        found[row.pk] = (phone, text("contact")[:30], text("note")[:200])
    return found


RECORDS = Records()
