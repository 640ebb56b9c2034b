"""Bad cells, case by case: the workbook is built, goes through the real intake, and every staged row is told in full.

Rows are never guessed right: what cannot be read in one way waits for a person, and its facts lack that value.
"""

from __future__ import annotations

import datetime as dt

import pytest

from eduaid.core import editing, intake
from eduaid.core.models import Finding, School, UploadRow
from eduaid.core.review import said
from eduaid.core.rows import id_digest
from eduaid.core.sealing import Opener, digest
from eduaid.core.text import IdNumber, guard_formula, restore_formula
from students.models import Student
from tests.bad_inputs.outcomes import ACCEPTED, WAITING, notes, outcomes, person, pupil, sent, taken
from tests.core.workbooks import Raw, delimited, xlsx
from tests.small_county import SmallCounty, id_number

NUMBER = id_number("20150503", 2)


def of(number: str) -> bytes:
    return id_digest(IdNumber(number))


def number_cell(text: str) -> Raw:
    return Raw(f'<c r="{{ref}}"><v>{text}</v></c>')


def formula(value: str) -> Raw:
    return Raw(f'<c r="{{ref}}" t="str"><f>A1</f><v>{value}</v></c>')


NO_RESULT = Raw('<c r="{ref}"><f>A1</f></c>')


def error(code: str) -> Raw:
    return Raw(f'<c r="{{ref}}" t="e"><v>{code}</v></c>')


def text(value: str) -> Raw:
    """A text cell whose XML is as given: `_x0001_` is how a workbook writes a control character."""
    return Raw(f'<c r="{{ref}}" t="inlineStr"><is><t>{value}</t></is></c>')


# --- identity numbers -------------------------------------------------------------------------------------------


@pytest.mark.case("C01")
def test_a_number_cell_has_lost_its_last_digits_even_where_the_check_digit_fits(county: SmallCounty) -> None:
    # 990121201505034000 would pass the check digit: one rounded number in eleven does.
    rounded = ["990121201505030000", "990121201505034000", "362331201209012000"]
    found = taken(county, "class-roster", [pupil(n, 身份证号=number_cell(v)) for n, v in enumerate(rounded, 1)])
    assert [row.said for row in found] == [(WAITING, "id_number:id-damaged")] * 3
    assert [row.id_digest for row in found] == [None] * 3
    assert [row.facts.get("id_prefix") for row in found] == [None] * 3


@pytest.mark.case("C01")
def test_a_rounded_number_that_became_text_is_never_taken_by_itself(county: SmallCounty) -> None:
    fitting = next(
        n for d in range(1, 29) for s in "123456789" if (n := id_number(f"201505{d:02d}", int(s) * 100))[-3:] == "000"
    )
    rows = [pupil(1, 身份证号="990121201505031000"), pupil(2, 身份证号=fitting, 出生日期=None, 性别=None)]
    upload = sent(county, "class-roster", rows)
    assert [row.said for row in outcomes(upload)] == [
        (WAITING, "id_number:id-damaged"),
        (WAITING, "id_number:id-zeros"),
    ]
    # Whoever has looked at the papers may say that the number is right.
    editing.answer(Finding.objects.get(code="id-zeros"), answer="confirm", by=county.user("town-a"))
    assert [row.said for row in outcomes(upload)][1] == (ACCEPTED,)
    assert outcomes(upload)[1].id_digest == of(fitting)


@pytest.mark.case("C02")
def test_scientific_notation_is_not_expanded(county: SmallCounty) -> None:
    forms = ["3.62331E+17", "9.90121E+17", "9.90121201505030E17", number_cell("9.9012120150503002E17")]
    found = taken(county, "class-roster", [pupil(n, 身份证号=v) for n, v in enumerate(forms, 1)])
    assert [row.said for row in found] == [(WAITING, "id_number:id-damaged")] * 4
    assert all(row.id_digest is None for row in found)


@pytest.mark.case("C03")
def test_a_number_cell_is_not_believed_even_if_the_file_spells_all_digits(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1, 身份证号=number_cell(NUMBER))])
    [row] = outcomes(upload)
    assert row.said == (WAITING, "id_number:id-damaged")
    # Shown are the fifteen digits that a spreadsheet keeps, not digits that nobody typed.
    assert row.cells["id_number"] == "990121201505030000"


@pytest.mark.case("C05")
def test_text_forced_by_an_apostrophe_or_a_formula_is_text(county: SmallCounty) -> None:
    rows = [
        pupil(1, 身份证号="'" + id_number("20150503", 2)),
        pupil(2, 身份证号=f'="{id_number("20150503", 4)}"'),
        pupil(3, 身份证号=formula(id_number("20150503", 6))),
    ]
    upload = sent(county, "class-roster", rows)
    assert [row.said for row in outcomes(upload)] == [(ACCEPTED,)] * 3
    assert [row.id_digest for row in outcomes(upload)] == [of(id_number("20150503", n)) for n in (2, 4, 6)]
    assert notes(upload) == {"id_number:unquoted": 2}


