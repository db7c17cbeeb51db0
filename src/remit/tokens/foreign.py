"""A JWT that somebody else signed: read strictly, and believed only under that issuer's keys.

Refuses: too long; not three parts of canonical base64url; a header or payload that two parsers
could read differently; `crit` and `b64`; a type that was not expected; an algorithm that was not
allowed, `none` and shared secrets always; a key nobody has, or several that could be meant; a bad
signature; no expiry, or one that has passed; too early. What a header says of keys (`jwk`, `jku`,
`x5c`, `x5u`) is never followed. Who is believed about what (`iss`, `aud`, `sub`, `jti`, how long it
may live) is the caller's to say: this module decides only that the claims are that issuer's words.

Source: RFC 7515 §5.2; RFC 7519 §7.2; RFC 8725 §3; OpenID Connect Core §10.1 (a missing `kid`).
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import floor
from typing import ClassVar, Final

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from remit.canonical import JsonObject, MalformedJsonError, parse_object
from remit.clock import EpochSeconds
from remit.errors import Error
from remit.tokens.foreign_keys import ASYMMETRIC_ALGORITHMS, ForeignKey

__all__ = [
    "FUTURE_LEEWAY",
    "MAX_FOREIGN_LENGTH",
    "ForeignJwt",
    "InvalidForeignJwtError",
    "UnknownKeyError",
    "audiences_of",
    "read_foreign",
    "time_claim",
    "verify_foreign",
]

MAX_FOREIGN_LENGTH: Final = 16_384
FUTURE_LEEWAY: Final = 60
"""Seconds that another's clock may be ahead of ours. An expiry has no leeway."""
_PART: Final = re.compile(r"[A-Za-z0-9_-]+")
_MAX_TIME: Final = 2**53


class InvalidForeignJwtError(Error):
    """The JWT cannot be believed. `reason` is a stable word for logs; `detail` may be shown to its sender."""

    code: ClassVar[str] = "invalid_assertion"

    def __init__(self, reason: str, detail: str, *, cause: BaseException | None = None) -> None:
        super().__init__(detail, cause=cause)
        self.reason = reason


