"""Every page of the running product in both browsers, as the people who use it: what every page owes its readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.battery import checks
from tests.battery.live import LiveSite
from tests.battery.pages import PAGES, PageCase

Enter = Callable[[str], BrowserContext]


@pytest.fixture(scope="session")
def enter(browser: Browser, live_site: LiveSite) -> Iterator[Enter]:
    """Windows signed in as an account, once for each browser."""
    opened: dict[str, BrowserContext] = {}

    def window(account: str) -> BrowserContext:
        if account not in opened:
            opened[account] = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
            if account:
                live_site.sign_in(opened[account], account)
        return opened[account]

    yield window
    for context in opened.values():
        context.close()


def _visit(page: Page, site: LiveSite, case: PageCase) -> int:
    """Opens the page as a person would; returns the last answer's status."""
    answer = page.goto(site.url + case.path)
    for link in case.follow:
        if link.startswith("press "):
            with page.expect_navigation() as navigation:
                page.locator(link.removeprefix("press ")).first.click()
            answer = navigation.value
            continue
        target = page.locator(link).first.get_attribute("href")
        assert target, f"{page.url} has no {link}"
        answer = page.goto(page.evaluate("(href) => new URL(href, location.href).href", target))
    page.wait_for_load_state("load")
    assert answer is not None
    return answer.status


@pytest.mark.parametrize("case", PAGES, ids=str)
def test_a_page_is_accessible_fits_speaks_chinese_and_runs_without_complaints(
    enter: Enter, live_site: LiveSite, case: PageCase
) -> None:
    page, watch = checks.open_page(enter(case.account))
    try:
        status = _visit(page, live_site, case)
        expected = f"status of {case.status}"
        html = page.content()
        faults = {
            "complaints": [
                line for line in checks.complaints(page, watch) if case.status == 200 or expected not in line
            ],
            "numbers": checks.unmasked_numbers(html),
            "words": checks.foreign_words(html, allowed=[*case.account.split("-"), *case.allowed_words]),
            "focus": checks.unfocusable(page, presses=60) if case.status == 200 else [],
        }
        faults |= checks.faults_at(page, case.widths, case.name)
        assert status == case.status
        assert {fault: found for fault, found in faults.items() if found} == {}
    finally:
        page.close()
