"""What the pages about evidence, letters and spot checks share: whose place the figures are of, tabs, evidence in scope."""

from __future__ import annotations

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from dropout.models import Evidence
from eduaid.core import display
from eduaid.core.indicators import Basis, indicator_of, rate_of
from eduaid.core.models import Region, School
from eduaid.core.roles import Right, may, posts_of, today
from eduaid.core.views.pages import Link, Tab
from eduaid.core.views.policy import AccountRequest
from students.models import Student
from students.views.figures import Figure, figure
from students.views.match import module_tabs


def own_area(request: AccountRequest) -> Region | School:
    """The place whose figures stand on the reader's pages: the county, or that of the first post."""
    if not request.scope.county:
        for post in posts_of(request.user):
            place = post.region or post.school
            if place is not None and request.scope.covers(place):
                return place
    home = Region.objects.filter(is_home=True).first()
    if home is None:
        raise Http404("还没有登记本县")
    return home


def figure_of(request: AccountRequest, key: str, area: Region | School) -> Figure:
    return figure(request, indicator_of(key), area)


def rate_text(request: AccountRequest, key: str, area: Region | School) -> tuple[str, str]:
    """The rate as it is shown, and its definition with both numbers."""
    rate = rate_of(key)
    basis = Basis(area, today())
    part, whole = (indicator_of(name).value(basis, request.scope) for name in (rate.part, rate.whole))
    return display.percent(part, whole), rate.definition


def crumbs(*last: Link) -> list[Link]:
    return [Link("取证", reverse("evidence")), *last]


def shown(request: AccountRequest, template: str, context: dict[str, object]) -> HttpResponse:
    """A page of the module, with its strip."""
    current = "spotchecks" if template.startswith("spotcheck/") else "evidence"
    return render(request, template, {"module_tabs": module_tabs(request, current), **context})


def tabs(request: AccountRequest, current: str) -> list[Tab]:
    found = [("evidence-list", "取证台账")]
    if may(request.user, Right.VERIFY):
        found = [("evidence", "待审核"), *found, ("letters", "协查函")]
    return [Tab(label, reverse(name), name == current) for name, label in found]


def evidence_in_scope(pk: int, request: AccountRequest) -> Evidence:
    """404 for one that does not exist or lies outside: the two look the same."""
    found = (
        Evidence.objects.within(request.scope)
        .select_related("student", "student__hukou_town", "verified_by", "reviewed_by", "town", "school")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def child_in_scope(public_id: str, request: AccountRequest) -> Student:
    found = (
        Student.objects.within(request.scope)
        .select_related("hukou_town", "hukou_village", "hukou_household", "school")
        .filter(public_id=public_id)
        .first()
    )
    if found is None:
        raise Http404
    return found


def say_at(form: forms.Form, field: str, sentence: str) -> None:
    """Puts a refusal beside the field that it names, or above the form where it has no such field."""
    form.add_error(field if field in form.fields else None, sentence)
