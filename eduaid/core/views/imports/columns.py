"""P12 列对应: the columns that the reading was not sure of, asked once and remembered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import column_memory, column_samples, intake, uploads
from eduaid.core.column_content import content_of
from eduaid.core.lists import Column, ListKind, kind_of
from eduaid.core.models import Upload, UploadSheet
from eduaid.core.models.uploads import State
from eduaid.core.spreadsheets import normalise_header
from eduaid.core.text import scrub
from eduaid.core.uploads import NotAllowed, NotPossible
from eduaid.core.views.imports import hidden
from eduaid.core.views.imports.common import WORKERS, crumbs, head, the_list, title, to_its_page
from eduaid.core.views.imports.refusals import refused
from eduaid.core.views.pages import Link, Option
from eduaid.core.views.policy import AccountRequest, needs
from eduaid.core.workbooks import column_name

_FIELD = re.compile(r"(?P<how>[ck])-(?P<sheet>\d+)-(?P<position>\d+)")
_LIKELY = 0.5


@dataclass(frozen=True)
class Asked:
    """A column of the sheet that nobody has named yet."""

    name: str
    letter: str
    header: str
    sheet: str
    samples: list[str]
    options: list[Option]
    hint: str
    in_question: bool
    """It may be what is missing or doubtful; the sheet's other unnamed columns stand apart."""
    typed: str
    """What was written for such another column."""

    @property
    def typed_name(self) -> str:
        return f"k{self.name[1:]}"


@dataclass(frozen=True)
class Known:
    name: str
    """The field, in which the column's label can be written over."""
    letter: str
    header: str
    label: str
    remembered: bool


@dataclass(frozen=True)
class Missing:
    """A required column that no header names, and the headers that come near."""

    label: str
    likely: list[Option]


@needs(*WORKERS)
def columns(request: AccountRequest, pk: int) -> HttpResponse:
    upload = the_list(request, pk)
    if upload.state != State.MAPPING:
        return to_its_page(upload)
    may_answer = uploads.may_work_on(upload, request.user)
    errors: list[str] = []
    if request.method == "POST" and may_answer:
        try:
            intake.confirm_mapping(
                upload,
                _answers(request, kind_of(upload.kind)),
                by=request.user,
                remember=request.POST.get("remember") == "1",
            )
            return redirect("import-run", pk)
        except (NotPossible, KeyError) as refusal:
            errors = [str(refusal) if isinstance(refusal, NotPossible) else "所选的列不属于这种名单，请重新选择。"]
    return render(request, "imports/map.html", _page(request, upload) | {"errors": errors, "may_answer": may_answer})


def _answers(request: AccountRequest, kind: ListKind) -> dict[int, dict[int, str]]:
    """Sheet id → {column position: column key or nothing}, as the page sends them: keys in c-fields, labels in k-fields."""
    keys = {column.label: column.key for column in kind.columns}
    answers: dict[int, dict[int, str]] = {}
    for name, value in request.POST.items():
        if found := _FIELD.fullmatch(name):
            text = str(value).strip()
            key = text if found["how"] == "c" or not text else keys[text]
            answers.setdefault(int(found["sheet"]), {})[int(found["position"])] = key
    return answers


def _page(request: AccountRequest, upload: Upload) -> dict[str, object]:
    kind = kind_of(upload.kind)
    every = list(upload.sheets.select_related("file").order_by("file__position", "position"))
    # Without a question the page was opened to look the columns over.
    sheets = [sheet for sheet in every if sheet.questions] or every
    samples = column_samples.of(upload, sheets)
    memory = set(column_memory.of_place(upload).values_list("header", flat=True))
    asked: list[Asked] = []
    known: list[Known] = []
    missing: dict[str, Missing] = {}
    proposed: dict[str, str] = {}
    for sheet in sheets:
        asked += _asked(kind, sheet, samples.get(sheet.pk, {}), request.POST)
        for position, key in sorted(sheet.mapping.items(), key=lambda pair: int(pair[0])):
            header = str(sheet.headers[int(position)]) if int(position) < len(sheet.headers) else "（没有列名）"
            known.append(
                Known(
                    f"k-{sheet.pk}-{position}",
                    column_name(int(position)),
                    header,
                    kind.column(key).label,
                    normalise_header(header) in memory,
                )
            )
        for key in sheet.questions:
            column = kind.column(key)
            if _claimed(column, sheet):
                continue
            if column.required:
                looks = _looks(column, sheet, samples.get(sheet.pk, {}))
                near = {at: text for at, text in _likely(column, sheet) if at not in looks}
                headers = {at: str(sheet.headers[at]) if at < len(sheet.headers) else "" for at in looks} | near
                likely = [Option("", f"{column_name(at)} 列“{text}”") for at, text in list(headers.items())[:2]]
                missing.setdefault(key, Missing(column.label, likely))
            else:
                proposed[key] = column.label
    return {
        "upload": head(upload),
        "columns": [column for column in asked if column.in_question],
        "others": [column for column in asked if not column.in_question],
        "known": known,
        "missing": list(missing.values()),
        "doubtful": [
            kind.column(key).label
            for key in dict.fromkeys(k for s in sheets for k in s.questions)
            if key not in missing and key not in proposed
        ],
        "proposed": list(proposed.values()),
        "labels": [column.label for column in kind.columns],
        "hidden": hidden.lines(upload, request.user),
        "remember": True,
        "forget_url": reverse("import-forget", args=[upload.pk])
        if column_memory.may_forget(upload, request.user)
        else "",
        "cancel_url": reverse("import-cancel", args=[upload.pk]),
        "crumbs": crumbs(Link(title(upload))),
    }


