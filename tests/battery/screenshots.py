"""`python -m tests.battery.screenshots`: the pictures of the README, from a running product with the example county.

Starts the product itself, or uses the one that EDUAID_BATTERY_URL names. Pictures go to docs/screenshots/.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.battery import browsers, live

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
PEOPLE = 12_000

# picture, account, address, width, links to follow
SHOTS: tuple[tuple[str, str, str, int, tuple[str, ...]], ...] = (
    ("progress", "county", "/progress/", 1366, ()),
    ("home", "town-a", "/", 1366, ()),
    ("imports", "town-a", "/imports/", 1366, ()),
    ("review", "county", "/imports/", 1366, ("main tbody th a",)),
    ("student", "county", "/students/", 1366, ("main tbody th a",)),
    ("trace", "county", "/progress/", 1366, ("main a.fig:not(.zero)",)),
    ("progress-phone", "leader", "/progress/", 390, ()),
)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with live.running(PEOPLE) as site, sync_playwright() as engine:
        browser = browsers.CURRENT.launch(engine.chromium)
        for name, account, path, width, links in SHOTS:
            size = {"width": width, "height": 844 if width < 720 else 860}
            context = browser.new_context(viewport=size, locale="zh-CN")
            site.sign_in(context, account)
            page = context.new_page()
            page.goto(site.url + path)
            for link in links:
                page.locator(link).first.click()
                page.wait_for_load_state("load")
            page.screenshot(path=str(FOLDER / f"{name}.png"))
            print(FOLDER / f"{name}.png")  # noqa: T201 (a tool for people at a terminal)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
