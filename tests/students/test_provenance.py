"""Where a value comes from: the row of the first kind in the precedence that speaks of it, or the correction over it."""

from __future__ import annotations

import datetime as dt

from eduaid.core import uploads
from eduaid.core.scope import EVERYTHING, Scope
from students import actions, provenance, timeline
from students.models import Student
from tests.small_county import SmallCounty, id_number

NUMBER = id_number("20150503", 12)
LI = {"姓名": "李小雨", "身份证号": NUMBER, "性别": "女", "户籍地址": "示例县水口镇东风村"}
PUPIL = {
    "学校名称": "蔡朱小学",
    "年级": "五年级",
    "班级": "1班",
    "姓名": "李小雨",
    "身份证号": NUMBER,
    "民族": "汉族",
    "出生日期": "2015-05-03",
}


def told(child: Student, concept: str) -> tuple[str, str | None]:
    origin = provenance.of(child, EVERYTHING).origins[concept]
    return origin.value, origin.source.kind if origin.source else None


def test_each_concept_names_the_most_trusted_list_that_speaks_of_it(county: SmallCounty) -> None:
    county.bring("population", [LI], place="a", by="town-a")
    county.bring("class-roster", [PUPIL], place="a", by="town-a", name="名册.xlsx")
    child = Student.objects.get()
    assert told(child, "name") == ("李小雨", "population")
    assert told(child, "birth") == ("2015-05-03", "class-roster")
    assert told(child, "ethnicity") == ("汉族", "class-roster")
    assert told(child, "hukou") == ("水口镇东风村", "population")
    assert told(child, "schooling") == ("水口镇蔡朱小学 五年级 1班", "class-roster")
    assert told(child, "id") == ("990121************", "population")
    assert told(child, "boarding") == ("", None)
    sources = provenance.of(child, EVERYTHING).sources
    assert [(s.kind, s.file, s.sheet, s.line) for s in sources] == [
        ("population", "名单.xlsx", "Sheet1", 2),
        ("class-roster", "名册.xlsx", "Sheet1", 2),
    ]

    # A reader who cannot see the population row must not be told that the name comes from the roster.
    seen = provenance.of(child, Scope(False, frozenset(), frozenset({county.primary_a.pk})))
    source = seen.origins["name"].source
    assert source is not None
    assert (source.kind, source.in_scope) == ("population", False)
    assert [s.kind for s in seen.visible_sources()] == ["class-roster"]


def test_a_row_that_is_held_in_force_stays_the_source_beside_the_one_that_waits(county: SmallCounty) -> None:
    county.bring("class-roster", [PUPIL], place="a", by="town-a")
    other = PUPIL | {"姓名": "王伟", "身份证号": id_number("20140601", 11), "出生日期": "2014-06-01"}
    broken = PUPIL | {"身份证号": NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2")}
    county.bring("class-roster", [other, broken], place="a", by="town-a", as_of=dt.date(2026, 9, 20))
    child = Student.objects.get(name="李小雨")
    held = provenance.of(child, EVERYTHING).picked("class-roster")
    assert held is not None
    assert (held.effective_on, held.is_held) == (dt.date(2026, 9, 10), True)
    assert told(child, "schooling") == ("水口镇蔡朱小学 五年级 1班", "class-roster")


def test_history_tells_each_change_with_its_list_or_its_reason(county: SmallCounty) -> None:
    county.bring("class-roster", [PUPIL], place="a", by="town-a")
    child = Student.objects.get()
    second = county.bring(
        "class-roster", [PUPIL | {"年级": "六年级"}], place="a", by="town-a", as_of=dt.date(2026, 9, 20)
    )
    actions.correct(child, concept="sex", values={"sex": "2"}, by=county.user("data"), reason="户口簿")
    uploads.undo(second, by=county.user("leader"), reason="传错了文件")
    moments = timeline.of(child, EVERYTHING, responsible=True).moments
    assert [(m.title, m.by, m.reason, m.text) for m in moments] == [
        (
            "班级名册名单 2 号撤回",
            "leader老师",
            "传错了文件",
            "就读学校与班级：水口镇蔡朱小学 六年级 1班 → 水口镇蔡朱小学 五年级 1班",
        ),
        ("更正", "data老师", "户口簿", "性别：（空） → 女"),
        (
            "班级名册名单 2 号生效",
            "leader老师",
            "",
            "就读学校与班级：水口镇蔡朱小学 五年级 1班 → 水口镇蔡朱小学 六年级 1班",
        ),
        ("建档：班级名册名单 1 号生效", "leader老师", "", ""),
    ]


def test_the_page_says_what_is_wrong_with_a_record_and_lets_the_administrator_decide(county: SmallCounty) -> None:
    first = county.bring("class-roster", [PUPIL], place="a", by="town-a")
    child = Student.objects.get()
    path = f"/students/{child.public_id}/"
    values = {"school_id": county.primary_a.pk, "grade": "26", "class_name": "1班"}
    made = actions.correct(child, concept="schooling", values=values, by=county.user("data"), reason="学校来函")
    third = county.bring(
        "class-roster", [PUPIL | {"年级": "四年级"}], place="a", by="town-a", as_of=dt.date(2026, 9, 20)
    )
    client = county.client("data")
    page = client.get(path).content.decode()
    assert "「就读学校与班级」的更正与新名单不一致" in page
    assert "水口镇蔡朱小学 四年级 1班" in page
    assert "更正：data老师" in page
    assert "请决定" not in county.client("county").get(path).content.decode()

    decide = f"/students/{child.public_id}/corrections/{made.pk}/"
    refused = client.post(decide, {f"c{made.pk}-choice": "give-way", f"c{made.pk}-reason": ""})
    assert "请填写「依据」" in refused.content.decode()
    assert client.post(decide, {f"c{made.pk}-choice": "give-way", f"c{made.pk}-reason": "名册对"}).status_code == 302
    child.refresh_from_db()
    assert child.grade == "24"

    for upload in (third, first):
        uploads.undo(upload, by=county.user("leader"), reason="传错了文件")
    assert "来源已撤回：现在没有一份生效的名单" in client.get(path).content.decode()
    assert client.get("/students/").context["rows"] == []
    assert [row.name for row in client.get("/students/?lists=withdrawn").context["rows"]] == ["李小雨"]

    canonical = Student.objects.create(name="李小雨", school=county.primary_a, school_town=county.a)
    Student.objects.filter(pk=child.pk).update(merged_into=canonical)
    page = client.get(path).content.decode()
    assert f'href="/students/{canonical.public_id}/"' in page
    assert "此处只供查看" in page