@pytest.mark.case("C06")
def test_full_width_digits_are_read_and_the_delivered_cell_is_kept(county: SmallCounty) -> None:
    number = next(n for s in range(2, 60, 2) if (n := id_number("20150503", s)).endswith("X"))
    wide = "".join(chr(ord(char) + 0xFEE0) for char in number)
    upload = sent(county, "class-roster", [pupil(1, 身份证号=wide)])
    [row] = outcomes(upload)
    assert (row.said, row.id_digest, row.cells["id_number"]) == ((ACCEPTED,), of(number), wide)
    assert notes(upload) == {"id_number:half-width": 1}


@pytest.mark.case("C07")
def test_a_small_x_becomes_a_capital_one(county: SmallCounty) -> None:
    number = next(n for s in range(2, 60, 2) if (n := id_number("20150503", s)).endswith("X"))
    upload = sent(county, "class-roster", [pupil(1, 身份证号=number.lower())])
    [row] = outcomes(upload)
    assert (row.said, row.id_digest) == ((ACCEPTED,), of(number))
    assert notes(upload) == {"id_number:upper-case": 1}


@pytest.mark.case("C08")
def test_spaces_and_invisible_characters_go_from_numbers_and_the_ends_of_names(county: SmallCounty) -> None:
    hidden = ["\u00a0", "\u3000", "\u200b", "\ufeff", "\u202a", "\u202e", "\t", "\n"]
    numbers = [id_number("20150503", 2 * n) for n in range(1, len(hidden) + 1)]
    rows = [
        pupil(n, 姓名=f"{char}王伟{char}", 身份证号=f"{char}{number[:6]}{char}{number[6:14]} {number[14:]}{char}")
        for n, (char, number) in enumerate(zip(hidden, numbers, strict=True), 1)
    ]
    found = taken(county, "class-roster", rows)
    assert [row.said for row in found] == [(ACCEPTED,)] * 8
    assert [row.id_digest for row in found] == [of(number) for number in numbers]
    assert {row.facts["name"] for row in found} == {"王伟"}


@pytest.mark.case("C08")
def test_two_spaces_inside_a_name_are_asked_with_the_reading_that_is_probably_meant(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1, 姓名="王  伟")])
    [row] = outcomes(upload)
    assert (row.said, "name" in row.facts) == ((WAITING, "name:name-spaces"), False)
    [sentence] = said(upload, Finding.objects.filter(code="name-spaces").select_related("row", "sheet"), in_full=True)
    assert sentence.text == "第 2 行『姓名』现为“王  伟”，姓名中间有多个空格。确认姓名是否为“王伟”。"


@pytest.mark.case("C09")
def test_letters_and_strokes_in_a_number_are_not_guessed_away(county: SmallCounty) -> None:
    forms = [
        NUMBER.replace("0", "O", 1),
        NUMBER.replace("1", "l", 1),
        NUMBER[:17] + "*",
        f"{NUMBER[:6]}-{NUMBER[6:14]}-{NUMBER[14:]}",
    ]
    found = taken(county, "class-roster", [pupil(n, 身份证号=v) for n, v in enumerate(forms, 1)])
    assert [row.said for row in found] == [(WAITING, "id_number:id-characters")] * 4
    assert all(row.id_digest is None for row in found)


def mistyped(number: str, place: int = 16) -> str:
    return number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]


@pytest.mark.case("C10")
def test_a_wrong_digit_and_two_swapped_ones_wait(county: SmallCounty) -> None:
    swapped = NUMBER[:15] + NUMBER[16] + NUMBER[15] + NUMBER[17:]
    upload = sent(county, "class-roster", [pupil(1, 身份证号=mistyped(NUMBER)), pupil(2, 身份证号=swapped)])
    found = outcomes(upload)
    assert [row.said for row in found] == [(WAITING, "id_number:id-check"), (WAITING, "id_number:id-check")]
    assert [row.id_digest for row in found] == [None, None]


@pytest.mark.case("C10")
def test_a_child_may_go_in_with_a_number_to_be_corrected_which_matches_nobody(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1, 身份证号=mistyped(NUMBER))])
    editing.answer(Finding.objects.get(code="id-check"), answer="admit", by=county.user("town-a"))
    [row] = outcomes(upload)
    assert (row.said, row.id_digest, row.facts["id_to_correct"]) == ((ACCEPTED,), None, True)
    county.take_force(upload)
    student = Student.objects.get()
    assert (student.name, student.id_digest, student.in_roster) == ("李小雨", None, True)


