"""What a client keeps for the gateway and brings back, without being able to read or change it.

AES-256-GCM under a key for one purpose, with a random nonce. What does not open was made under
another key, for another purpose, or by somebody else; which of these it is cannot be told apart.
Whoever opens it compares what it says with who brought it, and for what.

Source: NIST SP 800-38D §8.2.2; MCP 2026-07-28 multi round-trip requests (`requestState`);
security best practices (state handles).
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from remit.canonical import JsonObject, MalformedJsonError, canonical_bytes, parse_json

__all__ = ["Seal", "new_seal_key"]

_PREFIX: Final = "r1."
_NONCE: Final = 12
_TAG: Final = 16
_KEY: Final = 32


def new_seal_key() -> bytes:
    """A key of this process alone: what is sealed under it ends with the process."""
    return os.urandom(_KEY)


class Seal:
    """Seals and opens claims under one key."""

    __slots__ = ("_cipher", "_longest")

    def __init__(self, key: bytes, *, longest: int) -> None:
        self._cipher = AESGCM(key)
        self._longest = longest

    def seal(self, claims: JsonObject) -> str:
        """`claims` as text that only `open` under the same key reads."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, canonical_bytes(claims), _PREFIX.encode())
        return _PREFIX + urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def open(self, text: str) -> JsonObject | None:
        """What was sealed; `None` if it was not sealed so, under this key, to the letter."""
        if not text.startswith(_PREFIX) or len(text) > self._longest or not text.isascii():
            return None
        encoded = text.removeprefix(_PREFIX)
        try:
            data = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            # Bits that decoding drops would be a second spelling of one handle.
            if (
                len(data) < _NONCE + _TAG
                or urlsafe_b64encode(data).rstrip(b"=") != encoded.encode()
            ):
                return None
            opened = self._cipher.decrypt(data[:_NONCE], data[_NONCE:], _PREFIX.encode())
            claims = parse_json(opened)
        except (InvalidTag, ValueError, MalformedJsonError):
            return None
        return claims if isinstance(claims, dict) else None
