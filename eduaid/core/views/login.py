"""P01: log-in, log-out; P06: one's own password and notices."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from eduaid.core.forms import PasswordForm, SignInForm
from eduaid.core.models import AccessRecord, Notice, User
from eduaid.core.roles import posts_of
from eduaid.core.views.pages import paged
from eduaid.core.views.policy import AccountRequest, needs, public


class SignIn(LoginView):
    """The log-in page. Lockout is django-axes'; the form says how many tries are left."""

    template_name = "registration/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(**context) | {"first_run": not User.objects.exists()}

    def form_valid(self, form: Any) -> HttpResponse:
        """The session ends for good after its hours, however busy it was; idle sessions end earlier (middleware)."""
        response = super().form_valid(form)
        self.request.session.set_expiry(timezone.now() + dt.timedelta(seconds=settings.SESSION_COOKIE_AGE))
        return response

    def get_success_url(self) -> str:
        user = self.request.user
        if isinstance(user, User) and user.must_change_password:
            messages.warning(self.request, "这是管理员给的初始密码，请先换成自己的密码。")
            return reverse("me")
        return super().get_success_url()


login = public(SignIn.as_view())
logout = public(LogoutView.as_view())


@needs()
def me(request: AccountRequest) -> HttpResponse:
    """One's posts, password, notices, and what the log holds about oneself."""
    form = PasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])
        update_session_auth_hash(request, user)
        messages.success(request, "密码已修改。其他地方的登录已全部退出。")
        return redirect("me")
    page = paged(request, Notice.objects.filter(user=request.user), size=20)
    accesses = AccessRecord.objects.filter(user=request.user).order_by("-id")[:20]
    return render(
        request,
        "registration/me.html",
        {
            "form": form,
            "posts": posts_of(request.user),
            "notices": page.rows,
            "page": page,
            "accesses": accesses,
            "unread": any(notice.read_at is None for notice in page.rows),
        },
    )


@require_POST
@needs()
def notices_read(request: AccountRequest) -> HttpResponse:
    """Marks one's notices as read: the one named, or all."""
    notices = Notice.objects.filter(user=request.user, read_at=None)
    if request.POST.get("notice", "").isdigit():
        notices = notices.filter(pk=request.POST["notice"])
    notices.update(read_at=timezone.now())
    return redirect("me")
