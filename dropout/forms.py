"""Opening a census round, and saying where a child is."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from dropout.actions import Said
from dropout.models import CensusRound
from dropout.models.census import AT_A_SCHOOL, Place, Window, born_in
from eduaid.core import codes
from eduaid.core.forms.fields import DayField
from eduaid.core.models import Region, School
from eduaid.core.roles import today


class RoundForm(forms.Form):
    """Everything is filled in; only the scope and the deadline are usually looked at."""

    name = forms.CharField(label="名称", max_length=60)
    window = forms.ChoiceField(label="年龄范围", choices=Window.choices)
    born_from = DayField(label="出生自", required=False, help_text="不填就按年龄范围推算")
    born_to = DayField(label="出生至", required=False, help_text="不填就按年龄范围推算")
    as_of = DayField(label="基准日")
    deadline = DayField(label="截止日期")
    towns = forms.ModelMultipleChoiceField(
        label="乡镇",
        queryset=Region.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="不选就是全县",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        towns: Any = self.fields["towns"]
        towns.queryset = Region.objects.townships().valid_on(today())

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        day, window = data.get("as_of"), data.get("window")
        if day and window:
            first, last = born_in(Window(window), day.year - (day.month < 9))
            data["born_from"] = data.get("born_from") or first
            data["born_to"] = data.get("born_to") or last
        return data


def next_round() -> dict[str, object]:
    """The usual dates of a round that is opened today; the window that has none open."""
    day = today()
    year = day.year - (day.month < 9)
    running = set(CensusRound.objects.open().values_list("window", flat=True))
    window = next((one for one in Window if one.value not in running), Window.COMPULSORY)
    season = "秋季" if day.month >= 9 else "春季"
    name = f"{day.year}年{season}{window.value.replace('-', '—')}周岁摸排"
    if CensusRound.objects.filter(name=name).exists():
        name = f"{name}（{day.month}月{day.day}日）"
    first, last = born_in(window, year)
    return {
        "name": name,
        "window": window.value,
        "born_from": first,
        "born_to": last,
        "as_of": day,
        "deadline": day + dt.timedelta(days=30),
    }


def _choices() -> list[tuple[str, Any]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for entry in codes.WHEREABOUTS:
        groups.setdefault(entry.group, []).append((entry.code, f"{entry.code} {entry.label}"))
    return [("", "请选择"), *groups.items()]


class WhereaboutsForm(forms.Form):
    """What somebody says of where children are; what each code needs beside it is checked by `actions.checked`."""

    code = forms.ChoiceField(label="去向", choices=_choices)
    where = forms.CharField(
        label="就读地点",
        required=False,
        max_length=120,
        help_text="在校的必填。县内学校写校名或标识码；县外的写到省市县、学校、年级、班级",
    )
    place = forms.ChoiceField(
        label="就读地在",
        required=False,
        choices=[("", "由去向或学校得出"), *Place.choices],
        help_text="随班就读、特教、中职，且没有写本县学校时选择",
    )
    basis = forms.CharField(
        label="依据",
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="谁、什么时候、怎样核实的，如“11月20日电话联系家长，本人在校上课”",
    )
    document = forms.CharField(
        label="证明材料",
        required=False,
        max_length=120,
        help_text="不计、缓学、休学的必填：材料的名称或编号",
    )

    def said(self) -> Said:
        """Call when valid. The place is one of the schools that are known, or it stays as it was written."""
        data = self.cleaned_data
        school = school_named(data["where"]) if data["code"] in AT_A_SCHOOL else None
        return Said(
            data["code"], data["basis"], school, "" if school else data["where"], data["document"], data["place"]
        )

    def say(self, field: str, sentence: str) -> None:
        """Puts a refusal at the field that it is about."""
        names = {"text": "where", "school": "where"}
        self.add_error(names.get(field, field if field in self.fields else None), sentence)


def school_named(text: str) -> School | None:
    """The school of that code, name or usual short name; none where several bear it."""
    text = text.strip()
    if not text:
        return None
    found = list(School.objects.filter(code=text)[:1]) or list(
        (School.objects.filter(name=text) | School.objects.filter(other_names__contains=[text])).distinct()[:2]
    )
    return found[0] if len(found) == 1 else None
