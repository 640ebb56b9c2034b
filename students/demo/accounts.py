"""The people who use the program in the invented county, with their posts."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from students.demo import names
from students.demo.places import COUNTY, Places
from students.demo.schools import School

_SINCE = date(2025, 9, 1)


@dataclass(frozen=True, slots=True)
class Post:
    """A role (the keys of the program's roles) at a region or school, by code."""

    role: str
    scope_code: str
    from_date: date = _SINCE


@dataclass(frozen=True, slots=True)
class User:
    """An account of the example county; everybody's name is invented."""

    username: str
    name: str
    title: str  # as the people would say it, for the list of example accounts
    posts: tuple[Post, ...]


_BUREAU = (
    ("county", ("aid-officer", "dropout-officer"), "县教育局经办人"),
    ("leader", ("leader",), "县教育局分管领导"),
    ("dropout", ("dropout-officer",), "控辍保学专干"),
    ("aid", ("aid-officer",), "学生资助中心专干"),
    ("data", ("data-admin",), "数据管理员"),
    ("auditor", ("auditor",), "审计员"),
    ("sysadmin", ("system-admin",), "系统管理员"),
    ("secadmin", ("security-admin",), "安全管理员"),
    ("auditadmin", ("audit-admin",), "审计管理员"),
)


def letter(position: int) -> str:
    """Return the letter of an account: a for the first township or school."""
    return chr(ord("a") + position)


def make_users(rng: random.Random, places: Places, schools: Sequence[School]) -> tuple[User, ...]:
    """Make the bureau's people, a head for each township, heads and teachers for some schools."""
    users = [
        User(username, _name(rng), title, tuple(Post(role, COUNTY) for role in roles))
        for username, roles, title in _BUREAU
    ]
    for position, township in enumerate(places.townships):
        users.append(
            User(
                f"town-{letter(position)}",
                _name(rng),
                f"{township.name}中心校校长",
                (Post("town-head", township.code),),
            )
        )
    for position, school in enumerate(schools_with_accounts(places, schools)):
        title = f"{school.name}{'园长' if school.kind == 'kindergarten' else '校长'}"
        users.append(User(f"school-{letter(position)}", _name(rng), title, (Post("school-head", school.code),)))
    teaching = [school for school in schools_with_accounts(places, schools) if school.kind in ("primary", "junior")]
    for position, school in enumerate(teaching[:6]):
        users.append(
            User(f"teacher-{letter(position)}", _name(rng), f"{school.name}教师", (Post("teacher", school.code),))
        )
    return tuple(users)


def schools_with_accounts(places: Places, schools: Sequence[School]) -> list[School]:
    """Return the schools whose head has an account: those of 水口镇, then those that the county runs."""
    second = places.townships[1].code
    return [school for school in schools if school.region == second] + [
        school for school in schools if school.seat == "county"
    ]


def uploader(users: Sequence[User], places: Places, school: School) -> str:
    """Return who sends the list of a school: its head if there is an account, else the head of the township."""
    for user in users:
        if any(post.role == "school-head" and post.scope_code == school.code for post in user.posts):
            return user.username
    position = [township.code for township in places.townships].index(school.region)
    return f"town-{letter(position)}"


def _name(rng: random.Random) -> str:
    return names.surname(rng) + names.given_name(rng, rng.choice(("男", "女")), young=False)
