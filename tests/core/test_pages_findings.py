"""P14: numbers on file are offered without being shown, whole kinds are settled with one click, a stale edit says who was first."""

from __future__ import annotations

import re

import pytest

from eduaid.core.models import CellEdit, Finding, Upload, UploadRow
from tests.bad_inputs.outcomes import person, pupil, sent
from tests.core.workbooks import Raw, Value
from tests.small_county import SmallCounty, id_number

NUMBER = id_number("20150503", 2)


def page(county: SmallCounty, upload: Upload, *, by: str = "town-a", tab: str = "fix") -> str:
    answer = county.client(by).get(f"/imports/{upload.pk}/?tab={tab}")
    assert answer.status_code == 200
    return answer.content.decode()


def post(county: SmallCounty, upload: Upload, column: str, *, by: str = "town-a", number: int = 2, **data: str) -> str:
    row = UploadRow.objects.get(sheet__upload=upload, number=number)
    answer = county.client(by).post(f"/imports/{upload.pk}/rows/{row.pk}/{column}/", data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


MISTYPED = NUMBER[:16] + str((int(NUMBER[16]) + 3) % 10) + NUMBER[17:]


@pytest.mark.case("C10")
@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (MISTYPED, "990121**********2*"),
        (NUMBER[:15] + NUMBER[16] + NUMBER[15] + NUMBER[17:], None),
        (NUMBER[:17], "990121********0027"),
        (NUMBER.replace("0", "O", 1), "990121************"),
        (Raw(f'<c r="{{ref}}"><v>{NUMBER}</v></c>'), "990121**********27"),
        ("9.90121E+17", "990121********0027"),
        ("990121********0027", "99012120150503****"),
    ],
)
def test_the_number_on_file_is_offered_without_being_shown(county: SmallCounty, cell: Value, shown: str | None) -> None:
    county.take_force(sent(county, "population", [person(1), person(2, 姓名="王伟")]))
    upload = sent(county, "class-roster", [pupil(1, 身份证号=cell)])
    body = page(county, upload)
    if shown is None:  # the two digits are the same: nothing was swapped
        shown = re.findall(r"采用库内号码 ([\dX*]+)", body)[0]
    assert f"采用库内号码 {shown}</button>" in body
    assert NUMBER not in body
    post(county, upload, "id_number", candidate="0", seen="0")
    assert list(UploadRow.objects.filter(sheet__upload=upload).values_list("state", flat=True)) == ["A"]
    assert (
        UploadRow.objects.get(sheet__upload=upload).id_digest
        == UploadRow.objects.filter(number=2).earliest("pk").id_digest
    )


@pytest.mark.case("C01")
def test_a_number_on_file_under_another_name_is_not_offered(county: SmallCounty) -> None:
    county.take_force(sent(county, "population", [person(1)]))
    upload = sent(county, "class-roster", [pupil(1, 姓名="王伟", 身份证号=MISTYPED)])
    assert "采用库内号码" not in page(county, upload)
    assert "这个候选号码已经变化" in post(county, upload, "id_number", candidate="0", seen="0")
    assert not CellEdit.objects.exists()


def test_numbers_are_offered_to_the_sender_alone(county: SmallCounty) -> None:
    county.take_force(sent(county, "population", [person(1)]))
    upload = sent(county, "class-roster", [pupil(1, 身份证号=MISTYPED)])
    assert "采用库内号码" not in page(county, upload, by="county")


def test_a_stale_edit_is_told_who_changed_the_cell_and_to_what(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1, 年级="毕业班")])
    assert 'name="seen" value="0"' in page(county, upload)
    post(county, upload, "grade", by="county", value="六年级", seen="0")
    body = post(county, upload, "grade", value="五年级", seen="0")
    assert re.search(
        r"第 2 行『年级』在您打开页面之后已由county老师于 \d\d:\d\d 改为“六年级”，没有保存您填写的内容", body
    )
    assert UploadRow.objects.get().facts["grade"] == "26"
    row = UploadRow.objects.get()
    answer = county.client("town-a").post(
        f"/imports/{upload.pk}/rows/{row.pk}/grade/", {"value": "五年级", "seen": "0"}, headers={"HX-Request": "true"}
    )
    assert "已由county老师" in answer.content.decode()
    assert f'name="seen" value="{CellEdit.objects.get().pk}"' in answer.content.decode()


def test_the_same_word_is_put_right_everywhere(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(n, 民族="穿青" if n < 4 else "火星") for n in range(1, 6)])
    assert "内容相同的行都这样改" in page(county, upload)
    assert "内容相同的 3 行都已改好。" in post(county, upload, "ethnicity", value="其他", same="code-unknown")
    assert list(UploadRow.objects.order_by("number").values_list("state", flat=True)) == ["A", "A", "A", "W", "W"]


def test_what_the_program_proposes_is_adopted_for_all_rows_of_the_kind(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(n, 学校名称="水口镇蔡珠小学") for n in range(1, 4)])
    body = page(county, upload)
    assert "3 行都采用建议" in body
    client = county.client("town-a")
    client.post(f"/imports/{upload.pk}/answers/", {"code": "school-close", "column": "school_name", "answer": "adopt"})
    assert set(UploadRow.objects.values_list("state", "school__name")) == {("A", "水口镇蔡朱小学")}


def test_warnings_of_a_kind_are_marked_as_read(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(n, 年级="七年级") for n in range(1, 4)])
    assert "3 处都标为已阅" in page(county, upload, tab="warnings")
    client = county.client("town-a")
    data = {"code": "grade-not-of-school", "column": "grade", "level": "warning", "answer": "noted"}
    client.post(f"/imports/{upload.pk}/answers/", data)
    assert Finding.objects.filter(code="grade-not-of-school", answer="noted").count() == 3
    assert "已阅" in page(county, upload, tab="settled")
    refused = client.post(f"/imports/{upload.pk}/answers/", data | {"level": "error"}, follow=True)
    assert "不能只标为已阅" in refused.content.decode()


def test_forty_lines_with_all_their_buttons_stay_a_light_page(county: SmallCounty) -> None:
    county.take_force(sent(county, "population", [person(n) for n in range(1, 61)]))
    rows = [
        pupil(
            n,
            民族="火星",
            身份证号=(number := id_number("20150503", 2 * n))[:16] + str((int(number[16]) + 3) % 10) + number[17:],
        )
        for n in range(1, 61)
    ]
    upload = sent(county, "class-roster", rows)
    assert len(re.findall(r"<[a-z]", page(county, upload))) < 1500
