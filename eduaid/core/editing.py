"""Putting rows right on the check page: a cell typed anew, a question answered; only that row is checked again.

The delivered value stays in the row for ever; edits lie beside it with their author. Every change makes the preview a new version.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from eduaid.core import uploads
from eduaid.core.cells import Cell
from eduaid.core.intake import CELL, delivered_cells, reading_for
from eduaid.core.lists import kind_of
from eduaid.core.models import CellEdit, Finding, Upload, UploadRow, User
from eduaid.core.models.uploads import RowState, State
from eduaid.core.rows import RowMaker
from eduaid.core.sealing import Opener, Sealer
from eduaid.core.uploads import NotAllowed, NotPossible

ADMITTED = {"admit": "以证件号待更正入库"}

# What a person may say to a question, by the finding's code; to any other question the answer is to correct the cell.
ANSWERS: dict[str, dict[str, str]] = {
    "id-name-differs": {"same": "是同一人"},
    "id-birth-differs": {"same": "是同一人"},
    "name-birth-known": {"same": "是同一人", "another": "不是同一人"},
    "held-elsewhere": {"transfer": "确认转入"},
    "needs-number": ADMITTED,
    "id-none": ADMITTED,
    "id-check": ADMITTED,
    "id-damaged": ADMITTED,
    "id-length": ADMITTED,
    "id-birth": ADMITTED,
    "id-characters": ADMITTED,
    "id-masked": ADMITTED,
    "id-other": ADMITTED,
    "id-15": ADMITTED,
    "id-15-child": ADMITTED,
    "hukou-outside": {"confirm": "是本镇户籍"},
    "id-zeros": {"confirm": "证件号无误"},
    "name-length": {"confirm": "姓名无误"},
    "name-digits": {"confirm": "姓名无误"},
    "name-form": {"confirm": "姓名无误"},
    "name-private": {"confirm": "暂按此录入"},
}


def answers_for(code: str) -> dict[str, str]:
    """Answer → its button; empty where only a corrected cell helps."""
    return ANSWERS.get(code, {})


@transaction.atomic
def edit_cell(row: UploadRow, *, column: str, text: str, by: User) -> UploadRow:
    """Lays a corrected cell over the delivered one and checks the row again. Raises NotPossible, NotAllowed."""
    upload, row = _locked(row, by)
    key = kind_of(upload.kind).column(column).key
    CellEdit.objects.create(
        row=row, upload=upload, column=key, sealed=Sealer(upload.data_key).seal(text.strip().encode(), CELL), by=by
    )
    # A corrected cell takes earlier answers about that cell back: they were about another value.
    Finding.objects.filter(row=row, column=key).exclude(answer="").delete()
    _check_again(upload, row)
    return row


@transaction.atomic
def answer(finding: Finding, *, answer: str, by: User) -> UploadRow:
    """Settles a question with one of its answers and checks the row again."""
    if finding.row is None or answer not in answers_for(finding.code):
        raise NotPossible("这个问题不能这样回答，请修改单元格。")
    upload, row = _locked(finding.row, by)
    Finding.objects.filter(pk=finding.pk).update(answer=answer, answered_by=by, answered_at=timezone.now())
    _check_again(upload, row)
    return row


@transaction.atomic
def answer_all(upload: Upload, *, code: str, answer: str, by: User) -> int:
    """The same answer to every open question of one kind; returns how many rows were settled."""
    if answer not in answers_for(code):
        raise NotPossible("这类问题不能批量回答，请逐行修改。")
    findings = list(
        Finding.objects.filter(upload=upload, code=code, answer="", row__isnull=False).select_related("row")
    )
    for finding in findings:
        if finding.row is not None:
            locked_upload, row = _locked(finding.row, by)
            Finding.objects.filter(pk=finding.pk).update(answer=answer, answered_by=by, answered_at=timezone.now())
            _check_again(locked_upload, row, recount=False)
    _recount(Upload.objects.get(pk=upload.pk))
    return len(findings)


def _locked(row: UploadRow, by: User) -> tuple[Upload, UploadRow]:
    upload = uploads.locked(row.upload_id, states=[State.REVIEW, State.IN_FORCE])
    if not uploads.may_work_on(upload, by):
        raise NotAllowed("只有上传人所在单位可以修改这份名单。")
    row = UploadRow.objects.select_for_update(of=("self",)).select_related("sheet").get(pk=row.pk)
    if upload.state == State.IN_FORCE and row.state != RowState.WAITING:
        raise NotPossible("这一行已经生效，不能在名单里修改；确需修改请在“数据更正”中更正，或重新上传。")
    return upload, row


def _check_again(upload: Upload, row: UploadRow, *, recount: bool = True) -> None:
    """Makes the row anew from its cells and answers, with the code that made it the first time."""
    cells: dict[str, Cell] = delivered_cells(row, Opener())
    answered = {
        (finding.column, finding.code): finding.answer for finding in Finding.objects.filter(row=row).exclude(answer="")
    }
    reading = reading_for(upload, sheet=row.sheet)
    made = RowMaker(reading.kind, reading, list(cells)).make(row.number, list(cells.values()), answered)
    Finding.objects.filter(row=row, answer="").delete()
    Finding.objects.bulk_create(
        Finding(
            upload=upload,
            sheet_id=row.sheet_id,
            row=row,
            number=row.number,
            column=found.column,
            code=found.code,
            level=found.level,
            params=dict(found.params),
        )
        for found in made.findings
    )
    row.digest, row.id_digest, row.registry_digest = made.digest, made.id_digest, made.registry_digest
    row.town_id, row.school_id = made.values.town_id, made.values.school_id
    row.set_facts(made.facts)
    row.slice_id = uploads.slice_for_row(upload, made.values) if made.state != RowState.REFUSED else None
    in_force = upload.applied_at is not None
    row.state = RowState.WAITING if in_force and made.state == RowState.ACCEPTED else made.state
    row.save()
    if made.state == RowState.ACCEPTED:
        reading.kind.destination.rematch(row)
    if recount:
        _recount(upload)


def _recount(upload: Upload) -> None:
    if upload.applied_at is None:
        uploads.compare(upload)
    uploads.count_rows(upload)
    upload.version += 1
    upload.save()
