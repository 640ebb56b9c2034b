"""Putting rows right on the check page: a cell typed anew, a question answered; only that row is checked again.

The delivered value stays in the row for ever; edits lie beside it with their author. Every change makes the preview a new version.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from eduaid.core import uploads, value_memory
from eduaid.core.delivered import texts_of
from eduaid.core.intake import CELL
from eduaid.core.lists import kind_of
from eduaid.core.models import CellEdit, Finding, Upload, UploadRow, User
from eduaid.core.models.uploads import FindingLevel, RowState, State
from eduaid.core.rechecking import check_again
from eduaid.core.sealing import Opener, Sealer
from eduaid.core.text import spaceless
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
    "household-heads": {"confirm": "确实如此"},
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


class EditedMeanwhile(NotPossible):
    """Somebody else changed the cell since the page was shown. `edit` says who and when; its text is sealed."""

    def __init__(self, edit: CellEdit, text: str) -> None:
        super().__init__("这一格在您打开页面之后已被改动，没有保存您填写的内容。请按现在的内容核对。")
        self.edit, self.text = edit, text


@transaction.atomic
def edit_cell(row: UploadRow, *, column: str, text: str, by: User, seen: int | None = None) -> UploadRow:
    """Lays a corrected cell over the delivered one and checks the row again.

    `seen`: the last correction of the cell that the person saw (0: none); None does not ask. Raises NotPossible, NotAllowed,
    EditedMeanwhile. The same text once more (a double click) changes nothing.
    """
    upload, row = _locked(row, by)
    key = kind_of(upload.kind).column(column).key
    last = CellEdit.objects.filter(row=row, column=key).select_related("by").order_by("-pk").first()
    if last is not None and seen is not None and last.pk != seen:
        now = Opener().open(last.sealed, CELL).decode()
        if now != text.strip():
            raise EditedMeanwhile(last, now)
        return row
    asked = value_memory.open_words([row], key)
    word = texts_of([row], Opener())[row.pk].get(key, "") if asked else ""
    _lay_over(upload, [(row, key, text)], by)
    check_again(upload, [row])
    value_memory.learn(upload, key, dict.fromkeys(asked, (word, text)), by=by)
    return row


@transaction.atomic
def edit_all(upload: Upload, *, column: str, code: str, text: str, like: UploadRow, by: User) -> int:
    """The same value for every row that has the same finding and the same present text as `like`; returns how many."""
    upload = _open(upload, by)
    key = kind_of(upload.kind).column(column).key
    rows = _rows_of(upload, code=code, column=key)
    texts = texts_of(rows, Opener())
    if like.pk not in texts:
        raise NotPossible("这个问题已经没有了，请按最新的核对结果继续。")
    present = texts[like.pk].get(key, "")
    same = [row for row in rows if texts[row.pk].get(key, "") == present]
    asked = value_memory.open_words(same, key)
    _lay_over(upload, [(row, key, text) for row in same], by)
    check_again(upload, same)
    value_memory.learn(upload, key, dict.fromkeys(asked, (present, text)), by=by)
    return len(same)


@transaction.atomic
def adopt_all(upload: Upload, *, column: str, code: str, by: User) -> int:
    """What each finding of the kind proposes, for all rows at once; returns how many. Findings without a proposal stay."""
    upload = _open(upload, by)
    key = kind_of(upload.kind).column(column).key
    rows = {row.pk: row for row in _rows_of(upload, code=code, column=key)}
    texts = texts_of(rows.values(), Opener()) if code in MADE_FROM_CELL else {}
    proposed: dict[int, str] = {}
    for finding in _open_findings(upload, code=code, column=key):
        if text := proposal(finding, texts.get(finding.row_id or 0, {}).get(key, "")):
            proposed[finding.row_id or 0] = text
    adopted = [rows[pk] for pk in proposed if pk in rows]
    _lay_over(upload, [(row, key, proposed[row.pk]) for row in adopted], by)
    check_again(upload, adopted)
    return len(adopted)


# Proposals that findings may not hold, because they are names: they are made from the cell when it is read.
MADE_FROM_CELL = frozenset({"name-spaces"})


def proposal(finding: Finding, value: str) -> str:
    """What the cell could be changed to, where there is one answer that a program may propose; `value`: what stands there."""
    if finding.code in MADE_FROM_CELL:
        return spaceless(value)
    return str(finding.params.get("suggestion") or finding.params.get("of_id") or "")


@transaction.atomic
def answer(finding: Finding, *, answer: str, by: User) -> UploadRow:
    """Settles a question with one of its answers and checks the row again."""
    if finding.row is None or answer not in answers_for(finding.code):
        raise NotPossible("这个问题不能这样回答，请修改单元格。")
    upload, row = _locked(finding.row, by)
    if not Finding.objects.filter(pk=finding.pk, answer="").update(
        answer=answer, answered_by=by, answered_at=timezone.now()
    ):
        raise NotPossible("这个问题刚才已由别人处理，请按最新的核对结果继续。")
    check_again(upload, [row])
    return row


@transaction.atomic
def answer_all(upload: Upload, *, code: str, answer: str, by: User, column: str | None = None) -> int:
    """The same answer to every open question of one kind (in one column); returns how many rows were settled."""
    if answer not in answers_for(code):
        raise NotPossible("这类问题不能批量回答，请逐行修改。")
    upload = _open(upload, by)
    rows = _rows_of(upload, code=code, column=column)
    _open_findings(upload, code=code, column=column).filter(row__in=rows).update(
        answer=answer, answered_by=by, answered_at=timezone.now()
    )
    check_again(upload, rows)
    return len(rows)


@transaction.atomic
def note_all(upload: Upload, *, level: FindingLevel, code: str, column: str, by: User) -> int:
    """Marks all hints or warnings of one kind as read; they keep nothing from going in. Returns how many."""
    if level not in (FindingLevel.WARNING, FindingLevel.HINT):
        raise NotPossible("这类问题要逐行修改或回答，不能只标为已阅。")
    upload = _open(upload, by)
    found = Finding.objects.filter(upload=upload, level=level, code=code, column=column, answer="")
    return found.update(answer=NOTED, answered_by=by, answered_at=timezone.now())


NOTED = "noted"


def _open_findings(upload: Upload, *, code: str, column: str | None) -> QuerySet[Finding]:
    found = Finding.objects.filter(
        upload=upload,
        code=code,
        answer="",
        row__isnull=False,
        level__in=(FindingLevel.ERROR, FindingLevel.ASK, FindingLevel.WARNING),
    )
    return found if column is None else found.filter(column=column)


def _rows_of(upload: Upload, *, code: str, column: str | None) -> list[UploadRow]:
    """The rows with an open finding of the kind, locked; of a list in force only those that still wait."""
    found = UploadRow.objects.select_for_update(of=("self",)).filter(
        pk__in=_open_findings(upload, code=code, column=column).values("row")
    )
    if upload.state == State.IN_FORCE:
        found = found.filter(state=RowState.WAITING)
    return list(found.select_related("sheet").order_by("pk"))


def _lay_over(upload: Upload, cells: Sequence[tuple[UploadRow, str, str]], by: User) -> None:
    """Stores the corrections; earlier answers about these cells were about other values."""
    sealer = Sealer(upload.data_key)
    CellEdit.objects.bulk_create(
        CellEdit(row=row, upload=upload, column=key, sealed=sealer.seal(text.strip().encode(), CELL), by=by)
        for row, key, text in cells
    )
    for key in {key for _, key, _ in cells}:
        rows = [row.pk for row, of, _ in cells if of == key]
        Finding.objects.filter(row__in=rows, column=key).exclude(answer="").delete()


def _open(upload: Upload, by: User) -> Upload:
    """The list under its lock, if it waits for corrections of this person."""
    found = uploads.locked(upload.pk, states=[State.REVIEW, State.IN_FORCE])
    if not uploads.may_work_on(found, by):
        raise NotAllowed("只有上传人所在单位可以修改这份名单。")
    return found


def _locked(row: UploadRow, by: User) -> tuple[Upload, UploadRow]:
    upload = _open(row.upload, by)
    row = UploadRow.objects.select_for_update(of=("self",)).select_related("sheet").get(pk=row.pk)
    if upload.state == State.IN_FORCE and row.state != RowState.WAITING:
        raise NotPossible("这一行已经生效，不能在名单里修改；确需修改请在“数据更正”中更正，或重新上传。")
    return upload, row
