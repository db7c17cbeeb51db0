"""Who a provider says has logged in: its ID token, taken for nothing but what this log-in asked.

In this order: signed by a key the provider publishes, by an algorithm it advertises, good now;
its `iss` is the provider, byte for byte; `aud` holds our client id, and with several audiences
`azp` is us; `nonce` is the one this log-in sent; `sub` is a name of at most 255 characters;
`iat` says when; `at_hash`, where it is given, is of the access token that came with it;
`auth_time` is recent enough, where that was asked, by the provider's own clock as well as by ours:
one that was asked for a log-in anew and answers from its session does not pass for one that asked.

Source: OpenID Connect Core §2, §3.1.3.6, §3.1.3.7, §3.1.3.8; RFC 8725 §3.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

from remit.canonical import JsonObject
from remit.clock import EpochSeconds, Seconds
from remit.identity.providers.rejection import ProviderLoginError, Refused
from remit.ids import matches_digest
from remit.tokens.foreign import (
    FUTURE_LEEWAY,
    ForeignJwt,
    InvalidForeignJwtError,
    audiences_of,
    time_claim,
    verify_foreign,
)
from remit.tokens.foreign_keys import ForeignKey

__all__ = ["Expected", "IdToken", "check_id_token"]

_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
_MAX_SUBJECT = 255
_ROUNDING = Seconds(1)
"""Two clocks that count whole seconds disagree by as much about how long something took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the ID token of one log-in must be.

    `asked_at` is when the log-in began; `max_age` how long before that the person may have proved
    who they are, where that was asked. Without `nonce_digest` no log-in was asked for: the token is
    of a refresh (OpenID Connect Core §12.2), which nobody can have planted on this browser.
    """

    issuer: str
    client_id: str
    algorithms: Sequence[str]
    nonce_digest: str | None
    asked_at: EpochSeconds
    max_age: Seconds | None
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdToken:
    """The words of the provider about the person. `claims` are all of them; times are by its clock."""

    subject: str
    issued_at: EpochSeconds
    auth_time: EpochSeconds | None
    acr: str | None
    amr: tuple[str, ...]
    claims: JsonObject = field(repr=False)


def check_id_token(
    raw: str, keys: Sequence[ForeignKey], expected: Expected, *, now: EpochSeconds
) -> IdToken:
    """The ID token, which is what was expected.

    Raises:
        UnknownKeyError: it names a key that is not among `keys`.
        ProviderLoginError: it is anything but what was expected.
    """
    try:
        jwt = verify_foreign(raw, keys, algorithms=expected.algorithms, types=("jwt", ""), now=now)
        _check_audience(jwt.claims, expected)
        auth_time = time_claim(jwt.claims, "auth_time")
        issued = time_claim(jwt.claims, "iat")
    except InvalidForeignJwtError as error:
        if error.reason == "unknown_key":
            raise
        reason = Refused.AUDIENCE if error.reason == "audience" else Refused.ID_TOKEN
        raise ProviderLoginError(reason, error.detail, cause=error) from error
    if issued is None:
        raise ProviderLoginError(Refused.ID_TOKEN, "the id token does not say when it was issued")
    _check_nonce(jwt.claims, expected)
    _check_access_token(jwt, expected)
    _check_freshness(auth_time, issued, expected, now=now)
    amr = jwt.claims.get("amr", [])
    acr = jwt.claims.get("acr")
    return IdToken(
        subject=_subject(jwt.claims),
        issued_at=issued,
        auth_time=auth_time,
        acr=acr if isinstance(acr, str) else None,
        amr=tuple(one for one in amr if isinstance(one, str)) if isinstance(amr, list) else (),
        claims=jwt.claims,
    )


def _check_audience(claims: JsonObject, expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise ProviderLoginError(Refused.ID_TOKEN, "the id token is of another issuer")
    audiences = audiences_of(claims)
    if expected.client_id not in audiences:
        raise ProviderLoginError(Refused.AUDIENCE, "the id token is for another client")
    party = claims.get("azp")
    if party != expected.client_id and (party is not None or len(audiences) > 1):
        # Several audiences: any of them could hand us a token that was issued to it.
        raise ProviderLoginError(Refused.AUDIENCE, "the id token was issued to another client")


def _check_nonce(claims: JsonObject, expected: Expected) -> None:
    if expected.nonce_digest is None:
        return
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not matches_digest(nonce, expected.nonce_digest):
        raise ProviderLoginError(Refused.NONCE, "the id token is of another log-in")


def _check_access_token(jwt: ForeignJwt, expected: Expected) -> None:
    """`at_hash`, by the hash of the signature's algorithm (OpenID Connect Core §3.1.3.6)."""
    claimed = jwt.claims.get("at_hash")
    if claimed is None:
        return
    hashed = _HASHES.get(str(jwt.header.get("alg"))[-3:], hashlib.sha512)  # EdDSA: SHA-512
    value = hashed(expected.access_token.encode()).digest()
    half = urlsafe_b64encode(value[: len(value) // 2]).rstrip(b"=")
    if not isinstance(claimed, str) or not hmac.compare_digest(half, claimed.encode()):
        raise ProviderLoginError(Refused.ID_TOKEN, "the access token is not the id token's")


def _check_freshness(
    auth_time: EpochSeconds | None, issued: EpochSeconds, expected: Expected, *, now: EpochSeconds
) -> None:
    """`max_age`. The provider's clock may be off, but not in how long before `iat` the log-in was."""
    if expected.max_age is None:
        return
    if auth_time is None:
        raise ProviderLoginError(Refused.AUTH_TIME, "the id token does not say when the log-in was")
    since_asked = now - expected.asked_at
    if (
        auth_time + expected.max_age + FUTURE_LEEWAY < expected.asked_at
        or issued + FUTURE_LEEWAY < expected.asked_at
        or issued - auth_time > since_asked + expected.max_age + _ROUNDING
    ):
        raise ProviderLoginError(Refused.AUTH_TIME, "the log-in was longer ago than was asked")


def _subject(claims: JsonObject) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT:
        raise ProviderLoginError(Refused.ID_TOKEN, "the id token has no usable `sub`")
    return subject
