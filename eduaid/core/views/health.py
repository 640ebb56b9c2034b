"""Whether the program can work: asked by the launcher, the container's health check and the proxy. Tells no data."""

from __future__ import annotations

from celery import current_app
from django.db import OperationalError, connection
from django.http import HttpRequest, JsonResponse
from kombu.exceptions import OperationalError as BrokerError

from eduaid.core.views.policy import public

OK, AWAY = "ok", "away"


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        return AWAY
    return OK


def _broker() -> str:
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2, interval_start=0)
    except (BrokerError, OSError):
        return AWAY
    return OK


@public
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while pages can be served. A broker that is away delays work and loses none (the rows are the queue): still 200."""
    state = {"database": _database(), "broker": _broker()}
    return JsonResponse(state, status=200 if state["database"] == OK else 503, headers={"Cache-Control": "no-store"})
