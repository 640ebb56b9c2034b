"""Clear rows are decided by one statement (students.rosters.destination); it must say what students.linking says."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection, transaction

from students.linking import Ambiguous, Candidate, Matched, NotFound, match
from students.rosters import destination
from tests.small_county import SmallCounty, id_number

SCHOOL = {"学校名称": "水口镇蔡朱小学", "年级": "五年级", "班级": "1班"}
LI, WANG, ZHAO = id_number("20150503", 12), id_number("20140601", 11), id_number("20150910", 21)
NEW = id_number("20150101", 31)


def pupil(name: str, number: str = "", **more: str) -> Mapping[str, str]:
    given = {"姓名": name, "身份证件号": number, "出生日期": "", "学籍号": "", "曾用名": ""} | more
    return SCHOOL | {header: value for header, value in given.items() if value or header == "姓名"}


ON_FILE = [
    pupil("李小雨", LI, 学籍号=f"G{LI}"),
    pupil("王伟", WANG, 曾用名="王大伟", 学籍号=f"G{WANG}"),
    pupil("赵敏", ZHAO),
]
ASKED = {
    "same": pupil("李小雨", LI, 出生日期="2015-05-03"),
    "former name": pupil("王大伟", WANG),
    "another name": pupil("李大雨", LI),
    "now with a former name": pupil("赵小敏", ZHAO, 曾用名="赵敏"),
    "new": pupil("孙悦", NEW),
    "namesake with a number": pupil("李小雨", id_number("20150503", 14), 出生日期="2015-05-03"),
    "numbers of two": pupil("李小雨", LI, 学籍号=f"G{WANG}"),
    "registry number only": pupil("王伟", 学籍号=f"G{WANG}"),
    "registry number of an ID on file": pupil("赵敏", 学籍号=f"G{ZHAO}"),
    "registry number of nobody": pupil("周一", 学籍号=f"G{id_number('20150202', 41)}"),
    "no number": pupil("吴二", 出生日期="2015-02-02"),
}


def test_clear_rows_are_decided_as_matching_decides_them(county: SmallCounty) -> None:
    county.bring("class-roster", ON_FILE, place="a", by="town-a")
    upload = county.send("class-roster", list(ASKED.values()), place="a", by="town-a")
    with transaction.atomic(), connection.cursor() as cursor:
        destination.CHILDREN.forget(upload)
        upload.rows.update(state="A")
        destination._undecided(upload)
        cursor.execute(
            "SELECT a.*, d.rule, d.student_id FROM list_asked a JOIN list_decided d USING (id) ORDER BY a.id"
        )
        found = cursor.fetchall()
        rows = []
        for pk, name, former, birth, *numbers, _, _ in found:
            id_digest, registry, embedded = (bytes(number) if number else None for number in numbers)
            rows.append(Candidate(pk, name, former, birth, id_digest, registry, embedded))
        on_file = destination._file_for(rows)
    assert len(rows) == len(ASKED)
    decided = {}
    for what, row, (*_, rule, student) in zip(ASKED, rows, found, strict=True):
        answer = match(row, on_file)
        match rule:
            case "new":
                assert isinstance(answer, NotFound), what
            case "id" | "registry":
                assert answer == Matched(student, rule), what
            case _:
                assert rule == ""
        decided[what] = (rule, type(answer))
    assert decided == {
        "same": ("id", Matched),
        "former name": ("id", Matched),
        "another name": ("", Ambiguous),
        "now with a former name": ("id", Matched),
        "new": ("new", NotFound),
        "namesake with a number": ("new", NotFound),
        "numbers of two": ("", Ambiguous),
        "registry number only": ("registry", Matched),
        "registry number of an ID on file": ("", Matched),
        "registry number of nobody": ("", NotFound),
        "no number": ("", Ambiguous),
    }
