"""What people fill in about programmes, standards, recognition and gaps."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from eduaid.core import codes
from eduaid.core.forms.fields import DATE_HELP, DayField
from eduaid.core.models.places import Stage
from subsidies.models import Programme
from subsidies.models.programmes import Boarding, Counting, Per, Who, parse_term

_PLAIN = {"autocomplete": "off"}
_TERM_HELP = "如 2023年秋季"


class TermField(forms.CharField):
    """A term as people write it → its number; empty → None."""

    def __init__(self, **options: object) -> None:
        super().__init__(max_length=14, widget=forms.TextInput(attrs=_PLAIN), **options)  # type: ignore[arg-type]

    def clean(self, value: object) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        number = parse_term(text)
        if number is None:
            raise forms.ValidationError(
                f"『{self.label}』现为“{text}”，看不出是哪一学期。请写成“2023年秋季”或“2023年春季”。"
            )
        return number


class StandardForm(forms.Form):
    """A new standard of a programme; the one it follows ends with the term before."""

    stage = forms.ChoiceField(label="学段")
    boarding = forms.ChoiceField(label="就读方式", choices=Boarding.choices, required=False)
    group = forms.ChoiceField(label="类别", required=False)
    tier = forms.ChoiceField(
        label="等级", choices=[("", "不分"), *(c for c in codes.HARDSHIP_LEVEL.choices if c[0] != "0")], required=False
    )
    amount = forms.DecimalField(
        label="金额（元）",
        min_value=Decimal("0.01"),
        max_digits=9,
        decimal_places=2,
        error_messages={"invalid": "『金额』应为数字，单位为元，如 625 或 312.5。"},
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "decimal"}),
        help_text="单位为元，不是万元",
    )
    per = forms.ChoiceField(label="发放", choices=Per.choices)
    from_term = TermField(label="自学期", help_text=_TERM_HELP)
    until_term = TermField(label="至学期", required=False, help_text="不写就一直有效")
    document = forms.CharField(
        label="文号", max_length=80, widget=forms.TextInput(attrs=_PLAIN), help_text="依据的文件"
    )
    note = forms.CharField(label="说明", max_length=200, required=False, widget=forms.TextInput(attrs=_PLAIN))

    def __init__(self, programme: Programme, groups: list[str], *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.fields["stage"].choices = [(stage, Stage(stage).label) for stage in programme.stages]  # type: ignore[attr-defined]
        self.fields["group"].choices = [("", "不分"), *((group, group) for group in groups)]  # type: ignore[attr-defined]


class EndForm(forms.Form):
    until_term = TermField(label="执行至", help_text=f"最后一个有效学期，{_TERM_HELP}")


class ProgrammeForm(forms.Form):
    """A programme of the county's own."""

    name = forms.CharField(label="名称", max_length=60, widget=forms.TextInput(attrs=_PLAIN))
    stages = forms.MultipleChoiceField(
        label="学段", choices=Stage.choices, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少勾选一个『学段』。"},
    )  # fmt: skip
    who = forms.ChoiceField(label="对象", choices=[(who.value, f"{who.label}：{who.explained}") for who in Who])
    counting = forms.ChoiceField(label="计数", choices=Counting.choices, initial=Counting.PERSON_TERMS)
    basis = forms.CharField(label="政策依据", max_length=200, widget=forms.TextInput(attrs=_PLAIN))
    note = forms.CharField(label="说明", max_length=300, required=False, widget=forms.TextInput(attrs=_PLAIN))


class ApplicationForm(forms.Form):
    """What a family applies with; the reason is private."""

    category = forms.ChoiceField(label="困难类别", choices=codes.HARDSHIP_TYPE.choices)
    applied_on = DayField(label="申请日期", help_text=DATE_HELP)
    reason = forms.CharField(
        label="申请理由",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="只有本校、本镇和县资助中心看得到，不公示、不导出",
    )


WAYS = (("走访", "走访"), ("访谈", "访谈"), ("民主评议", "民主评议"), ("数据比对", "数据比对"))


class ReviewForm(forms.Form):
    """The school's word; the democratic review never shames anybody in public."""

    tier = forms.ChoiceField(label="认定等级", choices=codes.HARDSHIP_LEVEL.choices)
    ways = forms.MultipleChoiceField(
        label="认定方式",
        choices=WAYS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少勾选一种『认定方式』。"},
        help_text="评议不得让学生当众诉苦、互相比困",
    )
    reviewed_on = DayField(label="评议日期", help_text=DATE_HELP)
    review = forms.CharField(
        label="走访、评议情况", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class CommentForm(forms.Form):
    comment = forms.CharField(
        label="意见", max_length=200, required=False, widget=forms.TextInput(attrs=_PLAIN),
        help_text="退回、不予认定、撤回时必填",
    )  # fmt: skip


class NoticeForm(forms.Form):
    from_on = DayField(label="公示自", help_text=DATE_HELP)
    until_on = DayField(label="公示至", help_text="不少于 5 个工作日；只公示姓名、学校、年级、班级和等级")


class SettleForm(forms.Form):
    reason = forms.CharField(
        label="核实情况",
        max_length=200,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text="如：同一家长的卡，两名学生都应享受",
    )


class HandOutForm(forms.Form):
    due_on = DayField(label="限期", help_text=DATE_HELP)
