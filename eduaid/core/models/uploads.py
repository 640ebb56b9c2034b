"""Lists as they came: an upload, its files, sheets and rows, what was found in them, and the slices they cover.

An upload is one list (docs/architecture.md): twelve class files dropped at once are one upload with twelve files. Rows are kept
for ever; what they say about children is resolved in the apps above.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Self

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .jobs import Job


class Mode(models.TextChoices):
    COMPLETE = "complete", "完整名单"
    SUPPLEMENT = "supplement", "补报"
    AMENDMENT = "amendment", "更正"


class State(models.TextChoices):
    """The life of a list. What is in force or superseded is read off its slices (`ListSlice.is_current`)."""

    RECEIVED = "received", "正在读取"
    MAPPING = "mapping", "待确认列对应"
    REVIEW = "review", "待核对"
    SUBMITTED = "submitted", "待县局审核"
    APPROVED = "approved", "正在入库"
    IN_FORCE = "in-force", "已生效"
    UNDONE = "undone", "已撤回"
    CANCELLED = "cancelled", "已取消"
    REFUSED = "refused", "文件无法使用"
    FAILED = "failed", "处理失败"


# A list in one of these can be sent again: the idempotency key does not hold it back.
ENDED = (State.UNDONE, State.CANCELLED, State.REFUSED, State.FAILED)


class UploadQuerySet(models.QuerySet["Upload"]):
    def applied(self) -> Self:
        """Lists that took force and were not undone, whatever is being done about their waiting rows."""
        return self.filter(applied_at__isnull=False, undone_at=None)

    def open(self) -> Self:
        """Lists that still wait for somebody."""
        return self.filter(state__in=[State.RECEIVED, State.MAPPING, State.REVIEW, State.SUBMITTED, State.APPROVED])

    def of_kind(self, kind: str) -> Self:
        return self.filter(kind=kind)


@pghistory.track(
    pghistory.UpdateEvent("state", condition=pghistory.AnyChange("state")),
    fields=[
        "state",
        "version",
        "uploaded_by",
        "submitted_by",
        "approved_by",
        "undone_by",
        "undo_reason",
        "returned_for",
        "comment",
    ],
    model_name="UploadEvent",
)
class Upload(Job):
    kind = models.CharField("名单种类", max_length=30)
    mode = models.CharField("方式", max_length=12, choices=Mode.choices, default=Mode.COMPLETE)
    region = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="uploads", verbose_name="范围")
    school = models.ForeignKey("core.School", models.PROTECT, null=True, related_name="uploads", verbose_name="学校")
    town = models.ForeignKey(
        "core.Region",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="乡镇",
        help_text="The township that may see the list; empty for county-wide lists.",
    )
    effective_on = models.DateField("名单日期")
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.RECEIVED)
    idempotency_key = models.CharField(max_length=64)
    content_digest = models.BinaryField(
        null=True, help_text="Keyed digest of the set of rows, whatever the bytes of the file."
    )
    data_key = models.ForeignKey("core.DataKey", models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(
        "版本", default=1, help_text="Grows with every edit; a stale preview is refused."
    )
    comment = models.CharField("说明", max_length=500, default="", blank=True)
    returned_for = models.CharField("退回原因", max_length=500, default="", blank=True)
    error = models.CharField("未能处理的原因", max_length=500, default="", blank=True)

    uploaded_by = models.ForeignKey("core.User", models.PROTECT, related_name="uploads", verbose_name="上传人")
    uploaded_at = models.DateTimeField("上传时间", default=timezone.now)
    submitted_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="提交人")
    submitted_at = models.DateTimeField("提交时间", null=True)
    approved_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审核人")
    approved_at = models.DateTimeField("审核时间", null=True)
    applied_at = models.DateTimeField("生效时间", null=True)
    undone_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="撤回人")
    undone_at = models.DateTimeField("撤回时间", null=True)
    undo_reason = models.CharField("撤回原因", max_length=200, default="", blank=True)

    # What the receipt says; written by the preview and again by the apply. delivered = accepted + waiting + refused + repeated.
    rows_read = models.PositiveIntegerField("读取", default=0)
    rows_accepted = models.PositiveIntegerField("可入库", default=0)
    rows_waiting = models.PositiveIntegerField("待改", default=0)
    rows_refused = models.PositiveIntegerField("不收", default=0)
    rows_repeated = models.PositiveIntegerField("重复", default=0)
    rows_added = models.PositiveIntegerField("新增", default=0)
    rows_changed = models.PositiveIntegerField("变更", default=0)
    rows_missing = models.PositiveIntegerField("上期有本期无", default=0)
    rows_unchanged = models.PositiveIntegerField("无变化", default=0)

    objects = UploadQuerySet.as_manager()

    class Meta(Job.Meta):
        abstract = False
        verbose_name = verbose_name_plural = "名单"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["idempotency_key"], condition=~Q(state__in=ENDED), name="upload_once_while_not_ended"
            ),
            models.CheckConstraint(
                condition=Q(region__isnull=True, school__isnull=False) | Q(region__isnull=False, school__isnull=True),
                name="upload_covers_a_region_or_a_school",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.IN_FORCE) | Q(approved_by__isnull=False, applied_at__isnull=False),
                name="upload_in_force_was_approved",
            ),
            # Nobody approves what they entered; a list that a county officer approves was sent by somebody else.
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("uploaded_by")), name="upload_approved_by_another"
            ),
            models.CheckConstraint(
                condition=~Q(state=State.IN_FORCE)
                | Q(rows_read=F("rows_accepted") + F("rows_waiting") + F("rows_refused") + F("rows_repeated")),
                name="upload_every_row_accounted_for",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.UNDONE) | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="upload_undone_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "state"], name="upload_kind_state"),
            models.Index(fields=["id"], condition=Q(due=True), name="upload_due"),
        ]

    def __str__(self) -> str:
        return f"名单{self.pk}号"

    @property
    def place_name(self) -> str:
        """The scope in words; the caller has selected region and school."""
        place = self.region if self.region_id else self.school
        return str(place)


class UploadFile(models.Model):
    """One file of a list: its bytes lie sealed in the file store, under the list's data key."""

    upload = models.ForeignKey(Upload, models.PROTECT, related_name="files")
    position = models.PositiveSmallIntegerField()
    name = models.CharField("文件名", max_length=255)
    size = models.PositiveIntegerField("字节数")
    sha256 = models.CharField("文件指纹", max_length=64)
    stored_as = models.CharField(max_length=80)
    kind = models.CharField("文件类型", max_length=12, default="")

    class Meta:
        ordering = ["upload", "position"]
        constraints = [models.UniqueConstraint(fields=["upload", "position"], name="uploadfile_position_once")]

    def __str__(self) -> str:
        return self.name


