"""What a record must not show and a replay needs, sealed into the record.

AES-256-GCM. Each writer has a key of its own for each tenant, made of the secret, the tenant and
a random salt, and counts its nonces, so that no two records ever share one, however many there are. Bound
as associated data: the decision and the tenant, so that nothing sealed can be moved to another record.
Refused when opened: another key, another record, a single bit changed.

What is about somebody is sealed under a key of theirs (`subject_keys`), which can be destroyed: `r2.`, the id of the
key in it. Without such keys, and before there were any, everything of a tenant is under one that is made of the secret: `r1.`.

A guard inside a server seals under a key that is derived for that server: what it sealed Remit
opens, and it opens nothing but its own.

Source: NIST SP 800-38D §8.2.1 (deterministic nonces); RFC 5869 for the idea of one key for each use.
"""

import hmac
import itertools
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from remit.audit.subject_keys import SubjectKeys
from remit.errors import Error

__all__ = ["RecordKeys", "RecordSeal", "RecordSealBrokenError", "key_of"]

_VERSION: Final = "r1."
_OF_SUBJECT: Final = "r2."
_KEY_ID: Final = 16
_SALT: Final = 16
_COUNT: Final = 8
_MAX_CIPHERS: Final = 1_024
_MAX_SEALS: Final = 2**32


class RecordSealBrokenError(Error):
    """What a record holds sealed was sealed with another key, for another record, or was changed."""

    code: ClassVar[str] = "record_seal_broken"


@dataclass(frozen=True, slots=True)
class RecordKeys:
    """All that opens records: the secret, and the keys of subjects, by their ids; of those that were destroyed there is none."""

    secret: bytes = field(repr=False)
    subjects: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class RecordSeal:
    """Seals and opens under keys derived from one secret of at least 32 bytes, and under those of subjects.

    With `writers` it seals under keys of subjects; it opens those that it was given. Safe for several threads.
    """

    __slots__ = ("_key", "_opening", "_subjects", "_writing", "writers")

    def __init__(self, key: bytes | RecordKeys, *, writers: SubjectKeys | None = None) -> None:
        keys = RecordKeys(key) if isinstance(key, bytes) else key
        if len(keys.secret) < 32:
            raise ValueError("a key to seal records with has at least 32 bytes")
        self._key = keys.secret
        self._subjects = MappingProxyType(keys.subjects)
        self.writers = writers
        self._writing: dict[str, _Writer] = {}
        self._opening: dict[tuple[str, bytes], AESGCM] = {}

    @property
    def secret(self) -> bytes:
        """What everything is sealed under that is about nobody."""
        return self._key

    def key_for(self, server: str) -> bytes:
        """The key that a guard inside `server` seals with."""
        return hmac.digest(self._key, b"server\0" + server.encode(), "sha256")

    def for_server(self, server: str) -> "RecordSeal":
        """What opens the records of a guard inside `server`."""
        return RecordSeal(RecordKeys(self.key_for(server), self._subjects))

    def seal(
        self, content: bytes, *, decision: str, tenant: str, subject: str | None = None
    ) -> str:
        """`content` as text that only `open` with the same decision and tenant reads, whoever it is about."""
        if subject is not None and self.writers is not None:
            own, number = self.writers.writer(tenant, subject)
            count = number.to_bytes(_COUNT, "big")
            bound = f"{decision}\0{tenant}".encode()
            sealed = own.cipher.encrypt(b"\0\0\0\0" + count, content, bound)
            return _OF_SUBJECT + urlsafe_b64encode(own.id + count + sealed).rstrip(b"=").decode()
        writer = self._writing.get(tenant)
        number = _MAX_SEALS if writer is None else next(writer.numbers)
        if writer is None or number >= _MAX_SEALS:
            if len(self._writing) >= _MAX_CIPHERS:
                self._writing = {}
            salt = os.urandom(_SALT)
            writer = self._writing[tenant] = _Writer(self._cipher(tenant, salt), salt)
            number = next(writer.numbers)
        count = number.to_bytes(_COUNT, "big")
        sealed = writer.cipher.encrypt(b"\0\0\0\0" + count, content, _bound(decision, tenant))
        return _VERSION + urlsafe_b64encode(writer.salt + count + sealed).rstrip(b"=").decode()

    def open(self, sealed: str, *, decision: str, tenant: str) -> bytes:
        """What was sealed for that decision of that tenant.

        Raises:
            RecordSealBrokenError: it was not sealed for it with this key, or not by us.
        """
        if not sealed.startswith((_VERSION, _OF_SUBJECT)):
            raise RecordSealBrokenError(
                "a record is sealed in a form that this version does not read"
            )
        try:
            data = _decoded(sealed)
            salt, count = data[:_SALT], data[_SALT : _SALT + _COUNT]
            if sealed.startswith(_OF_SUBJECT):
                cipher = self._cipher_about(salt)
            else:
                cipher = self._cipher_of(tenant, salt)
            return cipher.decrypt(
                b"\0\0\0\0" + count, data[_SALT + _COUNT :], _bound(decision, tenant)
            )
        except (InvalidTag, ValueError):
            # Which of the three it is cannot be told apart, and must not be.
            raise RecordSealBrokenError(
                "what a record holds sealed does not open: it was sealed with another key, or changed"
            ) from None

    def _cipher_about(self, key_id: bytes) -> AESGCM:
        cipher = self._opening.get(("", key_id))
        if cipher is None:
            key = self._subjects.get(key_id.hex())
            if key is None:
                raise RecordSealBrokenError(
                    "what a record holds sealed does not open: the key of whom it is about was destroyed, or is not at hand"
                )
            if len(self._opening) >= _MAX_CIPHERS:
                self._opening = {}
            cipher = self._opening["", key_id] = AESGCM(key)
        return cipher

    def _cipher_of(self, tenant: str, salt: bytes) -> AESGCM:
        cipher = self._opening.get((tenant, salt))
        if cipher is None:
            if len(self._opening) >= _MAX_CIPHERS:
                self._opening = {}
            cipher = self._opening[tenant, salt] = self._cipher(tenant, salt)
        return cipher

    def _cipher(self, tenant: str, salt: bytes) -> AESGCM:
        return AESGCM(hmac.digest(self._key, b"tenant\0%b\0%b" % (tenant.encode(), salt), "sha256"))


def key_of(sealed: str) -> str | None:
    """The id of the subject's key that `sealed` is under; `None` where it is under none."""
    if not sealed.startswith(_OF_SUBJECT):
        return None
    try:
        key_id = _decoded(sealed)[:_KEY_ID]
    except ValueError:
        return None
    return key_id.hex() if len(key_id) == _KEY_ID else None


def _bound(decision: str, tenant: str) -> bytes:
    return f"{decision}\0{tenant}".encode()


def _decoded(sealed: str) -> bytes:
    text = sealed[3:]
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class _Writer:
    """One key, and the nonces that are left of it. INVARIANT: `numbers` gives each to one caller alone."""

    __slots__ = ("cipher", "numbers", "salt")

    def __init__(self, cipher: AESGCM, salt: bytes) -> None:
        self.cipher = cipher
        self.salt = salt
        self.numbers = itertools.count(1)
