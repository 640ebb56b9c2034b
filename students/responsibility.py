"""Who answers for which child: assigning by the class or village, handing over, undoing, and what the program suggests.

Each act is one transaction over all children at once; a child never has two persons, and none between two.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pghistory
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from eduaid.core import codes
from eduaid.core.display import zh_date
from eduaid.core.models import Post, Region, School, User
from eduaid.core.roles import RESPONSIBLE_ROLES, Reach, Right, may, posts_of, role, today
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.uploads import NotAllowed
from students.models import Responsibility, Student
from students.models.care import Tie
from students.precedence import ROSTER

Area = Region | School


class CannotAssign(Exception):
    """The assignment cannot be made; the sentence says why and what to do instead."""


@dataclass(frozen=True)
class Assigned:
    """What came of it: children who had nobody, who were taken over from somebody else, who had this person already."""

    batch: uuid.UUID
    new: int
    taken_over: int
    unchanged: int

    @property
    def sentence(self) -> str:
        parts = [f"新分配 {self.new:,} 人"] if self.new else []
        parts += [f"从其他责任人转来 {self.taken_over:,} 人"] if self.taken_over else []
        parts += [f"原来就是这位责任人 {self.unchanged:,} 人"] if self.unchanged else []
        return "，".join(parts) or "没有改动"


# --- the acts -------------------------------------------------------------------------------------------------


@transaction.atomic
def assign(
    students: Collection[int],
    *,
    to: User,
    by: User,
    from_on: dt.date | None = None,
    tie: str = "",
    reason: str = "",
    batch: uuid.UUID | None = None,
) -> Assigned:
    """Makes `to` answer for these children from a day on (today); whoever did so before is relieved on that day.

    Children beyond the scope of `by` are as if they were not there. Raises NotAllowed, CannotAssign; then nobody is assigned.
    """
    _may(by)
    day = from_on or today()
    if day > today():
        raise CannotAssign(f"开始日期{zh_date(day)}晚于今天。请填写今天或以前的日期。")
    scope = Scope.of(by)
    batch = batch or uuid.uuid4()
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason or "包保分配"):
        _take_turn()
        wanted = list(
            Student.objects.within(scope).filter(pk__in=list(students), merged_into=None).values_list("pk", flat=True)
        )
        if not wanted:
            raise CannotAssign("没有选中学生。请勾选班级、村或学生后再分配。")
        _check_reach(to, wanted)
        unchanged = set(
            Responsibility.objects.filter(student__in=wanted, user=to, ended_on=None).values_list("student", flat=True)
        )
        moving = [pk for pk in wanted if pk not in unchanged]
        _check_dates(moving, day)
        taken_over = Responsibility.objects.filter(student__in=moving, ended_on=None).update(
            ended_on=day, ended_by=by, reason=(reason or f"交给{to}")[:120], ended_in=batch
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO students_responsibility"
                " (student_id, user_id, tie, from_on, assigned_by_id, assigned_at, reason, batch)"
                " SELECT id, %s, %s, %s, %s, now(), '', %s FROM unnest(%s::bigint[]) id",
                [to.pk, tie or _tie_of(to), day, by.pk, batch, moving],
            )
    return Assigned(batch, len(moving) - taken_over, taken_over, len(unchanged))


@transaction.atomic
def adopt(wanted: Sequence[tuple[User, Collection[int]]], *, by: User) -> Assigned:
    """Several groups at once, each to its own person; all or none. Raises NotAllowed, CannotAssign."""
    together: dict[int, tuple[User, list[int]]] = {}
    for to, children in wanted:
        together.setdefault(to.pk, (to, []))[1].extend(children)
    if not together:
        raise CannotAssign("没有可以采用的建议。请先为教师建立账号和岗位，或自己选择责任人。")
    batch = uuid.uuid4()
    done = [assign(children, to=to, by=by, batch=batch) for to, children in together.values()]
    return Assigned(
        batch, sum(one.new for one in done), sum(one.taken_over for one in done), sum(one.unchanged for one in done)
    )


@transaction.atomic
def release(students: Collection[int], *, by: User, reason: str) -> int:
    """Leaves these children without anybody from today on; returns how many had somebody. Raises NotAllowed, CannotAssign."""
    _may(by)
    if not reason.strip():
        raise CannotAssign("请填写『原因』，如“学生已毕业”。")
    scope = Scope.of(by)
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        _take_turn()
        seen = Student.objects.within(scope).filter(pk__in=list(students))
        held = Responsibility.objects.filter(student__in=seen.values("pk"), ended_on=None)
        return held.update(ended_on=today(), ended_by=by, reason=reason.strip()[:120], ended_in=uuid.uuid4())


@transaction.atomic
def hand_over(leaving: User, *, to: Sequence[User], by: User, reason: str = "") -> Assigned:
    """Gives the children of somebody who leaves to others, class by class, each class to whoever has the fewest by then.

    Only children in the scope of `by` move. Raises NotAllowed, CannotAssign.
    """
    _may(by)
    if not to:
        raise CannotAssign("没有可以接手的人。请先由系统管理员为教师建立账号和岗位，再来交接。")
    if leaving in to:
        raise CannotAssign("接手的人不能是原责任人本人。请改选别人。")
    why = reason.strip() or f"{leaving}交接"
    batch = uuid.uuid4()
    with row_security(EVERYTHING, local=True):
        held = Responsibility.objects.filter(user=leaving, ended_on=None).values("student")
        mine = Student.objects.within(Scope.of(by)).filter(pk__in=held, merged_into=None)
        classes: dict[tuple[int | None, str, str], list[int]] = {}
        for pk, school, grade, name in mine.order_by("pk").values_list("pk", "school", "grade", "class_name"):
            classes.setdefault((school, grade, name), []).append(pk)
        if not classes:
            raise CannotAssign("这位责任人在您的范围内没有需要交接的学生。")
        loads = loads_of(to)
        moved = 0
        for children in sorted(classes.values(), key=len, reverse=True):
            taker = min(to, key=lambda user: (loads[user.pk], user.pk))
            moved += assign(children, to=taker, by=by, reason=why, batch=batch).taken_over
            loads[taker.pk] += len(children)
    return Assigned(batch, 0, moved, 0)


@transaction.atomic
def undo(batch: uuid.UUID, *, by: User) -> int:
    """Takes back what was assigned at once and still stands: those relieved by it answer for their children again.

    Returns how many assignments were taken back; children who were handed on since keep whom they have. Raises NotAllowed.
    """
    _may(by)
    scope = Scope.of(by)
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="撤销包保分配"):
        _take_turn()
        seen = Student.objects.within(scope)
        made = Responsibility.objects.filter(batch=batch, ended_on=None, student__in=seen.values("pk"))
        children = list(made.values_list("student", flat=True))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE students_responsibility SET ended_on = from_on, ended_by_id = %s, reason = '撤销分配'"
                " WHERE batch = %s AND ended_on IS NULL AND student_id = ANY(%s)",
                [by.pk, batch, children],
            )
        Responsibility.objects.filter(ended_in=batch, student__in=children).update(
            ended_on=None, ended_by=None, reason="", ended_in=None
        )
    return len(children)


def _may(by: User) -> None:
    if not may(by, Right.ASSIGN):
        raise NotAllowed("包保分配由中心校校长、学校负责人或控辍保学专干办理。")


def _take_turn() -> None:
    """Two heads who assign the same class at once come one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('students.responsibility'))")


