"""Marking somebody's own workbook: the XML of its package is patched where something is marked, all else stays byte for byte.

A library that reads a workbook and writes it anew loses what it does not know (pictures, conditional formats, print
settings) and needs twenty times as long. Here only the marked cells, one hidden column of keys, the notes and one more
sheet in front are added. Plain Python, no Django. What is too unusual to be patched safely raises `CannotPatch`.
"""

from eduaid.core.packages.package import marked
from eduaid.core.packages.shapes import MOST_NOTES, CannotPatch, Entry, Front, Mark, SheetMarks, xml_text

__all__ = ["MOST_NOTES", "CannotPatch", "Entry", "Front", "Mark", "SheetMarks", "marked", "xml_text"]
