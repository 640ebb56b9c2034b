"""P03 全局搜索: one box, always by POST; a number is looked up by its digest, logged, and never shown again."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import access, codes
from eduaid.core.lists import kind_of
from eduaid.core.models import School, Upload
from eduaid.core.models.access import Action
from eduaid.core.roles import Right
from eduaid.core.scope import Scope
from eduaid.core.templatetags.ui import mask_id
from eduaid.core.text import compact
from eduaid.core.views.policy import AccountRequest, needs
from students import search as finding
from students.models import Household, Student
from students.search import Asked, By

LIMIT = 50


@dataclass(frozen=True)
class Hit:
    kind: str
    title: str
    url: str
    id_masked: str
    where: str
    reason: str


@dataclass(frozen=True)
class Narrow:
    """A kind of result, and how many of the hits are of it."""

    label: str
    value: str
    count: int
    current: bool


@needs(Right.SEE_CHILDREN)
def search(request: AccountRequest) -> HttpResponse:
    typed = request.POST.get("q", "").strip()[:60] if request.method == "POST" else ""
    asked = finding.read(typed)
    hits = _hits(typed, asked, request.scope) if typed else []
    if asked.is_number:
        access.note(
            by=request.user,
            action=Action.SEARCH,
            subject_kind="student",
            page=request.path,
            purpose=asked.by.value,
            rows=len(hits[: LIMIT + 1]),
        )
    within = request.POST.get("within", "")
    kinds = list(dict.fromkeys(hit.kind for hit in hits))
    chosen = [hit for hit in hits if hit.kind == within] if within in kinds else hits
    echo = typed if typed and not any(char.isdigit() for char in compact(typed)) else ""
    return render(
        request,
        "students/search.html",
        {
            "query": echo,
            "asked": bool(typed),
            "by_number": asked.is_number,
            "narrow": [
                Narrow(kind, kind, sum(hit.kind == kind for hit in hits), kind == within) for kind in kinds
            ] if echo and len(kinds) > 1 else [],
            "results": chosen[:LIMIT],
            "more": len(chosen) > LIMIT,
        },
    )  # fmt: skip


def _hits(typed: str, asked: Asked, scope: Scope) -> list[Hit]:
    """Children first, then households, schools and lists; one query each."""
    return [
        *_people(asked, scope),
        *_households(typed, asked, scope),
        *_schools(typed, asked, scope),
        *_lists(typed, scope),
    ]


def _people(asked: Asked, scope: Scope) -> list[Hit]:
    visible = Student.objects.within(scope).filter(merged_into=None)
    if asked.is_number:
        found = finding.numbered(visible, asked)
    elif asked.by is By.NOTHING:
        return []
    else:
        found = finding.nearest_first(finding.named(visible, asked), asked)
    return [
        Hit(
            kind="学生",
            title=child.name or child.public_id,
            url=reverse("student", args=[child.public_id]),
            id_masked=mask_id(child.id_prefix or None),
            where=_where(child),
            reason=_reason(child, asked),
        )
        for child in found.select_related("school", "hukou_town")[: LIMIT + 1]
    ]


def _where(child: Student) -> str:
    if child.is_withdrawn:
        return "来源已撤回"
    if child.school is not None:
        return " ".join(filter(None, [child.school.name, codes.GRADE.label(child.grade), child.class_name]))
    return f"户籍{child.hukou_town.name}" if child.hukou_town else ""


def _reason(child: Student, asked: Asked) -> str:
    if asked.is_number:
        return str(asked.by.value)
    if asked.by is By.SOUND:
        initials = {sound for sound in child.pinyin.split() if len(sound) <= len(child.name)}
        return "拼音首字母" if any(sound.startswith(asked.text) for sound in initials) else "拼音"
    return "姓名" if child.name_key == asked.text else "姓名中的字"


def _households(typed: str, asked: Asked, scope: Scope) -> list[Hit]:
    if asked.by is By.NAME:
        condition = Q(head=typed)
    elif any(char.isdigit() for char in typed):
        condition = Q(number=compact(typed))
    else:
        return []
    return [
        Hit(
            kind="户",
            title=str(home),
            url=reverse("household", args=[home.pk]),
            id_masked="",
            where=f"{home.town.name if home.town else ''}{home.village.name if home.village else ''}",
            reason="户主姓名" if asked.by is By.NAME else "户编号",
        )
        for home in Household.objects.within(scope)
        .in_force()
        .filter(condition)
        .select_related("town", "village")[:LIMIT]
    ]


def _schools(typed: str, asked: Asked, scope: Scope) -> list[Hit]:
    schools = School.objects.in_county().select_related("town").order_by("code")
    if not scope.county:
        schools = schools.filter(Q(town__in=scope.towns) | Q(pk__in=scope.schools))
    if asked.by is By.NAME:
        schools = schools.filter(Q(name__contains=typed) | Q(other_names__contains=[typed]))
    elif any(char.isdigit() for char in typed):
        schools = schools.filter(code=compact(typed))
    else:
        return []
    return [
        Hit(
            "学校",
            school.name,
            f"{reverse('students')}?school={school.code}",
            "",
            school.town.name if school.town else "",
            "校名",
        )
        for school in schools[:LIMIT]
    ]


def _lists(typed: str, scope: Scope) -> list[Hit]:
    """Imports by their number, or by a piece of a file's name."""
    lists = Upload.objects.filter(scope.q(town="town", school="school")).select_related("region", "school")
    number = compact(typed).removesuffix("号")
    if number.isascii() and number.isdigit():
        if len(number) > 9:
            return []
        lists, reason = lists.filter(pk=int(number)), "名单编号"
    elif len(typed) >= 2:
        lists, reason = lists.filter(files__name__icontains=typed).distinct(), "文件名"
    else:
        return []
    return [
        Hit(
            kind="名单",
            title=f"{kind_of(upload.kind).label}名单 {upload.pk} 号",
            url=reverse("import", args=[upload.pk]),
            id_masked="",
            where=upload.place_name,
            reason=reason,
        )
        for upload in lists.order_by("-pk")[:10]
    ]