class UploadSheet(models.Model):
    """One sheet that was read: where its header stands and which column means what."""

    file = models.ForeignKey(UploadFile, models.PROTECT, related_name="sheets")
    upload = models.ForeignKey(Upload, models.PROTECT, related_name="sheets")
    position = models.PositiveSmallIntegerField()
    name = models.CharField("工作表", max_length=120)
    title = models.CharField("标题", max_length=500, default="", help_text="File name and the text above the header.")
    is_hidden = models.BooleanField("隐藏", default=False)
    epoch_1904 = models.BooleanField(default=False)
    header_from = models.PositiveIntegerField("表头起始行", default=0)
    header_to = models.PositiveIntegerField("表头结束行", default=0)
    headers = models.JSONField("列标题", default=list, help_text="Header texts in column order.")
    mapping = models.JSONField(
        "列对应", default=dict, help_text="Column position (text) → column key; unknown columns absent."
    )
    questions = models.JSONField("待确认列", default=list, help_text="Column keys that the user must settle.")
    rows = models.PositiveIntegerField("数据行", default=0)
    decisions = models.JSONField(
        "隐藏内容的处理",
        default=dict,
        help_text="What the user said of hidden rows, columns or the whole sheet: {part: [answer, user id]}.",
    )

    class Meta:
        ordering = ["file", "position"]
        constraints = [models.UniqueConstraint(fields=["file", "position"], name="uploadsheet_position_once")]

    def __str__(self) -> str:
        return self.name


