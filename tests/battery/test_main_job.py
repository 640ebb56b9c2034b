"""The main job as people do it: a township sends a list and puts an error right, the bureau approves, the child is there."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from eduaid.core.text.ids import check_digit
from tests.battery import checks
from tests.battery.live import LiveSite

SECONDS = 90
Window = Callable[[str, bool], BrowserContext]


@pytest.fixture
def window(browser: Browser, live_site: LiveSite) -> Iterator[Window]:
    """A window signed in as an account, with or without scripts."""
    opened: list[BrowserContext] = []

    def open_window(account: str, scripts: bool) -> BrowserContext:
        context = browser.new_context(
            viewport={"width": 1366, "height": 768}, locale="zh-CN", java_script_enabled=scripts
        )
        opened.append(context)
        live_site.sign_in(context, account)
        return context

    yield open_window
    for context in opened:
        context.close()


_DAYS = iter(random.SystemRandom().sample(range(700), 700))


def _new_number() -> str:
    """An ID number of the fictional county, born on a day of its own and with digits behind it that no check asks about.

    The names of the children repeat from test to test: one of the same birth date would rightly be asked about, and so would
    a number that ends in three zeros.
    """
    born = dt.date(2016, 9, 1) + dt.timedelta(days=next(_DAYS))
    digits = f"990121{born:%Y%m%d}{random.SystemRandom().randrange(101, 200):03d}"
    return digits + check_digit(digits)


def _send(page: Page, site: LiveSite, names: list[str]) -> str:
    """Pastes a small class roster, its last line with a wrong check digit; returns the address of the list's page."""
    page.goto(f"{site.url}/imports/new/?kind=class-roster")
    page.select_option("select[name=kind]", "class-roster")
    school = page.locator("select[name=scope] option", has_text="小学").first
    name = re.sub(r"^.*[　 —-]", "", school.inner_text().strip())
    page.select_option("select[name=scope]", school.get_attribute("value"))
    page.check("input[name=mode][value=supplement]")
    numbers = [_new_number() for _ in names]
    broken = numbers[-1][:-1] + ("0" if numbers[-1][-1] != "0" else "1")
    lines = ["姓名\t身份证件号\t性别\t学校名称\t年级\t班级\t是否寄宿"]
    for child, number in zip(names, [*numbers[:-1], broken], strict=True):
        sex = "男" if int(number[16]) % 2 else "女"
        lines.append(f"{child}\t{number}\t{sex}\t{name}\t三年级\t1班\t走读")
    page.click("summary:has-text('粘贴')")
    page.fill("textarea[name=pasted]", "\n".join(lines))
    page.click("main form button[type=submit] >> text=上传并核对")
    page.wait_for_url(re.compile(r"/imports/\d+/$"), timeout=SECONDS * 1000)
    expect(page.locator("h1")).to_contain_text(f"{len(names) - 1} 行可入库，1 行需修改")
    return numbers[-1]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_list_goes_in_an_error_is_put_right_in_place_and_the_bureau_approves(
    window: Window, live_site: LiveSite, scripts: bool
) -> None:
    names = ["欧阳若曦", "买买提江·艾山", "单宇航"]
    township, bureau = window("town-a", scripts), window("county", scripts)
    page, watch = checks.open_page(township)
    right = _send(page, live_site, names)
    address = page.url

    field = page.locator("main table input[name=value]").first
    field.fill(right)
    field.press("Enter")
    try:
        expect(page.locator("#ready")).to_have_text("3", timeout=SECONDS * 1000)
    except AssertionError:
        pytest.fail(f"the corrected row did not become ready; the page says: {page.inner_text('main')}")
    if scripts:
        assert checks.complaints(page, watch) == []
    page.goto(address)
    page.click("main button >> text=提交")
    page.wait_for_load_state("load")

    page = bureau.new_page()
    page.goto(address)
    page.click("main button >> text=通过")
    page.wait_for_load_state("load")
    for _ in range(SECONDS):
        page.goto(address)
        if "已生效" in page.inner_text("main"):
            break
        page.wait_for_timeout(1000)
    assert "已生效" in page.inner_text("main")
    page.goto(f"{live_site.url}/students/?q=欧阳若曦")
    expect(page.locator("main tbody th").first).to_have_text("欧阳若曦")
    assert checks.unmasked_numbers(page.content()) == []
