"""Words that a place has explained: corrected once on the check page, understood the next time, told as a hint.

Remembered for a kind and column by school, else township, else county, like the names of columns; forgotten with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Q, QuerySet

from eduaid.core.findings import PLACES
from eduaid.core.models import Finding, Region, Upload, UploadRow, User, ValueMemory
from eduaid.core.text import scrub, tidy

# Problems of words that mean one thing wherever they stand: codes, grades, classes, places. Never names and numbers.
_OF_WORDS = frozenset(PLACES) | {
    "code-unknown",
    "code-several",
    "flag-form",
    "grade-form",
    "grade-stage",
    "class-form",
}
_LONGEST = 60


def of_place(upload: Upload) -> QuerySet[ValueMemory]:
    """What the list's own place has explained for this kind."""
    place = Q(school=upload.school_id) if upload.school_id else Q(region=upload.town_id or upload.region_id)
    return ValueMemory.objects.filter(place, kind=upload.kind)


def words(upload: Upload) -> dict[tuple[str, str], str]:
    """(column, word) → meaning as explained by the school, else its township, else the county."""
    home = Region.objects.home()
    places = Q(region=home.pk) | Q(region=upload.town_id or home.pk)
    if upload.school_id:
        places |= Q(school=upload.school_id)
    found = list(ValueMemory.objects.filter(places, kind=upload.kind))
    found.sort(key=lambda known: (known.school_id is not None, known.region_id != home.pk))
    return {(known.column, known.written): known.meaning for known in found}


def open_words(rows: Iterable[UploadRow], column: str) -> set[int]:
    """Those of the rows in which this column holds a word that nobody understands."""
    found = Finding.objects.filter(row__in=rows, column=column, code__in=_OF_WORDS, answer="")
    return {pk for pk in found.values_list("row_id", flat=True) if pk}


def learn(upload: Upload, column: str, explained: Mapping[int, tuple[str, str]], *, by: User) -> None:
    """Row → (word, meaning) of rows that were `open_words`; a meaning counts where its row is no longer in question."""
    still = open_words(UploadRow.objects.filter(pk__in=explained), column)
    pairs = {(tidy(word), tidy(meaning)) for pk, (word, meaning) in explained.items() if pk not in still}
    for word, meaning in pairs:
        # What could be a number of a person is no word.
        if not word or not meaning or max(len(word), len(meaning)) > _LONGEST or scrub(word) != word:
            continue
        ValueMemory.objects.update_or_create(
            kind=upload.kind,
            region=None if upload.school_id else (upload.town or upload.region),
            school=upload.school,
            column=column,
            written=word,
            defaults={"meaning": meaning, "by": by},
        )
