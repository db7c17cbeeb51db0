"""What the facts of history come to: counted, added up, gathered, each in its own window.

Of several pasts, those of agents that act for each other, the one that comes to most is told; of sets, all there is in
any of them. Sums are exact: they are kept and added in ten-thousandths, and a sum too large for a policy is no sum.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, assert_never

from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.guard.use import Entry, Use, Whose
from remit.history.store import (
    UseRow,
    add_use,
    delete_uses,
    has_uses,
    lock_pasts,
    members_of,
    tally,
)
from remit.model import HistoryFact, HistoryMeasure
from remit.policy.history import History, HistoryValue

__all__ = ["count_use", "told_of", "uncount_use"]

_UNITS: Final = 10_000


def count_use(tx: Transaction, use: Use) -> History:
    """Count `use` in, and what the facts that it is told of come to with it.

    Of two at one time in one past the second waits for the first, and is told of it.
    """
    told = [entry for entry in use.entries if entry.told]
    lock_pasts(tx, [(entry.fact.account, whose) for entry in told for whose in entry.whose])
    for entry in use.entries:
        for row in _rows(entry, use):
            add_use(tx, row)
    return {entry.fact.name: told_of(tx, entry.fact, entry.whose, now=use.at) for entry in told}


def uncount_use(tx: Transaction, use: Use) -> None:
    """Let `use` count no longer."""
    for entry in use.withdrawn:
        for whose in entry.whose:
            delete_uses(tx, entry.fact.account, whose, at=use.at, use=use.id)


def told_of(
    tx: Transaction, fact: HistoryFact, pasts: Sequence[Whose], *, now: EpochSeconds
) -> HistoryValue:
    """What `fact` comes to at `now`, in that of `pasts` in which it comes to most."""
    account, since = fact.account, now - fact.reach
    match fact.measure:
        case HistoryMeasure.COUNT:
            return max(tally(tx, account, one, since=since).count for one in pasts)
        case HistoryMeasure.SUM:
            units = max(tally(tx, account, one, since=since).amount for one in pasts)
            return Decimal(units).scaleb(-4)
        case HistoryMeasure.EVER:
            return any(has_uses(tx, account, one, since=since) for one in pasts)
        case HistoryMeasure.TOOLS | HistoryMeasure.DATA_CATEGORIES:
            every = (members_of(tx, account, one, since=since) for one in pasts)
            return frozenset().union(*every)
        case _:
            assert_never(fact.measure)


def _rows(entry: Entry, use: Use) -> list[UseRow]:
    if not entry.counted:
        return []
    units = int(entry.amount * _UNITS)
    return [
        UseRow(
            fact=entry.fact.account, whose=whose, at=use.at, use=use.id, member=member, amount=units
        )
        for whose in entry.whose
        for member in entry.members
    ]
