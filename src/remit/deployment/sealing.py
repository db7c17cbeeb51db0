"""The installation's own key: what it put in force, it signed, and every process checks that before it believes it.

Whoever can write to the database, but has not the master key that the private part is sealed with, can put no
policies in force: a bundle that was altered, a row that says which is in force and was not written by Remit, are
refused, and what was in force stays. Bundles of somebody else's key (a publisher's, or another installation's) are
believed when the operator named that key.

Source: RFC 8032 (Ed25519); RFC 8037 §2 (JWK of it); RFC 7638 (thumbprint); docs/guides/deploying-policies.md.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from remit.canonical import Json, JsonObject, canonical_bytes
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.deployment.bundle import Bundle, Signature
from remit.errors import Error
from remit.secrets import SecretBox, keep_secret

__all__ = [
    "BadSignatureError",
    "InstallationKey",
    "PublisherKeys",
    "installation_key",
    "publisher_keys",
    "sign_bundle",
]

_NAME: Final = "policy-signing"
_BUNDLE: Final = "remit:bundle:v1"


class BadSignatureError(Error):
    """A signature is missing, or is not one of a key that is believed."""

    code: ClassVar[str] = "bad_signature"


class InstallationKey:
    """Signs what this installation puts in force, and knows its own signature again."""

    __slots__ = ("_private", "_public", "jwk", "thumbprint")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        self.jwk = _jwk(self._public)
        self.thumbprint = _thumbprint(self._public)

    def seal(self, purpose: str, value: Mapping[str, Json]) -> str:
        """The signature over `value`, good for `purpose` alone."""
        return _encoded(self._private.sign(_statement(purpose, value)))

    def is_sealed(self, purpose: str, value: Mapping[str, Json], seal: str) -> bool:
        """Whether `seal` is this key's, over this very value, for this purpose."""
        return _is_signed(self._public, _statement(purpose, value), seal)

    def signature(self, bundle: Bundle) -> Signature:
        """This installation's signature of a bundle, as another installation may check it."""
        return Signature(self.thumbprint, self.seal(_BUNDLE, _named(bundle.digest)))

    def has_signed(self, digest: str, value: str) -> bool:
        """Whether `value` is this key's signature of the bundle `digest`."""
        return self.is_sealed(_BUNDLE, _named(digest), value)

    def derived(self, purpose: str) -> bytes:
        """32 bytes that nobody can tell without the private key."""
        return hashlib.sha256(purpose.encode() + b"\0" + self._private.private_bytes_raw()).digest()


class PublisherKeys:
    """Whose signature a bundle needs; with none named, nobody's."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[Ed25519PublicKey] = ()) -> None:
        self._keys = {_thumbprint(key): key for key in keys}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def believes(self, key: str, purpose: str, value: Mapping[str, Json], seal: str) -> bool:
        """Whether `seal` over `value` is of the key of that thumbprint, and that key is believed."""
        known = self._keys.get(key)
        return known is not None and _is_signed(known, _statement(purpose, value), seal)

    def signers(self, bundle: Bundle) -> tuple[str, ...]:
        """The keys that are believed here and have signed `bundle`, in its own order."""
        return tuple(
            one.key
            for one in bundle.signatures
            if self.believes(one.key, _BUNDLE, _named(bundle.digest), one.value)
        )


def sign_bundle(bundle: Bundle, private: Ed25519PrivateKey) -> Bundle:
    """`bundle` with a publisher's signature."""
    return bundle.with_signature(InstallationKey(private).signature(bundle))


def installation_key(tx: Transaction, box: SecretBox, now: EpochSeconds) -> InstallationKey:
    """The key of this installation, made by whichever process is the first to ask.

    Raises:
        SealBrokenError: it was sealed with another master key.
    """
    made = Ed25519PrivateKey.generate().private_bytes_raw()
    kept = keep_secret(tx, box, _NAME, secret=made, now=now)
    return InstallationKey(Ed25519PrivateKey.from_private_bytes(kept))


def publisher_keys(jwks: JsonObject) -> PublisherKeys:
    """The Ed25519 keys of a JWK set.

    Raises:
        BadSignatureError: it is none, or holds a key of another kind, or a private part.
    """
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not keys:
        raise BadSignatureError("the file of keys is no JWK set with a key in it")
    return PublisherKeys([_public_key(one) for one in keys])


def _public_key(value: Json) -> Ed25519PublicKey:
    if not isinstance(value, dict) or (value.get("kty"), value.get("crv")) != ("OKP", "Ed25519"):
        raise BadSignatureError("a key of the set is none of Ed25519 (`kty` OKP)")
    if "d" in value:
        raise BadSignatureError("a key of the set has its private part in it")
    try:
        return Ed25519PublicKey.from_public_bytes(_decoded(str(value.get("x", ""))))
    except ValueError as error:
        raise BadSignatureError("a key of the set cannot be read", cause=error) from error


def _named(digest: str) -> JsonObject:
    return {"digest": digest}


def _statement(purpose: str, value: Mapping[str, Json]) -> bytes:
    # The purpose comes first and holds no line break: no statement of one kind can pass for another.
    return purpose.encode() + b"\n" + canonical_bytes(dict(value))


def _is_signed(key: Ed25519PublicKey, statement: bytes, value: str) -> bool:
    try:
        key.verify(_decoded(value), statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def _jwk(key: Ed25519PublicKey) -> JsonObject:
    return {"crv": "Ed25519", "kty": "OKP", "x": _encoded(key.public_bytes_raw())}


def _thumbprint(key: Ed25519PublicKey) -> str:
    return _encoded(hashlib.sha256(canonical_bytes(_jwk(key))).digest())


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    if not text.isascii() or len(text) > 200:
        raise ValueError("not base64url")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
