"""Drawing some of every school by a seed. Plain Python: whoever knows seed and pool draws the same, by hand if need be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def ticket(seed: str, public_id: str) -> str:
    """The lot of a child: SHA-256 of 「种子:档案号」. Nobody can choose a seed so that a certain child is left out but by trying."""
    return hashlib.sha256(f"{seed}:{public_id}".encode()).hexdigest()


def draw(seed: str, pool: Mapping[int, str], count: int) -> list[int]:
    """The `count` children with the smallest lots (all where the pool has no more), in that order. `pool`: id → public id.

    The order of the pool says nothing, and a child more or fewer in it changes at most one name.
    """
    return [pk for _, pk in sorted((ticket(seed, public_id), pk) for pk, public_id in pool.items())[:count]]