@pytest.mark.case("C11")
def test_fifteen_digits_are_asked_of_adults_and_refused_for_children(county: SmallCounty) -> None:
    [row] = taken(county, "class-roster", [pupil(1, 身份证号="990121150503001")])
    assert row.said == (WAITING, "id_number:id-15-child")
    household = {"乡镇": "水口镇", "行政村": "东风村", "户编号": "1", "与户主关系": "户主", "姓名": "李大山"}
    found = taken(
        county,
        "poverty-register",
        [
            {**household, "身份证号": "990121500503001", "出生日期": "1950-05-03"},
            {**household, "户编号": "2", "身份证号": "990121500503002", "出生日期": "2010-05-03"},
        ],
    )
    assert [row.said for row in found] == [(WAITING, "id_number:id-15"), (WAITING, "id_number:id-15-child")]
    assert [row.id_digest for row in found] == [None, None]


@pytest.mark.case("C12")
def test_numbers_of_other_lengths_and_words_instead_of_numbers_wait(county: SmallCounty) -> None:
    forms = {
        NUMBER[:17]: "id-length",
        NUMBER + "1": "id-length",
        "张" + NUMBER[1:]: "id-other",
        "无": "id-none",
        "未办理": "id-none",
        "同上": "id-none",
        "1": "id-none",
    }
    found = taken(county, "class-roster", [pupil(n, 身份证号=v) for n, v in enumerate(forms, 1)])
    assert [row.said for row in found] == [(WAITING, f"id_number:{code}") for code in forms.values()]
    assert all(row.id_digest is None for row in found)


@pytest.mark.case("C12")
def test_a_child_without_papers_goes_in_by_the_registry_number(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1, 身份证件类型="其他", 身份证号=None, 学籍号="J990121201505030018")])
    [row] = outcomes(upload)
    assert (row.said, row.id_digest) == ((ACCEPTED,), None)


@pytest.mark.case("C13")
def test_a_registry_number_is_read_in_its_own_column_only(county: SmallCounty) -> None:
    rows = [
        pupil(1, 身份证号="G" + NUMBER),
        pupil(2, 学籍号="G" + id_number("20150503", 4)),
        pupil(3, 学籍号="L990121201505030018"),
        pupil(4, 学籍号="G" + mistyped(id_number("20150503", 8))),
        pupil(5, 学籍号=id_number("20150503", 10)),
        pupil(6, 学籍号="G12345"),
        pupil(7, 学籍号="g" + id_number("20150503", 14)),
        pupil(8, 学籍号="G" + id_number("20150503", 4)[:-4] + id_number("20150503", 18)[-4:]),
    ]
    found = taken(county, "class-roster", rows)
    assert [row.said for row in found] == [
        (WAITING, "id_number:id-xueji"),
        (ACCEPTED,),
        (ACCEPTED,),
        (WAITING, "registry_number:xueji-embedded"),
        (WAITING, "registry_number:xueji-id"),
        (WAITING, "registry_number:xueji-form"),
        (ACCEPTED,),
        (ACCEPTED,),
    ]
    # A formal number keeps the ID of its day: a difference is legal, and pointed out.
    assert [row.warnings for row in found][7] == ("registry_number:registry-not-of-id",)
    registered = list(
        UploadRow.objects.filter(registry_digest__isnull=False).order_by("number").values_list("number", flat=True)
    )
    assert registered == [3, 4, 8, 9]


@pytest.mark.case("C14")
def test_other_papers_are_read_by_their_type(county: SmallCounty) -> None:
    residence = id_number("20150503", 1, prefix="810000")
    rows = [
        pupil(1, 身份证件类型="港澳台居民居住证", 身份证号=residence, 性别="男"),
        pupil(2, 身份证件类型="护照", 身份证号="E12345678"),
        pupil(3, 身份证件类型="外国人永久居留证", 身份证号="911234567890123"),
        pupil(4, 身份证件类型=None, 身份证号="E12345678"),
        pupil(5, 身份证件类型="居民身份证", 身份证号="E12345678"),
        pupil(6, 身份证件类型="台胞证", 身份证号="12345678"),
        pupil(7, 身份证件类型="火星证", 身份证号=id_number("20150503", 14)),
    ]
    found = taken(county, "class-roster", rows)
    assert [row.said for row in found] == [
        (ACCEPTED,),
        (ACCEPTED,),
        (ACCEPTED,),
        (WAITING, "id_number:id-type"),
        (WAITING, "id_number:id-type"),
        (ACCEPTED,),
        (WAITING, "id_kind:code-unknown"),
    ]
    assert [row.facts.get("id_type") for row in found] == ["1", "A", "9", None, None, "8", "1"]
    # The same characters of another type are another number.
    assert found[1].id_digest == digest("id", "A:E12345678")


