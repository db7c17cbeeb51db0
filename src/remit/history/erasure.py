"""Forgetting what was done, on somebody's word: for a person who may ask for it, or after a mistake.

Whoever is forgotten begins anew, limits and all: so it is an event, with a reason, and nobody's to do by accident.
"""

from collections.abc import Collection
from dataclasses import dataclass

from remit.audit.context import Context
from remit.audit.events import HistoryForgotten
from remit.db import Transaction
from remit.history.store import forget_uses
from remit.ids import TenantId

__all__ = ["Forgotten", "forget_history"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """Whose past is to be forgotten, within `tenant`: of this agent, this person or this grant, or of all that are named."""

    tenant: TenantId
    agent: str = ""
    subject: str = ""
    grant: str = ""
    facts: tuple[str, ...] = ()
    """The names of the facts; none: all."""


def forget_history(
    tx: Transaction,
    whose: Forgotten,
    *,
    accounts: Collection[str],
    reason: str,
    context: Context,
) -> int:
    """Delete what was counted; how many rows. `accounts` are those of `whose.facts`.

    Raises:
        ValueError: nobody is named, which would be everybody.
    """
    named = [
        (column, value)
        for column, value in (
            ("agent", whose.agent),
            ("subject", whose.subject),
            ("grant_id", whose.grant),
        )
        if value
    ]
    if not named:
        raise ValueError("whose past is to be forgotten has to be said")
    rows = forget_uses(tx, tenant=whose.tenant, named=named, accounts=accounts)
    tx.record(
        HistoryForgotten(
            context=context,
            tenant_id=whose.tenant,
            agent=whose.agent or None,
            subject=whose.subject or None,
            grant=whose.grant or None,
            facts=whose.facts,
            uses=rows,
            reason=reason,
        )
    )
    return rows
