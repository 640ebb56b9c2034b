"""The invented county: province, prefecture, county, twelve townships and their villages, one of which was merged.

Codes are in the form of GB/T 2260 and GB/T 10114, all under 99, which those tables leave free.
"""

import random
from dataclasses import dataclass
from datetime import date

COUNTY = "990121"
COUNTY_NAME = "示例县"
_FOUNDED = date(2000, 1, 1)
_MERGED_ON = date(2025, 7, 1)


@dataclass(frozen=True, slots=True)
class Region:
    """A place of the tree; `valid_until` is the first day without it, `merged_into` the code of its successor."""

    code: str
    name: str
    level: str  # province, prefecture, county, township, village
    parent: str
    valid_from: date = _FOUNDED
    valid_until: date | None = None
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class TownshipPlan:
    """What makes a township different from the others: its share of the people, its villages, its minority."""

    name: str
    short: str
    weight: float
    villages: tuple[str, ...]
    minority: str = ""
    nine_year: bool = False


# The first township is the county seat. Village stems; 社区 is written out, 村 is added.
TOWNSHIPS = (
    TownshipPlan(
        "城关镇",
        "城关",
        0.22,
        (
            "东门社区",
            "西门社区",
            "南街社区",
            "北街社区",
            "河滨社区",
            "文昌社区",
            "城东社区",
            "新城社区",
            "龙井",
            "塔下",
            "黄家坊",
            "凤凰",
        ),
    ),
    TownshipPlan(
        "水口镇", "水口", 0.095, ("蔡朱", "水口", "下陂", "罗家", "石门", "东源", "枫树坪", "大桥", "吴坊", "新塘")
    ),
    TownshipPlan("枫岭镇", "枫岭", 0.085, ("枫岭", "上陈", "下陈", "白石", "南坑", "杨梅岗", "横路", "桃源", "邓家边")),
    TownshipPlan("石桥镇", "石桥", 0.08, ("石桥", "张坊", "李家湾", "高田", "塘边", "竹山", "古楼", "青塘", "洪家")),
    TownshipPlan("白鹭镇", "白鹭", 0.075, ("白鹭", "鹭溪", "谢家", "莲塘", "新建", "沙洲", "太平", "杜家坝")),
    TownshipPlan("长塘镇", "长塘", 0.075, ("长塘", "塘尾", "何家", "赤土", "东坑", "西坑", "樟树下", "胜利")),
    TownshipPlan("双河镇", "双河", 0.07, ("双河", "河口", "刘家渡", "上湾", "下湾", "金鸡", "向阳", "徐屋")),
    TownshipPlan("沙田镇", "沙田", 0.065, ("沙田", "田心", "周家", "马头", "麻田", "红星", "乌石", "彭屋")),
    TownshipPlan("大坪乡", "大坪", 0.065, ("大坪", "坪上", "郭家", "茶山", "分水", "三门", "岭背")),
    TownshipPlan("龙潭乡", "龙潭", 0.06, ("龙潭", "潭边", "曾家", "黄泥塘", "高峰", "铁炉", "上坊"), nine_year=True),
    TownshipPlan(
        "云溪畲族乡",
        "云溪",
        0.055,
        ("云溪", "蓝家寨", "雷屋", "钟背", "溪源", "畲坑", "半岭"),
        minority="畲族",
        nine_year=True,
    ),
    TownshipPlan("桐木乡", "桐木", 0.055, ("桐木", "木坑", "孙家", "竹坑", "源头", "石径", "上屋"), nine_year=True),
)
# In 水口镇, 老屋村 became part of 蔡朱村; older lists still name it.
_MERGED_TOWNSHIP, _MERGED_STEM, _MERGED_INTO_STEM = "水口镇", "老屋", "蔡朱"

OUTSIDE_COUNTIES = (("990102", "示例区"), ("990122", "样例县"), ("990123", "范例县"))


@dataclass(frozen=True, slots=True)
class Village:
    """A village with the surnames that most of its households share."""

    region: Region
    township: Region
    plan: TownshipPlan
    weight: float
    surnames: tuple[str, ...]
    former_name: str = ""  # name of a village that was merged into this one

    @property
    def urban(self) -> bool:
        return self.region.name.endswith("社区")


@dataclass(frozen=True, slots=True)
class Places:
    """All regions, townships in the order of their letters a, b, c …, and the villages by township code."""

    regions: tuple[Region, ...]
    townships: tuple[Region, ...]
    villages: dict[str, tuple[Village, ...]]


def make_places(rng: random.Random, surnames: tuple[str, ...]) -> Places:
    """Build the tree. `surnames` are the ones that villages cluster around."""
    regions = [
        Region("990000", "示例省", "province", ""),
        Region("990100", "示例市", "prefecture", "990000"),
        Region(COUNTY, COUNTY_NAME, "county", "990100"),
        *(Region(code, name, "county", "990100") for code, name in OUTSIDE_COUNTIES),
    ]
    townships: list[Region] = []
    villages: dict[str, tuple[Village, ...]] = {}
    for position, plan in enumerate(TOWNSHIPS, start=1):
        township = Region(f"{COUNTY}{position:03d}", plan.name, "township", COUNTY)
        townships.append(township)
        regions.append(township)
        found: list[Village] = []
        numbers = {"社区": 1, "村": 201}
        for stem in plan.villages:
            suffix = "社区" if stem.endswith("社区") else "村"
            code = f"{township.code}{numbers[suffix]:03d}"
            numbers[suffix] += 1
            name = stem if suffix == "社区" else stem + "村"
            region = Region(code, name, "village", township.code)
            regions.append(region)
            absorbs = (plan.name, stem) == (_MERGED_TOWNSHIP, _MERGED_INTO_STEM)
            found.append(
                Village(
                    region=region,
                    township=township,
                    plan=plan,
                    weight=rng.uniform(0.6, 1.6) * (2 if suffix == "社区" else 1),
                    surnames=_cluster(rng, stem, plan, surnames),
                    former_name=_MERGED_STEM + "村" if absorbs else "",
                )
            )
            if absorbs:
                merged_into = code
        if plan.name == _MERGED_TOWNSHIP:
            code = f"{township.code}{numbers['村']:03d}"
            regions.append(
                Region(
                    code,
                    _MERGED_STEM + "村",
                    "village",
                    township.code,
                    valid_until=_MERGED_ON,
                    merged_into=merged_into,
                )
            )
        villages[township.code] = tuple(found)
    return Places(tuple(regions), tuple(townships), villages)


def _cluster(rng: random.Random, stem: str, plan: TownshipPlan, surnames: tuple[str, ...]) -> tuple[str, ...]:
    """Choose two or three leading surnames; those in the village's name come first."""
    if stem.endswith("社区"):
        return ()
    named = [character for character in stem if character in surnames and character not in "马金石万高白方龙江黄孔"]
    others = [name for name in rng.sample(surnames, 3) if name not in named]
    if plan.minority:
        others = rng.sample(("蓝", "雷", "钟"), 2) + others[:1]
    return tuple((named + others)[: rng.choice((2, 3))])
