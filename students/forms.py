"""What people fill in about children: why a number is shown, how a contradicted correction is settled."""

from __future__ import annotations

from typing import Any

from django import forms

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


class DecisionForm(forms.Form):
    """Which side is right when a newer list contradicts a correction."""

    choice = forms.ChoiceField(
        label="以哪一个为准",
        choices=[("keep", "更正对，名单有误：继续用更正的值"), ("give-way", "名单对：撤销更正，用名单的值")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label="依据", max_length=200)
