"""Whether an authorization request may go on, in the order that keeps it from being an open redirector.

Until client and redirect URI are known good, a refusal is a page; from then on it is
a redirect. Every check is a function below, called in a row in `check_request`.

Refused: parameters that repeat, request objects, any response type but `code`, any
response mode but `query`, a missing or plain PKCE challenge, a resource that is not
exactly one of ours, a scope nobody declared, an authentication nobody here can have,
a `dpop_jkt` that is no thumbprint, authorization details nobody could enforce. Ignored: parameters we do not know.

Source: O21 §3.1, §4.1.1, §4.1.2.1; RFC 9207; RFC 8707 §2; RFC 9396 §5; RFC 9449 §10; RFC 9470 §4;
OpenID Connect Core §3.1.2.1 (`prompt`, `max_age`).
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from remit.clock import Seconds
from remit.errors import Error
from remit.ids import ClientId, ScopeName
from remit.model import Agent, Catalog, Server
from remit.oauth import pkce
from remit.oauth.authentication_strength import required_acr
from remit.oauth.client import Client, GrantType
from remit.oauth.errors import (
    InvalidRequestError,
    InvalidScopeError,
    RequestNotSupportedError,
    RequestUriNotSupportedError,
    UnauthorizedClientError,
    UnsupportedResponseTypeError,
)
from remit.oauth.form_body import refuse_repeats
from remit.oauth.redirect_uri import matches_registered
from remit.oauth.requested_details import require_details
from remit.oauth.resource_indicators import require_resource
from remit.oauth.scope_placeholders import is_declared, is_elevated
from remit.scopes import parse_scope_param
from remit.tokens import resource_of
from remit.tokens.authorization_details import ToolCallDetail
from remit.web import Params

__all__ = [
    "AuthorizationRequest",
    "Prompt",
    "ReturnAddress",
    "UnusableRequestError",
    "check_request",
    "require_scopes",
    "return_address",
]

OFFLINE_ACCESS = ScopeName("offline_access")
_MAX_AGE = re.compile(r"[0-9]{1,9}")
# RFC 7638 §3: a SHA-256 in base64url
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


class UnusableRequestError(Error):
    """The request may not be answered by redirect: client or redirect URI are not known good.

    `error` is the standard's code, for the page and the log.
    """

    def __init__(
        self, detail: str, *, error: str = "invalid_request", cause: BaseException | None = None
    ) -> None:
        super().__init__(detail, cause=cause)
        self.error = error


class Prompt(StrEnum):
    """What the person is to be asked again (OpenID Connect Core §3.1.2.1)."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnAddress:
    """Where the answer goes, good or bad: a redirect URI that was checked, and the client's `state`."""

    redirect_uri: str
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A request that passed every check that needs no person."""

    client_id: ClientId
    back: ReturnAddress
    code_challenge: str
    server: Server
    scopes: tuple[ScopeName, ...]
    """What was asked, or what stands in for it; may hold placeholders."""
    prompt: frozenset[Prompt]
    max_age: Seconds | None
    acr: str | None
    """The weakest authentication that will do (`acr_values`)."""
    dpop_jkt: str | None
    """The key that whoever redeems the code must prove to have (RFC 9449 §10)."""
    details: tuple[ToolCallDetail, ...]
    """What the person is to allow besides scopes (RFC 9396); whether they have expired is not asked here."""


def return_address(params: Params, client: Client) -> ReturnAddress:
    """Where the answer may go.

    Raises:
        UnusableRequestError: the redirect URI is repeated, missing where it must be
            given, or not one of the client's.
    """
    if len(params.all("redirect_uri")) > 1:
        raise UnusableRequestError("`redirect_uri` is repeated")
    requested = params.one("redirect_uri")
    if requested is None:
        if len(client.redirect_uris) != 1:
            raise UnusableRequestError("`redirect_uri` is required")
        requested = client.redirect_uris[0]
    elif not matches_registered(requested, client.redirect_uris):
        raise UnusableRequestError("`redirect_uri` is not registered for this client")
    states = params.all("state")
    return ReturnAddress(redirect_uri=requested, state=states[0] if len(states) == 1 else None)


def check_request(
    params: Params,
    client: Client,
    *,
    agent: Agent,
    back: ReturnAddress,
    catalog: Catalog,
    public_url: str,
) -> AuthorizationRequest:
    """The request, checked in the order of the module's first sentence.

    Raises:
        OAuthError: the first check that failed; it goes to `back`.
    """
    refuse_repeats(params)
    _refuse_request_objects(params)
    _require_code_response(params, client)
    challenge = pkce.require_challenge(
        params.one("code_challenge"), params.one("code_challenge_method")
    )
    server = require_resource(params.all("resource"), agent, catalog=catalog, public_url=public_url)
    return AuthorizationRequest(
        client_id=client.client_id,
        back=back,
        code_challenge=challenge,
        server=server,
        scopes=require_scopes(params.one("scope"), server, catalog),
        prompt=_prompt(params.one("prompt")),
        max_age=_max_age(params.one("max_age")),
        acr=required_acr((params.one("acr_values") or "").split()),
        dpop_jkt=_dpop_jkt(params.one("dpop_jkt")),
        details=require_details(params, server, resource=resource_of(public_url, server)),
    )


def require_scopes(scope: str | None, server: Server, catalog: Catalog) -> tuple[ScopeName, ...]:
    """The scopes asked for; when none are, the server's baseline, else the issuer's default (O21 §1.4.1).

    An elevated scope by itself asks for nothing that a token could say: a client that follows a challenge for one
    is given what it would have been given without, and finds out at the call whether it was elevated.

    Raises:
        InvalidScopeError: malformed, not declared, or none asked and no default declared.
    """
    named = parse_scope_param(scope or "")
    if named is None:
        raise InvalidScopeError("`scope` is malformed")
    # Clients add `offline_access` on their own; whether there is a refresh token is ours to say.
    asked = tuple(one for one in named if one != OFFLINE_ACCESS)
    for one in asked:
        if not is_declared(one, catalog.scopes):
            raise InvalidScopeError(f"scope `{one}` is unknown")
    if all(is_elevated(one, catalog.scopes) for one in asked):
        asked = (*asked, *(server.baseline_scopes or catalog.issuer.default_scopes))
    if not asked:
        raise InvalidScopeError("`scope` is required: this server declares no default")
    return asked


def _refuse_request_objects(params: Params) -> None:
    if params.one("request") is not None:
        raise RequestNotSupportedError("`request` is not supported")
    if params.one("request_uri") is not None:
        raise RequestUriNotSupportedError("`request_uri` is not supported")


def _require_code_response(params: Params, client: Client) -> None:
    response_type = params.one("response_type")
    if response_type is None:
        raise InvalidRequestError("`response_type` is required")
    if response_type != "code":
        raise UnsupportedResponseTypeError("`response_type` must be `code`")
    if params.one("response_mode") not in {None, "query"}:
        raise InvalidRequestError("`response_mode` must be `query`")
    if not client.may_use(GrantType.AUTHORIZATION_CODE):
        raise UnauthorizedClientError("this client may not use the authorization code grant")


def _prompt(value: str | None) -> frozenset[Prompt]:
    try:
        prompt = frozenset(Prompt(one) for one in (value or "").split())
    except ValueError as error:
        raise InvalidRequestError("`prompt` is not understood", cause=error) from error
    if Prompt.NONE in prompt and len(prompt) > 1:
        raise InvalidRequestError("`prompt` cannot be `none` and something else")
    return prompt


def _max_age(value: str | None) -> Seconds | None:
    if value is None:
        return None
    if _MAX_AGE.fullmatch(value) is None:
        raise InvalidRequestError("`max_age` is not a number of seconds")
    return Seconds(int(value))


def _dpop_jkt(value: str | None) -> str | None:
    if value is not None and _THUMBPRINT.fullmatch(value) is None:
        raise InvalidRequestError("`dpop_jkt` is not the SHA-256 thumbprint of a key")
    return value
