"""The whereabouts equation of an open census round, and the rates that follow from it (docs/decisions/0017).

Population of the window = every whereabouts that there is + whoever is not in the round. The left side counts children of the
police lists, the right side counts what is said of them, so a child that is lost shows as a term of its own, with its rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from dropout.models import CensusRound, Whereabouts
from dropout.models.census import IN_SCHOOL, NOT_COUNTED, OUT_OF_SCHOOL, Place, Window
from eduaid.core.indicators import Basis, Counting, Indicator, Rate, register, register_rate
from eduaid.core.models import Region
from eduaid.core.roles import today
from students.indicators import BY_HUKOU, BY_SCHOOL, STUDENT_ROWS
from students.models import Student


def moment_of(basis: Basis) -> dt.datetime | None:
    """Until when acts count: what was recorded by the moment asked for, or by the end of the day asked about; None: all."""
    ends = [basis.known_at] if basis.known_at else []
    if basis.as_of < today():
        ends.append(timezone.make_aware(dt.datetime.combine(basis.as_of + dt.timedelta(days=1), dt.time())))
    return min(ends) if ends else None


def round_at(window: Window, moment: dt.datetime | None) -> CensusRound | None:
    """The round of the window that was open at the moment (None: now); there is at most one."""
    rounds = CensusRound.objects.filter(window=window)
    if moment is None:
        return rounds.filter(closed_at=None).first()
    return rounds.filter(Q(closed_at=None) | Q(closed_at__gt=moment), opened_at__lte=moment).first()


def _population(round_: CensusRound, basis: Basis) -> Any:
    """The children of the police lists whom the round is about, in the area."""
    if not isinstance(basis.area, Region):
        return Student.objects.none()
    found = (
        Student.objects.filter(merged_into=None, in_population=True)
        .born_between(round_.born_from, round_.born_to)
        .of_hukou(basis.area)
    )
    towns = list(round_.towns.values_list("pk", flat=True))
    return found.filter(hukou_town__in=towns) if towns else found


def _rows(window: Window, *conditions: Q) -> Callable[[Basis], QuerySet[Any]]:
    """Children of the round with a whereabouts that fits; without conditions the whole population of the round."""

    def rows(basis: Basis) -> QuerySet[Any]:
        round_ = round_at(window, moment_of(basis))
        if round_ is None:
            return Student.objects.none()
        found: QuerySet[Any] = _population(round_, basis)
        return found.filter(*conditions, whereabouts__round=round_) if conditions else found

    return rows


def _not_in_round(window: Window) -> Callable[[Basis], QuerySet[Any]]:
    def rows(basis: Basis) -> QuerySet[Any]:
        round_ = round_at(window, moment_of(basis))
        if round_ is None:
            return Student.objects.none()
        inside = Whereabouts.objects.filter(round=round_, student=OuterRef("pk"))
        found: QuerySet[Any] = _population(round_, basis).filter(~Exists(inside))
        return found

    return rows


def _off_list(window: Window) -> Callable[[Basis], QuerySet[Any]]:
    def rows(basis: Basis) -> QuerySet[Any]:
        round_ = round_at(window, moment_of(basis))
        if round_ is None or not isinstance(basis.area, Region):
            return Student.objects.none()
        found: Any = Student.objects.filter(
            Q(in_population=False) | ~Q(birth_on__range=(round_.born_from, round_.born_to))
        )
        return found.filter(
            whereabouts__in=Whereabouts.objects.filter(round=round_).of_hukou(basis.area), merged_into=None
        )

    return rows


def _at_schools(*conditions: Q) -> Callable[[Basis], QuerySet[Any]]:
    """Children of the open 6—15 round by the school in which the lists know them, wherever their hukou lies in the county."""

    def rows(basis: Basis) -> QuerySet[Any]:
        round_ = round_at(Window.COMPULSORY, moment_of(basis))
        if round_ is None:
            return Student.objects.none()
        found: Any = Student.objects.filter(merged_into=None, in_population=True, hukou_town__isnull=False)
        found = found.born_between(round_.born_from, round_.born_to).at_schools_of(basis.area)
        return found.filter(*conditions, whereabouts__round=round_)

    return rows


# --- the terms ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """One term of the equation, or a group of terms: the end of its key, its label, what it counts, its parts."""

    key: str
    label: str
    definition: str
    condition: Q
    parts: tuple[Term, ...] = ()


def _codes(*codes: str) -> Q:
    return Q(whereabouts__code__in=codes)


# Never negated: of a child with several rounds a negation would speak of all of them.
_PROVED, _UNPROVED = Q(whereabouts__proof__gt=""), Q(whereabouts__proof="")


def _at(place: Place, key: str, label: str) -> Term:
    at = Q(whereabouts__place=place)
    return Term(
        f"in-school.{key}",
        f"{label}就读",
        f"在{label}的学校就读（含随班就读、特教学校、中职）的人数。",
        at,
        (
            Term(
                f"in-school.{key}.proved",
                f"{label}就读—已取证",
                f"在{label}就读，且学籍名单有其人或就读证明已审核通过的人数。",
                at & _PROVED,
            ),
            Term(
                f"in-school.{key}.unproved",
                f"{label}就读—未取证",
                f"在{label}就读，学籍名单没有其人，也没有审核通过的就读证明的人数。",
                at & _UNPROVED,
            ),
        ),
    )


_FILED = (
    ("hollow", "空挂户", "B2"),
    ("dead", "死亡", "B1"),
    ("missing", "失踪失联（已备案）", "B6"),
    ("abroad", "出国（境）", "B5"),
    ("double", "双重户籍", "B3"),
    ("wrong", "错号、查无此人", "B4"),
    ("moved", "迁出", "B8"),
)
_CASES = tuple(code for code in OUT_OF_SCHOOL if code != "C6")

TERMS: tuple[Term, ...] = (
    _at(Place.TOWN, "town", "本镇"),
    _at(Place.COUNTY, "county", "县内外镇"),
    _at(Place.OUTSIDE, "outside", "县外"),
    Term(
        "beyond",
        "非义务阶段（初中毕业等）",
        "已超过义务教育阶段的人数：初中毕业、在普通高中就读、已满16周岁。",
        _codes("B7"),
    ),
    Term(
        "filed",
        "已备案",
        "空挂户、死亡、失踪、出国、双重户籍、错号、迁出的人数，均须有证明材料或名单说明。",
        _codes(*(code for *_, code in _FILED)),
        tuple(
            Term(f"filed.{key}", f"已备案—{label}", f"已备案为{label}的人数。", _codes(code))
            for key, label, code in _FILED
        ),
    ),
    Term(
        "disability",
        "重残",
        "重度残疾不能到校的人数：送教上门的和待安置的。",
        _codes("A6", "C6"),
        (
            Term("disability.placed", "重残—送教上门", "由学校送教上门的人数。", _codes("A6")),
            Term("disability.pending", "重残—待安置", "因残未就学、尚未送教上门或安置的人数。", _codes("C6")),
        ),
    ),
    Term(
        "paused",
        "缓学休学",
        "经批准延缓入学或休学的人数。",
        _codes("B9", "B10"),
        (
            Term("paused.deferred", "缓学休学—延缓入学", "经乡镇政府或县教育局批准延缓入学的人数。", _codes("B9")),
            Term("paused.suspended", "缓学休学—休学", "经批准休学的人数。", _codes("B10")),
        ),
    ),
    Term("out-of-school", "暂不在校", "经人工认定辍学的人数（因残的计入重残）。", _codes(*_CASES)),
    Term(
        "unverified",
        "未核",
        "名单推定不出、也没有人认定去向的人数；名单互相矛盾的也在内。",
        _codes("") & Q(has_waiting_row=False),
    ),
    Term(
        "waiting",
        "待改",
        "去向未核，且名单里有关于其人的行还在等待改正的人数。",
        _codes("") & Q(has_waiting_row=True),
    ),
)

_SOURCE = "摸排轮次的去向（名单推定、人工认定）"
_LEFT_OUT = tuple(code for code in NOT_COUNTED if code != "B10")
_ENROLLED = (*IN_SCHOOL, "B10")
_NOT_ENROLLED = (*OUT_OF_SCHOOL, "")


def prefix_of(window: Window) -> str:
    """How the keys of a window's figures begin: those of the 6—15 round are the plain ones."""
    return "whereabouts" if window == Window.COMPULSORY else f"whereabouts.{window.value}"


