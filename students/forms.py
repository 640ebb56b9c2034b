"""What people fill in about children: why a number is shown, what is corrected, which side of a contradiction is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from eduaid.core import codes
from eduaid.core.forms.fields import DayField
from eduaid.core.models import Region, School
from eduaid.core.models.places import Level
from students import actions
from students.acts import Conflict
from students.identity import KEEP
from students.identity import OTHER as OTHER_FILE
from students.models import Correction, Student
from students.models.people import Sex

# --- showing a number ------------------------------------------------------------------------------------------

PURPOSES = ("核对身份", "办理资助", "办理学籍", "核实去向", "制作文书")
OTHER = "其他"


class RevealForm(forms.Form):
    """Why a number is shown in full, and the password again where it was not given within the last minutes."""

    purpose = forms.ChoiceField(
        label="用途", choices=[("", "请选择"), *((text, text) for text in (*PURPOSES, OTHER))], help_text="记入查看日志"
    )
    detail = forms.CharField(label="说明（选“其他”时必填）", required=False, max_length=60)
    password = forms.CharField(
        label="登录密码",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="再输一次，10 分钟内不再问",
    )

    def __init__(self, *args: Any, asks_password: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not asks_password:
            del self.fields["password"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("purpose") == OTHER and not cleaned.get("detail"):
            self.add_error("detail", "选“其他”时，请写明用途")
        return cleaned

    @property
    def stated(self) -> str:
        """The purpose as the access log keeps it."""
        detail = self.cleaned_data["detail"]
        return f"{self.cleaned_data['purpose']}：{detail}" if detail else str(self.cleaned_data["purpose"])


# --- who is who ------------------------------------------------------------------------------------------------


class ReasonForm(forms.Form):
    """Why a decision about who is who is made or taken back."""

    reason = forms.CharField(
        label="理由",
        max_length=200,
        help_text="写明依据，如户口簿、学校来函、电话核实",
        error_messages={"required": "请填写「理由」，写明依据"},
    )


class MergeForm(ReasonForm):
    """A field for each thing of which only one of two files may keep its own (`students.acts.Conflict`)."""

    def __init__(self, *args: Any, conflicts: Sequence[Conflict], **options: Any) -> None:
        super().__init__(*args, **options)
        self.names = {f"settle_{place}": conflict.key for place, conflict in enumerate(conflicts)}
        for (name, _), conflict in zip(self.names.items(), conflicts, strict=True):
            self.fields[name] = forms.ChoiceField(
                label=f"{conflict.label}，留哪一条",
                choices=[(KEEP, f"留用档案的：{conflict.kept}"), (OTHER_FILE, f"并入档案的：{conflict.other}")],
                widget=forms.RadioSelect,
                error_messages={"required": f"请选定{conflict.label}留哪一条"},
            )

    @property
    def settled(self) -> dict[str, str]:
        return {key: self.cleaned_data[name] for name, key in self.names.items()}


class OtherFileForm(forms.Form):
    """The file number of the second file of a child."""

    number = forms.CharField(
        label="另一份档案的档案号",
        max_length=12,
        help_text="档案号写在学生档案的姓名下面，由 10 个字母和数字组成",
        error_messages={"required": "请填写「另一份档案的档案号」"},
    )


class MoveForm(forms.Form):
    """To whom a row of a list belongs: another file, or a new one when the field stays empty."""

    number = forms.CharField(
        label="归哪份档案（档案号）",
        max_length=12,
        required=False,
        help_text="不填就新建一份档案。档案号写在学生档案的姓名下面",
    )


# --- corrections -----------------------------------------------------------------------------------------------


class DecisionForm(forms.Form):
    """Which side is right when a newer list contradicts a correction."""

    choice = forms.ChoiceField(
        label="以哪一个为准",
        choices=[("keep", "更正对，名单有误：继续用更正的值"), ("give-way", "名单对：撤销更正，用名单的值")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label="依据", max_length=200)


_BLANK = ("", "（空）")
_KNOWN = [("", "不详"), ("true", "是"), ("false", "否")]


def _coded(label: str, table: codes.Table) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=[_BLANK, *table.choices], required=False)


def _flag(label: str) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, choices=_KNOWN, required=False, coerce=lambda text: text == "true", empty_value=None
    )


class _Village(forms.ModelChoiceField):
    """Villages of different townships share names."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.parent.name}{obj.name}"


