"""The sentence that says why: what agrees, what differs and where, and why a person is asked. Never a number itself."""

from __future__ import annotations

from functools import lru_cache

from students.linkage import names as n
from students.linkage import numbers as i
from students.linkage.evidence import AGREE, CLOSE, DIFFER, MIXED, UNTOLD

Codes = tuple[int, int, int, int, int, int, int, int, int, int, int, int]
"""Name, number, place, birth, sex, guardian, phone, registry number, township, village, school, which numbers are valid."""

_NAMES = {
    n.EQUAL: "姓名同", n.FORMER: "曾用名同", n.SOUND: "姓名同音不同字", n.NEAR_SOUND: "姓名读音相近", n.MASKED: "姓名除无法辨认的字外相同",
    n.ORDER: "姓名用字同、次序不同", n.DROPPED: "姓名多字或少字", n.REPLACED: "姓名一字不同", n.GIVEN: "名同姓不同",
    n.SURNAME: "姓同名不同", n.OTHER: "姓名不同", n.NO_NAME: "一方无姓名",
}  # fmt: skip
_NUMBERS = {
    i.SAME: "证件号同", i.OLD: "与学籍号中的证件号相符", i.DIFFERENT: "双方证件号都有效但不同", i.TWO: "证件号有两处不同", i.TAIL: "证件号后四位同",
    i.FAR: "证件号不符", i.FIFTEEN: "证件号与十五位旧号相符", i.ROUNDED: "证件号末三位被表格抹去、其余相同", i.MASK: "证件号未遮盖的各位相同",
    i.SAME_BROKEN: "双方证件号写法相同但都无效",
}  # fmt: skip
_OTHERS = (
    (
        "出生",
        {AGREE: "出生同", CLOSE: "出生日期相近", DIFFER: "出生不同", MIXED: "出生日期栏不同、证件中的出生日期相符"},
    ),
    ("性别", {DIFFER: "性别不同"}),
    ("监护人", {AGREE: "监护人同", CLOSE: "监护人姓名同音", DIFFER: "监护人不同"}),
    ("电话", {AGREE: "电话同", CLOSE: "电话一位不同"}),
    ("学籍号", {AGREE: "学籍号同", DIFFER: "学籍号不同"}),
    ("乡镇", {AGREE: "乡镇同", DIFFER: "乡镇不同"}),
    ("村", {AGREE: "村同"}),
    ("学校", {AGREE: "学校同"}),
)


@lru_cache(maxsize=100_000)
def facts(codes: Codes, left: str, right: str) -> str:
    """姓名同、出生同、证件第 17 位不同；学籍有效."""
    name, number, place, birth, sex, guardian, phone, registry, township, village, school, valid = codes
    parts = [_NAMES[name]]
    if sentence := _number(number, place):
        parts.append(sentence)
    for (_, words), kind in zip(
        _OTHERS, (birth, sex, guardian, phone, registry, township, village, school), strict=True
    ):
        if kind != UNTOLD and kind in words:
            parts.append(words[kind])
    said = "、".join(parts)
    if number in (i.DIGIT, i.SWAP, i.LENGTH, i.TWO, i.TAIL, i.FAR, i.ROUNDED, i.MASK) and valid in (1, 2):
        said += f"；{left if valid == 1 else right}有效"
    elif number == i.MISSING:
        said += {0: "；双方均无有效证件号", 1: f"；{right}无有效证件号", 2: f"；{left}无有效证件号"}.get(valid, "")
    return said


def _number(kind: int, place: int) -> str:
    if kind == i.DIGIT:
        return f"证件第 {place} 位不同"
    if kind == i.SWAP:
        return f"证件第 {place}、{place + 1} 位颠倒"
    if kind == i.LENGTH:
        return f"证件在第 {place} 位多或少一位"
    return _NUMBERS.get(kind, "")


def why_asked(codes: Codes, score: float, rivals: int) -> str:
    """Why a person has to decide, the gravest reason."""
    name, number = codes[0], codes[1]
    if number == i.DIFFERENT:
        return "两个有效证件号不能自动归为一人，请核对"
    if number == i.SAME and name in (n.SURNAME, n.OTHER):
        return "证件号相同而姓名不符，请核对是改名还是错填他人证件号"
    if rivals > 1:
        return f"有 {rivals} 个可能的对象，请选定"
    if name in (n.SURNAME, n.OTHER):
        return "姓名不符，请核对是否改名"
    if score < 0.9:
        return "依据不足，请核对"
    return "需人工确认"


@lru_cache(maxsize=100_000)
def pair_sentence(
    codes: Codes, *, review: bool, score: float, rivals: int, through: str, against: str, sides: tuple[str, str]
) -> str:
    told = facts(codes, sides[0], sides[1])
    if through:
        told = f"双方均与{through}的同一行为同一人：{told}"
    if against:
        return f"{told}。与{against}中的对应行矛盾，请核对。"
    return f"{told}。{why_asked(codes, score, rivals)}。" if review else f"{told}。"
