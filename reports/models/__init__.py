"""The reports' own tables: frozen results, never a second truth."""

from .snapshots import Figure, Report

__all__ = ["Figure", "Report"]
