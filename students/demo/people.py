"""Invented households: parents, grandparents as heads, children of 3 to 22, twins, siblings, village surnames.

Everything here is true of the people themselves; what the lists say about them, rightly or wrongly, is made later.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate

from students.demo import names
from students.demo.identifiers import IdentityNumbers, phone
from students.demo.places import COUNTY, OUTSIDE_COUNTIES, Places, Village
from students.demo.rates import Rates

CUT_OFF = date(2026, 8, 31)
"""The day on which ages are taken for the school year 2026-2027."""
YOUNGEST, OLDEST = 3, 22
DISABILITIES = ("视力残疾", "听力残疾", "言语残疾", "肢体残疾", "智力残疾", "精神残疾", "多重残疾")


def age_on(born: date, day: date) -> int:
    """Return the completed years of life."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@dataclass(slots=True)
class Person:
    """A child, a young person or an adult. `id_no` is the true number, empty when none has been issued."""

    number: int
    name: str
    sex: str  # 男, 女
    born: date
    id_no: str
    household: "Household"
    ethnic: str
    child: bool
    id_type: str = "居民身份证"
    former_name: str = ""
    old_id: str = ""
    twin: int = 0  # number of the other twin
    disability: str = ""  # type, one of DISABILITIES
    disability_level: int = 0  # 1 severest to 4
    left_behind: int = 0  # 0 no, 1 one parent away, 2 both away
    hardship: tuple[str, ...] = ()
    alive: bool = True

    @property
    def age(self) -> int:
        """Completed years at the cut-off of the school year."""
        return age_on(self.born, CUT_OFF)

    @property
    def severe(self) -> bool:
        return self.disability_level in (1, 2) and self.disability in ("智力残疾", "多重残疾", "精神残疾", "肢体残疾")


@dataclass(slots=True)
class Household:
    """A household register entry with its members; `village` is None for households of other counties."""

    number: int
    village: Village | None
    origin: str  # region code of the household register: a village, or another county
    group: int  # village group 村民小组, or house number block in a town
    book_no: str  # 户号
    address: str
    phones: tuple[str, str]
    father: Person | None = None
    mother: Person | None = None
    grandfather: Person | None = None
    children: list[Person] = field(default_factory=list)
    headed_by_grandfather: bool = False
    poverty: str = ""  # one of POVERTY, or empty
    poverty_no: str = ""  # 户编号
    dibao: bool = False
    book_village: str = ""  # village name in the police register: the old one for some households of a merged village

    @property
    def head(self) -> Person:
        """The head 户主 of the household register."""
        if self.grandfather and (self.headed_by_grandfather or not (self.father or self.mother)):
            return self.grandfather
        head = self.father or self.mother
        assert head
        return head

    @property
    def adults(self) -> list[Person]:
        return [person for person in (self.father, self.mother, self.grandfather) if person]

    @property
    def guardian(self) -> tuple[Person, str]:
        """The adult whom schools call, with the relation to the child."""
        if self.father:
            return self.father, "父亲"
        if self.mother:
            return self.mother, "母亲"
        assert self.grandfather
        return self.grandfather, "祖父"

    @property
    def township(self) -> str:
        """Township code, or the code of another county."""
        return self.village.township.code if self.village else self.origin


# Household attributes since 2021; the first was registered poor from 2014 on, the others are under monitoring
POVERTY = ("脱贫户", "脱贫不稳定户", "边缘易致贫户", "突发严重困难户")


@dataclass(frozen=True, slots=True)
class Population:
    """All households, the children by number, the adults after them."""

    households: tuple[Household, ...]
    children: tuple[Person, ...]
    adults: tuple[Person, ...]
    ids: IdentityNumbers  # for second numbers that are issued later


def make_population(rng: random.Random, places: Places, people: int, rates: Rates) -> Population:
    """Make households until `people` children and young people of 3 to 22 have been born into them."""
    maker = _Maker(rng, places, rates)
    while len(maker.children) < people:
        maker.add_household(people - len(maker.children))
    adults: list[Person] = []
    for household in maker.households:
        adults.extend(household.adults)
    for number, adult in enumerate(adults, start=people + 1):
        adult.number = number
    maker.hand_out_hardship()
    return Population(tuple(maker.households), tuple(maker.children), tuple(adults), maker.ids)


