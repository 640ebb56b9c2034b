"""Browsers and pages for the battery."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.battery import browsers, gallery, live

# Playwright drives its browser from an event loop in this thread; the database calls beside it are ordinary ones.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(scope="session")
def playwright_engine() -> Iterator[Playwright]:
    with sync_playwright() as engine:
        yield engine


@pytest.fixture(scope="session", params=browsers.KINDS, ids=lambda kind: kind.name)
def browser(request: pytest.FixtureRequest, playwright_engine: Playwright) -> Iterator[Browser]:
    """Each browser in turn, one process for the whole run."""
    started = request.param.launch(playwright_engine.chromium)
    yield started
    started.close()


@pytest.fixture(scope="session")
def current_browser(playwright_engine: Playwright) -> Iterator[Browser]:
    """The current Chromium alone, for what does not depend on the browser's age."""
    started = browsers.CURRENT.launch(playwright_engine.chromium)
    yield started
    started.close()


@pytest.fixture(scope="session")
def gallery_address() -> Iterator[str]:
    with gallery.serving() as address:
        yield address


@pytest.fixture(scope="session")
def live_site() -> Iterator[live.LiveSite]:
    """The whole product with the small example county, started once for the run."""
    with live.running() as site:
        yield site
