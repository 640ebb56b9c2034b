"""How names sound: sort keys and what people type into the search box.

pypinyin reads characters; surnames it reads as words (单 dān) are overridden here. Where a surname or character has
several readings in use, the search keys hold all of them and the sort key the usual one.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple, cast

from eduaid.core.text.names import name_key

# Surnames: usual reading first, then others that people of that name use or others type; ' between syllables.
_SURNAMES = (
    "单:shan/dan 解:xie/jie 仇:qiu/chou 曾:zeng/ceng 查:zha/cha 区:ou/qu 朴:piao/pu 盖:ge/gai 覃:qin/tan "
    "任:ren 华:hua 尉:wei/yu 宿:su/xiu 乐:yue/le 缪:miao/mou 谌:chen/shen 冼:xian 洗:xian/xi 召:shao/zhao "
    "繁:po/fan 逄:pang 撒:sa 牟:mu/mou 种:chong/zhong 员:yun/yuan 贠:yun 折:she/zhe 句:gou/ju 黑:he/hei "
    "秘:bi/mi 郇:xun/huan 燕:yan 应:ying 宁:ning 过:guo 那:na 哈:ha 翟:zhai/di 车:che 隗:wei/kui 褚:chu/zhu "
    "祭:zhai/ji 都:du 纪:ji 柏:bai/bo 贾:jia 葛:ge 卜:bu 石:shi 俞:yu 沈:shen/chen 盛:sheng 曲:qu 訾:zi "
    "眭:sui 晁:chao 佴:nai 邸:di 笪:da 阚:kan 郗:xi/chi 郝:hao 瞿:qu 臧:zang 长:zhang/chang 重:chong/zhong "
    "藏:zang/cang 参:shen/can 行:xing/hang 相:xiang 降:xiang/jiang 丁:ding 万:wan 於:yu 于:yu 奇:qi "
    "乜:nie/mie 六:lu/liu 陆:lu 弗:fei/fu 强:qiang/jiang 瓦:wa 适:kuo/shi 载:dai/zai 色:se 塔:ta 钻:zuan "
    "漆:qi 麻:ma 能:nai/neng 朝:chao/zhao 干:gan 会:gui/hui 鲜:xian 占:zhan 戚:qi 谷:gu 尹:yin 甄:zhen "
    "咸:xian 亓:qi 啜:chuai/chuo 庹:tuo 厍:she 仉:zhang 逯:lu 妫:gui 芈:mi 昝:zan 酆:feng 蒯:kuai 麴:qu "
    "靳:jin 尉迟:yu'chi 万俟:mo'qi 长孙:zhang'sun 令狐:ling'hu 澹台:tan'tai 单于:chan'yu 皇甫:huang'fu "
    "夏侯:xia'hou 宇文:yu'wen 欧阳:ou'yang 司马:si'ma 上官:shang'guan 诸葛:zhu'ge 东方:dong'fang 慕容:mu'rong "
    "司徒:si'tu 独孤:du'gu 端木:duan'mu 呼延:hu'yan 濮阳:pu'yang 淳于:chun'yu 公孙:gong'sun 轩辕:xuan'yuan "
    "钟离:zhong'li 闻人:wen'ren 南宫:nan'gong 申屠:shen'tu"
)
SURNAMES: dict[str, tuple[str, ...]] = {
    surname: tuple(readings.split("/")) for surname, _, readings in (item.partition(":") for item in _SURNAMES.split())
}
# Given names: the reading usual in names where pypinyin's first reading is another.
_GIVEN: dict[str, str] = {
    "长": "chang", "行": "xing", "乐": "le", "朝": "chao", "重": "chong", "茜": "qian", "蕃": "fan", "莎": "sha",
    "娜": "na", "曾": "zeng", "单": "dan", "晟": "sheng", "骁": "xiao", "禅": "chan", "盛": "sheng",
    "调": "tiao", "传": "chuan", "卓": "zhuo", "柏": "bai", "彧": "yu", "婼": "ruo", "珺": "jun", "琪": "qi",
    "俊": "jun", "露": "lu", "薇": "wei", "妮": "ni", "圳": "zhen", "广": "guang", "厂": "chang", "和": "he",
    "折": "zhe", "南": "nan", "奇": "qi", "伯": "bo",
}  # fmt: skip


class NameSound(NamedTuple):
    """``full`` and ``initials`` are lower-case ASCII without spaces; the first of each is the usual reading."""

    full: tuple[str, ...]
    initials: tuple[str, ...]

    @property
    def sort_key(self) -> str:
        return self.full[0]


@cache
def _readings() -> Mapping[int, str]:
    from pypinyin.constants import PINYIN_DICT

    return cast(Mapping[int, str], PINYIN_DICT)


def _toneless(reading: str) -> str:
    """lǜ → lv: ü is typed as v on Chinese keyboards."""
    bare = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(char for char in bare if char.isascii() and char.isalpha())


@lru_cache(maxsize=30_000)
def _reading(char: str) -> str:
    """One character's usual reading in a given name, without tone; empty for what has no sound."""
    if char in _GIVEN:
        return _GIVEN[char]
    if char.isascii():
        return char.lower() if char.isalnum() else ""
    return _toneless(_readings().get(ord(char), "").partition(",")[0])


@lru_cache(maxsize=200_000)
def name_sound(name: str) -> NameSound:
    """The sounds of a name in any spelling that ``name_key`` folds: 单雯 → shanwen, danwen; initials sw, dw."""
    key = name_key(name)
    surname = key[:2] if len(key) > 2 and key[:2] in SURNAMES else key[:1]
    starts = (len(key) > len(surname) and SURNAMES.get(surname)) or (_reading(key[:1]),)
    rest = [_reading(char) for char in key[len(surname) or 1 :]]
    ending, letters = "".join(rest), "".join([sound[:1] for sound in rest])
    if len(starts) == 1 and "'" not in starts[0]:
        return NameSound((starts[0] + ending,), (starts[0][:1] + letters,))
    return NameSound(
        tuple(dict.fromkeys(start.replace("'", "") + ending for start in starts)),
        tuple(dict.fromkeys("".join(syllable[:1] for syllable in start.split("'")) + letters for start in starts)),
    )
