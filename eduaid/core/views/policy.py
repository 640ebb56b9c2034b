"""Who may open a page. Every view carries one of these; the house rules fail a URL without one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from eduaid.core.models import User
from eduaid.core.roles import ROLES, Right, may
from eduaid.core.scope import Scope

View = Callable[..., HttpResponseBase]


class AccountRequest(HttpRequest):
    """A request of somebody who is logged in, as `ScopeMiddleware` and `needs` leave it."""

    user: User
    scope: Scope


def _to_login(request: HttpRequest) -> HttpResponseBase:
    """To the log-in page, and after it back to the page where the person was: neither to a fragment of a page nor to an act that
    can only be posted. A fragment is answered so that the whole page goes there."""
    htmx = getattr(request, "htmx", None)
    back = request.get_full_path()
    if htmx:
        back = htmx.current_url_abs_path or reverse("home")
    elif request.method == "POST":
        came_from = urlsplit(request.headers.get("Referer", ""))
        back = f"{came_from.path}?{came_from.query}".rstrip("?") if came_from.netloc == request.get_host() else back
    login = redirect_to_login(back)
    return HttpResponseClientRedirect(login.url) if htmx else login


def needs(*rights: Right) -> Callable[[View], View]:
    """Logged in, and one of the rights (none named: any account). Without: the log-in page, or 403 that says who has it."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            if not isinstance(user, User):
                return _to_login(request)
            if rights and not any(may(user, right) for right in rights):
                holders = "、".join(role.label for role in ROLES.values() if set(rights) & role.rights)
                raise PermissionDenied(f"这个页面供{holders}使用。如需使用，请联系安全管理员调整岗位。")
            return view(request, *args, **kwargs)

        guarded.policy = rights or ("any account",)  # type: ignore[attr-defined]
        return guarded

    return wrap


def public(view: View) -> View:
    """Open to everybody: the log-in page, the health check."""
    view.policy = ("public",)  # type: ignore[attr-defined]
    return view
