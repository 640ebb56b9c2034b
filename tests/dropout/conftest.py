"""A small county whose children can be counted by hand, with a census round opened on its lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from dropout import actions
from dropout.models import CensusRound, Whereabouts
from dropout.models.census import Window, born_in
from eduaid.core.indicators import Basis, indicator_of
from eduaid.core.models import Region, School
from eduaid.core.scope import EVERYTHING
from tests.reports.conftest import CODE_A, SCHOOL_A, SCHOOL_B, A, B, lived, person, sits
from tests.small_county import SmallCounty

DAY = dt.date(2026, 11, 23)

# In the window 6—15 with hukou in A: each with another story, told below.
LI = person("李小雨", "20150503", 12)
WANG = person("王伟", "20140601", 11)
ZHAO = person("赵强", "20130303", 13)
SUN = person("孙丽", "20160202", 14)
QIAN = person("钱多", "20120707", 23)
ZHOU = person("周杰", "20150808", 17)


def bring_lists(county: SmallCounty) -> None:
    """A: 李 sits in class and is registered; 王 is registered at A and in no class; 孙 sits in class in B, registered nowhere;
    赵 is in no list but the police's; 钱 is registered in a junior school that has sent no roster. B: 周 in class in B."""
    county.bring("population", [lived(child, A) for child in (LI, WANG, ZHAO, SUN, QIAN)], place="a", by="town-a")
    county.bring("population", [lived(ZHOU, B)], place="b", by="town-b")
    county.bring(
        "registry",
        [
            CODE_A | LI | {"年级": "五年级", "班级": "1班"},
            CODE_A | WANG | {"年级": "六年级", "班级": "2班"},
            {"学校标识码": "3199000001"} | QIAN | {"年级": "八年级", "班级": "1班"},
        ],
        place="a",
        by="town-a",
    )
    county.bring("class-roster", [sits(LI, SCHOOL_A, "五年级", "1班", "是")], place="a", by="town-a")
    county.bring(
        "class-roster",
        [sits(SUN, SCHOOL_B, "四年级", "1班", "否"), sits(ZHOU, SCHOOL_B, "五年级", "1班", "否")],
        place="b",
        by="town-b",
    )


@pytest.fixture
def lists(county: SmallCounty) -> SmallCounty:
    bring_lists(county)
    return county


Opener = Callable[..., CensusRound]


@pytest.fixture
def opened(lists: SmallCounty) -> CensusRound:
    return open_round(lists)


def open_round(
    county: SmallCounty, *, window: Window = Window.COMPULSORY, by: str = "county", **more: object
) -> CensusRound:
    first, last = born_in(window, 2026)
    values: dict[str, object] = {"name": f"{window.value}摸排", "born_from": first, "born_to": last, "as_of": DAY}
    values |= {"deadline": dt.date(2026, 12, 31)} | more
    return actions.open_round(window=window, by=county.user(by), **values)  # type: ignore[arg-type]


def of(round_: CensusRound, name: str) -> Whereabouts:
    return Whereabouts.objects.get(round=round_, student__name=name)


def value(key: str, area: Region | School) -> int:
    return int(indicator_of(key).value(Basis(area, dt.date.today()), EVERYTHING))