def _tie_of(user: User) -> str:
    roles = {post.role for post in posts_of(user)}
    if roles & {key for key in RESPONSIBLE_ROLES if role(key).reach is Reach.NOTHING}:
        return Tie.TEACHER
    return Tie.LEADER if any(role(key).reach is Reach.SCHOOL for key in roles) else Tie.CADRE


def _check_reach(to: User, students: Sequence[int]) -> None:
    """Who answers for a child works in the township of its school or hukou, or in the bureau."""
    posts = [post for post in posts_of(to) if post.role in RESPONSIBLE_ROLES]
    if not posts:
        raise CannotAssign(f"“{to}”没有可以包保学生的岗位，或账号已停用。请改选在岗的教师或干部。")
    if any(role(post.role).reach is Reach.COUNTY for post in posts):
        return
    towns = {post.school.town_id if post.school else post.region_id for post in posts}
    beyond = Student.objects.filter(pk__in=students).exclude(
        Q(school_town__in=towns) | Q(hukou_town__in=towns, hukou_town__isnull=False)
    )
    names = list(beyond.order_by("pk").values_list("name", flat=True)[:3])
    if names:
        raise CannotAssign(
            f"所选学生中有的不在“{to}”任职的乡镇就读、户籍也不在那里（如{'、'.join(names)}）。请把他们分给当地的教师或干部。"
        )


def _check_dates(students: Sequence[int], day: dt.date) -> None:
    """A hand-over may be entered later than it happened, but not before what is on record already."""
    later = Responsibility.objects.filter(student__in=students).filter(
        Q(ended_on=None, from_on__gt=day) | Q(ended_on__gt=day)
    )
    first = later.select_related("student").order_by("-from_on").first()
    if first is not None:
        raise CannotAssign(
            f"{first.student}自{zh_date(first.from_on)}起已有责任人{first.user}，开始日期不能早于此。请填写之后的日期。"
        )


# --- who may be asked, and how much they carry already ---------------------------------------------------------


