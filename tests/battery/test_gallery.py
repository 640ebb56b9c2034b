"""The components and the seldom states in both browsers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.battery import checks, gallery

WIDTHS = (1366, 360)


def _open(browser: Browser, address: str, width: int) -> tuple[Page, checks.Watch]:
    context = browser.new_context(viewport={"width": width, "height": 780 if width < 720 else 768}, locale="zh-CN")
    page, watch = checks.open_page(context)
    page.goto(address)
    page.wait_for_load_state("load")
    return page, watch


@pytest.mark.parametrize("name", gallery.PAGES)
def test_a_page_is_accessible_fits_and_runs_without_complaints(
    browser: Browser, gallery_address: str, name: str
) -> None:
    page, watch = _open(browser, f"{gallery_address}/{name}", 1366)
    try:
        faults = {"complaints": checks.complaints(page, watch)} | checks.faults_at(page, WIDTHS, f"gallery-{name}")
        assert {fault: found for fault, found in faults.items() if found} == {}
    finally:
        page.context.close()


@pytest.mark.parametrize("name", ["styleguide", "confirm", "login-error"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_focus_is_seen_at_every_stop_of_the_tab_key(
    browser: Browser, gallery_address: str, name: str, width: int
) -> None:
    page, _ = _open(browser, f"{gallery_address}/{name}", width)
    try:
        assert checks.unfocusable(page) == []
    finally:
        page.context.close()


def test_the_skip_link_is_the_first_stop_and_leads_to_the_content(browser: Browser, gallery_address: str) -> None:
    page, _ = _open(browser, f"{gallery_address}/confirm", 1366)
    try:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "跳到主要内容"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)") is True
    finally:
        page.context.close()


def test_the_error_summary_takes_the_focus_and_its_links_land_on_the_field(
    browser: Browser, gallery_address: str
) -> None:
    page, _ = _open(browser, f"{gallery_address}/styleguide", 1366)
    try:
        assert page.title() == "错误:样式 - 教育资助与控辍保学"
        assert page.evaluate("document.activeElement.id") == "errors"
        summary = page.locator("#errors li").all_inner_texts()
        assert summary == ["请填写「学校名称」", "「启用日期」看不懂。请写成 2026-09-01 这样的形式"]
        page.click("#errors a >> nth=1")
        assert page.evaluate("document.activeElement.name") == "opened_on"
        assert page.locator("#id_opened_on_error").inner_text() == summary[1]
    finally:
        page.context.close()


def test_the_primary_button_has_the_brand_colour_in_both_browsers(browser: Browser, gallery_address: str) -> None:
    page, _ = _open(browser, f"{gallery_address}/styleguide", 1366)
    try:
        page.wait_for_timeout(900)
        assert page.evaluate("getComputedStyle(document.querySelector('.page-head .btn')).backgroundColor") == (
            "rgb(11, 92, 173)"
        )
    finally:
        page.context.close()


def test_targets_on_the_phone_are_large(current_browser: Browser, gallery_address: str) -> None:
    page, _ = _open(current_browser, f"{gallery_address}/styleguide", 360)
    try:
        small = page.evaluate(
            """() => Array.from(document.querySelectorAll('.btn:not(.btn-s):not(summary), .modules a'))
              .filter(e => e.offsetParent !== null && e.getBoundingClientRect().height < 44)
              .map(e => e.outerHTML.slice(0, 100))"""
        )
        assert small == []
    finally:
        page.context.close()


def test_the_bottom_bar_of_the_phone_shows_four_places_and_the_footer_the_rest(
    browser: Browser, gallery_address: str
) -> None:
    page, _ = _open(browser, f"{gallery_address}/styleguide", 360)
    try:
        shown = page.evaluate(
            "() => Array.from(document.querySelectorAll('.modules a')).filter(e => e.offsetParent)"
            ".map(e => e.innerText.trim())"
        )
        assert shown == ["工作台", "进展", "学生", "更多"]
        rest = page.locator("#all-modules a").all_inner_texts()
        assert [text.strip() for text in rest] == ["工作台", "进展", "学生", "名单导入", "报告", "设置", "本页帮助"]
    finally:
        page.context.close()


def test_files_dropped_on_the_box_are_listed_and_unknown_kinds_are_named(
    browser: Browser, gallery_address: str
) -> None:
    page, watch = _open(browser, f"{gallery_address}/styleguide", 1366)
    try:
        page.evaluate(
            """() => {
              const data = new DataTransfer();
              data.items.add(new File(['x'.repeat(2048)], '三年级.xlsx'));
              data.items.add(new File(['x'], '通知.docx'));
              const box = document.querySelector('[data-drop]');
              box.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
            }"""
        )
        assert page.locator(".picked li").all_inner_texts() == ["三年级.xlsx\n2 KB", "通知.docx\n■ 不是表格文件"]
        assert page.evaluate("document.querySelector('#drop-files').files.length") == 2
        assert checks.complaints(page, watch) == []
    finally:
        page.context.close()


def test_progress_is_polled_without_breaking_the_policy(browser: Browser, gallery_address: str) -> None:
    page, watch = _open(browser, f"{gallery_address}/run", 1366)
    try:
        with page.expect_response(lambda response: response.url.endswith("/progress-part")):
            pass
        page.wait_for_timeout(200)
        assert page.locator("#progress").count() == 1
        assert checks.complaints(page, watch) == []
    finally:
        page.context.close()


def test_a_printed_list_repeats_its_header_and_leaves_the_chrome_out(
    current_browser: Browser, gallery_address: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    page, _ = _open(current_browser, f"{gallery_address}/styleguide", 1366)
    try:
        page.emulate_media(media="print")
        hidden = page.evaluate(
            "['.bar', '.crumb', '.foot', '.filters', '.pager'].filter(s => document.querySelector(s) && "
            "getComputedStyle(document.querySelector(s)).display !== 'none')"
        )
        assert hidden == []
        assert page.evaluate("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"
        assert page.evaluate("getComputedStyle(document.querySelector('.region')).overflow") == "visible"
    finally:
        page.context.close()


@pytest.mark.parametrize("name", [*gallery.PAGES, *gallery.PARTS])
def test_a_page_is_chinese_and_masks_every_number(name: str) -> None:
    html = gallery.render(name)
    assert checks.foreign_words(html, allowed=["town", "county"]) == []
    assert checks.unmasked_numbers(html) == []


def test_without_scripts_the_upload_is_a_plain_form_and_progress_reloads_itself(
    current_browser: Browser, gallery_address: str
) -> None:
    context = current_browser.new_context(java_script_enabled=False, locale="zh-CN")
    try:
        page = context.new_page()
        page.goto(f"{gallery_address}/styleguide")
        assert page.locator("main input[type=file]").is_visible()
        assert not page.get_by_text("把文件拖到这里").is_visible()
        page.goto(f"{gallery_address}/run")
        assert page.locator("meta[http-equiv=refresh]").count() == 1
        assert page.get_by_role("button", name="取消").is_visible()
        page.goto(f"{gallery_address}/styleguide")
        assert page.locator("#r0").is_visible()
        assert page.locator("form[action='/review-row'] button").first.is_visible()
    finally:
        context.close()


def test_a_saved_row_hands_the_focus_to_the_next_one_that_waits(browser: Browser, gallery_address: str) -> None:
    page, watch = _open(browser, f"{gallery_address}/styleguide", 1366)
    try:
        page.route(
            "**/review-row", lambda route: route.fulfill(body=gallery.render("review-row"), content_type="text/html")
        )
        page.fill("#r0", "2013-05-02")
        with page.expect_response("**/review-row"):
            page.keyboard.press("Enter")
        page.wait_for_selector("#r1:focus")
        assert "已改好" in page.locator("#r0-row").inner_text()
        assert checks.complaints(page, watch) == []
    finally:
        page.context.close()
