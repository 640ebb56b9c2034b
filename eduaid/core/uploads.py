"""The life of a list: receive → recognise → stage → check → match → preview → submit → approve → in force → superseded | undone.

Each verb is one transaction that leaves a trace; what takes long is done by a worker that the upload row itself calls for
(`due`). docs/architecture.md says what the states mean; `core.slices` decides what is in force.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

import pghistory
from celery import current_app
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from eduaid.core import access, changes, files, jobs, missing, slices
from eduaid.core.jobs import Lease
from eduaid.core.lists import Diff, ListKind, UndoPreview, Values, kind_of
from eduaid.core.models import (
    Departure,
    Finding,
    ListSlice,
    Notice,
    Region,
    School,
    Upload,
    UploadFile,
    UploadRow,
    User,
)
from eduaid.core.models.access import Action
from eduaid.core.models.places import Level
from eduaid.core.models.uploads import ENDED, FindingLevel, Mode, RowState, State
from eduaid.core.roles import Right, may, posts_of, role, today
from eduaid.core.scope import Scope
from eduaid.core.sealing import new_data_key

UNDO_DAYS = 7


class NotAllowed(Exception):
    """The user may not do this; the sentence says who may."""


class NotPossible(Exception):
    """The list is not in a state for this; the sentence says what it waits for."""


class AlreadyUploaded(NotPossible):
    """The same files for the same kind, scope and date are there already."""

    def __init__(self, upload: Upload) -> None:
        super().__init__(
            f"该文件 {timezone.localtime(upload.uploaded_at):%-m月%-d日} 已上传（名单 {upload.pk} 号，{upload.get_state_display()}），不重复导入。"
            "如需重新导入，请先撤回那一次。"
        )
        self.upload = upload


class StalePreview(NotPossible):
    """Somebody changed the list since the page was shown."""

    def __init__(self) -> None:
        super().__init__("名单在您打开页面之后有改动，请按最新的核对结果再确认一次。")


# --- receive --------------------------------------------------------------------------------------------------


def receive(
    *,
    kind: ListKind,
    contents: Sequence[tuple[str, bytes]],
    place: Region | School,
    effective_on: dt.date,
    mode: Mode = Mode.COMPLETE,
    by: User,
    comment: str = "",
) -> Upload:
    """Takes the files of one list in: sealed on disk, a row that asks for a worker. Nothing of the contents is read yet.

    Raises NotAllowed, NotPossible (wrong date, too large, no file), AlreadyUploaded. A broker that is down is no error: the
    sweeper finds the row.
    """
    _may_send(by, kind, place)
    if effective_on > today():
        raise NotPossible(f"名单日期 {effective_on:%Y-%m-%d} 晚于今天，请改为名单上写的日期。")
    if not contents:
        raise NotPossible("没有选择文件。请选择要上传的表格。")
    size = sum(len(data) for _, data in contents)
    if size > settings.UPLOAD_MAX_BYTES:
        raise NotPossible(
            f"文件共 {size / 1_048_576:.0f} MB，超过 {settings.UPLOAD_MAX_BYTES // 1_048_576} MB。请按学校或年级拆开上传。"
        )
    marks = [hashlib.sha256(data).hexdigest() for _, data in contents]
    if len(set(marks)) != len(marks):
        raise NotPossible("选择的文件中有内容完全相同的两个，请去掉重复的再上传。")
    key = hashlib.sha256(
        "|".join(
            [kind.key, mode, type(place).__name__, str(place.pk), effective_on.isoformat(), *sorted(marks)]
        ).encode()
    ).hexdigest()
    if known := Upload.objects.filter(idempotency_key=key).exclude(state__in=ENDED).first():
        raise AlreadyUploaded(known)
    data_key = new_data_key("list")
    stored: list[str] = []
    try:
        stored += [files.store(data, data_key) for _, data in contents]
        with transaction.atomic():
            upload = Upload.objects.create(
                kind=kind.key,
                mode=mode,
                effective_on=effective_on,
                idempotency_key=key,
                data_key=data_key,
                uploaded_by=by,
                comment=comment[:500],
                due=True,
                **_place_fields(place),
            )
            for position, ((name, data), mark) in enumerate(zip(contents, marks, strict=True)):
                UploadFile.objects.create(
                    upload=upload,
                    position=position,
                    name=clean_name(name),
                    size=len(data),
                    sha256=mark,
                    stored_as=stored[position],
                )
    except files.NotStored as error:
        _forget(stored)
        jobs.log.error("file not stored", reason=str(error))
        raise NotPossible(
            "服务器磁盘空间不足或不可写，这次上传没有收下，也没有留下半份。请联系县局管理员清理磁盘后再传一次。"
        ) from error
    except IntegrityError:
        # Two clicks at once: the constraint let one through; this one shows it.
        _forget(stored)
        raise AlreadyUploaded(Upload.objects.exclude(state__in=ENDED).get(idempotency_key=key)) from None
    wake(upload)
    return upload


def _forget(stored: Sequence[str]) -> None:
    for name in stored:
        files.forget(name)


def clean_name(name: str) -> str:
    """What is shown of a file name: no path, no control or direction characters, at most 255."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(
        char
        for char in base
        if char.isprintable() and char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
    return shown[-255:] or "未命名"


