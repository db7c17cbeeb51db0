"""What an assertion says, once its signature is believed: for whom, by whom, until when.

Refuses a claim that is missing, empty or of another type; times that are not whole seconds, or
lie further ahead than an assertion of its kind may; more than one audience, or another one. What
it decides holds for every assertion; what a kind of assertion needs besides is said by its module.

Source: RFC 7523 §3; RFC 7523bis §3 (one audience); RFC 8725 §3.8, §3.9.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from remit.canonical import JsonObject
from remit.clock import EpochSeconds, Seconds
from remit.tokens.foreign import FUTURE_LEEWAY, ForeignJwt, InvalidForeignJwtError, audiences_of

__all__ = ["Assertion", "read_assertion", "text_claim"]

_MAX_TEXT = 1_024
_TIMES = ("exp", "iat", "nbf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """The claims of one assertion, its signature believed. `jti` is who may be used once."""

    issuer: str
    subject: str
    audience: str
    issued_at: EpochSeconds | None
    expires_at: EpochSeconds
    jti: str | None
    claims: JsonObject = field(repr=False)


def read_assertion(
    jwt: ForeignJwt, *, audiences: Collection[str], longest: Seconds, now: EpochSeconds
) -> Assertion:
    """What `jwt` says, to one of `audiences` and to nobody else, for at most `longest`.

    Raises:
        InvalidForeignJwtError: see the module.
    """
    claims = jwt.claims
    times = {name: _whole_seconds(claims, name) for name in _TIMES}
    expires, issued = times["exp"], times["iat"]
    if expires is None:
        raise InvalidForeignJwtError("expired", "the assertion does not say when it expires")
    begins = now if issued is None else issued
    if expires > now + longest + FUTURE_LEEWAY or expires - begins > longest + FUTURE_LEEWAY:
        raise InvalidForeignJwtError(
            "lifetime", f"the assertion lives longer than {longest} seconds"
        )
    return Assertion(
        issuer=text_claim(claims, "iss"),
        subject=text_claim(claims, "sub"),
        audience=_only_audience(claims, audiences),
        issued_at=issued,
        expires_at=expires,
        jti=text_claim(claims, "jti") if "jti" in claims else None,
        claims=claims,
    )


def text_claim(claims: JsonObject, name: str) -> str:
    """A claim that is a text.

    Raises:
        InvalidForeignJwtError: it is missing, empty, too long, or of another type.
    """
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT or "\0" in value:
        how = "missing" if name not in claims else "not a text of fair length"
        raise InvalidForeignJwtError("malformed", f"the claim `{name}` is {how}")
    return value


def _only_audience(claims: JsonObject, audiences: Collection[str]) -> str:
    """The one audience. Of several, any could hand it on to us: RFC 7523bis §3 lets there be one."""
    named = audiences_of(claims)
    if len(named) != 1 or named[0] not in audiences:
        raise InvalidForeignJwtError("audience", "the assertion is not for us, and us alone")
    return named[0]


def _whole_seconds(claims: JsonObject, name: str) -> EpochSeconds | None:
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidForeignJwtError("malformed", f"the claim `{name}` is not in whole seconds")
    return EpochSeconds(value)
