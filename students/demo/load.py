"""Putting the example county into the program: places, calendar and accounts directly, every list through the real upload path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.contrib.auth.hashers import make_password
from django.db import transaction

from eduaid.core import departures, missing, uploads
from eduaid.core.commands import wait_for
from eduaid.core.lists import kind_of
from eduaid.core.models import Post, Region, School, SchoolYear, Term, Upload, User
from eduaid.core.models.uploads import Mode, State
from eduaid.core.roles import role
from students.demo import County, Workbook

# Known to everybody: the example county holds invented people only, and `up --demo` prints it.
PASSWORD = "shilixian-2026"


_READ = [state for state in State if state not in (State.RECEIVED, State.APPROVED)]


@transaction.atomic
def load_places(county: County) -> None:
    """Regions, schools, school years, terms and accounts of the example county."""
    regions: dict[str, Region] = {}
    for region in county.regions:
        regions[region.code] = Region.objects.create(
            code=region.code,
            name=region.name,
            level=region.level,
            parent=regions.get(region.parent),
            valid_from=region.valid_from,
            is_home=region.code == county.code,
            code_system="示例县自编代码",
        )
    for region in county.regions:
        if region.valid_until or region.merged_into:
            Region.objects.filter(pk=regions[region.code].pk).update(
                valid_until=region.valid_until, merged_into=regions.get(region.merged_into)
            )
    schools = {
        school.code: School.objects.create(
            code=school.code,
            name=school.name,
            other_names=list(school.short_names),
            stages=school.stage_codes,
            kind="民办" if school.private else "公办",
            is_outside=not school.in_county,
            town=regions[school.region] if school.in_county else None,
        )
        for school in county.schools
    }
    for year in county.school_years:
        saved = SchoolYear.objects.create(label=year.code, starts_on=year.starts_on, ends_on=year.ends_on)
        for term in year.terms:
            Term.objects.create(year=saved, season=term.season, starts_on=term.starts_on, ends_on=term.ends_on)
    password = make_password(PASSWORD)  # hashed once: the accounts share it
    for user in county.users:
        account = User.objects.create(username=user.username, display_name=user.name, password=password)
        for post in user.posts:
            Post.objects.create(
                user=account,
                role=post.role,
                duty=role(post.role).duty,
                from_on=post.from_date,
                region=regions.get(post.scope_code),
                school=None if post.scope_code in regions else schools[post.scope_code],
            )


@dataclass(frozen=True)
class Receipt:
    """What came of one workbook."""

    workbook: Workbook
    upload: Upload

    def line(self) -> str:
        upload = self.upload
        return (
            f"{kind_of(upload.kind).label}　{self.workbook.filename}　名单 {upload.pk} 号 {upload.get_state_display()}："
            f"读取 {upload.rows_read}，入库 {upload.rows_accepted}，待改 {upload.rows_waiting}，不收 {upload.rows_refused}，重复 {upload.rows_repeated}"
        )


def send_lists(county: County, *, seconds: float = 900) -> Iterator[Receipt]:
    """Sends every list, lets its sender submit and its approver approve it, and waits for the worker; kind by kind."""
    # A list is compared with those before it: of one kind, one date after the other; those of one date cover different places.
    for _, lists in groupby(county.uploads(), key=lambda parts: (parts[0].kind, parts[0].as_of)):
        sent = [(parts, _send(parts)) for parts in lists]
        for parts, upload in sent:
            wait_for([upload], until=_READ, seconds=seconds)
            if upload.state == State.REVIEW:
                departures.accept(upload, by=upload.uploaded_by)
                departures.explain_group(upload, key="", code=missing.PENDING, by=upload.uploaded_by)
                uploads.submit(upload, by=upload.uploaded_by)
            if upload.state in (State.REVIEW, State.SUBMITTED):
                uploads.approve(upload, by=User.objects.get(username=parts[0].approved_by))
        for parts, upload in sent:
            wait_for([upload], until=[State.IN_FORCE, State.MAPPING, State.REFUSED, State.FAILED], seconds=seconds)
            yield from (Receipt(part, upload) for part in parts)


def _send(parts: Sequence[Workbook]) -> Upload:
    first = parts[0]
    place = Region.objects.filter(code=first.scope_code).first() or School.objects.get(code=first.scope_code)
    try:
        return uploads.receive(
            kind=kind_of(first.kind),
            contents=[(part.filename, part.content()) for part in parts],
            place=place,
            effective_on=first.as_of,
            mode=Mode(first.mode),
            by=User.objects.get(username=first.uploaded_by),
            comment=first.note,
        )
    except uploads.AlreadyUploaded as known:
        return known.upload  # a load that was interrupted goes on where it stopped
