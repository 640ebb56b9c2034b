"""The figures about children, households and the lists that name them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import CharField, Exists, Min, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat
from django.urls import reverse

from eduaid.core import codes
from eduaid.core.indicators import (
    Basis,
    Breakdown,
    Column,
    Counting,
    Indicator,
    RowKind,
    register,
    school_names,
    township_names,
)
from eduaid.core.models import ListSlice, Region, School, Term, UploadRow
from eduaid.core.models.places import Stage
from eduaid.core.scope import Scope
from students.models import Discrepancy, Household, Student, Suggestion
from students.models.people import HukouRelation
from students.precedence import HARDSHIP as HARDSHIP_KIND
from students.precedence import POVERTY, ROSTER

# --- what rows look like ---------------------------------------------------------------------------------------


def _students(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("school", "hukou_town", "hukou_village").order_by(
        "school_id", "grade", "class_name", "pinyin", "id"
    )


STUDENT_ROWS = RowKind(
    key="student",
    columns=(
        Column("姓名", lambda s: s.name),
        Column("性别", lambda s: s.get_sex_display()),
        Column("出生日期", lambda s: s.birth_on),
        Column("证件号", lambda s: s.masked_id),
        Column("户籍乡镇", lambda s: s.hukou_town.name if s.hukou_town else ("县外" if s.hukou_outside else "")),
        Column("村", lambda s: s.hukou_village.name if s.hukou_village else ""),
        Column("就读学校", lambda s: s.school.name if s.school else ""),
        Column("年级", lambda s: codes.GRADE.label(s.grade)),
        Column("班级", lambda s: s.class_name),
        Column("寄宿", lambda s: "" if s.boarding is None else ("寄宿" if s.boarding else "走读")),
    ),
    narrow=lambda rows, scope: rows.within(scope),
    prepare=_students,
    url=lambda s: reverse("student", args=[s.public_id]),
)

HOUSEHOLD_ROWS = RowKind(
    key="household",
    columns=(
        Column("户编号", lambda h: h.number),
        Column("户主", lambda h: h.head),
        Column("乡镇", lambda h: h.town.name if h.town else ""),
        Column("村", lambda h: h.village.name if h.village else ""),
        Column("户类型", lambda h: codes.POVERTY_STATUS.label(h.poverty_type)),
        Column("人数", lambda h: h.persons, numeric=True),
    ),
    narrow=lambda rows, scope: rows.within(scope),
    prepare=lambda rows: rows.select_related("town", "village").order_by("town__code", "village__code", "number"),
    url=lambda h: reverse("household", args=[h.pk]),
)


def _narrow_rows(rows: Any, scope: Scope) -> QuerySet[Any]:
    found: QuerySet[Any] = rows if scope.county else rows.of_places(scope.towns, scope.schools)
    return found


def _fact(row: UploadRow, key: str) -> str:
    return str(row.facts.get(key) or "")


PERSON_ROWS = RowKind(
    key="row",
    columns=(
        Column("姓名", lambda r: _fact(r, "name")),
        Column("证件号", lambda r: f"{_fact(r, 'id_prefix')}************" if _fact(r, "id_prefix") else ""),
        Column("乡镇", lambda r: r.town.name if r.town else ""),
        Column("户编号", lambda r: _fact(r, "household_no")),
        Column(
            "类别",
            lambda r: (
                codes.POVERTY_STATUS.label(_fact(r, "poverty_type"))
                if r.slice.kind == POVERTY
                else codes.HARDSHIP_TYPE.label(_fact(r, "category"))
            ),
        ),
        Column("来源名单", lambda r: f"{r.upload_id} 号"),
        Column("行", lambda r: r.number, numeric=True),
    ),
    narrow=_narrow_rows,
    prepare=lambda rows: rows.select_related("town", "slice"),
    url=lambda r: reverse("row-trace", args=[r.pk]),
)

SCHOOL_ROWS = RowKind(
    key="school",
    columns=(
        Column("学校标识码", lambda s: s.code),
        Column("学校名称", lambda s: s.name),
        Column("乡镇", lambda s: s.town.name if s.town else ""),
        Column("学段", lambda s: "、".join(Stage(stage).label for stage in s.stages)),
    ),
    narrow=lambda rows, scope: rows if scope.county else rows.filter(Q(town__in=scope.towns) | Q(pk__in=scope.schools)),
    prepare=lambda rows: rows.select_related("town").order_by("town__code", "code"),
    url=lambda s: f"{reverse('students')}?school={s.code}",
)

# --- how figures are split -------------------------------------------------------------------------------------


def _grade_names(grades: Sequence[Any]) -> Mapping[Any, str]:
    return {grade: codes.GRADE.label(grade) or "未填年级" for grade in grades}


def _as_is(values: Sequence[Any]) -> Mapping[Any, str]:
    return {value: value or "未填" for value in values}


BY_HUKOU = (
    Breakdown("town", "户籍乡镇", "hukou_town", township_names),
    Breakdown("village", "村", "hukou_village", township_names),
)
BY_SCHOOL = (
    Breakdown("town", "学校所在乡镇", "school_town", township_names),
    Breakdown("school", "学校", "school", school_names),
    Breakdown("grade", "年级", "grade", _grade_names),
    Breakdown("class", "班级", "class_name", _as_is),
)
BY_TOWN = (Breakdown("town", "乡镇", "town", township_names), Breakdown("village", "村", "village", township_names))
ROWS_BY_TOWN = (Breakdown("town", "乡镇", "town", township_names),)

# --- children --------------------------------------------------------------------------------------------------


def cohort(basis: Basis, youngest: int, oldest: int) -> tuple[dt.date, dt.date]:
    """The birth dates of an age window of the school year: 6–15 in 2022 is 2006-09-01 to 2016-08-31 (docs/glossary.md)."""
    year = basis.school_year
    return dt.date(year - oldest - 1, 9, 1), dt.date(year - youngest, 8, 31)


def _by_area(rows: QuerySet[Any], basis: Basis, counting: Counting) -> QuerySet[Any]:
    students: Any = rows
    if counting is Counting.HUKOU and isinstance(basis.area, Region):
        return students.of_hukou(basis.area)
    return students.at_schools_of(basis.area)


def _children(
    counting: Counting, *conditions: Q, window: tuple[int, int] | None = None
) -> Callable[[Basis], QuerySet[Any]]:
    def rows(basis: Basis) -> QuerySet[Any]:
        found = _by_area(Student.objects.listed().filter(*conditions), basis, counting)
        return found.filter(birth_on__range=cohort(basis, *window)) if window else found

    return rows


def _population(
    key: str, label: str, window: tuple[int, int] | None, definition: str, *conditions: Q, parts: tuple[str, ...] = ()
) -> Indicator:
    return Indicator(
        key=key,
        label=label,
        unit="人",
        definition=definition,
        source="公安户籍人口名单（生效的最新一份）",
        counting=Counting.HUKOU,
        row_kind=STUDENT_ROWS,
        rows=_children(Counting.HUKOU, Q(in_population=True), *conditions, window=window),
        breakdowns=BY_HUKOU,
        parts=parts,
    )


def _pupils(key: str, label: str, definition: str, *conditions: Q, parts: tuple[str, ...] = ()) -> Indicator:
    return Indicator(
        key=key,
        label=label,
        unit="人",
        definition=definition,
        source="班级名册（生效的最新一份）",
        counting=Counting.SCHOOL,
        row_kind=STUDENT_ROWS,
        rows=_children(Counting.SCHOOL, Q(in_roster=True, school__is_outside=False), *conditions),
        breakdowns=BY_SCHOOL,
        parts=parts,
    )


POPULATION_ALL = _population(
    "population",
    "户籍人口（名单全部年龄）",
    None,
    "公安户籍人口名单中的人数，一人计一次。",
    parts=("population.3-5", "population.6-15", "population.16-22", "population.other"),
)
POPULATION_6_15 = _population(
    "population.6-15",
    "6—15周岁户籍人口",
    (6, 15),
    "户籍在本地、按学年截至8月31日满6周岁不满16周岁（如2022年为2006年9月1日至2016年8月31日出生）的人数，一人计一次。",
    parts=("population.6-15.in-registry", "difference.population-not-registry"),
)
REGISTERED_6_15 = _population(
    "population.6-15.in-registry",
    "6—15周岁户籍人口中有学籍",
    (6, 15),
    "6—15周岁户籍人口中，在生效的学籍名单里有记录的人数。",
    Q(in_registry=True),
)
POPULATION_3_5 = _population(
    "population.3-5", "3—5周岁户籍人口", (3, 5), "户籍在本地、按学年截至8月31日满3周岁不满6周岁的人数。"
)
POPULATION_16_22 = _population(
    "population.16-22", "16—22周岁户籍人口", (16, 22), "户籍在本地、按学年截至8月31日满16周岁不满23周岁的人数。"
)


def _other_ages(basis: Basis) -> QuerySet[Any]:
    first, _ = cohort(basis, 16, 22)
    _, last = cohort(basis, 3, 5)
    rows: Any = Student.objects.listed().filter(
        Q(birth_on__lt=first) | Q(birth_on__gt=last) | Q(birth_on=None), in_population=True
    )
    return _by_area(rows, basis, Counting.HUKOU)


POPULATION_OTHER = Indicator(
    key="population.other",
    label="户籍人口中其他年龄",
    unit="人",
    definition="户籍人口名单中不满3周岁、满23周岁或出生日期不明的人数。",
    source="公安户籍人口名单（生效的最新一份）",
    counting=Counting.HUKOU,
    row_kind=STUDENT_ROWS,
    rows=_other_ages,
    breakdowns=BY_HUKOU,
)

_STAGE_KEYS = {
    Stage.KINDERGARTEN: "kindergarten",
    Stage.PRIMARY: "primary",
    Stage.JUNIOR: "junior",
    Stage.SENIOR: "senior",
    Stage.VOCATIONAL: "vocational",
}
PUPILS = _pupils(
    "pupils",
    "在校学生",
    "生效的班级名册中、学校在本县的学生人数，一人计一次，计入学校所在乡镇。",
    parts=(*(f"pupils.{key}" for key in _STAGE_KEYS.values()), "pupils.no-grade"),
)
PUPILS_BY_STAGE = tuple(
    _pupils(
        f"pupils.{key}",
        f"在校学生—{stage.label}",
        f"在校学生中{stage.label}阶段的人数（按年级）。",
        Q(grade__startswith=stage.value),
    )
    for stage, key in _STAGE_KEYS.items()
)
PUPILS_NO_GRADE = _pupils(
    "pupils.no-grade",
    "在校学生—未填年级",
    "在校学生中年级为空或不属于上述学段的人数。",
    ~Q(grade__regex=f"^[{''.join(stage.value for stage in _STAGE_KEYS)}]"),
)
BOARDERS = _pupils("pupils.boarding", "在校学生—寄宿", "在校学生中就读方式为寄宿的人数。", Q(boarding=True))
DAY_PUPILS = _pupils("pupils.day", "在校学生—走读", "在校学生中就读方式为走读的人数。", Q(boarding=False))
BOARDING_UNKNOWN = _pupils(
    "pupils.boarding-unknown", "在校学生—未填就读方式", "在校学生中名册、学籍都没有写就读方式的人数。", Q(boarding=None)
)


def _related(relation: HukouRelation) -> Callable[[Basis], QuerySet[Any]]:
    def rows(basis: Basis) -> QuerySet[Any]:
        students: Any = Student.objects.listed().filter(in_roster=True, school__is_outside=False).with_hukou_relation()
        return _by_area(students.filter(hukou_relation=relation.value), basis, Counting.SCHOOL)

    return rows


_RELATION_DEFINITIONS = {
    HukouRelation.SAME_TOWN: "在校学生中，户籍乡镇与学校所在乡镇相同的人数。",
    HukouRelation.OTHER_TOWN: "在校学生中，户籍在本县其他乡镇的人数。",
    HukouRelation.OTHER_COUNTY: "在校学生中，学籍写明户口在县外的人数。",
    HukouRelation.UNKNOWN: "在校学生中，户籍名单、学籍都看不出户籍乡镇的人数。",
}
PUPILS_BY_RELATION = tuple(
    Indicator(
        key=f"pupils.hukou.{relation.value}",
        label=f"在校学生—{relation.label}",
        unit="人",
        definition=_RELATION_DEFINITIONS[relation],
        source="班级名册、户籍人口、学籍",
        counting=Counting.SCHOOL,
        row_kind=STUDENT_ROWS,
        rows=_related(relation),
        breakdowns=BY_SCHOOL,
    )
    for relation in HukouRelation
)

# --- poverty and hardship --------------------------------------------------------------------------------------


def _households(*conditions: Q) -> Callable[[Basis], QuerySet[Any]]:
    def rows(basis: Basis) -> QuerySet[Any]:
        found: Any = Household.objects.in_force().filter(kind="poverty").filter(*conditions)
        return found.of_hukou(basis.area) if isinstance(basis.area, Region) else found.none()

    return rows


def _persons(kind: str, **facts: str) -> Callable[[Basis], QuerySet[Any]]:
    """Rows of a list in force, one a person: a person whom two townships list is counted where the first row stands."""

    def rows(basis: Basis) -> QuerySet[Any]:
        found: Any = UploadRow.objects.in_force(kind)
        for key, value in facts.items():
            fact = Coalesce(KT(f"facts__{key}"), Value(""), output_field=TextField())
            found = found.annotate(**{f"fact_{key}": fact}).filter(**{f"fact_{key}": value})
        person = Coalesce(Cast("id_digest", CharField()), Concat(Value("row "), Cast("id", CharField())))
        firsts = found.annotate(person=person).order_by().values("person").annotate(first=Min("pk")).values("first")
        found = found.filter(pk__in=firsts)
        if isinstance(basis.area, School):
            return found.none()
        return found if basis.area.is_home else found.filter(town=basis.area)

    return rows


POVERTY_HOUSEHOLDS = Indicator(
    key="households.poverty",
    label="建档立卡与监测对象户数",
    unit="户",
    definition="生效的建档立卡、监测对象名单中的户数，按户编号计一次。",
    source="乡村振兴部门名单（生效的最新一份）",
    counting=Counting.HUKOU,
    row_kind=HOUSEHOLD_ROWS,
    rows=_households(),
    breakdowns=BY_TOWN,
    parts=(*(f"households.poverty.{entry.code}" for entry in codes.POVERTY_STATUS), "households.poverty.unknown"),
)
HOUSEHOLDS_BY_TYPE = tuple(
    Indicator(
        key=f"households.poverty.{entry.code}",
        label=f"户数—{entry.label}",
        unit="户",
        definition=f"户类型为“{entry.label}”的户数。",
        source="乡村振兴部门名单（生效的最新一份）",
        counting=Counting.HUKOU,
        row_kind=HOUSEHOLD_ROWS,
        rows=_households(Q(poverty_type=entry.code)),
        breakdowns=BY_TOWN,
    )
    for entry in codes.POVERTY_STATUS
) + (
    Indicator(
        key="households.poverty.unknown",
        label="户数—未填户类型",
        unit="户",
        definition="名单没有写户类型的户数。",
        source="乡村振兴部门名单（生效的最新一份）",
        counting=Counting.HUKOU,
        row_kind=HOUSEHOLD_ROWS,
        rows=_households(Q(poverty_type="")),
        breakdowns=BY_TOWN,
    ),
)
POVERTY_PERSONS = Indicator(
    key="persons.poverty",
    label="建档立卡与监测对象人数",
    unit="人",
    definition="生效的建档立卡、监测对象名单中的全部家庭成员，一人计一次。",
    source="乡村振兴部门名单（生效的最新一份）",
    counting=Counting.HUKOU,
    row_kind=PERSON_ROWS,
    rows=_persons(POVERTY),
    breakdowns=ROWS_BY_TOWN,
    parts=(*(f"persons.poverty.{entry.code}" for entry in codes.POVERTY_STATUS), "persons.poverty.unknown"),
)
PERSONS_BY_TYPE = tuple(
    Indicator(
        key=f"persons.poverty.{entry.code}",
        label=f"人数—{entry.label}",
        unit="人",
        definition=f"户类型为“{entry.label}”的家庭成员人数，一人计一次。",
        source="乡村振兴部门名单（生效的最新一份）",
        counting=Counting.HUKOU,
        row_kind=PERSON_ROWS,
        rows=_persons(POVERTY, poverty_type=entry.code),
        breakdowns=ROWS_BY_TOWN,
    )
    for entry in codes.POVERTY_STATUS
) + (
    Indicator(
        key="persons.poverty.unknown",
        label="人数—未填户类型",
        unit="人",
        definition="名单没有写户类型的家庭成员人数，一人计一次。",
        source="乡村振兴部门名单（生效的最新一份）",
        counting=Counting.HUKOU,
        row_kind=PERSON_ROWS,
        rows=_persons(POVERTY, poverty_type=""),
        breakdowns=ROWS_BY_TOWN,
    ),
)
POVERTY_PUPILS = _pupils(
    "pupils.poverty",
    "在校学生—建档立卡与监测对象",
    "在校学生中，列入生效的建档立卡、监测对象名单的人数。",
    Q(in_poverty=True),
)
HARDSHIP_PERSONS = tuple(
    Indicator(
        key=f"persons.hardship.{entry.code}",
        label=f"困难群体—{entry.label}",
        unit="人",
        definition=f"生效的困难群体名单中类型为“{entry.label}”的人数，同一类型一人计一次；一人可有几种类型。",
        source="民政、残联等部门名单（生效的最新一份）",
        counting=Counting.HUKOU,
        row_kind=PERSON_ROWS,
        rows=_persons(HARDSHIP_KIND, category=entry.code),
        breakdowns=ROWS_BY_TOWN,
    )
    for entry in codes.HARDSHIP_TYPE
)

# --- list differences ------------------------------------------------------------------------------------------

NOT_IN_REGISTRY = _population(
    "difference.population-not-registry",
    "有户籍无学籍（6—15周岁）",
    (6, 15),
    "6—15周岁户籍人口中，在生效的学籍名单里没有记录的人数。多为在县外就读、证件号有误，须逐人核实去向。",
    Q(in_registry=False),
)
NOT_IN_ROSTER = Indicator(
    key="difference.registry-not-roster",
    label="有学籍不在班",
    unit="人",
    definition="生效的学籍名单有、班级名册没有的学生人数（本县学校），疑似辍学，须核实。",
    source="学籍、班级名册",
    counting=Counting.SCHOOL,
    row_kind=STUDENT_ROWS,
    rows=_children(Counting.SCHOOL, Q(in_registry=True, in_roster=False)),
    breakdowns=BY_SCHOOL,
)
ROSTER_ONLY = Indicator(
    key="difference.roster-only",
    label="在班无学籍",
    unit="人",
    definition="班级名册有、生效的学籍名单没有的学生人数。",
    source="班级名册、学籍",
    counting=Counting.SCHOOL,
    row_kind=STUDENT_ROWS,
    rows=_children(Counting.SCHOOL, Q(in_roster=True, in_registry=False)),
    breakdowns=BY_SCHOOL,
)

POPULATION_ONLY = _population(
    "difference.population-only",
    "仅户籍有（6—15周岁）",
    (6, 15),
    "6—15周岁户籍人口中，生效的学籍名单、班级名册里都没有记录的人数。多为在县外就读、证件号有误，须逐人核实去向。",
    Q(in_registry=False, in_roster=False),
)
REGISTRY_ONLY = Indicator(
    key="difference.registry-only",
    label="仅学籍有",
    unit="人",
    definition="生效的学籍名单有、户籍人口名单没有的学生人数（本县学校）；学籍写明户口在县外的不计。",
    source="学籍、公安户籍人口名单",
    counting=Counting.SCHOOL,
    row_kind=STUDENT_ROWS,
    rows=_children(
        Counting.SCHOOL, Q(in_registry=True, in_population=False, hukou_outside=False, school__is_outside=False)
    ),
    breakdowns=BY_SCHOOL,
)
REGISTERED = Indicator(
    key="registry",
    label="学籍学生",
    unit="人",
    definition="生效的学籍名单中、学校在本县的学生人数，一人计一次，计入学校所在乡镇。",
    source="学籍（生效的最新一份）",
    counting=Counting.SCHOOL,
    row_kind=STUDENT_ROWS,
    rows=_children(Counting.SCHOOL, Q(in_registry=True)),
    breakdowns=BY_SCHOOL,
    parts=("registry.in-roster", "difference.registry-not-roster"),
)
REGISTERED_IN_ROSTER = Indicator(
    key="registry.in-roster",
    label="学籍学生—在班",
    unit="人",
    definition="学籍学生中，生效的班级名册也写到的人数。",
    source="学籍、班级名册",
    counting=Counting.SCHOOL,
    row_kind=STUDENT_ROWS,
    rows=_children(Counting.SCHOOL, Q(in_registry=True, in_roster=True)),
    breakdowns=BY_SCHOOL,
)
POOR_NOT_IN_SCHOOL = Indicator(
    key="difference.poverty-not-in-school",
    label="脱贫户不在校（6—15周岁）",
    unit="人",
    definition="列入生效的建档立卡、监测对象名单的6—15周岁户籍儿童中，班级名册没有的人数。须逐人核实去向。",
    source="乡村振兴部门名单、班级名册",
    counting=Counting.HUKOU,
    row_kind=STUDENT_ROWS,
    rows=_children(Counting.HUKOU, Q(in_poverty=True, in_roster=False), window=(6, 15)),
    breakdowns=BY_HUKOU,
)


def _contradicted(basis: Basis) -> QuerySet[Any]:
    """Children about whom lists in force contradict one another; the school's township answers, else the hukou's."""
    open_ones = Discrepancy.objects.open(basis.known_at).filter(student=OuterRef("pk"))
    rows: Any = Student.objects.listed().annotate(answering_town=Coalesce("school_town", "hukou_town"))
    if isinstance(basis.area, School):
        return rows.filter(Exists(open_ones), school=basis.area)
    return rows.filter(Exists(open_ones if basis.area.is_home else open_ones.filter(town=basis.area)))


CONTRADICTED = Indicator(
    key="difference.contradicted",
    label="信息不一致",
    unit="人",
    definition="几份生效名单对同一学生的姓名、性别、出生日期、证件号、学校、年级或就读方式说法不同、还没有人认定以谁为准的人数。",
    source="户籍、学籍、班级名册、建档立卡等生效名单",
    counting=Counting.SCHOOL,
    row_kind=STUDENT_ROWS,
    rows=_contradicted,
    breakdowns=(Breakdown("town", "乡镇", "answering_town", township_names),),
)


def _told(suggestion: Any, side: str, what: str) -> str:
    return str(suggestion.told.get(side, {}).get(what, ""))


PAIR_ROWS = RowKind(
    key="pair",
    columns=(
        Column("姓名", lambda p: _told(p, "left", "name")),
        Column("出生日期", lambda p: _told(p, "left", "birth")),
        Column("写到的名单", lambda p: _told(p, "left", "lists")),
        Column("另一份档案", lambda p: _told(p, "right", "name")),
        Column("出生日期（另一份）", lambda p: _told(p, "right", "birth")),
        Column("写到的名单（另一份）", lambda p: _told(p, "right", "lists")),
        Column("把握", lambda p: p.get_certainty_display()),
        Column("理由", lambda p: p.reason),
    ),
    narrow=lambda rows, scope: rows.within(scope),
    prepare=lambda rows: rows.order_by("-score", "id"),
    url=lambda p: reverse("match-pair", args=[p.pk]),
)


def _pairs(basis: Basis) -> QuerySet[Any]:
    rows: Any = Suggestion.objects.open(basis.known_at)
    if isinstance(basis.area, School):
        return rows.none()
    return rows if basis.area.is_home else rows.filter(town=basis.area)


SUSPECTED_TWICE = Indicator(
    key="difference.duplicates",
    label="疑似重复",
    unit="对",
    definition="可能是同一人的两份档案的对数，一对计一次；已认定是同一人或不是同一人的不计，待核的仍计。计入户籍乡镇。",
    source="户籍、学籍、班级名册、建档立卡等生效名单",
    counting=Counting.HUKOU,
    row_kind=PAIR_ROWS,
    rows=_pairs,
    breakdowns=ROWS_BY_TOWN,
)

# --- intake coverage -------------------------------------------------------------------------------------------


def _schools(sent: bool | None) -> Callable[[Basis], QuerySet[Any]]:
    def rows(basis: Basis) -> QuerySet[Any]:
        schools = School.objects.valid_on(basis.as_of).in_county().lying_in(basis.area)
        if sent is None:
            return schools
        term = Term.objects.at(basis.as_of)
        roster = ListSlice.objects.filter(
            kind=ROSTER, school=OuterRef("pk"), is_current=True, effective_on__range=(term.starts_on, basis.as_of)
        )
        return schools.filter(Exists(roster) if sent else ~Exists(roster))

    return rows


def _coverage(key: str, label: str, definition: str, sent: bool | None, parts: tuple[str, ...] = ()) -> Indicator:
    return Indicator(
        key=key,
        label=label,
        unit="所",
        definition=definition,
        source="学校名录、班级名册",
        counting=Counting.SENDER,
        row_kind=SCHOOL_ROWS,
        rows=_schools(sent),
        breakdowns=ROWS_BY_TOWN,
        parts=parts,
    )


SCHOOLS = _coverage("schools", "应报名册学校", "本县在用的学校和幼儿园数。", None, ("schools.sent", "schools.not-sent"))
SCHOOLS_SENT = _coverage("schools.sent", "已报名册学校", "本学期已有生效班级名册的学校数。", True)
SCHOOLS_NOT_SENT = _coverage("schools.not-sent", "未报名册学校", "本学期还没有生效班级名册的学校数。", False)


def _waiting(basis: Basis) -> QuerySet[Any]:
    rows: Any = UploadRow.objects.waiting()
    if isinstance(basis.area, School):
        return rows.filter(school=basis.area)
    return rows if basis.area.is_home else rows.filter(town=basis.area)


WAITING_ROWS = Indicator(
    key="rows.waiting",
    label="待改行",
    unit="行",
    definition="已生效名单中因有错误或待确认而未入库的行数；这些行上的学生沿用上一份名单的记录。",
    source="各类名单",
    counting=Counting.SENDER,
    row_kind=RowKind(
        key="row",
        columns=(
            Column("姓名", lambda r: _fact(r, "name")),
            Column("乡镇", lambda r: r.town.name if r.town else ""),
            Column("学校", lambda r: r.school.name if r.school else ""),
            Column("来源名单", lambda r: f"{r.upload_id} 号"),
            Column("行", lambda r: r.number, numeric=True),
        ),
        narrow=_narrow_rows,
        prepare=lambda rows: rows.select_related("town", "school").order_by("upload_id", "sheet_id", "number"),
        url=lambda r: reverse("row-trace", args=[r.pk]),
    ),
    rows=_waiting,
    breakdowns=(*ROWS_BY_TOWN, Breakdown("school", "学校", "school", school_names)),
)

register(
    POPULATION_ALL,
    POPULATION_6_15,
    REGISTERED_6_15,
    POPULATION_3_5,
    POPULATION_16_22,
    POPULATION_OTHER,
    PUPILS,
    *PUPILS_BY_STAGE,
    PUPILS_NO_GRADE,
    BOARDERS,
    DAY_PUPILS,
    BOARDING_UNKNOWN,
    *PUPILS_BY_RELATION,
    POVERTY_HOUSEHOLDS,
    *HOUSEHOLDS_BY_TYPE,
    POVERTY_PERSONS,
    *PERSONS_BY_TYPE,
    POVERTY_PUPILS,
    *HARDSHIP_PERSONS,
    NOT_IN_REGISTRY,
    NOT_IN_ROSTER,
    ROSTER_ONLY,
    POPULATION_ONLY,
    REGISTRY_ONLY,
    POOR_NOT_IN_SCHOOL,
    CONTRADICTED,
    SUSPECTED_TWICE,
    REGISTERED,
    REGISTERED_IN_ROSTER,
    SCHOOLS,
    SCHOOLS_SENT,
    SCHOOLS_NOT_SENT,
    WAITING_ROWS,
)
