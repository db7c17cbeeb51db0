"""What an OAuth endpoint answers when it refuses, and the one place that renders it.

Every refusal carries the standard's own code. Endpoints that speak JSON answer
through `json_response`; the authorization endpoint sends `authorization_parameters`
to a redirect URI it has checked, and shows a page when it has not.

Source: RFC 6749 §4.1.2.1, §5.2; O21 §3.2.4, §4.1.2.1; RFC 7591 §3.2.2; RFC 8707 §2; RFC 9207 §2.
"""

import re
from collections.abc import Awaitable, Callable
from typing import ClassVar

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from remit.canonical import canonical_bytes
from remit.clock import Seconds
from remit.errors import Error, UnavailableError
from remit.web import BodyTooLargeError, MalformedParametersError, UnsupportedMediaTypeError

__all__ = [
    "AccessDeniedError",
    "ConsentRequiredError",
    "Endpoint",
    "InteractionRequiredError",
    "InvalidAuthorizationDetailsError",
    "InvalidClientError",
    "InvalidClientMetadataError",
    "InvalidDpopProofError",
    "InvalidGrantError",
    "InvalidInitialAccessTokenError",
    "InvalidRedirectUriError",
    "InvalidRequestError",
    "InvalidScopeError",
    "InvalidTargetError",
    "LoginRequiredError",
    "OAuthError",
    "RequestNotSupportedError",
    "RequestTooLargeError",
    "RequestUriNotSupportedError",
    "ServerError",
    "SlowDownError",
    "TemporarilyUnavailableError",
    "UnauthorizedClientError",
    "UnmetAuthenticationRequirementsError",
    "UnsupportedGrantTypeError",
    "UnsupportedResponseTypeError",
    "UseDpopNonceError",
    "authorization_parameters",
    "json_door",
    "json_response",
]

Endpoint = Callable[[Request], Awaitable[Response]]

# AS-25, O21 §3.2.4: %x20-21 / %x23-5B / %x5D-7E
_NOT_ALLOWED = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
_MAX_DESCRIPTION = 400
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

_log = structlog.get_logger("remit.oauth")


class OAuthError(Error):
    """The root of what an OAuth endpoint refuses: `code` is the standard's, `status` HTTP's."""

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 400


class InvalidRequestError(OAuthError):
    """Malformed: a parameter is missing, repeated, or means nothing here."""


class RequestTooLargeError(InvalidRequestError):
    """More than this endpoint reads."""

    status: ClassVar[int] = 413


class InvalidClientError(OAuthError):
    """The client is unknown, disabled, or did not prove that it is itself.

    `tried_basic` says that an Authorization header was sent, which obliges us to
    name the scheme in the answer (AS-24).
    """

    code: ClassVar[str] = "invalid_client"
    status: ClassVar[int] = 401

    def __init__(
        self, detail: str, *, tried_basic: bool = False, cause: BaseException | None = None
    ) -> None:
        super().__init__(detail, cause=cause)
        self.tried_basic = tried_basic


class InvalidGrantError(OAuthError):
    """The code or refresh token is unknown, spent, expired, revoked, or another client's."""

    code: ClassVar[str] = "invalid_grant"


class UnauthorizedClientError(OAuthError):
    """This client may not use this grant or response type."""

    code: ClassVar[str] = "unauthorized_client"


class UnsupportedGrantTypeError(OAuthError):
    code: ClassVar[str] = "unsupported_grant_type"


class UnsupportedResponseTypeError(OAuthError):
    code: ClassVar[str] = "unsupported_response_type"


class InvalidScopeError(OAuthError):
    """A scope is unknown, malformed, or more than may be had here."""

    code: ClassVar[str] = "invalid_scope"


class InvalidTargetError(OAuthError):
    """The `resource` is not one that Remit issues tokens for (RFC 8707 §2)."""

    code: ClassVar[str] = "invalid_target"


class InvalidAuthorizationDetailsError(OAuthError):
    """`authorization_details` is malformed, of an unknown type, or more than may be had (RFC 9396 §5)."""

    code: ClassVar[str] = "invalid_authorization_details"


class InvalidDpopProofError(OAuthError):
    """The proof of possession is wrong, or missing where a key is required (RFC 9449 §5)."""

    code: ClassVar[str] = "invalid_dpop_proof"


class UseDpopNonceError(InvalidDpopProofError):
    """The proof must carry the nonce that comes with the answer in `DPoP-Nonce` (RFC 9449 §8)."""

    code: ClassVar[str] = "use_dpop_nonce"


class UnmetAuthenticationRequirementsError(OAuthError):
    """The person cannot be authenticated as strongly as was asked (RFC 9470 §5; OpenID Unmet AuthN)."""

    code: ClassVar[str] = "unmet_authentication_requirements"


class AccessDeniedError(OAuthError):
    """The person, or a policy, said no."""

    code: ClassVar[str] = "access_denied"
    status: ClassVar[int] = 403


