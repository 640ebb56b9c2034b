"""Which kinds of list somebody's posts may send, and for which places. `uploads.receive` checks it again."""

from __future__ import annotations

from collections.abc import Sequence

from eduaid.core.lists import ListKind, kinds
from eduaid.core.models import Region, School, User
from eduaid.core.roles import Reach, Right, may, posts_of, role, today
from eduaid.core.scope import Scope


def kinds_of(user: User) -> list[ListKind]:
    """The kinds that one of the user's posts sends; empty for those who only approve or read."""
    reaches: set[Reach] = {role(post.role).reach for post in posts_of(user) if Right.UPLOAD in role(post.role).rights}
    return [kind for kind in kinds() if reaches & kind.senders]


def usual_place(user: User) -> Region | School | None:
    """The one place for which the user's posts send lists; none where there are several to choose from."""
    places = {post.school or post.region for post in posts_of(user) if Right.UPLOAD in role(post.role).rights}
    return places.pop() if len(places) == 1 else None


def regions_of(user: User) -> Sequence[Region]:
    """The county (for the bureau) and the townships whose lists the user may send."""
    scope = Scope.of(user)
    if not scope.county:
        return list(Region.objects.filter(pk__in=scope.towns).order_by("code"))
    towns = list(Region.objects.townships().valid_on(today()))
    if may(user, Right.UPLOAD_COUNTY):
        return [*Region.objects.filter(is_home=True), *towns]
    return towns


def schools_of(user: User) -> Sequence[School]:
    """The schools whose lists the user may send, by township."""
    return list(
        School.objects.in_county()
        .valid_on(today())
        .filter(Scope.of(user).q(town="town", school="pk"))
        .select_related("town")
        .order_by("town__code", "name")
    )