@pytest.mark.case("C15")
def test_an_unknown_region_is_only_pointed_out(county: SmallCounty) -> None:
    rows = [pupil(1, 身份证号=id_number("20150503", 2, prefix="362399")), pupil(2)]
    found = taken(county, "class-roster", rows)
    assert [(row.state, row.warnings) for row in found] == [
        (ACCEPTED, ("id_number:id-region-unknown",)),
        (ACCEPTED, ()),  # the county's own code is known, even if no published list has it
    ]


@pytest.mark.case("C33")
def test_a_masked_number_is_no_number(county: SmallCounty) -> None:
    forms = ["362331********2345", "990121XXXXXXXX0027", NUMBER[:14] + "****"]
    found = taken(county, "class-roster", [pupil(n, 身份证号=v) for n, v in enumerate(forms, 1)])
    assert [row.said for row in found] == [(WAITING, "id_number:id-masked")] * 3


# --- dates ------------------------------------------------------------------------------------------------------


@pytest.mark.case("C16")
def test_dates_that_can_be_read_in_one_way_are_read_and_the_others_asked(county: SmallCounty) -> None:
    read = [
        "2015.5.3",
        "2015-5-3",
        "20150503",
        "2015年5月3日",
        "2015/05/03",
        "２０１５．５．３",
        20150503,
        "二〇一五年五月三日",
    ]
    found = taken(county, "class-roster", [pupil(n, 出生日期=v) for n, v in enumerate(read, 1)])
    assert [(row.said, row.facts["birth_on"]) for row in found] == [((ACCEPTED,), "2015-05-03")] * 8


@pytest.mark.case("C16")
def test_dates_with_something_missing_or_impossible_wait(county: SmallCounty) -> None:
    doubtful = {
        "15.5.3": "date-century",
        "2015/13/01": "date-invalid",
        "2015-02-30": "date-invalid",
        "2015年": "date-month",
        "3/5/2015": "date-order",
        "不详": "date-form",
    }
    found = taken(county, "class-roster", [pupil(n, 出生日期=v) for n, v in enumerate(doubtful, 1)])
    assert [row.said for row in found] == [(WAITING, f"birth:{code}") for code in doubtful.values()]
    assert ["birth_on" in row.facts for row in found] == [False] * 6


@pytest.mark.case("C16")
def test_a_missing_day_comes_from_a_number_of_the_same_month_and_from_nothing_else(county: SmallCounty) -> None:
    rows = [pupil(1, 出生日期="2015年5月"), pupil(2, 出生日期="2015年6月"), pupil(3, 出生日期="2015.5", 身份证号="无")]
    found = taken(county, "class-roster", rows)
    assert [row.facts.get("birth_on") for row in found] == ["2015-05-03", None, None]
    assert [row.said for row in found] == [
        (ACCEPTED,),
        (WAITING, "birth:date-day"),
        (WAITING, "birth:date-day", "id_number:id-none"),
    ]


@pytest.mark.case("C17")
def test_serial_numbers_count_from_the_epoch_of_the_workbook(county: SmallCounty) -> None:
    [row] = taken(county, "class-roster", [pupil(1, 出生日期=42127)])
    assert (row.said, row.facts["birth_on"]) == ((ACCEPTED,), "2015-05-03")


@pytest.mark.case("C17")
def test_the_epoch_of_1904_is_followed_and_checked_against_the_number(county: SmallCounty) -> None:
    rows = [pupil(1, 出生日期=42127 - 1462), pupil(2, 出生日期=dt.date(2015, 5, 3)), pupil(3, 出生日期=42127)]
    upload = sent(county, "class-roster", rows, date_1904=True)
    found = outcomes(upload)
    assert [row.facts["birth_on"] for row in found] == ["2015-05-03", "2015-05-03", "2019-05-04"]
    assert [row.said for row in found] == [(ACCEPTED,), (ACCEPTED,), (WAITING, "birth:birth-epoch")]


@pytest.mark.case("C18")
def test_dates_that_spreadsheets_cannot_hold_wait(county: SmallCounty) -> None:
    cells = {
        "1900-02-29": "date-invalid",
        60: "date-serial",
        -5: "date-serial",
        42127.5: "date-time",
        25569.5: "date-time",
        2958466: "date-serial",
    }
    found = taken(county, "class-roster", [pupil(n, 出生日期=v) for n, v in enumerate(cells, 1)])
    assert [row.said for row in found] == [(WAITING, f"birth:{code}") for code in cells.values()]
    styled = [Raw(f'<c r="{{ref}}" s="1"><v>{serial}</v></c>') for serial in (-5, 60, 2958466)]
    found = taken(
        county, "class-roster", [pupil(n, 出生日期=v) for n, v in enumerate(styled, 1)], by="county", place="home"
    )
    assert [row.said for row in found] == [(WAITING, "birth:date-serial")] * 3


