"""What a token is worth at the moment, told to the client that it was issued to.

Only a confidential client of the policy repository may ask, and only about its own
tokens; whatever else it asks about is `{"active": false}`, with nothing said of why.
The reason goes to the operator's log. A token is active only if everything behind
it still stands: its grant, its person, its agent, its server.

Source: RFC 7662 §2; O21 §3.2.4.
"""

from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response

from remit.canonical import Json
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import Error
from remit.model import ClientKind
from remit.oauth import credential_store, grant_store
from remit.oauth.client import Client
from remit.oauth.client_authentication import authenticate_client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidClientError, json_door
from remit.oauth.form_body import read_parameters
from remit.oauth.grant import Grant, RefreshToken
from remit.oauth.presented_token import access_token_shown, refresh_token_shown, required_token
from remit.oauth.resource_indicators import server_at
from remit.tokens import AccessToken
from remit.web import json_response

__all__ = ["endpoint"]

_log = structlog.get_logger("remit.oauth")


class _InactiveError(Error):
    """Why a token is not active; for the log alone."""

    code = "inactive"


def endpoint(deps: OAuthDeps) -> Callable[[Request], Awaitable[Response]]:
    """Answers `POST /introspect`."""

    async def introspect(request: Request) -> Response:
        form = await read_parameters(request)
        client = await authenticate_client(deps, request, form)
        if client.kind is not ClientKind.STATIC or not client.is_confidential:
            raise InvalidClientError("this client may not introspect tokens")
        token = required_token(form)
        try:
            return json_response(await _describe(deps, client, token))
        except _InactiveError as inactive:
            _log.info("token inactive", client_id=client.client_id, reason=inactive.detail)
            return json_response({"active": False})

    return json_door(introspect)


async def _describe(deps: OAuthDeps, client: Client, token: str) -> dict[str, Json]:
    now = deps.clock.now()
    access_token = access_token_shown(deps, token)
    if access_token is not None:
        return await _describe_access_token(deps, client, access_token, now=now)

    def find(tx: Transaction) -> tuple[RefreshToken, Grant]:
        return _live_refresh_token(tx, token, now=now)

    refresh_token, grant = await deps.database.read(find)
    _require_own(client, grant)
    _require_standing(deps, grant)
    return {
        "active": True,
        "client_id": grant.client_id,
        "scope": " ".join(grant.scopes),
        "aud": grant.resource,
        "iss": deps.public_url,
        "iat": refresh_token.issued_at,
        "exp": min(refresh_token.expires_at, grant.expires_at),
    }


async def _describe_access_token(
    deps: OAuthDeps, client: Client, token: AccessToken, *, now: EpochSeconds
) -> dict[str, Json]:
    def find(tx: Transaction) -> Grant:
        if token.jti in credential_store.revoked_tokens(tx, now):
            raise _InactiveError("the token was revoked")
        return _live_grant(grant_store.find_grant(tx, token.grant_id), now=now)

    grant = await deps.database.read(find)
    _require_own(client, grant)
    _require_standing(deps, grant)
    return {
        "active": True,
        "token_type": "Bearer",
        "client_id": token.client_id,
        "scope": " ".join(token.scopes),
        "sub": token.sub,
        "aud": token.aud,
        "iss": token.iss,
        "jti": token.jti,
        "iat": token.iat,
        "exp": token.exp,
    }


def _live_refresh_token(
    tx: Transaction, token: str, *, now: EpochSeconds
) -> tuple[RefreshToken, Grant]:
    refresh_token = refresh_token_shown(tx, token)
    if refresh_token is None:
        raise _InactiveError("not a token of ours, or an expired one")
    if refresh_token.used_at is not None or refresh_token.expires_at <= now:
        raise _InactiveError("the refresh token was used or has expired")
    return refresh_token, _live_grant(grant_store.find_grant(tx, refresh_token.grant_id), now=now)


def _live_grant(grant: Grant | None, *, now: EpochSeconds) -> Grant:
    if grant is None or not grant.is_live(now):
        raise _InactiveError("its grant has ended")
    return grant


def _require_own(client: Client, grant: Grant) -> None:
    if grant.client_id != client.client_id:
        raise _InactiveError("it was issued to another client")


def _require_standing(deps: OAuthDeps, grant: Grant) -> None:
    standing, catalog = deps.directory.standing, deps.directory.catalog
    if grant.id in standing.revoked_grants or grant.client_id in standing.disabled_clients:
        raise _InactiveError("its grant or its client has ended")
    if grant.user_id is not None and grant.user_id in standing.disabled_users:
        raise _InactiveError("its person is disabled")
    if grant.agent_id in standing.suspended_agents:
        raise _InactiveError("its agent is suspended")
    if server_at(grant.resource, catalog=catalog, public_url=deps.public_url) is None:
        raise _InactiveError("its server is no longer in the catalog")