def candidates(area: Area) -> list[User]:
    """Who may answer for the children of a place today, each with `place_label`: its teachers, heads and, of a township, its own."""
    held = Post.objects.held_on(today()).filter(role__in=RESPONSIBLE_ROLES, user__is_active=True)
    if isinstance(area, School):
        held = held.filter(Q(school=area) | Q(region=area.town_id))
    elif not area.is_home:
        held = held.filter(Q(school__town=area) | Q(region=area))
    found: dict[int, User] = {}
    for post in held.select_related("user", "school", "region").order_by("school__code", "role", "user__pk"):
        user = found.setdefault(post.user_id, post.user)
        if not hasattr(user, "place_label"):
            user.place_label = str(post.school or post.region)  # type: ignore[attr-defined]
            user.at_school = post.school_id  # type: ignore[attr-defined]
            user.is_teacher = role(post.role).reach is Reach.NOTHING  # type: ignore[attr-defined]
    return list(found.values())


def loads_of(users: Sequence[User]) -> Counter[int]:
    """User → how many children they answer for today, wherever these are."""
    loads: Counter[int] = Counter(dict.fromkeys((user.pk for user in users), 0))
    with row_security(EVERYTHING, local=True):
        held = Responsibility.objects.held_on(today()).filter(user__in=users)
        loads.update(held.values_list("user", flat=True))
    return loads


# --- suggestions -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Children of one class or one village who have nobody. `key` names it in forms."""

    key: str
    label: str
    children: tuple[int, ...]
    school: int | None


@dataclass(frozen=True)
class Suggestion:
    group: Group
    to: User | None
    why: str


def by_class(children: QuerySet[Any]) -> list[Group]:
    """Children as classes, in the order of schools, grades and classes. One query."""
    found: dict[str, tuple[str, int | None, list[int]]] = {}
    rows = children.order_by("school__code", "grade", "class_name", "pk")
    for pk, school, name, grade, class_name in rows.values_list("pk", "school", "school__name", "grade", "class_name"):
        key = f"{school}·{grade}·{class_name}"
        label = f"{name} {codes.GRADE.label(grade) or '未填年级'} {class_name or '未填班级'}"
        found.setdefault(key, (label, school, []))[2].append(pk)
    return [Group(key, label, tuple(members), school) for key, (label, school, members) in found.items()]


def by_village(children: QuerySet[Any]) -> list[Group]:
    """Children by the village of their hukou; those from elsewhere make a group of their own, at the end. One query."""
    found: dict[str, tuple[str, int | None, list[int]]] = {}
    rows = children.order_by("hukou_town__code", "hukou_village__code", "pk")
    for pk, town, town_name, village, name in rows.values_list(
        "pk", "hukou_town", "hukou_town__name", "hukou_village", "hukou_village__name"
    ):
        label = f"{town_name} {name or '未填村'}" if town else "户籍在县外或不明"
        found.setdefault(f"{town or ''}·{village or ''}", (label, None, []))[2].append(pk)
    return [Group(key, label, tuple(members), None) for key, (label, _, members) in found.items()]


_CLASS_TEACHERS = """
    SELECT s.school_id, s.grade, s.class_name, mode() WITHIN GROUP (ORDER BY r.facts->>'class_teacher')
    FROM students_student s JOIN students_identitylink l ON l.student_id = s.id JOIN core_uploadrow r ON r.id = l.row_id
    JOIN core_listslice sl ON sl.id = r.slice_id
    WHERE s.id = ANY(%s) AND sl.kind = %s AND sl.is_current AND r.state = 'A' AND r.facts->>'class_teacher' <> ''
    GROUP BY 1, 2, 3
"""


def class_teachers(children: Sequence[int]) -> dict[str, str]:
    """Key of a class → the class teacher whom the roster in force names most often. One statement."""
    with row_security(EVERYTHING, local=True), connection.cursor() as cursor:
        cursor.execute(_CLASS_TEACHERS, [list(children), ROSTER])
        return {f"{school}·{grade}·{name}": teacher for school, grade, name, teacher in cursor.fetchall()}


def suggest(found: Sequence[Group], people: Sequence[User], teachers: dict[str, str]) -> Iterator[Suggestion]:
    """For each group the class teacher whom the roster names, where they have an account; else whoever of the school (or, for a
    village, of the township) carries the fewest by then. `teachers`: group key → name on the roster."""
    loads = loads_of(people)
    for group in found:
        near = [one for one in people if group.school is None or one.at_school == group.school]  # type: ignore[attr-defined]
        named = [one for one in near if teachers.get(group.key) and one.display_name == teachers[group.key]]
        pool = named or [one for one in near if one.is_teacher] or near  # type: ignore[attr-defined]
        if not pool:
            yield Suggestion(group, None, "该校还没有教师账号，请系统管理员建立")
            continue
        to = min(pool, key=lambda one: (loads[one.pk], one.pk))
        why = "名册上的班主任" if named else f"现负责 {loads[to.pk]:,} 人，最少"
        loads[to.pk] += len(group.children)
        yield Suggestion(group, to, why)
