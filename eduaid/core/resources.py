"""Reference data as spreadsheets, for the admin: townships, villages and schools, a row each, out and in again.

Headers are Chinese, places go by code; an import is checked as a whole and one wrong row stops it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import BooleanWidget, DateWidget, ForeignKeyWidget, Widget

from eduaid.core.forms.fields import ALWAYS
from eduaid.core.models import Region, School, SchoolYear, Term, User
from eduaid.core.models.calendar import Season
from eduaid.core.models.places import Level, Stage
from eduaid.core.text import Parsed, guard_formula, parse_date, restore_formula, tidy


class Text(Widget):
    """Text that no spreadsheet takes for a formula."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return restore_formula(tidy(str(value if value is not None else "")))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return guard_formula(str(value or ""))


class Code(Text):
    """A code typed as a number in a spreadsheet comes as 990121001.0."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return super().clean(value, row, **kwargs)


class Choice(Widget):
    """A value by its Chinese label."""

    def __init__(self, choices: list[tuple[str, str]]) -> None:
        super().__init__()
        self._labels = dict(choices)
        self._values = {label: value for value, label in choices}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = tidy(str(value or ""))
        if text in self._values:
            return self._values[text]
        raise ValueError(f"“{text}”不在可选的值中：{'、'.join(self._values)}")

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return self._labels.get(str(value), "")


class Several(Widget):
    """A list in one cell, divided by 、; with choices, by their labels."""

    def __init__(self, choice: Choice | None = None) -> None:
        super().__init__()
        self._choice = choice

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[str]:
        parts = [tidy(part) for part in str(value or "").replace("，", "、").replace(",", "、").split("、")]
        return [self._choice.clean(part) if self._choice else part for part in parts if part]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return guard_formula("、".join(self._choice.render(part) if self._choice else part for part in value or ()))


class Day(DateWidget):
    """A day in any form in which offices write dates; `blank` stands for an empty cell."""

    def __init__(self, blank: dt.date | None = None) -> None:
        super().__init__()
        self._blank = blank

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> dt.date | None:
        if value in (None, ""):
            return self._blank
        answer = parse_date(float(value) if isinstance(value, int) else value)
        if isinstance(answer, Parsed):
            return answer.value
        raise ValueError(answer.sentence if answer else "请填写日期")

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None or value == self._blank else f"{value:%Y-%m-%d}"


class YesNo(BooleanWidget):
    TRUE_VALUES = ["是", "1", 1, True, "true", "TRUE"]
    FALSE_VALUES = ["否", "", "0", 0, False, "false", "FALSE"]

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool:
        return bool(super().clean(value, row, **kwargs))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "是" if value else "否"


class PlaceByCode(ForeignKeyWidget):
    """The newest region of a code; codes are used again after mergers."""

    def __init__(self) -> None:
        super().__init__(Region, "code")

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Region | None:
        code = Code().clean(value)
        if not code:
            return None
        found = Region.objects.filter(code=code).order_by("-valid_from").first()
        if found is None:
            raise ValueError(f"没有代码为“{code}”的区划。请先登记")
        return found


def _text(label: str, attribute: str, widget: Widget | None = None) -> Field:
    return Field(column_name=label, attribute=attribute, widget=widget or Text())


class _Reference(ModelResource):
    """Unchanged rows are left alone; constraints are checked before anything is written."""

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        """Nothing: ids are never imported, and the application role may not set the sequences of the tables."""

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        try:
            instance.full_clean()
        except ValidationError as error:
            raise ValueError("；".join(error.messages)) from error


class RegionResource(_Reference):
    code = _text("代码", "code", Code())
    name = _text("名称", "name")
    level = _text("级别", "level", Choice([(level.value, str(level.label)) for level in Level]))
    parent = _text("上级代码", "parent", PlaceByCode())
    valid_from = _text("启用日期", "valid_from", Day(ALWAYS))
    valid_until = _text("停用日期", "valid_until", Day())
    merged_into = _text("并入代码", "merged_into", PlaceByCode())

    class Meta:
        model = Region
        name = "区划"
        fields = ("code", "name", "level", "parent", "valid_from", "valid_until", "merged_into")
        import_id_fields = ("code", "valid_from")
        skip_unchanged = True
        report_skipped = False


class SchoolResource(_Reference):
    code = _text("学校标识码", "code", Code())
    name = _text("学校名称", "name")
    stages = _text("学段", "stages", Several(Choice([(stage.value, str(stage.label)) for stage in Stage])))
    kind = _text("办学类型", "kind", Choice([("公办", "公办"), ("民办", "民办")]))
    town = _text("乡镇代码", "town", PlaceByCode())
    is_outside = _text("县外学校", "is_outside", YesNo())
    other_names = _text("简称与曾用名", "other_names", Several())
    valid_from = _text("启用日期", "valid_from", Day(ALWAYS))
    valid_until = _text("停用日期", "valid_until", Day())

    class Meta:
        model = School
        name = "学校"
        fields = ("code", "name", "stages", "kind", "town", "is_outside", "other_names", "valid_from", "valid_until")
        import_id_fields = ("code",)
        skip_unchanged = True
        report_skipped = False


class SchoolYearResource(_Reference):
    label = _text("学年", "label")
    starts_on = _text("开始日期", "starts_on", Day())
    ends_on = _text("结束日期", "ends_on", Day())

    class Meta:
        model = SchoolYear
        name = "学年"
        fields = ("label", "starts_on", "ends_on")
        import_id_fields = ("label",)
        skip_unchanged = True
        report_skipped = False


class TermResource(_Reference):
    year = _text("学年", "year", ForeignKeyWidget(SchoolYear, "label"))
    season = _text("学期", "season", Choice([(season.value, str(season.label)) for season in Season]))
    starts_on = _text("开始日期", "starts_on", Day())
    ends_on = _text("结束日期", "ends_on", Day())

    class Meta:
        model = Term
        name = "学期"
        fields = ("year", "season", "starts_on", "ends_on")
        import_id_fields = ("year", "season")
        skip_unchanged = True
        report_skipped = False


class UserResource(ModelResource):
    """Who has an account; out only."""

    username = _text("账号", "username")
    display_name = _text("姓名", "display_name")
    is_active = _text("启用", "is_active", YesNo())

    class Meta:
        model = User
        name = "账号"
        fields = ("username", "display_name", "is_active")
