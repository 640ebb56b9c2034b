"""The main job on a whole township: 9,351 pupils, 2 % of the lines wrong, nine children missing; clicks and seconds counted.

The clicks are judged here, the seconds only kept (`journey-*.json` beside the pictures): a clock on a shared machine proves
nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.battery import checks
from tests.battery.journey import make_journey
from tests.battery.live import LiveSite

SCHOOLS = ("水口镇中心小学", "水口镇蔡朱小学")
PATIENCE = 120_000
"""Milliseconds after which a page counts as broken."""
TOWNSHIP_CLICKS, BUREAU_CLICKS = 42, 6
"""What the main job may cost: five fixed clicks, four kinds at once, eleven numbers, the missing and what is compared."""


@dataclass
class Hand:
    """A person at the page: every activation by mouse or Enter is counted, and the seconds until the answer stands there."""

    page: Page
    site: LiveSite
    keyboard: bool
    clicks: int = 0
    steps: dict[str, float] = field(default_factory=dict)

    def activate(self, step: str, target: Locator) -> None:
        """Presses, and waits until the page that follows has come."""
        started = time.monotonic()
        self.clicks += 1
        with self.page.expect_navigation(timeout=PATIENCE):
            if self.keyboard:
                target.focus()
                target.press("Enter")
            else:
                target.click()
        self.steps[step] = time.monotonic() - started

    def see(self, words: str) -> None:
        expect(self.page.locator("h1")).to_contain_text(words, timeout=PATIENCE)


@pytest.fixture
def windows(current_browser: Browser) -> Iterator[list[BrowserContext]]:
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


def _sign_in(
    browser: Browser, windows: list[BrowserContext], site: LiveSite, account: str, *, scripts: bool, keyboard: bool
) -> Hand:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", java_script_enabled=scripts)
    windows.append(context)
    hand = Hand(context.new_page(), site, keyboard)
    hand.page.goto(f"{site.url}/login/")
    hand.page.fill("input[name=username]", account)
    hand.page.fill("input[name=password]", site.password)
    hand.activate("登录", hand.page.locator("main button[type=submit]"))
    return hand


def _upload(hand: Hand, data: bytes, day: dt.date) -> str:
    """Sends the list and waits for its check page, whose address it gives."""
    page = hand.page
    page.goto(f"{hand.site.url}/imports/new/?kind=class-roster")
    page.select_option("select[name=kind]", "class-roster")
    page.select_option("select[name=scope]", label=_option(page.locator("select[name=scope]"), "水口镇（全镇）"))
    page.fill("input[name=effective_on]", day.isoformat())
    page.check("input[name=mode][value=complete]")
    name = f"水口镇{day:%m%d}.xlsx"
    page.set_input_files("input[name=files]", {"name": name, "mimeType": "application/zip", "buffer": data})
    started = time.monotonic()
    hand.activate("上传", page.locator("main form button[type=submit] >> text=上传并核对"))
    page.wait_for_url(re.compile(r"/imports/\d+/$"), timeout=PATIENCE)
    hand.steps["上传到核对结果"] = time.monotonic() - started
    return page.url


def _option(select: Locator, words: str) -> str:
    """The label of the first option that ends with the words."""
    return next(label for label in select.locator("option").all_inner_texts() if label.strip().endswith(words))


def _approve(hand: Hand, address: str) -> None:
    """From the task on the desk to the list, its differences and 通过; then until it is in force."""
    page = hand.page
    path = address.removeprefix(hand.site.url)
    hand.activate("待办", page.locator(f"main a[href='{path}']").first)
    started = time.monotonic()
    hand.activate("通过", page.locator("main button >> text=通过"))
    while time.monotonic() - started < PATIENCE / 1000:
        page.goto(address)
        if "已生效" in page.inner_text("main"):
            hand.steps["通过到生效"] = time.monotonic() - started
            return
        page.wait_for_timeout(300)
    raise AssertionError("the list did not take force")


def _roster_in_force(
    browser: Browser, windows: list[BrowserContext], site: LiveSite, data: bytes, day: dt.date
) -> None:
    """The township's roster as it stood before; those whom the example county had there are left open, class by class."""
    sender = _sign_in(browser, windows, site, "town-b", scripts=True, keyboard=False)
    address = _upload(sender, data, day)
    page = sender.page
    while page.locator("main a >> text=先说明").count():
        sender.activate("去向", page.locator("main a >> text=先说明"))
        page.select_option("select[name=group]", index=1)
        page.select_option("select#group-code", label=_option(page.locator("select#group-code"), "待核"))
        sender.activate("整班", page.locator("main button >> text=整班填写"))
        page.goto(address)
    sender.activate("提交", page.locator("main button >> text=提交"))
    bureau = _sign_in(browser, windows, site, "county", scripts=True, keyboard=False)
    _approve(bureau, address)


