"""Every page template with sample values in both browsers: what every page owes its readers, before any view exists."""

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


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", gallery.PAGES)
def test_a_page_fits_and_runs_without_complaints(browser: Browser, gallery_address: str, name: str, width: int) -> None:
    page, watch = _open(browser, f"{gallery_address}/{name}", width)
    try:
        assert checks.overflow(page) == 0
        assert checks.complaints(page, watch) == []
        checks.keep_screenshot(page, f"gallery-{name}-{width}-{browser.version.split('.')[0]}")
    finally:
        page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", gallery.PAGES)
def test_a_page_is_accessible(current_browser: Browser, gallery_address: str, name: str, width: int) -> None:
    page, _ = _open(current_browser, f"{gallery_address}/{name}", width)
    try:
        assert checks.axe_violations(page) == []
    finally:
        page.context.close()


@pytest.mark.parametrize("name", gallery.PAGES)
def test_a_page_reflows_at_320_pixels(current_browser: Browser, gallery_address: str, name: str) -> None:
    page, _ = _open(current_browser, f"{gallery_address}/{name}", 320)
    try:
        assert checks.overflow(page) == 0
    finally:
        page.context.close()


@pytest.mark.parametrize("name", ["home", "upload-error", "review", "students", "student", "progress"])
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
    page, _ = _open(browser, f"{gallery_address}/imports", 1366)
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
    page, _ = _open(browser, f"{gallery_address}/upload-error", 1366)
    try:
        assert page.title() == "错误:上传名单 - 教育资助与控辍保学"
        assert page.evaluate("document.activeElement.id") == "errors"
        summary = page.locator("#errors li").all_inner_texts()
        assert summary == ["还没有选择文件。请选择花名册文件", "「生效日」看不懂。请写成 2026-09-01 这样的形式"]
        page.click("#errors a >> nth=1")
        assert page.evaluate("document.activeElement.name") == "effective_on"
        assert page.locator("#id_effective_on_error").inner_text() == summary[1]
    finally:
        page.context.close()


def test_the_primary_button_has_the_brand_colour_in_both_browsers(browser: Browser, gallery_address: str) -> None:
    page, _ = _open(browser, f"{gallery_address}/imports", 1366)
    try:
        page.wait_for_timeout(900)
        assert page.evaluate("getComputedStyle(document.querySelector('.page-head .btn')).backgroundColor") == (
            "rgb(11, 92, 173)"
        )
    finally:
        page.context.close()


@pytest.mark.parametrize("name", ["imports", "progress", "students"])
def test_targets_on_the_phone_are_large(current_browser: Browser, gallery_address: str, name: str) -> None:
    page, _ = _open(current_browser, f"{gallery_address}/{name}", 360)
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
    page, _ = _open(browser, f"{gallery_address}/home", 360)
    try:
        shown = page.evaluate(
            "() => Array.from(document.querySelectorAll('.modules a')).filter(e => e.offsetParent)"
            ".map(e => e.innerText.trim())"
        )
        assert shown == ["工作台", "进展", "导入", "更多"]
        rest = page.locator("#all-modules a").all_inner_texts()
        assert [text.strip() for text in rest] == ["工作台", "进展", "导入", "学生", "报告", "设置", "本页帮助"]
    finally:
        page.context.close()


def test_files_dropped_on_the_box_are_listed_and_unknown_kinds_are_named(
    browser: Browser, gallery_address: str
) -> None:
    page, watch = _open(browser, f"{gallery_address}/upload", 1366)
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
        assert page.evaluate("document.querySelector('input[type=file]').files.length") == 2
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
    page, _ = _open(current_browser, f"{gallery_address}/students-many", 1366)
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
