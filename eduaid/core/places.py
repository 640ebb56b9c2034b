"""Directories of schools and regions, read once a list: three-valued answers, never a new school by accident."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from eduaid.core.cells import Cell
from eduaid.core.models import Region, School
from eduaid.core.models.places import Level
from eduaid.core.text.characters import plain, tidy, unusable
from eduaid.core.text.results import Parsed, Problem, Result

_NOISE = re.compile(r"[\s()（）·.、,，\-—]+")


def _key(name: str) -> str:
    return _NOISE.sub("", name)


# Words that any school could be called by.
_ANY_SCHOOL = re.compile(
    r"(镇|乡|县|村)?(中心|完全|希望|九年一贯制|初级|高级|完|民办|公办)*(小学|中学|小|学校|幼儿园|初中|高中|校|园|教学点)"
)
_PLACES_BEFORE = re.compile(r"(?:.{1,8}?(?:省|市|县|区|旗|镇|乡|街道|村))*")
_TOWN_BEFORE = re.compile(r"([^省市县区旗]{1,8}(?:镇|乡|街道))(?:.{1,6}村)?$")


def _is_located(key: str, name: str, school: School) -> bool:
    """Whether the key is the school's name behind the names of places, none of which is another township."""
    before = key.removesuffix(name)
    if before == key or len(name) < 3 or not _PLACES_BEFORE.fullmatch(before):
        return False
    town = _TOWN_BEFORE.search(before)
    return town is None or school.town is None or town[1].endswith(school.town.name)


class Schools:
    """Finds the school that a cell names: by code, by full name, by a known other name, or by the one name that contains it.

    `near`: schools to prefer when a short name fits several (those of the list's township).
    """

    def __init__(self, schools: Iterable[School], *, near: Region | None = None) -> None:
        self.by_id: dict[int, School] = {}
        self._by_code: dict[str, School] = {}
        self._by_name: dict[str, list[School]] = defaultdict(list)
        for school in schools:
            self.by_id[school.pk] = school
            self._by_code[school.code] = school
            for name in {_key(school.name), *map(_key, school.other_names)}:
                self._by_name[name].append(school)
        self._near = near.pk if near else None

    @classmethod
    def on(cls, day: dt.date, *, near: Region | None = None) -> Schools:
        return cls(School.objects.valid_on(day).select_related("town"), near=near)

    def find(self, text: str) -> list[School]:
        """The schools that the text may mean: exactly one is an answer, several a question, none unknown."""
        key = _key(text)
        if found := self._by_name.get(key):
            return self._prefer_near(found)
        if len(key) < 2:
            return []
        inside = {
            school.pk: school
            for name, schools in self._by_name.items()
            for school in schools
            if (key in name and not _ANY_SCHOOL.fullmatch(key)) or _is_located(key, name, school)
        }
        return self._prefer_near(list(inside.values()))

    def named_in(self, text: str) -> list[School]:
        """The schools whose name stands in a longer text such as a title; of overlapping names only the longest counts."""
        key = _key(text)
        inside = [
            (name, school)
            for name, schools in self._by_name.items()
            if len(name) > 2 and name in key
            for school in schools
        ]
        longest = max((len(name) for name, _ in inside), default=0)
        return self._prefer_near(list({school.pk: school for name, school in inside if len(name) == longest}.values()))

    def _prefer_near(self, schools: list[School]) -> list[School]:
        if len(schools) > 1 and self._near is not None:
            near = [school for school in schools if school.town_id == self._near]
            return near or schools
        return schools

    def parse_name(self, cell: Cell) -> Result[School]:
        if problem := unusable(cell):
            return problem
        text = tidy(plain(cell))
        if not text:
            return None
        found = self.find(text)
        if len(found) == 1:
            return Parsed(found[0], "" if _key(found[0].name) == _key(text) else "school-short")
        if found:
            names = "、".join(school.name for school in found[:4])
            return Problem("school-several", {"candidates": names})
        close = get_close_matches(_key(text), self._by_name, n=1, cutoff=0.6)
        if close:
            return Problem("school-close", {"suggestion": self._by_name[close[0]][0].name})
        return Problem("school-unknown")

    def parse_code(self, cell: Cell) -> Result[School]:
        if problem := unusable(cell):
            return problem
        text = re.sub(r"\s", "", plain(cell))
        if not text:
            return None
        school = self._by_code.get(text)
        return Parsed(school) if school else Problem("school-code-unknown")


