"""The style guide and seldom states with made-up values, served without a database: for looks and for components.

`python -m tests.battery.gallery` serves them at 127.0.0.1:8099 for people who work on the looks.
"""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse

from django.conf import settings
from django.template.backends.django import DjangoTemplates

from tests.battery import samples

ROOT = Path(__file__).resolve().parents[2]
CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
PAGES: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "styleguide": ("styleguide.html", samples.styleguide),
    "login-error": (
        "registration/login.html",
        lambda: samples.stranger(form=samples.LoginForm({"username": "town-a", "password": "x"})),
    ),
    "login-first-run": (
        "registration/login.html",
        lambda: samples.stranger(form=samples.LoginForm(), first_run=True, demo=False),
    ),
    "locked": ("registration/locked.html", samples.stranger),
    "home-without-lists": ("home.html", samples.home_without_lists),
    "returned": ("imports/returned.html", samples.returned),
    "run": ("imports/run.html", samples.running),
    "run-lost": ("imports/run.html", lambda: samples.running("lost")),
    "run-failed": ("imports/run.html", lambda: samples.running("failed")),
    "confirm": ("confirm.html", samples.confirm),
    "missing": ("imports/missing.html", samples.missing),
    "diff-changed": ("imports/diff.html", samples.changed),
    "approvals": ("imports/approvals.html", samples.approvals),
    "undo-rows": ("imports/undo_rows.html", samples.undo_rows),
    "400": ("400.html", samples.frame),
    "403": ("403.html", lambda: samples.frame(reason="此页只供县教育局使用。", reference="7F3A-21C9")),
    "404": ("404.html", lambda: samples.frame(reference="7F3A-21C9")),
    "500": ("500.html", lambda: {"reference": "7F3A-21C9"}),
    "csrf": ("403_csrf.html", samples.frame),
}

PARTS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "progress-part": ("partials/progress.html", samples.running),
    "review-row": ("imports/review_row.html", samples.saved_row),
}


@cache
def _engine() -> DjangoTemplates:
    """The product's templates, and the samples' own beside them."""
    product = settings.TEMPLATES[0]
    return DjangoTemplates(
        {
            "NAME": "gallery",
            "DIRS": [*product["DIRS"], ROOT / "tests" / "battery" / "templates"],
            "APP_DIRS": True,
            "OPTIONS": {"builtins": product["OPTIONS"]["builtins"]},
        }
    )


def render(name: str) -> str:
    """The HTML of one gallery page or part."""
    template, context = {**PAGES, **PARTS}[name]
    return _engine().get_template(template).render(context())


def _answer(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    name = str(environ["PATH_INFO"]).strip("/") or "styleguide"
    if name == "watermark.svg":
        lines = ["水口镇中心校 李校长", "2026-11-27 17:00 · 0017"]
        body, kind = (
            _engine().get_template("watermark.svg").render({"watermark_lines": lines}).encode(),
            "image/svg+xml",
        )
    elif name.startswith("static/"):
        path = (ROOT / name).resolve()
        if not path.is_relative_to(ROOT / "static") or not path.is_file():
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b""]
        body, kind = path.read_bytes(), mimetypes.guess_type(name)[0] or "application/octet-stream"
    elif name in PAGES or name in PARTS:
        body, kind = render(name).encode(), "text/html; charset=utf-8"
    else:
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [b""]
    start("200 OK", [("Content-Type", kind), ("Content-Security-Policy", CSP), ("Cache-Control", "no-store")])
    return [body]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(port: int = 0) -> Iterator[str]:
    """The gallery's address while the block runs."""
    with make_server("127.0.0.1", port, _answer, WSGIServer, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _set_up_django() -> None:
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="gallery",
        STATIC_URL="/static/",
        USE_TZ=True,
        TIME_ZONE="Asia/Shanghai",
        LANGUAGE_CODE="zh-hans",
        INSTALLED_APPS=["django.contrib.staticfiles"],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [ROOT / "templates", ROOT / "tests" / "battery" / "templates"],
                "APP_DIRS": True,
                "OPTIONS": {"builtins": ["eduaid.core.templatetags.ui"]},
            }
        ],
    )
    django.setup()


if __name__ == "__main__":
    _set_up_django()
    with serving(8099) as address:
        print(f"{address}/  " + " ".join(PAGES), flush=True)  # noqa: T201 (a tool for people at a terminal)
        threading.Event().wait()
