"""The tabs of the settings, by right."""

from __future__ import annotations

from django.urls import reverse

from eduaid.core.roles import Right, may
from eduaid.core.views.pages import Tab
from eduaid.core.views.policy import AccountRequest

PLACES = (Right.MANAGE_PLACES,)
PEOPLE = (Right.MANAGE_ACCOUNTS, Right.GRANT_POSTS)
ANY = (*PLACES, *PEOPLE)

_TABS: tuple[tuple[str, str, tuple[Right, ...]], ...] = (
    ("概况", "setup", ANY),
    ("区划", "setup-regions", PLACES),
    ("学校", "setup-schools", PLACES),
    ("学年学期", "setup-calendar", PLACES),
    ("人员岗位", "setup-users", PEOPLE),
    ("字典", "setup-dictionaries", ()),
)


def tabs(request: AccountRequest, current: str) -> dict[str, object]:
    """The context of `setup/_frame.html`."""
    return {
        "setup_tabs": [
            Tab(label, reverse(name), name == current)
            for label, name, rights in _TABS
            if not rights or any(may(request.user, right) for right in rights)
        ]
    }
