"""学年更替: who goes up, who graduates and where to, in one go; taken back but for whom the new rosters name."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from django.db.models import Q

from eduaid.core.models import SchoolYear
from eduaid.core.uploads import NotAllowed
from students import moving, turning
from students.models import Student, Turned, YearTurn
from students.models.movements import Kind
from students.moving import Request
from students.turning import CannotTurn
from tests.small_county import SmallCounty, id_number

A, JUNIOR = "水口镇蔡朱小学", "水口镇初级中学"
SPRING, AUTUMN = dt.date(2026, 3, 10), dt.date(2026, 9, 10)


def pupil(name: str, number: int, school: str, grade: str) -> dict[str, object]:
    return {"学校名称": school, "年级": grade, "班级": "1班", "姓名": name, "身份证号": id_number("20150601", number)}


PUPILS = [
    pupil("李小雨", 12, A, "三年级"),
    pupil("王伟", 11, A, "三年级"),
    pupil("张三丰", 13, A, "三年级"),
    pupil("陈明", 14, A, "六年级"),
    pupil("刘芳", 15, A, "六年级"),
    pupil("赵刚", 16, JUNIOR, "九年级"),
]


@pytest.fixture
def classes(county: SmallCounty) -> SmallCounty:
    """A third and a sixth grade in A's primary school, one ninth grader in its junior school; as the spring's roster has them."""
    county.bring("class-roster", PUPILS, place="a", by="town-a", as_of=SPRING)
    return county


def year() -> SchoolYear:
    return SchoolYear.objects.get(label="2026-2027")


def outcomes(turn: YearTurn) -> Counter[tuple[str, str]]:
    return Counter(Turned.objects.filter(turn=turn, withdrawn_at=None).values_list("outcome", "to_grade"))


def suspend(county: SmallCounty, name: str) -> None:
    request = Request(
        kind=Kind.SUSPENSION,
        from_on=dt.date(2026, 8, 1),
        until_on=dt.date(2027, 6, 30),
        reason="骨折",
        papers=["application", "hospital"],
    )
    made = moving.propose(Student.objects.get(name=name), request, by=county.user("town-a"))
    moving.accept(made, by=county.user("leader"), document_no="教基〔2026〕12号")


def test_a_township_goes_up_in_one_go_and_the_undo_keeps_whom_the_new_roster_names(classes: SmallCounty) -> None:
    head = classes.user("town-a")
    suspend(classes, "张三丰")
    turn = turning.prepare(classes.a, year(), by=head)
    assert outcomes(turn) == {("up", "24"): 2, ("away", "23"): 1, ("graduate", ""): 3}
    assert turning.hold_back(turn, Q(student__name="王伟"), back=True, by=head) == 1
    assert outcomes(turn) == {("up", "24"): 1, ("stay", "23"): 1, ("away", "23"): 1, ("graduate", ""): 3}
    with pytest.raises(CannotTurn, match="还有 3 名毕业生"):
        turning.apply(turn, by=head)
    assert turning.send(turn, Q(grade="26"), destination="J", by=head) == 2
    assert turning.send(turn, Q(student__name="刘芳"), destination="Z", note="随父母外出", by=head) == 1
    with pytest.raises(CannotTurn, match="不适用于所选的毕业年级"):
        turning.send(turn, Q(grade="33"), destination="J", by=head)
    turning.send(turn, Q(grade="33"), destination="V", by=head)
    assert not Turned.objects.in_force().exists()
    assert turning.apply(turn, by=head) == 6
    told = {row.student.name: row.destination for row in Turned.objects.in_force().filter(outcome="graduate")}
    assert told == {"陈明": "J", "刘芳": "Z", "赵刚": "V"}
    # The lists stay the source: nothing is written to the child.
    assert Student.objects.get(name="李小雨").grade == "23"

    # The next roster misses the graduates; what was said of them is proposed.
    rows = [pupil("李小雨", 12, A, "四年级"), pupil("王伟", 11, A, "三年级"), pupil("张三丰", 13, A, "三年级")]
    upload = classes.send("class-roster", rows, place="primary_a", by="school-a", as_of=AUTUMN)
    from eduaid.core.models import Departure

    proposed = {one.row.facts["name"]: one for one in Departure.objects.filter(upload=upload).select_related("row")}
    assert proposed["陈明"].proposed == "G1"
    assert "学年更替时已毕业，去向：升入初中" in proposed["陈明"].basis
    classes.take_force(upload)

    shown = turning.undoing(YearTurn.objects.get(pk=turn.pk))
    assert (shown.withdrawn, shown.kept, sorted(shown.kept_names)) == (3, 3, ["张三丰", "李小雨", "王伟"])
    turning.undo(turn, by=head, reason="办早了")
    assert outcomes(turn) == {("up", "24"): 1, ("stay", "23"): 1, ("away", "23"): 1}
    assert YearTurn.objects.get(pk=turn.pk).state == "undone"
    # Whose school has sent the new roster is not turned again; the others are.
    again = turning.prepare(classes.a, year(), by=head)
    assert outcomes(again) == {("graduate", ""): 1}
    turning.drop(again, by=head)
    assert not Turned.objects.filter(turn=again).exists()


def test_a_place_is_turned_once_and_a_stale_preview_is_refused(classes: SmallCounty) -> None:
    head = classes.user("town-a")
    first = turning.prepare(classes.primary_a, year(), by=classes.user("school-a"))
    assert outcomes(first).total() == 5
    second = turning.prepare(classes.primary_a, year(), by=head)
    assert (outcomes(first).total(), outcomes(second).total()) == (0, 5)
    turning.send(second, Q(), destination="J", by=head)
    Student.objects.filter(name="李小雨").update(grade="25")
    with pytest.raises(CannotTurn, match="1 名学生的学校或年级已不同"):
        turning.apply(second, by=head)
    Student.objects.filter(name="李小雨").update(grade="23")
    turning.apply(second, by=head)
    with pytest.raises(CannotTurn, match="没有需要升级的学生"):
        turning.prepare(classes.primary_a, year(), by=head)
    with pytest.raises(CannotTurn, match="不能再改"):
        turning.hold_back(second, Q(), back=True, by=head)
    for name in ("town-b", "teacher", "auditor"):
        with pytest.raises(NotAllowed):
            turning.prepare(classes.a, year(), by=classes.user(name))


def test_the_pages_lead_from_the_preview_to_the_undo(classes: SmallCounty) -> None:
    client = classes.client("town-a")
    client.post("/turns/new/", {"place": "990121001", "year": str(year().pk)})
    turn = YearTurn.objects.get()
    page = client.get(f"/turns/{turn.pk}/")
    assert [(row.label, row.becomes, row.told.up, row.told.graduate) for row in page.context["rows"]] == [
        (f"{A} 三年级1班", "四年级", 3, 0),
        (f"{A} 六年级1班", "毕业", 0, 2),
        (f"{JUNIOR} 九年级1班", "毕业", 0, 1),
    ]
    assert page.context["totals"] == [3, 3, 0, 0, 3]
    listed = client.get(page.context["rows"][0].url)
    assert [row.name for row in listed.context["rows"]] == ["李小雨", "王伟", "张三丰"]
    ticked = [str(listed.context["rows"][0].pk)]
    client.post(f"/turns/{turn.pk}/set/", {"do": "stay", "row": ticked, "class": listed.context["key"]})
    for group, code in ((page.context["rows"][1].key, "J"), (page.context["rows"][2].key, "S")):
        client.post(f"/turns/{turn.pk}/set/", {"do": "send", "group": group, "destination": code})
    assert client.get(f"/turns/{turn.pk}/").context["totals"] == [2, 3, 1, 0, 0]
    assert "已办理，共 6 人" in client.post(f"/turns/{turn.pk}/apply/", follow=True).content.decode()
    assert "6 人的升级、毕业和毕业去向不再有效" in client.get(f"/turns/{turn.pk}/undo/").content.decode()
    done = client.post(f"/turns/{turn.pk}/undo/", {"reason": "办早了"}, follow=True)
    assert "已撤销 6 人的升级和毕业" in done.content.decode()
    for name, status in {"town-b": 404, "school-a": 404, "county": 200, "auditor": 200, "teacher": 403}.items():
        assert classes.client(name).get(f"/turns/{turn.pk}/").status_code == status, name
    assert classes.client("town-b").post(f"/turns/{turn.pk}/apply/").status_code == 404
