"""Names of people: what is stored, what is compared, how they sound."""

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources

from eduaid.core.cells import Cell
from eduaid.core.text.characters import plain, restore_formula, tidy, unusable
from eduaid.core.text.results import Parsed, Problem, Result

MIDDLE_DOT = "·"
# Dots that keyboards, fonts and systems put where · belongs: 阿依古丽·买买提.
_DOTS = "·•‧・∙⋅●．⸱᛫ꞏ"
_PLAIN_DOTS = ".。"  # only between letters or characters; at the end they are punctuation
_HAN = (
    "\u2e80-\u2fd5\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # incl. extensions A to H
)
# Latin, Cyrillic, Arabic (Uyghur), Tibetan, Yi, Mongolian, Korean.
_LETTER = (
    f"{_HAN}A-Za-z\u00c0-\u024f\u0400-\u04ff\u0600-\u06ff"
    "\u0f00-\u0fff\ua000-\ua4cf\u1800-\u18af\u1100-\u11ff\uac00-\ud7a3"
)
_CLEAN = re.compile(f"[{_HAN}]{{2,4}}")
_DOT = re.compile(f"\\s*[{_DOTS}]+\\s*|(?<=[{_LETTER}])\\s*[{_PLAIN_DOTS}]\\s*(?=[{_LETTER}])")
_HAN_SPACE = re.compile(f"(?<=[{_HAN}]) +(?=[{_HAN}])")
_INNER_SPACES = re.compile(r"(?<=\S) {2,}(?=\S)")
_ALLOWED = re.compile(f"[{_LETTER}\\u0300-\\u036f·' \\-]+")
_INNER_ONLY = f"{MIDDLE_DOT}'-"
_NO_NAMES = frozenset(("TRUE", "FALSE", "NULL", "None", "null", "nan", "NaN"))
_BRACKETS = re.compile(r"[()（）\[\]【】<>《》]")
_LOST = re.compile(r"[?？\ufffd□■]")

# Radicals that look like characters (they come with text copied from PDF files) and have no compatibility mapping.
_RADICALS = dict(
    zip(
        map(ord, "⺠⻓⻢⻄⻅⻆⻉⻋⻔⻘⻚⻛⻜⻝⻥⻦⻨⻩⻬⻮⻰⻳⺒⺩⺪⻤⻣⻙⻁⻘⻉"),
        "民长马西见角贝车门青页风飞食鱼鸟麦黄齐齿龙龟巳王疋鬼骨韦虎青贝",
        strict=True,
    )
)
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")


def parse_name(cell: Cell) -> Result[str]:
    """A person's name as it is stored: NFC, one kind of middle dot, no layout spaces, otherwise untouched.

    Rare characters stay; private-use characters, lost characters, digits and remarks are put to a person.
    """
    if type(cell) is str and _CLEAN.fullmatch(cell) and unicodedata.is_normalized("NFC", cell):
        return Parsed(cell)
    if problem := unusable(cell):
        return problem
    if isinstance(cell, bool):
        return Problem("name-form")
    raw = restore_formula(plain(cell))
    text = tidy(raw)
    if not text:
        return None
    note = "tidied" if text != raw else ""
    if text[0] == "'" and len(text) > 1:  # the mark of text cells, typed as a character
        text, note = text[1:].lstrip(), "unquoted"
    if _PRIVATE.search(text):
        return Problem("name-private")
    if _LOST.search(text):
        return Problem("name-lost")
    if _INNER_SPACES.search(raw.strip().replace("\u3000", " ").replace("\xa0", " ")):
        return Problem("name-spaces")
    if _HAN_SPACE.search(text):
        text, note = _HAN_SPACE.sub("", text), "name-space"
    if (dotted := _DOT.sub(MIDDLE_DOT, text)) != text:
        text, note = dotted, "name-dot"
    if (formed := unicodedata.normalize("NFC", text)) != text:
        text, note = formed, note or "name-form"
    if any(char.isdigit() for char in text):
        return Problem("name-digits")
    if _BRACKETS.search(text):
        return Problem("name-brackets")
    if not _ALLOWED.fullmatch(text) or text[0] in _INNER_ONLY or text[-1] in _INNER_ONLY or text in _NO_NAMES:
        return Problem("name-form")
    if len(text) < 2 or len(text) > 40:
        return Problem("name-length")
    return Parsed(text, note)


def spaceless(text: str) -> str:
    """The reading of a name with several inner spaces that is offered for confirmation."""
    return re.sub(r"\s+", "", tidy(text))


@cache
def _to_simplified() -> dict[int, str]:
    pairs = resources.files("eduaid.core.text").joinpath("traditional.txt").read_text("utf-8")
    lines = (line for line in pairs.splitlines() if not line.startswith("#"))
    return {ord(pair[0]): pair[1] for line in lines for pair in line.split()}


_KEY_DROPS = re.compile(f"[\\s{_DOTS}{_PLAIN_DOTS}'’`\\-]+")
_PLAIN_HAN = re.compile("[\u4e00-\u9fff]+")


@lru_cache(maxsize=200_000)
def name_key(name: str) -> str:
    """What two spellings of one name share: no spaces, dots or hyphens; radicals, compatibility and traditional forms
    folded to the usual character; Latin letters small. Equal keys mean equal names, not equal persons."""
    if not _PLAIN_HAN.fullmatch(name):
        name = unicodedata.normalize("NFKC", tidy(name)).translate(_RADICALS)
        name = _KEY_DROPS.sub("", name).casefold()
    return name.translate(_to_simplified())


def mask_name(name: str) -> str:
    """李*雨, 王*, 阿****提: first and last character, so that length and surname remain recognisable."""
    if len(name) <= 1:
        return "*" * len(name)
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]
