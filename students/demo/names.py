"""Invented names: common surnames, given names of three generations, names with a middle dot, rare characters.

Given names are drawn from small weighted stocks, so that same-name pairs arise as often as they do in life.
"""

import random
from collections.abc import Sequence
from itertools import accumulate

from students.demo.words import words

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石"
    "廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温单解仇查区朴盖"
)
COMPOUND_SURNAMES = ("欧阳", "上官", "司马", "诸葛", "皇甫")
SHE_SURNAMES = ("蓝", "雷", "钟", "盘")

_YOUNG_GIVEN_MEN = words(
    "浩宇 子轩 宇轩 浩然 俊杰 子涵 梓轩 宇航 子豪 博文 一鸣 志强 嘉豪 文轩 俊熙 天佑 思远 家豪 鹏飞 晨阳 皓轩 睿 宇 伟 涛 杰 磊 鑫 "
    "凯 俊 峰 浩 泽宇 奕辰 沐阳 铭泽 承恩 景行 佳明 明轩 永康 振华 国栋 海涛 文博 立诚"
)
_YOUNG_GIVEN_WOMEN = words(
    "梓涵 欣怡 子涵 诗涵 雨欣 佳怡 思琪 雨桐 梦琪 紫萱 可馨 欣妍 语嫣 婉清 静怡 雅婷 佳琪 晓彤 梦瑶 若曦 婷 静 颖 欣 悦 琳 雪 瑶 "
    "洁 丽 一诺 依诺 梓萱 雨泽 心怡 思彤 艺涵 沐瑶 佳慧 慧敏 雨婷 诗琪 婧 晨曦 安琪 芷若"
)
_MEN_CHARS = "伟强明华军建国文志勇辉海波涛鹏飞杰峰超平斌亮宏宇浩子轩泽睿俊嘉家豪天晨阳思远博涵立成永福荣光东林森刚毅弘承景润霖昊铭"
_WOMEN_CHARS = (
    "芳娜敏静丽艳娟霞秀玲桂英红梅兰燕萍雪倩婷洁颖慧琳璐莹欣怡佳雨诗梦瑶紫萱可馨语嫣琪彤曦妍悦芷晴菲蕾薇思雅淑云凤玉珍"
)
_OLD_GIVEN_MEN = words(
    "建国 建军 国强 志刚 永福 水生 根生 金生 火根 春生 友根 长根 德明 德华 小平 小军 志明 海生 国平 国华 文华 伟 军 勇 强 斌"
)
_OLD_GIVEN_WOMEN = words(
    "秀英 桂英 秀兰 玉兰 桂花 金花 春香 凤英 玉珍 小红 小兰 丽华 美华 水英 冬莲 春莲 秋莲 细妹 芳 燕 丽 敏 霞 红 梅 萍"
)
RARE_MEN = ("堃", "喆", "䶮", "翀", "昉", "𣲗", "㛃", "炅")
RARE_WOMEN = ("𬭎", "珺", "嬿", "堃", "婳", "玥", "𬍛", "姮")

# A given name and a father's name in two languages that write names with a middle dot, in invented combinations
_DOTTED = {
    "维吾尔族": (
        words("阿依古丽 古丽娜尔 阿迪力 艾力 麦麦提 帕提古丽 热依拉 吐尔逊 玉素甫 祖丽胡马尔"),
        words("买买提 吐尔逊 艾合买提 卡德尔 阿卜杜拉 库尔班 司马义"),
    ),
    "哈萨克族": (
        words("阿依波塔 叶尔肯 古丽努尔 巴合提 加娜尔 努尔兰"),
        words("哈布力 木拉提 赛力克 别克 达吾列提"),
    ),
}

