"""Who is believed: one access token, checked in the order of RFC 9068 §4.

Refuses, in this order: too long; not three parts of canonical base64url; a header
with a repeated, missing or unknown field; another type or algorithm; a key nobody
has; a bad signature; a payload that two parsers could read differently; a claim
missing or mistyped; another issuer; another audience; too early; expired.

A verdict is remembered under the SHA-256 of the whole token, so that the next call
costs no signature. What depends on the time, the audience and the keys in force is
looked at every time. Of failures only those are remembered that nothing can cure.

Source: RFC 9068 §4; RFC 8725 §3; RFC 7515 §5.2.
"""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, TypeVar

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from remit.canonical import JsonObject, MalformedJsonError, parse_object
from remit.clock import Clock, EpochSeconds
from remit.tokens.access_token import AccessToken
from remit.tokens.claims import InvalidTokenError, not_before, parse_claims
from remit.tokens.keys import ALGORITHM, KeySet

__all__ = ["MAX_TOKEN_LENGTH", "InvalidTokenError", "TokenVerifier"]

MAX_TOKEN_LENGTH: Final = 8_192
_MAX_ACCEPTED: Final = 4_096
_MAX_REFUSED: Final = 256
_FUTURE_LEEWAY: Final = 60
"""How far our own clocks may disagree about the past; an expiry has no leeway."""
_TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})
_HEADER_FIELDS: Final = frozenset({"alg", "kid", "typ"})
_PART: Final = re.compile(r"[A-Za-z0-9_-]+")

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What does not change about a token: its claims, and the key that signed it."""

    token: AccessToken
    kid: str
    not_before: EpochSeconds | None


class TokenVerifier:
    """Verifies tokens of one issuer under the keys in force."""

    __slots__ = ("_accepted", "_issuer", "_keys", "_refused", "clock")

    def __init__(self, keys: KeySet, issuer: str, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self.clock = clock
        self._accepted: OrderedDict[bytes, _Verdict] = OrderedDict()
        self._refused: OrderedDict[bytes, str] = OrderedDict()

    def verify(self, raw: str, *, audience: str) -> AccessToken:
        """The claims of `raw`, which is good for `audience`, now.

        Raises:
            InvalidTokenError: it is not; `detail` may be shown to whoever sent it.
        """
        if len(raw) > MAX_TOKEN_LENGTH:
            raise InvalidTokenError("the token is too long")
        name = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).digest()
        verdict = self._accepted.get(name)
        if verdict is None or self._keys.find(verdict.kid) is None:
            verdict = self._judge(raw, name)
        else:
            self._accepted.move_to_end(name)
        self._check_circumstances(verdict, audience)
        return verdict.token

    def _judge(self, raw: str, name: bytes) -> _Verdict:
        """The lasting part of the verdict, remembered."""
        self._accepted.pop(name, None)
        if name in self._refused:
            raise InvalidTokenError(self._refused[name])
        header, payload, signature = _split(raw)
        kid = _kid(header)
        key = self._keys.find(kid)
        if key is None:
            # Not remembered: a key may be on its way from another process.
            raise InvalidTokenError("the token is signed by a key that is not in force")
        try:
            _check_signature(raw, signature, key.key)
            claims = _object(payload, "payload")
            verdict = _Verdict(parse_claims(claims), kid, not_before(claims))
        except InvalidTokenError as error:
            _remember(self._refused, name, error.detail, limit=_MAX_REFUSED)
            raise
        _remember(self._accepted, name, verdict, limit=_MAX_ACCEPTED)
        return verdict

    def has_expired(self, token: AccessToken) -> bool:
        """Whether `token`, which was good, is too old by now."""
        return self.clock.now() >= token.exp

    def _check_circumstances(self, verdict: _Verdict, audience: str) -> None:
        """What another issuer, resource or moment would decide otherwise."""
        token = verdict.token
        now = self.clock.now()
        if token.iss != self._issuer:
            raise InvalidTokenError("the token is of another issuer")
        if token.aud != audience:
            raise InvalidTokenError("the token is for another resource")
        if now >= token.exp:
            raise InvalidTokenError("the token has expired")
        if token.iat > now + _FUTURE_LEEWAY or token.iat >= token.exp:
            raise InvalidTokenError("the token is issued in the future")
        if verdict.not_before is not None and verdict.not_before > now + _FUTURE_LEEWAY:
            raise InvalidTokenError("the token is not good yet")


def _remember(store: OrderedDict[bytes, V], name: bytes, value: V, *, limit: int) -> None:
    """Keep `value`, and forget what was used longest ago beyond `limit`."""
    store[name] = value
    if len(store) > limit:
        store.popitem(last=False)


def _split(raw: str) -> tuple[JsonObject, bytes, bytes]:
    """Header, payload and signature of a compact JWS (RFC 7515 §3.1)."""
    parts = raw.split(".")
    if len(parts) != 3:
        raise InvalidTokenError("the token is not a signed JWT")
    header, payload, signature = (_decode(part) for part in parts)
    return _object(header, "header"), payload, signature


def _decode(part: str) -> bytes:
    """base64url without padding, in its one canonical spelling.

    Python's decoder drops what it does not know and ignores trailing bits: one
    token would then have many spellings, each with a verdict of its own.
    """
    if _PART.fullmatch(part) is None or len(part) % 4 == 1:
        raise InvalidTokenError("the token is not base64url")
    decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise InvalidTokenError("the token is not canonical base64url")
    return decoded


def _object(data: bytes, which: str) -> JsonObject:
    try:
        return parse_object(data)
    except MalformedJsonError as error:
        raise InvalidTokenError(f"the {which} of the token is not strict JSON") from error


def _kid(header: JsonObject) -> str:
    """The key a header names, once the header is one of ours.

    `crit`, `jwk`, `jku`, `x5u` and whatever else there may be are refused by not
    being among the three fields we write (RFC 8725 §3.10; RFC 7515 §4.1.11).
    """
    if header.keys() - _HEADER_FIELDS:
        raise InvalidTokenError("the header of the token has a field we do not know")
    kind = header.get("typ")
    if not isinstance(kind, str) or kind.casefold() not in _TYPES:
        raise InvalidTokenError("the token is not an access token")
    if header.get("alg") != ALGORITHM:
        raise InvalidTokenError("the token is signed by another algorithm")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise InvalidTokenError("the token does not name its key")
    return kid


def _check_signature(raw: str, signature: bytes, key: ECKey) -> None:
    if len(signature) != 64:
        raise InvalidTokenError("the signature of the token is not valid")
    try:
        jws.deserialize_compact(raw, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError) as error:
        raise InvalidTokenError("the signature of the token is not valid") from error
