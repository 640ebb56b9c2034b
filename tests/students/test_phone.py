"""The pages of whoever answers for children: theirs and nobody else's, and the phone only on demand."""

from __future__ import annotations

from eduaid.core.models import AccessRecord
from students import responsibility
from students.models import Student
from tests.small_county import SmallCounty, id_number

SCHOOL = "水口镇蔡朱小学"


def pupil(name: str, number: int) -> dict[str, object]:
    return {
        "学校名称": SCHOOL,
        "年级": "三年级",
        "班级": "1班",
        "姓名": name,
        "身份证号": id_number("20160601", number),
        "监护人姓名": "李大山",
        "监护人电话": "13900990003",
    }


def test_a_teacher_has_cards_of_the_children_assigned_and_calls_the_family_on_record(county: SmallCounty) -> None:
    county.bring("class-roster", [pupil("李小雨", 12), pupil("王伟", 11)], place="a", by="town-a")
    client = county.client("teacher")
    assert "暂未分配" in client.get("/m/").content.decode()
    mine, other = Student.objects.get(name="李小雨"), Student.objects.get(name="王伟")
    responsibility.assign([mine.pk], to=county.user("teacher"), by=county.user("town-a"))
    assert [card.name for card in client.get("/m/").context["cards"]] == ["李小雨"]
    page = client.get(f"/m/{mine.public_id}/").content.decode()
    assert "李大山" in page
    assert "139****0003" in page
    assert "13900990003" not in page
    shown = client.post(f"/m/{mine.public_id}/phone/").content.decode()
    assert 'href="tel:13900990003"' in shown
    record = AccessRecord.objects.get(subject_id=mine.pk, action="reveal")
    assert record.user.username == "teacher"
    for path in (f"/m/{other.public_id}/", "/m/nobody/"):
        assert client.get(path).status_code == 404
    assert client.post(f"/m/{other.public_id}/phone/").status_code == 404
    assert county.client("auditor").get("/m/").status_code == 403
    assert county.client("town-a").get(f"/m/{mine.public_id}/").status_code == 404
