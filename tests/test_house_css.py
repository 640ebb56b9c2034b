"""Sheets and scripts keep to what Chromium 86 can draw and run, to the content policy, and to their budgets."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STATIC, TEMPLATES = ROOT / "static", ROOT / "templates"
OWN_SHEETS = sorted(STATIC.glob("*.css"))
OWN_SCRIPTS = sorted(STATIC.glob("*.js"))
PAGES = sorted([*TEMPLATES.rglob("*.html"), *TEMPLATES.rglob("*.svg"), *STATIC.glob("*.svg")])

BANNED_CSS = {
    ":is()": r":is\(",
    ":where()": r":where\(",
    ":has()": r":has\(",
    ":not() of several": r":not\([^)]*,",
    "inset": r"[{;\s]inset(-block|-inline)?[\w-]*\s*:",
    "aspect-ratio": r"[{;\s]aspect-ratio\s*:",
    "accent-color": r"accent-color",
    "@layer": r"@layer",
    "@container": r"@container|container-type",
    "dvh and the like": r"\d(dvh|svh|lvh|dvw|cqw|cqi)\b",
    "colour functions": r"color-mix|oklch|oklab|(rgb|hsl)\([^)]*/",
    "text-wrap": r"text-wrap",
    "nesting": r"[{;]\s*&|\{[^{}@]*\{[^{}]*\}[^{}]*:[^{}]*\}(?!\s*@)",
    "underline details": r"text-underline-offset|text-decoration-thickness",
    "scroll and overflow news": r"scrollbar-gutter|overflow\s*:\s*clip|overscroll-behavior-inline",
    "selector button": r"::file-selector-button",
    "individual transforms": r"[{;\s](translate|rotate|scale)\s*:",
    "animation": r"@keyframes|animation\s*:",
    "shadows of decoration, gradients": r"gradient\(",
}
BANNED_JS = {
    "Array.at": r"\.at\(",
    "structuredClone": r"structuredClone",
    "Object.hasOwn": r"Object\.hasOwn\b",
    "crypto.randomUUID": r"randomUUID",
    "findLast": r"\.findLast",
    "toSorted and the like": r"\.to(Sorted|Reversed|Spliced)\(",
    "class fields with #": r"\bthis\.#",
    "top-level await": r"^await ",
    "AbortSignal helpers": r"AbortSignal\.(timeout|any)",
    "inert": r"\.inert\b",
    "eval": r"\beval\(|new Function\(",
    "inline style text": r"\.cssText|setAttribute\([\"']style",
}


def _without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def _hits(text: str, banned: dict[str, str]) -> list[str]:
    return [name for name, pattern in banned.items() if re.search(pattern, text, re.MULTILINE)]


@pytest.mark.parametrize("sheet", OWN_SHEETS, ids=lambda path: path.name)
def test_a_sheet_uses_nothing_newer_than_chromium_86(sheet: Path) -> None:
    text = _without_comments(sheet.read_text(encoding="utf-8"))
    flat = re.sub(r"@media[^{]*\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1", text)
    assert _hits(flat, BANNED_CSS) == []


@pytest.mark.parametrize("script", OWN_SCRIPTS, ids=lambda path: path.name)
def test_a_script_uses_nothing_newer_than_chromium_86(script: Path) -> None:
    assert _hits(_without_comments(script.read_text(encoding="utf-8")), BANNED_JS) == []


def test_the_scan_finds_what_it_bans() -> None:
    assert _hits("a:is(b){x:y}", BANNED_CSS) == [":is()"]
    assert _hits("a{inset:0}", BANNED_CSS) == ["inset"]
    assert _hits("a:not(b,c){x:y}", BANNED_CSS) == [":not() of several"]
    assert _hits("a{color:red;& b{color:blue}}", BANNED_CSS) == ["nesting"]
    assert _hits("list.at(-1)", BANNED_JS) == ["Array.at"]


def test_the_sheet_and_the_script_keep_to_their_budgets() -> None:
    sheet, script = (STATIC / "eduaid.css").read_bytes(), (STATIC / "eduaid.js").read_bytes()
    assert len(sheet) <= 40_000
    assert len(gzip.compress(sheet, 9)) <= 10_000
    assert len(script) <= 15_000
    assert len(gzip.compress((STATIC / "vendor" / "htmx.min.js").read_bytes(), 9)) <= 17_000


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_has_no_inline_script_style_or_handler(page: Path) -> None:
    text = re.sub(
        r"{%\s*comment\s*%}.*?{%\s*endcomment\s*%}|{#.*?#}", "", page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert re.findall(r"<style\b", text) == []
    assert re.findall(r"\sstyle\s*=", text) == []
    assert re.findall(r"\son[a-z]+\s*=", text) == []
    assert re.findall(r"<script\b(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"javascript:|hx-on|hx-vals=.js:", text) == []


@pytest.mark.parametrize(
    "path", [*OWN_SHEETS, *OWN_SCRIPTS, *PAGES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_nothing_is_fetched_from_another_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.findall(r"(?:https?:)?//[\w.-]+\.\w+", _without_comments(text)) == []
