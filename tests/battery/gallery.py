"""Every page template with made-up values, served without a database, so that looks can be checked beside the views.

`python -m tests.battery.gallery` serves them at 127.0.0.1:8099 for people who work on the looks.
"""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace as ns
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse

from django.template.loader import get_template

from tests.battery import samples

ROOT = Path(__file__).resolve().parents[2]
CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
PAGES: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "styleguide": (
        "styleguide.html",
        lambda: samples.frame(
            equation=samples.EQUATION,
            gap=samples.GAP,
            kpis=samples.KPIS,
            table=samples.town_table(),
            definition=samples.DEFINITION,
            form=samples.UploadForm({"kind": ""}),
            page=samples.pager(),
            points=samples.indicator()["points"],
            progress=samples.running()["progress"],
            chips=samples.students()["chips"],
            clear_url="#",
            tabs=samples.review()["tabs"],
            timeline=samples.student()["timeline"],
            empty=ns(title="全部已分配 ✓", text="本镇每个学生都有包保教师。", action_url="#", action_label="查看名单"),
        ),
    ),
    "login": (
        "registration/login.html",
        lambda: samples.frame(form=samples.LoginForm(), nav=[], user_label="", demo=True),
    ),
    "login-error": (
        "registration/login.html",
        lambda: samples.frame(form=samples.LoginForm({"username": "town-a", "password": "x"}), nav=[], user_label=""),
    ),
    "locked": ("registration/locked.html", lambda: samples.frame(nav=[], user_label="")),
    "home": ("home.html", samples.home),
    "home-empty": ("home.html", samples.home_empty),
    "search": ("students/search.html", lambda: samples.search("hits")),
    "search-start": ("students/search.html", lambda: samples.search("")),
    "search-none": ("students/search.html", lambda: samples.search("none")),
    "imports": ("imports/index.html", samples.imports),
    "imports-empty": ("imports/index.html", lambda: samples.imports(empty=True)),
    "upload": ("imports/new.html", samples.upload),
    "upload-error": ("imports/new.html", lambda: samples.upload(bound=True)),
    "map": ("imports/map.html", samples.mapping),
    "run": ("imports/run.html", samples.running),
    "run-lost": ("imports/run.html", lambda: samples.running("lost")),
    "run-failed": ("imports/run.html", lambda: samples.running("failed")),
    "review": ("imports/review.html", samples.review),
    "review-good": ("imports/review.html", lambda: samples.review("good")),
    "review-approve": ("imports/review.html", lambda: samples.review("approve")),
    "diff-added": ("imports/diff.html", lambda: samples.diff("added")),
    "diff-changed": ("imports/diff.html", lambda: samples.diff("changed")),
    "diff-missing": ("imports/diff.html", lambda: samples.diff("missing")),
    "receipt": ("imports/receipt.html", samples.receipt),
    "undo": ("imports/undo.html", samples.undo),
    "undo-error": ("imports/undo.html", lambda: samples.undo(bound=True)),
    "confirm": (
        "confirm.html",
        lambda: samples.frame(
            title="放弃本次导入",
            question="放弃后这份名单不再保留，原表仍在您的电脑里。",
            effects=["1,204 行可入库的行不会入库", "3 行已改的内容会丢失"],
            confirm_label="放弃",
            danger=True,
            back_url="/review",
        ),
    ),
    "students": ("students/list.html", samples.students),
    "students-many": ("students/list.html", lambda: samples.students("many")),
    "students-empty": ("students/list.html", lambda: samples.students("empty")),
    "student": ("students/detail.html", samples.student),
    "household": ("students/household.html", samples.household),
    "progress": ("reports/progress.html", samples.progress),
    "progress-gap": ("reports/progress.html", lambda: samples.progress("gap")),
    "progress-empty": ("reports/progress.html", lambda: samples.progress("empty")),
    "indicator": ("reports/indicator.html", samples.indicator),
    "indicator-zero": ("reports/indicator.html", lambda: samples.indicator("zero")),
    "trace": ("reports/trace.html", samples.trace),
    "source-row": ("reports/source_row.html", samples.source_row),
    "report": ("reports/report.html", samples.report),
    **samples.setup_pages(),
    "400": ("400.html", samples.frame),
    "403": (
        "403.html",
        lambda: samples.frame(reason="此页只供县教育局使用。", grantor_label="系统管理员", reference="7F3A-21C9"),
    ),
    "404": ("404.html", lambda: samples.frame(reference="7F3A-21C9")),
    "500": ("500.html", lambda: {"reference": "7F3A-21C9"}),
    "csrf": ("403_csrf.html", samples.frame),
}

PARTS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "progress-part": ("partials/progress.html", samples.running),
    "review-row": (
        "imports/review_row.html",
        lambda: {"row": ns(**{**vars(samples.review()["rows"][0]), "level": "ok"}), "csrf_token": "gallery"},
    ),
}


def render(name: str) -> str:
    """The HTML of one gallery page or part."""
    template, context = {**PAGES, **PARTS}[name]
    return get_template(template).render(context())


def _answer(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    name = str(environ["PATH_INFO"]).strip("/") or "home"
    if name == "watermark.svg":
        lines = ["水口镇中心校 李校长", "2026-11-27 17:00 · 0017"]
        body, kind = get_template("watermark.svg").render({"watermark_lines": lines}).encode(), "image/svg+xml"
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
                "DIRS": [ROOT / "templates"],
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
