"""Every page of the running product in both browsers, as the people who use it: what every page owes its readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.battery import checks
from tests.battery.live import LiveSite
from tests.battery.pages import DESKTOP, PAGES, PHONE, PageCase

Enter = Callable[[str, int], BrowserContext]


@pytest.fixture(scope="session")
def enter(browser: Browser, live_site: LiveSite) -> Iterator[Enter]:
    """A window of a width, signed in as an account; each account signs in once per browser."""
    known: dict[str, Any] = {}
    opened: list[BrowserContext] = []

    def open_window(account: str, width: int) -> BrowserContext:
        if account and account not in known:
            door = browser.new_context(locale="zh-CN")
            live_site.sign_in(door, account)
            known[account] = door.storage_state()
            door.close()
        context = browser.new_context(
            viewport={"width": width, "height": 780 if width < 720 else 768},
            locale="zh-CN",
            storage_state=known.get(account),
        )
        opened.append(context)
        return context

    yield open_window
    for context in opened:
        context.close()


def _visit(page: Page, site: LiveSite, case: PageCase) -> int:
    """Opens the page as a person would; returns the last answer's status."""
    answer = page.goto(site.url + case.path)
    for link in case.follow:
        target = page.locator(link).first.get_attribute("href")
        assert target, f"{page.url} has no {link}"
        answer = page.goto(page.evaluate("(href) => new URL(href, location.href).href", target))
    page.wait_for_load_state("load")
    assert answer is not None
    return answer.status


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("case", PAGES, ids=str)
def test_a_page_is_accessible_fits_speaks_chinese_and_runs_without_complaints(
    enter: Enter, browser: Browser, live_site: LiveSite, case: PageCase, width: int
) -> None:
    context = enter(case.account, width)
    page, watch = checks.open_page(context)
    status = _visit(page, live_site, case)
    checks.keep_screenshot(page, f"{case.name}-{width}-{browser.version.split('.')[0]}")
    html = page.content()
    heard = checks.complaints(page, watch)
    if case.status != 200:
        heard = [line for line in heard if f"status of {case.status}" not in line]
    assert status == case.status
    assert checks.axe_violations(page) == []
    assert checks.overflow(page) == 0
    assert heard == []
    assert checks.unmasked_numbers(html) == []
    assert checks.foreign_words(html, allowed=[case.account, *case.allowed_words]) == []
    page.close()


@pytest.mark.parametrize("case", [case for case in PAGES if case.status == 200], ids=str)
def test_the_focus_is_seen_at_every_stop_of_the_tab_key(enter: Enter, live_site: LiveSite, case: PageCase) -> None:
    page, _ = checks.open_page(enter(case.account, DESKTOP))
    _visit(page, live_site, case)
    assert checks.unfocusable(page, presses=60) == []
    page.close()


@pytest.mark.parametrize("case", [case for case in PAGES if case.status == 200], ids=str)
def test_a_page_reflows_at_320_pixels(enter: Enter, live_site: LiveSite, case: PageCase) -> None:
    page, _ = checks.open_page(enter(case.account, 320))
    _visit(page, live_site, case)
    assert checks.overflow(page) == 0
    page.close()
