"""Grades and classes as schools write them."""

import re
from typing import NamedTuple

from eduaid.core.cells import Cell
from eduaid.core.text.characters import compact, plain, unusable
from eduaid.core.text.dates import han_number
from eduaid.core.text.results import Parsed, Problem, Result


class Grade(NamedTuple):
    """``code`` and ``stage`` as in the tables GRADE and STAGE; the label is the one used on pages.

    ``is_bare``: only a year was written (1, 一年级). It is that of a primary school unless the school has none.
    """

    code: str
    stage: str
    label: str
    is_bare: bool = False


class SchoolClass(NamedTuple):
    """``label`` is what pages show (2班, 火箭班); ``number`` and ``grade`` only where the cell tells them."""

    label: str
    number: int | None = None
    grade: Grade | None = None


PRESCHOOL, PRIMARY, JUNIOR, SENIOR, VOCATIONAL, HIGHER = "123456"
_LABELS = {
    PRESCHOOL: ("小班", "中班", "大班"),
    PRIMARY: ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级"),
    JUNIOR: ("七年级", "八年级", "九年级"),
    SENIOR: ("高一", "高二", "高三"),
    VOCATIONAL: ("中职一", "中职二", "中职三"),
    HIGHER: ("专科", "本科"),
}
GRADES: dict[str, Grade] = {
    f"{stage}{year}": Grade(f"{stage}{year}", stage, label)
    for stage, labels in _LABELS.items()
    for year, label in enumerate(labels, 1)
}
_BARE = {grade.code: grade._replace(is_bare=True) for grade in GRADES.values() if grade.stage == PRIMARY}
_WORDS = {grade.label: _BARE.get(grade.code, grade) for grade in GRADES.values()} | {
    word: GRADES[code]
    for code, words in {
        "11": "幼小班 幼儿园小班 小小班 学前小班",
        "12": "幼中班 幼儿园中班 学前中班",
        "13": "幼大班 幼儿园大班 学前大班 学前班 大大班",
        "61": "大专 高职 高职高专 高职高专一年级 高职高专二年级 高职高专三年级 专科一年级 专科二年级 专科三年级",
        "62": "大学 大学本科 本科一年级 本科二年级 本科三年级 本科四年级 大一 大二 大三 大四",
    }.items()
    for word in words.split()
}
_STAGE_WORDS = {
    "幼儿园": PRESCHOOL, "学前": PRESCHOOL, "幼": PRESCHOOL,
    "小学": PRIMARY, "小": PRIMARY,
    "初级中学": JUNIOR, "初中": JUNIOR, "初": JUNIOR,
    "普通高中": SENIOR, "普高": SENIOR, "高中": SENIOR, "高": SENIOR,
    "中等职业学校": VOCATIONAL, "职业高中": VOCATIONAL, "中职": VOCATIONAL, "职高": VOCATIONAL, "中专": VOCATIONAL,
    "技工学校": VOCATIONAL, "技校": VOCATIONAL, "职": VOCATIONAL,
}  # fmt: skip
_STAGE = "|".join(sorted(_STAGE_WORDS, key=len, reverse=True))
_NUMBER = r"[一二三四五六七八九十]{1,2}|\d{1,2}"
_GRADE = re.compile(rf"(?P<stage>{_STAGE})?(?P<number>{_NUMBER})(?P<word>年级|年)?", re.ASCII)
_COHORT = re.compile(
    rf"(?P<stage>{_STAGE})?(?P<year>(?:20)?\d{{2}})(?P<word>级|届|年入学|年秋|年秋季)?(?P<after>{_STAGE})?", re.ASCII
)
_CODED = re.compile(r"(?P<code>\d\d)\s*[-—_:|]\s*(?P<label>.+)", re.ASCII)
_CLASS_NUMBER = rf"(?:\(({_NUMBER})\)|({_NUMBER}))"
_WITH_CLASS = re.compile(rf"(?P<grade>.*?[^\d(.\-])[-.]?{_CLASS_NUMBER}班?", re.ASCII)
_CLASS = re.compile(rf"第?{_CLASS_NUMBER}班?", re.ASCII)
# 小（1）班, 中2班, 大(一)班: a kindergarten's year and its class; 小一班 may also be the first year of primary school.
_PRESCHOOL_CLASS = re.compile(
    rf"(?P<year>[小中大])班?(?:\((?P<brackets>{_NUMBER})\)|(?P<digits>\d{{1,2}})|(?P<han>[一二三四五六七八九十]{{1,2}}))班",
    re.ASCII,
)
_TERM = re.compile(r"(?<=年级)\(?[上下](?:学期|册)?\)?$")
_DIGITS_CLASS = re.compile(
    r"(?P<grade>[1-9])(?:0(?P<two>[1-9])|[.\-](?P<one>\d{1,2})|\((?P<brackets>\d{1,2})\)|(?P<ten>1\d))班?", re.ASCII
)


