"""Names as arrays: each distinct name once, its characters folded, its sounds, how common it and its parts are.

Folding and sounds are those of `eduaid.core.text`, asked once per distinct character.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from eduaid.core.text.names import name_key
from eduaid.core.text.pinyin import SURNAMES, name_sound
from students.linkage.arrays import IMAGINED, Flags, Floats, Ints, Keys, Rows, distinct, flat, mixed, shares, weighted

WIDTH = 12
"""Characters that are compared one by one; longer names are compared whole, and by these."""
_TOP = 0x110000
_WILD = frozenset(map(ord, "*?□■\ufffd○〇×"))


@lru_cache(maxsize=100_000)
def _folded(point: int) -> int:
    """The code point under which a character is compared; 0 where spellings differ in it and names do not."""
    if point in _WILD or 0xE000 <= point <= 0xF8FF or point >= 0xF0000:
        return ord("*")  # lost, masked, or a private-use character that a font made readable: anything may stand here
    found = name_key(chr(point))
    return ord(found[0]) if found else 0


_NEAR = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"), ("l", "n"), ("hu", "f"))


@lru_cache(maxsize=100_000)
def _sounds(point: int) -> tuple[str, str, str]:
    """How a character sounds as a surname, in a given name, and in a given name to those who do not tell n from l, zh
    from z, ang from an."""
    char = chr(point)
    given = name_sound("王" + char).sort_key[4:] or char
    near = given
    for usual, other in _NEAR:
        if near.startswith(usual):
            near = other + near[len(usual) :]
        elif len(usual) == 3 and near.endswith(usual):
            near = near[: -len(usual)] + other
    return name_sound(char).sort_key or char, given, near


@dataclass(frozen=True)
class Names:
    """Distinct names. `chars`, `sounds`, `near`: one row a name, 0 behind its end; `backwards` the characters from the end.
    Logarithms of how often a character or sound stands where it stands among the names of the lists."""

    chars: Ints
    backwards: Ints
    sounds: Ints
    near: Ints
    length: Ints
    surname: Ints
    """How many characters the surname has."""
    sound_key: Keys
    given_key: Keys
    any_order: Keys
    char_log: Floats
    sound_log: Floats
    count: Ints
    """How often the name stands in the list where it stands most often."""

    def __len__(self) -> int:
        return len(self.length)


def distinct_names(columns: Sequence[Sequence[str | None]]) -> tuple[Names, list[Ints]]:
    """All names of all columns, and for each column which name stands in each row (-1: none)."""
    texts: list[str] = []
    told = [any(column) for column in columns]
    for column, any_name in zip(columns, told, strict=True):
        if any_name:
            texts.extend([cell or "" for cell in column] if None in column else column)  # type: ignore[arg-type]
    which, chars, length = _folded_rows(texts)
    found: list[Ints] = []
    start = 0
    for column, any_name in zip(columns, told, strict=True):
        found.append(which[start : start + len(column)] if any_name else np.full(len(column), -1, np.int32))
        start += len(column) * any_name
    return _described(chars, length), found


def _folded_rows(texts: list[str]) -> tuple[Ints, Ints, Ints]:
    """(which distinct name each text is, the characters of the distinct names, their lengths)."""
    which = np.full(len(texts), -1, np.int32)
    if not texts:
        return which, np.zeros((0, WIDTH), np.int32), np.zeros(0, np.int32)
    points, owner = flat(texts)
    table = np.zeros(_TOP, np.int32)
    for point in np.flatnonzero(np.bincount(points, minlength=1)).tolist():
        table[point] = _folded(point) if point != 10 else 0
    folded = table[points]
    kept = np.flatnonzero(folded)
    folded, owner = folded[kept], owner[kept]
    length = np.bincount(owner, minlength=len(texts)).astype(np.int32)
    filled = np.flatnonzero(length)
    if not len(filled):
        return which, np.zeros((0, WIDTH), np.int32), np.zeros(0, np.int32)
    starts = (np.cumsum(length) - length)[filled]
    place = np.arange(len(folded)) - np.repeat(starts, length[filled])
    whole = np.add.reduceat(weighted(folded, place % 64), starts)
    first, inverse = distinct(whole)
    which[filled] = inverse
    size = length[filled][first]
    offsets = starts[first][:, None] + np.arange(WIDTH)
    inside = np.arange(WIDTH) < size[:, None]
    chars = np.where(inside, folded[np.minimum(offsets, len(folded) - 1)], 0).astype(np.int32)
    return which, chars, size


def _described(chars: Ints, length: Ints) -> Names:
    seen = np.flatnonzero(np.bincount(chars.ravel(), minlength=1)).tolist()
    syllables: dict[str, int] = {"": 0}
    tables = [np.zeros(_TOP, np.int32) for _ in range(3)]
    for point in seen:
        if point:
            for table, sound in zip(tables, _sounds(point), strict=True):
                table[point] = syllables.setdefault(sound, len(syllables))
    sounds, near = tables[1][chars], tables[2][chars]
    if len(chars):
        sounds[:, 0] = tables[0][chars[:, 0]]
    compound = np.zeros(len(chars), bool)
    if len(chars):
        pairs = [ord(name[0]) << 21 | ord(name[1]) for name in SURNAMES if len(name) == 2]
        starts = chars[:, 0].astype(np.int64) << 21 | chars[:, 1]
        compound = np.isin(starts, pairs) & (length > 2)
    surname = np.where(compound, 2, 1).astype(np.int32)
    places = np.arange(WIDTH)
    within = np.minimum(length, WIDTH)[:, None]
    back = within - 1 - places
    backwards = np.where(back >= 0, np.take_along_axis(chars, np.maximum(back, 0), 1), 0)
    hashed = weighted(sounds, places)
    spoken = chars > 0
    given = spoken & (places >= surname[:, None])
    shifted = weighted(sounds, (places - surname[:, None]) % 64)
    zeros = np.zeros(chars.shape)
    return Names(
        chars=chars,
        backwards=backwards,
        sounds=sounds,
        near=near,
        length=length,
        surname=surname,
        sound_key=np.where(spoken, hashed, np.uint64(0)).sum(1, dtype=np.uint64),
        given_key=np.where(given, shifted, np.uint64(0)).sum(1, dtype=np.uint64),
        any_order=np.where(spoken, mixed(chars), np.uint64(0)).sum(1, dtype=np.uint64),
        char_log=zeros,
        sound_log=zeros,
        count=np.zeros(len(chars), np.int32),
    )


def with_frequencies(names: Names, per_list: Sequence[Ints]) -> Names:
    """The same names, told how common they are among the persons of the lists."""
    counts = [np.bincount(which[which >= 0], minlength=len(names)) for which in per_list]
    weight = np.sum(counts, axis=0).astype(np.float64)
    total = max(weight.sum(), 1.0)
    front = np.arange(WIDTH) < names.surname[:, None]
    filled = names.chars > 0
    spread = np.repeat(weight[:, None], WIDTH, 1)

    def logs(what: Ints) -> Floats:
        role = what * 2 + front
        size = int(role.max(initial=0)) + 1
        found = np.bincount(role[filled], spread[filled], size)
        share = np.empty(size)
        share[1::2] = shares(found[1::2], len(per_list), total, 0.02)
        # A given name has about two places in which a character may stand.
        share[0::2] = shares(found[0::2], len(per_list), total, 0.008) / 2
        return np.where(filled, np.log(np.minimum(share, 1.0))[role], 0.0)

    return Names(
        **{
            **{field: getattr(names, field) for field in names.__dataclass_fields__},
            "char_log": logs(names.chars),
            "sound_log": logs(names.sounds),
            "count": np.max(counts, axis=0).astype(np.int32),
        }
    )


# How two names stand to each other, from equal to nothing in common.
EQUAL, FORMER, SOUND, NEAR_SOUND, MASKED, ORDER, DROPPED, REPLACED, GIVEN, SURNAME, OTHER, NO_NAME = range(12)


@dataclass(frozen=True)
class NameEvidence:
    """`kind` as above; `chance` and `sibling`: logarithm of the probability that another person, or a sibling, agrees as much."""

    kind: npt.NDArray[np.int8]
    chance: Floats
    sibling: Floats


def compare_names(names: Names, left: Rows, right: Rows, people: int) -> NameEvidence:
    """Pair by pair; `left` and `right` are numbers of distinct names, none of them -1. `people` in the larger list."""
    a, b = names.chars[left], names.chars[right]
    size_a, size_b = names.length[left], names.length[right]
    filled = (a > 0) & (b > 0)
    same = filled & (a == b)
    wild = filled & ((a == 42) | (b == 42))
    sound = filled & ~same & (names.sounds[left] == names.sounds[right])
    near = filled & ~same & (names.near[left] == names.near[right])
    one_length = size_a == size_b
    shown = np.minimum(np.minimum(size_a, size_b), WIDTH)
    equal = left == right
    agree = same.sum(1)
    voiced = agree + sound.sum(1)
    covered = (same | wild).sum(1)
    surname = np.minimum(names.surname[left], names.surname[right])
    front = np.arange(WIDTH) < surname[:, None]
    surname_same = ((same | sound) & front).sum(1) == surname
    given_same = names.given_key[left] == names.given_key[right]
    prefix = np.cumprod(same, 1).sum(1)
    suffix = np.cumprod((names.backwards[left] == names.backwards[right]) & filled, 1).sum(1)
    short = np.minimum(size_a, size_b)
    dropped = (np.abs(size_a - size_b) == 1) & (prefix + suffix >= short)
    cut = (prefix >= 3) & (prefix == short) & ~one_length
    long = shown >= 5
    conditions = [
        equal,
        one_length & (voiced == shown),
        one_length & (covered == shown),
        one_length & ((same | sound | near).sum(1) == shown) & (agree > 0),
        names.any_order[left] == names.any_order[right],
        dropped | cut,
        one_length & (shown >= 3) & (voiced == shown - 1),
        one_length & long & (agree >= shown - 2),
        (names.surname[left] < size_a) & given_same,
        surname_same,
    ]
    kinds = [EQUAL, SOUND, MASKED, NEAR_SOUND, ORDER, DROPPED, REPLACED, REPLACED, GIVEN, SURNAME]
    kind = np.select(conditions, kinds, OTHER).astype(np.int8)

    # Halves of either side: what is weighed must not depend on which list stands on the left.
    chars_log = (names.char_log[left] + names.char_log[right]) / 2
    sounds_log = (names.sound_log[left] + names.sound_log[right]) / 2
    by_place = np.where(same, chars_log, np.where(sound, sounds_log, 0.0)).sum(1)
    shorter = np.where(size_a <= size_b, left, right)
    whole = np.where(kind == ORDER, chars_log.sum(1), names.char_log[shorter].sum(1))
    chance = np.where(np.isin(kind, (ORDER, DROPPED)), whole + np.log(3.0), by_place)
    chance = np.where(kind == REPLACED, by_place + np.log(2.0), chance)
    chance = np.where(kind == GIVEN, sounds_log.sum(1) - sounds_log[:, 0], chance)
    people += IMAGINED
    others = np.log(np.maximum(names.count[left] - 1, 0.2) / people)
    chance = np.where(equal, np.maximum(others, chance), chance)
    chance = np.where(kind == OTHER, 0.0, np.maximum(chance, np.log(0.05 / people)))

    given_equal = (same & ~front).sum(1)
    given_sound = (sound & ~front).sum(1)
    sibling = np.where(surname_same, np.log(0.95), np.log(0.05))
    sibling = sibling + np.log(0.3) * np.minimum(given_equal, 1) + np.log(0.03) * given_sound
    sibling = np.where(np.isin(kind, (DROPPED, ORDER, NEAR_SOUND)), np.log(0.02), sibling)
    sibling = np.where(kind == MASKED, np.log(0.1), sibling)
    sibling = np.where(kind == GIVEN, np.log(2e-3), sibling)
    sibling = np.where(equal, np.log(1e-4), sibling)
    return NameEvidence(kind, chance, sibling)


def wild_names(names: Names) -> Flags:
    """Which names have a character that nobody can read."""
    return np.asarray((names.chars == 42).any(1))
