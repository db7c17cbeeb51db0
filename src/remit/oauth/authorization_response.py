"""How an authorization request is answered: by redirect where that is safe, else by a page.

A redirect is always 303, always carries `iss`, and `state` exactly as it came. Where
nobody has done anything yet and nobody vouches for the client, an error is shown with
a link instead: else anybody could make this server a redirector to anywhere.

Source: O21 §4.1.2, §4.1.2.1, §7.5.4, §7.12.2; RFC 9207 §2; RFC 9700 §4.11.2; AS-13, AS-14, AS-19, AS-20.
"""

from starlette.responses import Response

from remit.audit.context import ActorType, Context
from remit.audit.events import AuthorizationRefused
from remit.db import Transaction
from remit.errors import Error
from remit.guard.issuance import Ruling
from remit.oauth import request_store
from remit.oauth.authorization_request import AuthorizationRequest
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import OAuthError, authorization_parameters
from remit.oauth.guardrail_alert import raise_alerts
from remit.oauth.pending_request import NotWaitingError, PendingRequest
from remit.oauth.redirect_uri import displayed_host, with_parameters
from remit.oauth.requester import Requester
from remit.tokens import resource_of
from remit.web import page, redirect

__all__ = ["AuthorizationRefusalError", "code_response", "denial_response", "refuse"]


class AuthorizationRefusalError(Error):
    """The request is refused, and its client is to hear of it: `error`.

    What else was known when it was made goes to the log. `pending` is then answered.
    """

    def __init__(
        self,
        error: OAuthError,
        requester: Requester,
        *,
        context: Context,
        request: AuthorizationRequest | None = None,
        ruling: Ruling | None = None,
        pending: PendingRequest | None = None,
    ) -> None:
        super().__init__(error.detail)
        self.error = error
        self.requester = requester
        self.context = context
        self.request = request
        self.ruling = ruling
        self.pending = pending


async def refuse(deps: OAuthDeps, refusal: AuthorizationRefusalError) -> Response:
    """Record or count the refusal, answer its pending request if there is one, and tell the client.

    Raises:
        NotWaitingError: somebody answered it in the meantime.
    """
    context = refusal.context
    # A client proves nothing here: anybody may name one. A person has logged in.
    counted = context.actor.type is not ActorType.USER and deps.audit.count_refusal(
        context, where="authorize", error=refusal.error.code
    )

    def record(tx: Transaction) -> None:
        pending = refusal.pending
        if pending is not None and not request_store.finish_request(
            tx, pending.digest, now=deps.clock.now()
        ):
            raise NotWaitingError
        if not counted:
            tx.record(_event(deps, refusal))

    await deps.database.run(record)
    await raise_alerts(deps, refusal.ruling, context=context, resource=_resource_of(deps, refusal))
    return _error_response(deps, refusal.error, refusal.requester, acted=False)


def denial_response(deps: OAuthDeps, error: OAuthError, requester: Requester) -> Response:
    """The redirect that tells the client that the person said no: they acted, so it may go anywhere."""
    return _error_response(deps, error, requester, acted=True)


def code_response(deps: OAuthDeps, code: str, requester: Requester) -> Response:
    """The redirect that hands out `code`."""
    back = requester.back
    parameters = {"code": code}
    if back.state is not None:
        parameters["state"] = back.state
    parameters["iss"] = deps.public_url
    return redirect(with_parameters(back.redirect_uri, parameters))


def _error_response(
    deps: OAuthDeps, error: OAuthError, requester: Requester, *, acted: bool
) -> Response:
    back = requester.back
    parameters = authorization_parameters(error, state=back.state, issuer=deps.public_url)
    url = with_parameters(back.redirect_uri, parameters)
    if acted or requester.is_trusted_place:
        return redirect(url)
    context = {
        "client_name": requester.client.name,
        "destination": displayed_host(back.redirect_uri),
        "url": url,
        "code": error.code,
        "detail": error.detail.replace("`", "'"),
    }
    return page("oauth/return.html", context, status=400)


def _event(deps: OAuthDeps, refusal: AuthorizationRefusalError) -> AuthorizationRefused:
    request, ruling, pending = refusal.request, refusal.ruling, refusal.pending
    context = refusal.context
    return AuthorizationRefused(
        context=context if pending is None else context.with_(flow_id=pending.flow_id),
        error=refusal.error.code,
        detail=refusal.error.detail,
        resource=_resource_of(deps, refusal),
        requested=() if request is None else request.scopes,
        rules=() if ruling is None else ruling.rules,
        policy_version=None if ruling is None else ruling.policy_version,
    )


def _resource_of(deps: OAuthDeps, refusal: AuthorizationRefusalError) -> str | None:
    request = refusal.request
    return None if request is None else resource_of(deps.public_url, request.server)
