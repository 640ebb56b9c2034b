"""What the pages about children share: the child in scope, who answers for it, words for where a value comes from."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404
from django.urls import reverse

from eduaid.core.scope import Scope
from eduaid.core.views.pages import Link
from students.models import Student
from students.provenance import Source


def student_in_scope(public_id: str, scope: Scope) -> Student:
    """The child with `hukou_relation`; 404 for one that does not exist or lies outside: the two look the same."""
    student = (
        Student.objects.within(scope)
        .with_hukou_relation()
        .select_related("hukou_town", "hukou_village", "school", "school_town")
        .filter(public_id=public_id)
        .first()
    )
    if student is None:
        raise Http404
    return student


def answers_for(scope: Scope, student: Student) -> bool:
    """Whether the reader is the side that the child goes to school with: it knows the guardian."""
    return scope.county or student.school_id in scope.schools or student.school_town_id in scope.towns


def place_of(source: Source) -> str:
    """户籍人口「Sheet1」第 58 行; the file stands in the table of sources. Beyond the reader's scope only the kind is told."""
    if not source.in_scope:
        return f"{source.kind_label}（由其他乡镇或学校报送）"
    return f"{source.kind_label}{f'「{source.sheet}」' if source.sheet else ' '}第 {source.line} 行"


@dataclass(frozen=True)
class Where:
    """Where something comes from; without address it is only said."""

    text: str
    url: str = ""


def where(source: Source) -> Where:
    return Where(place_of(source), reverse("row-trace", args=[source.row_id]) if source.in_scope else "")


def crumbs(*last: Link) -> list[Link]:
    return [Link("学生", reverse("students")), *last]