def _settle_alike(hand: Hand, wrong: str, right: str) -> None:
    """One cell put right, and with it every cell that says the same."""
    field = hand.page.locator(f"main table input[name=value][value='{wrong}']").first
    field.fill(right)
    same = field.locator("xpath=ancestor::form[1]").locator("button >> text=内容相同")
    hand.activate(f"{wrong}→{right}", same)


def _type_numbers(hand: Hand, typed: dict[int, str], *, scripts: bool) -> None:
    """Every number that is left, one after the other; Enter saves and goes on."""
    page = hand.page
    for place in range(len(typed)):
        # A line that was put right stays where it was until the page is loaded anew.
        label = page.locator("main table label", has_text="身份证件号").nth(place if scripts else 0)
        line = int(re.findall(r"第 (\d+) 行", label.text_content() or "")[0])
        anchor = label.get_attribute("for") or ""
        field = page.locator(f"[id='{anchor}']")
        its_line = page.locator(f"tr[id^='{anchor.split('-')[0]}-']")
        field.fill(typed[line])
        hand.clicks += 1
        if scripts:
            field.press("Enter")
            expect(its_line).to_contain_text("已改好", timeout=PATIENCE)
        else:
            with page.expect_navigation(timeout=PATIENCE):
                field.press("Enter")


def _say_where(hand: Hand, address: str, missing: int) -> None:
    page = hand.page
    page.goto(address)
    hand.activate("上期有本期无", page.locator("main a >> text=先说明"))
    selects = page.locator("main table select")
    expect(selects).to_have_count(missing)
    for place in range(missing):
        hand.clicks += 1
        selects.nth(place).select_option(label=_option(selects.nth(place), "待核"))
    hand.activate("保存去向", page.locator("main button >> text=保存本页的去向"))
    hand.activate("回核对结果", page.locator("a >> text=回核对结果").first)


@pytest.mark.parametrize(
    ("scripts", "keyboard", "day", "ethnicity", "grade"),
    [
        (True, False, dt.date(2026, 10, 12), "汉祖", "毕业班"),
        (True, True, dt.date(2026, 10, 22), "汉组", "末年级"),
        (False, False, dt.date(2026, 11, 2), "汉足", "高小班"),
    ],
    ids=["mouse", "keyboard alone", "without scripts"],
)
def test_a_township_of_nine_thousand_takes_force_within_the_clicks_allowed(
    current_browser: Browser,
    windows: list[BrowserContext],
    live_site: LiveSite,
    scripts: bool,
    keyboard: bool,
    day: dt.date,
    ethnicity: str,
    grade: str,
) -> None:
    journey = make_journey(SCHOOLS, ethnicity=ethnicity, grade=grade)
    _roster_in_force(current_browser, windows, live_site, journey.before, day)

    hand = _sign_in(current_browser, windows, live_site, "town-b", scripts=scripts, keyboard=keyboard)
    page = hand.page
    address = _upload(hand, journey.after, day + dt.timedelta(3))
    wrong = sum(journey.wrong.values())
    hand.see(f"{journey.rows - wrong:,} 行可入库，{wrong} 行需修改")
    nodes = page.evaluate("document.querySelectorAll('*').length") if scripts else 0

    _settle_alike(hand, ethnicity, "汉族")
    _settle_alike(hand, grade, "六年级")
    for kind in ("name", "school"):
        count = journey.wrong[kind]
        hand.activate(f"{kind} 采用建议", page.locator("main button", has_text=f"{count} 行都采用建议"))
    hand.see(f"{journey.wrong['number']} 行需修改")
    _type_numbers(hand, journey.typed, scripts=scripts)
    _say_where(hand, address, journey.missing)
    hand.see(f"{journey.rows:,} 行可入库")
    hand.activate("提交", page.locator("main button >> text=提交"))

    bureau = _sign_in(current_browser, windows, live_site, "county", scripts=scripts, keyboard=keyboard)
    _approve(bureau, address)
    text = bureau.page.inner_text("main")
    assert f"{journey.rows:,}" in text
    assert checks.unmasked_numbers(bureau.page.content()) == []
    checks.keep_figures(
        f"journey-{'keyboard' if keyboard else 'mouse' if scripts else 'noscript'}",
        {
            "rows": journey.rows,
            "township clicks": hand.clicks,
            "bureau clicks": bureau.clicks,
            "nodes of the check page": nodes,
            "seconds": {step: round(seconds, 2) for step, seconds in (hand.steps | bureau.steps).items()},
        },
    )
    assert hand.clicks <= TOWNSHIP_CLICKS
    assert bureau.clicks <= BUREAU_CLICKS
    assert nodes <= 1500
