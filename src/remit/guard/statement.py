"""What Remit signs for a guard: this is what is in force for your server, and so old is what I know.

A statement is a compact JWS of its own type, so that no token passes for one and it passes for no token.
It names the snapshot by its SHA-256; the snapshot itself need not be parsed before that holds. It
answers one question: the guard's nonce is in it, so that an earlier statement is worth nothing, whoever
kept it. Refused, in this order: what is not three parts of base64url, a header with another field, type
or algorithm, a key nobody has, a bad signature, another issuer, server, nonce, or version.

Source: RFC 7515 §5.2; RFC 8725 §3.11 (explicit types); RFC 7518 §3.4.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from remit.canonical import JsonObject, MalformedJsonError, canonical_bytes, parse_object
from remit.clock import Seconds
from remit.errors import Error
from remit.guard.snapshot import PublicKey
from remit.tokens.keys import ALGORITHM, NoSigningKeyError, SigningKey

__all__ = [
    "BadStatementError",
    "Statement",
    "UnknownKeyError",
    "sign_statement",
    "verify_statement",
]

_TYPE: Final = "remit-guard-snapshot+jwt"
_MAX_LENGTH: Final = 4_096
_PART: Final = re.compile(rb"[A-Za-z0-9_-]+")
_FIELDS: Final = frozenset({"iss", "aud", "nonce", "version", "age"})


class BadStatementError(Error):
    """The statement is not Remit's word to this guard, now. What it came with is not looked at."""

    code: ClassVar[str] = "bad_statement"


class UnknownKeyError(BadStatementError):
    """It is signed with a key that the guard has not heard of yet."""

    code: ClassVar[str] = "unknown_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """`version` names the snapshot in force; `age`: for so many seconds what Remit knows may be out of date."""

    issuer: str
    server: str
    nonce: str
    version: str
    age: Seconds


def sign_statement(statement: Statement, key: SigningKey) -> bytes:
    """`statement` as one line.

    Raises:
        NoSigningKeyError: `key` is a public one.
    """
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": _TYPE}
    claims = {
        "iss": statement.issuer,
        "aud": statement.server,
        "nonce": statement.nonce,
        "version": statement.version,
        "age": statement.age,
    }
    said = _encoded(canonical_bytes(header)) + b"." + _encoded(canonical_bytes(claims))
    private = key.key.private_key
    if private is None:
        raise NoSigningKeyError(f"the key `{key.kid}` has no private part")
    r, s = decode_dss_signature(private.sign(said, ECDSA(SHA256())))
    return said + b"." + _encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def verify_statement(line: bytes, keys: Iterable[PublicKey], *, nonce: str) -> Statement:
    """The statement in `line`, which answers the question `nonce`.

    Raises:
        UnknownKeyError: none of `keys` is the one it names.
        BadStatementError: it is not to be believed.
    """
    parts = line.split(b".")
    if len(line) > _MAX_LENGTH or len(parts) != 3:
        raise BadStatementError("the statement is not a signed one")
    header, payload, signature = (_decoded(part) for part in parts)
    kid = _kid(_object(header))
    key = next((one for one in keys if one.kid == kid), None)
    if key is None:
        raise UnknownKeyError("the statement is signed with a key that is not known here")
    _check_signature(b".".join(parts[:2]), signature, key)
    statement = _statement(_object(payload))
    if not hmac.compare_digest(statement.nonce.encode(), nonce.encode()):
        raise BadStatementError("the statement answers another question")
    return statement


def _kid(header: JsonObject) -> str:
    kid = header.get("kid")
    wanted: JsonObject = {"alg": ALGORITHM, "kid": kid, "typ": _TYPE}
    if header != wanted or not isinstance(kid, str):
        raise BadStatementError("the statement is of another type, or signed in another way")
    return kid


def _check_signature(said: bytes, signature: bytes, key: PublicKey) -> None:
    if len(signature) != 64:
        raise BadStatementError("the signature of the statement is not valid")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    x, y = (int.from_bytes(_decoded(one.encode()), "big") for one in (key.x, key.y))
    try:
        public = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
        public.verify(encode_dss_signature(r, s), said, ECDSA(SHA256()))
    except (InvalidSignature, ValueError) as error:
        raise BadStatementError("the signature of the statement is not valid") from error


def _statement(claims: JsonObject) -> Statement:
    issuer, server, nonce, version = (
        claims.get(name) for name in ("iss", "aud", "nonce", "version")
    )
    age = claims.get("age")
    if (
        claims.keys() != _FIELDS
        or not isinstance(issuer, str)
        or not isinstance(server, str)
        or not isinstance(nonce, str)
        or not isinstance(version, str)
        or type(age) is not int
        or age < 0
    ):
        raise BadStatementError("the statement does not say what it has to")
    return Statement(issuer=issuer, server=server, nonce=nonce, version=version, age=Seconds(age))


def _encoded(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def _decoded(part: bytes) -> bytes:
    """base64url without padding, in its one canonical spelling."""
    if _PART.fullmatch(part) is None or len(part) % 4 == 1:
        raise BadStatementError("the statement is not base64url")
    raw = urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    if _encoded(raw) != part:
        raise BadStatementError("the statement is not canonical base64url")
    return raw


def _object(data: bytes) -> JsonObject:
    try:
        return parse_object(data)
    except MalformedJsonError as error:
        raise BadStatementError("the statement is not strict JSON") from error
