"""What every page owes its readers: accessibility, no overflow, a silent console, Chinese only, masked numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page

AXE_PATH = Path(__file__).resolve().parents[1] / "vendor" / "axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ARTEFACTS = Path(__file__).resolve().parents[1] / "artefacts"

_WATCH_POLICY = """
window.__refused = [];
document.addEventListener('securitypolicyviolation', function (event) {
  window.__refused.push(event.violatedDirective + ' ' + (event.blockedURI || '') + ' ' + (event.sourceFile || ''));
});
"""


@dataclass
class Watch:
    """What the browser complained about since the page was opened."""

    complaints: list[str] = field(default_factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def on_error(self, error: Exception) -> None:
        self.complaints.append(f"page error: {error}")


def open_page(context: BrowserContext) -> tuple[Page, Watch]:
    """A page that records console errors, script errors and refusals of the content security policy."""
    page, watch = context.new_page(), Watch()
    page.add_init_script(_WATCH_POLICY)
    page.on("console", watch.on_console)
    page.on("pageerror", watch.on_error)
    return page, watch


def complaints(page: Page, watch: Watch) -> list[str]:
    """Everything that the browser complained about, policy refusals included; empty is right."""
    return watch.complaints + [f"refused by the policy: {line}" for line in page.evaluate("window.__refused || []")]


@cache
def _axe() -> str:
    return AXE_PATH.read_text(encoding="utf-8")


def axe_violations(page: Page) -> list[str]:
    """One line per violated rule and element; empty is right. Runs beside the page's policy, not through it."""
    page.evaluate(_axe())
    result: dict[str, Any] = page.evaluate(
        "(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", AXE_TAGS
    )
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))}: {node['html'][:160]}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the window; tables scroll inside their own region."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def resize(page: Page, width: int) -> None:
    """The same page in a window of another width, without loading it again."""
    page.set_viewport_size({"width": width, "height": 780 if width < 720 else 768})
    page.evaluate("window.scrollTo(0, 0); document.activeElement && document.activeElement.blur()")


def faults_at(page: Page, widths: Iterable[int], picture: str) -> dict[str, list[str]]:
    """What is wrong with an open page at each width, and whether it reflows at 320 pixels; keeps a picture of each."""
    faults: dict[str, list[str]] = {}
    version = page.context.browser.version.split(".")[0] if page.context.browser else ""
    for width in widths:
        resize(page, width)
        keep_screenshot(page, f"{picture}-{width}-{version}")
        resize(page, width)
        faults[f"axe at {width}"] = axe_violations(page)
        faults[f"overflow at {width}"] = [f"{overflow(page)} px"] if overflow(page) else []
    resize(page, 320)
    faults["overflow at 320"] = [f"{overflow(page)} px"] if overflow(page) else []
    return faults


