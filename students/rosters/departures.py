"""Where the persons of each kind of list may have gone: what the sender chooses from when the next list no longer names them."""

from eduaid.core import codes
from eduaid.core.codes import Entry


def _of(*keys: str) -> tuple[Entry, ...]:
    """Entries by code: reasons for not being on a list of one kind alone, then those of the whereabouts table."""
    return tuple(codes.DEPARTURE[key] if key in codes.DEPARTURE else codes.WHEREABOUTS[key] for key in keys)


_DROPPED_OUT = tuple(entry.code for entry in codes.WHEREABOUTS if entry.group == "辍学")

SCHOOL = _of(
    "G1", "B7", "G3", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "B10", "B9", "B1", "B3", "B4", "B5", "B6", "B8",
    *_DROPPED_OUT,
)  # fmt: skip
POPULATION = _of("M1", "B8", "B7", "B1", "B2", "B3", "B4", "B5", "B6")
POVERTY = _of("X1", "X2", "M1", "B8", "B1", "B3", "B4", "B5", "B6", "B7")
HARDSHIP = _of("X3", "X4", "M1", "B8", "B1", "B3", "B4", "B5", "B7")