def _place_fields(place: Region | School) -> dict[str, Region | School | None]:
    if isinstance(place, School):
        return {"school": place, "region": None, "town": place.town}
    return {"region": place, "school": None, "town": place if place.level == Level.TOWNSHIP else None}


def _may_send(user: User, kind: ListKind, place: Region | School) -> None:
    """A township head sends for the township and its schools, a school head for the school, the bureau for all."""
    if isinstance(place, Region) and not (place.is_home or place.level == Level.TOWNSHIP):
        raise NotAllowed("名单的范围只能是全县、一个乡镇或一所学校。")
    reaches = {role(post.role).reach for post in posts_of(user) if Right.UPLOAD in role(post.role).rights}
    if not reaches & kind.senders:
        raise NotAllowed(f"您的岗位不能上传“{kind.label}”名单，请由县局或{kind.source}上传。")
    if not may(user, Right.UPLOAD) or not Scope.of(user).covers(place):
        raise NotAllowed(f"“{place}”不在您负责的范围内，不能代为上传。")
    if isinstance(place, Region) and place.is_home and not may(user, Right.UPLOAD_COUNTY):
        raise NotAllowed("全县名单由县教育局上传。")


def wake(upload: Upload) -> None:
    """Tells a worker after the commit. The row is the queue; if the broker is away, the sweeper does it within seconds."""
    pk = upload.pk

    def send() -> None:
        try:
            current_app.send_task("eduaid.core.tasks.advance", [pk])
        except OperationalError:
            jobs.log.warning("broker unreachable, left to the sweeper", upload=pk)

    transaction.on_commit(send)


# --- questions and corrections before approval -----------------------------------------------------------------


def locked(pk: int, *, states: Sequence[State], version: int | None = None) -> Upload:
    """The upload, locked until the transaction ends, if it is in one of the states (and still in the version shown)."""
    upload = Upload.objects.select_for_update().get(pk=pk)
    if upload.state not in states:
        raise NotPossible(f"名单 {pk} 号现在是“{upload.get_state_display()}”，不能这样操作。")
    if version is not None and upload.version != version:
        raise StalePreview
    return upload


@transaction.atomic
def cancel(upload: Upload, *, by: User) -> Upload:
    """Ends a list that is not in force. A worker that is at it stops at its next block and leaves nothing behind."""
    upload = locked(upload.pk, states=[State.RECEIVED, State.MAPPING, State.REVIEW, State.SUBMITTED])
    if upload.applied_at is not None:
        raise NotPossible("名单已经生效，不能取消；可以撤回。")
    if by.pk != upload.uploaded_by_id and not may(by, Right.APPROVE):
        raise NotAllowed("只有上传人或县局可以取消这份名单。")
    upload.state, upload.due, upload.cancel_requested = State.CANCELLED, False, True
    upload.attempt += 1  # the fence: a worker that holds the old attempt can commit nothing any more
    upload.save(update_fields=["state", "due", "cancel_requested", "attempt"])
    return upload


