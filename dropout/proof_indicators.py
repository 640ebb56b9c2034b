"""Figures of evidence and spot checks: who studies away from home, by what it is proved, and what calls have found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from dropout.indicators import _rows as children_of_round
from dropout.indicators import moment_of, round_at
from dropout.models import Evidence, InquiredChild, SpotCall, SpotCheck
from dropout.models.census import Place, Window
from dropout.models.evidence import EvidenceState, school_year_of
from dropout.models.spot_checks import Outcome
from eduaid.core import codes
from eduaid.core.indicators import (
    Basis,
    Breakdown,
    Column,
    Counting,
    Indicator,
    Rate,
    RowKind,
    register,
    register_rate,
    school_names,
    township_names,
)
from eduaid.core.models import Region, School
from students.indicators import BY_HUKOU
from students.models import Student

WINDOW = Window.COMPULSORY

# --- evidence ---------------------------------------------------------------------------------------------------


def _with_evidence(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The newest that is known of each child's proof; together in the list, those of one family beside one another."""
    newest = Evidence.objects.standing().filter(student=OuterRef("pk")).order_by("-school_year", "-id")
    fields = ("state", "at_county", "at_school", "kind", "reason", "reported_to")
    return (
        rows.select_related("hukou_town", "hukou_village", "hukou_household")
        .annotate(**{f"evidence_{field}": Subquery(newest.values(field)[:1]) for field in fields})
        .order_by("hukou_town__code", "hukou_household_id", "birth_on", "pk")
    )


def _state(child: Any) -> str:
    return str(EvidenceState(child.evidence_state).label) if child.evidence_state else "未取证"


CHILDREN_AWAY = RowKind(
    key="child-away",
    columns=(
        Column("姓名", lambda s: s.name),
        Column("出生日期", lambda s: s.birth_on),
        Column("证件号", lambda s: s.masked_id),
        Column("户籍乡镇", lambda s: s.hukou_town.name if s.hukou_town else ""),
        Column("村", lambda s: s.hukou_village.name if s.hukou_village else ""),
        Column("户主", lambda s: s.hukou_household.head if s.hukou_household else ""),
        Column("取证状态", _state),
        Column("取证方式", lambda s: codes.EVIDENCE_KIND.label(s.evidence_kind or "")),
        Column("就读地", lambda s: f"{s.evidence_at_county or ''}{s.evidence_at_school or ''}"),
        Column("原因", lambda s: s.evidence_reason or ""),
        Column("已报告", lambda s: s.evidence_reported_to or ""),
    ),
    narrow=lambda rows, scope: rows.within(scope),
    prepare=_with_evidence,
    url=lambda s: reverse("evidence-child", args=[s.public_id]),
)

_AWAY = Q(whereabouts__place__in=[Place.COUNTY, Place.OUTSIDE])
_OUTSIDE = Q(whereabouts__place=Place.OUTSIDE)
_PROVED, _UNPROVED = Q(whereabouts__proof__gt=""), Q(whereabouts__proof="")

# Without an accepted proof each child is in exactly one of these.
_STANDING = (
    ("waiting", "待审核", "已登记证明、等待另一人审核", (EvidenceState.RECORDED,)),
    ("returned", "已退回", "证明被退回、等待补正", (EvidenceState.RETURNED,)),
    ("refused", "拒不提供", "监护人拒不提供证明", (EvidenceState.REFUSED,)),
    ("unreachable", "无法联系", "本人和监护人都无法联系", (EvidenceState.UNREACHABLE,)),
)
_OPEN = tuple(state for *_, states in _STANDING for state in states)


def _known(states: tuple[str, ...], *, year: int) -> Exists:
    return Exists(Evidence.objects.filter(student=OuterRef("pk"), school_year=year, state__in=states))


def _unproved(places: Q, states: tuple[str, ...], *, without: bool = False) -> Callable[[Basis], QuerySet[Any]]:
    rows = children_of_round(WINDOW, places & _UNPROVED)

    def of(basis: Basis) -> QuerySet[Any]:
        round_ = round_at(WINDOW, moment_of(basis))
        if round_ is None:
            return Student.objects.none()
        known = _known(states, year=school_year_of(round_.as_of))
        found: QuerySet[Any] = rows(basis).filter(~known if without else known)
        return found

    return of


def _figure(key: str, label: str, definition: str, rows: Callable[[Basis], QuerySet[Any]], *parts: str) -> Indicator:
    return Indicator(
        key=key,
        label=label,
        unit="人",
        definition=f"{definition}限于正在进行的6—15周岁摸排，按户籍地，一人计一次。",
        source="摸排轮次的去向、取证台账",
        counting=Counting.HUKOU,
        row_kind=CHILDREN_AWAY,
        rows=rows,
        breakdowns=BY_HUKOU,
        parts=parts,
    )


