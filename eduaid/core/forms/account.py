"""Log-in and password."""

from __future__ import annotations

from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm

from eduaid.core.models import User

PASSWORD_HELP = "至少 12 个字符，不能全是数字，不要用账号、姓名或常见的密码"


class SignInForm(AuthenticationForm):
    """Pasting is allowed and nothing has to be puzzled out; guessing ends in the lockout."""

    username = forms.CharField(
        label="账号",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
    password = forms.CharField(
        label="密码", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def get_invalid_login_error(self) -> forms.ValidationError:
        """How many tries are left; the fifth failure answers with the lockout page instead."""
        failures = AxesProxyHandler.get_failures(self.request, {"username": self.cleaned_data.get("username")})
        left = max(0, settings.AXES_FAILURE_LIMIT - failures)
        return forms.ValidationError(f"账号或密码不对，还可试 {left} 次", code="invalid_login")


class PasswordForm(PasswordChangeForm):
    """One's own password: the old one first."""

    field_order = ["old_password", "new_password1", "new_password2"]
    error_messages = {
        "password_incorrect": "现在的密码不对。请重新输入",
        "password_mismatch": "两次输入的新密码不一样。请重新输入",
    }

    def __init__(self, user: User, *args: Any, **options: Any) -> None:
        super().__init__(user, *args, **options)
        self.fields["old_password"].label = "现在的密码"
        self.fields["new_password1"].label = "新密码"
        self.fields["new_password1"].help_text = PASSWORD_HELP
        self.fields["new_password2"].label = "再输一遍新密码"
        self.fields["new_password2"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs.pop("autofocus", None)


class InitialPasswordField(forms.CharField):
    """A password that an administrator gives out; its owner must change it at the first log-in."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.PasswordInput(attrs={"autocomplete": "new-password"}))
        options.setdefault("help_text", PASSWORD_HELP + "。本人第一次登录时须改掉")
        super().__init__(strip=False, **options)

    def validate(self, value: str) -> None:
        super().validate(value)
        if value:
            password_validation.validate_password(value)
