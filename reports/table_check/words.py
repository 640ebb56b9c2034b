"""The words by which published tables say what a row or column is."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

from eduaid.core.text.characters import compact

_NUMBERING = (
    (1, re.compile(r"[一二三四五六七八九十]+[、.,]")),
    (2, re.compile(r"\([一二三四五六七八九十]+\)[、.]?")),
    (3, re.compile(r"\d{1,2}[、.](?!\d)")),
    (4, re.compile(r"\d{1,2}\.\d{1,2}(?!\d)[、.]?")),
    (5, re.compile(r"\(\d{1,2}\)[、.]?|\d{1,2}\)")),
    (6, re.compile(r"[①-⑳]")),
)
_ALONE = ((1, re.compile(r"[一二三四五六七八九十]{1,3}")), (2, re.compile(r"\([一二三四五六七八九十]{1,3}\)")))
_NOTES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|[:*※★▲△]")


@lru_cache(maxsize=50_000)
def bare(text: str) -> str:
    """Without spaces, notes in brackets, colons and marks."""
    return _NOTES.sub("", compact(text))


@lru_cache(maxsize=50_000)
def numbering(text: str) -> tuple[int, str]:
    """(level of the number at the head of a label, what follows); 0 without one: 一、 is 1, （一） is 2, 1. is 3."""
    text = compact(text)
    for level, pattern in _ALONE:
        if pattern.fullmatch(text):
            return level, ""
    for level, pattern in _NUMBERING:
        if found := pattern.match(text):
            return level, text[found.end() :]
    return 0, text


class Rank(IntEnum):
    """How much a word for a total takes in."""

    NONE = 0
    SUB = 1
    GROUP = 2
    TOTAL = 3
    GRAND = 4


_PLACES = r"(?:全(?:县|区|市|省|州|旗|镇|乡|校|部|体|园)|本(?:县|区|市|镇|乡|校|表|页)|县|区|市|县级|市级)"
_GRAND = re.compile(
    rf"总计|总合计|全部合计|{_PLACES}(?:合计|总计|汇总|小计|共计|总数)|全(?:县|区|市|省|州|旗|镇|乡|校)"
)
_TOTAL = re.compile(
    r"合计|共计|累计|总数|计|总|汇总|总和|总额|合计数|总计数|合计[A-Za-z人数金额]*|(?:全年|全学年|本年度?|年度?(?=合|总|小))(?:合计|总计|小计)?"
)
_GROUP = re.compile(r".*(?:合计|总计|共计|汇总)(?:人数|人次|金额|资金|数)?")
_SUB = re.compile(r".*(?:小计|分计)(?:人数|人次|金额|资金|数)?")
_WHOLE = re.compile(r".*总(?:人数|人次|数|额|量|金额|投资|资金|户数|校数|学生数|面积|经费|收入|支出|班数|计)")


@lru_cache(maxsize=50_000)
def rank_of(label: str) -> Rank:
    """What sort of total a label announces. 总人数 is a total, too."""
    text = bare(numbering(label)[1] or label)
    if _GRAND.fullmatch(text):
        return Rank.GRAND
    if _TOTAL.fullmatch(text):
        return Rank.TOTAL
    if _SUB.fullmatch(text):
        return Rank.SUB
    if _GROUP.fullmatch(text) or _WHOLE.fullmatch(text):
        return Rank.GROUP
    return Rank.NONE


def is_plain_total(label: str) -> bool:
    """合计, 总计, 小计 and the like and nothing else: a word that can only mean the sum of something."""
    return re.fullmatch(rf"(?:{_PLACES})?(?:合计|总计|小计|共计|计|总合计)", bare(label)) is not None


_SUBSET = re.compile(r"其中|(?:^|\()#|^内[:：]|^含[:：]|^其$")


def is_subset(label: str) -> bool:
    return _SUBSET.search(compact(label)) is not None


# Figures that do not add up from row to row.
_NOT_ADDED = re.compile(
    r"率|比例|占比|比重|占.*比|百分|%|％|‰|标准|单价|人均|生均|平均|均值|每生|每人|每所|每名|每户|增长|增幅|同比|排名|名次|序号|编号|编码|代码|"
    r"年份|年度$|年龄|电话|邮编|班额|元/|/人|/生|生师比|师生比|得分|分数|系数|中位|最高|最低|最大|最小|指数|备注|日期|时间"
)
_STANDARD = re.compile(r"标准|单价|每生|每人|元/|/人|/生|/学期|/年|/月|人均|生均|定额|补助额度|平均")
_RATE = re.compile(r"率|比例|占比|比重|占.*比|百分|%|％")
_GROWTH = re.compile(r"增长率|增幅|同比|增速|增长.*%|降幅|升幅|增减率|增长\(")
_CHANGE = re.compile(r"增减|增加|减少|增长|比上|较上|净增|差额|差距|相差|缺口|结余|节余|剩余|余额|结转|尚需|不足|未")
_AVERAGE = re.compile(r"平均|人均|生均|校均|班均|户均|每.*均|班额")


def is_added(label: str) -> bool:
    """Whether the figures of a line may be summed along it, as far as its words tell."""
    return _NOT_ADDED.search(compact(label)) is None


def is_standard(label: str) -> bool:
    return _STANDARD.search(compact(label)) is not None


def is_rate(label: str) -> bool:
    return _RATE.search(compact(label)) is not None


def is_growth(label: str) -> bool:
    return _GROWTH.search(compact(label)) is not None


def is_change(label: str) -> bool:
    return _CHANGE.search(compact(label)) is not None


def is_average(label: str) -> bool:
    return _AVERAGE.search(compact(label)) is not None


_MEASURES = (
    ("人次", re.compile(r"人次")),
    ("户", re.compile(r"户数|\(户\)|户$")),
    ("校", re.compile(r"校数|学校数|\(所\)|所数|园数")),
    ("班", re.compile(r"班数|班级数|\(班\)|\(个\)")),
    ("元", re.compile(r"金额|资金|经费|\(万?元\)|元$|补助款|投资|收入|支出|拨款|款$")),
    (
        "人",
        re.compile(r"人数|\(人\)|人$|学生数|生数|教师数|教职工数|儿童数|幼儿数|名额|\(名\)|走读生|寄宿生|人口|在校生"),
    ),
)


@lru_cache(maxsize=50_000)
def measure_of(label: str) -> str:
    """What is counted: 人次, 户, 校, 班, 元, 人; empty when the words do not tell."""
    text = compact(label)
    return next((name for name, pattern in _MEASURES if pattern.search(text)), "")


def money_factor(text: str) -> int:
    """Yuan in one of the money units that a header names; 0 where it names none."""
    text = compact(text)
    if "亿元" in text:
        return 100_000_000
    if "万元" in text:
        return 10_000
    if "千元" in text:
        return 1_000
    return 1 if re.search(r"元", text) else 0


_HALVES = (
    (re.compile(r"春"), re.compile(r"秋")),
    (re.compile(r"上半年|第一学期|上学期"), re.compile(r"下半年|第二学期|下学期")),
)
_YEAR = re.compile(r"全年|年度|学年|全学年|本年|年合计|^合计|^总计|^小计")
_QUARTERS = re.compile(r"[一二三四1234]季度|第[一二三四]季")


def half_of(label: str) -> int:
    """1 for spring or the first half, 2 for autumn or the second, else 0."""
    text = compact(label)
    for first, second in _HALVES:
        if first.search(text) and not second.search(text):
            return 1
        if second.search(text) and not first.search(text):
            return 2
    return 0


def without_half(label: str) -> str:
    """A label without the word for its half of the year or for the whole year, to find its partners."""
    return re.sub(
        r"(?:20\d\d年?)?(?:春季?|秋季?)(?:学期)?|上半年|下半年|第[一二]学期|[上下]学期|全学?年|年度|学年|本年|合计|总计|小计|共计|[-—_/]",
        "",
        compact(label),
    )


def is_whole_year(label: str) -> bool:
    return _YEAR.search(compact(label)) is not None and not half_of(label)


_SOURCE = re.compile(r"来源|筹措|筹集|收入|下达|到位")
_USE = re.compile(r"用途|去向|使用|支出|用于|投向")


def is_source(label: str) -> bool:
    return _SOURCE.search(compact(label)) is not None


def is_use(label: str) -> bool:
    return _USE.search(compact(label)) is not None


_STARTS = re.compile(r"开工|动工|开始|启动|起始|起止?日|开班|入园|立项|始于|起$")
_ENDS = re.compile(r"竣工|完工|完成|结束|验收|投入使用|截止|终止|交付|结业|止$")


def starts(label: str) -> bool:
    return _STARTS.search(compact(label)) is not None and _ENDS.search(compact(label)) is None


def ends(label: str) -> bool:
    return _ENDS.search(compact(label)) is not None and _STARTS.search(compact(label)) is None


_STAGE_ORDER = (
    r"立项|批复",
    r"招标|中标",
    r"开工|动工|开始|启动|开班",
    r"主体|封顶",
    r"竣工|完工|完成|结束|结业",
    r"验收",
    r"投入使用|交付",
)


def stage_of(label: str) -> int:
    """Which step of a project a date belongs to, in their order; 0 for none."""
    text = compact(label)
    found = [place for place, pattern in enumerate(_STAGE_ORDER, 1) if re.search(pattern, text)]
    return found[0] if len(found) == 1 else 0


IS_FOOTER = re.compile(
    r"(?:填表|制表|填报|审核|审批|复核|经办|校对|统计)(?:单位)?(?:负责)?(?:人|人员|单位|日期|时间|说明)?[:(].*|"
    r"(?:说明|备注|注|附注|填表说明|填报说明|数据来源|资料来源)\d?[:;].*|"
    r"(?:单位|学校)?\(?(?:公章|盖章)\)?[:(]?.*|(?:日期|联系电话|电话|单位|单位名称|计量单位|金额单位|校长|负责人|制表)[:].*|"
    r"\d{4}年\d{1,2}月(?:\d{1,2}日)?"
)
