"""The list kinds of 控辍保学. Importing this package registers them."""

from eduaid.core.lists import register

from .evidence import EVIDENCE

register(EVIDENCE)

__all__ = ["EVIDENCE"]
