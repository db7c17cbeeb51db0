"""Sealing: what is stored can neither be read nor changed nor moved without the master key.

AES-256-GCM under a key derived for this purpose, with a random nonce, and the name of the
secret as associated data: a sealed value put under another name does not open.

Source: NIST SP 800-38D §8.2.2 (random nonces: far fewer than 2^32 seals under one key).
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from remit.errors import Error
from remit.secrets.master_key import MasterKey

__all__ = ["SealBrokenError", "SecretBox"]

_VERSION = "v1."
_NONCE = 12
_PURPOSE = "remit:seal:v1"


class SealBrokenError(Error):
    """The sealed value was made with another master key, under another name, or was changed."""

    code: ClassVar[str] = "seal_broken"


class SecretBox:
    """Seals and opens secrets under one master key."""

    __slots__ = ("_cipher",)

    def __init__(self, master: MasterKey) -> None:
        self._cipher = AESGCM(master.derive(_PURPOSE))

    def seal(self, name: str, secret: bytes) -> str:
        """`secret` as text that only `open` with the same name reads."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, secret, name.encode())
        return _VERSION + urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, name: str, sealed: str) -> bytes:
        """The secret that was sealed as `name`.

        Raises:
            SealBrokenError: it was not sealed as `name` with this key, or not by us.
        """
        if not sealed.startswith(_VERSION):
            raise SealBrokenError(f"the secret `{name}` is not in a form this version reads")
        text = sealed.removeprefix(_VERSION)
        try:
            data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return self._cipher.decrypt(data[:_NONCE], data[_NONCE:], name.encode())
        except (InvalidTag, ValueError):
            # Which of the three it is cannot be told apart, and must not be.
            raise SealBrokenError(
                f"the secret `{name}` does not open: it was sealed with another master key, or changed"
            ) from None
