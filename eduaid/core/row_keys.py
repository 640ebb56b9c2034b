"""The hidden key of a row in a workbook that goes out and comes back: who holds it learns nothing and can make none.

A key is one block under a cipher of the key ring: what it is for, five zero bytes that only a real key opens to, the row,
and the newest correction that the workbook shows. Written in capital letters and a few digits, so that no spreadsheet
takes it for a number.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from eduaid.core.sealing import digest, ring

HEADER = "行标识（请勿改动）"
_START = "EA"
_LENGTH = 26
PATTERN = re.compile(f"{_START}-[A-Z2-7]{{{_LENGTH}}}")
_ZEROS = bytes(5)


class Use(IntEnum):
    MARKED = 1
    PREFILLED = 2


class RowKey(NamedTuple):
    """`seen`: the newest CellEdit that stood in the workbook when it went out; corrections after it are not in it."""

    use: Use
    row: int
    seen: int


def _cipher() -> Cipher[modes.ECB]:
    """One block each, and every block different: what ECB is for."""
    key = digest("row-key", "v1")
    block = algorithms.SM4(key) if ring().algorithm == "sm4-gcm" else algorithms.AES(key)
    return Cipher(block, modes.ECB())  # noqa: S305 a single block with redundancy, no message


def keys(use: Use, rows: Iterable[int], *, seen: int = 0) -> list[str]:
    """The keys of rows, in order."""
    head, tail = bytes([use]) + _ZEROS, seen.to_bytes(4, "big")
    plain = b"".join([head + row.to_bytes(6, "big") + tail for row in rows])
    sealed = _cipher().encryptor().update(plain)
    # Twenty bytes are thirty-two letters without a rest, so that one call writes them all.
    spread = b"".join([sealed[start : start + 16] + bytes(4) for start in range(0, len(sealed), 16)])
    text = base64.b32encode(spread).decode()
    return [f"{_START}-{text[start : start + _LENGTH]}" for start in range(0, len(text), 32)]


def opened(texts: Sequence[str]) -> list[RowKey | None]:
    """What the keys say, in order; None for what is no key of ours."""
    found = [text.strip() if PATTERN.fullmatch(text.strip()) else "" for text in texts]
    letters = "".join(text.partition("-")[2] + "A" * 6 for text in found if text)
    spread = base64.b32decode(letters)
    plain = _cipher().decryptor().update(b"".join([spread[start : start + 16] for start in range(0, len(spread), 20)]))
    blocks = iter([plain[start : start + 16] for start in range(0, len(plain), 16)])
    return [_row_key(next(blocks)) if text else None for text in found]


def _row_key(block: bytes) -> RowKey | None:
    if block[1:6] != _ZEROS or block[0] not in (Use.MARKED, Use.PREFILLED):
        return None
    return RowKey(Use(block[0]), int.from_bytes(block[6:12], "big"), int.from_bytes(block[12:], "big"))
