"""What is kept of the past is what some policy may still be told: the rest is deleted by the clock.

A fact that nobody declares any more is kept as long as anything is: whoever takes a fact out of the repository and puts
it back, or rolls back a bundle, has not made everybody begin anew. Where only the last use matters, the others go.
"""

from collections.abc import Mapping

from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.history.store import accounts_kept, thin_uses, trim_uses
from remit.model import LONGEST_HISTORY, HistoryFact, HistoryMeasure

__all__ = ["trim_history"]

_SETTLED = 600
"""Seconds after which no call is under way any more that could be taken back."""
_LAST_IS_ENOUGH = frozenset(
    {HistoryMeasure.EVER, HistoryMeasure.TOOLS, HistoryMeasure.DATA_CATEGORIES}
)


def trim_history(tx: Transaction, declared: Mapping[str, HistoryFact], *, now: EpochSeconds) -> int:
    """Delete the uses that no fact of `declared` reaches any more; how many rows."""
    facts: dict[str, list[HistoryFact]] = {}
    for fact in declared.values():
        facts.setdefault(fact.account, []).append(fact)
    deleted = 0
    for account in sorted(accounts_kept(tx)):
        about = facts.get(account, [])
        reach = max((fact.reach for fact in about), default=LONGEST_HISTORY)
        deleted += trim_uses(tx, account, before=now - reach)
        if about and all(fact.measure in _LAST_IS_ENOUGH for fact in about):
            deleted += thin_uses(tx, account, before=now - _SETTLED)
    return deleted