def parse_grade(cell: Cell, *, stage: str = "", school_year: int | None = None) -> Result[Grade]:
    """A grade. ``stage`` (code) is what the school or another column says, for cells like 1 or 2023级;
    ``school_year`` is the calendar year in which the school year began, for cohorts (2023级).

    A class behind the grade (三年级2班) is ignored here; ``parse_class`` reads it.
    """
    if problem := unusable(cell):
        return problem
    text = _TERM.sub("", compact(plain(cell)))
    if not text:
        return None
    if match := _PRESCHOOL_CLASS.fullmatch(text):
        year = _preschool_year(match, stage)
        return Parsed(year, "grade-form") if year else Problem("grade-form")
    if match := _CODED.fullmatch(text):
        named = _word_grade(match["label"], stage)
        if named and named.code == match["code"]:
            return Parsed(GRADES[named.code], "grade-form")
    if grade := _word_grade(text, stage):
        return Parsed(grade, "" if plain(cell) == grade.label else "grade-form")
    if (match := _COHORT.fullmatch(text)) and (match["word"] or len(match["year"]) == 4):
        return _cohort_grade(match, stage, school_year)
    if match := _GRADE.fullmatch(text):
        number = han_number(match["number"])
        if number <= 12 and not match["stage"]:
            return Problem("grade-stage")
        return Problem("grade-form")
    if match := _WITH_CLASS.fullmatch(text):
        return parse_grade(match["grade"].rstrip("(-"), stage=stage, school_year=school_year)
    if (match := _DIGITS_CLASS.fullmatch(text)) and (grade := _word_grade(match["grade"] + "年级", stage)):
        return Parsed(grade, "grade-form")
    return Problem("grade-form")


def _preschool_year(match: re.Match[str], stage: str) -> Grade | None:
    if stage not in ("", PRESCHOOL) or (match["han"] and stage != PRESCHOOL):
        return None
    return _WORDS[f"{match['year']}班"]


def _word_grade(text: str, stage: str) -> Grade | None:
    """The grade that a cleaned text names, by itself or together with the stage; None when it names none or
    several."""
    grade = _WORDS.get(text)
    if grade and not (grade.stage == PRIMARY and stage in (JUNIOR, SENIOR, VOCATIONAL)):
        return GRADES[grade.code] if stage else grade
    if grade is None and text >= "21" and text in GRADES:  # codes 11 to 13 could be meant as years at school
        return GRADES[text]
    match = _GRADE.fullmatch(text)
    if not match:
        return None
    number = han_number(match["number"])
    named = _STAGE_WORDS.get(match["stage"] or "", "")
    if not named and 7 <= number <= 9:
        return GRADES.get(f"{JUNIOR}{number - 6}") if stage in ("", PRIMARY, JUNIOR) else None
    if named == JUNIOR and 7 <= number <= 9:
        number -= 6
    if not named:
        # 一年级 by itself is primary school; in a list of a junior or senior school it is that school's first year.
        if not stage:
            return _BARE.get(f"{PRIMARY}{number}")
        named = stage
    if named == VOCATIONAL or named in _LABELS:
        return GRADES.get(f"{named}{number}") if number <= len(_LABELS[named]) and named != HIGHER else None
    return None


def _cohort_grade(match: re.Match[str], stage: str, school_year: int | None) -> Result[Grade]:
    named = _STAGE_WORDS.get(match["stage"] or match["after"] or "", "") or stage
    if match["word"] == "届":
        return Problem("grade-form")  # 届 is the year of leaving in one place and of entering in another
    if not named or school_year is None or named == HIGHER:
        return Problem("grade-year")
    entered = int(match["year"]) if len(match["year"]) == 4 else 2000 + int(match["year"])
    year = school_year - entered + 1
    if not 1 <= year <= len(_LABELS[named]):
        return Problem("grade-outside")
    return Parsed(GRADES[f"{named}{year}"], "grade-year")


_NO_CLASS = frozenset(["无", "没有", "暂无", "不详", "未知", "不清楚", "同上"])


def parse_class(cell: Cell, *, stage: str = "", school_year: int | None = None) -> Result[SchoolClass]:
    """A class: 1, 一班, (2)班, 三年级2班, 八(3)班, 803, 2023级1班; anything else that ends in 班 is its own name."""
    if problem := unusable(cell):
        return problem
    raw = plain(cell)
    text = compact(raw)
    if not text:
        return None
    if isinstance(cell, bool) or text in _NO_CLASS:
        return Problem("class-form")
    if match := _PRESCHOOL_CLASS.fullmatch(text):
        return _numbered(match["brackets"] or match["digits"] or match["han"], _preschool_year(match, stage), raw)
    if match := _CLASS.fullmatch(text):
        return _numbered(match[1] or match[2], None, raw)
    if match := _DIGITS_CLASS.fullmatch(text):
        grade = _word_grade(match["grade"] + "年级", stage)
        return _numbered(match["two"] or match["one"] or match["brackets"] or match["ten"], grade, raw)
    if match := _WITH_CLASS.fullmatch(text):
        found = parse_grade(match["grade"].rstrip("("), stage=stage, school_year=school_year)
        grade = found.value if isinstance(found, Parsed) else None
        if grade or _COHORT.fullmatch(match["grade"]):
            return _numbered(match[2] or match[3], grade, raw)
    if _WORDS.get(text) or (text.endswith("班") and len(text) <= 20):
        return Parsed(SchoolClass(text, None, _WORDS.get(text)), "" if text == raw else "class-form")
    if len(text) <= 20 and re.fullmatch(r"[\w()\-+]+", text) and not text.isdigit():
        return Parsed(SchoolClass(text), "" if text == raw else "class-form")
    return Problem("class-form")


def _numbered(digits: str, grade: Grade | None, raw: str) -> Parsed[SchoolClass]:
    number = han_number(digits)
    label = f"{number}班"
    return Parsed(SchoolClass(label, number, grade), "" if raw == label else "class-form")