def _words(window: Window) -> str:
    return f"{window.value.replace('-', '—')}周岁"


def _indicator(window: Window, key: str, label: str, definition: str, **more: Any) -> Indicator:
    return Indicator(
        key=f"{prefix_of(window)}.{key}",
        label=label if window == Window.COMPULSORY else f"{label}（{_words(window)}）",
        unit="人",
        definition=f"{definition}限于正在进行的{_words(window)}摸排，按户籍地，一人计一次。",
        source=_SOURCE,
        counting=Counting.HUKOU,
        row_kind=STUDENT_ROWS,
        breakdowns=BY_HUKOU,
        **more,
    )


def _family(window: Window) -> tuple[tuple[Indicator, ...], tuple[Rate, ...]]:
    prefix = prefix_of(window)

    def of_term(term: Term) -> list[Indicator]:
        own = _indicator(
            window,
            term.key,
            term.label,
            term.definition,
            rows=_rows(window, term.condition),
            parts=tuple(f"{prefix}.{part.key}" for part in term.parts),
        )
        return [own, *(made for part in term.parts for made in of_term(part))]

    whole = _indicator(
        window,
        "population",
        "摸排人口",
        "生效的公安户籍人口名单中、出生日期在本轮范围内的人数。",
        rows=_rows(window),
        parts=(*(f"{prefix}.{term.key}" for term in TERMS), f"{prefix}.not-in-round"),
    )
    counted = _indicator(
        window,
        "counted",
        "应入学人数（入学率分母）",
        "摸排人口中，除去已备案、非义务阶段和延缓入学的人数；未核、待改的计入。",
        rows=_rows(window, _codes(*_ENROLLED, *_NOT_ENROLLED)),
        parts=(f"{prefix}.enrolled", f"{prefix}.not-enrolled"),
    )
    found = [
        whole,
        *(made for term in TERMS for made in of_term(term)),
        _indicator(
            window,
            "not-in-round",
            "未入摸排",
            "户籍人口名单中有、出生日期在范围内，但没有进入本轮摸排的人数。应为0。",
            rows=_not_in_round(window),
        ),
        counted,
        _indicator(
            window,
            "enrolled",
            "在校人数（入学率分子）",
            "在校就读、送教上门和休学（保留学籍）的人数。",
            rows=_rows(window, _codes(*_ENROLLED)),
        ),
        _indicator(
            window,
            "not-enrolled",
            "应入学未在校",
            "应入学人数中，辍学、重残待安置、未核和待改的人数。",
            rows=_rows(window, _codes(*_NOT_ENROLLED)),
        ),
        _indicator(
            window,
            "excluded",
            "不计入学率的人数",
            "已备案、非义务阶段和延缓入学，不计入入学率分母的人数。",
            rows=_rows(window, _codes(*_LEFT_OUT)),
        ),
        _indicator(
            window,
            "off-list",
            "已不在户籍名单或范围内",
            "进入本轮摸排后，现行户籍名单不再有其人、或更正后出生日期不在范围内的人数；不计入平衡。",
            rows=_off_list(window),
        ),
        _indicator(
            window,
            "contested",
            "认定与名单不一致",
            "经人工认定去向之后，新生效的名单另有说法、等待复核的人数。",
            rows=_rows(window, Q(whereabouts__contested_code__gt="")),
        ),
        _indicator(
            window,
            "decided",
            "人工认定",
            "去向由人工认定的人数。",
            rows=_rows(window, Q(whereabouts__source="person")),
        ),
        _indicator(
            window,
            "suspected",
            "疑似辍学",
            "没有落实去向的人数：未核和待改（有学籍不在班、名单里都没有、名单互相矛盾）。人工认定或新名单落实后销号。",
            rows=_rows(window, _codes("")),
            parts=(f"{prefix}.unverified", f"{prefix}.waiting"),
        ),
        _indicator(
            window,
            "dropout",
            "辍学",
            "经人工认定辍学的人数（含因残未安置）。复学、转学或另行认定后销号。",
            rows=_rows(window, _codes(*OUT_OF_SCHOOL)),
            parts=(f"{prefix}.out-of-school", f"{prefix}.disability.pending"),
        ),
    ]
    rates = (
        Rate(
            key=f"{prefix}.enrolment-rate",
            label="入学率" if window == Window.COMPULSORY else f"{_words(window)}入学率",
            definition="在校人数（含送教上门、休学）÷应入学人数。应入学人数不含已备案、非义务阶段和延缓入学的人数。",
            part=f"{prefix}.enrolled",
            whole=f"{prefix}.counted",
            rest=f"{prefix}.not-enrolled",
            excluded=tuple(
                f"{prefix}.{key}" for key in (*(f"filed.{key}" for key, *_ in _FILED), "beyond", "paused.deferred")
            ),
        ),
        Rate(
            key=f"{prefix}.evidence-rate",
            label="县外就读取证率" if window == Window.COMPULSORY else f"{_words(window)}县外就读取证率",
            definition="县外就读中已取证的人数÷县外就读人数。",
            part=f"{prefix}.in-school.outside.proved",
            whole=f"{prefix}.in-school.outside",
            rest=f"{prefix}.in-school.outside.unproved",
        ),
    )
    return tuple(found), rates


def _of_schools(key: str, label: str, definition: str, *conditions: Q) -> Indicator:
    return Indicator(
        key=f"whereabouts.{key}",
        label=label,
        unit="人",
        definition=f"{definition}按学籍、班级名册所在学校统计，一人计一次。",
        source=_SOURCE,
        counting=Counting.SCHOOL,
        row_kind=STUDENT_ROWS,
        rows=_at_schools(*conditions),
        breakdowns=BY_SCHOOL,
    )


register(
    _of_schools("at-school", "本校摸排儿童", "正在进行的6—15周岁摸排中，名单写明在这些学校的儿童人数。"),
    _of_schools(
        "at-school.suspected",
        "本校疑似辍学",
        "正在进行的6—15周岁摸排中，在这些学校有学籍或名册、去向未核的人数。",
        _codes(""),
    ),
    _of_schools(
        "at-school.dropout",
        "本校辍学",
        "正在进行的6—15周岁摸排中，在这些学校有学籍或名册、经人工认定辍学的人数。",
        _codes(*OUT_OF_SCHOOL),
    ),
)
for _window in Window:
    _found, _rates = _family(_window)
    register(*_found)
    register_rate(*_rates)
