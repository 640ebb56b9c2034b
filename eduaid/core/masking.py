"""Cells of sealed columns as anybody but their sender sees them."""

from __future__ import annotations

from eduaid.core.lists import Column
from eduaid.core.text import mask_id, mask_phone


def masked(column: Column, value: str) -> str:
    """The value of a sealed column as pages and command lines show it."""
    if not column.sealed or not value:
        return value
    if "phone" in column.key:
        return mask_phone(value)
    if column.key in ("address", "note"):
        return "（已隐藏）"
    return mask_id(value)
