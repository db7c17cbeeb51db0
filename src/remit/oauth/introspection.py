"""What a token is worth at the moment, told to the server it is for or the client it was issued to.

A server of the catalog asks about access tokens for itself, and about no others; a confidential client
of the policy repository about its own tokens. Whatever else is asked about is `{"active": false}`, with
nothing said of why: the reason goes to the operator's log. What people allowed of calls with it
(`remit_elevations`) is told with it while it can be used. A token is active only if everything behind
it still stands: its grant, its person, its agent, those it acts for, its server. Whether whoever brought
a bound token has its key is for the server to check, against `cnf`.

Source: RFC 7662 §2, §4; RFC 9449 §6.2; RFC 8693 §4.1; RFC 9396 §9.2; RFC 9470 §6.2; O21 §3.2.4.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response

from remit.canonical import Json
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import Error
from remit.guard.standing import agent_of, is_backed
from remit.model import ClientKind, Server
from remit.oauth import credential_store, elevation_grant_store, grant_store
from remit.oauth.client import Client
from remit.oauth.client_authentication import authenticate_client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidClientError, json_door
from remit.oauth.form_body import read_parameters
from remit.oauth.grant import Grant, RefreshToken
from remit.oauth.presented_token import access_token_shown, refresh_token_shown, required_token
from remit.oauth.resource_indicators import server_at
from remit.oauth.resource_server import authenticate_server
from remit.tokens import AccessToken, resource_of
from remit.tokens.mint import claims_of
from remit.web import Params, json_response

__all__ = ["endpoint"]

_ANOTHERS = "it was issued to another client"

_log = structlog.get_logger("remit.oauth")


class _InactiveError(Error):
    """Why a token is not active; for the log alone."""

    code = "inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asker:
    """Who asks: a client about what was issued to it, or a server about what is for it."""

    client: Client | None = None
    server: Server | None = None

    @property
    def name(self) -> str:
        """What the operator's log calls it."""
        if self.server is not None:
            return f"server:{self.server.name}"
        return "" if self.client is None else self.client.client_id


def endpoint(deps: OAuthDeps) -> Callable[[Request], Awaitable[Response]]:
    """Answers `POST /introspect`."""

    async def introspect(request: Request) -> Response:
        form = await read_parameters(request)
        asker = await _asker(deps, request, form)
        token = required_token(form)
        try:
            return json_response(await _describe(deps, asker, token))
        except _InactiveError as inactive:
            _log.info("token inactive", asker=asker.name, reason=inactive.detail)
            return json_response({"active": False})

    return json_door(introspect)


async def _asker(deps: OAuthDeps, request: Request, form: Params) -> _Asker:
    server = await authenticate_server(deps, request, form)
    if server is not None:
        return _Asker(server=server)
    client = await authenticate_client(deps, request, form)
    if client.kind is not ClientKind.STATIC or not client.is_confidential:
        raise InvalidClientError("this client may not introspect tokens")
    return _Asker(client=client)


async def _describe(deps: OAuthDeps, asker: _Asker, token: str) -> dict[str, Json]:
    now = deps.clock.now()
    access_token = access_token_shown(deps, token)
    if access_token is not None:
        return await _describe_access_token(deps, asker, access_token, now=now)
    client = asker.client
    if client is None:
        raise _InactiveError("a server is told of access tokens alone")

    def find(tx: Transaction) -> tuple[RefreshToken, Grant, dict[str, Json]]:
        refresh_token, grant = _live_refresh_token(tx, token, now=now)
        return refresh_token, grant, _elevations(tx, grant, now=now)

    refresh_token, grant, elevations = await deps.database.read(find)
    if grant.client_id != client.client_id:
        raise _InactiveError(_ANOTHERS)
    _require_standing(deps, grant)
    return {
        "active": True,
        "client_id": grant.client_id,
        "scope": " ".join(grant.scopes),
        "aud": grant.resource,
        "iss": deps.public_url,
        "iat": refresh_token.issued_at,
        "exp": min(refresh_token.expires_at, grant.expires_at),
        **elevations,
    }


async def _describe_access_token(
    deps: OAuthDeps, asker: _Asker, token: AccessToken, *, now: EpochSeconds
) -> dict[str, Json]:
    """Everything the token says, and how it is to be presented."""
    # Whose it is comes first: nobody else has anything looked up (RFC 7662 §4).
    _require_about_asker(deps, asker, token)

    def find(tx: Transaction) -> tuple[Grant, dict[str, Json]]:
        if token.jti in credential_store.revoked_tokens(tx, now):
            raise _InactiveError("the token was revoked")
        grant = _live_grant(grant_store.find_grant(tx, token.grant_id), now=now)
        return grant, _elevations(tx, grant, now=now)

    grant, elevations = await deps.database.read(find)
    _require_standing(deps, grant)
    directory = deps.directory
    backed = is_backed(token, directory.standing, directory.catalog)
    if not backed or agent_of(token, directory.catalog) is None:
        raise _InactiveError("somebody behind it may not act")
    return {"active": True, "token_type": token.token_type, **claims_of(token), **elevations}


def _elevations(tx: Transaction, grant: Grant, *, now: EpochSeconds) -> dict[str, Json]:
    """What can still be used of what people allowed of calls with `grant`; no member where that is nothing."""
    live = elevation_grant_store.live_elevations(tx, grant.id, at=now)
    if not live:
        return {}
    return {
        "remit_elevations": [
            {
                "id": one.id,
                "scope": " ".join(one.scopes),
                "iat": one.created_at,
                "exp": one.expires_at,
                "authorization_details": list(one.authorization_details),
            }
            for one in live
        ]
    }


def _require_about_asker(deps: OAuthDeps, asker: _Asker, token: AccessToken) -> None:
    if asker.server is not None:
        if token.aud != resource_of(deps.public_url, asker.server):
            raise _InactiveError("it is for another server")
    elif asker.client is None or token.client_id != asker.client.client_id:
        raise _InactiveError(_ANOTHERS)


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