@pytest.mark.case("C19")
def test_birth_and_sex_must_be_those_of_the_number_and_neither_side_is_changed(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1, 出生日期="2015-05-04"), pupil(2, 性别="男")])
    found = outcomes(upload)
    assert [row.said for row in found] == [(WAITING, "birth:birth-not-of-id"), (WAITING, "sex:sex-not-of-id")]
    assert (found[0].facts["birth_on"], found[0].id_digest) == ("2015-05-04", of(NUMBER))
    assert (found[1].facts["sex"], found[1].id_digest) == ("1", of(id_number("20150503", 4)))
    first = Finding.objects.filter(code="birth-not-of-id").select_related("row", "sheet")
    assert (
        said(upload, first, in_full=True)[0].text
        == "第 2 行『出生日期』现为“2015-05-04”，与身份证号中的出生日期（2015-05-03）不一致。请改为2015-05-03，或核对身份证号。"
    )


# --- names ------------------------------------------------------------------------------------------------------


@pytest.mark.case("C20")
def test_every_middle_dot_is_one_dot_and_the_delivered_name_stays(county: SmallCounty) -> None:
    dots = "·•．・‧∙.。"
    found = taken(county, "class-roster", [pupil(n, 姓名=f"阿依古丽{dot}买买提") for n, dot in enumerate(dots, 1)])
    assert [row.said for row in found] == [(ACCEPTED,)] * 8
    assert {(row.facts["name"], row.facts["name_key"]) for row in found} == {("阿依古丽·买买提", "阿依古丽买买提")}
    assert [row.cells["name"] for row in found] == [f"阿依古丽{dot}买买提" for dot in dots]


@pytest.mark.case("C21")
def test_a_name_spread_by_a_space_is_the_name(county: SmallCounty) -> None:
    found = taken(county, "class-roster", [pupil(1, 姓名="王 伟"), pupil(2, 姓名="王　伟"), pupil(3, 姓名="王伟")])
    assert [(row.said, row.facts["name"], row.facts["name_key"]) for row in found] == [
        ((ACCEPTED,), "王伟", "王伟")
    ] * 3


@pytest.mark.case("C22")
def test_rare_characters_stay_and_characters_of_one_computer_are_asked(county: SmallCounty) -> None:
    rare = ["王𠮷", "王𫖯", "王䶮", "王㛃", "王\U00030edd", "王\U000313a0"]
    found = taken(county, "class-roster", [pupil(n, 姓名=v) for n, v in enumerate(rare, 1)])
    assert [(row.said, row.facts["name"]) for row in found] == [((ACCEPTED,), name) for name in rare]


@pytest.mark.case("C22")
def test_private_characters_go_in_unchanged_when_a_person_says_so(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1, 姓名="王\ue123"), pupil(2, 姓名="王\uf8ff")])
    assert [row.said for row in outcomes(upload)] == [(WAITING, "name:name-private")] * 2
    for finding in Finding.objects.filter(code="name-private"):
        editing.answer(finding, answer="confirm", by=county.user("town-a"))
    assert [(row.said, row.facts["name"]) for row in outcomes(upload)] == [
        ((ACCEPTED,), "王\ue123"),
        ((ACCEPTED,), "王\uf8ff"),
    ]


@pytest.mark.case("C23")
def test_variant_characters_are_stored_as_written_and_compared_as_one(county: SmallCounty) -> None:
    names = ["黃大裡", "⼤明", "\uf90a明", "黄大里"]
    found = taken(county, "class-roster", [pupil(n, 姓名=v) for n, v in enumerate(names, 1)])
    assert [row.said for row in found] == [(ACCEPTED,)] * 4
    assert [row.facts["name"] for row in found] == ["黃大裡", "⼤明", "金明", "黄大里"]
    assert [row.facts["name_key"] for row in found] == ["黄大里", "大明", "金明", "黄大里"]
    assert [row.cells["name"] for row in found] == names


@pytest.mark.case("C41")
def test_names_in_other_scripts_are_stored_as_they_are(county: SmallCounty) -> None:
    names = ["ئايگۈل", "བཀྲ་ཤིས", "ꆈꌠ", "Айгүл"]
    found = taken(county, "class-roster", [pupil(n, 姓名=v) for n, v in enumerate(names, 1)])
    assert [(row.said, row.facts["name"]) for row in found] == [((ACCEPTED,), name) for name in names]


# --- formulas, errors, characters that are none ----------------------------------------------------------------


