"""Fields as offices fill them: dates in every usual form, several files at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from eduaid.core.text import Parsed, parse_date

ALWAYS = dt.date(1949, 10, 1)
DATE_HELP = "如 2026-09-01，也可写 20260901、2026.9.1、2026年9月1日"


class DayField(forms.DateField):
    """A day in any of the forms in which offices write dates; what is ambiguous is asked back."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.DateInput(format="%Y-%m-%d", attrs={"autocomplete": "off"}))
        options.setdefault("help_text", DATE_HELP)
        super().__init__(**options)

    def to_python(self, value: Any) -> dt.date | None:
        if value in self.empty_values:
            return None
        if isinstance(value, dt.datetime):
            return value.date()
        if isinstance(value, dt.date):
            return value
        answer = parse_date(str(value))
        if answer is None:
            return None
        if isinstance(answer, Parsed):
            return answer.value
        raise forms.ValidationError(f"「{self.label}」{answer.sentence}", code="invalid")


class SinceField(DayField):
    """The day from which a place exists; blank for one that has been there all along."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", f"早就有的不填。新设的填启用之日，{DATE_HELP}")
        super().__init__(required=False, **options)

    def clean(self, value: Any) -> dt.date:
        return super().clean(value) or ALWAYS

    def prepare_value(self, value: Any) -> Any:
        return "" if value == ALWAYS else value


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files; cleans to a list. An empty file is for the caller to name, not for Django."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        given = [file for file in (data if isinstance(data, (list, tuple)) else [data]) if file]
        if not given and self.required:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return given