class ListSlice(models.Model):
    """The part of a list that covers one school or one township (and, for hardship lists, one category).

    `is_current`: the slice's rows count. Of one kind, place and subkey the newest complete slice is current, and every
    supplement or amendment after it; newest by effective date, then approval. Kept by `core.slices` alone.
    """

    upload = models.ForeignKey(Upload, models.PROTECT, related_name="slices")
    kind = models.CharField(max_length=30)
    mode = models.CharField(max_length=12, choices=Mode.choices)
    town = models.ForeignKey("core.Region", models.PROTECT, null=True, related_name="+")
    school = models.ForeignKey("core.School", models.PROTECT, null=True, related_name="+")
    subkey = models.CharField(max_length=20, default="", blank=True)
    effective_on = models.DateField()
    applied_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    is_current = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "town", "school", "subkey"], nulls_distinct=False, name="listslice_once_a_list"
            ),
            models.UniqueConstraint(
                fields=["kind", "town", "school", "subkey"],
                condition=Q(is_current=True, mode=Mode.COMPLETE),
                nulls_distinct=False,
                name="listslice_one_complete_list_in_force",
            ),
            models.CheckConstraint(
                condition=Q(is_current=False) | Q(applied_at__isnull=False, undone_at=None),
                name="listslice_current_was_applied",
            ),
        ]
        indexes = [models.Index(fields=["kind", "school", "town"], name="listslice_place")]


class RowState(models.TextChoices):
    ACCEPTED = "A", "可入库"
    WAITING = "W", "待改"
    REFUSED = "R", "不收"
    REPEATED = "D", "重复"


class UploadRowQuerySet(models.QuerySet["UploadRow"]):
    def in_force(self, kind: str) -> Self:
        """Rows of a kind that count now: accepted rows of current slices, and rows held by a newer one that waits."""
        held = Q(held_by__state=RowState.WAITING, held_by__slice__is_current=True)
        return self.filter(Q(slice__is_current=True) | held, state=RowState.ACCEPTED, slice__kind=kind)

    def waiting(self) -> Self:
        """待改: rows of lists in force that wait for a correction; each keeps the child's last row in force."""
        return self.filter(slice__is_current=True, state=RowState.WAITING)

    def of_places(self, towns: Collection[int], schools: Collection[int]) -> Self:
        return self.filter(Q(town__in=towns) | Q(school__in=schools))


class UploadRow(models.Model):
    """One row as it was delivered. Written once by COPY; only state, facts and digests change when a cell is corrected.

    `facts`: the parsed values that are not identifiers (name, sex, birth, grade …), by column key.
    `sealed`: the delivered text of every known column, sealed under the list's data key; unknown columns are not kept.
    `id_digest`, `registry_digest`: keyed digests of a valid ID number and of the 学籍号; an unusable ID has none.
    `digest`: keyed digest of all known values: two rows that say the same have the same.
    """

    # Copies: the sheet names the list, the slice the place, and both are held by constraints; the copies are for row security.
    upload = models.ForeignKey(Upload, models.PROTECT, related_name="rows", db_index=False, db_constraint=False)
    town = models.ForeignKey(
        "core.Region", models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    school = models.ForeignKey(
        "core.School", models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    # Held by triggers, once a statement: eduaid.core.database.references.
    sheet = models.ForeignKey(UploadSheet, models.PROTECT, related_name="row_set", db_index=False, db_constraint=False)
    slice = models.ForeignKey(ListSlice, models.PROTECT, null=True, related_name="rows", db_constraint=False)
    number = models.PositiveIntegerField("行号")
    state = models.CharField("状态", max_length=1, choices=RowState.choices)
    id_digest = models.BinaryField(null=True)
    registry_digest = models.BinaryField(null=True)
    digest = models.BinaryField()
    facts = models.JSONField(default=dict)
    sealed = models.BinaryField()
    held_by = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="holds",
        db_index=False,
        help_text="A newer row about the same child that waits for a correction: until then this one stays in force.",
    )
    continues = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The older row that the hidden key of a prefilled template names: who fills it in speaks of the same person.",
    )
    late_at = models.DateTimeField(null=True, help_text="Set when the row took force after the rest of its list.")

    objects = UploadRowQuerySet.as_manager()

    # No default order: it would join sheet, file and list, and row security hides those of county-wide lists from a
    # township, which would lose its rows without a word.
    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet", "number"], name="uploadrow_number_once")]
        indexes = [
            models.Index(fields=["held_by"], condition=Q(held_by__isnull=False), name="uploadrow_held"),
            models.Index(fields=["slice"], condition=Q(state=RowState.WAITING), name="uploadrow_waiting"),
        ]

    def set_facts(self, facts: str) -> None:
        """Takes the facts as the JSON text that `eduaid.core.rows` joins together."""
        self.facts = json.loads(facts)