class UnknownKeyError(InvalidForeignJwtError):
    """It names a key that is not among those known: worth one look at the issuer's keys anew."""

    def __init__(self) -> None:
        super().__init__(
            "unknown_key", "the JWT is signed by a key that its issuer does not publish"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignJwt:
    """The words of somebody. What `read_foreign` returns has been proved by nobody."""

    header: JsonObject
    claims: JsonObject = field(repr=False)


def read_foreign(raw: str) -> ForeignJwt:
    """What `raw` says, unproved: good only for finding out whose keys to ask for.

    Raises:
        InvalidForeignJwtError: it cannot be read in one way.
    """
    return _split(raw)[0]


def verify_foreign(
    raw: str,
    keys: Sequence[ForeignKey],
    *,
    algorithms: Collection[str],
    types: Collection[str],
    now: EpochSeconds,
) -> ForeignJwt:
    """The words of the holder of one of `keys`, good now.

    `types` are the accepted values of `typ` in lower case, without `application/`; an empty one
    stands for a header without it.

    Raises:
        UnknownKeyError: none of `keys` is the one it names.
        InvalidForeignJwtError: see the module.
    """
    jwt, signature = _split(raw)
    algorithm = _algorithm(jwt.header, algorithms)
    _check_type(jwt.header, types)
    key = _key(jwt.header, keys, algorithm)
    signed = raw.rpartition(".")[0].encode()
    try:
        valid = JWSRegistry.algorithms[algorithm].verify(signed, signature, key.key)
    except (JoseError, ValueError) as error:
        raise InvalidForeignJwtError(
            "signature", "the signature of the JWT is not valid", cause=error
        ) from error
    if not valid:
        raise InvalidForeignJwtError("signature", "the signature of the JWT is not valid")
    _check_times(jwt.claims, now)
    return jwt


def audiences_of(claims: JsonObject) -> tuple[str, ...]:
    """The values of `aud`, which is a text or a list of texts (RFC 7519 §4.1.3); none when absent.

    Raises:
        InvalidForeignJwtError: it is anything else.
    """
    value = claims.get("aud", [])
    values = value if isinstance(value, list) else [value]
    texts = tuple(one for one in values if isinstance(one, str))
    if len(texts) != len(values):
        raise InvalidForeignJwtError("audience", "the claim `aud` is not of its type")
    return texts


def time_claim(claims: JsonObject, name: str) -> EpochSeconds | None:
    """A NumericDate, cut to whole seconds; `None` when it is absent (RFC 7519 §2).

    Raises:
        InvalidForeignJwtError: it is not a time.
    """
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MAX_TIME:
        raise InvalidForeignJwtError("malformed", f"the claim `{name}` is not a time")
    return EpochSeconds(floor(value))


def _split(raw: str) -> tuple[ForeignJwt, bytes]:
    if len(raw) > MAX_FOREIGN_LENGTH:
        raise InvalidForeignJwtError("malformed", "the JWT is too long")
    parts = raw.split(".")
    if len(parts) != 3:
        raise InvalidForeignJwtError("malformed", "the JWT is not a signed one")
    if not parts[2]:
        raise InvalidForeignJwtError("algorithm", "the JWT has no signature")
    header, payload, signature = (_decode(part) for part in parts)
    jwt = ForeignJwt(header=_object(header, "header"), claims=_object(payload, "payload"))
    if jwt.header.keys() & {"crit", "b64"}:  # RFC 7515 §4.1.11: understood or refused
        raise InvalidForeignJwtError("malformed", "the header of the JWT demands an extension")
    return jwt, signature


def _decode(part: str) -> bytes:
    """base64url without padding in its one canonical spelling, so that a `jti` digest has one, too."""
    if _PART.fullmatch(part) is None or len(part) % 4 == 1:
        raise InvalidForeignJwtError("malformed", "the JWT is not base64url")
    decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise InvalidForeignJwtError("malformed", "the JWT is not canonical base64url")
    return decoded


def _object(data: bytes, which: str) -> JsonObject:
    try:
        return parse_object(data)
    except MalformedJsonError as error:
        raise InvalidForeignJwtError(
            "malformed", f"the {which} of the JWT is not strict JSON", cause=error
        ) from error


def _algorithm(header: JsonObject, allowed: Collection[str]) -> str:
    """The algorithm, allowed by the caller *and* asymmetric (RFC 8725 §3.1, §3.2)."""
    algorithm = header.get("alg")
    known = isinstance(algorithm, str) and algorithm in ASYMMETRIC_ALGORITHMS
    if not isinstance(algorithm, str) or not known or algorithm not in allowed:
        raise InvalidForeignJwtError("algorithm", "the JWT is signed by an algorithm not allowed")
    return algorithm


def _check_type(header: JsonObject, types: Collection[str]) -> None:
    """RFC 8725 §3.11: a token made for one purpose is not good for another."""
    kind = header.get("typ", "")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in types:
        raise InvalidForeignJwtError("type", "the JWT is of another type")


def _key(header: JsonObject, keys: Sequence[ForeignKey], algorithm: str) -> ForeignKey:
    """The one key that is meant. Without `kid` there may be only one that could be."""
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise InvalidForeignJwtError(
            "malformed", "the header of the JWT has a `kid` of another type"
        )
    named = [key for key in keys if kid is None or key.kid == kid]
    fitting = [key for key in named if algorithm in key.algorithms]
    if not fitting:
        raise UnknownKeyError
    if len(fitting) > 1:
        raise InvalidForeignJwtError("unknown_key", "the JWT does not say which key signed it")
    return fitting[0]


def _check_times(claims: JsonObject, now: EpochSeconds) -> None:
    expires, issued = time_claim(claims, "exp"), time_claim(claims, "iat")
    begins = time_claim(claims, "nbf")
    if expires is None:
        raise InvalidForeignJwtError("expired", "the JWT does not say when it expires")
    if now >= expires:
        raise InvalidForeignJwtError("expired", "the JWT has expired")
    if issued is not None and (issued > now + FUTURE_LEEWAY or issued > expires):
        raise InvalidForeignJwtError("not_yet", "the JWT is issued in the future")
    if begins is not None and begins > now + FUTURE_LEEWAY:
        raise InvalidForeignJwtError("not_yet", "the JWT is not good yet")
