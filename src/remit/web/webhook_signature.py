"""How a message to a machine is signed, so that whoever shares a secret with us knows that it is ours, and when it was sent.

An HMAC-SHA-256 of id, second and body under each secret that is given, so that one can be replaced while both are known.

Source: Standard Webhooks specification 1.0.
"""

import base64
import binascii
import hashlib
import hmac
from typing import ClassVar, Final

from remit.clock import EpochSeconds
from remit.errors import Error

__all__ = ["SecretUnfitError", "webhook_signature"]

_PREFIX: Final = "whsec_"
_SHORTEST, _LONGEST = 24, 64


class SecretUnfitError(Error):
    """What is to sign messages is no such secret: `whsec_` and Base64 of 24 to 64 bytes."""

    code: ClassVar[str] = "secret_unfit"


def webhook_signature(body: bytes, message_id: str, *, now: EpochSeconds, secrets: str) -> str:
    """`v1,…` for each of `secrets`, which are separated by spaces and begin with `whsec_`.

    Raises:
        SecretUnfitError: one of them is no such secret, or there is none.
    """
    signed = f"{message_id}.{now}.".encode() + body
    found = []
    for secret in secrets.split():
        mac = hmac.new(_key(secret), signed, hashlib.sha256).digest()
        found.append(f"v1,{base64.b64encode(mac).decode()}")
    if not found:
        raise SecretUnfitError("there is no secret to sign with")
    return " ".join(found)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        # Without its cause, which would say what the secret is made of.
        raise SecretUnfitError("a secret for webhooks is not what it should be") from None
    if not secret.startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise SecretUnfitError("a secret for webhooks is not what it should be")
    return key