def _asked(
    kind: ListKind, sheet: UploadSheet, samples: Mapping[int, list[str]], given: Mapping[str, str]
) -> list[Asked]:
    """The sheet's columns without a meaning, those near a question first chosen for it; empty columns are left out."""
    taken = set(sheet.mapping.values())
    free = [column for column in kind.columns if column.key not in taken]
    wanted = [column for key in sheet.questions for column in free if column.key == key]
    rest = [column for column in free if column not in wanted]
    guesses: dict[int, str] = {}
    near = {position for column in wanted for position, _ in _likely(column, sheet)}
    for column in wanted:
        # Where several headers claim a meaning, the person chooses; nothing is chosen beforehand.
        if _claimed(column, sheet):
            continue
        fitting = _looks(column, sheet, samples)
        near.update(fitting)
        for position in fitting[:1] or [position for position, _ in _likely(column, sheet)[:1]]:
            guesses.setdefault(position, column.key)
    found = []
    headers = [*sheet.headers, *[""] * (max(samples, default=-1) + 1 - len(sheet.headers))]
    for position, header in enumerate(headers):
        values = samples.get(position, [])
        if str(position) in sheet.mapping or not (header or values):
            continue
        name = f"c-{sheet.pk}-{position}"
        chosen = given.get(name, guesses.get(position, ""))
        found.append(
            Asked(
                name,
                column_name(position),
                str(header) or "（没有列名）",
                sheet.name,
                [scrub(value) for value in values],
                [Option(column.key, column.label, column.key == chosen) for column in (*wanted, *rest)],
                "建议" if chosen and name not in given else "",
                position in near or name in given,
                given.get(f"k{name[1:]}", ""),
            )
        )
    return found


def _looks(column: Column, sheet: UploadSheet, samples: Mapping[int, list[str]]) -> list[int]:
    """Unnamed columns of the sheet whose values are of this column's sort."""
    if column.content is None:
        return []
    free = [at for at in sorted(samples) if str(at) not in sheet.mapping]
    return [at for at in free if content_of(samples[at]) is column.content]


def _claimed(column: Column, sheet: UploadSheet) -> bool:
    """Whether some header is just one of the column's names: then several are, or it would have been taken."""
    names = {normalise_header(text) for text in (column.label, *column.synonyms)}
    return any(normalise_header(str(header)) in names for header in sheet.headers)


def _likely(column: Column, sheet: UploadSheet) -> list[tuple[int, str]]:
    """Up to two unnamed headers of the sheet that read most like this column."""
    wanted = {normalise_header(text) for text in (column.label, *column.synonyms)}
    scored = []
    for position, header in enumerate(sheet.headers):
        text = normalise_header(str(header))
        if text and str(position) not in sheet.mapping:
            scored.append((max(SequenceMatcher(None, text, form).ratio() for form in wanted), position, str(header)))
    scored.sort(key=lambda found: (-found[0], found[1]))
    return [(position, header) for score, position, header in scored[:2] if score >= _LIKELY]


@require_POST
@needs(*WORKERS)
def forget(request: AccountRequest, pk: int) -> HttpResponse:
    """Forgets how the list's place writes its columns, and reads the list again."""
    upload = the_list(request, pk)
    try:
        column_memory.forget(upload, by=request.user)
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    messages.success(request, "已忘掉上次的列对应，正在重新读取。")
    return redirect("import-run", pk)


@require_POST
@needs(*WORKERS)
def again(request: AccountRequest, pk: int) -> HttpResponse:
    """Opens the columns of a list once more, to look them over and change them."""
    upload = the_list(request, pk)
    try:
        intake.reopen_mapping(upload, by=request.user)
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    return redirect("import-map", pk)
