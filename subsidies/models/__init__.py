"""Programmes, hardship, what children are entitled to, and the money on its way to them."""

from .batches import AidBatch, ApprovalLimit, Award, Payment, PaymentFile
from .entitlements import Entitlement, GapCheck
from .hardship import ChildCategory, Recognition
from .ledger import Account, Entry, Line, TermClosing
from .loans import Loan, LoanSnapshot
from .notices import Objection, PublicNotice, WorkdayOverride
from .programmes import Category, CategoryMapping, Exclusion, Programme, Standard

__all__ = [
    "Account", "AidBatch", "ApprovalLimit", "Award", "Category", "CategoryMapping", "ChildCategory", "Entitlement", "Entry",
    "Exclusion", "GapCheck", "Line", "Loan", "LoanSnapshot", "Objection", "Payment", "PaymentFile", "Programme",
    "PublicNotice", "Recognition", "Standard", "TermClosing", "WorkdayOverride",
]  # fmt: skip
