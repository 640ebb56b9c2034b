"""People, households, enrolments, and how list rows are tied to them."""

from .care import Responsibility
from .comparison import Alias, Discrepancy, MatchDecision, Suggestion
from .enrolment import Enrolment
from .identity import Correction, Identifier, IdentityLink
from .movements import Movement
from .names import NamePart
from .people import Household, Student
from .turns import Turned, YearTurn

__all__ = [
    "Alias", "Correction", "Discrepancy", "Enrolment", "Household", "Identifier", "IdentityLink", "MatchDecision", "Movement",
    "NamePart", "Responsibility", "Student",
    "Suggestion", "Turned", "YearTurn",
]  # fmt: skip
