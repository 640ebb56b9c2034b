"""Nobody out of school unnoticed: census rounds, whereabouts, evidence."""

from .census import CensusRound, Verdict, Whereabouts

__all__ = ["CensusRound", "Verdict", "Whereabouts"]
