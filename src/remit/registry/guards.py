"""Guards inside servers: that one was heard of, and that its records are in Remit's own log.

Refused: a record that comes out of order, and more instances of one server than anybody runs. A record
that was taken over before is passed by; so a guard that did not hear the answer sends it again.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, Final

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import GuardSeen
from remit.audit.relayed import Relayed
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError, NotFoundError
from remit.ids import ServerName
from remit.registry import guard_store

__all__ = ["TooManyGuardsError", "note_guard", "take_records"]

_MAX_INSTANCES: Final = 1_000
_FORGOTTEN_AFTER: Final = 30 * 86_400
_ACTOR: Final = Actor(ActorType.SYSTEM, "guard")


class TooManyGuardsError(ConflictError):
    """As many guards of one server were heard of within a month as there may be."""

    code: ClassVar[str] = "too_many_guards"


def note_guard(
    tx: Transaction, server: ServerName, instance: str, *, version: str, now: EpochSeconds
) -> None:
    """Note that the guard asks; its first word, and its first in another version, is an event.

    Raises:
        TooManyGuardsError: it is new, and there are too many already.
    """
    known = guard_store.guard(tx, server, instance)
    if known is None:
        guard_store.forget_guards(tx, server, before=EpochSeconds(now - _FORGOTTEN_AFTER))
        if sum(one.server == server for one in guard_store.guards_seen(tx)) >= _MAX_INSTANCES:
            raise TooManyGuardsError("too many guards of this server were heard of of late")
        row = guard_store.GuardRow(
            server=server, instance=instance, version=version, first_seen=now, last_seen=now
        )
        new = guard_store.add_guard(tx, row)
    else:
        guard_store.see_guard(tx, server, instance, version=version, now=now)
        new = known.version != version
    if new:
        tx.record(
            GuardSeen(
                context=Context(actor=_ACTOR), server=server, instance=instance, version=version
            )
        )


def take_records(
    tx: Transaction, server: ServerName, instance: str, records: Sequence[Relayed]
) -> int:
    """Record what of `records` is new; the sequence number up to which everything is in the log.

    Raises:
        NotFoundError: no such guard was ever heard of.
        ConflictError: the records are not in their order.
    """
    known = guard_store.guard(tx, server, instance)
    if known is None:
        raise NotFoundError("no such guard has asked for a snapshot")
    sequences = [one.sequence for one in records]
    if any(later <= earlier for earlier, later in pairwise(sequences)):
        raise ConflictError("the records are not in their order")
    last = max([known.last_record, *sequences])
    for one in records:
        if one.sequence > known.last_record:
            tx.record(one.event)
    guard_store.advance_guard(tx, server, instance, last_record=last)
    return last
