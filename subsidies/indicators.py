"""The figures of student aid up to the list: who is entitled to how much, who is recognised, how far lists cover that.

人: distinct persons. 人次（人·期）: one person in one programme in one term. 元: exact sums. Places: 就读地 pays, 户籍地 checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

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
from eduaid.core.models import Region, School, Term
from eduaid.core.models.places import Stage
from students.indicators import STUDENT_ROWS
from students.models import Student
from subsidies import gaps
from subsidies.entitlement import day_of
from subsidies.models import Category, ChildCategory, Entitlement, Programme, Recognition
from subsidies.models.programmes import number_of

# --- what rows look like ---------------------------------------------------------------------------------------


def _boarding(row: Any) -> str:
    return "" if row.boarding is None else ("寄宿" if row.boarding else "走读")


ENTITLEMENT_ROWS = RowKind(
    key="entitlement",
    columns=(
        Column("姓名", lambda e: e.student.name),
        Column("项目", lambda e: e.programme.short_name),
        Column("金额（元）", lambda e: e.amount, numeric=True),
        Column("学校", lambda e: e.school.name),
        Column("学段", lambda e: Stage(e.stage).label),
        Column("就读方式", _boarding),
        Column("困难类别", lambda e: codes.HARDSHIP_TYPE.label(e.category)),
        Column("等级", lambda e: codes.HARDSHIP_LEVEL.label(e.tier)),
        Column("文号", lambda e: e.standard.document),
    ),
    narrow=lambda rows, scope: rows.within(scope),
    prepare=lambda rows: rows.select_related("student", "programme", "school", "standard", "term").order_by(
        "school_id", "programme__rank", "student__class_name", "student__pinyin", "id"
    ),
    url=lambda e: (
        reverse("aid-entitlement", args=[e.student.public_id, e.programme.key]) + f"?term={number_of(e.term)}"
    ),
)

AWARD_ROWS = RowKind(
    key="award",
    columns=(
        Column("姓名", lambda a: a.name),
        Column("项目", lambda a: a.programme.short_name),
        Column("金额（元）", lambda a: a.amount, numeric=True),
        Column("学校", lambda a: a.school.name if a.school else ""),
        Column("年级", lambda a: codes.GRADE.label(a.grade)),
        Column("状态", lambda a: a.get_state_display()),
        Column("批次", lambda a: f"{a.batch_id} 号"),
    ),
    narrow=lambda rows, scope: rows.within(scope),
    prepare=lambda rows: rows.select_related("student", "programme", "school").order_by(
        "school_id", "programme__rank", "name", "id"
    ),
    url=lambda a: reverse("student", args=[a.student.public_id]),
)

# --- how figures are split -------------------------------------------------------------------------------------


def _programme_names(keys: Sequence[Any]) -> Mapping[Any, str]:
    return {programme.key: programme.short_name for programme in Programme.objects.filter(key__in=list(keys))}


def _stage_names(stages: Sequence[Any]) -> Mapping[Any, str]:
    return {stage: dict(Stage.choices).get(stage, "未填") for stage in stages}


def _category_names(found: Sequence[Any]) -> Mapping[Any, str]:
    return {"": "不属困难类别", **dict(codes.HARDSHIP_TYPE.choices)}


def _tier_names(found: Sequence[Any]) -> Mapping[Any, str]:
    return {"": "未认定", **dict(codes.HARDSHIP_LEVEL.choices)}


BY_PROGRAMME = Breakdown("programme", "项目", "programme__key", _programme_names)
BY_STAGE = Breakdown("stage", "学段", "stage", _stage_names)
BY_CATEGORY = Breakdown("category", "困难类别", "category", _category_names)
BY_TIER = Breakdown("tier", "等级", "tier", _tier_names)
BY_TOWN = Breakdown("town", "学校所在乡镇", "school_town", township_names)
BY_SCHOOL = Breakdown("school", "学校", "school", school_names)
BY_HUKOU = Breakdown("hukou", "户籍乡镇", "hukou_town", township_names)
SPLITS = (BY_TOWN, BY_SCHOOL, BY_PROGRAMME, BY_STAGE, BY_CATEGORY, BY_TIER, BY_HUKOU)

# --- entitled --------------------------------------------------------------------------------------------------


def term_of(basis: Basis) -> Term | None:
    """The term of the day asked about; None before the first."""
    return Term.objects.filter(starts_on__lte=basis.as_of).order_by("-starts_on").first()


def _entitled(
    *conditions: Q, covered: bool | None = None, counting: Counting = Counting.SCHOOL
) -> Callable[[Basis], Any]:
    def rows(basis: Basis) -> QuerySet[Any]:
        term = term_of(basis)
        if term is None:
            return Entitlement.objects.none()
        of = {None: gaps.entitled, True: gaps.covered, False: gaps.missed}[covered]
        found: Any = of(term).filter(*conditions)
        if counting is Counting.HUKOU:
            return found.of_hukou(basis.area)
        return found.at_schools_of(basis.area)

    return rows


_SOURCE = "资助标准、困难认定、困难群体与建档立卡名单、班级名册与学籍"
_STAGE_KEYS = {
    Stage.KINDERGARTEN: "kindergarten",
    Stage.PRIMARY: "primary",
    Stage.JUNIOR: "junior",
    Stage.SENIOR: "senior",
    Stage.VOCATIONAL: "vocational",
}


def _pair(
    key: str,
    label: str,
    definition: str,
    *conditions: Q,
    parts: tuple[str, ...] = (),
    counting: Counting = Counting.SCHOOL,
) -> tuple[Indicator, Indicator]:
    """Person-terms, and the sum of their amounts."""
    rows = _entitled(*conditions, counting=counting)
    return tuple(
        Indicator(
            key=f"aid.entitled.{what}{key}",
            label=f"{name}{label}",
            unit=unit,
            definition=f"{definition}{rule}贷款和按申请、名单发放的项目不在其中；不得兼得的只计一项。",
            source=_SOURCE,
            counting=counting,
            row_kind=ENTITLEMENT_ROWS,
            rows=rows,
            breakdowns=SPLITS,
            sum_of=sum_of,
            parts=tuple(f"aid.entitled.{what}{part}" for part in parts),
        )
        for what, name, unit, rule, sum_of in (
            ("rows", "应享资助人次", "人次", "一人一项目一学期计一次。", None),
            ("amount", "应享资助金额", "元", "按标准相加，不四舍五入。", "amount"),
        )
    )  # type: ignore[return-value]  # two of them


ENTITLED, ENTITLED_AMOUNT = _pair(
    "",
    "",
    "本学期在本县学校就读、按资助标准应享受资助的人次。",
    parts=(*(f".{key}" for key in _STAGE_KEYS.values()), ".higher"),
)
ENTITLED_BY_STAGE = tuple(
    indicator
    for stage, key in (*_STAGE_KEYS.items(), (Stage.HIGHER, "higher"))
    for indicator in _pair(f".{key}", f"—{stage.label}", f"应享资助中，{stage.label}学段的人次。", Q(stage=stage))
)
ENTITLED_POOR = _pair(
    ".poor", "—建档立卡（脱贫、监测）", "应享资助中，主类别为脱贫家庭（含监测对象）的人次。", Q(category="1")
)
ENTITLED_HUKOU = _pair(
    ".hukou",
    "（按户籍地）",
    "户籍在本地、按资助标准应享受资助的人次，不论在本县哪所学校就读。",
    counting=Counting.HUKOU,
)


def _persons_entitled(basis: Basis) -> QuerySet[Any]:
    mine = _entitled()(basis).filter(student=OuterRef("pk"))
    # Nobody has two schools in a term: any row of the child tells the place.
    return Student.objects.annotate(
        aid_town=Subquery(mine.values("school_town")[:1]),
        aid_school=Subquery(mine.values("school")[:1]),
        aid_stage=Subquery(mine.values("stage")[:1]),
        aid_category=Subquery(mine.values("category")[:1]),
    ).filter(Exists(mine))


PERSON_SPLITS = (
    Breakdown("town", "学校所在乡镇", "aid_town", township_names),
    Breakdown("school", "学校", "aid_school", school_names),
    Breakdown("stage", "学段", "aid_stage", _stage_names),
    Breakdown("category", "困难类别", "aid_category", _category_names),
)
ENTITLED_PERSONS = Indicator(
    key="aid.entitled.persons",
    label="应享资助人数",
    unit="人",
    definition="本学期应享受一项或几项资助的学生人数，一人只计一次，计入就读学校。",
    source=_SOURCE,
    counting=Counting.SCHOOL,
    row_kind=STUDENT_ROWS,
    rows=_persons_entitled,
    breakdowns=PERSON_SPLITS,
)

# --- recognised ------------------------------------------------------------------------------------------------


def _recognised(entitled: bool | None = None) -> Callable[[Basis], QuerySet[Any]]:
    def rows(basis: Basis) -> QuerySet[Any]:
        term = term_of(basis)
        if term is None:
            return Student.objects.none()
        direct = list(Category.objects.filter(is_direct=True).values_list("code", flat=True))
        held = ChildCategory.objects.held_on(day_of(term)).filter(student=OuterRef("pk"), category__in=direct)
        approved = Recognition.objects.in_effect().filter(
            student=OuterRef("pk"), year=term.year_id, term__starts_on__lte=term.starts_on
        )
        found: Any = Student.objects.filter(
            Exists(held) | Exists(approved),
            merged_into=None,
            enrolments__term=term,
            enrolments__school__is_outside=False,
        )
        if isinstance(basis.area, School):
            found = found.filter(enrolments__school=basis.area)
        elif not basis.area.is_home:
            found = found.filter(enrolments__school__town=basis.area)
        if entitled is None:
            return found
        due = gaps.entitled(term).filter(student=OuterRef("pk"))
        return found.filter(Exists(due) if entitled else ~Exists(due))

    return rows


ENROLLED_SPLITS = (
    Breakdown("town", "学校所在乡镇", "enrolments__school__town", township_names),
    Breakdown("school", "学校", "enrolments__school", school_names),
)


def _of_recognised(
    key: str, label: str, definition: str, entitled: bool | None, parts: tuple[str, ...] = ()
) -> Indicator:
    return Indicator(
        key=key,
        label=label,
        unit="人",
        definition=definition,
        source="困难认定、困难群体与建档立卡名单、班级名册与学籍",
        counting=Counting.SCHOOL,
        row_kind=STUDENT_ROWS,
        rows=_recognised(entitled),
        breakdowns=ENROLLED_SPLITS,
        parts=parts,
    )


RECOGNISED = _of_recognised(
    "aid.recognised",
    "认定的困难学生",
    "本学期在本县学校就读、经县局审核认定或由生效名单直接认定为家庭经济困难的学生人数，一人计一次。",
    None,
    ("aid.recognised.entitled", "aid.recognised.nothing"),
)
RECOGNISED_ENTITLED = _of_recognised(
    "aid.recognised.entitled", "困难学生—应享资助", "认定的困难学生中，应享受至少一项资助的人数。", True
)
RECOGNISED_NOTHING = _of_recognised(
    "aid.recognised.nothing",
    "困难学生—无应享项目",
    "认定的困难学生中，没有一项标准适用的人数，须核对学段、就读方式和标准。",
    False,
)

# --- coverage --------------------------------------------------------------------------------------------------


def _covering(key: str, label: str, definition: str, covered: bool, sum_of: str | None = None) -> Indicator:
    return Indicator(
        key=key,
        label=label,
        unit="元" if sum_of else "人次",
        definition=definition,
        source=f"{_SOURCE}、已审核的发放批次",
        counting=Counting.SCHOOL,
        row_kind=ENTITLEMENT_ROWS,
        rows=_entitled(covered=covered),
        breakdowns=SPLITS,
        sum_of=sum_of,
    )


COVERED = _covering(
    "aid.gaps.covered",
    "应助已助人次",
    "应享资助人次中，本学期同一项目已有审核通过的发放记录的人次。一人一项目一学期计一次。",
    True,
)
MISSED = _covering(
    "aid.gaps.missed",
    "应助未助人次",
    "应享资助人次中，本学期同一项目还没有审核通过的发放记录的人次。一人一项目一学期计一次。",
    False,
)
MISSED_AMOUNT = _covering(
    "aid.gaps.missed-amount", "应助未助金额", "应助未助人次按标准应得的金额之和。", False, "amount"
)
COVERAGE = Rate(
    key="aid.coverage",
    label="资助覆盖率",
    definition="应助已助人次 ÷ 应享资助人次。两者相等才是 100%。",
    part=COVERED.key,
    whole=ENTITLED.key,
    rest=MISSED.key,
)


def _at(rows: QuerySet[Any], area: Region | School) -> QuerySet[Any]:
    if isinstance(area, School):
        return rows.filter(school=area)
    return rows if area.is_home else rows.filter(school_town=area)


def _gap(kind: gaps.GapKind) -> Indicator:
    def rows(basis: Basis) -> QuerySet[Any]:
        term = term_of(basis)
        if term is None:
            return (gaps.Award if kind.of_awards else Entitlement).objects.none()
        return _at(kind.open(term), basis.area)

    return Indicator(
        key=f"aid.gap.{kind.key}",
        label=kind.label,
        unit="人次",
        definition=f"{kind.definition}{'一笔计一次' if kind.of_awards else '一人一项目一学期计一次'}，已核实的不再计。",
        source="应享资助、已审核的发放批次",
        counting=Counting.SCHOOL,
        row_kind=AWARD_ROWS if kind.of_awards else ENTITLEMENT_ROWS,
        rows=rows,
        breakdowns=(BY_TOWN, BY_SCHOOL, BY_PROGRAMME),
    )


GAPS = {kind.key: _gap(kind) for kind in gaps.GAPS}

# --- the queue of recognition ----------------------------------------------------------------------------------

RECOGNITION_ROWS = RowKind(
    key="recognition",
    columns=(
        Column("姓名", lambda r: r.student.name),
        Column("学校", lambda r: r.school.name),
        Column("申请日期", lambda r: r.applied_on),
        Column("状态", lambda r: r.get_state_display()),
    ),
    narrow=lambda rows, scope: rows.within(scope),
    prepare=lambda rows: rows.select_related("student", "school", "term").order_by(
        "school_id", "student__pinyin", "id"
    ),
    url=lambda r: reverse("aid-recognition", args=[r.student.public_id]) + f"?term={number_of(r.term)}",
)


def _waiting(basis: Basis) -> QuerySet[Any]:
    term = term_of(basis)
    if term is None:
        return Recognition.objects.none()
    return Recognition.objects.waiting().filter(year=term.year_id).at_schools_of(basis.area)


WAITING = Indicator(
    key="aid.recognition.waiting",
    label="待评议、待审核的认定",
    unit="人",
    definition="本学年已申请困难认定、学校还没有评议或县局还没有审核的人数。",
    source="困难认定",
    counting=Counting.SCHOOL,
    row_kind=RECOGNITION_ROWS,
    rows=_waiting,
    breakdowns=(BY_TOWN, BY_SCHOOL),
)

register(
    ENTITLED,
    ENTITLED_AMOUNT,
    *ENTITLED_BY_STAGE,
    *ENTITLED_POOR,
    *ENTITLED_HUKOU,
    ENTITLED_PERSONS,
    RECOGNISED,
    RECOGNISED_ENTITLED,
    RECOGNISED_NOTHING,
    COVERED,
    MISSED,
    MISSED_AMOUNT,
    *GAPS.values(),
    WAITING,
)
register_rate(COVERAGE)
