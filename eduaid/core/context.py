"""What the frame of every page needs: modules by role, who is logged in, the county."""

from __future__ import annotations

from typing import TypedDict

from django.http import HttpRequest
from django.urls import reverse

from eduaid.core.models import Region, User
from eduaid.core.roles import Right, may, posts_of


class Item(TypedDict):
    label: str
    url: str
    current: bool
    icon: str


# At most six modules; one appears for whoever holds one of its rights.
_MODULES: tuple[tuple[str, str, str, tuple[Right, ...]], ...] = (
    ("工作台", "home", "home", ()),
    ("进展", "progress", "chart", (Right.SEE_FIGURES,)),
    ("学生", "students", "people", (Right.SEE_CHILDREN,)),
    ("控辍保学", "dropout", "school", (Right.SEE_FIGURES,)),
    ("学生资助", "aid", "yuan", (Right.SEE_FIGURES,)),
    ("名单导入", "imports", "upload", (Right.UPLOAD, Right.APPROVE)),
    ("报告", "reports", "report", (Right.SEE_FIGURES,)),
)
# Seldom opened, by few: it stands beside the name.
_SETUP = (Right.MANAGE_PLACES, Right.MANAGE_ACCOUNTS, Right.GRANT_POSTS)


def frame(request: HttpRequest) -> dict[str, object]:
    """The context of `templates/base.html`. One query a page (the county); posts are read once a request."""
    county = Region.objects.filter(is_home=True).first()
    context: dict[str, object] = {
        "county_name": county.name if county else "教育局",
        "demo": bool(county and county.code == "990121"),
    }
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return context
    posts = posts_of(user)
    unit = str(posts[0].region or posts[0].school) if posts else ""
    paths = [
        (label, reverse(name), icon)
        for label, name, icon, rights in _MODULES
        if not rights or any(may(user, r) for r in rights)
    ]
    nav = [
        Item(
            label=label, url=url, icon=icon, current=request.path == url if url == "/" else request.path.startswith(url)
        )
        for label, url, icon in paths
    ]
    return context | {
        "nav": nav,
        "user_label": f"{unit} {user.display_name}".strip(),
        "search_url": reverse("search") if may(user, Right.SEE_CHILDREN) else "",
        "setup_url": reverse("setup") if any(may(user, right) for right in _SETUP) else "",
        "logout_url": reverse("logout"),
        "page_help_url": "",
    }
