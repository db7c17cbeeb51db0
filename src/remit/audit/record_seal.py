"""What a record must not show and a replay needs, sealed into the record.

AES-256-GCM. Each writer has a key of its own for each tenant, made of the secret, the tenant and
a random salt, and counts its nonces, so that no two records ever share one, however many there are. Bound
as associated data: the decision and the tenant, so that nothing sealed can be moved to another record.
Refused when opened: another key, another record, a single bit changed.

A guard inside a server seals under a key that is derived for that server: what it sealed Remit
opens, and it opens nothing but its own.

Source: NIST SP 800-38D §8.2.1 (deterministic nonces); RFC 5869 for the idea of one key for each use.
"""

import hmac
import itertools
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from remit.errors import Error

__all__ = ["RecordSeal", "RecordSealBrokenError"]

_VERSION: Final = "r1."
_SALT: Final = 16
_COUNT: Final = 8
_MAX_CIPHERS: Final = 1_024
_MAX_SEALS: Final = 2**32


class RecordSealBrokenError(Error):
    """What a record holds sealed was sealed with another key, for another record, or was changed."""

    code: ClassVar[str] = "record_seal_broken"


class RecordSeal:
    """Seals and opens under keys derived from one secret of at least 32 bytes. Safe for several threads."""

    __slots__ = ("_key", "_opening", "_writing")

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("a key to seal records with has at least 32 bytes")
        self._key = key
        self._writing: dict[str, _Writer] = {}
        self._opening: dict[tuple[str, bytes], AESGCM] = {}

    def key_for(self, server: str) -> bytes:
        """The key that a guard inside `server` seals with."""
        return hmac.digest(self._key, b"server\0" + server.encode(), "sha256")

    def for_server(self, server: str) -> "RecordSeal":
        """What opens the records of a guard inside `server`."""
        return RecordSeal(self.key_for(server))

    def seal(
        self, content: bytes, *, decision: str, tenant: str, subject: str | None = None
    ) -> str:
        """`content` as text that only `open` with the same decision and tenant reads, whoever it is about."""
        del subject
        writer = self._writing.get(tenant)
        number = _MAX_SEALS if writer is None else next(writer.numbers)
        if writer is None or number >= _MAX_SEALS:
            if len(self._writing) >= _MAX_CIPHERS:
                self._writing = {}
            salt = os.urandom(_SALT)
            writer = self._writing[tenant] = _Writer(self._cipher(tenant, salt), salt)
            number = next(writer.numbers)
        count = number.to_bytes(_COUNT, "big")
        bound = f"{decision}\0{tenant}".encode()
        sealed = writer.cipher.encrypt(b"\0\0\0\0" + count, content, bound)
        return _VERSION + urlsafe_b64encode(writer.salt + count + sealed).rstrip(b"=").decode()

    def open(self, sealed: str, *, decision: str, tenant: str) -> bytes:
        """What was sealed for that decision of that tenant.

        Raises:
            RecordSealBrokenError: it was not sealed for it with this key, or not by us.
        """
        if not sealed.startswith(_VERSION):
            raise RecordSealBrokenError(
                "a record is sealed in a form that this version does not read"
            )
        text = sealed[len(_VERSION) :]
        try:
            data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            salt, count = data[:_SALT], data[_SALT : _SALT + _COUNT]
            cipher = self._cipher_of(tenant, salt)
            bound = f"{decision}\0{tenant}".encode()
            return cipher.decrypt(b"\0\0\0\0" + count, data[_SALT + _COUNT :], bound)
        except (InvalidTag, ValueError):
            # Which of the three it is cannot be told apart, and must not be.
            raise RecordSealBrokenError(
                "what a record holds sealed does not open: it was sealed with another key, or changed"
            ) from None

    def _cipher_of(self, tenant: str, salt: bytes) -> AESGCM:
        cipher = self._opening.get((tenant, salt))
        if cipher is None:
            if len(self._opening) >= _MAX_CIPHERS:
                self._opening = {}
            cipher = self._opening[tenant, salt] = self._cipher(tenant, salt)
        return cipher

    def _cipher(self, tenant: str, salt: bytes) -> AESGCM:
        return AESGCM(hmac.digest(self._key, b"tenant\0%b\0%b" % (tenant.encode(), salt), "sha256"))


class _Writer:
    """One key, and the nonces that are left of it. INVARIANT: `numbers` gives each to one caller alone."""

    __slots__ = ("cipher", "numbers", "salt")

    def __init__(self, cipher: AESGCM, salt: bytes) -> None:
        self.cipher = cipher
        self.salt = salt
        self.numbers = itertools.count(1)