@transaction.atomic
def retry(upload: Upload, *, by: User) -> Upload:
    """Puts a list that was set aside after repeated failures back into the queue."""
    upload = locked(upload.pk, states=[State.FAILED])
    upload.state = State.APPROVED if upload.approved_by_id else State.RECEIVED
    upload.due, upload.failures, upload.error, upload.cancel_requested = True, 0, "", False
    upload.save(update_fields=["state", "due", "failures", "error", "cancel_requested"])
    wake(upload)
    return upload


@transaction.atomic
def submit(upload: Upload, *, by: User, version: int | None = None, comment: str = "") -> Upload:
    """The sender's word that the list is right as far as it goes: good rows go to the bureau, waiting rows stay in 待改.

    Everybody whom the last list named and this complete one does not has a whereabouts by now, 待核 at least.
    """
    upload = locked(upload.pk, states=[State.REVIEW, State.IN_FORCE], version=version)
    if not may_work_on(upload, by):
        raise NotAllowed("只有上传人所在单位可以提交这份名单。")
    _is_fresh(upload)
    if upload.state == State.REVIEW and upload.rows_accepted == 0:
        raise NotPossible("没有可以入库的行，请先修改“需要修改”中的行。")
    if upload.state == State.IN_FORCE and not ready_rows(upload).exists():
        raise NotPossible("没有改好的待改行，不用提交。")
    if unsaid := Departure.objects.filter(upload=upload).unsaid().count():
        raise NotPossible(f"上期有、本期无的 {unsaid:,} 人还没有说明去向。请先填写去向再提交，不清楚的选“待核”。")
    upload.state, upload.submitted_by, upload.submitted_at = State.SUBMITTED, by, timezone.now()
    upload.returned_for = upload.error = ""
    if comment:
        upload.comment = comment[:500]
    upload.save(update_fields=["state", "submitted_by", "submitted_at", "comment", "returned_for", "error"])
    return upload


def _is_fresh(upload: Upload) -> None:
    """Another list of the place took force since the preview was made; a worker is at making it anew."""
    if upload.due:
        raise NotPossible("同一范围刚有另一份名单生效或撤回，正在按最新情况重新比对，请几秒后再看核对结果。")


@transaction.atomic
def send_back(upload: Upload, *, by: User, comment: str) -> Upload:
    """The bureau returns a submitted list with a comment; the sender finds it under 待核对 again."""
    if not may(by, Right.APPROVE):
        raise NotAllowed("只有县局可以退回名单。")
    if not comment.strip():
        raise NotPossible("请写明退回的原因。")
    upload = locked(upload.pk, states=[State.SUBMITTED])
    # A list in force whose late rows were submitted stays in force while it is returned.
    upload.state = State.IN_FORCE if upload.applied_at else State.REVIEW
    upload.returned_for = comment[:500]
    upload.save(update_fields=["state", "returned_for"])
    _tell(upload, f"名单 {upload.pk} 号被退回：{comment[:60]}")
    return upload


def is_corrected(upload: Upload) -> bool:
    """Whether anybody has put something right, on the page or with a workbook: reading the files again would lose it."""
    return upload.edits.exists() or upload.returned.filter(merged_at__isnull=False).exists()


def worked_on_by(upload: Upload, user: User) -> bool:
    """Whether the user sent, corrected or explained anything of the list, and so cannot be the second person."""
    return (
        user.pk in (upload.uploaded_by_id, upload.submitted_by_id)
        or upload.edits.filter(by=user).exists()
        or Finding.objects.filter(upload=upload, answered_by=user).exists()
        or Departure.objects.filter(upload=upload, by=user).exists()
    )


