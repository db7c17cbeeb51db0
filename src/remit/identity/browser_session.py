"""The session of the browser behind a request, and how it ends.

Refused, all alike as `None`: no cookie, an unknown one, a session that has ended or
passed a limit, an account that is disabled, a password alone where the policy has come to
require more.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request

from remit.audit.context import Context
from remit.audit.events import LoggedOut
from remit.db import Transaction
from remit.identity import store
from remit.identity.deps import IdentityDeps
from remit.identity.requirements import meets_policy
from remit.identity.session import Session, holds, is_worth_noting
from remit.identity.user import User
from remit.ids import digest
from remit.web import read_cookie

__all__ = ["SESSION_COOKIE", "ReadSession", "log_out", "session_reader", "session_secret"]

SESSION_COOKIE = "remit_session"

ReadSession = Callable[[Request], Awaitable[tuple[User, Session] | None]]


def session_reader(deps: IdentityDeps) -> ReadSession:
    """A function that finds who is logged in in the browser behind a request."""

    async def read_session(request: Request) -> tuple[User, Session] | None:
        secret = session_secret(request, deps)
        if secret is None:
            return None
        catalog = deps.directory.catalog
        now, idle = deps.clock.now(), catalog.issuer.session_idle

        def find(tx: Transaction) -> tuple[User, Session] | None:
            session = store.session_with_digest(tx, digest(secret))
            if session is None or not holds(session, now=now, idle=idle):
                return None
            if not meets_policy(session, catalog.sign_in):
                return None
            user = store.find_user(tx, session.user_id)
            return None if user is None or user.disabled_at is not None else (user, session)

        found = await deps.database.glance(find)
        if found is not None and is_worth_noting(found[1], now=now, idle=idle):
            session_id = found[1].id
            await deps.database.run(lambda tx: store.note_session(tx, session_id, seen_at=now))
        return found

    return read_session


def session_secret(request: Request, deps: IdentityDeps) -> str | None:
    """The secret in the browser's session cookie, whatever it is worth."""
    return read_cookie(request, deps.site, SESSION_COOKIE)


async def log_out(deps: IdentityDeps, secret: str, *, context: Context) -> None:
    """End the session with that secret, if it is open."""
    now = deps.clock.now()

    def end(tx: Transaction) -> None:
        for session in store.end_sessions(tx, at=now, digest=digest(secret)):
            user = store.find_user(tx, session.user_id)
            tenant = None if user is None else user.tenant
            known = context.with_(user_id=session.user_id, tenant=tenant)
            tx.record(LoggedOut(context=known, session_id=session.id, reason="log_out"))

    await deps.database.run(end)
