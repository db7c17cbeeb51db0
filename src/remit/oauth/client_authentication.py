"""Whether a client proved at a token-like endpoint that it is the one that registered.

A client with a secret may send it either way, in the Authorization header or in the
body, whichever it registered for: the secret is the same, we must accept the body
(AS-26), and older SDKs use it whatever they were told. A client with keys signs an
assertion, and a secret proves nothing of it. A client with neither names itself and
nothing more; one that sends a proof all the same is refused, and so is a client that
leaves out the proof it registered for. Two methods at once are refused; `client_id`
beside the header or an assertion is none, if it is the same one (the Python SDK sends it).

Source: O21 §2.4, §2.4.1, §3.2.4; RFC 6749 §2.3.1; RFC 7617 §2; RFC 7521 §4.2; RFC 7523 §2.2.
"""

from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request

from remit.clock import Seconds
from remit.db.throttle import attempts_of, count_attempt, network_of
from remit.ids import digest, matches_digest
from remit.oauth.assertions.client_assertion import prove_client
from remit.oauth.client import AuthMethod, Client
from remit.oauth.client_lookup import known_client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidClientError, SlowDownError
from remit.oauth.presented_credentials import PresentedCredentials, presented_credentials
from remit.web import Params, peer_of

__all__ = ["authenticate_client", "within_attempts"]

_WINDOW = Seconds(60)

_log = structlog.get_logger("remit.oauth")


async def authenticate_client(deps: OAuthDeps, request: Request, form: Params) -> Client:
    """The client that sent `request`, authenticated as it registered to be.

    Raises:
        InvalidRequestError: no client is named, or more than one method is used.
        InvalidClientError: unknown, disabled, another method than registered, a wrong secret,
            or an assertion that is not good.
        SlowDownError: too many failures for this client from this address.
    """
    presented = presented_credentials(request.headers.getlist("authorization"), form)
    client = await known_client(deps, presented.client_id)
    if client is None:
        raise presented.refuse("the client is unknown or disabled")
    _require_its_method(client, presented)
    if client.is_confidential:
        await within_attempts(
            deps, request, client.client_id, prove=lambda: _prove(deps, client, presented)
        )
    return client


async def within_attempts(
    deps: OAuthDeps, request: Request, name: str, *, prove: Callable[[], Awaitable[None]]
) -> None:
    """Let `name` prove who it is; each failure counts against it at this address (AS-28).

    Raises:
        InvalidClientError: as `prove`.
        SlowDownError: it failed too often of late.
    """
    # Per name and address: a stranger elsewhere cannot lock the real one out.
    peer = peer_of(request.scope, deps.site.trusted_proxies)
    key = f"client-secret:{name}:{network_of(peer.ip)}"
    await _refuse_if_too_many(deps, key)
    try:
        await prove()
    except InvalidClientError as error:
        now = deps.clock.now()
        await deps.database.run(lambda tx: count_attempt(tx, key, now=now, window=_WINDOW))
        _log.warning("a client proved nothing", client_id=name, why=error.detail)
        raise


def _require_its_method(client: Client, presented: PresentedCredentials) -> None:
    """Pass when the request uses the method that `client` registered for, and no other."""
    if not client.is_confidential:
        if presented.secret is not None or presented.assertion is not None:
            raise presented.refuse("this client is registered without a secret")
    elif client.token_endpoint_auth_method is AuthMethod.PRIVATE_KEY_JWT:
        if presented.assertion is None:
            raise presented.refuse("this client must authenticate with an assertion it signed")
    elif presented.secret is None:
        raise presented.refuse("this client must authenticate with its secret")


async def _prove(deps: OAuthDeps, client: Client, presented: PresentedCredentials) -> None:
    if presented.assertion is not None:
        await prove_client(deps, client, presented.assertion)
    elif presented.secret is None or not _secret_matches(deps, client, presented.secret):
        raise presented.refuse("the client secret is wrong")


def _secret_matches(deps: OAuthDeps, client: Client, presented: str) -> bool:
    """In constant time, whichever way the secret is kept."""
    if client.secret_digest is not None:
        return matches_digest(presented, client.secret_digest)
    if client.secret_reference is None:
        return False
    secret = deps.resolve_secret(client.secret_reference)
    return bool(secret) and matches_digest(presented, digest(secret))


async def _refuse_if_too_many(deps: OAuthDeps, key: str) -> None:
    now = deps.clock.now()
    attempts = await deps.database.glance(lambda tx: attempts_of(tx, key, now=now, window=_WINDOW))
    if attempts.count >= deps.limits.attempts_per_minute:
        raise SlowDownError(
            "too many failed attempts for this client from this address",
            retry_after=attempts.wait(now, _WINDOW),
        )
