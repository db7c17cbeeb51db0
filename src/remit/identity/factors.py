"""Second factors set up, taken away, and reset by an administrator, each with its event.

Who sets up their first factor gets recovery codes with it. Refused: to take away the last
factor while the policy repository requires one, or the last passkey where nothing else lets
the person in; a second app for codes; a passkey that is known already. Where the last factor
goes, the recovery codes go too: they stand in place of nothing.

Source: NIST SP 800-63B §6.1.2 (binding), §6.2; RFC 6238; WebAuthn Level 3 §7.1 step 26.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from remit.audit.context import Context
from remit.audit.events import (
    OneTimePasswordsDisabled,
    OneTimePasswordsEnabled,
    PasskeyAdded,
    PasskeyRemoved,
    SecondFactorsReset,
)
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError
from remit.identity import factor_store
from remit.identity.accounts import require_user
from remit.identity.factor_store import Passkey
from remit.identity.one_time_password import ConfirmedSecret
from remit.identity.passkeys import NewKey
from remit.identity.recovery_codes import issue_recovery_codes, new_recovery_codes
from remit.identity.sessions import end_all_sessions
from remit.identity.sign_in_store import end_sign_ins
from remit.identity.user import User
from remit.ids import digest
from remit.model import SecondFactor, SignIn

__all__ = [
    "MAX_PASSKEYS",
    "Enrolled",
    "LastFactorError",
    "disable_one_time_password",
    "enrol_one_time_password",
    "enrol_passkey",
    "remove_passkey",
    "reset_factors",
]

MAX_PASSKEYS = 20


class LastFactorError(ConflictError):
    """Nothing that may be used would be left; set something else up before."""

    code: ClassVar[str] = "last_factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A factor was set up; `recovery_codes` are new, and empty where the person has some."""

    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


def enrol_passkey(
    tx: Transaction, user: User, key: NewKey, *, name: str, now: EpochSeconds, context: Context
) -> Enrolled:
    """Keep `key` as a passkey of the user, under a name that tells it from others.

    Raises:
        ConflictError: it is known already, or there are too many.
    """
    factors = factor_store.factors_of(tx, user.id)
    if factors.passkeys >= MAX_PASSKEYS:
        raise ConflictError(f"an account has at most {MAX_PASSKEYS} passkeys")
    passkey = Passkey(
        credential_id=key.credential_id,
        user_id=user.id,
        public_key=key.public_key,
        sign_count=key.sign_count,
        name=name,
        transports=key.transports,
        backed_up=key.backed_up,
        created_at=now,
    )
    if not factor_store.add_passkey(tx, passkey):
        raise ConflictError("this passkey is known already")
    tx.record(
        PasskeyAdded(
            context=context,
            account_id=user.id,
            credential_digest=digest(key.credential_id),
            name=name,
        )
    )
    return _with_codes(tx, user, left=factors.recovery_codes, now=now, context=context)


def enrol_one_time_password(
    tx: Transaction, user: User, confirmed: ConfirmedSecret, *, now: EpochSeconds, context: Context
) -> Enrolled:
    """Keep the secret of the user's codes; the code that confirmed it is spent.

    Raises:
        ConflictError: the account has one.
    """
    factors = factor_store.factors_of(tx, user.id)
    if not factor_store.add_one_time_password(
        tx, user.id, sealed_secret=confirmed.sealed, step=confirmed.step, at=now
    ):
        raise ConflictError("the account has an authenticator app already")
    tx.record(OneTimePasswordsEnabled(context=context, account_id=user.id))
    return _with_codes(tx, user, left=factors.recovery_codes, now=now, context=context)


def remove_passkey(
    tx: Transaction, user: User, credential_id: str, *, sign_in: SignIn, context: Context
) -> None:
    """Forget a passkey of the user; one that is not theirs is left alone.

    Raises:
        LastFactorError: see the module.
    """
    factors = factor_store.factors_of(tx, user.id)
    if not factor_store.remove_passkey(tx, user.id, credential_id):
        return
    if factors.passkeys == 1 and not sign_in.passwords and not sign_in.providers:
        raise LastFactorError("this passkey is the only way to log in")
    _refuse_last(factors.count, sign_in)
    tx.record(
        PasskeyRemoved(
            context=context,
            account_id=user.id,
            credential_digest=digest(credential_id),
            by="person",
        )
    )
    _void_codes_after_last(tx, user, count=factors.count)


def disable_one_time_password(
    tx: Transaction, user: User, *, sign_in: SignIn, context: Context
) -> None:
    """Forget the secret of the user's codes, if they have one.

    Raises:
        LastFactorError: see the module.
    """
    factors = factor_store.factors_of(tx, user.id)
    if not factor_store.remove_one_time_password(tx, user.id):
        return
    _refuse_last(factors.count, sign_in)
    tx.record(OneTimePasswordsDisabled(context=context, account_id=user.id, by="person"))
    _void_codes_after_last(tx, user, count=factors.count)


def reset_factors(
    tx: Transaction, user: str, *, reason: str, now: EpochSeconds, context: Context
) -> User:
    """Take every second factor of an account away, named by id or user name, and end its sessions.

    For an administrator who has made sure, by other means, who is asking.

    Raises:
        NotFoundError: there is no such account.
    """
    found = require_user(tx, user)
    context = context.with_(tenant=found.tenant)
    factor_store.remove_factors(tx, found.id)
    end_sign_ins(tx, found.id, at=now)
    tx.record(SecondFactorsReset(context=context, account_id=found.id, reason=reason))
    end_all_sessions(tx, found.id, at=now, reason="factors_reset", context=context)
    return found


def _with_codes(
    tx: Transaction, user: User, *, left: int, now: EpochSeconds, context: Context
) -> Enrolled:
    if left:
        return Enrolled()
    codes = new_recovery_codes()
    issue_recovery_codes(tx, user.id, codes, now=now, context=context)
    return Enrolled(recovery_codes=codes)


def _refuse_last(count: int, sign_in: SignIn) -> None:
    if count == 1 and sign_in.second_factor is SecondFactor.REQUIRED:
        raise LastFactorError("a second factor is required, and this is the only one")


def _void_codes_after_last(tx: Transaction, user: User, *, count: int) -> None:
    if count == 1:
        factor_store.replace_recovery_codes(tx, user.id, digests=(), at=user.created_at)
