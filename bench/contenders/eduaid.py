"""The product's own intake, end to end in this process; the parser is its child process as always.

Raises AssertionError when a list does not do what it must: then the seconds would be those of something else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.contrib.auth.hashers import make_password
from django.db import connection

from bench.contenders import Files
from bench.measuring import Steps
from bench.roster import COUNTY_CODE, EFFECTIVE_ON, Roster
from eduaid.core import departures, missing, uploads
from eduaid.core.lists import kind_of
from eduaid.core.models import Post, Region, School, SchoolYear, Term, Upload, User
from eduaid.core.models.accounts import RoleKey
from eduaid.core.models.uploads import State
from eduaid.core.roles import role
from eduaid.core.scope import everything
from eduaid.core.tasks import advance
from students.models import Student

# What resolving writes, and its history.
_RESOLVED = (
    "students_student",
    "students_studentevent",
    "students_household",
    "students_enrolment",
    "students_enrolmentevent",
    "students_identifier",
)


def run(files: Files, steps: Steps) -> None:
    with everything():
        make_places(files)
        first = _first_import(files, steps)
        _same_file(files, steps)
        _same_rows(files, steps)
        changed = _changed(files, steps)
        with steps.timed("undo of the 1 %"):
            uploads.undo(changed, by=user("leader"), reason="measuring")
        assert Student.objects.filter(class_name="19班").count() == 0
        uploads.undo(Upload.objects.applied().latest("pk"), by=user("leader"), reason="measuring")
        with steps.timed("undo of the whole list"):
            buckets = uploads.undo(first, by=user("leader"), reason="measuring")
        assert buckets.withdrawn == files.rows
        assert not Student.objects.listed().exists()


def _first_import(files: Files, steps: Steps) -> Upload:
    with steps.timed("first import"):
        with steps.timed("  receive"):
            upload = _receive(files.first, EFFECTIVE_ON)
        with steps.timed("  read, stage, check, match, preview"):
            advance(upload.pk)
            upload.refresh_from_db()
        assert upload.state == State.REVIEW, _said(upload)
        assert (upload.rows_accepted, upload.rows_added) == (files.rows, files.rows), _said(upload)
        with steps.timed("  submit, approve, in force"):
            _let_take_force(upload)
    assert Student.objects.listed().count() == files.rows
    return upload


def _same_file(files: Files, steps: Steps) -> None:
    with steps.timed("same file again"):
        try:
            _receive(files.first, EFFECTIVE_ON)
        except uploads.AlreadyUploaded:
            return
    raise AssertionError("the same file was taken twice")


def _same_rows(files: Files, steps: Steps) -> None:
    before = _fingerprints()
    with steps.timed("same rows in other bytes"):
        upload = _receive(files.other_bytes, EFFECTIVE_ON + dt.timedelta(1))
        advance(upload.pk)
        _let_take_force(upload)
    assert (upload.rows_unchanged, upload.rows_added) == (files.rows, 0), _said(upload)
    assert _fingerprints() == before, "the same rows wrote resolved tables"


def _changed(files: Files, steps: Steps) -> Upload:
    with steps.timed("1 % changed"):
        upload = _receive(files.changed_list, EFFECTIVE_ON + dt.timedelta(2))
        advance(upload.pk)
        _let_take_force(upload)
    assert (upload.rows_changed, upload.rows_unchanged) == (files.changed, files.rows - files.changed), _said(upload)
    assert Student.objects.filter(class_name="19班").count() == files.changed
    return upload


def _receive(data: bytes, day: dt.date) -> Upload:
    kind, home = kind_of("class-roster"), Region.objects.home()
    return uploads.receive(kind=kind, contents=[("名册.xlsx", data)], place=home, effective_on=day, by=user("county"))


def _let_take_force(upload: Upload) -> None:
    upload.refresh_from_db()
    departures.explain_group(upload, key="", code=missing.PENDING, by=user("county"))
    uploads.submit(upload, by=user("county"))
    uploads.approve(upload, by=user("leader"))
    advance(upload.pk)
    upload.refresh_from_db()
    assert upload.state == State.IN_FORCE, _said(upload)


def _said(upload: Upload) -> str:
    return f"{upload.state}: {upload.error} {dict(upload.findings.values_list('code', 'params')[:5])}"


def _fingerprints() -> Mapping[str, tuple[int, str | None]]:
    """Rows and where their versions lie: any insert, update or delete, even of equal values, changes it."""
    found = {}
    with connection.cursor() as cursor:
        for table in _RESOLVED:
            cursor.execute(f"SELECT count(*), md5(string_agg(ctid::text || xmin, ',' ORDER BY ctid)) FROM {table}")
            found[table] = cursor.fetchone()
    return found


def user(name: str) -> User:
    return User.objects.get(username=name)


def make_places(files: Files | Roster) -> None:
    """The county of the files: made at the first call, widened by the schools that a later list names."""
    home = Region.objects.filter(is_home=True).first() or _make_county(files.towns)
    towns = list(Region.objects.filter(parent=home).order_by("code"))
    School.objects.bulk_create(
        (
            School(code=school.code, name=school.name, stages=[school.stage], town=towns[school.town])
            for school in files.schools
        ),
        ignore_conflicts=True,
    )


def _make_county(towns: Sequence[str]) -> Region:
    home = Region.objects.create(code=COUNTY_CODE, name="示例县", level="county", is_home=True)
    for number, name in enumerate(towns, 1):
        Region.objects.create(code=f"{COUNTY_CODE}{number:03d}", name=name, level="township", parent=home)
    year = SchoolYear.objects.create(label="2026-2027", starts_on=dt.date(2026, 9, 1), ends_on=dt.date(2027, 8, 31))
    Term.objects.create(year=year, season="autumn", starts_on=dt.date(2026, 9, 1), ends_on=dt.date(2027, 1, 31))
    for name, key in (("county", RoleKey.AID_OFFICER), ("leader", RoleKey.LEADER)):
        user = User.objects.create(username=name, display_name=name, password=make_password(None))
        Post.objects.create(user=user, role=key, duty=role(key).duty, from_on=dt.date(2025, 9, 1), region=home)
    return home