class CorrectionForm(forms.ModelForm):
    """What the bureau knows better than the lists: whatever differs from the record becomes a correction."""

    name = forms.CharField(label="姓名", max_length=60)
    sex = forms.ChoiceField(label="性别", choices=[_BLANK, *Sex.choices], required=False)
    birth_on = DayField(label="出生日期", required=False)
    id_kind = forms.ChoiceField(label="证件类型", choices=codes.ID_TYPE.choices, initial="1")
    id_number = forms.CharField(
        label="证件号码", required=False, max_length=30, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="只在号码有误时填写正确的号码；留空则不变",
    )  # fmt: skip
    ethnicity = _coded("民族", codes.ETHNIC)
    hukou_town = forms.ModelChoiceField(Region.objects.none(), label="户籍乡镇", required=False)
    hukou_village = _Village(Region.objects.none(), label="户籍村", required=False)
    hukou_outside = forms.BooleanField(label="县外户籍", required=False)
    school = forms.ModelChoiceField(School.objects.none(), label="就读学校", required=False)
    grade = _coded("年级", codes.GRADE)
    class_name = forms.CharField(label="班级", max_length=20, required=False)
    boarding = forms.TypedChoiceField(
        label="就读方式", choices=[("", "不详"), ("true", "寄宿"), ("false", "走读")], required=False,
        coerce=lambda text: text == "true", empty_value=None,
    )  # fmt: skip
    left_behind = _coded("留守情况", codes.LEFT_BEHIND)
    migrant = _flag("随迁子女")
    orphan = _flag("孤儿")
    disability = _coded("残疾类型", codes.DISABILITY)
    guardian = forms.CharField(label="监护人", max_length=60, required=False)
    reason = forms.CharField(
        label="更正原因",
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="写明依据，如户口簿、公安复函、家长来电并核实",
        error_messages={"required": "请填写「更正原因」，写明依据"},
    )

    CONCEPTS: Mapping[str, tuple[str, ...]] = {
        "name": ("name",),
        "sex": ("sex",),
        "birth": ("birth_on",),
        "id": ("id_number", "id_kind"),
        "ethnicity": ("ethnicity",),
        "hukou": ("hukou_town", "hukou_village", "hukou_outside"),
        "schooling": ("school", "grade", "class_name"),
        "boarding": ("boarding",),
        "left-behind": ("left_behind",),
        "migrant": ("migrant",),
        "orphan": ("orphan",),
        "disability": ("disability",),
        "guardian": ("guardian",),
    }

    class Meta:
        model = Student
        fields: list[str] = []

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        child: Student = self.instance
        for name in (field for fields in self.CONCEPTS.values() for field in fields):
            if name not in ("id_number", "id_kind"):
                value = getattr(child, f"{name}_id" if name in ("hukou_town", "hukou_village", "school") else name)
                self.initial[name] = {True: "true", False: "false"}.get(value, value) if self._is_flag(name) else value
        self.initial["id_kind"] = child.id_type or "1"
        self._offer("hukou_town", Region.objects.townships())
        self._offer(
            "hukou_village",
            Region.objects.filter(level=Level.VILLAGE, valid_until=None).select_related("parent").order_by("code"),
        )
        self._offer("school", School.objects.order_by("is_outside", "code"))

    def _is_flag(self, name: str) -> bool:
        return isinstance(self.fields[name], forms.TypedChoiceField)

    def _offer(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def changes(self) -> dict[str, dict[str, Any]]:
        """Concept → entered values, for the concepts that differ from the record; what `actions.correct` takes."""
        touched = set(self.changed_data) - {"id_kind"}
        return {concept: self._entered(concept) for concept, fields in self.CONCEPTS.items() if touched & set(fields)}

    def _entered(self, concept: str) -> dict[str, Any]:
        said = {name: self.cleaned_data.get(name) for name in self.CONCEPTS[concept]}
        if concept == "id":
            return {"id_number": said["id_number"], "id_type": said["id_kind"]}
        return {
            f"{k}_id" if k in ("hukou_town", "hukou_village", "school") else k: getattr(v, "pk", v)
            for k, v in said.items()
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for concept, values in self.changes().items():
            if any(name in self.errors for name in self.CONCEPTS[concept]):
                continue
            try:
                actions.prepared(concept, values)
                if concept == "id":
                    self._compare_number(values, cleaned)
            except actions.CannotCorrect as refusal:
                self.add_error(self.CONCEPTS[concept][0], str(refusal))
        if not self.errors and not self.changes():
            raise forms.ValidationError("没有改动任何一项。请改正有误的项目后再保存。")
        return cleaned

    def _compare_number(self, values: dict[str, Any], cleaned: dict[str, Any]) -> None:
        """The number must be free, and must not contradict the birth date and sex that are to stand beside it."""
        number = actions.id_number(values)
        actions.number_is_known(self.instance, number)
        if number.born_on and cleaned.get("birth_on") and number.born_on != cleaned["birth_on"]:
            raise actions.CannotCorrect(
                "id", "『证件号码』中的出生日期与『出生日期』不一致。两项都要更正的，请一并填写。"
            )
        if number.sex and cleaned.get("sex") and number.sex != cleaned["sex"]:
            raise actions.CannotCorrect(
                "id", "『证件号码』第 17 位所示性别与『性别』不一致。两项都要更正的，请一并填写。"
            )


class RevokeForm(forms.ModelForm):
    """Taking a correction back."""

    revoke_reason = forms.CharField(label="撤销原因", max_length=200, widget=forms.Textarea(attrs={"rows": 2}))

    class Meta:
        model = Correction
        fields: list[str] = []
