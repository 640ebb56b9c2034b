"""Per-request frame: one transaction with the user's scope, session limits, and a log line without personal data."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import pghistory
import structlog
from django.conf import settings
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from eduaid.core.scope import NOTHING, Scope, row_security

Handler = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger("eduaid.requests")

_WITHOUT_DATABASE = ("/healthz", "/static/")


class RequestLogMiddleware:
    """Logs method, path, status, milliseconds and the account; gives each request the reference number that 500 shows."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        reference = uuid.uuid4().hex[:10]
        request.reference = reference  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(reference=reference)
        started = time.monotonic()
        response = self.get_response(request)
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round((time.monotonic() - started) * 1000),
            user=getattr(request, "account_id", None),
        )
        return response


class SessionLimitsMiddleware:
    """Ends a session that was idle too long; the absolute limit is the cookie's age, counted from log-in."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = timezone.now().timestamp()
            seen = request.session.get("seen", now)
            if now - seen > settings.SESSION_IDLE_SECONDS:
                logout(request)
            elif now - seen > 60 or "seen" not in request.session:
                # Written at most once a minute, without moving the absolute end of the session.
                request.session["seen"] = now
        return self.get_response(request)


class ScopeMiddleware:
    """Wraps the request in one transaction that sees what the user may see, and notes the user in the history context.

    A response of 500 and above rolls back: nothing is half done. Work for after the commit is enqueued with
    `delay_on_commit`.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(_WITHOUT_DATABASE):
            return self.get_response(request)
        with transaction.atomic():
            user = request.user
            if user.is_authenticated:
                request.account_id = user.pk  # type: ignore[attr-defined]
                request.scope = Scope.of(user)  # type: ignore[attr-defined]
                context = {"user": user.pk}
            else:
                request.scope = NOTHING  # type: ignore[attr-defined]
                context = {}
            with row_security(request.scope, local=True), pghistory.context(**context):  # type: ignore[attr-defined]
                response = self.get_response(request)
                if response.status_code >= 500:
                    transaction.set_rollback(True)
        return response