@transaction.atomic
def approve(upload: Upload, *, by: User, version: int | None = None) -> Upload:
    """The bureau lets the list take force; a worker applies it in one transaction. Nobody approves what they entered."""
    if not may(by, Right.APPROVE):
        raise NotAllowed("只有县局可以审核名单。")
    upload = locked(upload.pk, states=[State.SUBMITTED], version=version)
    if worked_on_by(upload, by):
        raise NotAllowed("上传、提交、修改过名单或填过去向的人不能审核它，请由另一人审核。")
    _is_fresh(upload)
    if unsaid := Departure.objects.filter(upload=upload).unsaid().count():
        raise NotPossible(
            f"提交之后同一范围又有名单生效，有 {unsaid:,} 人变为上期有、本期无，还没有说明去向。请退回报送单位补填。"
        )
    upload.state, upload.approved_by, upload.approved_at = State.APPROVED, by, timezone.now()
    upload.due, upload.error = True, ""
    upload.save(update_fields=["state", "approved_by", "approved_at", "due", "error"])
    wake(upload)
    return upload


# --- taking force and undoing ----------------------------------------------------------------------------------


def apply(upload_id: int, lease: Lease) -> None:
    """Puts an approved list in force: one transaction under a lock of its place, rights and preview checked again, the fence
    last. A preview that has changed since it was shown does not stop the apply; the receipt says what happened."""
    with transaction.atomic(), pghistory.context(upload=upload_id):
        upload = Upload.objects.select_related("approved_by", "uploaded_by", "town").get(pk=upload_id)
        kind = kind_of(upload.kind)
        _take_place(upload)
        approver = upload.approved_by
        if approver is None or not may(approver, Right.APPROVE):
            raise NotAllowed("审核人已不再有审核权限，名单没有生效，请由有权限的人重新审核。")
        pghistory.context(user=approver.pk)  # joins the context entered above
        now = timezone.now()
        if upload.applied_at is None:
            kind.destination.match(upload, to_apply=True)
            compare(upload, anew=True)
            missing.leave_pending(upload)
            kind.destination.hold(upload)
            upload.slices.update(applied_at=now)
        else:
            late = ready_rows(upload)
            held = list(UploadRow.objects.filter(held_by__in=late).values_list("pk", flat=True))
            late.update(state=RowState.ACCEPTED, late_at=now)
            kind.destination.match(upload, to_apply=True)
            missing.leave_pending(upload, kind.destination.released(upload, held) if held else ())
            upload.slices.filter(applied_at=None).update(applied_at=now)
        flipped = slices.settle(upload)
        written = kind.destination.take_force(upload, flipped)
        changes.record(cause="applied", students=written, upload=upload)
        count_rows(upload)
        upload.state, upload.applied_at, upload.stage = State.IN_FORCE, upload.applied_at or now, ""
        upload.due, upload.version = False, upload.version + 1
        upload.save()
        _tell(upload, f"名单 {upload.pk} 号已生效：{upload.rows_accepted} 行入库，{upload.rows_waiting} 行待改")
        _tell_those_before(upload, since=now)
        _age_previews(upload)
        jobs.fence(lease)


def not_applied(upload_id: int, sentence: str) -> None:
    """The approver lost the right before the worker came: the list waits for an approval again, and says why."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload_id)
        upload.state, upload.due, upload.stage, upload.error = State.SUBMITTED, False, "", sentence[:500]
        upload.save(update_fields=["state", "due", "stage", "error"])


def _take_place(upload: Upload) -> None:
    """One list of a kind and place at a time takes force or is undone, until the transaction ends; a county-wide list waits for
    those of all townships and they for it."""
    with connection.cursor() as cursor:
        if upload.town_id is None:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), 0)", [upload.kind])
        else:
            cursor.execute(
                "SELECT pg_advisory_xact_lock_shared(hashtext(%s), 0), pg_advisory_xact_lock(hashtext(%s), %s)",
                [upload.kind, upload.kind, upload.town_id],
            )


def _age_previews(upload: Upload) -> None:
    """Lists that wait with a slice of the same place were compared with what no longer counts: whoever confirms what they saw
    is refused from now on, and a worker compares them anew."""
    same_place = ListSlice.objects.filter(
        Exists(
            upload.slices.filter(kind=OuterRef("kind"), subkey=OuterRef("subkey")).filter(
                Q(school=OuterRef("school")) | Q(school=None, town=OuterRef("town"))
            )
        )
    )
    waiting = Upload.objects.filter(
        kind=upload.kind, state__in=[State.REVIEW, State.SUBMITTED], applied_at=None, pk__in=same_place.values("upload")
    ).exclude(pk=upload.pk)
    for other in waiting.order_by("pk").select_for_update():
        Upload.objects.filter(pk=other.pk).update(due=True, version=F("version") + 1)
        wake(other)


def renew(upload_id: int, lease: Lease) -> None:
    """Makes the preview of a waiting list anew; under a submitted one the bureau sees the new numbers and decides on those."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload_id)
        if upload.state in (State.REVIEW, State.SUBMITTED):
            kind_of(upload.kind).destination.match(upload)
            compare(upload, anew=True)
            count_rows(upload)
            upload.due, upload.stage, upload.version = False, "", upload.version + 1
            upload.save()
        jobs.fence(lease)


