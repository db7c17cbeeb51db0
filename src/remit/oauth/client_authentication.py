"""Whether a client proved at a token-like endpoint that it is the one that registered.

A client with a secret may send it either way, in the Authorization header or in the
body, whichever it registered for: the secret is the same, we must accept the body
(AS-26), and older SDKs use it whatever they were told. A client without a secret
names itself and nothing more; one that sends a secret all the same is refused, and
so is a client with a secret that leaves it out. Two methods at once are refused;
`client_id` beside the header is none, if it is the same one (the Python SDK sends it).

Source: O21 §2.4, §2.4.1, §3.2.4; RFC 6749 §2.3.1; RFC 7617 §2.
"""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import structlog
from starlette.requests import Request

from remit.clock import Seconds
from remit.db.throttle import attempts_of, count_attempt, network_of
from remit.ids import digest, matches_digest
from remit.oauth.client import Client
from remit.oauth.client_lookup import known_client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidClientError, InvalidRequestError, SlowDownError
from remit.web import Params, peer_of

__all__ = ["authenticate_client"]

_WINDOW = Seconds(60)
_MAX_ID = 1_024
_MAX_SECRET = 1_024
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ASSERTIONS = ("client_assertion", "client_assertion_type")

_log = structlog.get_logger("remit.oauth")


@dataclass(frozen=True, slots=True)
class _Presented:
    """What the request shows; `secret` never reaches a log."""

    client_id: str
    secret: str | None
    basic: bool

    def refuse(self, detail: str, cause: BaseException | None = None) -> InvalidClientError:
        return InvalidClientError(detail, tried_basic=self.basic, cause=cause)


async def authenticate_client(deps: OAuthDeps, request: Request, form: Params) -> Client:
    """The client that sent `request`, authenticated as it registered to be.

    Raises:
        InvalidRequestError: no client is named, or more than one method is used.
        InvalidClientError: unknown, disabled, another method than registered, or a wrong secret.
        SlowDownError: too many failures for this client from this address.
    """
    presented = _presented(request.headers.getlist("authorization"), form)
    client = await known_client(deps, presented.client_id)
    if client is None:
        raise presented.refuse("the client is unknown or disabled")
    if not client.is_confidential:
        if presented.secret is not None:
            raise presented.refuse("this client is registered without a secret")
        return client
    if presented.secret is None:
        raise presented.refuse("this client must authenticate with its secret")
    key = _throttle_key(deps, request, client)
    await _refuse_if_too_many(deps, key)
    if not _secret_matches(deps, client, presented.secret):
        now = deps.clock.now()
        await deps.database.run(lambda tx: count_attempt(tx, key, now=now, window=_WINDOW))
        _log.warning("wrong client secret", client_id=client.client_id)
        raise presented.refuse("the client secret is wrong")
    return client


def _presented(authorization: list[str], form: Params) -> _Presented:
    """The one method that the request uses."""
    if any(form.all(name) for name in _ASSERTIONS):
        raise InvalidClientError(
            "client assertions are not supported yet", tried_basic=bool(authorization)
        )
    client_id, secret = form.one("client_id"), form.one("client_secret")
    if len(authorization) > 1 or (authorization and secret is not None):
        raise InvalidRequestError("the client uses more than one way to authenticate")
    if authorization:
        name, password = _basic(authorization[0])
        if client_id is not None and client_id != name:
            raise InvalidRequestError("`client_id` differs from the one in the header")
        return _Presented(name, password, basic=True)
    if client_id is None:
        raise InvalidRequestError("`client_id` is required")
    if len(client_id) > _MAX_ID or (secret is not None and len(secret) > _MAX_SECRET):
        raise InvalidClientError("the client is unknown or disabled")
    return _Presented(client_id, secret, basic=False)


def _basic(header: str) -> tuple[str, str]:
    """Name and password of a Basic header, each form-decoded on its own (RFC 6749 §2.3.1)."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClientError("the only scheme accepted is Basic", tried_basic=True)
    try:
        text = b64decode(credentials.strip(" "), validate=True).decode()
        name, colon, password = text.partition(":")
        if not colon or len(text) > _MAX_ID + _MAX_SECRET:
            raise ValueError("no name and password")  # noqa: TRY301  joins the others below
        return _form_decoded(name), _form_decoded(password)
    except (binascii.Error, ValueError) as error:
        raise InvalidClientError(
            "the Basic credentials are malformed", tried_basic=True, cause=error
        ) from error


def _form_decoded(text: str) -> str:
    if not text or _BAD_ESCAPE.search(text):
        raise ValueError("empty, or a malformed percent escape")
    decoded = unquote_to_bytes(text.replace("+", " ")).decode()
    if "\0" in decoded:
        raise ValueError("a nul, which no database compares")
    return decoded


def _secret_matches(deps: OAuthDeps, client: Client, presented: str) -> bool:
    """In constant time, whichever way the secret is kept."""
    if client.secret_digest is not None:
        return matches_digest(presented, client.secret_digest)
    if client.secret_reference is None:
        return False
    secret = deps.resolve_secret(client.secret_reference)
    return bool(secret) and matches_digest(presented, digest(secret))


def _throttle_key(deps: OAuthDeps, request: Request, client: Client) -> str:
    """Per client and address: a stranger elsewhere cannot lock the real client out."""
    peer = peer_of(request.scope, deps.site.trusted_proxies)
    return f"client-secret:{client.client_id}:{network_of(peer.ip)}"


async def _refuse_if_too_many(deps: OAuthDeps, key: str) -> None:
    now = deps.clock.now()
    attempts = await deps.database.read(lambda tx: attempts_of(tx, key, now=now, window=_WINDOW))
    if attempts.count >= deps.limits.attempts_per_minute:
        raise SlowDownError(
            "too many wrong secrets for this client from this address",
            retry_after=attempts.wait(now, _WINDOW),
        )