class _Maker:
    """Makes households one after another; keeps the issued numbers."""

    def __init__(self, rng: random.Random, places: Places, rates: Rates) -> None:
        self._rng = rng
        self._rates = rates
        self.ids = IdentityNumbers(rng)
        self._villages = tuple(village for town in places.townships for village in places.villages[town.code])
        shares = {town.code: sum(village.weight for village in places.villages[town.code]) for town in places.townships}
        self._bounds = list(
            accumulate(
                village.plan.weight * village.weight / shares[village.township.code] for village in self._villages
            )
        )
        self._first_birth = date(CUT_OFF.year - OLDEST - 1, CUT_OFF.month, CUT_OFF.day) + timedelta(days=1)
        self._last_birth = date(CUT_OFF.year - YOUNGEST, CUT_OFF.month, CUT_OFF.day)
        self._book_serials: dict[str, int] = {}
        self.households: list[Household] = []
        self.children: list[Person] = []

    def add_household(self, room: int) -> None:
        """Make one household with at most `room` children."""
        rng, rates = self._rng, self._rates
        # 1.7 children a household on average, so this share of households gives the share of people
        incoming = rng.random() < rates.incoming
        village = None if incoming else rng.choices(self._villages, cum_weights=self._bounds)[0]
        household = self._open_household(village)
        ethnic, clan = self._origin(village)
        births = self._births()[:room]
        self._add_adults(household, ethnic, clan, births[0][0])
        for position, (born, sex, twin) in enumerate(births):
            elder = self.children[-1] if twin and position else None
            household.children.append(self._child(household, ethnic, clan, born, sex, elder))
        self.households.append(household)

    def _open_household(self, village: Village | None) -> Household:
        rng = self._rng
        number = len(self.households) + 1
        phones = (phone(2 * number), phone(2 * number + 1))
        if village is None:
            origin = rng.choice(OUTSIDE_COUNTIES)
            return Household(
                number=number,
                village=None,
                origin=origin[0],
                group=0,
                book_no="",
                address=f"示例省示例市{origin[1]}",
                phones=phones,
                book_village="",
            )
        group = rng.randint(1, 8)
        serial = self._book_serials.get(village.township.code, 0) + rng.randint(1, 3)
        self._book_serials[village.township.code] = serial
        book_village = village.region.name
        if village.former_name and rng.random() < 0.25:
            book_village = village.former_name
        county_and_town = f"示例县{village.township.name}"
        if village.urban:
            address = f"{county_and_town}{book_village}{rng.choice(('解放', '人民', '建设', '文昌'))}路{rng.randint(1, 260)}号"
        else:
            address = f"{county_and_town}{book_village}{group}组{rng.randint(1, 90)}号"
        return Household(
            number=number,
            village=village,
            origin=village.region.code,
            group=group,
            book_no=f"{village.township.code[-2:]}{serial:07d}",
            address=address,
            phones=phones,
            book_village=book_village,
        )

    def _origin(self, village: Village | None) -> tuple[str, str]:
        """Draw ethnic group and surname; the surname is empty for names with a middle dot."""
        rng = self._rng
        if rng.random() < self._rates.minority_dotted:
            return rng.choice(names.dotted_groups()), ""
        if village and village.plan.minority and rng.random() < 0.45:
            return village.plan.minority, rng.choice(names.SHE_SURNAMES)
        ethnic = "汉族"
        if rng.random() < 0.012:
            ethnic = rng.choice(("畲族", "回族", "苗族", "土家族", "壮族", "满族"))
        if village and village.surnames and rng.random() < 0.58:
            return ethnic, rng.choices(village.surnames, weights=(5, 3, 2)[: len(village.surnames)])[0]
        return ethnic, names.surname(rng)

    def _births(self) -> list[tuple[date, str, bool]]:
        """Draw birth dates and sexes, eldest first; the flag marks twins. At least one lies in the sweep of ages."""
        found: list[tuple[date, str, bool]] = []
        while not found:
            found = [birth for birth in self._draw_births() if birth[0] >= self._first_birth]
        return found

    def _draw_births(self) -> list[tuple[date, str, bool]]:
        rng = self._rng
        opening = self._first_birth - timedelta(days=6 * 365)
        span = (self._last_birth - opening).days
        # Births decline: of those drawn for the last years a quarter is drawn again
        first = rng.randint(0, span)
        if rng.random() < 0.25 * first / span:
            first = rng.randint(0, span)
        born = opening + timedelta(days=first)
        found: list[tuple[date, str, bool]] = []
        for _ in range(rng.choices((1, 2, 3, 4), cum_weights=(0.36, 0.84, 0.97, 1.0))[0]):
            if born > self._last_birth:
                break
            sex = "男" if rng.random() < 0.525 else "女"
            found.append((born, sex, False))
            if rng.random() < self._rates.twins:
                found.append((born, sex if rng.random() < 0.7 else ("女" if sex == "男" else "男"), True))
            born += timedelta(days=rng.randint(420, 2600))
        return found

    def _add_adults(self, household: Household, ethnic: str, clan: str, first_birth: date) -> None:
        rng, rates = self._rng, self._rates
        father_born = first_birth - timedelta(days=rng.randint(21 * 365, 36 * 365))
        grandfather_born = father_born - timedelta(days=rng.randint(20 * 365, 30 * 365))
        orphaned = rng.random() < rates.orphan
        if not orphaned and rng.random() > 0.03:
            household.father = self._adult(household, "男", father_born, ethnic, clan)
        if not orphaned and (household.father is None or rng.random() > 0.045):
            mother_born = father_born + timedelta(days=rng.randint(-700, 1800))
            mother_born = min(mother_born, first_birth - timedelta(days=19 * 365))
            household.mother = self._adult(household, "女", mother_born, ethnic if rng.random() < 0.9 else "汉族", None)
        if orphaned or rng.random() < 0.22:
            household.grandfather = self._adult(household, "男", grandfather_born, ethnic, clan)
            household.headed_by_grandfather = rng.random() < 0.7

    def _adult(self, household: Household, sex: str, born: date, ethnic: str, clan: str | None) -> Person:
        """Make an adult; `clan` None draws a surname, an empty one means a name with a middle dot."""
        rng = self._rng
        if clan == "" or (clan is None and ethnic in names.dotted_groups()):
            name = names.dotted_name(rng, ethnic)
        else:
            name = (clan or names.surname(rng)) + names.given_name(rng, sex, young=False)
        region = household.origin[:6]
        if sex == "女" and rng.random() < 0.12:
            region = rng.choice(OUTSIDE_COUNTIES)[0]
        return Person(0, name, sex, born, self.ids.issue(region, born, sex), household, ethnic, child=False)

    def _child(
        self, household: Household, ethnic: str, clan: str, born: date, sex: str, elder_twin: Person | None
    ) -> Person:
        rng, rates = self._rng, self._rates
        if not clan:
            name = names.dotted_name(rng, ethnic, household.guardian[0].name)
        else:
            if household.mother and rng.random() < rates.mother_surname and "·" not in household.mother.name:
                clan = household.mother.name[0]
            taken = {child.name for child in household.children}
            name = clan + names.given_name(rng, sex, young=True, rare=rates.rare_character)
            while name in taken:
                name = clan + names.given_name(rng, sex, young=True)
        region = COUNTY if household.village and rng.random() > 0.02 else household.origin[:6]
        if household.village and rng.random() < 0.015:
            region = rng.choice(OUTSIDE_COUNTIES)[0]  # registered where the mother comes from
        if elder_twin and elder_twin.id_no:
            region = elder_twin.id_no[:6]
        child = Person(
            number=len(self.children) + 1,
            name=name,
            sex=sex,
            born=born,
            id_no=self.ids.issue(region, born, sex, after=elder_twin.id_no if elder_twin else ""),
            household=household,
            ethnic=ethnic,
            child=True,
        )
        if elder_twin:
            child.twin, elder_twin.twin = elder_twin.number, child.number
        if rng.random() < rates.former_name and clan:
            child.former_name = clan + names.given_name(rng, sex, young=True)
        if rng.random() < rates.changed_id:
            child.old_id = self.ids.issue(region, _other_day(rng, born), sex)
        if rng.random() < rates.disability:
            child.disability = rng.choices(DISABILITIES, weights=(8, 10, 8, 24, 34, 6, 10))[0]
            child.disability_level = rng.choice((1, 2)) if rng.random() < rates.severe else rng.choice((2, 3, 3, 4, 4))
            if not child.severe and child.disability_level == 1:
                child.disability_level = 3
        if household.village and not household.village.urban and rng.random() < rates.left_behind:
            child.left_behind = 2 if rng.random() < 0.45 else 1
        if not elder_twin and rng.random() < rates.no_id:
            child.id_no = ""
            child.id_type = "其他"
        elif household.village is None and rng.random() < rates.foreign_document:
            child.id_no, child.id_type = f"E{99_000_000 + child.number}", "护照"
        self.children.append(child)
        return child

    def hand_out_hardship(self) -> None:
        """Decide poverty of households and hardship of children, among those of the county."""
        rng, rates = self._rng, self._rates
        serials: dict[str, int] = {}
        for household in self.households:
            if household.village is None:
                continue
            rural = 0.35 if household.village.urban else 1.2
            if rng.random() < rates.poverty_household * rural:
                monitored = rng.random() < rates.monitored
                household.poverty = rng.choices(POVERTY[1:], weights=(3, 5, 2))[0] if monitored else POVERTY[0]
                serial = serials.get(household.township, 0) + 1
                serials[household.township] = serial
                household.poverty_no = f"{household.township}{serial:05d}"
            household.dibao = rng.random() < (0.22 if household.poverty else rates.dibao * 0.55)
            self._hardship_of_children(household)

    def _hardship_of_children(self, household: Household) -> None:
        rng, rates = self._rng, self._rates
        assert household.village
        shared: list[str] = []
        if household.dibao:
            shared.append("城市低保" if household.village.urban else "农村低保")
        if not (household.father or household.mother):
            shared.append("孤儿")
        elif rng.random() < rates.unattended:
            shared.append("事实无人抚养儿童")
        if not household.dibao and rng.random() < rates.destitute:
            shared.append("特困供养")
        if rng.random() < rates.martyr:
            shared.append("烈士子女")
        for child in household.children:
            own = list(shared)
            if child.age >= 18:
                own = [category for category in own if category not in ("孤儿", "事实无人抚养儿童")]
            if child.disability:
                own.append("残疾")
            child.hardship = tuple(own)


def _other_day(rng: random.Random, born: date) -> date:
    """Return a day near the birth date: the one on the certificate that was later put right."""
    return born + timedelta(days=rng.choice((-31, -30, -10, -1, 1, 10, 30, 365)))


def households_in(population: Population, township: str) -> Iterator[Household]:
    """Yield the households of a township in the order of villages and registers."""
    found = [household for household in population.households if household.village and household.township == township]
    return iter(sorted(found, key=lambda household: (household.origin, household.number)))