def _family(prefix: str, label: str, places: Q, whose: str) -> tuple[Indicator, ...]:
    """The whole, proved, unproved, and unproved by what stands in the way."""
    return (
        _figure(
            prefix,
            f"{label}人数",
            f"{whose}的人数。",
            children_of_round(WINDOW, places),
            f"{prefix}.proved",
            f"{prefix}.unproved",
        ),
        _figure(
            f"{prefix}.proved",
            f"{label}—已取证",
            f"{whose}，且学籍名单写明在该处就读、或本学年的证明已由另一人审核通过的人数。",
            children_of_round(WINDOW, places & _PROVED),
        ),
        _figure(
            f"{prefix}.unproved",
            f"{label}—未取证",
            f"{whose}，学籍名单没有其人，本学年也没有审核通过的证明的人数。",
            children_of_round(WINDOW, places & _UNPROVED),
            *(f"{prefix}.{key}" for key, *_ in _STANDING),
            f"{prefix}.none",
        ),
        *(
            _figure(
                f"{prefix}.{key}",
                f"{label}—{word}",
                f"{whose}、未取证的学生中，{means}的人数。",
                _unproved(places, tuple(states)),
            )
            for key, word, means, states in _STANDING
        ),
        _figure(
            f"{prefix}.none",
            f"{label}—尚未登记",
            f"{whose}、未取证的学生中，本学年还没有任何取证记录的人数。",
            _unproved(places, _OPEN, without=True),
        ),
    )


EVIDENCE = (
    *_family("evidence.away", "在外就读", _AWAY, "在县内外镇或县外就读"),
    *_family("evidence.outside", "县外就读取证", _OUTSIDE, "在县外就读"),
)


def _waiting(basis: Basis) -> QuerySet[Any]:
    """Whatever the round says of the child: a proof that waits has to be looked at."""
    known = Evidence.objects.waiting().of_year(basis.school_year).filter(student=OuterRef("pk"))
    found: Any = Student.objects.filter(Exists(known))
    return found.of_hukou(basis.area) if isinstance(basis.area, Region) else found.at_schools_of(basis.area)


WAITING = Indicator(
    key="evidence.waiting",
    label="取证待审核",
    unit="人",
    definition="本学年已登记证明、等待另一人审核的人数，不论摸排的去向，按户籍地，一人计一次。",
    source="取证台账",
    counting=Counting.HUKOU,
    row_kind=CHILDREN_AWAY,
    rows=_waiting,
    breakdowns=BY_HUKOU,
)
register(*EVIDENCE, WAITING)
register_rate(
    Rate(
        key="evidence.away.rate",
        label="在外就读取证率",
        definition="在外就读已取证人数÷在外就读人数。分母是县内外镇就读与县外就读之和，不含本镇就读、未核和已备案的人数。",
        part="evidence.away.proved",
        whole="evidence.away",
        rest="evidence.away.unproved",
    ),
)

# --- letters ----------------------------------------------------------------------------------------------------

_INQUIRED = RowKind(
    key="inquired-child",
    columns=(
        Column("协查函", lambda c: str(c.letter)),
        Column("收函单位", lambda c: c.letter.to_office),
        Column("姓名", lambda c: c.student.name),
        Column("户籍乡镇", lambda c: c.student.hukou_town.name if c.student.hukou_town else ""),
        Column("答复", lambda c: c.get_answer_display()),
        Column("答复日期", lambda c: c.answered_on),
    ),
    narrow=lambda rows, scope: rows.within(scope),
    prepare=lambda rows: rows.select_related("letter", "student__hukou_town").order_by("-letter_id", "pk"),
    url=lambda c: reverse("evidence-child", args=[c.student.public_id]),
)
_BY_CHILDS_TOWN = (Breakdown("town", "户籍乡镇", "student__hukou_town", township_names),)


def _inquired(*conditions: Q) -> Callable[[Basis], QuerySet[Any]]:
    def rows(basis: Basis) -> QuerySet[Any]:
        found = InquiredChild.objects.filter(*conditions)
        if isinstance(basis.area, School):
            return found.filter(student__school=basis.area)
        return found if basis.area.is_home else found.filter(student__hukou_town=basis.area)

    return rows


def _letters(key: str, label: str, definition: str, rows: Callable[[Basis], QuerySet[Any]], *parts: str) -> Indicator:
    return Indicator(
        key=key,
        label=label,
        unit="人次",
        definition=definition,
        source="协查函",
        counting=Counting.HUKOU,
        row_kind=_INQUIRED,
        rows=rows,
        breakdowns=_BY_CHILDS_TOWN,
        parts=parts,
    )


