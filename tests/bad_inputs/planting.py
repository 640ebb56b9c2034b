"""Random workbooks of every roster kind with planted errors and known truth, and what the intake made of them.

Shared by the property test and `bench/findings.py`. Columns come in any order under any of their header's spellings, below
title rows; harmless spellings of a value must be read as that value, planted errors must be caught, and nothing else alarms.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from eduaid.core import uploads
from eduaid.core.lists import kind_of
from eduaid.core.models import Finding, UploadRow
from eduaid.core.models.uploads import State
from eduaid.core.rows import id_digest
from eduaid.core.text import IdNumber
from tests.core.workbooks import Raw, Value, xlsx
from tests.small_county import SmallCounty, id_number

KINDS = ("population", "registry", "class-roster", "poverty-register", "hardship")

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红娥玲芬燕彩春菊兰凤洁梅琳素云莲真环雪荣爱妹香月莺媛"
_RARE = "䶮㛃𠮷𫖯喆堃"
_ETHNIC = {"汉族": "01", "回族": "03", "畲族": "22", "维吾尔族": "05"}
_GRADES = ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级")
_RELATIONS = {"子": "20", "女": "30", "长子": "22"}
_IN_SCHOOL = {"小学": "03"}
_POVERTY = {"脱贫户": "4"}
_CATEGORY = {"低保": "2", "特困": "3"}


@dataclass
class Child:
    """One row before it is written: cells by column key, and what must be stored of them."""

    cells: dict[str, Value]
    facts: dict[str, Any]
    number: str
    planted: str = ""
    spellings: list[str] = field(default_factory=list)


@dataclass
class Book:
    kind: str
    data: bytes
    children: list[Child]


# --- a clean row --------------------------------------------------------------------------------------------------


def _child(rng: Random, kind: str, county: SmallCounty, used: set[str]) -> Child:
    grade = rng.randrange(6)
    day = dt.date(2020 - grade, 8, 31) - dt.timedelta(rng.randrange(364))
    while True:
        number = id_number(f"{day:%Y%m%d}", rng.randrange(1, 500))
        if number not in used:
            used.add(number)
            break
    male = int(number[16]) % 2 == 1
    name = rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2, 2))))
    if rng.random() < 0.02:
        name = name[:-1] + rng.choice(_RARE)
    ethnic = rng.choice([*["汉族"] * 8, *_ETHNIC])
    cells: dict[str, Value] = {
        "name": name,
        "sex": "男" if male else "女",
        "birth": day.isoformat(),
        "ethnicity": ethnic,
        "id_number": number,
    }
    facts: dict[str, Any] = {
        "name": name,
        "sex": "1" if male else "2",
        "birth_on": day.isoformat(),
        "ethnicity": _ETHNIC[ethnic],
    }
    if kind in ("registry", "class-roster"):
        school = county.primary_a
        cells |= {"school_code": school.code} if kind == "registry" else {"school_name": school.name}
        boards, orphan = rng.random() < 0.3, rng.random() < 0.03
        room = rng.randrange(1, 5)
        cells |= {
            "grade": _GRADES[grade],
            "class": f"{room}班",
            "boarding": "寄宿" if boards else "走读",
            "orphan": "是" if orphan else "否",
            "phone": f"1380797{rng.randrange(10_000):04d}",
            "guardian": rng.choice(_SURNAMES) + rng.choice(_GIVEN),
        }
        facts |= {
            "school_id": school.pk,
            "grade": f"2{grade + 1}",
            "class_name": f"{room}班",
            "boarding": boards,
            "orphan": orphan,
        }
        if kind == "registry":
            cells["registry_number"] = f"G{number}"
    elif kind == "population":
        cells |= {"hukou_address": "示例省示例市示例县水口镇东风村", "household_no": f"{rng.randrange(10**6):06d}"}
        facts |= {"hukou_town_id": county.a.pk, "hukou_village_id": county.village_a.pk}
        facts["household_no"] = cells["household_no"]
    else:
        del cells["ethnicity"], facts["ethnicity"]
        cells |= {"town": "水口镇", "village": "东风村"}
        facts["hukou_village_id"] = county.village_a.pk
        if kind == "poverty-register":
            relation, where = rng.choice(list(_RELATIONS)), "小学"
            cells |= {
                "household_no": f"{rng.randrange(10**6):06d}",
                "relation": relation,
                "in_school": where,
                "poverty_type": "脱贫户",
            }
            facts |= {
                "relation": _RELATIONS[relation],
                "in_school": _IN_SCHOOL[where],
                "poverty_type": _POVERTY["脱贫户"],
            }
            facts["household_no"] = cells["household_no"]
        else:
            category = rng.choice(list(_CATEGORY))
            cells |= {"category": category, "level": "一级", "since": "2025-01-01"}
            facts |= {"category": _CATEGORY[category], "level": "一级", "since": "2025-01-01"}
    return Child(cells, facts, number)


# --- harmless spellings: (column, what it does to the cell) ---------------------------------------------------------


def _wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _day(child: Child) -> dt.date:
    return dt.date.fromisoformat(child.facts["birth_on"])


_Spelling = tuple[str, Callable[[Child, Random], Value]]
SPELLINGS: dict[str, _Spelling] = {
    "证件号前加撇号": ("id_number", lambda child, _: f"'{child.number}"),
    "证件号全角": ("id_number", lambda child, _: _wide(child.number)),
    "证件号小写 x": ("id_number", lambda child, _: child.number.lower()),
    "证件号夹空格": (
        "id_number",
        lambda child, _: f" {child.number[:6]} {child.number[6:14]}\u00a0{child.number[14:]}",
    ),
    "日期 2015.5.3": ("birth", lambda child, _: f"{_day(child).year}.{_day(child).month}.{_day(child).day}"),
    "日期 20150503": ("birth", lambda child, _: f"{_day(child):%Y%m%d}"),
    "日期 2015年5月3日": ("birth", lambda child, _: f"{_day(child).year}年{_day(child).month}月{_day(child).day}日"),
    "日期数字格": ("birth", lambda child, _: _day(child)),
    "日期序号": ("birth", lambda child, _: (_day(child) - dt.date(1899, 12, 30)).days),
    "日期缺日，证件号可补": ("birth", lambda child, _: f"{_day(child).year}年{_day(child).month}月"),
    "姓名夹一个空格": ("name", lambda child, _: f"{child.facts['name'][0]} {child.facts['name'][1:]}"),
    "姓名带零宽字符": ("name", lambda child, _: f"\u200b{child.facts['name']}\ufeff"),
    "性别用代码": ("sex", lambda child, _: int(child.facts["sex"])),
    "民族不带“族”": ("ethnicity", lambda child, _: str(child.cells["ethnicity"]).removesuffix("族")),
    "民族用代码": ("ethnicity", lambda child, _: child.facts["ethnicity"]),
    "年级用数字": ("grade", lambda child, _: int(child.facts["grade"][1])),
    "年级带班": ("grade", lambda child, _: f"{child.cells['grade']}({child.facts['class_name'][:-1]})班"),
    "班级只写数字": ("class", lambda child, _: child.facts["class_name"][:-1]),
    "校名简写": ("school_name", lambda _child, _: "蔡朱小学"),
    "电话为数字格": ("phone", lambda child, _: int(str(child.cells["phone"]))),
    "是否用符号": ("orphan", lambda child, _: "√" if child.facts["orphan"] else "×"),
}


# --- errors -------------------------------------------------------------------------------------------------------


def _substituted(number: str, rng: Random) -> str:
    place = rng.randrange(17)
    return number[:place] + str((int(number[place]) + rng.randrange(1, 10)) % 10) + number[place + 1 :]


def _swapped(number: str, rng: Random) -> str:
    places = [place for place in range(16) if number[place] != number[place + 1]]
    at = rng.choice(places)
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def _another_day(child: Child, rng: Random) -> str:
    return (_day(child) + dt.timedelta(rng.choice((-1, 1)) * rng.randrange(1, 300))).isoformat()


_Error = tuple[str, Callable[[Child, Random], Value]]
ERRORS: dict[str, _Error] = {
    "证件号存成数字": ("id_number", lambda child, _: Raw(f'<c r="{{ref}}"><v>{child.number[:17].replace("X", "0")}0</v></c>')),
    "证件号科学计数": ("id_number", lambda child, _: f"{child.number[0]}.{child.number[1:6]}E+17"),
    "证件号末三位成 0": ("id_number", lambda child, _: f"{child.number[:15]}000"),
    "证件号错一位": ("id_number", lambda child, rng: _substituted(child.number, rng)),
    "证件号相邻两位颠倒": ("id_number", lambda child, rng: _swapped(child.number, rng)),
    "证件号少一位": ("id_number", lambda child, rng: child.number[: (at := rng.randrange(18))] + child.number[at + 1 :]),
    "证件号多一位": ("id_number", lambda child, rng: child.number[: (at := rng.randrange(18))] + "7" + child.number[at:]),
    "证件号混入字母": ("id_number", lambda child, _: child.number.replace("0", "O", 1)),
    "证件号带星号": ("id_number", lambda child, _: f"{child.number[:6]}********{child.number[14:]}"),
    "证件号 15 位": ("id_number", lambda child, _: child.number[:6] + child.number[8:17]),
    "证件号栏填了学籍号": ("id_number", lambda child, _: f"G{child.number}"),
    "证件号写“未办理”": ("id_number", lambda _child, _: "未办理"),
    "出生日期是另一天": ("birth", _another_day),
    "出生日期差一个日期起点": ("birth", lambda child, _: (_day(child) + dt.timedelta(1462)).isoformat()),
    "出生日期不存在": ("birth", lambda child, _: f"{_day(child).year}-02-30"),
    "出生年份两位": ("birth", lambda child, _: f"{_day(child):%y.%m.%d}"),
    "出生日期顺序不明": ("birth", lambda child, _: f"{_day(child).month}/{_day(child).day}/{_day(child).year}"),
    "性别相反": ("sex", lambda child, _: "女" if child.facts["sex"] == "1" else "男"),
    "性别看不懂": ("sex", lambda _child, _: "不详"),
    "姓名有两个空格": ("name", lambda child, _: f"{child.facts['name'][0]}  {child.facts['name'][1:]}"),
    "姓名丢字": ("name", lambda child, _: f"{child.facts['name'][0]}?"),
    "姓名有自造字": ("name", lambda child, _: f"{child.facts['name'][0]}\ue123"),
    "姓名有数字": ("name", lambda child, _: f"{child.facts['name']}1"),
    "姓名带说明": ("name", lambda child, _: f"{child.facts['name']}（转学）"),
    "姓名空着": ("name", lambda _child, _: None),
    "民族不在表中": ("ethnicity", lambda _child, _: "火星族"),
    "年级看不懂": ("grade", lambda _child, _: "毕业班"),
    "校名写错": ("school_name", lambda _child, _: "水口镇蔡珠小学"),
    "标识码不存在": ("school_code", lambda _child, _: "2199009999"),
    "外乡镇的学校": ("school_name", lambda _child, _: "石洲乡中心小学"),
    "外乡镇的户籍": ("hukou_address", lambda _child, _: "示例省示例市示例县石洲乡船形村"),
    "外县的户籍": ("hukou_address", lambda _child, _: "外省外市外县外镇"),
    "是否看不懂": ("orphan", lambda _child, _: "也许"),
    "是否写了两可的数字": ("boarding", lambda _child, _: "是的吧"),
    "电话带星号": ("phone", lambda _child, _: "138****8888"),
    "电话少一位": ("phone", lambda child, _: str(child.cells["phone"])[:-1]),
    "户号空着": ("household_no", lambda _child, _: None),
    "类型看不懂": ("category", lambda _child, _: "困难"),
    "公式没有结果": ("name", lambda _child, _: Raw('<c r="{ref}"><f>A1</f></c>')),
    "公式出错": ("id_number", lambda _child, _: Raw('<c r="{ref}" t="e"><v>#N/A</v></c>')),
    "公式出错（文字）": ("birth", lambda _child, _: "#N/A"),
    "控制字符": ("name", lambda child, _: Raw(
        f'<c r="{{ref}}" t="inlineStr"><is><t>{child.facts["name"]}_x0001_</t></is></c>')),
}  # fmt: skip
# Not required everywhere: a population list may leave the household number out.
_NEEDS_KIND = {"户号空着": "poverty-register"}
REPEATED, CONTRADICTING = "整行重复", "同一证件号内容不同"


# --- a workbook ---------------------------------------------------------------------------------------------------

# Headers in which a column is known for certain; which spellings are asked is measured elsewhere.
_PLAIN_ONLY = {"level", "since", "category", "village", "town", "household_no", "in_school", "guardian", "phone"}


def _header(rng: Random, kind: str, key: str) -> str:
    column = kind_of(kind).column(key)
    spellings = [column.label, *([] if key in _PLAIN_ONLY else column.synonyms[:4])]
    text = rng.choice(spellings)
    return rng.choice((text, text, text, f" {text}", "\u3000".join(text) if len(text) == 2 else text, f"{text}\n"))


def make(rng: Random, county: SmallCounty, *, kind: str, rows: int, share: float) -> Book:
    """A workbook of clean rows of which `share` have one planted error each, and as many an unusual spelling."""
    used: set[str] = set()
    children = [_child(rng, kind, county, used) for _ in range(rows)]
    keys = list(children[0].cells)
    rng.shuffle(keys)
    for child in children:
        if rng.random() < share:
            fitting = [
                name for name, (key, _) in ERRORS.items() if key in child.cells and _NEEDS_KIND.get(name, kind) == kind
            ]
            child.planted = rng.choice(fitting)
            key, plant = ERRORS[child.planted]
            child.cells[key] = plant(child, rng)
        elif rng.random() < share:
            spelling = rng.choice([name for name, (key, _) in SPELLINGS.items() if key in child.cells])
            key, spell = SPELLINGS[spelling]
            child.cells[key] = spell(child, rng)
            child.spellings.append(spelling)
    if rng.random() < 0.3:
        _repeat(rng, children)
    width = len(keys)
    head: list[list[Value]] = []
    for title in range(rng.choice((0, 0, 1, 2))):
        head.append([("某乡镇名单", "二〇二六年九月")[title], *[None] * (width - 1)])
    head.append([_header(rng, kind, key) for key in keys])
    body = [[child.cells.get(key) for key in keys] for child in children]
    return Book(kind, xlsx([*head, *body]), children)


def _repeat(rng: Random, children: list[Child]) -> None:
    clean = [child for child in children if not child.planted and not child.spellings]
    if not clean:
        return
    child = rng.choice(clean)
    again = Child(dict(child.cells), dict(child.facts), child.number)
    if rng.random() < 0.5:
        again.planted = REPEATED
    else:
        again.planted = child.planted = CONTRADICTING
        again.cells["name"] = again.facts["name"] = f"{child.facts['name']}儿"
    children.append(again)


# --- what became of it ----------------------------------------------------------------------------------------------


@dataclass
class Score:
    """Sums over workbooks. `wrong`: (error or spelling, column) of values stored that nobody wrote or meant."""

    planted: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    clean: int = 0
    alarms: Counter[str] = field(default_factory=Counter)
    spelt: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    books: int = 0
    asked: int = 0
    """Workbooks whose columns were asked about: nothing of them is staged."""


def send(county: SmallCounty, book: Book, score: Score) -> None:
    """Through the real intake, as the head of the township; the list is cancelled afterwards."""
    upload = county.send(book.kind, [], files=[("名单.xlsx", book.data)], place="a", by="town-a")
    score.books += 1
    if upload.state == State.MAPPING:
        score.asked += 1
    else:
        assert upload.state == State.REVIEW, upload.error
        rows = list(UploadRow.objects.filter(sheet__upload=upload).order_by("number"))
        assert len(rows) == len(book.children)  # nothing is lost, whatever is in it
        found: dict[int, list[str]] = {}
        for row_id, column, code in Finding.objects.filter(upload=upload, row__isnull=False).values_list(
            "row", "column", "code"
        ):
            found.setdefault(row_id, []).append(f"{column}:{code}")
        for row, child in zip(rows, book.children, strict=True):
            _judge(row, child, found.get(row.pk, []), score)
    uploads.cancel(upload, by=county.user("town-a"))


def _judge(row: UploadRow, child: Child, found: list[str], score: Score) -> None:
    label = child.planted or (child.spellings[0] if child.spellings else "")
    if child.planted:
        score.planted[child.planted] += 1
        score.caught[child.planted] += row.state != "A"
    elif child.spellings:
        score.spelt[label] += 1
        score.read[label] += row.state == "A"
    else:
        score.clean += 1
        score.alarms.update(found)
    if row.state == "A":
        score.wrong += [(label, key) for key in _differing(row, child.facts)]
        stored = bytes(row.id_digest) if row.id_digest else None
        if stored is not None and stored != id_digest(IdNumber(child.number)):
            score.wrong.append((label, "id_number"))


def _differing(row: UploadRow, facts: Mapping[str, Any]) -> list[str]:
    """Facts that are stored and are not the truth. A value that is missing is no wrong value."""
    return [key for key, value in facts.items() if key in row.facts and row.facts[key] != value]
