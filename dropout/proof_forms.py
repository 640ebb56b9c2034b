"""What people fill in about evidence, letters and spot checks."""

from __future__ import annotations

from typing import Any

from django import forms

from dropout.models.evidence import UNPROVABLE, EvidenceState
from dropout.models.letters import Answer
from dropout.models.spot_checks import FEWEST, MOST, Outcome
from dropout.proof import Proof, Where
from eduaid.core import codes
from eduaid.core.forms.fields import DATE_HELP, DayField, FilesField, FilesInput
from eduaid.core.roles import today

_PLAIN = {"autocomplete": "off"}


def _text(label: str, length: int, *, required: bool = True, help_text: str = "") -> forms.CharField:
    widget = forms.TextInput(attrs=_PLAIN)
    return forms.CharField(label=label, max_length=length, required=required, help_text=help_text, widget=widget)


class EvidenceForm(forms.Form):
    """Where a child studies and by what that is proved; which kind of proof is for whoever knows the case."""

    province = _text("省", 20, help_text="如 广东省")
    city = _text("市", 20, required=False, help_text="直辖市不填")
    county = _text("县（市、区）", 30)
    town = _text("乡镇（街道）", 30, required=False)
    school = _text("学校", 60, help_text="写全称")
    grade = forms.ChoiceField(label="年级", choices=[("", "请选择"), *codes.GRADE.choices])
    class_name = _text("班级", 20, help_text="如 3班")
    kind = forms.ChoiceField(
        label="取证方式",
        choices=[("", "请选择"), *codes.EVIDENCE_KIND.choices],
        help_text="按这名学生的情况选一种，不要求照片",
    )
    proved_on = DayField(label="证明日期", help_text=f"开具证明或核实的那一天，{DATE_HELP}")
    contact = _text("联系人", 30, required=False, help_text="班主任或学校办公室")
    phone = forms.CharField(
        label="联系电话",
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "tel"}),
        help_text="密封保存，页面上只显示前三位和后四位；留空则不变",
    )
    note = forms.CharField(label="备注", required=False, max_length=200, widget=forms.Textarea(attrs={"rows": 2}))
    photo = forms.FileField(
        label="拍照",
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
        help_text="可不拍。照片会缩小到 300 KB 以内，并去掉其中的位置、时间等信息",
    )
    pictures = FilesField(
        label="已有的图片或 PDF",
        required=False,
        widget=FilesInput(attrs={"accept": "image/*,application/pdf", "multiple": True}),
        help_text="可多选，最多 6 个",
    )

    def proof(self) -> Proof:
        said = self.cleaned_data
        where = Where(
            said["province"],
            said["city"],
            said["county"],
            said["town"],
            said["school"],
            said["grade"],
            said["class_name"],
        )
        return Proof(where, said["kind"], said["proved_on"], said["contact"], said["phone"], said["note"])

    def contents(self) -> list[bytes]:
        sent = [*self.cleaned_data["pictures"], *filter(None, [self.cleaned_data["photo"]])]
        return [file.read() for file in sent]


class GiveUpForm(forms.Form):
    """Why there is no proof."""

    state = forms.ChoiceField(
        label="情况",
        choices=[(state.value, state.label) for state in UNPROVABLE],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="经过",
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="何时、用什么方式联系了谁，对方怎么说",
    )


class TownReportForm(forms.Form):
    """To whom and when the school reported in writing."""

    office = _text("报告单位", 60)
    on = DayField(label="报告日期")


class ReasonForm(forms.Form):
    reason = forms.CharField(label="原因", max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


class ReviewForm(forms.Form):
    """Passed needs nothing more, returned needs its reason."""

    reason = forms.CharField(
        label="退回原因",
        max_length=200,
        widget=forms.TextInput(attrs={**_PLAIN, "list": "return-reasons"}),
        help_text="写明缺什么、怎么补",
    )


RETURN_REASONS = (
    "没有学校盖章，请补盖章的就读证明",
    "图片看不清，请重拍或换一种证明",
    "证明上的姓名与学生不符，请核对",
    "没有写到班级，请向学校问清",
    "证明日期不在本学年，请取得新的证明",
)


class LetterForm(forms.Form):
    """A letter to the bureau of one county about children who are said to study there."""

    to_office = _text("收函单位", 60)
    reply_by = DayField(label="请求答复日期")
    full_numbers = forms.BooleanField(
        label="函中写明完整证件号",
        required=False,
        help_text="便于对方查学籍。公函限对方教育局使用；写明的人数和操作人会记入查看日志",
    )


class AnswerForm(forms.Form):
    answer = forms.ChoiceField(label="答复", choices=[choice for choice in Answer.choices if choice[0]])
    note = _text("答复说明", 200, required=False)
    on = DayField(label="答复日期")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["on"].initial = today()


class DrawForm(forms.Form):
    """How many of each school, and the seed: given, or thrown by the program."""

    name = _text("名称", 60)
    per_school = forms.IntegerField(
        label="每校人数",
        min_value=FEWEST,
        max_value=MOST,
        initial=FEWEST,
        help_text=f"{FEWEST}—{MOST} 人；不足的学校全部抽取",
        error_messages={
            "min_value": f"「每校人数」应为 {FEWEST}—{MOST} 人，请重新填写",
            "max_value": f"「每校人数」应为 {FEWEST}—{MOST} 人，请重新填写",
            "invalid": f"「每校人数」应为 {FEWEST}—{MOST} 的整数，请重新填写",
        },
    )
    seed = _text(
        "随机种子",
        40,
        required=False,
        help_text="可由监督人员现场报一个数；留空由程序随机产生。同一种子可以重抽出同样的人",
    )


class OutcomeForm(forms.Form):
    outcome = forms.ChoiceField(label="结果", choices=[choice for choice in Outcome.choices if choice[0]])
    note = _text("说明", 200, required=False, help_text="不属实的必填：实际情况是什么")
    due_on = DayField(label="整改期限", required=False, help_text="不属实的必填")


class RectifyForm(forms.Form):
    note = forms.CharField(label="整改情况", max_length=200, widget=forms.Textarea(attrs={"rows": 2}))
    on = DayField(label="整改日期")


STATE_CHOICES = [
    (state.value, state.label) for state in EvidenceState if state != EvidenceState.WITHDRAWN
] + [("none", "尚未登记")]  # fmt: skip
