"""Roles as readable classes: what each post may do, and how far it sees.

Rights are words that views and the admin ask for; a role that lacks the word gets 403. How far a role sees is a scope
(`core.scope`); what lies outside it is 404.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.backends import ModelBackend
from django.db import models
from django.utils import timezone

from eduaid.core.models.accounts import Duty, Post, RoleKey, User


class Right(StrEnum):
    SEE_CHILDREN = "see-children"
    SEE_FIGURES = "see-figures"
    UPLOAD = "upload"
    UPLOAD_COUNTY = "upload-county-lists"
    APPROVE = "approve"
    CORRECT = "correct"
    MATCH = "match"
    REVEAL = "reveal"
    EXPORT = "export"
    REPORT = "report"
    ASSIGN = "assign"
    AID = "manage-aid"
    CARE = "care-for-children"
    VERIFY = "verify"
    MANAGE_PLACES = "manage-places"
    MANAGE_ACCOUNTS = "manage-accounts"
    GRANT_POSTS = "grant-posts"
    READ_LOG = "read-log"


class Reach(StrEnum):
    COUNTY = "county"
    TOWNSHIP = "township"
    SCHOOL = "school"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Role:
    key: RoleKey
    duty: Duty
    reach: Reach
    rights: frozenset[Right]

    @property
    def label(self) -> str:
        return str(self.key.label)


def _role(key: RoleKey, reach: Reach, *rights: Right, duty: Duty = Duty.BUSINESS) -> Role:
    return Role(key, duty, reach, frozenset(rights))


ROLES: dict[str, Role] = {
    role.key.value: role
    for role in [
        _role(
            RoleKey.AID_OFFICER,
            Reach.COUNTY,
            Right.AID,
            Right.SEE_CHILDREN,
            Right.SEE_FIGURES,
            Right.UPLOAD,
            Right.UPLOAD_COUNTY,
            Right.APPROVE,
            Right.REVEAL,
            Right.EXPORT,
            Right.REPORT,
            Right.MANAGE_PLACES,
            Right.CARE,
        ),
        _role(
            RoleKey.DROPOUT_OFFICER,
            Reach.COUNTY,
            Right.SEE_CHILDREN,
            Right.SEE_FIGURES,
            Right.MATCH,
            Right.UPLOAD,
            Right.UPLOAD_COUNTY,
            Right.APPROVE,
            Right.REVEAL,
            Right.EXPORT,
            Right.REPORT,
            Right.MANAGE_PLACES,
            Right.ASSIGN,
            Right.CARE,
            Right.VERIFY,
        ),
        _role(RoleKey.LEADER, Reach.COUNTY, Right.SEE_CHILDREN, Right.SEE_FIGURES, Right.APPROVE, Right.REPORT),
        _role(
            RoleKey.DATA_ADMIN,
            Reach.COUNTY,
            Right.SEE_CHILDREN,
            Right.SEE_FIGURES,
            Right.CORRECT,
            Right.MATCH,
            Right.REVEAL,
            Right.EXPORT,
            Right.MANAGE_PLACES,
        ),
        _role(
            RoleKey.TOWN_HEAD,
            Reach.TOWNSHIP,
            Right.SEE_CHILDREN,
            Right.SEE_FIGURES,
            Right.MATCH,
            Right.UPLOAD,
            Right.REVEAL,
            Right.EXPORT,
            Right.REPORT,
            Right.ASSIGN,
            Right.CARE,
        ),
        _role(
            RoleKey.SCHOOL_HEAD,
            Reach.SCHOOL,
            Right.SEE_CHILDREN,
            Right.SEE_FIGURES,
            Right.UPLOAD,
            Right.REVEAL,
            Right.EXPORT,
            Right.ASSIGN,
            Right.CARE,
        ),
        # Teachers see the children whom they answer for (`core.scope.Scope.children`), and nobody else.
        _role(RoleKey.TEACHER, Reach.NOTHING, Right.SEE_CHILDREN, Right.CARE),
        _role(RoleKey.AUDITOR, Reach.COUNTY, Right.SEE_CHILDREN, Right.SEE_FIGURES, Right.READ_LOG),
        _role(RoleKey.SYSTEM_ADMIN, Reach.NOTHING, Right.MANAGE_ACCOUNTS, Right.MANAGE_PLACES, duty=Duty.SYSTEM),
        _role(RoleKey.SECURITY_ADMIN, Reach.NOTHING, Right.GRANT_POSTS, duty=Duty.SECURITY),
        _role(RoleKey.AUDIT_ADMIN, Reach.NOTHING, Right.READ_LOG, duty=Duty.AUDIT),
    ]
}

RESPONSIBLE_ROLES = tuple(key for key, role in ROLES.items() if Right.CARE in role.rights)
"""The posts whose holders may answer for a child."""


def role(key: str) -> Role:
    return ROLES[key]


def today() -> dt.date:
    """The calendar day where the county lies."""
    return timezone.localdate()


def posts_of(user: User) -> list[Post]:
    """The posts held today, each with its region or school; read once a user object."""
    if not hasattr(user, "_posts_today"):
        user._posts_today = (  # type: ignore[attr-defined]
            list(user.posts.held_on(today()).select_related("region", "school", "school__town"))
            if user.is_active
            else []
        )
    posts: list[Post] = user._posts_today  # type: ignore[attr-defined]
    return posts


def may(user: User, right: Right) -> bool:
    return any(right in role(post.role).rights for post in posts_of(user))


# Admin pages ask Django's permission names; each is answered by a right. What is not named here is refused.
_ADMIN_RIGHTS: dict[str, Right] = {
    "core.view_user": Right.MANAGE_ACCOUNTS,
    "core.add_user": Right.MANAGE_ACCOUNTS,
    "core.change_user": Right.MANAGE_ACCOUNTS,
    "core.view_post": Right.GRANT_POSTS,
    "core.add_post": Right.GRANT_POSTS,
    "core.change_post": Right.GRANT_POSTS,
    **{
        f"core.{verb}_{name}": Right.MANAGE_PLACES
        for verb in ("view", "add", "change")
        for name in ("region", "school", "schoolyear", "term")
    },
    **{
        f"students.{name}": Right.CORRECT
        for name in (
            "view_student",
            "change_student",
            "view_household",
            "view_enrolment",
            "view_correction",
            "add_correction",
            "change_correction",
        )
    },
    "core.view_accessrecord": Right.READ_LOG,
}
_ADMIN_DOORS = {Right.MANAGE_ACCOUNTS, Right.GRANT_POSTS, Right.CORRECT, Right.READ_LOG}


class PostBackend(ModelBackend):
    """Authenticates against the user table; answers permission questions from the posts held today."""

    def has_perm(self, user_obj: User, perm: str, obj: models.Model | None = None) -> bool:  # type: ignore[override]
        if not user_obj.is_active:
            return False
        if perm == "core.use_admin":
            return any(may(user_obj, right) for right in _ADMIN_DOORS)
        right = _ADMIN_RIGHTS.get(perm)
        return right is not None and may(user_obj, right)

    def has_module_perms(self, user_obj: User, app_label: str) -> bool:  # type: ignore[override]
        return any(may(user_obj, right) for perm, right in _ADMIN_RIGHTS.items() if perm.startswith(f"{app_label}."))
