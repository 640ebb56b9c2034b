"""Writing the ledger: one entry with the lines of any number of awards, set-based; reversing an entry; closing a term."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Decimal

from django.db import connection, transaction

from eduaid.core.models import Term, User
from eduaid.core.roles import Right, may, today
from subsidies.models import Account, AidBatch, Entry, Line, TermClosing
from subsidies.money import LABELS, WAYS, Deed, Place


class NotAllowed(Exception):
    """The user may not do this; the sentence says who may."""


class NotPossible(Exception):
    """The money does not stand so; the sentence says what it waits for."""


def post(
    deed: Deed,
    *,
    batch: AidBatch,
    awards: Collection[int],
    by: User,
    on: dt.date | None = None,
    note: str = "",
    amounts: dict[int, Decimal] | None = None,
) -> Entry:
    """One entry that moves the awards' money as the deed says: whole awards, or `amounts` of them.

    Booked in the batch's term, or in the running one when that is closed (a recovery comes late). Part of the caller's transaction;
    the database refuses what does not balance or is not there.
    """
    if not awards:
        raise NotPossible("没有要入账的人。")
    source, target = WAYS[deed]
    accounts = accounts_of(batch.programme_id)
    term = _booking_term(batch, deed)
    entry = Entry.objects.create(
        deed=deed.value,
        programme_id=batch.programme_id,
        term_id=term,
        batch=batch,
        happened_on=on or today(),
        by=by,
        note=note[:200],
    )
    ids = sorted(awards)
    moved = None if amounts is None else [amounts[pk] for pk in ids]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO subsidies_line (entry_id, account_id, award_id, amount)
            SELECT %(entry)s, side.account, a.id, side.sign * coalesce(m.amount, a.amount)
            FROM subsidies_award a
            LEFT JOIN unnest(%(ids)s::bigint[], %(amounts)s::numeric[]) AS m(id, amount) ON m.id = a.id
            CROSS JOIN (VALUES (%(from)s, -1), (%(to)s, 1)) AS side(account, sign)
            WHERE a.id = ANY(%(ids)s) AND a.batch_id = %(batch)s
            """,
            {
                "entry": entry.pk,
                "ids": ids,
                "amounts": moved,
                "from": accounts[source],
                "to": accounts[target],
                "batch": batch.pk,
            },
        )
        if cursor.rowcount != 2 * len(ids):
            raise NotPossible("有的人不在这一批次，没有入账。")
    return entry


@transaction.atomic
def reverse(entry: Entry, *, by: User, reason: str) -> Entry:
    """Books the mirror of an entry. Once; what has moved on since cannot be taken back so, and the database says so."""
    if not reason.strip():
        raise NotPossible("请写明冲销的原因。")
    if Entry.objects.filter(reverses=entry).exists():
        raise NotPossible("这笔记账已经冲销过，不能再冲销。")
    if entry.reverses_id is not None:
        raise NotPossible("冲销的记账不能再冲销，请重新记一笔。")
    mirror = Entry.objects.create(
        deed=Deed.REVERSE.value,
        programme_id=entry.programme_id,
        term_id=entry.term_id,
        batch_id=entry.batch_id,
        happened_on=today(),
        by=by,
        note=reason[:200],
        reverses=entry,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO subsidies_line (entry_id, account_id, award_id, amount)"
            " SELECT %s, account_id, award_id, -amount FROM subsidies_line WHERE entry_id = %s",
            [mirror.pk, entry.pk],
        )
    return mirror


def accounts_of(programme_id: int) -> dict[Place, int]:
    """Place → account id; a programme's accounts are opened with its first entry."""
    found = dict(Account.objects.filter(programme=programme_id).values_list("place", "pk"))
    if len(found) < len(Place):
        Account.objects.bulk_create(
            [Account(programme_id=programme_id, place=place.value) for place in Place if place.value not in found],
            ignore_conflicts=True,
        )
        found = dict(Account.objects.filter(programme=programme_id).values_list("place", "pk"))
    return {Place(place): pk for place, pk in found.items()}


_LATE = frozenset({Deed.CLAIM, Deed.RECOVER, Deed.FORGIVE})


def _booking_term(batch: AidBatch, deed: Deed) -> int:
    if not TermClosing.objects.filter(term=batch.term_id).exists():
        return batch.term_id
    if deed not in _LATE:
        raise NotPossible(f"{batch.term}已结账，不能再入账。请在当前学期补发或追回。")
    return Term.objects.at(today()).pk


@transaction.atomic
def close_term(term: Term, *, by: User, note: str = "") -> TermClosing:
    """No entry goes into the term any more. Refused while money is on its way: it would never arrive."""
    if not may(by, Right.APPROVE):
        raise NotAllowed("学期结账由县教育局办理。")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM core_term WHERE id = %s FOR UPDATE", [term.pk])
    if TermClosing.objects.filter(term=term).exists():
        raise NotPossible(f"{term}已经结账。")
    held = Line.objects.holdings(award__term=term)
    waiting = [
        f"{LABELS[place]} {held[place.value]:,.2f} 元"
        for place in (Place.PAYABLE, Place.TRANSIT, Place.RETURNED)
        if held.get(place.value)
    ]
    if waiting:
        raise NotPossible(f"{term}还有没办完的钱：{'，'.join(waiting)}。办完后才能结账。")
    return TermClosing.objects.create(term=term, closed_by=by, note=note[:200])
