"""People, households, enrolments, and how list rows are tied to them."""

from .enrolment import Enrolment
from .identity import Correction, Identifier, IdentityLink
from .people import Household, Student

__all__ = ["Correction", "Enrolment", "Household", "Identifier", "IdentityLink", "Student"]
