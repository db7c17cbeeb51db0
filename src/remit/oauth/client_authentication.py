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
from remit.oauth.assertions.client_assertion import (
    CLIENT_ASSERTION_TYPE,
    claimed_client,
    prove_client,
)
from remit.oauth.client import AuthMethod, Client
from remit.oauth.client_lookup import known_client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidClientError, InvalidRequestError, SlowDownError
from remit.web import Params, peer_of

__all__ = ["authenticate_client"]

_WINDOW = Seconds(60)
_MAX_ID = 1_024
_MAX_SECRET = 1_024
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

_log = structlog.get_logger("remit.oauth")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Presented:
    """What the request shows; neither `secret` nor `assertion` ever reaches a log."""

    client_id: str
    secret: str | None = None
    assertion: str | None = None
    basic: bool = False

    def refuse(self, detail: str, cause: BaseException | None = None) -> InvalidClientError:
        return InvalidClientError(detail, tried_basic=self.basic, cause=cause)


async def authenticate_client(deps: OAuthDeps, request: Request, form: Params) -> Client:
    """The client that sent `request`, authenticated as it registered to be.

    Raises:
        InvalidRequestError: no client is named, or more than one method is used.
        InvalidClientError: unknown, disabled, another method than registered, a wrong secret,
            or an assertion that is not good.
        SlowDownError: too many failures for this client from this address.
    """
    presented = _presented(request.headers.getlist("authorization"), form)
    client = await known_client(deps, presented.client_id)
    if client is None:
        raise presented.refuse("the client is unknown or disabled")
    _require_its_method(client, presented)
    if client.is_confidential:
        key = _throttle_key(deps, request, client)
        await _refuse_if_too_many(deps, key)
        try:
            await _prove(deps, client, presented)
        except InvalidClientError as error:
            now = deps.clock.now()
            await deps.database.run(lambda tx: count_attempt(tx, key, now=now, window=_WINDOW))
            _log.warning("a client proved nothing", client_id=client.client_id, why=error.detail)
            raise
    return client


def _require_its_method(client: Client, presented: _Presented) -> None:
    """Pass when the request uses the method that `client` registered for, and no other."""
    if not client.is_confidential:
        if presented.secret is not None or presented.assertion is not None:
            raise presented.refuse("this client is registered without a secret")
    elif client.token_endpoint_auth_method is AuthMethod.PRIVATE_KEY_JWT:
        if presented.assertion is None:
            raise presented.refuse("this client must authenticate with an assertion it signed")
    elif presented.secret is None:
        raise presented.refuse("this client must authenticate with its secret")


async def _prove(deps: OAuthDeps, client: Client, presented: _Presented) -> None:
    if presented.assertion is not None:
        await prove_client(deps, client, presented.assertion)
    elif presented.secret is None or not _secret_matches(deps, client, presented.secret):
        raise presented.refuse("the client secret is wrong")


def _presented(authorization: list[str], form: Params) -> _Presented:
    """The one method that the request uses."""
    assertion = _assertion(form)
    client_id, secret = form.one("client_id"), form.one("client_secret")
    if len(authorization) + (secret is not None) + (assertion is not None) > 1:
        raise InvalidRequestError("the client uses more than one way to authenticate")
    if authorization:
        name, password = _basic(authorization[0])
        if client_id is not None and client_id != name:
            raise InvalidRequestError("`client_id` differs from the one in the header")
        return _Presented(client_id=name, secret=password, basic=True)
    if assertion is not None:
        name = claimed_client(assertion)
        if client_id is not None and client_id != name:
            raise InvalidRequestError("`client_id` differs from the one in the assertion")
        return _Presented(client_id=name, assertion=assertion)
    if client_id is None:
        raise InvalidRequestError("`client_id` is required")
    if len(client_id) > _MAX_ID or (secret is not None and len(secret) > _MAX_SECRET):
        raise InvalidClientError("the client is unknown or disabled")
    return _Presented(client_id=client_id, secret=secret)


def _assertion(form: Params) -> str | None:
    """The client assertion, of the one type there is (RFC 7523 §2.2); half of one is refused."""
    assertion, kind = form.one("client_assertion"), form.one("client_assertion_type")
    if assertion is None and kind is None:
        return None
    if assertion is None or kind is None:
        raise InvalidRequestError(
            "`client_assertion` and `client_assertion_type` go with each other"
        )
    if kind != CLIENT_ASSERTION_TYPE:
        raise InvalidClientError("`client_assertion_type` is not supported")
    return assertion


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
            "too many failed attempts for this client from this address",
            retry_after=attempts.wait(now, _WINDOW),
        )
