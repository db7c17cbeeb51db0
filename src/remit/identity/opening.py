"""The end of every log-in: a new session, whatever led to it.

Each gets a secret of its own, and the session that this browser had before ends in the same
transaction: a session that somebody planted is never the one after it (fixation). Refused:
an account that was disabled meanwhile.

Source: RFC 9700 §4.7; NIST SP 800-63B §7.1; O21 §4.3.
"""

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from remit.audit.context import Context, authenticated
from remit.audit.events import LoggedIn, LoggedOut, LoginFailed
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.identity import store
from remit.identity.browser_session import SESSION_COOKIE, session_secret
from remit.identity.circumstances import acting, context_of
from remit.identity.deps import IdentityDeps
from remit.identity.return_to import safe_return_to
from remit.identity.session import Session, expiry_of
from remit.identity.user import User
from remit.ids import digest, new_id, new_secret
from remit.web import error_page, redirect, set_cookie

__all__ = ["OpenedSession", "Proof", "begin_session", "open_session", "with_session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How somebody proved who they are: `acr` is one of `ACR_VALUES`, `amr` as RFC 8176 spells it.

    `provider` names the identity provider that vouched. `auth_time` is given where part of the
    proof is older than this moment, as when a session that is open gets a second factor.
    """

    acr: str
    amr: tuple[str, ...]
    provider: str | None = None
    auth_time: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSession:
    """A new session; `secret` goes into the cookie and nowhere else."""

    user: User
    session: Session
    secret: str = field(repr=False)


async def open_session(
    deps: IdentityDeps, request: Request, user: User, *, proof: Proof, return_to: str | None
) -> Response:
    """Log `user` in in the browser behind `request`, and send it on to `return_to`.

    `return_to` is checked again: where it is none of our paths, the account page is next.
    The answer is a page that says no where the account was disabled meanwhile.

    Raises:
        AuditUnavailableError, DatabaseUnavailableError: nobody is logged in.
    """
    context, previous = context_of(request, deps.site), session_secret(request, deps)
    opened = await deps.database.run(
        lambda tx: begin_session(tx, deps, user, proof=proof, previous=previous, context=context)
    )
    if opened is None:
        return error_page(
            403,
            "You cannot log in",
            message="This account may not log in.",
            hint="Ask whoever administers it.",
            code="account_disabled",
        )
    target = safe_return_to(return_to, deps.return_paths) or "/account"
    return with_session(redirect(target), deps, opened)


def begin_session(
    tx: Transaction,
    deps: IdentityDeps,
    user: User,
    *,
    proof: Proof,
    previous: str | None,
    context: Context,
) -> OpenedSession | None:
    """Open a session, ending the one with the secret `previous`; `None` if the account is disabled.

    `context` is the browser's; that the person acts is added here.
    """
    present = store.find_user(tx, user.id)
    if present is None or present.disabled_at is not None:
        known = context.with_(tenant=user.tenant)
        tx.record(LoginFailed(context=known, account_id=user.id, reason="disabled"))
        return None
    now = deps.clock.now()
    doing = acting(context, present).with_(
        auth=authenticated(
            proof.acr, proof.amr, now if proof.auth_time is None else proof.auth_time
        )
    )
    if previous is not None:
        for ended in store.end_sessions(tx, at=now, digest=digest(previous)):
            tx.record(LoggedOut(context=doing, session_id=ended.id, reason="replaced"))
    secret = new_secret()
    session = Session(
        id=new_id("ses"),
        user_id=user.id,
        auth_time=now if proof.auth_time is None else proof.auth_time,
        acr=proof.acr,
        amr=proof.amr,
        created_at=now,
        last_seen_at=now,
        expires_at=expiry_of(deps.directory.catalog.issuer, now),
        provider=proof.provider,
        ip=context.network.ip,
        user_agent=context.network.user_agent,
    )
    store.add_session(tx, session, digest=digest(secret))
    tx.record(
        LoggedIn(
            context=doing,
            session_id=session.id,
            acr=session.acr,
            amr=session.amr,
            provider=proof.provider,
        )
    )
    return OpenedSession(user=present, session=session, secret=secret)


def with_session(response: Response, deps: IdentityDeps, opened: OpenedSession) -> Response:
    """`response`, giving the browser the cookie of its new session."""
    set_cookie(response, deps.site, SESSION_COOKIE, value=opened.secret)
    return response
