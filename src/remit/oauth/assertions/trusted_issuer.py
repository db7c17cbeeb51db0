"""Whose assertions are believed, and about what: what the policy repository says of an issuer.

An issuer is believed for the purposes it was declared for and no other: who may name a pipeline
may not thereby name a person. An issuer that is not in the repository is never asked anything.

Source: RFC 7523 §3; draft-ietf-oauth-identity-assertion-authz-grant §4.4.1; AS-62, AS-70.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType

import structlog

from remit.clock import Seconds
from remit.model import TrustedIssuer
from remit.oauth.assertions.assertion import Assertion, read_assertion
from remit.oauth.assertions.signature import verified
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidGrantError, TemporarilyUnavailableError
from remit.tokens.foreign import InvalidForeignJwtError, read_foreign
from remit.tokens.published_keys import KeyLocation, KeysUnavailableError
from remit.web.reach import Reach

__all__ = ["Purpose", "believe", "trusted_issuer"]

_log = structlog.get_logger("remit.oauth")


class Purpose(StrEnum):
    """What an issuer is believed about."""

    WORKLOAD = "workload"
    """Which of its workloads asks (jwt-bearer)."""
    ID_JAG = "id_jag"
    """For which person a client may act (enterprise-managed authorization)."""
    EXCHANGE = "exchange"
    """Whose access token is exchanged."""


_TYPES: Mapping[Purpose, frozenset[str]] = MappingProxyType(
    {
        Purpose.WORKLOAD: frozenset({"jwt", ""}),
        Purpose.ID_JAG: frozenset({"oauth-id-jag+jwt"}),
        Purpose.EXCHANGE: frozenset({"at+jwt", "jwt", ""}),
    }
)


def trusted_issuer(deps: OAuthDeps, raw: str, purpose: Purpose) -> TrustedIssuer:
    """The issuer that `raw` names, if it is believed for that purpose. Nothing is proved yet.

    Raises:
        InvalidGrantError: it is not, or `raw` cannot be read.
    """
    try:
        named = read_foreign(raw).claims.get("iss")
    except InvalidForeignJwtError as error:
        raise InvalidGrantError(error.detail, cause=error) from error
    issuers = deps.directory.catalog.trust.issuers
    issuer = issuers.get(named) if isinstance(named, str) else None
    if issuer is None or not _is_believed_for(issuer, purpose):
        raise InvalidGrantError("the issuer of the assertion is not trusted with this")
    return issuer


async def believe(
    deps: OAuthDeps,
    raw: str,
    issuer: TrustedIssuer,
    *,
    purpose: Purpose,
    audiences: Collection[str],
    longest: Seconds,
) -> Assertion:
    """What `issuer` says in `raw`, to one of `audiences` alone, for at most `longest`.

    Whether it was used before is for the transaction that uses it (`remember_once`).

    Raises:
        InvalidGrantError: it did not say so, or it is not good here and now.
        TemporarilyUnavailableError: its keys cannot be had at the moment.
    """
    now = deps.clock.now()
    try:
        jwt = await verified(
            raw,
            _location(issuer),
            published=deps.issuer_keys,
            algorithms=issuer.algorithms,
            types=_TYPES[purpose],
            now=now,
        )
        assertion = read_assertion(
            jwt, audiences=audiences, longest=min(longest, issuer.max_lifetime), now=now
        )
    except InvalidForeignJwtError as error:
        _log.info("assertion refused", issuer=issuer.name, reason=error.reason)
        raise InvalidGrantError(error.detail, cause=error) from error
    except KeysUnavailableError as error:
        raise _no_keys(issuer, error) from error
    if assertion.issuer != issuer.issuer:
        # INVARIANT: the keys asked for were those of the `iss` that is returned.
        raise InvalidGrantError("the assertion is of another issuer")
    return assertion


def _is_believed_for(issuer: TrustedIssuer, purpose: Purpose) -> bool:
    match purpose:
        case Purpose.WORKLOAD:
            return bool(issuer.workloads)
        case Purpose.ID_JAG:
            return issuer.id_jag is not None
        case Purpose.EXCHANGE:
            return issuer.exchange is not None


def _location(issuer: TrustedIssuer) -> KeyLocation:
    return KeyLocation(
        issuer=issuer.issuer,
        jwks=issuer.jwks,
        jwks_uri=issuer.jwks_uri,
        reach=Reach(private=issuer.private_network, ca_file=issuer.ca_file),
    )


def _no_keys(
    issuer: TrustedIssuer, error: KeysUnavailableError
) -> InvalidGrantError | TemporarilyUnavailableError:
    """Why the keys cannot be had is for the operator; it may name hosts on the inside."""
    _log.warning("no keys of a trusted issuer", issuer=issuer.name, detail=error.detail)
    if error.passing:
        return TemporarilyUnavailableError("the issuer's keys cannot be had now", cause=error)
    return InvalidGrantError("the issuer's keys cannot be used", cause=error)
