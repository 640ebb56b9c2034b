"""The watermark that the style sheet lays under every list of names: who looks, where from, when."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from eduaid.core.display import dense_moment
from eduaid.core.roles import posts_of
from eduaid.core.views.policy import AccountRequest, needs


@needs()
def watermark(request: AccountRequest) -> HttpResponse:
    posts = posts_of(request.user)
    unit = str(posts[0].region or posts[0].school) if posts else ""
    lines = (f"{unit} {request.user.display_name}".strip(), f"{dense_moment(timezone.now())} {request.user.username}")
    response = render(request, "watermark.svg", {"watermark_lines": lines}, content_type="image/svg+xml; charset=utf-8")
    # A page of names takes a minute to read; the picture is drawn again for the next one.
    response["Cache-Control"] = "private, max-age=60"
    return response
