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


def key(*parts: npt.NDArray[Any]) -> Keys:
    """One hash for several columns, in this order."""
    total = np.zeros(len(parts[0]), np.uint64)
    for part in parts:
        total = mixed(total * np.uint64(0x9E3779B97F4A7C15) + mixed(part) + np.uint64(1))
    return total


def flat(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint32], Longs]:
    """The code points of all texts on end, each followed by a line feed, and for each the number of its text."""
    joined = "\n".join(texts) + "\n"
    if joined.count("\n") != len(texts):
        joined = "\n".join([text.replace("\n", " ") for text in texts]) + "\n"
    points = np.frombuffer(joined.encode("utf-32-le", "replace"), np.uint32)
    ends = points == 10
    owner = np.cumsum(ends) - ends
    return points, owner


def joined(left_rows: Rows, left_keys: Keys, right_rows: Rows, right_keys: Keys, limit: int) -> tuple[Rows, Rows]:
    """Every pair with equal keys, except where a key would give more than `limit` pairs: such a key tells nothing."""
    order = np.argsort(right_keys, kind="stable")
    ordered = right_keys[order]
    first = np.searchsorted(ordered, left_keys, "left")
    count = np.searchsorted(ordered, left_keys, "right") - first
    hit = np.flatnonzero(count)
    if not len(hit):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    _, group, size = np.unique(left_keys[hit], return_inverse=True, return_counts=True)
    hit = hit[size[group] * count[hit] <= limit]
    repeats = count[hit]
    total = int(repeats.sum())
    starts = np.repeat(first[hit] - (np.cumsum(repeats) - repeats), repeats)
    return left_rows[np.repeat(hit, repeats)], right_rows[order[starts + np.arange(total)]]


IMAGINED = 60
"""So many people of a usual county are thought beside every list: what a list of three rows says of how common something is
counts for little."""


def shares(counts: npt.NDArray[Any], lists: int, total: float, usual: float) -> Floats:
    """How common each value is among other people, from how often it stands in all lists: one person alone makes it stand once in
    each. `usual`: how common such a value is in any county."""
    others = np.maximum(counts.astype(np.float64) - lists, 0.0)
    return np.asarray((others + 0.4 + IMAGINED * usual) / (total + IMAGINED))
