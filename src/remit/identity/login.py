"""One attempt to log in with a name and a password, from counting it to the new session.

In order: count the attempt against account and address, *before* the password is looked
at, so that a hundred guesses at once are a hundred and not one; check the password, with
the same work whoever the name is; then either open a session, ending the one this browser
had, or record why not. The caller learns only that it failed.

Source: O21 §2.4.1; NIST SP 800-63B §5.2.2; RFC 9700 §4.7 (session fixation).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import LoggedIn, LoggedOut, LoginFailed
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.db.throttle import count_attempt, network_of, take_back_attempt
from remit.identity import store
from remit.identity.deps import IdentityDeps
from remit.identity.lockout import ADDRESS_LIMIT, ADDRESS_WINDOW, rests_until
from remit.identity.session import ACR_PASSWORD, AMR_PASSWORD, Session, expiry_of
from remit.identity.store import Credentials
from remit.identity.user import User, normalized_username
from remit.ids import digest, new_id, new_secret

__all__ = ["FailureReason", "LoggedInSession", "LoginAttempt", "LoginRefused", "log_in"]


class FailureReason(StrEnum):
    """Why a log-in failed: in the log, never on the page."""

    UNKNOWN_NAME = "unknown_name"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  a reason, not a password
    RESTING = "resting"
    """The account rests after too many wrong passwords; this one was not considered."""
    DISABLED = "disabled"
    TOO_MANY = "too_many_from_address"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempt:
    """What somebody typed, and from where. `previous` is the secret of the session the browser had."""

    username: str
    password: str = field(repr=False)
    previous: str | None = field(repr=False)
    context: Context


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedInSession:
    """The new session; `secret` goes into the cookie and nowhere else."""

    user: User
    session: Session
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRefused:
    """No. `retry_after` is set where the address has to wait, whatever it sends."""

    reason: FailureReason
    retry_after: Seconds | None = None


@dataclass(frozen=True, slots=True)
class _Counted:
    """What is known once an attempt has been counted."""

    credentials: Credentials | None
    refused: LoginRefused | None


async def log_in(deps: IdentityDeps, attempt: LoginAttempt) -> LoggedInSession | LoginRefused:
    """Try `attempt`; everything that happened is recorded when this returns.

    Raises:
        BusyError: too many people log in at this moment.
        AuditUnavailableError, DatabaseUnavailableError: nobody is logged in.
    """
    database, now = deps.database, deps.clock.now()
    deps.passwords.refuse_when_busy()  # before anything is counted against the person
    counted = await database.run(lambda tx: _count(tx, attempt, now))
    if counted.refused is not None and counted.refused.retry_after is not None:
        return counted.refused
    known = counted.credentials
    # INVARIANT: the same work for a name that nobody has, one that rests, and one that may try.
    right = await deps.passwords.check(
        attempt.password, None if known is None else known.password_hash
    )
    reason = _refusal(counted, right=right)
    if reason is not None or known is None:
        refused = LoginRefused(reason=reason or FailureReason.UNKNOWN_NAME)
        await database.run(lambda tx: _record_failure(tx, attempt, known, refused.reason))
        return refused
    renewed = await deps.passwords.renew(attempt.password, known.password_hash)
    return await database.run(
        lambda tx: _open_session(tx, deps, attempt=attempt, known=known, renewed=renewed)
    )


def _count(tx: Transaction, attempt: LoginAttempt, now: EpochSeconds) -> _Counted:
    key = _address_key(attempt.context)
    attempts = count_attempt(tx, key, now=now, window=ADDRESS_WINDOW)
    if attempts.count > ADDRESS_LIMIT:
        refused = LoginRefused(
            reason=FailureReason.TOO_MANY, retry_after=attempts.wait(now, ADDRESS_WINDOW)
        )
        if attempts.count == ADDRESS_LIMIT + 1:  # once: a flood must not become a flood of events
            _record_failure(tx, attempt, None, refused.reason)
        return _Counted(None, refused)
    known = store.credentials_of(tx, normalized_username(attempt.username))
    if known is None:
        return _Counted(None, LoginRefused(reason=FailureReason.UNKNOWN_NAME))
    if known.locked_until is not None and now < known.locked_until:
        return _Counted(known, LoginRefused(reason=FailureReason.RESTING))
    failures = known.failed_logins + 1
    store.set_failures(
        tx, known.user.id, failures=failures, locked_until=rests_until(failures, now)
    )
    return _Counted(known, None)


def _refusal(counted: _Counted, *, right: bool) -> FailureReason | None:
    if counted.refused is not None:
        return counted.refused.reason
    if not right:
        return FailureReason.WRONG_PASSWORD
    if counted.credentials is not None and counted.credentials.user.disabled_at is not None:
        return FailureReason.DISABLED
    return None


def _record_failure(
    tx: Transaction, attempt: LoginAttempt, known: Credentials | None, reason: FailureReason
) -> None:
    context = attempt.context
    if known is not None:
        context = context.with_(tenant=known.user.tenant)
    account_id = None if known is None else known.user.id
    tx.record(LoginFailed(context=context, account_id=account_id, reason=reason))


def _open_session(
    tx: Transaction,
    deps: IdentityDeps,
    *,
    attempt: LoginAttempt,
    known: Credentials,
    renewed: str | None,
) -> LoggedInSession | LoginRefused:
    now, user = deps.clock.now(), known.user
    present = store.find_user(tx, user.id)
    if present is None or present.disabled_at is not None:  # disabled while we hashed
        _record_failure(tx, attempt, known, FailureReason.DISABLED)
        return LoginRefused(reason=FailureReason.DISABLED)
    store.set_failures(tx, user.id, failures=0, locked_until=None)
    take_back_attempt(tx, _address_key(attempt.context))
    if renewed is not None:
        store.set_password_hash(tx, user.id, was=known.password_hash, now=renewed)
    context = attempt.context.with_(
        actor=Actor(ActorType.USER, user.id), tenant=user.tenant, user_id=user.id
    )
    if attempt.previous is not None:
        for ended in store.end_sessions(tx, at=now, digest=digest(attempt.previous)):
            tx.record(LoggedOut(context=context, session_id=ended.id, reason="replaced"))
    secret = new_secret()
    session = Session(
        id=new_id("ses"),
        user_id=user.id,
        auth_time=now,
        acr=ACR_PASSWORD,
        amr=AMR_PASSWORD,
        created_at=now,
        last_seen_at=now,
        expires_at=expiry_of(deps.directory.catalog.issuer, now),
    )
    store.add_session(tx, session, digest=digest(secret))
    tx.record(LoggedIn(context=context, session_id=session.id, acr=session.acr, amr=session.amr))
    return LoggedInSession(user=present, session=session, secret=secret)


def _address_key(context: Context) -> str:
    return f"login:{network_of(context.network.ip)}"