@dataclass(frozen=True)
class FoundRegion:
    """What a region cell told: a division of the home county, or only that it lies outside."""

    region: Region | None
    is_outside: bool


class Regions:
    """Finds townships and villages of the home county by code or name, merged ones under their old names too."""

    def __init__(self, home: Region, regions: Iterable[Region]) -> None:
        self.home = home
        self.by_id: dict[int, Region] = {}
        self._towns: dict[str, Region] = {}
        self._villages: dict[str, list[Region]] = defaultdict(list)
        self._by_code: dict[str, Region] = {}
        for region in regions:
            self.by_id[region.pk] = region
        for region in self.by_id.values():
            now = self.current(region)
            self._by_code[region.code] = now
            if region.level == Level.TOWNSHIP:
                self._towns[region.name] = now
                self._towns.setdefault(re.sub(r"(镇|乡|街道)$", "", region.name), now)
            elif region.level == Level.VILLAGE:
                for name in {region.name, re.sub(r"(村民委员会|村委会|居委会|社区|村)$", "", region.name)}:
                    if now not in self._villages[name]:
                        self._villages[name].append(now)

    @classmethod
    def load(cls) -> Regions:
        home = Region.objects.home()
        inside = Region.objects.filter(level__in=[Level.TOWNSHIP, Level.VILLAGE], code__startswith=home.code[:6])
        return cls(home, inside)

    def current(self, region: Region) -> Region:
        """The division that a merged one has become."""
        seen = {region.pk}
        while region.merged_into_id and region.merged_into_id in self.by_id and region.merged_into_id not in seen:
            seen.add(region.merged_into_id)
            region = self.by_id[region.merged_into_id]
        return region

    def town_of(self, region: Region) -> Region | None:
        """The township of a village, or the township itself."""
        if region.level == Level.TOWNSHIP:
            return region
        return self.by_id.get(region.parent_id or 0)

    def parse_town(self, cell: Cell) -> Result[Region]:
        if problem := unusable(cell):
            return problem
        text = _key(tidy(plain(cell)))
        if not text:
            return None
        for candidate in (text, text.removeprefix(self.home.name), re.sub(r"^.*?(县|区|市|旗)", "", text)):
            if candidate in self._towns:
                return Parsed(self._towns[candidate])
        return Problem("town-unknown")

    def villages(self, name: str, town: Region | None) -> list[Region]:
        found = (
            self._villages.get(name)
            or self._villages.get(re.sub(r"(村民委员会|村委会|居委会|社区|村)$", "", name))
            or []
        )
        return [village for village in found if town is None or village.parent_id == town.pk]

    def parse_address(self, cell: Cell) -> Result[FoundRegion]:
        """A region code (6 to 12 digits) or an address text: the finest division of the home county that it names.

        A code or county name of another county is an answer too (`is_outside`); a text that names no known place is none.
        """
        if problem := unusable(cell):
            return problem
        text = _key(tidy(plain(cell)))
        if not text:
            return None
        if text.isdigit() and 6 <= len(text) <= 12:
            if not text.startswith(self.home.code[:6]):
                return Parsed(FoundRegion(None, True))
            for length in (12, 9):
                if region := self._by_code.get(text[:length]):
                    return Parsed(FoundRegion(region, False))
            return Parsed(FoundRegion(None, False))
        inside = self.home.name in text
        rest = text.split(self.home.name, 1)[1] if inside else text
        for name, town in self._towns.items():
            if rest.startswith(name):
                after = rest[len(name) :]
                for village in (v for vs in self._villages.values() for v in vs if v.parent_id == town.pk):
                    if after.startswith(village.name):
                        return Parsed(FoundRegion(village, False))
                return Parsed(FoundRegion(town, False))
        if inside:
            return Parsed(FoundRegion(None, False))
        if re.match(r"^.{2,8}(省|市|自治区|自治州|县|(?<![小社校园厂院])区|旗)", text):
            return Parsed(FoundRegion(None, True))
        return Problem("region-unknown")