LETTERS = (
    _letters(
        "inquiry",
        "协查学生",
        "发往外县教育局的协查函写明的学生人次，一函一人计一次。",
        _inquired(),
        "inquiry.answered",
        "inquiry.waiting",
    ),
    _letters("inquiry.answered", "协查学生—已答复", "外县教育局已答复的协查学生人次。", _inquired(~Q(answer=""))),
    _letters("inquiry.waiting", "协查学生—未答复", "外县教育局尚未答复的协查学生人次。", _inquired(Q(answer=""))),
)
register(*LETTERS)

# --- spot checks ------------------------------------------------------------------------------------------------

_CALLS = RowKind(
    key="spot-call",
    columns=(
        Column("抽查", lambda c: c.check_of.name),
        Column("学校", lambda c: c.pool.label),
        Column("姓名", lambda c: c.student.name),
        Column("登记的就读情况", lambda c: c.said),
        Column("结果", lambda c: c.get_outcome_display()),
        Column("说明", lambda c: c.note),
        Column("整改期限", lambda c: c.due_on),
        Column("整改日期", lambda c: c.rectified_on),
    ),
    narrow=lambda rows, scope: rows.within(scope),
    prepare=lambda rows: rows.select_related("check_of", "pool__school", "pool__town", "student").order_by("-check_of_id", "pk"),
    url=lambda c: reverse("spotcheck", args=[c.check_of_id]),
)  # fmt: skip


def _check_names(ids: Sequence[Any]) -> Mapping[Any, str]:
    return dict(SpotCheck.objects.filter(pk__in=ids).values_list("pk", "name"))


_BY_POOL = (
    Breakdown("check", "抽查", "check_of", _check_names),
    Breakdown("school", "学校", "pool__school", school_names),
)


def _calls(*conditions: Q) -> Callable[[Basis], QuerySet[Any]]:
    def rows(basis: Basis) -> QuerySet[Any]:
        found = SpotCall.objects.filter(*conditions)
        if isinstance(basis.area, School):
            return found.filter(pool__school=basis.area)
        area = Q(pool__school__town=basis.area) | Q(pool__town=basis.area)
        return found if basis.area.is_home else found.filter(area)

    return rows


def _spot(key: str, label: str, definition: str, rows: Callable[[Basis], QuerySet[Any]], *parts: str) -> Indicator:
    return Indicator(
        key=key,
        label=label,
        unit="人次",
        definition=f"{definition}一次抽查中一人计一次，计入被抽的学校所在乡镇。",
        source="随机抽查记录",
        counting=Counting.SCHOOL,
        row_kind=_CALLS,
        rows=rows,
        breakdowns=_BY_POOL,
        parts=parts,
    )


_OUTCOMES = (
    ("true", "属实", Outcome.TRUE),
    ("untrue", "不属实", Outcome.UNTRUE),
    ("unreachable", "无法接通", Outcome.UNREACHABLE),
)
SPOT_CHECKS = (
    _spot("spotcheck", "抽查人数", "随机抽出的学生人次。", _calls(), "spotcheck.called", "spotcheck.waiting"),
    _spot(
        "spotcheck.called",
        "抽查—已抽查",
        "抽出的学生中，已登记结果的人次。",
        _calls(~Q(outcome="")),
        *(f"spotcheck.{key}" for key, *_ in _OUTCOMES),
    ),
    _spot("spotcheck.waiting", "抽查—未抽查", "抽出的学生中，还没有登记结果的人次。", _calls(Q(outcome=""))),
    *(
        _spot(f"spotcheck.{key}", f"抽查—{label}", f"已抽查的学生中，结果为“{label}”的人次。", _calls(Q(outcome=outcome)))
        for key, label, outcome in _OUTCOMES
    ),
    _spot(
        "spotcheck.reached",
        "抽查—已接通",
        "已抽查的学生中，接通并核实（属实或不属实）的人次。",
        _calls(Q(outcome__in=[Outcome.TRUE, Outcome.UNTRUE])),
        "spotcheck.true",
        "spotcheck.untrue",
    ),
    _spot(
        "spotcheck.rectified",
        "抽查—已整改",
        "不属实的学生中，已整改销号的人次。",
        _calls(Q(outcome=Outcome.UNTRUE, rectified_on__isnull=False)),
    ),
    _spot(
        "spotcheck.unrectified",
        "抽查—待整改",
        "不属实的学生中，还没有整改销号的人次。",
        _calls(Q(outcome=Outcome.UNTRUE, rectified_on=None)),
    ),
)  # fmt: skip
register(*SPOT_CHECKS)
register_rate(
    Rate(
        key="spotcheck.truth-rate",
        label="抽查属实率",
        definition="抽查属实人次÷接通并核实的人次。无法接通的不计入分母，单独列出。",
        part="spotcheck.true",
        whole="spotcheck.reached",
        rest="spotcheck.untrue",
        excluded=("spotcheck.unreachable",),
    ),
)
