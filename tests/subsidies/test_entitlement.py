"""Standards × recognised children × enrolment: through real lists, by the rule, and the rule against the tables."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from eduaid.core.models import ChangeSet, Term, UploadRow
from students.models import Enrolment, Student
from subsidies import eligibility, entitlement, recognition, standards
from subsidies.models import Category, ChildCategory, Entitlement, Exclusion, Programme, Recognition, Standard
from subsidies.models.programmes import Boarding, Counting, Per, Who, parse_term, term_number
from subsidies.seeding import load_seeds
from tests.small_county import SmallCounty, id_number

LI = {
    "姓名": "李小雨",
    "身份证号": id_number("20150502", 1),
    "学校": "蔡朱小学",
    "年级": "五年级",
    "班级": "1班",
    "是否寄宿": "是",
}
WANG = {
    "姓名": "王伟",
    "身份证号": id_number("20150602", 3),
    "学校": "蔡朱小学",
    "年级": "五年级",
    "班级": "1班",
    "是否寄宿": "否",
}
ZHAO = {
    "姓名": "赵一",
    "身份证号": id_number("20150702", 5),
    "学校": "蔡朱小学",
    "年级": "五年级",
    "班级": "1班",
    "是否寄宿": "是",
}


def said(child: dict[str, str], category: str, since: str = "2025-03-01") -> dict[str, str]:
    return {
        "姓名": child["姓名"], "身份证号码": child["身份证号"], "乡镇": "水口镇", "困难类型": category, "享受起始日期": since,
    }  # fmt: skip


@pytest.fixture
def aided(county: SmallCounty) -> SmallCounty:
    """Li boards and is 低保, Wang is a day pupil and disabled, Zhao boards and is in no list."""
    load_seeds()
    county.bring("class-roster", [LI, WANG, ZHAO], place="a", by="town-a")
    county.bring("hardship", [said(LI, "低保"), said(WANG, "残疾"), said(WANG, "烈士子女")], place="home", by="county")
    follow()
    return county


def follow() -> None:
    for change in ChangeSet.objects.order_by("pk"):
        entitlement.follow_lists(change)


def owed() -> dict[tuple[str, str], Decimal]:
    return {
        (row.student.name, row.programme.key): row.amount
        for row in Entitlement.objects.select_related("student", "programme")
    }


def test_a_boarder_and_a_day_pupil_get_what_the_standard_of_the_term_says(aided: SmallCounty) -> None:
    assert owed() == {
        ("李小雨", "compulsory-boarders"): Decimal("625.00"),
        ("王伟", "compulsory-day"): Decimal("312.50"),
    }


def test_the_row_that_names_the_child_stands_behind_the_amount(aided: SmallCounty) -> None:
    row = Entitlement.objects.get(student__name="李小雨")
    assert [UploadRow.objects.get(pk=pk).facts["name"] for pk in row.source_rows] == ["李小雨"]
    assert (row.category, row.tier, row.school.name, row.school_town) == ("2", "1", "水口镇蔡朱小学", aided.a)


def test_a_child_in_several_lists_has_one_main_category(aided: SmallCounty) -> None:
    held = ChildCategory.objects.filter(student__name="王伟").order_by("category")
    assert [(row.category, row.is_main, row.from_on) for row in held] == [
        ("5", True, dt.date(2025, 3, 1)),
        ("6", False, dt.date(2025, 3, 1)),
    ]
    with pytest.raises(IntegrityError, match="childcategory_one_main"), transaction.atomic():
        held.filter(category="6").update(is_main=True)


def test_a_list_that_no_longer_names_the_child_ends_the_category_and_the_entitlement(aided: SmallCounty) -> None:
    aided.bring(
        "hardship", [said(ZHAO, "低保")], place="home", by="county", as_of=dt.date(2026, 10, 1), name="新低保.xlsx"
    )
    follow()
    assert set(owed()) == {("赵一", "compulsory-boarders"), ("王伟", "compulsory-day")}
    assert ChildCategory.objects.get(student__name="李小雨").ended_on is not None


def test_the_old_rate_holds_up_to_the_spring_of_2023_and_the_new_one_after_it(county: SmallCounty) -> None:
    load_seeds()
    programmes, categories = entitlement.programmes_now(), entitlement.categories_now()

    def amounts(grade: str, boarding: bool, year: int, season: str) -> list[Decimal]:
        facts = eligibility.Facts(grade, boarding, ("2",))
        return [
            one.amount for one in eligibility.entitlements(facts, programmes, categories, term_number(year, season))
        ]

    assert amounts("25", True, 2023, "spring") == [Decimal("500.00")]
    assert amounts("25", True, 2023, "autumn") == [Decimal("625.00")]
    assert amounts("32", True, 2023, "spring") == [Decimal("625.00")]
    assert amounts("32", True, 2023, "autumn") == [Decimal("750.00")]
    assert amounts("32", False, 2023, "spring") == [Decimal("312.50")]
    assert amounts("25", False, 2023, "autumn") == [Decimal("312.50")]
    assert amounts("25", False, 2019, "spring") == []


def test_the_reason_is_one_sentence_with_the_document(aided: SmallCounty) -> None:
    told = eligibility.Told(
        term="2026年秋季学期", school="水口镇蔡朱小学", grade="五年级", boarding=True, programme="寄宿生生活补助",
        what="小学、寄宿", amount=Decimal("625.00"), per="term", document="财教〔2021〕56号", category="城乡低保家庭学生",
        tier="特别困难", recognised="凭名单认定",
    )  # fmt: skip
    assert eligibility.sentence(told) == (
        "2026年秋季学期在水口镇蔡朱小学五年级就读（寄宿），凭名单认定属“城乡低保家庭学生”、等级为“特别困难”，"
        "按财教〔2021〕56号“寄宿生生活补助—小学、寄宿”每学期625元享受。"
    )


def test_two_standards_for_the_same_children_at_one_time_are_refused(aided: SmallCounty) -> None:
    programme = Programme.objects.get(key="compulsory-boarders")
    with pytest.raises(IntegrityError, match="standard_one_at_a_time"), transaction.atomic():
        Standard.objects.create(
            programme=programme, stage="2", boarding="1", amount=Decimal(700), from_term=term_number(2022, "autumn"),
            document="示例〔2022〕1号",
        )  # fmt: skip


def test_a_standard_is_never_edited(aided: SmallCounty) -> None:
    with pytest.raises(InternalError, match="frozen"), transaction.atomic():
        Standard.objects.filter(programme__key="compulsory-boarders").update(amount=Decimal(1))


def test_a_new_standard_ends_the_one_before_and_the_past_keeps_its_amount(aided: SmallCounty) -> None:
    programme = Programme.objects.get(key="compulsory-boarders")
    before = term_number(2023, "autumn")
    new = standards.add_standard(
        programme, stage="2", boarding=Boarding.BOARDING, amount=Decimal("650"), document="示例〔2026〕1号",
        from_term=term_number(2026, "autumn"), by=aided.user("county"),
    )  # fmt: skip
    old = Standard.objects.get(programme=programme, stage="2", from_term=before)
    assert (old.amount, old.until_label) == (Decimal("625.00"), "2026年春季学期")
    follow()
    assert owed()[("李小雨", "compulsory-boarders")] == Decimal("650.00")
    standards.withdraw_standard(new, by=aided.user("county"))
    follow()
    assert ("李小雨", "compulsory-boarders") not in owed()


def test_what_a_list_was_made_from_waits_for_a_decision(aided: SmallCounty) -> None:
    Entitlement.objects.update(listed_at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    standards.add_standard(
        Programme.objects.get(key="compulsory-boarders"), stage="2", boarding=Boarding.BOARDING, amount=Decimal("650"),
        document="示例〔2026〕1号", from_term=term_number(2026, "autumn"), by=aided.user("county"),
    )  # fmt: skip
    follow()
    row = Entitlement.objects.get(student__name="李小雨")
    assert (row.amount, row.pending, row.pending_amount) == (Decimal("625.00"), "changed", Decimal("650.00"))
    Enrolment.objects.filter(student__name="王伟").delete()
    outcome = entitlement.compute(aided.term)
    assert outcome == entitlement.Outcome(added=0, changed=0, gone=0, waiting=1)
    row = Entitlement.objects.get(student__name="王伟")
    assert (row.amount, row.pending) == (Decimal("312.50"), "gone")
    assert entitlement.compute(aided.term) == entitlement.Outcome(0, 0, 0, 0)


def test_a_programme_of_the_county_is_added_without_code(aided: SmallCounty) -> None:
    local = standards.add_programme(
        name="县长助学金", stages=["2"], who=Who.EVERYONE, counting=Counting.PERSONS, basis="县政府文件",
        by=aided.user("county"),
    )  # fmt: skip
    standards.add_standard(
        local, stage="2", amount=Decimal("100"), document="示例〔2026〕2号", per=Per.YEAR_AUTUMN,
        from_term=term_number(2026, "autumn"), by=aided.user("county"),
    )  # fmt: skip
    follow()
    assert Entitlement.objects.filter(programme=local).count() == 3
    assert Entitlement.objects.filter(programme=local, source_rows=[]).count() == 3


def test_programmes_that_exclude_one_another_are_not_both_counted(aided: SmallCounty) -> None:
    local = standards.add_programme(
        name="县寄宿补助", stages=["2"], who=Who.RECOGNISED, counting=Counting.PERSONS, basis="县政府文件",
        by=aided.user("county"),
    )  # fmt: skip
    standards.add_standard(
        local, stage="2", amount=Decimal("100"), document="示例〔2026〕2号", from_term=term_number(2026, "autumn"),
        by=aided.user("county"),
    )  # fmt: skip
    Exclusion.objects.create(stands=Programme.objects.get(key="compulsory-boarders"), yields=local)
    entitlement.compute(aided.term)
    rows = {row.student.name: row for row in Entitlement.objects.filter(programme=local)}
    assert rows["李小雨"].yields_to == Programme.objects.get(key="compulsory-boarders")
    assert rows["王伟"].yields_to is None
    assert set(Entitlement.objects.standing().filter(programme=local)) == {rows["王伟"]}


def test_a_recognition_entitles_and_its_withdrawal_ends_that(aided: SmallCounty) -> None:
    zhao = Student.objects.get(name="赵一")
    held = recognition.apply(zhao, term=aided.term, category="8", reason="父亲重病", by=aided.user("school-a"))
    recognition.review(held, tier="2", ways=["走访"], review="属实", by=aided.user("town-a"))
    recognition.approve(held, by=aided.user("county"))
    follow()
    row = Entitlement.objects.get(student=zhao)
    assert (row.amount, row.tier, row.category, row.recognition_id) == (Decimal("625.00"), "2", "8", held.pk)
    recognition.withdraw(held, comment="公示有异议，查实", by=aided.user("county"))
    follow()
    assert not Entitlement.objects.filter(student=zhao).exists()


def test_nobody_approves_what_he_recorded(aided: SmallCounty) -> None:
    zhao = Student.objects.get(name="赵一")
    held = recognition.apply(zhao, term=aided.term, category="8", reason="父亲重病", by=aided.user("county"))
    recognition.review(held, tier="2", ways=["走访"], review="属实", by=aided.user("town-a"))
    with pytest.raises(recognition.RecognitionRefused, match="录入人、评议人不能审核"):
        recognition.approve(held, by=aided.user("county"))
    with pytest.raises(IntegrityError, match="recognition_decided_by_another"), transaction.atomic():
        Recognition.objects.filter(pk=held.pk).update(
            state="approved", decided_by=aided.user("county"), decided_at=dt.datetime.now(dt.UTC)
        )


def test_applications_are_filled_in_from_lists_in_force(aided: SmallCounty) -> None:
    everybody = Student.objects.values_list("pk", flat=True)
    assert recognition.prefill(aided.term, everybody, by=aided.user("school-a")) == 2
    assert recognition.prefill(aided.term, everybody, by=aided.user("school-a")) == 0
    assert set(Recognition.objects.values_list("student__name", "category", "tier", "source")) == {
        ("李小雨", "2", "1", "lists"),
        ("王伟", "5", "2", "lists"),
    }


@pytest.mark.parametrize(
    ("text", "number"), [("2023年秋季学期", 4047), ("2023秋季", 4047), ("2023-spring", 4046), ("2023", None)]
)
def test_terms_are_read_as_people_write_them(text: str, number: int | None) -> None:
    assert parse_term(text) == number


# --- the rule and the tables -----------------------------------------------------------------------------------

_STANDARD = st.fixed_dictionaries(
    {
        "stage": st.sampled_from("2345"),
        "boarding": st.sampled_from(["", "1", "0"]),
        "tier": st.sampled_from(["", "1", "2"]),
        "group": st.sampled_from(["", "四类"]),
        "amount": st.decimals("1", "999", places=2),
        "per": st.sampled_from(["term", "year-autumn", "year-spring", "once"]),
    }
)
_PROGRAMME = st.fixed_dictionaries(
    {
        "stages": st.lists(st.sampled_from("2345"), min_size=1, max_size=3, unique=True),
        "who": st.sampled_from(["everyone", "recognised"]),
        "categories": st.lists(st.sampled_from(["1", "2", "5", "8"]), max_size=2, unique=True),
        "grades": st.lists(st.sampled_from(["25", "32", "41", "52"]), max_size=2, unique=True),
        "form": st.sampled_from(["", "four"]),
        "rank": st.integers(1, 5),
    }
)
_CHILD = st.fixed_dictionaries(
    {
        "grade": st.sampled_from(["25", "26", "32", "33", "41", "52"]),
        "boarding": st.sampled_from([True, False, None]),
        "held": st.lists(st.sampled_from(["1", "2", "5", "8", "9"]), max_size=3, unique=True),
        "recognised": st.none() | st.tuples(st.sampled_from(["2", "8", "9"]), st.sampled_from("123")),
        "had": st.lists(st.integers(0, 3), max_size=2, unique=True),
    }
)


@pytest.fixture
def bare(county: SmallCounty) -> SmallCounty:
    load_seeds()
    county.bring("class-roster", [LI], place="a", by="town-a")
    county.bring("hardship", [said(LI, "低保")], place="home", by="county")
    return county


def test_rule_and_tables_agree_on_random_children(bare: SmallCounty) -> None:
    row = UploadRow.objects.filter(facts__category="2").get()
    earlier = Term.objects.get(year__label="2025-2026", season="autumn")

    @settings(max_examples=40, deadline=None)
    @given(
        programmes=st.lists(st.tuples(_PROGRAMME, st.lists(_STANDARD, max_size=4)), min_size=4, max_size=4),
        pairs=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=3),
        children=st.lists(_CHILD, min_size=1, max_size=12),
    )
    def agree(programmes: list, pairs: list, children: list) -> None:  # type: ignore[type-arg]
        with transaction.atomic():
            _check(bare, row, earlier, programmes, pairs, children)
            transaction.set_rollback(True)

    agree()


def _check(county: SmallCounty, row: UploadRow, earlier: Term, programmes: list, pairs: list, children: list) -> None:  # type: ignore[type-arg]
    Entitlement.objects.all().delete()
    Enrolment.objects.all().delete()
    Exclusion.objects.all().delete()
    Programme.objects.update(closed_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    made = []
    for number, (fields, its_standards) in enumerate(programmes):
        if fields["who"] == "everyone":
            fields = fields | {"categories": []}
        programme = Programme.objects.create(key=f"p{number}", name=f"项目{number}", **fields)
        made.append(programme)
        for standard in {(s["stage"], s["boarding"], s["tier"], s["group"]): s for s in its_standards}.values():
            Standard.objects.create(programme=programme, from_term=4000, document="示例〔2000〕1号", **standard)
    for stands, yields in {pair for pair in pairs if pair[0] != pair[1]}:
        Exclusion.objects.create(stands=made[stands], yields=made[yields])
    any_standard = Standard.objects.create(
        programme=made[0], stage="6", amount=Decimal(1), per="once", from_term=4000, document="示例〔2000〕2号"
    )
    rank = dict(Category.objects.values_list("code", "rank"))
    by_child = {}
    for number, child in enumerate(children):
        student = Student.objects.create(name=f"学生{number}", school=county.primary_a, school_town=county.a)
        Enrolment.objects.create(
            student=student, term=county.term, school=county.primary_a, grade=child["grade"], boarding=child["boarding"],
            in_roster=True,
        )  # fmt: skip
        main = min(child["held"], key=lambda code: rank[code], default=None)
        for code in child["held"]:
            ChildCategory.objects.create(
                student=student, category=code, is_main=code == main, from_on=dt.date(2026, 9, 1), row=row,
                school=county.primary_a, school_town=county.a,
            )  # fmt: skip
        if child["recognised"]:
            category, tier = child["recognised"]
            Recognition.objects.create(
                student=student, year_id=county.term.year_id, term=county.term, school=county.primary_a,
                school_town=county.a, state="approved", category=category, tier=tier, applied_on=dt.date(2026, 9, 1),
                reviewed_on=dt.date(2026, 9, 2), recorded_by=county.user("school-a"), reviewed_by=county.user("town-a"),
                decided_by=county.user("county"), decided_at=dt.datetime(2026, 9, 3, tzinfo=dt.UTC),
            )  # fmt: skip
        for place in child["had"]:
            Entitlement.objects.create(
                student=student, programme=made[place], term=earlier, standard=any_standard, amount=Decimal(1), stage="6",
                school=county.primary_a,
            )  # fmt: skip
        by_child[student.pk] = eligibility.Facts(
            child["grade"], child["boarding"], tuple(child["held"]), child["recognised"],
            frozenset(made[place].pk for place in child["had"]),
        )  # fmt: skip
    entitlement.compute(county.term)
    rules, categories = entitlement.programmes_now(), entitlement.categories_now()
    number = term_number(2026, "autumn")
    expected = {
        (pk, one.programme, one.standard, one.amount, one.yields_to)
        for pk, facts in by_child.items()
        for one in eligibility.entitlements(facts, rules, categories, number)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT student_id, programme_id, standard_id, amount, yields_to_id FROM subsidies_entitlement WHERE term_id = %s",
            [county.term.pk],
        )
        assert set(cursor.fetchall()) == expected
