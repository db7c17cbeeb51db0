"""One-time passwords that an app on a phone counts out by the clock (TOTP).

Six digits, every 30 seconds, SHA-1, as every app does it. The code before and the one after
are taken too, for clocks that differ. A code is good once: its step is kept, and that step
and all before it are refused.

Source: RFC 6238 §4, §5.2; RFC 4226 §7.2; NIST SP 800-63B §5.1.4.2.
"""

import hmac
from dataclasses import dataclass, field

import pyotp
import segno

from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.identity import factor_store
from remit.ids import UserId
from remit.secrets import SealBrokenError, SecretBox

__all__ = [
    "ConfirmedSecret",
    "accept_code",
    "address_of",
    "confirm_secret",
    "new_one_time_password",
    "offer_secret",
    "offered_secret",
    "picture_of",
]

_PERIOD = 30
_OFFER_LIFETIME = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedSecret:
    """A secret as it is stored, and the step of the code that showed that the app has it."""

    sealed: str = field(repr=False)
    step: int


def new_one_time_password() -> str:
    """A secret of 160 bits in base32."""
    return pyotp.random_base32()


def address_of(secret: str, *, username: str, issuer: str) -> str:
    """The `otpauth:` address that an app reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def picture_of(address: str) -> str:
    """A QR code of `address`, as an SVG in a `data:` URL; dark on light in every colour scheme."""
    picture: str = segno.make(address, error="m").svg_data_uri(
        scale=5, border=3, dark="#000", light="#fff"
    )
    return picture


def offer_secret(box: SecretBox, user_id: UserId, secret: str, *, now: EpochSeconds) -> str:
    """The secret, sealed, as the form that confirms it carries it: for that account, for a while."""
    expires_at = now + _OFFER_LIFETIME
    return box.seal(f"offered {_name(user_id)}", f"{expires_at} {secret}".encode())


def offered_secret(box: SecretBox, user_id: UserId, offer: str, *, now: EpochSeconds) -> str | None:
    """The secret in what `offer_secret` made; `None` where it is too old, or not ours."""
    try:
        opened = box.open(f"offered {_name(user_id)}", offer)
    except SealBrokenError:
        return None
    expires_at, _, secret = opened.decode().partition(" ")
    return secret if now < int(expires_at) else None


def confirm_secret(
    box: SecretBox, user_id: UserId, secret: str, *, code: str, now: EpochSeconds
) -> ConfirmedSecret | None:
    """The secret, ready to be kept, if `code` is one of it."""
    step = _step_of(secret, code, now=now)
    if step is None:
        return None
    return ConfirmedSecret(sealed=box.seal(_name(user_id), secret.encode()), step=step)


def accept_code(
    tx: Transaction, box: SecretBox, user_id: UserId, code: str, *, now: EpochSeconds
) -> bool:
    """Spend `code` if it is right and unspent.

    Raises:
        SealBrokenError: the secret was sealed with another master key.
    """
    sealed = factor_store.sealed_one_time_password(tx, user_id)
    if sealed is None:
        return False
    step = _step_of(box.open(_name(user_id), sealed).decode(), code, now=now)
    return step is not None and factor_store.note_step(tx, user_id, step=step)


def _step_of(secret: str, code: str, *, now: EpochSeconds) -> int | None:
    """The step whose code this is, of the present one and its neighbours; the work is always the same."""
    digits = "".join(code.split())
    present, found, totp = now // _PERIOD, None, pyotp.TOTP(secret)
    for step in (present - 1, present, present + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            found = step
    return found


def _name(user_id: UserId) -> str:
    return f"one-time password:{user_id}"
