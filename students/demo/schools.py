"""The schools of the invented county, and a few beyond its border."""

from dataclasses import dataclass
from typing import Literal

from students.demo.places import COUNTY, COUNTY_NAME, Places

SchoolKind = Literal["kindergarten", "primary", "junior", "nine-year", "senior", "vocational", "special"]
Stage = Literal["kindergarten", "primary", "junior", "senior", "vocational"]

STAGES: tuple[Stage, ...] = ("kindergarten", "primary", "junior", "senior", "vocational")
_STAGES_OF: dict[SchoolKind, tuple[Stage, ...]] = {
    "kindergarten": ("kindergarten",),
    "primary": ("primary",),
    "junior": ("junior",),
    "nine-year": ("primary", "junior"),
    "senior": ("senior",),
    "vocational": ("vocational",),
    "special": ("primary", "junior"),
}
# First digits of the ten-digit identifier code, by kind of school
_CODE_HEADS: dict[SchoolKind, str] = {
    "kindergarten": "1199",
    "primary": "2199",
    "junior": "3199",
    "nine-year": "3299",
    "senior": "3499",
    "vocational": "3699",
    "special": "5199",
}


@dataclass(frozen=True, slots=True)
class School:
    """A school; `region` is the township in which it lies, or the county for schools beyond the border."""

    code: str
    name: str
    short_names: tuple[str, ...]
    kind: SchoolKind
    region: str
    seat: Literal["county", "township", "outside"]  # who runs it
    boarding: bool
    in_county: bool = True
    private: bool = False

    @property
    def stage_codes(self) -> list[str]:
        """The stages by the program's codes, 1 for kindergartens to 5 for vocational schools."""
        return [str(STAGES.index(stage) + 1) for stage in self.stages]

    @property
    def stages(self) -> tuple[Stage, ...]:
        return _STAGES_OF[self.kind]


def make_schools(places: Places, people: int) -> tuple[School, ...]:
    """Build the schools that `people` children and young people need."""
    maker = _Maker()
    rural_size = min(400.0, max(200.0, people / 100))
    for position, township in enumerate(places.townships):
        villages = places.villages[township.code]
        plan = villages[0].plan
        primary_pupils = people * plan.weight * 0.3
        if position == 0:
            _add_county_seat(maker, township.code, primary_pupils, rural_size)
            continue
        full, short = plan.name, plan.short
        maker.add("kindergarten", f"{full}中心幼儿园", (f"{short}中心幼儿园", f"{full}幼儿园"), township.code)
        if plan.nine_year:
            maker.add(
                "nine-year",
                f"{full}九年一贯制学校",
                (f"{short}九年一贯制学校", f"{short}学校"),
                township.code,
                boarding=True,
            )
        else:
            maker.add("primary", f"{full}中心小学", (f"{short}中心小学", f"{short}小学"), township.code, boarding=True)
            maker.add("junior", f"{full}初级中学", (f"{short}初级中学", f"{short}中学"), township.code, boarding=True)
        village_schools = round(primary_pupils / rural_size) - 1
        for stem in [stem for stem in plan.villages if stem != short][
            : max(village_schools, 1 if position == 1 else 0)
        ]:
            maker.add("primary", f"{full}{stem}小学", (f"{stem}小学",), township.code)
        if primary_pupils > 2.2 * rural_size:
            stem = plan.villages[2]
            maker.add("kindergarten", f"{full}{stem}幼儿园", (f"{stem}幼儿园",), township.code)
    for code, name in (("990102", "示例市"), ("990122", "样例县")):
        short = name[:2]
        maker.add("primary", f"{name}实验小学", (f"{short}实小",), code, seat="outside", boarding=True)
        maker.add("junior", f"{name}第二中学", (f"{short}二中",), code, seat="outside", boarding=True)
    maker.add("vocational", "示例市工业学校", ("工业学校", "示例工校"), "990102", seat="outside", boarding=True)
    return tuple(maker.schools)


def _add_county_seat(maker: "_Maker", region: str, primary_pupils: float, rural_size: float) -> None:
    ordinals = "一二三四五六七八九"
    for number in range(max(1, round(primary_pupils / (4 * rural_size))) + 1):
        name = f"{COUNTY_NAME}第{ordinals[number]}幼儿园"
        maker.add(
            "kindergarten", name, (f"县{ordinals[number]}幼", f"第{ordinals[number]}幼儿园"), region, seat="county"
        )
    maker.add("kindergarten", f"{COUNTY_NAME}城关镇小天使幼儿园", ("小天使幼儿园",), region, private=True)
    for number in range(max(1, round(primary_pupils / (2.4 * rural_size)))):
        name = f"{COUNTY_NAME}第{ordinals[number]}小学"
        maker.add("primary", name, (f"县{ordinals[number]}小", f"第{ordinals[number]}小学"), region, seat="county")
    maker.add("primary", f"{COUNTY_NAME}实验小学", ("县实验小学", "实验小学"), region, seat="county")
    for number in (2, 3) if primary_pupils > 3 * rural_size else (2,):
        name = f"{COUNTY_NAME}第{ordinals[number]}中学"
        maker.add(
            "junior",
            name,
            (f"县{ordinals[number]}中", f"第{ordinals[number]}中学"),
            region,
            seat="county",
            boarding=True,
        )
    for number in (0, 1) if primary_pupils > 5 * rural_size else (0,):
        name = f"{COUNTY_NAME}第{ordinals[number]}中学"
        maker.add(
            "senior",
            name,
            (f"县{ordinals[number]}中", f"第{ordinals[number]}中学"),
            region,
            seat="county",
            boarding=True,
        )
    maker.add(
        "vocational", f"{COUNTY_NAME}职业技术学校", ("县职校", "职业技术学校"), region, seat="county", boarding=True
    )
    maker.add("special", f"{COUNTY_NAME}特殊教育学校", ("县特校", "特殊教育学校"), region, seat="county", boarding=True)


class _Maker:
    """Collects schools and numbers them by kind."""

    def __init__(self) -> None:
        self.schools: list[School] = []

    def add(
        self,
        kind: SchoolKind,
        name: str,
        short_names: tuple[str, ...],
        region: str,
        *,
        seat: Literal["county", "township", "outside"] = "township",
        boarding: bool = False,
        private: bool = False,
    ) -> None:
        serial = 5000 + 37 * len(self.schools)
        self.schools.append(
            School(
                code=f"{_CODE_HEADS[kind]}{serial:06d}",
                name=name,
                short_names=short_names,
                kind=kind,
                region=region,
                seat=seat,
                boarding=boarding,
                in_county=region.startswith(COUNTY),
                private=private,
            )
        )
