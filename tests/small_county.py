"""A county small enough to know by heart: two townships, three schools, and the three people whom scope tests are about."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import openpyxl

if TYPE_CHECKING:
    from django.test import Client

    from eduaid.core.models import Region, School, Term, Upload, User

PASSWORD = "correct horse battery"
AS_OF = dt.date(2026, 9, 10)


@dataclass
class SmallCounty:
    home: Region
    a: Region
    b: Region
    village_a: Region
    village_b: Region
    primary_a: School
    junior_a: School
    primary_b: School
    term: Term
    users: dict[str, User]

    def user(self, name: str) -> User:
        """county (officer), leader, town-a, town-b, school-a, data, auditor, teacher, sysadmin, secadmin, auditadmin."""
        from eduaid.core.models import User

        return User.objects.get(pk=self.users[name].pk)

    def client(self, name: str) -> Client:
        from django.test import Client

        client = Client()
        client.force_login(self.user(name), backend="eduaid.core.roles.PostBackend")
        return client

    def place(self, name: str) -> Region | School:
        return getattr(self, name)  # type: ignore[no-any-return]

    def send(
        self,
        kind: str,
        rows: Sequence[Mapping[str, object]],
        *,
        place: str = "home",
        by: str = "county",
        as_of: dt.date = AS_OF,
        mode: str = "complete",
        files: Sequence[tuple[str, bytes]] = (),
        name: str = "名单.xlsx",
    ) -> Upload:
        """Sends rows (header → value) through the real path up to the preview, in this process."""
        from eduaid.core import uploads
        from eduaid.core.lists import kind_of
        from eduaid.core.models.uploads import Mode
        from eduaid.core.tasks import advance

        contents = list(files) or [(name, workbook({"Sheet1": table(rows)}))]
        upload = uploads.receive(
            kind=kind_of(kind),
            contents=contents,
            place=self.place(place),
            effective_on=as_of,
            mode=Mode(mode),
            by=self.user(by),
        )
        advance(upload.pk)
        upload.refresh_from_db()
        return upload

    def take_force(self, upload: Upload, *, by: str = "leader") -> Upload:
        """Submits and approves the list and applies it, in this process; whoever is missing is 待核."""
        from eduaid.core import departures, missing, uploads
        from eduaid.core.tasks import advance

        advance(upload.pk)  # compares it anew where another list took force meanwhile
        if upload.applied_at is None:
            departures.explain_group(upload, key="", code=missing.PENDING, by=upload.uploaded_by)
        uploads.submit(upload, by=upload.uploaded_by)
        uploads.approve(upload, by=self.user(by))
        advance(upload.pk)
        upload.refresh_from_db()
        return upload

    def bring(self, kind: str, rows: Sequence[Mapping[str, object]], **options: object) -> Upload:
        """send and take_force."""
        return self.take_force(self.send(kind, rows, **options))  # type: ignore[arg-type]


def table(rows: Sequence[Mapping[str, object]]) -> list[list[object]]:
    """A header row and the rows under it; columns in order of first appearance."""
    headers = list(dict.fromkeys(key for row in rows for key in row))
    return [list(headers), *([row.get(key) for key in headers] for row in rows)]


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """Real .xlsx bytes; text cells stay text."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def id_number(born: str, sequence: int, prefix: str = "990121") -> str:
    """A valid number of nobody: the example county's prefix, a birth date and a sequence (odd: male)."""
    from eduaid.core.text import check_digit

    digits = f"{prefix}{born}{sequence:03d}"
    return digits + check_digit(digits)


@cache
def _password_hash() -> str:
    """Hashed once a process: hashing is slow on purpose."""
    from django.contrib.auth.hashers import make_password

    return make_password(PASSWORD)


def make_county() -> SmallCounty:
    from eduaid.core.models import Post, Region, School, SchoolYear, Term, User
    from eduaid.core.models.accounts import RoleKey
    from eduaid.core.roles import role

    province = Region.objects.create(code="990000", name="示例省", level="province")
    prefecture = Region.objects.create(code="990100", name="示例市", level="prefecture", parent=province)
    home = Region.objects.create(code="990121", name="示例县", level="county", parent=prefecture, is_home=True)
    a = Region.objects.create(code="990121001", name="水口镇", level="township", parent=home)
    b = Region.objects.create(code="990121002", name="石洲乡", level="township", parent=home)
    village_a = Region.objects.create(code="990121001201", name="东风村", level="village", parent=a)
    village_b = Region.objects.create(code="990121002201", name="船形村", level="village", parent=b)
    primary_a = School.objects.create(
        code="2199000001", name="水口镇蔡朱小学", other_names=["蔡朱小学"], stages=["2"], town=a
    )
    junior_a = School.objects.create(code="3199000001", name="水口镇初级中学", stages=["3"], town=a)
    primary_b = School.objects.create(code="2199000002", name="石洲乡中心小学", stages=["2"], town=b)
    year = SchoolYear.objects.create(label="2026-2027", starts_on=dt.date(2026, 9, 1), ends_on=dt.date(2027, 8, 31))
    before = SchoolYear.objects.create(label="2025-2026", starts_on=dt.date(2025, 9, 1), ends_on=dt.date(2026, 8, 31))
    Term.objects.create(year=before, season="autumn", starts_on=dt.date(2025, 9, 1), ends_on=dt.date(2026, 1, 31))
    Term.objects.create(year=before, season="spring", starts_on=dt.date(2026, 2, 1), ends_on=dt.date(2026, 8, 31))
    term = Term.objects.create(year=year, season="autumn", starts_on=dt.date(2026, 9, 1), ends_on=dt.date(2027, 1, 31))
    posts: dict[str, list[tuple[RoleKey, Region | School]]] = {
        "county": [(RoleKey.AID_OFFICER, home), (RoleKey.DROPOUT_OFFICER, home)],
        "leader": [(RoleKey.LEADER, home)],
        "town-a": [(RoleKey.TOWN_HEAD, a)],
        "town-b": [(RoleKey.TOWN_HEAD, b)],
        "school-a": [(RoleKey.SCHOOL_HEAD, primary_a)],
        "teacher": [(RoleKey.TEACHER, primary_a)],
        "data": [(RoleKey.DATA_ADMIN, home)],
        "auditor": [(RoleKey.AUDITOR, home)],
        "sysadmin": [(RoleKey.SYSTEM_ADMIN, home)],
        "secadmin": [(RoleKey.SECURITY_ADMIN, home)],
        "auditadmin": [(RoleKey.AUDIT_ADMIN, home)],
    }
    users = {}
    for name, held in posts.items():
        users[name] = User.objects.create(username=name, display_name=f"{name}老师", password=_password_hash())
        for key, place in held:
            Post.objects.create(
                user=users[name],
                role=key,
                duty=role(key).duty,
                from_on=dt.date(2025, 9, 1),
                region=place if isinstance(place, Region) else None,
                school=place if isinstance(place, School) else None,
            )
    return SmallCounty(home, a, b, village_a, village_b, primary_a, junior_a, primary_b, term, users)