@pytest.mark.case("C26")
def test_a_formula_counts_by_its_result_and_without_one_it_is_not_an_empty_cell(county: SmallCounty) -> None:
    columns = ["学校名称", "年级", "班级", "姓名", "性别", "出生日期", "身份证号"]
    rows = [pupil(1, 姓名=formula("王伟")), *(pupil(n, **{column: NO_RESULT}) for n, column in enumerate(columns, 2))]
    rows.append(pupil(9, 备注=NO_RESULT))
    found = taken(county, "class-roster", rows)
    assert (found[0].said, found[0].facts["name"]) == ((ACCEPTED,), "王伟")
    keys = ["school_name", "grade", "class", "name", "sex", "birth", "id_number", "note"]
    assert [row.state for row in found[1:]] == [WAITING] * 8
    assert [row.errors[0] for row in found[1:]] == [f"{key}:cell-uncached" for key in keys]


@pytest.mark.case("C27")
def test_text_that_looks_like_a_formula_is_text_and_leaves_guarded(county: SmallCounty) -> None:
    payloads = ["=cmd|' /C calc'!A0", '=HYPERLINK("http://x.example","点")', "+1+1", "-1+1", "@SUM(1)", "＝1+1"]
    found = taken(county, "class-roster", [pupil(n, 班主任=v) for n, v in enumerate(payloads, 1)])
    assert [(row.said, row.facts["class_teacher"]) for row in found] == [((ACCEPTED,), payload) for payload in payloads]
    assert [guard_formula(row.facts["class_teacher"]) for row in found] == ["'" + payload for payload in payloads]
    assert [restore_formula(guard_formula(payload)) for payload in payloads] == payloads
    [name, tab] = taken(
        county, "class-roster", [pupil(1, 姓名=payloads[0]), pupil(2, 姓名="\t王伟")], by="county", place="home"
    )
    assert (name.said, tab.said, tab.facts["name"]) == ((WAITING, "name:name-digits"), (ACCEPTED,), "王伟")


@pytest.mark.case("C28")
def test_failed_formulas_wait_in_every_column_also_as_pasted_text(county: SmallCounty) -> None:
    codes = ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!"]
    rows = [pupil(n, 姓名=error(code)) for n, code in enumerate(codes, 1)]
    rows += [pupil(n, 班主任=code) for n, code in enumerate(codes, 6)]
    rows += [
        pupil(11, 学校名称=error("#N/A")),
        pupil(12, 身份证号="#N/A"),
        pupil(13, 出生日期="#VALUE!"),
        pupil(14, 班级="#REF!"),
    ]
    found = taken(county, "class-roster", rows)
    assert [row.state for row in found] == [WAITING] * 14
    assert [row.errors[0] for row in found] == [
        *["name:cell-error"] * 5,
        *["class_teacher:cell-error"] * 5,
        "school_name:cell-error",
        "id_number:cell-error",
        "birth:cell-error",
        "class:cell-error",
    ]


@pytest.mark.case("C39")
def test_control_characters_and_endless_cells_wait_and_break_nothing(county: SmallCounty) -> None:
    rows = [
        pupil(1, 姓名=text("王_x0001_伟")),
        pupil(2, 姓名=text("王_x0000_伟")),
        pupil(3, 姓名=text("王_xD800_伟")),
        pupil(4, 姓名="王" * 32_767),
        pupil(5, 备注=text("好_x0000_")),
        pupil(6, 备注="好" * 32_767),
    ]
    found = taken(county, "class-roster", rows)
    assert [row.said for row in found] == [
        (WAITING, "name:cell-control"),
        (WAITING, "name:cell-control"),
        (WAITING, "name:name-digits"),  # half a character is nothing, so the text stays as it stands in the file
        (WAITING, "name:cell-length"),
        (WAITING, "note:cell-control"),
        (WAITING, "note:cell-length"),
    ]
    assert [row.cells["name"] for row in found][3] == "王" * 32_767


# --- values out of lists ----------------------------------------------------------------------------------------


@pytest.mark.case("C29")
def test_yes_and_no_are_read_by_their_column(county: SmallCounty) -> None:
    cells = {
        True: True, False: False, "是": True, "否": False, "√": True, "×": False, "有": True, "无": False,
        "Y": True, "N": False, "1 ": True, "0 ": False, "TRUE": True,
    }  # fmt: skip
    found = taken(county, "class-roster", [pupil(n, 是否孤儿=v) for n, v in enumerate(cells, 1)])
    assert [(row.said, row.facts["orphan"]) for row in found] == [((ACCEPTED,), value) for value in cells.values()]
    doubtful = ["○", "2", "也许", "是/否"]
    found = taken(
        county, "class-roster", [pupil(n, 是否孤儿=v) for n, v in enumerate(doubtful, 1)], by="county", place="home"
    )
    assert [(row.said, "orphan" in row.facts) for row in found] == [((WAITING, "orphan:flag-form"), False)] * 4


