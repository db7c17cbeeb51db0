"""The second step of a log-in: a code, a recovery code or a passkey of the same person.

A try is counted before it is looked at, against the account (codes alone), the address and the
log-in itself, which is over after a few. A recovery code counts as a one-time password, which
it is: `otp` of RFC 8176, once; its own event says that it was one.

Source: NIST SP 800-63B §5.1.2, §5.1.4, §5.2.2; RFC 8176 §2; RFC 6238 §5.2.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from remit.audit.events import LoginFailed
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.db.throttle import count_attempt, take_back_attempt
from remit.identity import store
from remit.identity.circumstances import acting
from remit.identity.deps import IdentityDeps
from remit.identity.lockout import ADDRESS_LIMIT, ADDRESS_WINDOW, CODE_LIMITS
from remit.identity.login import FailureReason, LoginRefused, address_key
from remit.identity.one_time_password import accept_code
from remit.identity.opening import OpenedSession
from remit.identity.passkey_use import Recognised, use_passkey
from remit.identity.recovery_codes import accept_recovery_code
from remit.identity.sign_in import BegunSignIn
from remit.identity.sign_in_store import find_sign_in, note_failure, use_sign_in
from remit.identity.steps import Asker, Proved, advance
from remit.identity.user import User
from remit.ids import UserId

__all__ = ["CodeKind", "FactorAttempt", "count_code", "forgive_code", "try_second_factor"]

_AMR_OF_A_CODE = ("otp", "mfa")


class CodeKind(StrEnum):
    ONE_TIME_PASSWORD = "one_time_password"  # noqa: S105  a kind
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorAttempt:
    """What somebody gave as second factor: a code of a kind, or an answer of a passkey."""

    kind: CodeKind | None = None
    code: str = field(default="", repr=False)
    passkey: Recognised | None = None


def try_second_factor(
    tx: Transaction,
    deps: IdentityDeps,
    digest: str,
    attempt: FactorAttempt,
    *,
    asker: Asker,
) -> OpenedSession | BegunSignIn | LoginRefused | None:
    """Try `attempt` in the log-in with that digest; `None` where that is over."""
    now = deps.clock.now()
    sign_in = find_sign_in(tx, digest, browser_digest=asker.browser.digest, now=now)
    user = None if sign_in is None else store.find_user(tx, sign_in.user_id)
    if sign_in is None or user is None:
        return None
    result = _prove(tx, deps, user, attempt=attempt, asker=asker)
    if isinstance(result, LoginRefused):
        if result.retry_after is None:
            note_failure(tx, digest)
        return result
    if not use_sign_in(tx, digest, at=now):
        return None
    proved = Proved(
        user=user,
        amr=tuple(dict.fromkeys((*sign_in.amr, *result))),
        purpose=sign_in.purpose,
        return_to=sign_in.return_to or None,
    )
    return advance(tx, deps, proved, asker=asker)


def count_code(tx: Transaction, user_id: UserId, *, now: EpochSeconds) -> Seconds | None:
    """Count a try at a code of that account; how long it has to wait, if it may not be considered."""
    longest = None
    for limit, window in CODE_LIMITS:
        attempts = count_attempt(tx, _key(user_id, window), now=now, window=window)
        if attempts.count > limit:
            longest = max(longest or Seconds(0), attempts.wait(now, window))
    return longest


def forgive_code(tx: Transaction, user_id: UserId) -> None:
    """Take back one `count_code`: the code was right."""
    for _, window in CODE_LIMITS:
        take_back_attempt(tx, _key(user_id, window))


def _prove(
    tx: Transaction, deps: IdentityDeps, user: User, *, attempt: FactorAttempt, asker: Asker
) -> tuple[str, ...] | LoginRefused:
    if attempt.passkey is not None:
        used = use_passkey(tx, deps, attempt.passkey, user=user, context=asker.context)
        return used if isinstance(used, LoginRefused) else used.amr
    now, context = deps.clock.now(), asker.context
    known = context.with_(tenant=user.tenant)
    key = address_key(context)
    attempts = count_attempt(tx, key, now=now, window=ADDRESS_WINDOW)
    if attempts.count > ADDRESS_LIMIT:
        wait = attempts.wait(now, ADDRESS_WINDOW)
        return LoginRefused(reason=FailureReason.TOO_MANY, retry_after=wait)
    resting = count_code(tx, user.id, now=now)
    if resting is not None:
        reason = FailureReason.CODES_RESTING
        tx.record(LoginFailed(context=known, account_id=user.id, reason=reason))
        return LoginRefused(reason=reason, retry_after=resting)
    if not _is_right(tx, deps, user, attempt=attempt, asker=asker):
        reason = FailureReason.WRONG_CODE
        tx.record(LoginFailed(context=known, account_id=user.id, reason=reason))
        return LoginRefused(reason=reason)
    take_back_attempt(tx, key)
    forgive_code(tx, user.id)
    return _AMR_OF_A_CODE


def _is_right(
    tx: Transaction, deps: IdentityDeps, user: User, *, attempt: FactorAttempt, asker: Asker
) -> bool:
    now = deps.clock.now()
    if attempt.kind is CodeKind.RECOVERY:
        context = acting(asker.context, user)
        return accept_recovery_code(tx, user.id, attempt.code, now=now, context=context)
    return accept_code(tx, deps.box, user.id, attempt.code, now=now)


def _key(user_id: UserId, window: Seconds) -> str:
    return f"code:{window}:{user_id}"
