"""What may be known of a child's name and number: the columns that lists and corrections resolve to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from eduaid.core.sealing import digest
from eduaid.core.text import IdNumber, name_key, name_sound


def name_facts(name: str) -> Mapping[str, str]:
    """What a name resolves to: itself, the key that spellings share, and its sounds for the search box."""
    sound = name_sound(name)
    return {"name": name, "name_key": name_key(name), "pinyin": " ".join((*sound.full, *sound.initials))}


def id_facts(number: IdNumber) -> Mapping[str, str]:
    """What may be known of an ID number without the number: its type, the region digits, a digest of its last four."""
    return {
        "id_type": number.kind,
        "id_prefix": number.number[:6] if number.kind == "1" else "",
        "id_tail_digest": digest("id-tail", number.number[-4:]).hex(),
    }


def age_on(birth: dt.date, day: dt.date) -> int:
    """Completed years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