@pytest.mark.case("C29")
def test_a_digit_that_is_a_code_here_and_a_yes_there_is_asked(county: SmallCounty) -> None:
    rows = [pupil(n, 是否寄宿=v) for n, v in enumerate(["1", 1, "0", "√", "是", "否", True, "寄宿", "无"], 1)]
    found = taken(county, "class-roster", rows)
    assert [row.facts.get("boarding") for row in found] == [None, None, None, True, True, False, True, True, None]
    assert [row.errors for row in found] == [
        *[("boarding:code-several",)] * 3, (), (), (), (), (), ("boarding:code-unknown",)
    ]  # fmt: skip
    rows = [pupil(n, 是否留守儿童=v) for n, v in enumerate(["0", "1", "2", "是", "双亲留守儿童"], 1)]
    found = taken(county, "class-roster", rows, by="county", place="home")
    assert [row.facts.get("left_behind") for row in found] == ["0", None, None, "3", "2"]
    assert [row.errors for row in found] == [(), *[("left_behind:code-several",)] * 2, (), ()]


def held_in_cell(row: UploadRow, key: str) -> str:
    return intake.delivered(row, Opener())[key]


@pytest.mark.case("C32")
def test_telephone_numbers_are_read_where_nothing_is_lost(county: SmallCounty) -> None:
    cells = {
        number_cell("1.3807970001E10"): (),
        13807970001: (),
        "138 0797 0001": (),
        "13807970001、13907970002": (),
        "13807970001/13907970002": (),
        "无": (),
        "138****8888": ("phone:phone-masked",),
        "1.3807E+10": ("phone:phone-form",),
        "1380797": (),  # a local number; the column says so in a hint
        "138079700011": ("phone:phone-form",),
    }
    upload = sent(county, "class-roster", [pupil(n, 联系电话=v) for n, v in enumerate(cells, 1)])
    found = outcomes(upload)
    assert [row.errors for row in found] == [*list(cells.values())[:8], ("phone:phone-form",), ("phone:phone-form",)]
    assert notes(upload) == {"phone:phone-form": 1, "phone:phone-several": 2, "phone:none-said": 1}
    assert not any("phone" in row.facts for row in found)


@pytest.mark.case("C35")
def test_grades_are_read_in_every_usual_form(county: SmallCounty) -> None:
    primary = {
        "一": "21", "1": "21", 1: "21", "1年级": "21", "小一": "21", "一（2）班": "21", "2023级": "24", "三年级上": "23",
        "三年级": "23", "301": "23",
    }  # fmt: skip
    found = taken(
        county,
        "class-roster",
        [pupil(n, 年级=v, 出生日期=None) for n, v in enumerate(primary, 1)],
    )
    assert [(row.said, row.facts["grade"]) for row in found] == [((ACCEPTED,), code) for code in primary.values()]
    junior = {"七年级": "31", "初一": "31", "7": "31", "1": "31", "2025级": "32", "初三（1）班": "33"}
    found = taken(
        county,
        "class-roster",
        [
            pupil(n, 学校名称="水口镇初级中学", 年级=v, 出生日期="2012-05-03", 身份证号=id_number("20120503", 2 * n))
            for n, v in enumerate(junior, 1)
        ],
        by="county",
        place="home",
    )
    assert [(row.said, row.facts["grade"]) for row in found] == [((ACCEPTED,), code) for code in junior.values()]


@pytest.mark.case("C35")
def test_kindergarten_classes_are_read_and_grades_that_say_nothing_are_asked(county: SmallCounty) -> None:
    School.objects.create(code="1199000001", name="水口镇中心幼儿园", stages=["1"], town=county.a)
    small = {"小（1）班": ("11", "1班"), "中2班": ("12", "2班"), "大一班": ("13", "1班"), "学前班": ("13", "")}
    rows = [
        pupil(
            n, 学校名称="水口镇中心幼儿园", 年级=v, 班级=v, 出生日期="2021-05-03", 身份证号=id_number("20210503", 2 * n)
        )
        for n, v in enumerate(small, 1)
    ]
    found = taken(county, "class-roster", rows)
    assert [(row.said, row.facts["grade"], row.facts["class_name"]) for row in found] == [
        ((ACCEPTED,), "11", "1班"),
        ((ACCEPTED,), "12", "2班"),
        ((ACCEPTED,), "13", "1班"),
        ((ACCEPTED,), "13", "学前班"),
    ]
    rows = [pupil(n, 年级=v) for n, v in enumerate(["毕业班", "快班", "十年级", "2023届", "小一班"], 1)]
    found = taken(county, "class-roster", rows, by="county", place="home")
    assert [(row.state, row.errors[0].split(":")[0], "grade" in row.facts) for row in found] == [
        (WAITING, "grade", False)
    ] * 5


