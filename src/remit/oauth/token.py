"""The token endpoint: one door for every grant.

Refuses what is not a form, a client that did not prove itself, a grant type that is
unknown or not the client's; then each grant's own rules decide. Every refusal is
recorded and changes nothing else. Nothing is read from the query, nothing is cached.

Source: O21 §3.2; RFC 6749 §5.1, §5.2.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from remit.audit.events import TokenRefused
from remit.errors import Error
from remit.oauth.circumstances import acting_client, circumstances_of
from remit.oauth.client import Client, GrantType
from remit.oauth.client_authentication import authenticate_client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import (
    Endpoint,
    InvalidRequestError,
    OAuthError,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
    json_door,
)
from remit.oauth.form_body import read_parameters
from remit.oauth.grants import (
    authorization_code,
    client_credentials,
    jwt_bearer,
    refresh_token,
    token_exchange,
)
from remit.oauth.guardrail_alert import raise_alerts
from remit.oauth.issued_tokens import IssuedTokens
from remit.oauth.proof_of_possession import offering_nonces, shown_proof
from remit.oauth.refusal import ReuseDetectedError, TokenRefusalError, refusals_in
from remit.oauth.token_request import TokenRequest
from remit.web import Params, json_response

__all__ = ["endpoint"]


class _Issue(Protocol):
    """What each grant type is: its rules, in a module of its own."""

    def __call__(self, deps: OAuthDeps, request: TokenRequest) -> Awaitable[IssuedTokens]: ...


_GRANTS: Mapping[GrantType, _Issue] = MappingProxyType(
    {
        GrantType.AUTHORIZATION_CODE: authorization_code.issue,
        GrantType.REFRESH_TOKEN: refresh_token.issue,
        GrantType.CLIENT_CREDENTIALS: client_credentials.issue,
        GrantType.TOKEN_EXCHANGE: token_exchange.issue,
        GrantType.JWT_BEARER: jwt_bearer.issue,
    }
)


def endpoint(deps: OAuthDeps) -> Endpoint:
    """`POST /token`."""

    async def token(request: Request) -> Response:
        context = circumstances_of(request, deps.site)
        form, client = Params(), None
        try:
            form = await read_parameters(request)
            proof = shown_proof(deps, request)
            client = await _client_of(deps, request, form)
            issued = await _issue(
                deps, TokenRequest(form=form, client=client, context=context, proof=proof)
            )
        except ReuseDetectedError as reuse:
            raise reuse.error from reuse
        except TokenRefusalError as refusal:
            await _record(deps, form, refusal, client=client)
            raise refusal.error from refusal
        except OAuthError as error:
            await _record(deps, form, TokenRefusalError(error, context=context), client=client)
            raise
        return json_response(issued.parameters(), headers={"Pragma": "no-cache"})

    return offering_nonces(deps, json_door(token))


async def _client_of(deps: OAuthDeps, request: Request, form: Params) -> Client | None:
    """Who asks; nobody, where an assertion is all there is and speaks for itself (AS-69)."""
    anonymous = (
        form.one("grant_type") == GrantType.JWT_BEARER
        and form.one("client_id") is None
        and not form.all("client_assertion")
        and not request.headers.getlist("authorization")
    )
    return None if anonymous else await authenticate_client(deps, request, form)


async def _issue(deps: OAuthDeps, request: TokenRequest) -> IssuedTokens:
    known = request.context
    if request.client is not None:
        known = acting_client(known, request.client.client_id)
    with refusals_in(known):
        grant_type = _grant_type(request.form, request.client)
        return await _GRANTS[grant_type](deps, replace(request, context=known))


def _grant_type(form: Params, client: Client | None) -> GrantType:
    named = form.one("grant_type")
    if named is None:
        raise InvalidRequestError("`grant_type` is required")
    try:
        grant_type = GrantType(named)
    except ValueError as error:
        raise UnsupportedGrantTypeError("`grant_type` is not supported", cause=error) from error
    if client is not None and not client.may_use(grant_type):
        raise UnauthorizedClientError(f"this client may not use the grant `{grant_type}`")
    return grant_type


async def _record(
    deps: OAuthDeps, form: Params, refusal: TokenRefusalError, *, client: Client | None
) -> None:
    """An event for the refusal; or, for whoever has shown nothing that is secret, perhaps a number.

    Anybody may name a client that has no secret. A code or refresh token of ours, though,
    is somebody's: then the grant is known.
    """
    context, ruling = refusal.context, refusal.ruling
    await raise_alerts(deps, ruling, context=context, resource=None)
    proved = client is not None and (client.is_confidential or context.grant_id is not None)
    if not proved and deps.audit.count_refusal(context, where="token", error=refusal.error.code):
        return
    await deps.audit.append(
        TokenRefused(
            context=context,
            grant_type=_known_grant_type(form),
            error=refusal.error.code,
            detail=refusal.error.detail,
            rules=() if ruling is None else ruling.rules,
            policy_version=None if ruling is None else ruling.policy_version,
        )
    )


def _known_grant_type(form: Params) -> str | None:
    """The grant type that was asked for, if it is one of ours: the log keeps no stranger's words."""
    try:
        return GrantType(form.one("grant_type") or "").value
    except (Error, ValueError):
        return None
