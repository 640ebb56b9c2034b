"""A small county with every kind of list in force: few enough children to count them by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import _truncate
from tests.small_county import SmallCounty, id_number, make_county

DAY = dt.date(2026, 11, 20)
"""The day that the tests ask about: figures of an age window follow the school year."""


def person(name: str, born: str, sequence: int, **more: str) -> dict[str, str]:
    birth = f"{born[:4]}-{born[4:6]}-{born[6:]}"
    return {"姓名": name, "身份证号": id_number(born, sequence), "出生日期": birth, **more}


LI, WANG = person("李小雨", "20150503", 12), person("王伟", "20140601", 11)
ZHAO, SUN = person("赵强", "20130303", 13), person("孙丽", "20160202", 14)
CHEN, ZHOU = person("陈晨", "20220505", 15), person("周杰", "20150808", 17)
WU, XU = person("吴县", "20150101", 19), person("许多", "20160909", 21)
A, B = "示例县水口镇东风村", "示例县石洲乡船形村"
SCHOOL_A, SCHOOL_B = {"学校名称": "水口镇蔡朱小学"}, {"学校名称": "石洲乡中心小学"}
CODE_A, CODE_B = {"学校标识码": "2199000001"}, {"学校标识码": "2199000002"}


def lived(child: dict[str, str], address: str) -> dict[str, str]:
    return child | {"户籍地址": address}


def sits(child: dict[str, str], school: dict[str, str], grade: str, class_name: str, boarding: str) -> dict[str, str]:
    return school | {"年级": grade, "班级": class_name} | child | {"是否寄宿": boarding}


def bring_everything(county: SmallCounty) -> None:
    """Five of 6—15 (one without registry), one of 3—5; five pupils, one of them of another county, one without registry;
    one registered child in no class; one row that waits; a school that has sent nothing."""
    county.bring("population", [lived(child, A) for child in (LI, WANG, ZHAO, SUN, CHEN)], place="a", by="town-a")
    county.bring("population", [lived(ZHOU, B)], place="b", by="town-b")
    registry_a = [CODE_A | LI | {"年级": "五年级", "班级": "1班"}, CODE_A | WANG | {"年级": "六年级", "班级": "2班"}]
    registry_b = [
        CODE_B | ZHOU | {"年级": "五年级", "班级": "1班"},
        CODE_B | SUN | {"年级": "四年级", "班级": "1班"},
        CODE_B | WU | {"年级": "五年级", "班级": "1班", "户口所在地行政区划": "示例省样例市样例县"},
    ]
    county.bring("registry", registry_a, place="a", by="town-a")
    county.bring("registry", registry_b, place="b", by="town-b")
    wrong = person("黄错", "20150404", 16)
    wrong["身份证号"] = wrong["身份证号"][:-1] + ("1" if wrong["身份证号"][-1] != "1" else "2")
    county.bring(
        "class-roster",
        [
            sits(LI, SCHOOL_A, "五年级", "1班", "是"),
            sits(WANG, SCHOOL_A, "六年级", "2班", "否"),
            sits(wrong, SCHOOL_A, "五年级", "1班", "否"),
        ],
        place="a",
        by="town-a",
    )
    county.bring(
        "class-roster",
        [
            sits(SUN, SCHOOL_B, "四年级", "1班", "否"),
            sits(WU, SCHOOL_B, "五年级", "1班", "是"),
            sits(XU, SCHOOL_B, "四年级", "1班", "否"),
        ],
        place="b",
        by="town-b",
    )
    father = person("李大山", "19850101", 31)
    home = {"户编号": "P1", "乡镇": "水口镇", "村": "东风村", "贫困户属性": "脱贫户"}
    county.bring(
        "poverty-register",
        [home | father | {"与户主关系": "户主"}, home | LI | {"与户主关系": "女儿", "在校生状况": "小学"}],
    )
    county.bring("hardship", [SUN | {"乡镇": "水口镇", "村": "东风村", "困难类型": "低保"}])


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: Any) -> Iterator[SmallCounty]:
    """The county with its lists, loaded once for the tests of a module, which leave the lists as they are."""
    from django.core.cache import cache
    from django.db import connections

    from eduaid.core.scope import everything

    with django_db_blocker.unblock():
        cache.clear()
        try:
            with everything():
                county = make_county()
                bring_everything(county)
                yield county
        finally:
            connections["default"].close()
            _truncate()
            cache.clear()