@pytest.mark.case("C36")
def test_ethnic_groups_are_read_by_name_and_code_and_unknown_ones_asked(county: SmallCounty) -> None:
    cells = {"汉": "01", "汉族": "01", "01": "01", 1: "01", "01-汉族": "01", "维吾尔": "05", "其他": "97"}
    found = taken(county, "class-roster", [pupil(n, 民族=v) for n, v in enumerate(cells, 1)])
    assert [(row.said, row.facts["ethnicity"]) for row in found] == [((ACCEPTED,), code) for code in cells.values()]
    found = taken(
        county,
        "class-roster",
        [pupil(n, 民族=v) for n, v in enumerate(["穿青人", "火星族", "99"], 1)],
        by="county",
        place="home",
    )
    assert [(row.said, "ethnicity" in row.facts) for row in found] == [((WAITING, "ethnicity:code-unknown"), False)] * 3


@pytest.mark.case("C37")
def test_a_school_is_found_by_the_one_name_that_fits_and_never_made(county: SmallCounty) -> None:
    before = School.objects.count()
    names = {
        "水口镇蔡朱小学": "",
        "蔡朱小学": "",
        "示例县水口镇蔡朱小学": "",
        "小学": "school-close",
        "中心小学": "school-close",
        "石洲乡蔡朱小学": "school-close",
        "水口镇蔡珠小学": "school-close",
        "水口镇蔡朱小学教学点": "school-close",
        "水口镇": "school-several",
        "火星学院": "school-unknown",
    }
    upload = sent(county, "class-roster", [pupil(n, 学校名称=v) for n, v in enumerate(names, 1)])
    found = outcomes(upload)
    assert [row.errors[0].split(":")[1] if row.errors else "" for row in found] == list(names.values())
    assert [row.facts.get("school_id") for row in found] == [county.primary_a.pk] * 3 + [None] * 7
    misspelt = Finding.objects.get(number=8, code="school-close")
    assert misspelt.params == {"suggestion": "水口镇蔡朱小学"}
    assert School.objects.count() == before


# --- the same things in a text file -----------------------------------------------------------------------------


@pytest.mark.case("C01")
@pytest.mark.case("C02")
def test_numbers_damaged_before_they_were_saved_as_text_are_still_damaged(county: SmallCounty) -> None:
    rows = [["姓名", "身份证号", "户籍地址"]]
    rows += [
        ["李小雨", number, "示例县水口镇东风村"]
        for number in ("9.90121E+17", "990121201505031000", id_number("20150503", 2))
    ]
    upload = county.send("population", [], files=[("名单.csv", delimited(rows))], place="a", by="town-a")
    assert [row.said for row in outcomes(upload)] == [
        (WAITING, "id_number:id-damaged"),
        (WAITING, "id_number:id-damaged"),
        (ACCEPTED,),
    ]


def test_an_address_beyond_the_county_is_not_taken_for_the_townships_own(county: SmallCounty) -> None:
    rows = [
        person(1),
        person(2, 户籍地址="外省外市外县外镇"),
        person(3, 户籍地址=None),
        person(4, 户籍地址="幸福小区3号楼"),
    ]
    upload = sent(county, "population", rows)
    found = outcomes(upload)
    assert [row.said for row in found] == [
        (ACCEPTED,),
        (WAITING, "hukou_address:hukou-outside"),
        (ACCEPTED,),
        (WAITING, "hukou_address:region-unknown"),
    ]
    editing.answer(Finding.objects.get(code="hukou-outside"), answer="confirm", by=county.user("town-a"))
    assert outcomes(upload)[1].said == (ACCEPTED,)


def test_nothing_of_a_bad_workbook_is_lost(county: SmallCounty) -> None:
    """Every row that was read is staged in one state, and its cells are there as they came."""
    rows = [pupil(1), pupil(2, 姓名=error("#N/A")), pupil(3, 身份证号=number_cell(NUMBER)), pupil(4, 年级="毕业班")]
    upload = county.send(
        "class-roster",
        [],
        files=[("a.xlsx", xlsx({"S": [list(rows[0]), *(list(r.values()) for r in rows)]}))],
        place="a",
        by="town-a",
    )
    assert (upload.rows_read, upload.rows_accepted, upload.rows_waiting) == (4, 1, 3)
    assert [held_in_cell(row, "grade") for row in UploadRow.objects.order_by("number")] == ["五年级"] * 3 + ["毕业班"]
