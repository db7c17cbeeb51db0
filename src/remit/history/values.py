"""What the facts of history come to: counted, added up, gathered, each in its own window.

Of several pasts, those of agents that act for each other, the one that comes to most is told; of sets, all there is in
any of them. Sums are exact: they are kept and added in ten-thousandths, and a sum too large for a policy is no sum.

A past of very many uses is merged while it is read: each of them then counts for a thousandth of the window longer at
the most, and never shorter, and what is read stays as little as it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final, assert_never

from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.guard.call import Earlier
from remit.guard.use import Entry, Use, Whose
from remit.history.store import (
    Tally,
    UseRow,
    add_use,
    consent_of,
    delete_uses,
    has_uses,
    lock_pasts,
    members_of,
    merge_uses,
    tally,
    tally_of_use,
)
from remit.model import HistoryFact, HistoryMeasure
from remit.policy.history import History, HistoryValue

__all__ = ["count_use", "told_of", "uncount_use"]

_UNITS: Final = 10_000
_ADDED_UP: Final = frozenset({HistoryMeasure.COUNT, HistoryMeasure.SUM})
_MANY: Final = 4_096
_NOW_AND_THEN: Final = 64
_SLOTS: Final = 1_024
_SETTLED: Final = 600
"""Seconds after which no call is under way any more that could be taken back."""


def count_use(tx: Transaction, use: Use) -> History:
    """Count `use` in, and what the facts that it is told of come to with it.

    Of two at one time in one past the second waits for the first, and is told of it.
    """
    use = _by_consent(tx, use)
    told = [entry for entry in use.entries if entry.told]
    lock_pasts(tx, [(entry.fact.account, whose) for entry in told for whose in entry.whose])
    for entry in use.entries:
        for row in _rows(entry, use):
            add_use(tx, row)
    history: dict[str, HistoryValue] = {}
    for entry in told:
        fact = entry.fact
        if fact.measure in _ADDED_UP:
            tallies = _tallies(tx, fact, entry.whose, now=use.at, but=use.call.earlier)
            history[fact.name] = _most(fact, tallies.values())
            _merge_where_many(tx, fact, tallies, now=use.at)
        else:
            history[fact.name] = told_of(tx, fact, entry.whose, now=use.at)
    return history


def uncount_use(tx: Transaction, use: Use) -> None:
    """Let `use` count no longer."""
    for entry in _by_consent(tx, use).withdrawn:
        for whose in entry.whose:
            delete_uses(tx, entry.fact.account, whose, at=use.at, use=use.id)


def told_of(
    tx: Transaction, fact: HistoryFact, pasts: Sequence[Whose], *, now: EpochSeconds
) -> HistoryValue:
    """What `fact` comes to at `now`, in that of `pasts` in which it comes to most."""
    account, since = fact.account, now - fact.reach
    match fact.measure:
        case HistoryMeasure.COUNT | HistoryMeasure.SUM:
            return _most(fact, _tallies(tx, fact, pasts, now=now).values())
        case HistoryMeasure.EVER:
            return any(has_uses(tx, account, one, since=since) for one in pasts)
        case HistoryMeasure.TOOLS | HistoryMeasure.DATA_CATEGORIES:
            every = (members_of(tx, account, one, since=since) for one in pasts)
            return frozenset().union(*every)
        case _:
            assert_never(fact.measure)


def _by_consent(tx: Transaction, use: Use) -> Use:
    """`use`, with what counts by grants under the consent they came of: an exchange of tokens is no new one."""
    if not any(whose.grant for entry in use.entries for whose in entry.whose):
        return use
    return replace(use, entries=tuple(_of_consent(tx, entry) for entry in use.entries))


def _of_consent(tx: Transaction, entry: Entry) -> Entry:
    pasts = tuple(
        replace(one, grant=consent_of(tx, one.grant, within=one.tenant)) if one.grant else one
        for one in entry.whose
    )
    return replace(entry, whose=pasts)


def _tallies(
    tx: Transaction,
    fact: HistoryFact,
    pasts: Sequence[Whose],
    *,
    now: EpochSeconds,
    but: Earlier | None = None,
) -> dict[Whose, Tally]:
    since = now - fact.reach
    found = {whose: tally(tx, fact.account, whose, since=since) for whose in pasts}
    if but is None or but.at <= since:
        return found
    return {whose: _without(tx, fact, whose, tallied=found[whose], but=but) for whose in found}


def _without(
    tx: Transaction, fact: HistoryFact, whose: Whose, *, tallied: Tally, but: Earlier
) -> Tally:
    """`tallied`, but for the same call as it came before."""
    gone = tally_of_use(tx, fact.account, whose, at=but.at, use=but.decision_id)
    return replace(tallied, count=tallied.count - gone.count, amount=tallied.amount - gone.amount)


def _most(fact: HistoryFact, tallies: Iterable[Tally]) -> HistoryValue:
    if fact.measure is HistoryMeasure.COUNT:
        return max(one.count for one in tallies)
    return Decimal(max(one.amount for one in tallies)).scaleb(-4)


def _merge_where_many(
    tx: Transaction, fact: HistoryFact, tallies: Mapping[Whose, Tally], *, now: EpochSeconds
) -> None:
    for whose, found in tallies.items():
        # Now and then, for where all of it is recent there is nothing to merge.
        if found.rows > _MANY and found.rows % _NOW_AND_THEN == 0:
            width = max(1, fact.reach // _SLOTS)
            merge_uses(tx, fact.account, whose, before=now - _SETTLED, width=width)


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
