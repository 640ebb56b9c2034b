"""The template with everybody in it: unchanged rows stay unchanged, masked numbers stand for the sealed ones, 变动 says who left."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from eduaid.core import editing, intake, prefilled
from eduaid.core.lists import kind_of
from eduaid.core.models import AccessRecord, Departure, Finding, Upload, UploadRow
from eduaid.core.sealing import Opener
from students.models import Student
from tests.pipeline.test_lists_in_force import LI, PUPIL_LI, PUPIL_WANG
from tests.pipeline.test_marked_round_trip import soffice
from tests.small_county import SmallCounty, id_number

ZHAO = PUPIL_WANG | {"姓名": "赵小满", "身份证号": id_number("20140905", 22), "监护人电话": "13800990001"}
FIRST = 5  # title, two lines, header
HEADER = FIRST - 1


@pytest.fixture
def roster(county: SmallCounty) -> SmallCounty:
    county.bring("class-roster", [PUPIL_LI, PUPIL_WANG, ZHAO], place="a", by="town-a")
    return county


def template(county: SmallCounty, user: str = "town-a") -> bytes:
    response = county.client(user).get("/imports/prefilled/class-roster/")
    assert response.status_code == 200
    return bytes(response.content)


def sheet_of(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))["班级名册"]


def columns_of(sheet: Any) -> dict[str, str]:
    return {cell.value: cell.column_letter for cell in sheet[HEADER]}


def filled(data: bytes, change: Callable[[Any, dict[str, str]], None]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    change(book["班级名册"], columns_of(book["班级名册"]))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def row_of(sheet: Any, name: str) -> int:
    letter = columns_of(sheet)["姓名"]
    return next(row for row in range(FIRST, sheet.max_row + 1) if sheet[f"{letter}{row}"].value == name)


def send(county: SmallCounty, data: bytes, *, by: str = "town-a", place: str = "a") -> Upload:
    import datetime as dt

    return county.send("class-roster", [], place=place, by=by, files=[("预填.xlsx", data)], as_of=dt.date(2026, 9, 20))


def counts(upload: Upload) -> tuple[int, int, int, int]:
    return upload.rows_added, upload.rows_changed, upload.rows_missing, upload.rows_unchanged


def test_everybody_in_force_stands_there_with_masked_numbers_and_hidden_keys(roster: SmallCounty) -> None:
    data = template(roster)
    sheet = sheet_of(data)
    at = columns_of(sheet)
    row = row_of(sheet, "赵小满")
    assert {sheet[f"{at['姓名']}{number}"].value for number in range(FIRST, FIRST + 3)} == {"李小雨", "王伟", "赵小满"}
    assert sheet[f"{at['身份证件号']}{row}"].value == "990121************"
    assert sheet[f"{at['监护人电话']}{row}"].value == "138****0001"
    assert sheet[f"{at['学校名称']}{row}"].value == "水口镇蔡朱小学"
    assert sheet[f"{at['身份证件号']}{row}"].number_format == "@"
    assert sheet.column_dimensions[at["行标识（请勿改动）"]].hidden
    assert sheet[f"{at['行标识（请勿改动）']}{row}"].protection.locked
    assert not sheet[f"{at['姓名']}{row}"].protection.locked
    assert sheet.protection.sheet
    assert sheet.protection.password is None
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book["选项"].sheet_state == "hidden"
    numbers = (LI["身份证号"], PUPIL_WANG["身份证号"], ZHAO["身份证号"], "13800990001")
    assert not any(number in str(cell.value) for part in book for line in part for cell in line for number in numbers)


def test_drop_downs_offer_schools_grades_and_whereabouts(roster: SmallCounty) -> None:
    data = template(roster)
    sheet = sheet_of(data)
    choices = openpyxl.load_workbook(io.BytesIO(data))["选项"]
    lists = [[cell.value for cell in column if cell.value] for column in choices.columns]
    assert next(found for found in lists if "在读" in found)[:2] == ["在读", "小学毕业"]
    assert ["水口镇蔡朱小学", "水口镇初级中学"] in lists or ["水口镇初级中学", "水口镇蔡朱小学"] in lists
    assert {rule.type for rule in sheet.data_validations.dataValidation} == {"list", None}


def test_dropped_back_as_it_is_everybody_is_unchanged(roster: SmallCounty) -> None:
    upload = send(roster, template(roster))
    assert (upload.rows_read, upload.rows_accepted, upload.rows_waiting) == (3, 3, 0)
    assert counts(upload) == (0, 0, 0, 3)
    assert not Finding.objects.filter(code="columns-unknown", upload=upload).exists()
    row = UploadRow.objects.get(sheet__upload=upload, facts__name="赵小满")
    assert intake.delivered(row, Opener())["id_number"] == ZHAO["身份证号"]
    assert intake.delivered(row, Opener())["guardian_phone"] == "13800990001"
    roster.take_force(upload)
    assert Student.objects.listed().count() == 3


def test_only_what_is_typed_changes(roster: SmallCounty) -> None:
    def change(sheet: Any, at: dict[str, str]) -> None:
        sheet[f"{at['班级']}{row_of(sheet, '王伟')}"] = "3班"
        new = sheet.max_row + 1
        for header, value in {
            "学校名称": "水口镇蔡朱小学", "年级": "一年级", "班级": "1班", "姓名": "孙一", "身份证件号": id_number("20190905", 23)
        }.items():  # fmt: skip
            sheet[f"{at[header]}{new}"] = value

    upload = send(roster, filled(template(roster), change))
    assert counts(upload) == (1, 1, 0, 2)
    changed = UploadRow.objects.get(sheet__upload=upload, facts__name="王伟")
    assert changed.facts["class_name"] == "3班"
    assert intake.delivered(changed, Opener())["id_number"] == PUPIL_WANG["身份证号"]


def test_a_number_is_typed_only_when_it_changes(roster: SmallCounty) -> None:
    fresh = id_number("20140905", 24)

    def change(sheet: Any, at: dict[str, str]) -> None:
        sheet[f"{at['身份证件号']}{row_of(sheet, '赵小满')}"] = fresh

    upload = send(roster, filled(template(roster), change))
    row = UploadRow.objects.get(sheet__upload=upload, facts__name="赵小满")
    assert intake.delivered(row, Opener())["id_number"] == fresh


def without_number(county: SmallCounty) -> Student:
    """赵小满 came without a usable number and was let in as such."""
    row = {**ZHAO, "身份证号": ZHAO["身份证号"][:-1]}
    upload = county.send("class-roster", [PUPIL_LI, PUPIL_WANG, row], place="a", by="town-a")
    waiting = Finding.objects.get(upload=upload, row__isnull=False)
    editing.answer(waiting, answer="admit", by=county.user("town-a"))
    county.take_force(upload)
    return Student.objects.get(name="赵小满")


def test_who_has_no_number_is_known_by_the_key_and_not_asked_about_again(county: SmallCounty) -> None:
    child = without_number(county)
    upload = send(county, template(county))
    assert (upload.rows_read, upload.rows_accepted, upload.rows_waiting) == (3, 3, 0)
    assert counts(upload) == (0, 0, 0, 3)
    row = UploadRow.objects.get(sheet__upload=upload, facts__name="赵小满")
    assert (row.link.student_id, row.link.rule) == (child.pk, "key")
    kept = Finding.objects.get(upload=upload, row=row)
    assert (kept.code, kept.answer, kept.answered_by) == ("id-length", "admit", county.user("town-a"))
    # A correction of another cell leaves it so.
    editing.edit_cell(row, column="class", text="3班", by=county.user("town-a"))
    upload.refresh_from_db()
    assert (upload.rows_waiting, upload.rows_changed) == (0, 1)
    assert UploadRow.objects.get(pk=row.pk).link.student_id == child.pk


def test_a_number_that_is_only_now_known_goes_to_the_child_of_the_key(county: SmallCounty) -> None:
    child = without_number(county)

    def change(sheet: Any, at: dict[str, str]) -> None:
        sheet[f"{at['身份证件号']}{row_of(sheet, '赵小满')}"] = ZHAO["身份证号"]

    upload = send(county, filled(template(county), change))
    assert (upload.rows_waiting, upload.rows_changed, upload.rows_added) == (0, 1, 0)
    county.take_force(upload)
    assert Student.objects.get(name="赵小满").pk == child.pk
    assert child.identifiers.count() == 1


def test_another_name_in_the_row_of_a_key_is_asked_about(county: SmallCounty) -> None:
    without_number(county)

    def change(sheet: Any, at: dict[str, str]) -> None:
        sheet[f"{at['姓名']}{row_of(sheet, '赵小满')}"] = "钱大丰"

    upload = send(county, filled(template(county), change))
    assert upload.rows_waiting == 1
    assert not UploadRow.objects.filter(sheet__upload=upload, facts__name="钱大丰", link__isnull=False).exists()


def test_whoever_left_is_not_taken_and_the_whereabouts_are_said(roster: SmallCounty) -> None:
    def change(sheet: Any, at: dict[str, str]) -> None:
        sheet[f"{at['变动']}{row_of(sheet, '王伟')}"] = "死亡"
        sheet[f"{at['变动']}{row_of(sheet, '李小雨')}"] = "在读"
        sheet[f"{at['变动']}{row_of(sheet, '赵小满')}"] = "不知道什么"

    upload = send(roster, filled(template(roster), change))
    assert counts(upload) == (0, 0, 1, 2)
    assert (upload.rows_accepted, upload.rows_refused) == (2, 1)
    said = Departure.objects.get(upload=upload)
    assert (said.row.facts["name"], said.code, said.by) == ("王伟", "B1", roster.user("town-a"))
    assert Finding.objects.get(upload=upload, code="row-left").params["change"] == "死亡"
    assert UploadRow.objects.get(findings__code="change-unknown").facts["name"] == "赵小满"
    assert not AccessRecord.objects.filter(action="refused").exists()
    roster.take_force(upload)
    assert set(Student.objects.listed().values_list("name", flat=True)) == {"李小雨", "赵小满"}


def test_whoever_left_without_a_key_is_told(roster: SmallCounty) -> None:
    def change(sheet: Any, at: dict[str, str]) -> None:
        row = row_of(sheet, "王伟")
        sheet[f"{at['变动']}{row}"] = "死亡"
        sheet[f"{at['行标识（请勿改动）']}{row}"] = None

    upload = send(roster, filled(template(roster), change))
    assert Finding.objects.get(upload=upload, code="row-left-unknown").params == {
        "code": "B1",
        "change": "死亡",
        "row": None,
    }
    assert (upload.rows_missing, Departure.objects.get(upload=upload).code) == (1, "")


def test_a_school_that_everybody_left_is_empty_afterwards(roster: SmallCounty) -> None:
    def change(sheet: Any, at: dict[str, str]) -> None:
        for name in ("王伟", "李小雨", "赵小满"):
            sheet[f"{at['变动']}{row_of(sheet, name)}"] = "小学毕业"

    upload = send(roster, filled(template(roster), change))
    assert counts(upload) == (0, 0, 3, 0)


def test_a_key_used_twice_is_told_and_lends_its_number_once(roster: SmallCounty) -> None:
    def change(sheet: Any, at: dict[str, str]) -> None:
        copied = [cell.value for cell in sheet[row_of(sheet, "王伟")]]
        new = sheet.max_row + 1
        for cell, value in zip(sheet[new], copied, strict=False):
            cell.value = value
        sheet[f"{at['姓名']}{new}"] = "孙一"

    upload = send(roster, filled(template(roster), change))
    row = UploadRow.objects.get(findings__code="key-twice")
    assert (row.facts["name"], row.state, row.id_digest) == ("孙一", "W", None)
    assert Finding.objects.get(code="key-twice").params == {"first": FIRST + 1}
    assert counts(upload) == (0, 0, 0, 3)


def test_a_key_of_another_place_opens_nothing(roster: SmallCounty) -> None:
    other = {**PUPIL_LI, "学校名称": "石洲乡中心小学", "姓名": "钱多", "身份证号": id_number("20150601", 31)}
    roster.bring("class-roster", [other], place="b", by="town-b")
    theirs = sheet_of(template(roster, "town-b"))
    key = theirs[f"{columns_of(theirs)['行标识（请勿改动）']}{FIRST}"].value

    def change(sheet: Any, at: dict[str, str]) -> None:
        sheet[f"{at['行标识（请勿改动）']}{row_of(sheet, '王伟')}"] = key
        sheet[f"{at['行标识（请勿改动）']}{row_of(sheet, '赵小满')}"] = "EA-" + "B" * 26

    upload = send(roster, filled(template(roster), change))
    found = Finding.objects.filter(upload=upload, code="key-foreign")
    assert {finding.row.facts["name"] for finding in found if finding.row} == {"王伟", "赵小满"}
    assert (
        not UploadRow.objects.filter(sheet__upload=upload, id_digest__isnull=False)
        .exclude(facts__name="李小雨")
        .exists()
    )


def test_it_survives_libreoffice(roster: SmallCounty, tmp_path: Path) -> None:
    saved = soffice(template(roster), "xlsx", tmp_path)
    assert counts(send(roster, saved)) == (0, 0, 0, 3)
    at = columns_of(sheet_of(saved))
    assert sheet_of(saved).column_dimensions[at["行标识（请勿改动）"]].hidden
    assert sheet_of(saved).protection.sheet


def test_a_school_gets_its_own_pupils_with_its_name_locked(roster: SmallCounty) -> None:
    roster.bring(
        "class-roster",
        [
            {
                **PUPIL_LI,
                "学校名称": "水口镇初级中学",
                "年级": "七年级",
                "姓名": "周大",
                "身份证号": id_number("20130601", 31),
            }
        ],
        place="junior_a",
        by="town-a",
    )
    sheet = sheet_of(template(roster, "school-a"))
    at = columns_of(sheet)
    names = {sheet[f"{at['姓名']}{row}"].value for row in range(FIRST, sheet.max_row + 1)} - {None}
    assert names == {"李小雨", "王伟", "赵小满"}
    assert sheet[f"{at['学校标识码']}{FIRST}"].value == "2199000001"
    assert sheet[f"{at['学校名称']}{FIRST}"].protection.locked


def test_the_card_offers_it_once_somebody_is_in_force_and_it_is_logged(roster: SmallCounty) -> None:
    page = roster.client("town-a").get("/imports/").content.decode()
    assert 'href="/imports/prefilled/class-roster/"' in page
    assert 'href="/imports/prefilled/population/"' not in page
    template(roster)
    record = AccessRecord.objects.get(purpose="下载预填模板")
    assert (record.user.username, record.action, record.rows) == ("town-a", "export", 3)
    assert roster.client("school-a").get("/imports/prefilled/population/").status_code == 404
    assert roster.client("leader").get("/imports/prefilled/class-roster/").status_code == 403


def test_the_poverty_register_and_the_population_can_be_prefilled_too(county: SmallCounty) -> None:
    county.bring("population", [LI], place="a", by="town-a")
    data = prefilled.workbook(kind_of("population"), county.a, schools=[]).data
    sheet = openpyxl.load_workbook(io.BytesIO(data))["户籍人口"]
    assert sheet[f"A{HEADER}"].value == "变动"
    upload = county.send("population", [], place="a", by="town-a", files=[("预填.xlsx", data)])
    assert counts(upload) == (0, 0, 0, 1)
