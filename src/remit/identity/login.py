"""One attempt with a name and a password, from counting it to knowing who it is.

In order: count the attempt against account and address, *before* the password is looked
at, so that a hundred guesses at once are a hundred and not one; check the password, with
the same work whoever the name is; then either say who it is, or record why not. The caller
learns only that it failed. What else is needed before there is a session: `steps`, which
compares what the password was checked against with what is stored by then.

Source: O21 §2.4.1; NIST SP 800-63B §5.2.2.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from remit.audit.context import Context
from remit.audit.events import LoginFailed
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.db.throttle import count_attempt, network_of, take_back_attempt
from remit.identity import store
from remit.identity.deps import IdentityDeps
from remit.identity.lockout import ADDRESS_LIMIT, ADDRESS_WINDOW, rests_until
from remit.identity.store import Credentials
from remit.identity.user import User, normalized_username

__all__ = [
    "CheckedPassword",
    "FailureReason",
    "LoginAttempt",
    "LoginRefused",
    "address_key",
    "check_password",
]


class FailureReason(StrEnum):
    """Why a log-in failed: in the log, never on the page."""

    UNKNOWN_NAME = "unknown_name"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  a reason, not a password
    RESTING = "resting"
    """The account rests after too many wrong passwords; this one was not considered."""
    DISABLED = "disabled"
    TOO_MANY = "too_many_from_address"
    WRONG_CODE = "wrong_code"
    """No code of this account, or one that was spent."""
    CODES_RESTING = "codes_resting"
    """The account's codes rest after too many wrong ones; this one was not considered."""
    WRONG_PASSKEY = "wrong_passkey"
    PASSKEY_COPIED = "passkey_copied"
    """The signature holds, and its count is one that was seen: somebody else has the key too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempt:
    """What somebody typed, and from where."""

    username: str
    password: str = field(repr=False)
    context: Context


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRefused:
    """No. `retry_after` is set where the address has to wait, whatever it sends."""

    reason: FailureReason
    retry_after: Seconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPassword:
    """Whose password it was. It is worth nothing once another hash than `password_hash` is stored."""

    user: User
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Counted:
    """What is known once an attempt has been counted."""

    credentials: Credentials | None
    refused: LoginRefused | None


async def check_password(
    deps: IdentityDeps, attempt: LoginAttempt
) -> CheckedPassword | LoginRefused:
    """Try `attempt`; everything that happened is recorded when this returns.

    Raises:
        BusyError: too many people log in at this moment.
        AuditUnavailableError, DatabaseUnavailableError: nothing is known of who it is.
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
    return await database.run(lambda tx: _succeed(tx, attempt, known=known, renewed=renewed))


def _count(tx: Transaction, attempt: LoginAttempt, now: EpochSeconds) -> _Counted:
    key = address_key(attempt.context)
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


def _succeed(
    tx: Transaction, attempt: LoginAttempt, *, known: Credentials, renewed: str | None
) -> CheckedPassword | LoginRefused:
    user = known.user
    present = store.find_user(tx, user.id)
    if present is None or present.disabled_at is not None:  # disabled while we hashed
        _record_failure(tx, attempt, known, FailureReason.DISABLED)
        return LoginRefused(reason=FailureReason.DISABLED)
    if not store.has_password_hash(tx, user.id, known.password_hash):  # changed while we hashed
        _record_failure(tx, attempt, known, FailureReason.WRONG_PASSWORD)
        return LoginRefused(reason=FailureReason.WRONG_PASSWORD)
    store.set_failures(tx, user.id, failures=0, locked_until=None)
    take_back_attempt(tx, address_key(attempt.context))
    if renewed is not None:
        store.set_password_hash(tx, user.id, was=known.password_hash, now=renewed)
    return CheckedPassword(user=present, password_hash=renewed or known.password_hash)


def address_key(context: Context) -> str:
    """What attempts from one address are counted under."""
    return f"login:{network_of(context.network.ip)}"
