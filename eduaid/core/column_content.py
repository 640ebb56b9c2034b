"""What the values of a column look like, whatever its header says. Plain Python over cells; no Django.

A guess is only ever a proposal: a person says what the column is.
"""

import datetime as dt
import re
from collections.abc import Iterable
from enum import StrEnum

from eduaid.core.cells import Cell, Damaged
from eduaid.core.text.characters import compact, plain


class Content(StrEnum):
    ID = "id"
    REGISTRY = "registry"
    PHONE = "phone"
    DATE = "date"
    NAME = "name"


WORDS = {
    Content.ID: "证件号",
    Content.REGISTRY: "学籍号",
    Content.PHONE: "电话",
    Content.DATE: "日期",
    Content.NAME: "姓名",
}

_ID = re.compile(r"\d{17}[\dXx]|\d{6}\*{4,10}\d{3}[\dXx]", re.ASCII)
_REGISTRY = re.compile(r"[GJL]\d{17}[\dX]", re.ASCII | re.IGNORECASE)
_PHONE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_DATE = re.compile(r"(?:19|20)\d{2}(?:[-./年]\d{1,2}[-./月]\d{1,2}日?|(?:0[1-9]|1[0-2])[0-3]\d)", re.ASCII)
_HAN_NAME = re.compile(r"[\u3400-\u9fff]{2,4}|[\u3400-\u9fff]{1,12}·[\u3400-\u9fff]{1,12}")
# The hundred most frequent surnames of the 2020 census cover 85 % of the people.
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔"
    "谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤"
)
_ENOUGH = 0.8
_LOOKED_AT = 200


def content_of(values: Iterable[Cell]) -> Content | None:
    """What at least four fifths of the filled cells are, of up to two hundred; None where they are nothing in particular."""
    found: dict[Content | None, int] = {}
    texts: set[str] = set()
    filled = surnames = 0
    for cell in values:
        text = compact(plain(cell))
        if not text:
            continue
        filled += 1
        kind = _of_cell(cell, text)
        found[kind] = found.get(kind, 0) + 1
        if kind is Content.NAME:
            texts.add(text)
            surnames += text[0] in _SURNAMES or "·" in text
        if filled >= _LOOKED_AT:
            break
    for kind, count in found.items():
        if kind is not None and count >= _ENOUGH * filled:
            # Words that repeat (汉族, 示例小学) are no names, and neither are those that begin like none.
            if kind is Content.NAME and (len(texts) < _ENOUGH * count or 2 * surnames < count or count < 2):
                return None
            return kind
    return None


def _of_cell(cell: Cell, text: str) -> Content | None:
    if isinstance(cell, dt.date):
        return Content.DATE
    if isinstance(cell, Damaged):
        return Content.ID if len(text) == 18 and _has_birth(text) else None
    if _ID.fullmatch(text):
        return Content.ID if "*" in text or _has_birth(text) else None
    if _PHONE.fullmatch(text):
        return Content.PHONE
    if isinstance(cell, float):
        return None
    if _REGISTRY.fullmatch(text):
        return Content.REGISTRY
    if _DATE.fullmatch(text):
        return Content.DATE
    return Content.NAME if _HAN_NAME.fullmatch(text) else None


def _has_birth(number: str) -> bool:
    """Whether digits 7 to 14 are a day on which somebody living can be born: else it is a card or an account."""
    try:
        return 1900 <= dt.datetime.strptime(number[6:14], "%Y%m%d").year <= 2099  # noqa: DTZ007  a day has no zone
    except ValueError:
        return False
