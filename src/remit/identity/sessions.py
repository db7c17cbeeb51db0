"""The sessions of an account: which are open, and how they end before their time.

Source: NIST SP 800-63B §7.1; MISSION A9.
"""

from remit.audit.context import Context
from remit.audit.events import LoggedOut
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.identity import store
from remit.identity.session import Session, holds
from remit.ids import UserId

__all__ = ["end_all_sessions", "end_session", "list_sessions"]


def list_sessions(
    tx: Transaction, user_id: UserId, *, now: EpochSeconds, idle: Seconds
) -> tuple[Session, ...]:
    """The sessions of the account that may still be used, the one used last first."""
    found = store.open_sessions(tx, user_id, now=now)
    return tuple(session for session in found if holds(session, now=now, idle=idle))


def end_session(
    tx: Transaction, session_id: str, *, at: EpochSeconds, reason: str, context: Context
) -> bool:
    """End the session with that id; whether it was open."""
    ended = store.end_sessions(tx, at=at, session_id=session_id)
    _record(tx, ended, reason=reason, context=context)
    return bool(ended)


def end_all_sessions(
    tx: Transaction,
    user_id: UserId,
    *,
    at: EpochSeconds,
    reason: str,
    context: Context,
    keep: str | None = None,
) -> int:
    """End the open sessions of the account, all but the one with the id `keep`; how many."""
    ended = store.end_sessions(tx, at=at, user_id=user_id, but=keep)
    _record(tx, ended, reason=reason, context=context)
    return len(ended)


def _record(tx: Transaction, ended: tuple[Session, ...], *, reason: str, context: Context) -> None:
    for session in ended:
        user = store.find_user(tx, session.user_id)
        tenant = context.tenant if user is None else user.tenant
        known = context.with_(user_id=session.user_id, tenant=tenant)
        tx.record(LoggedOut(context=known, session_id=session.id, reason=reason))