class CellEdit(models.Model):
    """A cell corrected on the check page. The delivered value stays in the row; the newest edit of a column holds."""

    row = models.ForeignKey(UploadRow, models.PROTECT, related_name="edits")
    upload = models.ForeignKey(Upload, models.PROTECT, related_name="edits")
    column = models.CharField(max_length=40)
    sealed = models.BinaryField()
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)


class FindingLevel(models.TextChoices):
    ERROR = "error", "须修改"
    ASK = "ask", "须确认"
    WARNING = "warning", "提示"
    HINT = "hint", "说明"


class Finding(models.Model):
    """Something found in a list: a code and a position, without the value; the sentence is made when it is read.

    An open error or question keeps its row waiting; a finding without a row concerns the sheet or the file.
    """

    upload = models.ForeignKey(Upload, models.PROTECT, related_name="findings", db_index=False)
    sheet = models.ForeignKey(UploadSheet, models.PROTECT, null=True, related_name="findings")
    row = models.ForeignKey(UploadRow, models.PROTECT, null=True, related_name="findings")
    number = models.PositiveIntegerField("行号", null=True)
    column = models.CharField("列", max_length=40, default="", blank=True)
    code = models.CharField("问题", max_length=40)
    level = models.CharField("级别", max_length=7, choices=FindingLevel.choices)
    params = models.JSONField(default=dict, blank=True)
    answer = models.CharField("答复", max_length=20, default="", blank=True)
    answered_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", db_index=False)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["sheet", "number", "id"]
        indexes = [models.Index(fields=["upload", "level", "code"], name="finding_of_upload")]


class ColumnMemory(models.Model):
    """How a place writes a column: asked once, remembered school → township → county, forgotten with one click."""

    kind = models.CharField(max_length=30)
    region = models.ForeignKey("core.Region", models.CASCADE, null=True, related_name="+")
    school = models.ForeignKey("core.School", models.CASCADE, null=True, related_name="+")
    header = models.CharField("列标题", max_length=120)
    column = models.CharField("列", max_length=40)
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "region", "school", "header"], nulls_distinct=False, name="columnmemory_once"
            )
        ]


class ValueMemory(models.Model):
    """What a place means by a word that no table knows (小三 is 三年级): corrected once, remembered for the same kind and column.

    Only words of columns that hold codes, grades or places; never a name or a number of a person.
    """

    kind = models.CharField(max_length=30)
    region = models.ForeignKey("core.Region", models.CASCADE, null=True, related_name="+")
    school = models.ForeignKey("core.School", models.CASCADE, null=True, related_name="+")
    column = models.CharField("列", max_length=40)
    written = models.CharField("表中写法", max_length=60)
    meaning = models.CharField("含义", max_length=120)
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "region", "school", "column", "written"],
                nulls_distinct=False,
                name="valuememory_once",
            )
        ]