class LoginRequiredError(OAuthError):
    """`prompt=none`, and nobody is logged in (OpenID Connect Core §3.1.2.6)."""

    code: ClassVar[str] = "login_required"


class ConsentRequiredError(OAuthError):
    """`prompt=none`, and consent would have to be asked."""

    code: ClassVar[str] = "consent_required"


class InteractionRequiredError(OAuthError):
    """`prompt=none`, and the person would have to do something."""

    code: ClassVar[str] = "interaction_required"


class RequestNotSupportedError(OAuthError):
    """A `request` object was sent (RFC 9101); Remit takes parameters only."""

    code: ClassVar[str] = "request_not_supported"


class RequestUriNotSupportedError(OAuthError):
    """A `request_uri` was sent; Remit takes parameters only."""

    code: ClassVar[str] = "request_uri_not_supported"


class InvalidRedirectUriError(OAuthError):
    """A redirect URI that nobody may register (RFC 7591 §3.2.2)."""

    code: ClassVar[str] = "invalid_redirect_uri"


class InvalidClientMetadataError(OAuthError):
    """Client metadata that contradicts itself or asks for what Remit does not do."""

    code: ClassVar[str] = "invalid_client_metadata"


class InvalidInitialAccessTokenError(OAuthError):
    """Registration takes an initial access token, and none that is good was shown (RFC 7591 §3).

    Without `presented` the challenge names no error: nothing was wrong with what was not
    there (RFC 6750 §3.1).
    """

    code: ClassVar[str] = "invalid_token"
    status: ClassVar[int] = 401

    def __init__(self, detail: str, *, presented: bool = True) -> None:
        super().__init__(detail)
        self.presented = presented


class ServerError(OAuthError):
    """Something failed that the client cannot mend."""

    code: ClassVar[str] = "server_error"
    status: ClassVar[int] = 500


class TemporarilyUnavailableError(OAuthError):
    """The database or the audit log cannot answer now; nothing took effect."""

    code: ClassVar[str] = "temporarily_unavailable"
    status: ClassVar[int] = 503


class SlowDownError(OAuthError):
    """Too many attempts from one place (AS-28). The code is RFC 8628's; RFC 6749 has none for it."""

    code: ClassVar[str] = "slow_down"
    status: ClassVar[int] = 429

    def __init__(self, detail: str, *, retry_after: Seconds) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


def json_response(error: OAuthError) -> Response:
    """`error` as RFC 6749 §5.2 shapes it, never cached."""
    headers = dict(_NO_STORE)
    if isinstance(error, InvalidClientError) and error.tried_basic:
        headers["WWW-Authenticate"] = 'Basic realm="remit", charset="UTF-8"'
    if isinstance(error, InvalidInitialAccessTokenError):
        headers["WWW-Authenticate"] = _bearer_challenge(error)
    if isinstance(error, SlowDownError):
        headers["Retry-After"] = str(int(error.retry_after))
    body = canonical_bytes({"error": error.code, "error_description": _description(error)})
    return Response(body, error.status, headers, media_type="application/json")


def authorization_parameters(
    error: OAuthError, *, state: str | None, issuer: str
) -> dict[str, str]:
    """The query parameters of an error sent back to a checked redirect URI, `iss` included (AS-19)."""
    parameters = {"error": error.code, "error_description": _description(error)}
    if state is not None:
        parameters["state"] = state
    parameters["iss"] = issuer
    return parameters


def json_door(endpoint: Endpoint) -> Endpoint:
    """`endpoint`, with everything it raises rendered as JSON: the door of token-like endpoints."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except OAuthError as error:
            return json_response(error)
        except BodyTooLargeError as error:
            return json_response(RequestTooLargeError(error.detail, cause=error))
        except (MalformedParametersError, UnsupportedMediaTypeError) as error:
            return json_response(InvalidRequestError(error.detail, cause=error))
        except UnavailableError as error:
            _log.warning("unavailable", path=request.url.path, error=error.code, cause=error.cause)
            return json_response(TemporarilyUnavailableError("try again later", cause=error))
        except ClientDisconnect:
            raise  # nobody is there to be answered; the outermost door ends it
        except Exception as error:  # noqa: BLE001  a door: whatever it was, the answer is no
            _log.exception("failed", path=request.url.path)
            return json_response(ServerError("the request could not be completed", cause=error))

    return answer


def _bearer_challenge(error: InvalidInitialAccessTokenError) -> str:
    challenge = 'Bearer realm="remit"'
    if not error.presented:
        return challenge
    return f'{challenge}, error="{error.code}", error_description="{_description(error)}"'


def _description(error: OAuthError) -> str:
    """`detail` in the characters that `error_description` may hold (AS-25)."""
    readable = error.detail.replace('"', "'")
    return _NOT_ALLOWED.sub("?", readable)[:_MAX_DESCRIPTION]