def unfocusable(page: Page, presses: int = 200) -> list[str]:
    """Stops of the Tab key without a focus ring, or hidden behind something (WCAG 2.4.7, 2.4.11); empty is right.

    Walks once around the page; the walk ends where the focus leaves the document.
    """
    faults: list[str] = []
    page.evaluate("document.activeElement && document.activeElement.blur(); window.scrollTo(0, 0)")
    seen = 0
    for _ in range(presses):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => {
              const e = document.activeElement;
              if (!e || e === document.body || e.__walked) { return null; }
              e.__walked = true;
              const box = e.getBoundingClientRect(), style = getComputedStyle(e);
              const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
              const points = [[.5, .5], [.1, .5], [.9, .5], [.5, .1], [.5, .9]];
              const seen = points.some(([x, y]) => {
                const hit = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
                return hit && (e === hit || e.contains(hit) || hit.contains(e));
              });
              return {name: e.outerHTML.slice(0, 140), ring: ring, seen: seen};
            }"""
        )
        if stop is None:
            break
        seen += 1
        if not stop["ring"]:
            faults.append(f"no focus ring: {stop['name']}")
        if not stop["seen"]:
            faults.append(f"focus is hidden: {stop['name']}")
    if not seen:
        faults.append("the Tab key reaches nothing")
    return faults


def keep_screenshot(page: Page, name: str) -> None:
    """A picture of the whole page under tests/artefacts/ for people to look at.

    The window grows first: Chromium 86 leaves blank what lies below it in a full-page picture.
    """
    ARTEFACTS.mkdir(exist_ok=True)
    size = page.viewport_size or {"width": 1366, "height": 768}
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(height, 8000))})
    page.screenshot(path=str(ARTEFACTS / f"{name}.png"))


def keep_figures(name: str, figures: dict[str, object]) -> None:
    """Counted and measured figures under tests/artefacts/, beside the pictures."""
    ARTEFACTS.mkdir(exist_ok=True)
    (ARTEFACTS / f"{name}.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1))


# ------------------------------------------------------------------------------------------------------ words

ALLOWED_WORDS = frozenset(
    {
        *("Excel", "Word", "WPS", "PDF", "Cookie", "KB", "MB", "GB", "SHA", "UTF", "GBK", "GB18030", "TOTP"),
        *("CSV", "xlsx", "xls", "et", "ods", "csv", "tsv", "docx", "lwl", "A4"),
    }
)
"""Formats and programs that people know by these names, and the example of pinyin initials on the search page."""

# Names and codes are not words: file names, sheets that nobody renamed, codes of children and of report figures.
_GIVEN_NAMES = re.compile(
    r"[^\s,、，。：「」]+\.(?:xlsx|xls|csv|docx|ods|et|pdf)\b|\bSheet\d+\b|(?:档案号|编码|溯源)\s*[2-9A-Z]{4,10}\b"
)
_WORD = re.compile(r"[A-Za-z]{2,}\d*")
_TRACEBACK = re.compile(r"Traceback|Exception|Error at /|line \d+, in |{{|{%|\bNone\b|\bTrue\b|\bFalse\b")
_ID = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])")
_PHONE = re.compile(r"(?<![0-9A-Za-z.])1[3-9]\d{9}(?![0-9A-Za-z])")
_CARD = re.compile(r"(?<![0-9A-Za-z])62\d{14,17}(?![0-9A-Za-z])")


class _Text(HTMLParser):
    """What a person reads or hears: text, and the attributes that are read out; code-like parts are left aside."""

    _HIDDEN = frozenset({"script", "style"})
    _VERBATIM = frozenset({"mono"})
    _SPOKEN = ("aria-label", "placeholder", "title", "alt")

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._aside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if self._aside:
            if tag == self._aside[-1]:
                self._aside.append(tag)
            return
        classes = set((values.get("class") or "").split())
        if tag in self._HIDDEN or classes & self._VERBATIM or "data-verbatim" in values:
            if tag not in ("input", "img", "br"):
                self._aside.append(tag)
            return
        self.parts.extend(values[name] or "" for name in self._SPOKEN if name in values)

    def handle_endtag(self, tag: str) -> None:
        if self._aside and tag == self._aside[-1]:
            self._aside.pop()

    def handle_data(self, data: str) -> None:
        if not self._aside:
            self.parts.append(data)


def readable_text(html: str) -> str:
    """All that a person reads or hears on the page, without what stands in `mono` or `data-verbatim` parts."""
    parser = _Text()
    parser.feed(html)
    return "\n".join(parser.parts)


def foreign_words(html: str, allowed: Iterable[str] = ()) -> list[str]:
    """Words that are not Chinese, and remains of a traceback or a template; empty is right."""
    text = readable_text(html)
    known = ALLOWED_WORDS | set(allowed)
    words = {word for word in _WORD.findall(_GIVEN_NAMES.sub("", text)) if word not in known}
    return sorted(words | set(_TRACEBACK.findall(text)))


def unmasked_numbers(html: str) -> list[str]:
    """Whole ID numbers, phones and bank cards anywhere in the HTML, attributes too; told by kind and tail."""
    found = [("ID number", n) for n in _ID.findall(html)]
    found += [("phone", n) for n in _PHONE.findall(html)] + [("bank card", n) for n in _CARD.findall(html)]
    return [f"{kind} ending in {number[-2:]}" for kind, number in found]
