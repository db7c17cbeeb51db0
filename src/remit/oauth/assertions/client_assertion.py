"""A client that proves itself with an assertion that it signed (`private_key_jwt`).

The keys are those that the client registered, or publishes at the address it registered. Refuses
an assertion that is not of this client about itself, not for this issuer and nobody else, the
token endpoint's address included, that lives longer than five minutes, has no `jti`, was used
before, or is of a type that is made for something else.

Source: RFC 7523 §2.2, §3; RFC 7523bis §3, §4; OpenID Connect Core §9; AS-74.
"""

from typing import Final

import structlog

from remit.clock import Seconds
from remit.oauth.assertion_store import remember_once
from remit.oauth.assertions.assertion import Assertion, read_assertion, text_claim
from remit.oauth.assertions.signature import verified
from remit.oauth.client import Client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidClientError
from remit.tokens.foreign import InvalidForeignJwtError, read_foreign
from remit.tokens.published_keys import KeyLocation, KeysUnavailableError

__all__ = ["CLIENT_ASSERTION_TYPE", "SIGNING_ALGORITHMS", "claimed_client", "prove_client"]

CLIENT_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SIGNING_ALGORITHMS: Final = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
"""What a client may sign with."""
_TYPES: Final = frozenset({"client-authentication+jwt", "jwt", ""})
_LONGEST: Final = Seconds(300)

_log = structlog.get_logger("remit.oauth")


def claimed_client(raw: str) -> str:
    """The client that `raw` says it is of, which nobody has proved yet.

    Raises:
        InvalidClientError: it says so in no way, or in two.
    """
    try:
        claims = read_foreign(raw).claims
        issuer, subject = text_claim(claims, "iss"), text_claim(claims, "sub")
    except InvalidForeignJwtError as error:
        raise _refusal(error) from error
    if issuer != subject:
        raise InvalidClientError("the client assertion is not of the client that it is about")
    return subject


async def prove_client(deps: OAuthDeps, client: Client, raw: str) -> None:
    """Pass once for an assertion that `client` signed to show that it is itself.

    Raises:
        InvalidClientError: see the module; or its keys cannot be had.
    """
    assertion = await _believed(deps, client, raw)
    jti = assertion.jti
    if jti is None:
        raise InvalidClientError("the client assertion has no `jti`")
    if not await deps.database.run(
        # Prefixed: a client whose identifier is a trusted issuer's URL uses up no `jti` of its.
        lambda tx: remember_once(tx, f"client {client.client_id}", jti, assertion.expires_at)
    ):
        raise InvalidClientError("the client assertion was used before")


async def _believed(deps: OAuthDeps, client: Client, raw: str) -> Assertion:
    if client.jwks is None and client.jwks_uri is None:
        raise InvalidClientError("the client has no keys")
    now = deps.clock.now()
    try:
        jwt = await verified(
            raw,
            KeyLocation(issuer=client.client_id, jwks=client.jwks, jwks_uri=client.jwks_uri),
            published=deps.client_keys,
            algorithms=SIGNING_ALGORITHMS,
            types=_TYPES,
            now=now,
        )
        assertion = read_assertion(jwt, audiences=(deps.public_url,), longest=_LONGEST, now=now)
    except InvalidForeignJwtError as error:
        raise _refusal(error) from error
    except KeysUnavailableError as error:
        # What a stranger's URL answers, or where it leads, is not for whoever asks.
        _log.info("no keys of a client", client_id=client.client_id, detail=error.detail)
        raise InvalidClientError("the client's keys cannot be had", cause=error) from error
    if not assertion.issuer == assertion.subject == client.client_id:
        raise InvalidClientError("the client assertion is of another client")
    return assertion


def _refusal(error: InvalidForeignJwtError) -> InvalidClientError:
    return InvalidClientError(f"the client assertion is refused: {error.detail}", cause=error)