def _tell_those_before(upload: Upload, *, since: dt.datetime) -> None:
    """R03: who named a child before is told that another place names it too, by the rows of his own list and nothing else.

    When the list takes force, and again of rows that take force later.
    """
    claims: dict[int, dict[bool, list[int]]] = {}
    asked = Finding.objects.filter(upload=upload, code="held-elsewhere", params__has_key="upload").order_by("number")
    for found in asked if upload.applied_at == since else asked.filter(row__late_at=since):
        of_list = claims.setdefault(int(found.params["upload"]), {True: [], False: []})
        of_list[bool(found.answer)].append(int(found.params["row"]))
    for other in Upload.objects.filter(pk__in=claims):
        for settled, rows in claims[other.pk].items():
            if rows:
                where = "、".join(map(str, sorted(rows)[:10])) + (f" 等 {len(rows)} 行" if len(rows) > 10 else " 行")
                state = "对方已确认转入" if settled else "是转入还是重复，等对方确认"
                text = f"您名单 {other.pk} 号第 {where}的学生，{upload.place_name}的名单也报了：{state}"
                Notice.objects.create(user_id=other.uploaded_by_id, text=text[:200], url=f"/imports/{other.pk}/")


def compare(upload: Upload, *, anew: bool = False) -> None:
    """Takes over what taking force would change (not saved), and who is missing now (`missing.look`)."""
    set_diff(upload, kind_of(upload.kind).destination.diff(upload))
    missing.look(upload, anew=anew)


def ready_rows(upload: Upload) -> QuerySet[UploadRow]:
    """Rows of a list in force that waited, have been put right since, and take force with the next approval."""
    open_findings = Finding.objects.filter(
        row=OuterRef("pk"), level__in=[FindingLevel.ERROR, FindingLevel.ASK], answer=""
    )
    waiting = UploadRow.objects.filter(sheet__upload=upload, state=RowState.WAITING, slice__isnull=False)
    return waiting.exclude(Exists(open_findings))


def set_diff(upload: Upload, diff: Diff) -> None:
    """Takes the preview's numbers over (not saved)."""
    upload.rows_added, upload.rows_changed = diff.added, diff.changed
    upload.rows_missing, upload.rows_unchanged = diff.missing, diff.unchanged


