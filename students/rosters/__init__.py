"""The roster kinds, one declaration each. Importing this package registers them."""

from .class_roster import CLASS_ROSTER
from .hardship import HARDSHIP
from .population import POPULATION
from .poverty_register import POVERTY_REGISTER
from .registry import REGISTRY

__all__ = ["CLASS_ROSTER", "HARDSHIP", "POPULATION", "POVERTY_REGISTER", "REGISTRY"]
