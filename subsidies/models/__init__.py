"""Programmes, hardship, and what children are entitled to."""

from .entitlements import Entitlement, GapCheck
from .hardship import ChildCategory, Recognition
from .programmes import Category, CategoryMapping, Exclusion, Programme, Standard

__all__ = [
    "Category", "CategoryMapping", "ChildCategory", "Entitlement", "Exclusion", "GapCheck", "Programme", "Recognition",
    "Standard",
]  # fmt: skip
