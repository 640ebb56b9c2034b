"""Bank card numbers as people write them: what is damaged, and how. Plain Python; a number never stands in a message."""

from __future__ import annotations

import re
from dataclasses import dataclass

_JOINTS = re.compile(r"[\s\u00a0\u3000\u200b\ufeff'’‘`\-－—_.]+")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{2}")
_SHORTEST, _LONGEST = 12, 19
# What Excel keeps of a long number; the rest becomes zeros.
_KEPT = 15


@dataclass(frozen=True, slots=True)
class Card:
    number: str

    @property
    def last4(self) -> str:
        return self.number[-4:]


@dataclass(frozen=True, slots=True)
class Damage:
    """`code`: scientific, zeros, length, digits or check."""

    code: str
    length: int = 0


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1 Annex B: what nearly every card of 16 or 19 digits fulfils."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def read_card(text: str) -> Card | Damage:
    """Bank books (存折) have 12 to 15 and 17 digits and no check digit; cards have 16, 18 or 19."""
    bare = _JOINTS.sub("", "".join(chr(ord(char) - 0xFEE0) if "０" <= char <= "９" else char for char in text))
    if _SCIENTIFIC.fullmatch(text.strip()):
        return Damage("scientific")
    if not bare.isdecimal() or not bare.isascii():
        return Damage("digits")
    if not _SHORTEST <= len(bare) <= _LONGEST:
        return Damage("length", len(bare))
    if len(bare) > _KEPT and set(bare[_KEPT:]) == {"0"}:
        return Damage("zeros", len(bare))
    if len(bare) in (16, 19) and not luhn(bare):
        return Damage("check", len(bare))
    return Card(bare)


def masked(last4: str) -> str:
    return f"************{last4}" if last4 else ""
