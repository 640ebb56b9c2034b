import pytest

from eduaid.core import codes
from eduaid.core.cells import Cell
from eduaid.core.text import GRADES, Parsed, Problem, parse_class, parse_grade


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("一年级", "21"),
        ("1年级", "21"),
        ("1", "21"),
        (1.0, "21"),
        ("一", "21"),
        ("小一", "21"),
        ("小学一年级", "21"),
        ("六年级", "26"),
        ("小六", "26"),
        ("七年级", "31"),
        ("初一", "31"),
        ("初中一年级", "31"),
        ("初一年级", "31"),
        ("7", "31"),
        ("九年级", "33"),
        ("初三", "33"),
        ("高一", "41"),
        ("高中三年级", "43"),
        ("普高二", "42"),
        ("中职一", "51"),
        ("职高二年级", "52"),
        ("中专三年级", "53"),
        ("小班", "11"),
        ("幼儿园中班", "12"),
        ("大班", "13"),
        ("学前班", "13"),
        ("本科", "62"),
        ("大一", "62"),
        ("21-一年级", "21"),
        ("31", "31"),
        ("三年级2班", "23"),
        ("三（2）班", "23"),
        ("八(3)班", "32"),
        ("高一(12)班", "41"),
        ("803", "32"),
        ("一（２）班", "21"),
    ],
)
def test_every_usual_form_of_a_grade_is_read(cell: Cell, code: str) -> None:
    answer = parse_grade(cell)
    assert isinstance(answer, Parsed)
    assert answer.value.code == code


@pytest.mark.parametrize(
    ("cell", "is_bare"),
    [("1", True), ("一年级", True), ("一(2)班", True), ("小一", False), ("21-一年级", False), ("七年级", False)],
)
def test_a_grade_says_whether_only_a_year_was_written(cell: str, is_bare: bool) -> None:
    answer = parse_grade(cell)
    assert isinstance(answer, Parsed)
    assert answer.value.is_bare == is_bare


@pytest.mark.parametrize(
    ("cell", "stage", "code"),
    [
        ("小（1）班", "", "11"),
        ("中2班", "", "12"),
        ("大(一)班", "", "13"),
        ("大班（2）班", "", "13"),
        ("小一班", "1", "11"),
        ("三年级上", "", "23"),
        ("八年级（下学期）", "", "32"),
    ],
)
def test_classes_of_kindergartens_and_terms_behind_a_grade_are_read(cell: str, stage: str, code: str) -> None:
    answer = parse_grade(cell, stage=stage)
    assert isinstance(answer, Parsed)
    assert answer.value.code == code


@pytest.mark.parametrize(("cell", "stage"), [("小一班", ""), ("小一班", "2"), ("大(1)班", "2")])
def test_a_class_that_may_be_of_a_kindergarten_or_a_primary_school_is_asked(cell: str, stage: str) -> None:
    assert parse_grade(cell, stage=stage) == Problem("grade-form")


@pytest.mark.parametrize(
    ("cell", "stage", "code"),
    [
        ("1", "3", "31"),
        ("一年级", "3", "31"),
        ("2", "4", "42"),
        ("二", "5", "52"),
        ("七年级", "2", "31"),
        ("1", "2", "21"),
    ],
)
def test_the_stage_decides_what_a_bare_number_means(cell: str, stage: str, code: str) -> None:
    answer = parse_grade(cell, stage=stage)
    assert isinstance(answer, Parsed)
    assert answer.value.code == code


@pytest.mark.parametrize(
    ("cell", "stage", "code"),
    [
        ("2023级", "2", "23"),
        ("2025级", "3", "31"),
        ("23级", "3", "33"),
        ("小学2023级", "", "23"),
        ("初2024级", "", "32"),
        ("2024", "4", "42"),
    ],
)
def test_a_cohort_needs_stage_and_school_year(cell: str, stage: str, code: str) -> None:
    answer = parse_grade(cell, stage=stage, school_year=2025)
    assert isinstance(answer, Parsed)
    assert (answer.value.code, answer.note) == (code, "grade-year")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2023级", "grade-year"),
        ("11", "grade-stage"),
        ("十年级", "grade-stage"),
        ("托班", "grade-form"),
        ("2023届", "grade-form"),
    ],
)
def test_grades_that_could_be_several_are_asked(cell: str, code: str) -> None:
    answer = parse_grade(cell)
    assert isinstance(answer, Problem)
    assert (answer.code, answer.level) == (code, "ask")


def test_a_cohort_that_has_left_the_stage_is_an_error() -> None:
    assert parse_grade("2015级", stage="2", school_year=2025) == Problem("grade-outside")


def test_the_grades_are_those_of_the_code_table() -> None:
    assert {code: grade.label for code, grade in GRADES.items()} == {entry.code: entry.label for entry in codes.GRADE}
    assert {grade.stage for grade in GRADES.values()} == {entry.code for entry in codes.STAGE}


@pytest.mark.parametrize(
    ("cell", "label", "number", "grade"),
    [
        ("1", "1班", 1, None),
        ("一班", "1班", 1, None),
        ("1班", "1班", 1, None),
        ("（2）班", "2班", 2, None),
        (2.0, "2班", 2, None),
        ("十二班", "12班", 12, None),
        ("三年级2班", "2班", 2, "23"),
        ("三(2)班", "2班", 2, "23"),
        ("803", "3班", 3, "32"),
        ("8.3", "3班", 3, "32"),
        ("高一(12)班", "12班", 12, "41"),
        ("2023级1班", "1班", 1, None),
        ("火箭班", "火箭班", None, None),
        ("小班", "小班", None, "11"),
        ("A1", "A1", None, None),
    ],
)
def test_every_usual_form_of_a_class_is_read(cell: Cell, label: str, number: int | None, grade: str | None) -> None:
    answer = parse_class(cell)
    assert isinstance(answer, Parsed)
    found = answer.value
    assert (found.label, found.number, found.grade.code if found.grade else None) == (label, number, grade)


def test_a_class_that_is_only_digits_too_many_is_asked() -> None:
    assert parse_class("1701") == Problem("class-form")
