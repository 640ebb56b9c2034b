"""The strip of tabs of 学生资助, by role."""

from __future__ import annotations

from django.urls import reverse

from eduaid.core.roles import Right, may
from eduaid.core.views.pages import Tab
from eduaid.core.views.policy import AccountRequest

_TABS: tuple[tuple[str, str, Right], ...] = (
    ("aid", "总览", Right.SEE_FIGURES),
    ("aid-hardship", "困难认定", Right.SEE_FIGURES),
    ("aid-gaps", "应助未助与差错", Right.SEE_FIGURES),
    ("aid-programmes", "项目与标准", Right.SEE_FIGURES),
)
"""Name of the address → label → the right that opens it."""


def tabs(request: AccountRequest, current: str) -> list[Tab]:
    return [Tab(label, reverse(name), name == current) for name, label, right in _TABS if may(request.user, right)]
