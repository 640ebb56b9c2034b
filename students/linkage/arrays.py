"""Small tools on numpy arrays that the other modules share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def mixed(values: npt.NDArray[Any]) -> Keys:
    """A good 64-bit hash of each whole number (splitmix64)."""
    x = values.astype(np.uint64)
    x ^= x >> np.uint64(30)
    x *= _M1
    x ^= x >> np.uint64(27)
    x *= _M2
    x ^= x >> np.uint64(31)
    return x


_ODD = np.random.default_rng(20_130_506).integers(1 << 62, 1 << 63, 64, np.uint64) | np.uint64(1)


def weighted(values: npt.NDArray[Any], place: npt.NDArray[Any] | int) -> Keys:
    """Each value times the large odd number of its place: sums of these are equal for equal rows, and else hardly ever."""
    return np.asarray(values.astype(np.uint64) * _ODD[place])


def key(*parts: npt.NDArray[Any]) -> Keys:
    """One hash for several columns, in this order."""
    total = weighted(parts[0], 0)
    for place, part in enumerate(parts[1:], 1):
        total += weighted(part, place)
    return total


def distinct(values: npt.NDArray[Any]) -> tuple[Rows, Rows]:
    """(where one of each distinct value stands, which distinct value each one is), in the order of the values."""
    order = np.argsort(values)
    ordered = values[order]
    new = np.ones(len(values), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    which = np.empty(len(values), np.intp)
    which[order] = np.cumsum(new) - 1
    return order[new], which


def flat(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint32], Longs]:
    """The code points of all texts on end, each followed by a line feed, and for each the number of its text."""
    joined = "\n".join(texts) + "\n"
    if joined.count("\n") != len(texts):
        joined = "\n".join([text.replace("\n", " ") for text in texts]) + "\n"
    points = np.frombuffer(joined.encode("utf-32-le", "replace"), np.uint32)
    ends = np.flatnonzero(points == 10)
    return points, np.repeat(np.arange(len(texts)), np.diff(ends, prepend=-1))


def joined(left_rows: Rows, left_keys: Keys, right_rows: Rows, right_keys: Keys, limit: int) -> tuple[Rows, Rows]:
    """Every pair with equal keys, except where a key would give more than `limit` pairs: such a key tells nothing."""
    if not len(left_keys) or not len(right_keys):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    order = np.argsort(right_keys)
    ordered = right_keys[order]
    left_order = np.argsort(left_keys)
    left_rows, left_keys = left_rows[left_order], left_keys[left_order]  # look-ups in order are several times faster
    first = np.searchsorted(ordered, left_keys, "left")
    hit = np.flatnonzero(ordered[np.minimum(first, len(ordered) - 1)] == left_keys)
    keys, first = left_keys[hit], first[hit]
    count = np.searchsorted(ordered, keys, "right") - first
    size = np.searchsorted(keys, keys, "right") - np.searchsorted(keys, keys, "left")
    few = size * count <= limit
    hit, first, repeats = hit[few], first[few], count[few]
    total = int(repeats.sum())
    starts = np.repeat(first - (np.cumsum(repeats) - repeats), repeats)
    return left_rows[np.repeat(hit, repeats)], right_rows[order[starts + np.arange(total)]]


IMAGINED = 60
"""So many people of a usual county are thought beside every list: what a list of three rows says of how common something is
counts for little."""


def shares(counts: npt.NDArray[Any], lists: int, total: float, usual: float) -> Floats:
    """How common each value is among other people, from how often it stands in all lists: one person alone makes it stand once in
    each. `usual`: how common such a value is in any county."""
    others = np.maximum(counts.astype(np.float64) - lists, 0.0)
    return np.asarray((others + 0.4 + IMAGINED * usual) / (total + IMAGINED))
