"""Nobody out of school unnoticed: census rounds, whereabouts, evidence, letters to other counties, spot checks."""

from .census import CensusRound, Verdict, Whereabouts
from .evidence import Evidence, EvidenceFile
from .letters import InquiredChild, InquiryLetter
from .spot_checks import SpotCall, SpotCheck, SpotPool

__all__ = [
    "CensusRound",
    "Evidence",
    "EvidenceFile",
    "InquiredChild",
    "InquiryLetter",
    "SpotCall",
    "SpotCheck",
    "SpotPool",
    "Verdict",
    "Whereabouts",
]
