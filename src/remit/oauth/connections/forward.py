"""A person allowed a client on a server that needs a third party: now, and not before, they are sent there.

What they allowed is kept first, for this person and this client; `state` and the PKCE verifier come
into being with it, and so does the cookie that ties them to this browser. Nobody can be sent there
with a state of ours who did not press the button on our page for this very client: that is what makes
a third party that remembers an earlier consent of its own harmless.

Refused: a third party whose metadata cannot be had.

Source: MCP 2026-07-28 security best practices (confused deputy: consent, state); RFC 9700 §4.4, §4.7;
RFC 8707 §2; AS-52, AS-53, AS-55 to AS-57.
"""

from typing import Final

from starlette.responses import Response

from remit.audit.events import ConsentGranted
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.ids import digest, new_secret
from remit.model import ThirdParty
from remit.oauth import connection_store, request_store
from remit.oauth.code_issuance import Assent, issue_code
from remit.oauth.connection_store import ConnectionRequest
from remit.oauth.connections.access import ThirdPartyAccess
from remit.oauth.connections.sealed import ForwardState, seal_state
from remit.oauth.connections.standing import callback_url, is_connected, metadata_of
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import TemporarilyUnavailableError
from remit.oauth.pending_request import NotWaitingError
from remit.oauth.redirect_uri import with_parameters
from remit.oauth.request_store import Consent
from remit.oauth.waiting_request import Waiting, refusal_of
from remit.tokens import resource_of
from remit.tokens.authorization_details import details_json
from remit.tokens.published import IssuerUnavailableError
from remit.web import redirect, set_cookie

__all__ = ["connect_or_issue", "cookie_of"]

LIFETIME: Final = Seconds(600)


async def connect_or_issue(
    deps: OAuthDeps, waiting: Waiting, assent: Assent, *, name: str
) -> Response:
    """Answer `waiting`, which the browser knows by `name`, as the person just said on our own page.

    Raises:
        NotWaitingError: it was answered in the meantime.
        AuthorizationRefusalError: the third party that is needed cannot be asked.
    """
    server, access = waiting.request.server, deps.third_parties
    party = server.connection
    if party is None or await is_connected(deps, server, assent.person.user.id):
        return await issue_code(deps, waiting, assent)
    unavailable = TemporarilyUnavailableError("the service behind this server cannot be asked")
    # INVARIANT: nobody is sent there who was not asked just now, on our page, about this client.
    if access is None or assent.shown_digest is None:
        raise refusal_of(waiting, unavailable, context=assent.person.context)
    try:
        metadata = await metadata_of(deps, party)
    except IssuerUnavailableError as error:
        raise refusal_of(waiting, unavailable, context=assent.person.context) from error
    state, verifier, secret = new_secret(), new_secret(), new_secret()
    request = _request(
        deps, waiting, assent, state=(state, verifier, name), cookie=secret, access=access
    )
    await deps.database.run(lambda tx: _keep(tx, deps, waiting, assent, request=request))
    parameters = {
        "response_type": "code",
        "client_id": party.client_id,
        "redirect_uri": callback_url(deps, server),
        "state": state,
        "code_challenge": digest(verifier),  # RFC 7636 §4.2: the SHA-256 in base64url
        "code_challenge_method": "S256",
        **_wanted(party),
    }
    response = redirect(with_parameters(metadata.authorization_endpoint, parameters))
    set_cookie(response, deps.site, cookie_of(state), value=secret, max_age=LIFETIME)
    return response


def cookie_of(state: str) -> str:
    """The cookie of one request: each has its own, so that two at once do not disturb each other."""
    return f"remit_connection_{digest(state)[:12]}"


def _request(
    deps: OAuthDeps,
    waiting: Waiting,
    assent: Assent,
    *,
    state: tuple[str, str, str],
    cookie: str,
    access: ThirdPartyAccess,
) -> ConnectionRequest:
    value, verifier, name = state
    server, now = waiting.request.server, deps.clock.now()
    assert server.connection is not None  # noqa: S101  for the type checker: the caller looked
    kept = ForwardState(verifier=verifier, request=name, scopes=assent.scopes)
    return ConnectionRequest(
        digest=digest(value),
        browser_digest=digest(cookie),
        user_id=assent.person.user.id,
        client_id=waiting.requester.client.client_id,
        server=server.name,
        issuer=server.connection.issuer,
        sealed_state=seal_state(access.box, digest(value), kept),
        created_at=now,
        expires_at=EpochSeconds(now + LIFETIME),
    )


def _keep(
    tx: Transaction,
    deps: OAuthDeps,
    waiting: Waiting,
    assent: Assent,
    *,
    request: ConnectionRequest,
) -> None:
    """Who allowed which client what, and that they are being sent there: at once, or neither."""
    now, asked = deps.clock.now(), waiting.request
    if request_store.find_request(tx, waiting.pending.digest, now=now) is None:
        raise NotWaitingError
    resource = resource_of(deps.public_url, asked.server)
    client = waiting.requester.client
    if not asked.details:
        # With details it was for these words alone, and not for the scopes without them.
        request_store.remember_consent(
            tx,
            Consent(
                user_id=request.user_id,
                client_id=client.client_id,
                resource=resource,
                scopes=assent.scopes,
                fingerprint=client.consented,
                granted_at=now,
            ),
        )
    tx.record(
        ConsentGranted(
            context=assent.person.context,
            resource=resource,
            requested=asked.scopes,
            granted=assent.scopes,
            shown_digest=assent.shown_digest or "",
            authorization_details=details_json(asked.details),
            withheld=assent.ruling.cut,
        )
    )
    connection_store.add_connection_request(tx, request)


def _wanted(party: ThirdParty) -> dict[str, str]:
    """What is asked of the third party, as the repository says and the page said."""
    wanted = {"scope": " ".join(party.scopes)} if party.scopes else {}
    return wanted if party.resource is None else wanted | {"resource": party.resource}