# Characters that typists exchange: the same sound, or nearly the same look
_HOMOPHONES = words(
    "伟玮炜纬 婷亭廷 静婧靖 佳嘉家 怡宜仪 欣心鑫 涵晗函 雨语宇 轩宣萱 浩皓昊 子梓紫 杰洁 文雯 丽莉俐 敏闵 颖莹英 慧惠蕙 琪琦祺 "
    "瑶遥 思斯 诗施 馨新 明铭 辉晖 志智致 永勇 建健 国帼 华桦 俊骏君 泽择 睿瑞锐 晨辰晟 阳洋扬 博勃 燕艳雁 霞侠 萍平坪 玲琳铃 "
    "云芸 玉钰 兰岚 梅玫 红虹宏 桂贵 秀绣 春椿 荣容蓉 福富 成诚承 立利 峰锋枫 飞菲 鹏朋 涛韬 波博 林霖琳 东冬 一依伊 悦月玥 彤桐 依怡"
)
_LOOKALIKES = words(
    "未末 己已 土士 千干 日曰 晴睛 辰晨 析折 刚钢 芳方 妍研 玲铃 颖颍 彬杉 佳住 琪淇 明朋 昊吴 婷停 宏宠 萍苹 波坡 琳淋 萱宣 涵函"
)


def _alternatives(groups: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for group in groups:
        for character in group:
            others = "".join(other for other in group if other != character)
            if others:
                found.setdefault(character, others)
    return found


HOMOPHONES = _alternatives(_HOMOPHONES)
LOOKALIKES = _alternatives(_LOOKALIKES)


class _Stock:
    """A weighted stock: the i-th entry is drawn with a weight that falls as 1/(i + shift)."""

    def __init__(self, entries: Sequence[str], shift: float) -> None:
        self.entries = tuple(entries)
        self.bounds = list(accumulate(1 / (position + shift) for position in range(1, len(self.entries) + 1)))

    def draw(self, rng: random.Random) -> str:
        return rng.choices(self.entries, cum_weights=self.bounds)[0]


_SURNAME_STOCK = _Stock(tuple(SURNAMES), 6)
_GIVEN_STOCK = {
    ("男", True): _Stock(_YOUNG_GIVEN_MEN, 8),
    ("女", True): _Stock(_YOUNG_GIVEN_WOMEN, 8),
    ("男", False): _Stock(_OLD_GIVEN_MEN, 10),
    ("女", False): _Stock(_OLD_GIVEN_WOMEN, 10),
}
_CHARS = {"男": _Stock(_MEN_CHARS, 25), "女": _Stock(_WOMEN_CHARS, 25)}
_RARE = {"男": RARE_MEN, "女": RARE_WOMEN}


def surname(rng: random.Random) -> str:
    """Draw a surname as common as in the country, a compound one in 400."""
    if rng.random() < 0.0025:
        return rng.choice(COMPOUND_SURNAMES)
    return _SURNAME_STOCK.draw(rng)


def given_name(rng: random.Random, sex: str, *, young: bool, rare: float = 0.0) -> str:
    """Draw a given name of one or two characters; `rare` is the share with a rare character."""
    if rare and rng.random() < rare:
        character = rng.choice(_RARE[sex])
        return character if rng.random() < 0.5 else rng.choice(_CHARS[sex].entries) + character
    chance = rng.random()
    if chance < (0.35 if young else 0.45):
        return _GIVEN_STOCK[sex, young].draw(rng)
    if chance < 0.50:
        return _CHARS[sex].draw(rng)
    return _CHARS[sex].draw(rng) + _CHARS[sex].draw(rng)


def dotted_name(rng: random.Random, group: str, father: str = "") -> str:
    """Draw a name with a middle dot; a child carries its father's first part behind the dot."""
    own, fathers = _DOTTED[group]
    return f"{rng.choice(own)}·{father.partition('·')[0] or rng.choice(fathers)}"


def dotted_groups() -> tuple[str, ...]:
    """Return the ethnic groups whose names are written with a middle dot."""
    return tuple(_DOTTED)


def homophone(rng: random.Random, name: str) -> str:
    """Return the name with one character replaced by another of the same sound, or unchanged when none is known."""
    return _exchange(rng, name, HOMOPHONES)


def lookalike(rng: random.Random, name: str) -> str:
    """Return the name with one character replaced by one that looks like it, or unchanged when none is known."""
    return _exchange(rng, name, LOOKALIKES)


def _exchange(rng: random.Random, name: str, table: dict[str, str]) -> str:
    places = [position for position in range(1, len(name)) if name[position] in table]
    if not places:
        return name
    position = rng.choice(places)
    return name[:position] + rng.choice(table[name[position]]) + name[position + 1 :]
