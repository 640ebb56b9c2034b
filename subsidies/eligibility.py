"""Who is entitled to what, and why. Plain Python: facts of a child in, entitlements out; no database.

`subsidies.entitlement` applies this to every child of a term: children of whom the same is known are judged once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

EVERYONE, RECOGNISED = "everyone", "recognised"
TERM, YEAR_AUTUMN, YEAR_SPRING, ONCE = "term", "year-autumn", "year-spring", "once"


@dataclass(frozen=True)
class Category:
    """How the county treats a kind of hardship; the smallest rank of a child's is the main one."""

    code: str
    rank: int
    is_direct: bool = False
    tier: str = ""


@dataclass(frozen=True)
class Standard:
    pk: int
    stage: str
    amount: Decimal
    boarding: str = ""
    tier: str = ""
    group: str = ""
    per: str = TERM
    from_term: int = 0
    until_term: int | None = None

    def holds_in(self, number: int) -> bool:
        return self.from_term <= number and (self.until_term is None or number <= self.until_term)

    def falls_due_in(self, number: int) -> bool:
        """Yearly amounts fall due with one of the two terms; the number of an autumn term is odd."""
        return {YEAR_AUTUMN: number % 2 == 1, YEAR_SPRING: number % 2 == 0}.get(self.per, True)

    @property
    def says(self) -> tuple[bool, bool, bool]:
        """How much it asks of a child: of several that fit, the greatest goes first."""
        return bool(self.group), bool(self.tier), bool(self.boarding)


@dataclass(frozen=True)
class Programme:
    pk: int
    key: str
    rank: int
    stages: tuple[str, ...]
    who: str
    standards: tuple[Standard, ...]
    categories: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    """Main category → group, by the programme's form."""
    yields_to: frozenset[int] = frozenset()
    """Programmes that it is not paid beside."""


@dataclass(frozen=True)
class Facts:
    """What is known of a child in a term. `held`: categories in which lists in force name the child; `recognised`: category
    and tier that the bureau recognised on application; `had`: programmes that are paid once and were paid for already."""

    grade: str
    boarding: bool | None = None
    held: tuple[str, ...] = ()
    recognised: tuple[str, str] | None = None
    had: frozenset[int] = frozenset()

    @property
    def stage(self) -> str:
        return self.grade[:1]


@dataclass(frozen=True)
class Standing:
    """What hardship comes to: the tier (empty: none recognised), the main category, and all categories."""

    tier: str
    main: str
    all: frozenset[str]


@dataclass(frozen=True)
class Entitled:
    programme: int
    standard: int
    amount: Decimal
    group: str = ""
    yields_to: int | None = None


def standing_of(facts: Facts, categories: Mapping[str, Category]) -> Standing:
    """The bureau's recognition gives the tier; without one, being in a list that needs no application does. The main category
    is the first, by rank, of those that lists name, else the recognised one."""
    held = sorted((categories[code] for code in facts.held if code in categories), key=lambda category: category.rank)
    main = held[0].code if held else ""
    tier = next((category.tier for category in held if category.is_direct), "")
    known = {category.code for category in held}
    if facts.recognised is not None:
        category, tier = facts.recognised
        main = main or category
        known.add(category)
    return Standing(tier, main, frozenset(known))


def _standard_for(programme: Programme, facts: Facts, standing: Standing, number: int) -> Standard | None:
    group = programme.groups.get(standing.main, "")
    boarding = {True: "1", False: "0", None: None}[facts.boarding]
    fitting = [
        standard
        for standard in programme.standards
        if standard.stage == facts.stage
        and standard.holds_in(number)
        and standard.falls_due_in(number)
        and standard.boarding in ("", boarding)
        and standard.tier in ("", standing.tier)
        and standard.group in ("", group)
    ]
    return max(fitting, key=lambda standard: standard.says, default=None)


def _is_for(programme: Programme, facts: Facts, standing: Standing) -> bool:
    if facts.stage not in programme.stages or (programme.grades and facts.grade not in programme.grades):
        return False
    if programme.who == EVERYONE:
        return True
    if programme.who != RECOGNISED or not standing.tier:
        return False
    return not programme.categories or not standing.all.isdisjoint(programme.categories)


def entitlements(
    facts: Facts, programmes: Sequence[Programme], categories: Mapping[str, Category], number: int
) -> list[Entitled]:
    """What the child gets in the term of that number, by the programmes' rank. One that may not be paid beside another that
    stands is in the list too, and names it in `yields_to`."""
    standing = standing_of(facts, categories)
    found: list[Entitled] = []
    stands: dict[int, int] = {}
    for programme in sorted(programmes, key=lambda one: (one.rank, one.pk)):
        if not _is_for(programme, facts, standing):
            continue
        standard = _standard_for(programme, facts, standing, number)
        if standard is None or (standard.per == ONCE and programme.pk in facts.had):
            continue
        yields_to = min((pk for pk in programme.yields_to if pk in stands), key=lambda pk: stands[pk], default=None)
        if yields_to is None:
            stands[programme.pk] = len(stands)
        group = programme.groups.get(standing.main, "") if programme.groups else ""
        found.append(Entitled(programme.pk, standard.pk, standard.amount, group, yields_to))
    return found


# --- the reason, spelt out -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What the sentence speaks of, in words."""

    term: str
    school: str
    grade: str
    boarding: bool | None
    programme: str
    what: str
    amount: Decimal
    per: str
    document: str
    category: str = ""
    tier: str = ""
    recognised: str = ""
    """How the hardship was recognised: by application, or by which list."""
    yields_to: str = ""


_PER = {TERM: "每学期", YEAR_AUTUMN: "每学年", YEAR_SPRING: "每学年", ONCE: "一次"}


def plain_amount(amount: Decimal) -> str:
    """312.50 → 312.5, 750.00 → 750."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def sentence(told: Told) -> str:
    """One sentence: whose facts, which rule, which standard by which document, how much."""
    boarding = {True: "寄宿", False: "走读", None: "就读方式未填"}[told.boarding]
    because = "属在校学生" if not told.recognised else f"{told.recognised}属“{told.category}”、等级为“{told.tier}”"
    entitled = (
        f"{told.term}在{told.school}{told.grade}就读（{boarding}），{because}，"
        f"按{told.document}“{told.programme}—{told.what}”{_PER[told.per]}{plain_amount(told.amount)}元"
    )
    if told.yields_to:
        return f"{entitled}本可享受，因已享受“{told.yields_to}”，两项不得兼得，不再计发。"
    return f"{entitled}享受。"
