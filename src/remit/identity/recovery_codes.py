"""Recovery codes: what lets a person in whose second factor is lost.

Ten of them, each good once in place of a second factor, shown when they are made and never
again. New ones void the old. A code has 80 random bits, so a digest is enough to keep; the
account is part of it, so that one guess is a guess at one account.

Source: NIST SP 800-63B §5.1.2 (look-up secrets).
"""

import secrets

from remit.audit.context import Context
from remit.audit.events import RecoveryCodesIssued, RecoveryCodeUsed
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.identity import factor_store
from remit.ids import UserId, digest

__all__ = ["RECOVERY_CODES", "accept_recovery_code", "issue_recovery_codes", "new_recovery_codes"]

RECOVERY_CODES = 10

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base32: no letter that looks like a digit."""
_LOOKS_LIKE = str.maketrans({"o": "0", "i": "1", "l": "1"})
_GROUPS = 4
_GROUP = 4


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes, such as `k3v9-0tqm-x7hc-2adz`."""
    return tuple(
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    )


def issue_recovery_codes(
    tx: Transaction,
    user_id: UserId,
    codes: tuple[str, ...],
    *,
    now: EpochSeconds,
    context: Context,
) -> None:
    """Keep the digests of `codes`; those before them are void."""
    digests = [_digest(user_id, code) for code in codes]
    factor_store.replace_recovery_codes(tx, user_id, digests=digests, at=now)
    tx.record(RecoveryCodesIssued(context=context, account_id=user_id, count=len(codes)))


def accept_recovery_code(
    tx: Transaction, user_id: UserId, code: str, *, now: EpochSeconds, context: Context
) -> bool:
    """Spend `code` if it is one of the account's and unspent."""
    if not factor_store.use_recovery_code(tx, user_id, digest=_digest(user_id, code), at=now):
        return False
    left = factor_store.factors_of(tx, user_id).recovery_codes
    tx.record(RecoveryCodeUsed(context=context, account_id=user_id, left=left))
    return True


def _digest(user_id: UserId, code: str) -> str:
    typed = code.casefold().translate(_LOOKS_LIKE)
    return digest(f"{user_id}:{''.join(one for one in typed if one in _ALPHABET)}")
