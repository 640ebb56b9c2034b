"""The roster kinds, one declaration each. Importing this package registers them, in the order in which they arrive."""

from eduaid.core.lists import register

from .class_roster import CLASS_ROSTER
from .disability import DISABILITY
from .hardship import HARDSHIP
from .population import POPULATION
from .poverty_register import POVERTY_REGISTER
from .registry import REGISTRY

for _kind in (POPULATION, REGISTRY, CLASS_ROSTER, POVERTY_REGISTER, HARDSHIP, DISABILITY):
    register(_kind)

__all__ = ["CLASS_ROSTER", "DISABILITY", "HARDSHIP", "POPULATION", "POVERTY_REGISTER", "REGISTRY"]
