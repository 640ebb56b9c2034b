"""How far somebody sees, in Python and in PostgreSQL.

Two walls: every queryset is narrowed by `visible_to(user)`, and row-level security holds the same scope for the
connection. A connection starts blind (no scope, no rows); requests set the user's scope for their transaction, workers and
commands enter `everything()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from django.db import connection, transaction
from django.db.models import Q

from eduaid.core.models.accounts import User
from eduaid.core.models.places import Region, School
from eduaid.core.roles import Reach, Right, posts_of, role

_assigned: list[Callable[[User], frozenset[int]]] = []


def on_assignment(lookup: Callable[[User], frozenset[int]]) -> None:
    """Tells how the children are found whom a teacher answers for; called once, by the app that keeps them."""
    _assigned[:] = [lookup]


@dataclass(frozen=True)
class Scope:
    """What somebody may see: the whole county, or some townships, some schools, and single children (a teacher's)."""

    county: bool
    towns: frozenset[int]
    schools: frozenset[int]
    children: frozenset[int] = frozenset()

    @classmethod
    def of(cls, user: User) -> Scope:
        """The union of what the user's posts of today reach. A township post reaches its schools through their township, a
        teacher's reaches the children assigned. Costs queries for teachers only."""
        county, towns, schools, children = False, set[int](), set[int](), frozenset[int]()
        for post in posts_of(user):
            reach = role(post.role).reach
            if reach is Reach.COUNTY:
                county = True
            elif reach is Reach.TOWNSHIP and post.region_id:
                towns.add(post.region_id)
            elif reach is Reach.SCHOOL and post.school_id:
                schools.add(post.school_id)
            elif reach is Reach.NOTHING and Right.CARE in role(post.role).rights and not children:
                children = _children_of(user)
        return cls(county, frozenset(towns), frozenset(schools), children)

    def covers(self, place: Region | School) -> bool:
        """Whether a list, figure or page of this place lies inside the scope."""
        if self.county:
            return True
        if isinstance(place, School):
            return place.pk in self.schools or place.town_id in self.towns
        return place.pk in self.towns

    def q(self, *, town: str, school: str) -> Q:
        """The condition on a queryset whose rows carry a township and a school (field paths)."""
        if self.county:
            return Q()
        return Q(**{f"{town}__in": self.towns}) | Q(**{f"{school}__in": self.schools})

    @cached_property
    def is_empty(self) -> bool:
        return not (self.county or self.towns or self.schools or self.children)


EVERYTHING = Scope(True, frozenset(), frozenset())
NOTHING = Scope(False, frozenset(), frozenset())


def _children_of(user: User) -> frozenset[int]:
    """Asked with everything in sight: what the user sees is only being found out."""
    if not _assigned:
        return frozenset()
    with transaction.atomic(), row_security(EVERYTHING, local=True):
        return _assigned[0](user)


def _settings(scope: Scope) -> tuple[str, ...]:
    def array(ids: frozenset[int]) -> str:
        return "{" + ",".join(map(str, sorted(ids))) + "}"

    return ("*" if scope.county else "", array(scope.towns), array(scope.schools), array(scope.children))


@contextmanager
def row_security(scope: Scope, *, local: bool) -> Iterator[None]:
    """Sets what row-level security lets through on the default connection, and puts back what was there before.

    `local`: for the running transaction only (requests); otherwise for the session (workers, commands), where a rolled
    back transaction must not leave the scope behind, hence the explicit reset.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('eduaid.scope', true), current_setting('eduaid.towns', true),"
            " current_setting('eduaid.schools', true), current_setting('eduaid.children', true)"
        )
        before = [value or "" for value in cursor.fetchone()]
        _set(_settings(scope), local=local)
    try:
        yield
    finally:
        # In a broken transaction nothing can be set; its rollback takes a local setting back by itself.
        if not connection.needs_rollback and connection.is_usable():
            _set((before[0], *(value or "{}" for value in before[1:])), local=local)


def _set(values: tuple[str, ...], *, local: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('eduaid.scope', %s, %s), set_config('eduaid.towns', %s, %s),"
            " set_config('eduaid.schools', %s, %s), set_config('eduaid.children', %s, %s)",
            [item for value in values for item in (value, local)],
        )


@contextmanager
def everything() -> Iterator[None]:
    """For workers and commands, which act for the bureau and re-check the rights of the person they act for."""
    with row_security(EVERYTHING, local=False):
        yield
