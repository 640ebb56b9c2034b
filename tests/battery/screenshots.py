"""`make screenshots`: the pictures of README.md, from the running product with its example county.

Starts the product on a state folder of its own, or looks at the one that EDUAID_BATTERY_URL names (`make up` says where it
serves). Needs the current Chromium; writes docs/screenshots/*.png. Everybody in the pictures is invented.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import django
from playwright.sync_api import Browser, Page, sync_playwright

from tests.battery import browsers

if TYPE_CHECKING:
    from tests.battery.live import LiveSite

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
WIDTH, HEIGHT = 1200, 760
PEOPLE = 3000
LIMIT = 300_000
"""Bytes of one picture: they are kept under version control."""


def progress(page: Page) -> None:
    page.goto("/progress/")


def imports(page: Page) -> None:
    page.goto("/imports/")


def review(page: Page) -> None:
    """The check page of the township's list in which most rows wait."""
    page.goto("/imports/?state=in-force")
    waiting = {
        int(row.locator("td.n").nth(1).inner_text().replace(",", "") or 0): row.locator("th a")
        for row in page.locator("table.pin tbody tr").all()
    }
    if not waiting or not max(waiting):
        sys.exit("no list of the township has waiting rows: show a larger county (EDUAID_BATTERY_URL)")
    waiting[max(waiting)].click()
    page.locator("main .note a").first.click()


def indicator(page: Page) -> None:
    page.goto("/i/difference.population-not-registry/")


def student(page: Page) -> None:
    """The first child of a figure."""
    page.goto("/i/pupils.boarding/")
    page.locator("table.pin tbody th a[href^='/students/']").first.click()


# Picture → who looks, and where.
PICTURES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "progress": ("county", progress),
    "imports": ("town-b", imports),
    "review": ("town-b", review),
    "indicator": ("county", indicator),
    "student": ("county", student),
}


def take(browser: Browser, site: LiveSite, name: str) -> int:
    """One picture of the upper part of a page; returns its size in bytes."""
    account, go = PICTURES[name]
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, locale="zh-CN", base_url=site.url)
    try:
        site.sign_in(context, account)
        page = context.new_page()
        go(page)
        page.wait_for_load_state("load")
        assert not re.search(r"/login/|\b(403|404|500)\b", page.url + page.title()), page.url
        return len(page.screenshot(path=FOLDER / f"{name}.png", animations="disabled", caret="hide"))
    finally:
        context.close()


def main() -> None:
    chromium = browsers.CURRENT.path()
    if chromium is None:
        sys.exit(f"Chromium is not there: {browsers.CURRENT.advice}, or set {browsers.CURRENT.variable}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eduaid.settings")
    django.setup()
    from tests.battery import live  # knows the example county's password, which lies beside its models

    FOLDER.mkdir(parents=True, exist_ok=True)
    with live.running(PEOPLE) as site, sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        sizes = {name: take(browser, site, name) for name in PICTURES}
        browser.close()
    for name, size in sizes.items():
        print(f"docs/screenshots/{name}.png  {size / 1024:.0f} KB")
    if max(sizes.values()) > LIMIT:
        sys.exit(f"a picture is larger than {LIMIT // 1000} KB")


if __name__ == "__main__":
    main()
