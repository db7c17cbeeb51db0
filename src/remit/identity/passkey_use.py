"""A passkey that somebody uses: whose it is, and that it counts further than it did.

The challenge is spent first, whatever comes of it; then the signature is checked, then the
count, in the statement that keeps the new one. A count that did not grow says that the key
was copied out of its authenticator: refused, and recorded under a reason of its own.

Source: WebAuthn Level 3 §6.1.1, §7.2.
"""

from dataclasses import dataclass

from remit.audit.context import Context
from remit.audit.events import LoginFailed
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.db.throttle import count_attempt, network_of, take_back_attempt
from remit.identity import store
from remit.identity.challenge import challenge_digest, expiry_of
from remit.identity.deps import IdentityDeps
from remit.identity.factor_store import find_passkey, note_passkey
from remit.identity.lockout import ADDRESS_LIMIT, ADDRESS_WINDOW
from remit.identity.login import FailureReason, LoginRefused
from remit.identity.passkeys import Answer, PasskeyRefusedError, read_answer, verify_use
from remit.identity.sign_in_store import spend_challenge
from remit.identity.user import User
from remit.web import Browser

__all__ = ["Recognised", "UsedPasskey", "recognise", "use_passkey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """An answer to a challenge of ours, for this use, in this browser. Nothing is proved yet."""

    answer: Answer
    expires_at: EpochSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedPasskey:
    """Whose passkey it was, and how that counts."""

    user: User
    amr: tuple[str, ...]


def recognise(
    deps: IdentityDeps, text: str | None, *, purpose: str, browser: Browser
) -> Recognised:
    """The answer in `text`.

    Raises:
        PasskeyRefusedError: it cannot be read, or answers no challenge of ours that is still good.
    """
    answer = read_answer(text)
    expires_at = expiry_of(
        deps.box, answer.challenge, purpose, browser=browser, now=deps.clock.now()
    )
    if browser.is_new or expires_at is None:
        raise PasskeyRefusedError("the challenge is not one of ours, or too old")
    return Recognised(answer=answer, expires_at=expires_at)


def use_passkey(
    tx: Transaction,
    deps: IdentityDeps,
    recognised: Recognised,
    *,
    user: User | None,
    context: Context,
) -> UsedPasskey | LoginRefused:
    """Who proved a passkey, `user` if it has to be them. A refusal is recorded."""
    now, key = deps.clock.now(), f"passkey:{network_of(context.network.ip)}"
    attempts = count_attempt(tx, key, now=now, window=ADDRESS_WINDOW)
    if attempts.count > ADDRESS_LIMIT:
        wait = attempts.wait(now, ADDRESS_WINDOW)
        if attempts.count == ADDRESS_LIMIT + 1:
            tx.record(LoginFailed(context=context, account_id=None, reason=FailureReason.TOO_MANY))
        return LoginRefused(reason=FailureReason.TOO_MANY, retry_after=wait)
    owner, outcome = _use(tx, deps, recognised, expected=user)
    if isinstance(outcome, FailureReason):
        known = context if owner is None else context.with_(tenant=owner.tenant)
        account_id = None if owner is None else owner.id
        tx.record(LoginFailed(context=known, account_id=account_id, reason=outcome))
        return LoginRefused(reason=outcome)
    take_back_attempt(tx, key)
    return outcome


def _use(
    tx: Transaction, deps: IdentityDeps, recognised: Recognised, *, expected: User | None
) -> tuple[User | None, UsedPasskey | FailureReason]:
    answer, now = recognised.answer, deps.clock.now()
    if not spend_challenge(
        tx, challenge_digest(answer.challenge), expires_at=recognised.expires_at
    ):
        return expected, FailureReason.WRONG_PASSKEY
    passkey = find_passkey(tx, answer.credential_id)
    owner = None if passkey is None else store.find_user(tx, passkey.user_id)
    if passkey is None or owner is None:
        return expected, FailureReason.WRONG_PASSKEY
    if expected is not None and owner.id != expected.id:
        return expected, FailureReason.WRONG_PASSKEY
    try:
        used = verify_use(deps.site, answer, passkey)
    except PasskeyRefusedError:
        return owner, FailureReason.WRONG_PASSKEY
    if owner.disabled_at is not None:
        return owner, FailureReason.DISABLED
    if not note_passkey(
        tx,
        passkey.credential_id,
        sign_count=used.sign_count,
        backed_up=used.backed_up,
        at=now,
    ):
        return owner, FailureReason.PASSKEY_COPIED
    return owner, UsedPasskey(user=owner, amr=used.amr)
