"""Showing one number in full: with a purpose, for identity numbers a fresh password, thirty seconds, always logged."""

from __future__ import annotations

import datetime as dt
import time

from django.contrib import messages
from django.contrib.auth import authenticate
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from eduaid.core import access
from eduaid.core.models import AccessRecord, Notice, Post, User
from eduaid.core.models.access import Action
from eduaid.core.models.accounts import RoleKey
from eduaid.core.roles import Right, today
from eduaid.core.sealing import Unreadable
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from students import numbers, provenance
from students.forms import RevealForm
from students.models import Student
from students.numbers import NUMBERS, NotOnFile, Number
from students.views.common import crumbs, student_in_scope
from students.views.detail import Shown, page

SECONDS = 30
FRESH_SECONDS = 10 * 60
HOURLY_LIMIT = 50
_CONFIRMED_AT = "password_confirmed_at"


@require_POST
@needs(Right.REVEAL)
def reveal(request: AccountRequest, public_id: str, what: str) -> HttpResponse:
    """One number of one child. A phone is shown at once, for calling the family; others ask purpose and password."""
    child = student_in_scope(public_id, request.scope)
    number = NUMBERS.get(what)
    if number is None:
        raise Http404
    if number.purpose:
        return _show(request, child, number, number.purpose)
    form = RevealForm(request.POST if "purpose" in request.POST else None, asks_password=not _is_fresh(request))
    if form.is_valid() and _password_holds(request, form):
        return _show(request, child, number, form.stated)
    return render(
        request,
        "students/reveal.html",
        {
            "crumbs": crumbs(Link(child.name, reverse("student", args=[child.public_id])), Link(f"显示{number.label}")),
            "student": child,
            "number": number,
            "form": form,
            "seconds": SECONDS,
            "action": request.path,
            "back_url": reverse("student", args=[child.public_id]),
        },
    )


def _is_fresh(request: AccountRequest) -> bool:
    return time.time() - float(request.session.get(_CONFIRMED_AT, 0)) < FRESH_SECONDS


def _password_holds(request: AccountRequest, form: RevealForm) -> bool:
    """Asks the log-in's own back ends, so that wrong passwords count toward the lockout."""
    if "password" not in form.fields:
        return True
    user = authenticate(request, username=request.user.username, password=form.cleaned_data["password"])
    if user is None or user.pk != request.user.pk:
        form.add_error("password", "密码不对，请重新输入")
        return False
    request.session[_CONFIRMED_AT] = time.time()
    return True


def _show(request: AccountRequest, child: Student, number: Number, purpose: str) -> HttpResponse:
    try:
        text = numbers.in_full(number, child, provenance.of(child, request.scope))
    except (NotOnFile, Unreadable) as refusal:
        messages.warning(request, str(refusal))
        return redirect("student", child.public_id)
    access.note(
        by=request.user,
        action=Action.REVEAL,
        subject_kind="student",
        subject_id=child.pk,
        page=request.path,
        purpose=f"{number.label}：{purpose}",
    )
    alert_when_many(request.user)
    response = page(request, child, shown=Shown(number.label, text, SECONDS))
    response["Cache-Control"] = "no-store"
    return response


def alert_when_many(user: User) -> None:
    """Tells the audit administrators once an hour when somebody has shown more than fifty numbers within one."""
    hour_ago = timezone.now() - dt.timedelta(hours=1)
    if AccessRecord.objects.filter(user=user, action=Action.REVEAL, at__gt=hour_ago).count() <= HOURLY_LIMIT:
        return
    text = f"{user}（{user.username}）1 小时内显示完整号码超过 {HOURLY_LIMIT} 次，请核查用途"
    auditors = Post.objects.held_on(today()).filter(role=RoleKey.AUDIT_ADMIN, user__is_active=True).values("user")
    told = Notice.objects.filter(text=text, created_at__gt=hour_ago).values("user")
    url = f"/admin/core/accessrecord/?user__id__exact={user.pk}&action__exact={Action.REVEAL.value}"
    Notice.objects.bulk_create(
        Notice(user=auditor, text=text, url=url)
        for auditor in User.objects.filter(pk__in=auditors).exclude(pk__in=told)
    )
