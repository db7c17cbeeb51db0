"""How a client ends a token it holds.

A refresh token takes its whole grant with it, spent or not: whoever shows it is done. An access
token is remembered by its `jti` until it expires, and what was exchanged from its grant ends with
it: which of the grant's tokens an exchange began with is not kept, so all of them end rather
than one too few; the grant itself and its other tokens stay. A token nobody knows is answered
as one that was revoked, because it is as good as that. Another client's token is refused and
stays as it is.

Source: RFC 7009 §2.1, §2.2; EMA §7.5.4; docs/adr/0009-proof-of-possession.md.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from remit.audit.context import Context
from remit.audit.events import TokenRevoked
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.oauth import credential_store, grant_store
from remit.oauth.circumstances import acting_client, circumstances_of
from remit.oauth.client import Client
from remit.oauth.client_authentication import authenticate_client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidGrantError, json_door
from remit.oauth.form_body import read_parameters
from remit.oauth.grant import RevokeReason
from remit.oauth.grant_revocation import about_grant, revoke_descendants, revoke_grant
from remit.oauth.presented_token import access_token_shown, refresh_token_shown, required_token
from remit.tokens import AccessToken, jti_digest

__all__ = ["endpoint"]

_NOT_YOURS = "the token was issued to another client"


def endpoint(deps: OAuthDeps) -> Callable[[Request], Awaitable[Response]]:
    """Answers `POST /revoke`."""

    async def revoke(request: Request) -> Response:
        form = await read_parameters(request)
        client = await authenticate_client(deps, request, form)
        context = acting_client(circumstances_of(request, deps.site), client.client_id)
        if await _revoke(deps, client, required_token(form), context=context):
            await deps.publish()
        return Response(status_code=200, headers={"Cache-Control": "no-store"})

    return json_door(revoke)


async def _revoke(deps: OAuthDeps, client: Client, token: str, *, context: Context) -> bool:
    """Whether anything ended."""
    now = deps.clock.now()
    access_token = access_token_shown(deps, token)
    if access_token is not None:
        if access_token.client_id != client.client_id:
            raise InvalidGrantError(_NOT_YOURS)
        return await deps.database.run(
            lambda tx: _revoke_access_token(tx, access_token, now=now, context=context)
        )
    return await deps.database.run(
        lambda tx: _revoke_refresh_token(tx, client, token, now=now, context=context)
    )


def _revoke_access_token(
    tx: Transaction, token: AccessToken, *, now: EpochSeconds, context: Context
) -> bool:
    # The grant's row is held until this commits: an exchange of the token either is over by now, and
    # what it made is found below, or waits, and finds the token revoked.
    grant_store.use_grant(tx, token.grant_id, now=now)
    if not credential_store.revoke_token(tx, token.jti, expires_at=token.exp):
        return False
    grant = grant_store.find_grant(tx, token.grant_id)
    tx.record(
        TokenRevoked(
            context=context if grant is None else about_grant(context, grant),
            token_type="access_token",  # noqa: S106  the standard's name of a kind of token
            jti_digest=jti_digest(token.jti),
        )
    )
    revoke_descendants(tx, (token.grant_id,), at=now, context=context)
    return True


def _revoke_refresh_token(
    tx: Transaction, client: Client, token: str, *, now: EpochSeconds, context: Context
) -> bool:
    refresh_token = refresh_token_shown(tx, token)
    if refresh_token is None:
        return False
    grant = grant_store.find_grant(tx, refresh_token.grant_id)
    if grant is None or grant.client_id != client.client_id:
        raise InvalidGrantError(_NOT_YOURS)
    reason = RevokeReason.REVOKED_BY_CLIENT.value
    if revoke_grant(tx, grant.id, reason=reason, at=now, context=context) is None:
        return False
    tx.record(
        TokenRevoked(
            context=about_grant(context, grant),
            token_type="refresh_token",  # noqa: S106
        )
    )
    return True
