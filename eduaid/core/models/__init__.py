"""The kernel's tables, by noun."""

from .access import AccessRecord
from .accounts import Post, User
from .calendar import SchoolYear, Term
from .changes import ChangeSet, Cursor
from .departures import Departure
from .keys import DataKey
from .notices import Notice
from .places import Region, School
from .returned import ReturnedFile
from .uploads import CellEdit, ColumnMemory, Finding, ListSlice, Upload, UploadFile, UploadRow, UploadSheet, ValueMemory

__all__ = [
    "AccessRecord",
    "CellEdit",
    "ChangeSet",
    "ColumnMemory",
    "Cursor",
    "DataKey",
    "Departure",
    "Finding",
    "ListSlice",
    "Notice",
    "Post",
    "Region",
    "ReturnedFile",
    "School",
    "SchoolYear",
    "Term",
    "Upload",
    "UploadFile",
    "UploadRow",
    "UploadSheet",
    "User",
    "ValueMemory",
]
