"""Error pages. 403 says who can grant the right; 404 and 500 say nothing of what exists; each gives a reference number."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


def _page(request: HttpRequest, status: int, **context: object) -> HttpResponse:
    reference = getattr(request, "reference", "")
    return render(request, f"{status}.html", {"reference": reference, **context}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403, reason=str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Renders without context processors: whatever broke must not break the error page too."""
    return HttpResponse(render_to_string("500.html", {"reference": getattr(request, "reference", "")}), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", {"reference": getattr(request, "reference", "")}, status=403)
