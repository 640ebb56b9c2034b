"""Finding children by what people type: part of a name, its sounds, or a number (looked up by its digest only)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import connection
from django.db.models import Case, Exists, IntegerField, Q, Subquery, Value, When
from django.db.models.functions import Length

from eduaid.core import changes, codes
from eduaid.core.models import ChangeSet, Cursor
from eduaid.core.rows import id_digest
from eduaid.core.sealing import digest
from eduaid.core.text import IdNumber, compact, name_key
from students.models import Identifier, NamePart, Student
from students.models.people import StudentQuerySet


class By(StrEnum):
    """What a text is taken for; the value says so on the page and in the access log."""

    NAME = "姓名"
    SOUND = "拼音"
    TAIL = "证件号后四位"
    ID_NUMBER = "证件号"
    REGISTRY_NUMBER = "学籍号"
    NOTHING = ""


_TAIL = re.compile(r"[0-9]{3}[0-9X]")
_REGISTRY = re.compile(r"[GJL][0-9]{17}[0-9X]")
_NUMBER = re.compile(r"[A-Z()/-]{0,4}[0-9][A-Z0-9()/-]{4,29}")
_SOUND = re.compile(r"[a-z]+")
_APOSTROPHES = str.maketrans("", "", " '’`·-")


@dataclass(frozen=True)
class Asked:
    """What somebody typed, read: `text` is folded as the column that it is looked up in."""

    by: By
    text: str

    @property
    def is_number(self) -> bool:
        """A number of a person: never echoed, always logged."""
        return self.by in (By.TAIL, By.ID_NUMBER, By.REGISTRY_NUMBER)


def read(typed: str) -> Asked:
    """Name or sounds or number? A text with digits is a number, so that none is ever echoed as a name."""
    upper = compact(typed).upper()
    if _REGISTRY.fullmatch(upper):
        return Asked(By.REGISTRY_NUMBER, upper)
    if _TAIL.fullmatch(upper):
        return Asked(By.TAIL, upper)
    if _NUMBER.fullmatch(upper):
        return Asked(By.ID_NUMBER, upper)
    if any(char.isdigit() for char in upper):
        return Asked(By.NOTHING, "")
    sound = _letters(typed)
    if _SOUND.fullmatch(sound):
        return Asked(By.SOUND, sound)
    key = name_key(typed)
    return Asked(By.NAME, key) if key else Asked(By.NOTHING, "")


def _letters(typed: str) -> str:
    """Small letters without tone marks, spaces and apostrophes; ü is v, as on Chinese keyboards."""
    bare = unicodedata.normalize("NFD", compact(typed).lower()).replace("u\u0308", "v")
    return "".join(char for char in bare.translate(_APOSTROPHES) if not unicodedata.combining(char))


FOLLOWER = "name-search"


def named(students: StudentQuerySet, asked: Asked) -> StudentQuerySet:
    """Those whose name contains the text, or whose sounds (full or initials, of every reading) start with it.

    By the index of names; while it lags behind a list that has just taken force, by looking at every child.
    """
    if asked.by not in (By.NAME, By.SOUND):
        return students.none()
    if _has_learnt():
        names = NamePart.objects.filter(part__gte=asked.text, part__lt=_beyond(asked.text))
        return students.filter(name_key__in=names.values("name_key"))
    if asked.by is By.NAME:
        return students.filter(name_key__contains=asked.text)
    return students.filter(Q(pinyin__startswith=asked.text) | Q(pinyin__contains=f" {asked.text}"))


def _beyond(text: str) -> str:
    """The first text after all that begin with this one, in the order of code points."""
    return text[:-1] + chr(ord(text[-1]) + 1)


def _has_learnt() -> bool:
    """Whether the index knows the names of every child that was written; one query."""
    seen = Cursor.objects.filter(follower=FOLLOWER).values("seen")
    behind = ChangeSet.objects.filter(Q(pk__gt=Subquery(seen)) | ~Exists(seen))
    return not behind.exists()


def learn() -> int:
    """Takes the names of children whose values were written since the last time into the index; returns how many change
    sets were seen. For a task: many new names take seconds."""
    return changes.follow(FOLLOWER, lambda change: _learn_names(change.students))


def _learn_names(students: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO students_namepart (part, name_key)
            SELECT DISTINCT left(part, 60), name_key
            FROM (
                SELECT DISTINCT name_key, pinyin FROM students_student s
                WHERE id = ANY(%s) AND name_key <> '' AND NOT EXISTS (
                    SELECT 1 FROM students_namepart n WHERE n.part = s.name_key AND n.name_key = s.name_key)
            ) new, LATERAL (
                SELECT substr(name_key, i) AS part FROM generate_series(1, length(name_key)) i
                UNION SELECT unnest(string_to_array(pinyin, ' '))
            ) parts
            WHERE part <> '' ON CONFLICT DO NOTHING
            """,
            [list(students)],
        )


def nearest_first(students: StudentQuerySet, asked: Asked) -> StudentQuerySet:
    """Whole names before beginnings before the rest; short before long; then by sound."""
    exact, start = Q(name_key=asked.text), Q(name_key__startswith=asked.text)
    if asked.by is By.SOUND:
        exact = Q(pinyin__startswith=f"{asked.text} ") | Q(pinyin__endswith=f" {asked.text}")
        exact |= Q(pinyin__contains=f" {asked.text} ")
        start = Q(pinyin__startswith=asked.text)
    nearness = Case(
        When(exact, then=Value(0)), When(start, then=Value(1)), default=Value(2), output_field=IntegerField()
    )
    return students.annotate(nearness=nearness).order_by("nearness", Length("name"), "pinyin", "id")


def numbered(students: StudentQuerySet, asked: Asked) -> StudentQuerySet:
    """Those whom the number names now or has named (an old ID number stays a number of the child)."""
    if asked.by is By.TAIL:
        return students.filter(id_tail_digest=digest("id-tail", asked.text)).order_by("pinyin", "id")
    if asked.by is By.ID_NUMBER:
        # A passport or permit is digested with its type, which nobody types.
        kind, marks = Identifier.ID_NUMBER, {id_digest(IdNumber(asked.text, code)) for code, _ in codes.ID_TYPE.choices}
    else:
        kind, marks = Identifier.REGISTRY_NUMBER, {digest("registry", asked.text)}
    # A number of a record that was merged leads to the record that goes on.
    owners = Student.objects.filter(identifiers__kind=kind, identifiers__digest__in=marks)
    return students.filter(pk__in={merged or pk for pk, merged in owners.values_list("pk", "merged_into")})
