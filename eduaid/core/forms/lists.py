"""P11, P14: sending a list, sending it back, undoing it."""

from __future__ import annotations

import csv
import io
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from eduaid.core import preflight, senders
from eduaid.core.cells import Row
from eduaid.core.forms.fields import DayField, FilesField, FilesInput
from eduaid.core.indicators import area_of
from eduaid.core.lists import ListKind, Place, kind_of
from eduaid.core.models import Region, School, User
from eduaid.core.models.uploads import Mode
from eduaid.core.roles import today
from eduaid.core.spreadsheets import find_header
from eduaid.core.text import is_valid_id

ACCEPTED = (".xlsx", ".xlsm", ".xls", ".et", ".ods", ".csv", ".txt")
PASTED_LINES = 200
PASTED_NAME = "粘贴的内容.tsv"

_MODES = (
    (Mode.COMPLETE, "完整名单：范围内的人都在这份名单里"),
    (Mode.SUPPLEMENT, "补报：只增加漏报的人"),
    (Mode.AMENDMENT, "更正：只替换名单里写明的人"),
)


class SendForm(forms.Form):
    """One list: kind, place, date, mode, its files. Cleans to what `uploads.receive` takes."""

    files = FilesField(  # type: ignore[assignment]
        label="选择文件",
        required=False,
        widget=FilesInput(attrs={"multiple": True, "accept": ",".join(ACCEPTED)}),
        # The sentence stands in the template, which knows the limits.
        help_text=" ",
    )
    pasted = forms.CharField(
        label="从表格中复制后粘贴到这里，连同表头；按模板的列序排列的，可以没有表头",
        required=False,
        strip=False,
        max_length=400_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(label="名单种类")
    scope = forms.ChoiceField(label="填报范围", help_text="范围以外的行不收")
    effective_on = DayField(label="名单日期")
    mode = forms.ChoiceField(label="这份名单是", choices=_MODES, initial=Mode.COMPLETE, widget=forms.RadioSelect)
    comment = forms.CharField(label="说明（可不填）", required=False, max_length=200)

    def __init__(self, user: User, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        kinds = [(kind.key, f"{kind.label}（{kind.source}）") for kind in senders.kinds_of(user)]
        self.fields["kind"].choices = kinds if len(kinds) == 1 else [("", "请选择"), *kinds]  # type: ignore[attr-defined]
        self.fields["scope"].choices = _places(user)  # type: ignore[attr-defined]
        self.fields["effective_on"].initial = today()

    def clean_files(self) -> list[UploadedFile]:
        """Every file is looked at by content; all refusals are told together, each with its file's name."""
        given: list[UploadedFile] = self.cleaned_data["files"]
        refused = []
        limits = preflight.Limits(file_bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
        for file in given:
            try:
                preflight.inspect(file.read(), file.name or "", limits)
            except preflight.FileRefused as refusal:
                refused.append(forms.ValidationError(f"“{file.name}”：{refusal.sentence}", code=refusal.code))
            file.seek(0)
        if refused:
            raise forms.ValidationError(refused)
        return given

    def clean_pasted(self) -> str:
        text: str = self.cleaned_data["pasted"]
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > PASTED_LINES + 1:
            raise forms.ValidationError(f"粘贴了 {len(lines)} 行，超过 {PASTED_LINES} 行。请存成表格文件后上传")
        return text if lines else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "files" in cleaned and not cleaned["files"] and not cleaned.get("pasted") and "pasted" not in self.errors:
            self.add_error("files", "还没有选择文件。请选择要上传的表格")
        kind, place = self.chosen_kind(), self.chosen_place()
        if kind and isinstance(place, School) and kind.place is Place.TOWNSHIP:
            self.add_error("scope", f"“{kind.label}”按乡镇报送，范围请选一个乡镇或全县")
        return cleaned

    def chosen_kind(self) -> ListKind | None:
        key = self.cleaned_data.get("kind")
        return kind_of(key) if key else None

    def chosen_place(self) -> Region | School | None:
        code = self.cleaned_data.get("scope")
        return area_of(code) if code else None

    def contents(self) -> list[tuple[str, bytes]]:
        """Names and bytes; a pasted block is a text file like any other."""
        found = [(file.name or "", file.read()) for file in self.cleaned_data["files"]]
        kind = self.chosen_kind()
        if self.cleaned_data["pasted"] and kind:
            found.append((PASTED_NAME, _with_header(self.cleaned_data["pasted"], kind).encode("utf-8-sig")))
        return found


def _with_header(pasted: str, kind: ListKind) -> str:
    """The block, with the template's column names above it where it has none and its first line has its number where the
    template has it. What else lacks a header is refused when it is read, like a file."""
    rows = list(csv.reader(io.StringIO(pasted), delimiter="\t"))
    cells: list[tuple[int, Row]] = [(number, list(row)) for number, row in enumerate(rows, 1) if any(row)]
    keys = [column.key for column in kind.columns]
    first = dict(zip(keys, cells[0][1], strict=False))
    is_bare = is_valid_id(str(first.get(kind.id_column) or "")) and len(cells[0][1]) <= len(keys)
    if not is_bare or find_header(cells[:40], kind.columns):
        return pasted
    return "\t".join(column.label for column in kind.columns) + "\n" + pasted


def _places(user: User) -> list[Any]:
    """Options by township; a user with one place has nothing to choose."""
    regions = [
        (region.code, f"{region.name}（全县）" if region.is_home else f"{region.name}（全镇）")
        for region in senders.regions_of(user)
    ]
    by_town: dict[str, list[tuple[str, str]]] = {}
    for school in senders.schools_of(user):
        by_town.setdefault(school.town.name if school.town else "", []).append((school.code, school.name))
    groups: list[Any] = list(by_town.items())
    choices = [*regions, *groups]
    only = len(regions) + sum(len(schools) for schools in by_town.values()) == 1
    return (groups[0][1] if groups else regions) if only else [("", "请选择"), *choices]


class CommentForm(forms.Form):
    """Why a list goes back to its sender: it names what to look at."""

    comment = forms.CharField(
        label="退回原因",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="写明哪些行、哪里不对，怎样改。报送人会在工作台看到",
        error_messages={"required": "请写明退回的原因"},
    )


class UndoForm(forms.Form):
    reason = forms.CharField(
        label="撤回原因",
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请写明撤回的原因"},
    )
