"""The authorization endpoint: a request comes in, is checked, and waits for its person.

Everything a client says is checked here, before anybody is asked to log in. What passes
is kept on this side; the browser goes on with a random name for it. Anybody can make
a request, without a log-in: so each is short, a browser has few that wait, and an
address makes few in the time they wait.

Source: O21 §3.1, §4.1.1; RFC 9700 §4.7; AS-09 to AS-16, AS-35.
"""

from starlette.requests import Request
from starlette.responses import Response

from remit.audit.context import Context
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.db.throttle import count_attempt, network_of
from remit.ids import digest, new_secret
from remit.oauth import request_store
from remit.oauth.authorization_request import (
    AuthorizationRequest,
    Prompt,
    UnusableRequestError,
    check_request,
)
from remit.oauth.authorization_response import AuthorizationRefusalError
from remit.oauth.circumstances import acting_client, circumstances_of
from remit.oauth.continuation import continue_path
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import (
    Endpoint,
    LoginRequiredError,
    OAuthError,
    SlowDownError,
    UnauthorizedClientError,
)
from remit.oauth.page_door import page_door
from remit.oauth.pending_request import PendingRequest
from remit.oauth.requester import AwaitsApprovalError, Requester, find_requester
from remit.web import (
    Params,
    UnsupportedMediaTypeError,
    browser_of,
    parse_query,
    peer_of,
    read_body,
    redirect,
    remember_browser,
)

__all__ = ["endpoint"]

_MAX_REQUEST = 8_192
_FORM = "application/x-www-form-urlencoded"


def endpoint(deps: OAuthDeps) -> Endpoint:
    """`GET` and `POST /authorize`."""

    async def authorize(request: Request) -> Response:
        raw = await _raw_parameters(request)
        params = parse_query(raw)
        circumstances = circumstances_of(request, deps.site)
        requester = await _requester(deps, params, circumstances)
        context = acting_client(circumstances, requester.client.client_id)
        session = await deps.read_session(request)
        try:
            checked = _check(deps, params, requester)
            if session is None and Prompt.NONE in checked.prompt:
                raise LoginRequiredError("nobody is logged in")
        except OAuthError as error:
            raise AuthorizationRefusalError(error, requester, context=context) from error
        session_id = None if session is None else session[1].id
        return await _wait(deps, request, requester, query=raw.decode(), session_id=session_id)

    return page_door(deps, authorize)


async def _requester(deps: OAuthDeps, params: Params, context: Context) -> Requester:
    """Who asks. Where no person is to be shown anything, its client hears that it has to wait."""
    try:
        return await find_requester(deps, params, context=context)
    except AwaitsApprovalError as error:
        if (params.one("prompt") or "") != Prompt.NONE:
            raise
        refusal = UnauthorizedClientError(error.detail, cause=error)
        raise AuthorizationRefusalError(
            refusal,
            error.requester,
            context=acting_client(context, error.requester.client.client_id),
        ) from error


async def _raw_parameters(request: Request) -> bytes:
    """The query of a GET, the form of a POST: never both (O21 §3.1)."""
    if request.method != "POST":
        query: bytes = request.scope["query_string"]
        if len(query) > _MAX_REQUEST:
            raise UnusableRequestError(f"the request is longer than {_MAX_REQUEST} bytes")
        return query
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise UnsupportedMediaTypeError(f"the body must be `{_FORM}`")
    return await read_body(request, limit=_MAX_REQUEST)


def _check(deps: OAuthDeps, params: Params, requester: Requester) -> AuthorizationRequest:
    return check_request(
        params,
        requester.client,
        agent=requester.agent,
        back=requester.back,
        catalog=deps.directory.catalog,
        public_url=deps.public_url,
    )


async def _wait(
    deps: OAuthDeps, request: Request, requester: Requester, *, query: str, session_id: str | None
) -> Response:
    """Keep the request, tied to this browser, and send the browser on to answer it."""
    browser, name, now = browser_of(request, deps.site), new_secret(), deps.clock.now()
    pending = PendingRequest(
        digest=digest(name),
        browser_digest=browser.digest,
        query=query,
        redirect_uri=requester.back.redirect_uri,
        session_id=session_id,
        created_at=now,
        expires_at=EpochSeconds(now + deps.limits.request_lifetime),
    )
    network = network_of(peer_of(request.scope, deps.site.trusted_proxies).ip)
    await deps.database.run(lambda tx: _store(tx, deps, pending, network=network))
    response = redirect(continue_path(name))
    remember_browser(response, deps.site, browser)
    return response


def _store(tx: Transaction, deps: OAuthDeps, pending: PendingRequest, *, network: str) -> None:
    """Count and store; beyond the limit both are rolled back."""
    limits, now = deps.limits, pending.created_at
    window = limits.request_lifetime
    attempts = count_attempt(tx, f"authorize:{network}", now=now, window=window)
    if attempts.count > limits.requests_per_lifetime:
        raise SlowDownError(
            "too many requests from this address", retry_after=attempts.wait(now, window)
        )
    request_store.add_request(tx, pending, per_browser=limits.waiting_per_browser)