def count_rows(upload: Upload) -> None:
    """Sets the upload's row counts from its rows (not saved)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM core_uploadrow"
            " WHERE sheet_id IN (SELECT id FROM core_uploadsheet WHERE upload_id = %s) GROUP BY state",
            [upload.pk],
        )
        counts = dict(cursor.fetchall())
    upload.rows_accepted, upload.rows_waiting = counts.get("A", 0), counts.get("W", 0)
    upload.rows_refused, upload.rows_repeated = counts.get("R", 0), counts.get("D", 0)
    upload.rows_read = sum(counts.values())


SlicePlace = tuple[int | None, int | None, str]


def slice_place(kind: ListKind, values: Values) -> SlicePlace | None:
    """The slice's place by the kind: (township, school, subkey); None where a school list's row names no school."""
    if kind.is_by_school():
        return (None, values.school_id, values.subkey) if values.school_id is not None else None
    return (values.town_id, None, values.subkey)


def open_slice(upload: Upload, place: SlicePlace) -> ListSlice:
    """The list's slice of a place; one that a correction opens in a list in force takes force with the list's next approval."""
    where: dict[str, Any] = dict(zip(("town_id", "school_id", "subkey"), place, strict=True))
    found, _ = ListSlice.objects.get_or_create(
        upload=upload,
        **where,
        defaults={"kind": upload.kind, "mode": upload.mode, "effective_on": upload.effective_on},
    )
    return found


def slice_for_row(upload: Upload, values: Values) -> int | None:
    place = slice_place(kind_of(upload.kind), values)
    return None if place is None else open_slice(upload, place).pk


def may_work_on(upload: Upload, user: User) -> bool:
    """Whether the user may correct rows of the list and submit it: whoever sends lists for its place today."""
    place = upload.school or upload.region
    return place is not None and may(user, Right.UPLOAD) and Scope.of(user).covers(place)


def may_undo(upload: Upload, user: User) -> bool:
    """The bureau at any time; the sender only before the approval (then it is a cancel)."""
    return upload.applied_at is not None and upload.undone_at is None and may(user, Right.APPROVE)


def undo_preview(upload: Upload) -> UndoPreview:
    return kind_of(upload.kind).destination.undo_preview(upload)


@transaction.atomic
def undo(upload: Upload, *, by: User, reason: str) -> UndoPreview:
    """Takes a list out of force: the older list shows again; newer lists and corrections win; nobody with acts goes.

    Returns the three buckets as they were just before. The same file may be sent again afterwards.
    """
    if not may(by, Right.APPROVE):
        raise NotAllowed("名单生效后由县局撤回。")
    if not reason.strip():
        raise NotPossible("请写明撤回的原因。")
    upload = Upload.objects.select_for_update().get(pk=upload.pk)
    if upload.applied_at is None or upload.undone_at is not None:
        raise NotPossible(f"名单 {upload.pk} 号没有生效，不用撤回。")
    kind = kind_of(upload.kind)
    _take_place(upload)
    buckets = kind.destination.undo_preview(upload)
    now = timezone.now()
    with pghistory.context(user=by.pk, upload=upload.pk, reason=reason):
        ListSlice.objects.filter(upload=upload).update(undone_at=now, is_current=False)
        flipped = [*slices.settle(upload), *upload.slices.values_list("pk", flat=True)]
        written = kind.destination.withdraw(upload, flipped)
        changes.record(cause="undone", students=written, upload=upload)
        upload.state, upload.undone_by, upload.undone_at, upload.undo_reason = State.UNDONE, by, now, reason[:200]
        upload.due = False
        upload.save(update_fields=["state", "undone_by", "undone_at", "undo_reason", "due"])
        _age_previews(upload)
    _tell(upload, f"名单 {upload.pk} 号已撤回：{reason[:60]}")
    return buckets


def fail(upload_id: int, sentence: str, *, state: State) -> None:
    """Notes why the list could not be used (REFUSED: the file; FAILED: us), and tells its sender."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload_id)
        upload.state, upload.error, upload.due, upload.stage = state, sentence[:500], False, ""
        upload.save(update_fields=["state", "error", "due", "stage"])
        _tell(upload, f"名单 {upload.pk} 号{upload.get_state_display()}：{sentence}")


def _tell(upload: Upload, text: str) -> None:
    Notice.objects.create(user_id=upload.uploaded_by_id, text=text[:200], url=f"/imports/{upload.pk}/")


def note_refused_rows(upload: Upload) -> None:
    """R08: rows of places outside the sender's scope are not taken, and that they were sent is recorded."""
    rows = Finding.objects.filter(upload=upload, code="outside-scope").count() if upload.rows_refused else 0
    if rows:
        access.note(
            by=upload.uploaded_by,
            action=Action.REFUSED_ROW,
            subject_kind="upload",
            subject_id=upload.pk,
            page=f"/imports/{upload.pk}/",
            rows=rows,
        )
