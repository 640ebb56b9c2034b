"""The second wall: what a connection with a township's scope cannot see, whatever the query forgot; and append-only history."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from eduaid.core.models import AccessRecord, Finding, Upload, UploadRow, UploadSheet
from eduaid.core.scope import NOTHING, Scope, row_security
from students.models import Correction, Enrolment, Household, Identifier, IdentityLink, Student
from tests.pipeline.test_lists_in_force import LI, PUPIL_LI, WANG
from tests.small_county import SmallCounty, id_number

ZHOU = {
    "姓名": "周外",
    "身份证号": id_number("20140101", 21),
    "性别": "男",
    "户籍地址": "示例县石洲乡船形村",
    "户号": "B-1",
}


@pytest.fixture
def two_towns(county: SmallCounty) -> SmallCounty:
    county.bring("population", [LI | {"户号": "A-1"}, WANG | {"户号": "A-2"}], place="a", by="town-a")
    county.bring("population", [ZHOU], place="b", by="town-b")
    # 李小雨 has her hukou in A and sits in a school of B.
    county.bring("class-roster", [PUPIL_LI | {"学校名称": "石洲乡中心小学"}], place="b", by="town-b")
    return county


def seen(model: type) -> int:
    return int(model.objects.count())


def test_a_blind_connection_sees_nothing(two_towns: SmallCounty) -> None:
    with transaction.atomic(), row_security(NOTHING, local=True):
        for model in (
            Student,
            Household,
            Enrolment,
            Identifier,
            IdentityLink,
            Upload,
            UploadSheet,
            UploadRow,
            Finding,
            Correction,
        ):
            assert seen(model) == 0, model


def test_a_township_sees_its_children_lists_and_rows_only(two_towns: SmallCounty) -> None:
    with transaction.atomic(), row_security(Scope.of(two_towns.user("town-a")), local=True):
        assert set(Student.objects.values_list("name", flat=True)) == {"李小雨", "王伟"}
        assert set(Upload.objects.values_list("kind", "town__name")) == {("population", "水口镇")}
        assert set(UploadRow.objects.values_list("facts__name", flat=True)) == {"李小雨", "王伟"}
        assert set(Household.objects.values_list("number", flat=True)) == {"A-1", "A-2"}
    with transaction.atomic(), row_security(Scope.of(two_towns.user("town-b")), local=True):
        assert set(Student.objects.values_list("name", flat=True)) == {"李小雨", "周外"}
        assert set(UploadRow.objects.values_list("upload__kind", "facts__name")) == {
            ("population", "周外"),
            ("class-roster", "李小雨"),
        }


def test_a_township_cannot_write_another_townships_child(two_towns: SmallCounty) -> None:
    with transaction.atomic(), row_security(Scope.of(two_towns.user("town-a")), local=True):
        assert Student.objects.filter(name="周外").update(name="改名") == 0
    assert Student.objects.filter(name="周外").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE students_studentevent SET name = 'x'",
        "DELETE FROM students_studentevent",
        "TRUNCATE students_studentevent",
        "DELETE FROM core_accessrecord",
        "UPDATE core_changeset SET cause = 'x'",
        "DELETE FROM core_upload",
        "ALTER TABLE students_student DISABLE ROW LEVEL SECURITY",
        "SET ROLE eduaid_owner",
    ],
)
def test_the_application_role_cannot_change_the_past_or_lift_the_wall(two_towns: SmallCounty, statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_every_resolved_change_is_in_history_with_its_user_and_list(two_towns: SmallCounty) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.name, e.pgh_label, c.metadata->>'upload', c.metadata->>'user' FROM students_studentevent e"
            " JOIN pghistory_context c ON c.id = e.pgh_context_id WHERE e.name = '李小雨' ORDER BY e.pgh_id"
        )
        events = cursor.fetchall()
    leader = str(two_towns.user("leader").pk)
    population, roster = (
        str(pk)
        for pk in Upload.objects.filter(files__name="名单.xlsx")
        .exclude(kind="x")
        .order_by("pk")
        .values_list("pk", flat=True)[::2]
    )
    assert events == [("李小雨", "insert", population, leader), ("李小雨", "update", roster, leader)]


def test_reading_records_cannot_be_taken_back(two_towns: SmallCounty) -> None:
    record = AccessRecord.objects.create(user=two_towns.user("town-a"), action="view", subject_kind="student", page="/")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        record.delete()
