"""A person comes back from a third party: what it issued is sealed, then the client gets its code.

In this order: the state is one of ours, in this browser, for this server, and is now used up; the
person who was sent is the one who is logged in; the issuer is still the one of the repository; `iss`
is that issuer, byte for byte, and there wherever the third party says it always is; no error; the code
is redeemed at that issuer alone. Only then is the waiting request answered, by all the rules of any.

What fails after the state was found is told to the waiting client: `access_denied` where somebody
said no, `temporarily_unavailable` where nobody answered.

Source: RFC 6749 §4.1.2; RFC 9207 §2.4; RFC 9700 §4.4, §4.5, §4.7; AS-56, AS-57.
"""

from starlette.requests import Request
from starlette.responses import Response

from remit.audit.context import Context
from remit.audit.events import ConnectionMade, ConnectionRefused
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import Error
from remit.identity.providers import (
    ForeignTokens,
    TokenRequestError,
    request_tokens,
    secret_of,
)
from remit.ids import ServerName, UserId, digest
from remit.model import Server, ThirdParty
from remit.oauth import connection_store
from remit.oauth.circumstances import acting_user, circumstances_of
from remit.oauth.code_issuance import Assent, issue_code
from remit.oauth.connection_store import Connection, ConnectionRequest
from remit.oauth.connections.access import ThirdPartyAccess
from remit.oauth.connections.forward import cookie_of
from remit.oauth.connections.sealed import ForwardState, open_state, seal_tokens
from remit.oauth.connections.standing import callback_url, metadata_of
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import AccessDeniedError, Endpoint, OAuthError, TemporarilyUnavailableError
from remit.oauth.page_door import page_door
from remit.oauth.pending_request import NotWaitingError
from remit.oauth.waiting_request import (
    find_waiting,
    must_log_in,
    person_answering,
    refusal_of,
    rule_on_request,
)
from remit.tokens.issuer_metadata import IssuerMetadata
from remit.tokens.published import IssuerUnavailableError
from remit.web import Params, browser_of, clear_cookie, parse_query, read_cookie
from remit.web.fetch import Reach

__all__ = ["endpoint"]


class _ConnectionFailedError(Error):
    """No connection. `reason` is a stable word for the log; `answer` is what the client is told."""

    def __init__(self, reason: str, answer: OAuthError, *, cause: Error | None = None) -> None:
        super().__init__(answer.detail, cause=cause)
        self.reason = reason
        self.answer = answer


def endpoint(deps: OAuthDeps) -> Endpoint:
    """`GET /connections/{server}/callback`."""

    async def come_back(request: Request) -> Response:
        params = parse_query(request.scope["query_string"])
        state = params.one("state")
        taken, kept, server = await _take(deps, request, state)
        browser = browser_of(request, deps.site)
        context = circumstances_of(request, deps.site)
        waiting = await find_waiting(deps, kept.request, browser=browser, context=context)
        found = await deps.read_session(request)
        if (
            found is None
            or found[0].id != taken.user_id
            or must_log_in(waiting, found[1])
            or waiting.requester.client.client_id != taken.client_id
            or waiting.request.server.name != taken.server
        ):
            raise NotWaitingError
        person = await person_answering(waiting, found, deps=deps, context=context)
        try:
            tokens = await _tokens(deps, server, taken, kept, params=params)
        except _ConnectionFailedError as error:
            await _record_refusal(deps, taken, error, context=person.context)
            raise refusal_of(waiting, error.answer, context=person.context) from error
        await _keep(deps, server, taken, tokens, context=person.context)
        ruling = rule_on_request(waiting, person, scopes=waiting.request.scopes, deps=deps)
        allowed = rule_on_request(waiting, person, scopes=kept.scopes, deps=deps)
        assent = Assent(person=person, scopes=allowed.scopes, shown_digest=None, ruling=ruling)
        response = await issue_code(deps, waiting, assent)
        clear_cookie(response, deps.site, cookie_of(state or ""))
        return response

    return page_door(deps, come_back)


async def _take(
    deps: OAuthDeps, request: Request, state: str | None
) -> tuple[ConnectionRequest, ForwardState, Server]:
    """The request that this answers, used up by this.

    Raises:
        NotWaitingError: no such state was given to this browser for this server.
    """
    access, name = deps.third_parties, request.path_params["server"]
    server = deps.directory.catalog.servers.get(ServerName(name))
    secret = None if state is None else read_cookie(request, deps.site, cookie_of(state))
    if access is None or server is None or state is None or secret is None:
        raise NotWaitingError
    now = deps.clock.now()
    taken = await deps.database.run(
        lambda tx: connection_store.take_connection_request(
            tx, digest(state), browser_digest=digest(secret), server=name, now=now
        )
    )
    kept = None if taken is None else open_state(access.box, taken.digest, taken.sealed_state)
    if taken is None or kept is None:
        raise NotWaitingError
    return taken, kept, server


async def _tokens(
    deps: OAuthDeps,
    server: Server,
    taken: ConnectionRequest,
    kept: ForwardState,
    *,
    params: Params,
) -> ForeignTokens:
    """What the third party issues for its answer, which is checked before anything is sent."""
    party, access = server.connection, deps.third_parties
    if party is None or access is None or party.issuer != taken.issuer:
        raise _unavailable("issuer_changed")
    try:
        metadata = await metadata_of(deps, party)
    except IssuerUnavailableError as error:
        raise _unavailable("third_party_unavailable", error) from error
    _check_answer(params, metadata)
    code = params.one("code")
    if code is None:
        raise _denied("no_code")
    return await _redeemed(
        deps, server, party, metadata, access=access, proof=(code, kept.verifier)
    )


def _check_answer(params: Params, metadata: IssuerMetadata) -> None:
    """RFC 9207 §2.4: who answers, before what is answered."""
    iss = params.one("iss")
    if iss is None and metadata.sends_iss:
        raise _denied("iss_missing")
    if iss is not None and iss != metadata.issuer:
        raise _denied("iss_mismatch")
    error = params.one("error")
    if error in {"temporarily_unavailable", "server_error"}:
        raise _unavailable("third_party_unavailable")
    if error is not None:
        raise _denied("cancelled" if error == "access_denied" else "third_party_refused")


async def _redeemed(
    deps: OAuthDeps,
    server: Server,
    party: ThirdParty,
    metadata: IssuerMetadata,
    *,
    access: ThirdPartyAccess,
    proof: tuple[str, str],
) -> ForeignTokens:
    code, verifier = proof
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": callback_url(deps, server),
        "code_verifier": verifier,
    }
    if party.resource is not None:
        fields["resource"] = party.resource
    reach = Reach(private=party.private_network)
    try:
        own = secret_of(party.client_id, party.secret, deps.resolve_secret)
        return await request_tokens(access.post_form, metadata, own, fields=fields, reach=reach)
    except TokenRequestError as error:
        if error.reason in {"unavailable", "misconfigured"}:
            raise _unavailable("third_party_unavailable", error) from error
        raise _denied("token_refused", error) from error


async def _keep(
    deps: OAuthDeps,
    server: Server,
    taken: ConnectionRequest,
    tokens: ForeignTokens,
    *,
    context: Context,
) -> None:
    """Seal what was issued, for this person, this server and this issuer."""
    party, access, now = server.connection, deps.third_parties, deps.clock.now()
    assert party is not None  # noqa: S101  for the type checker: it was redeemed there
    assert access is not None  # noqa: S101
    owner = (taken.user_id, taken.server, taken.issuer)
    lifetime = tokens.expires_in
    connection = Connection(
        user_id=UserId(taken.user_id),
        server=taken.server,
        issuer=taken.issuer,
        scopes=party.scopes,
        sealed_tokens=seal_tokens(access.box, tokens, owner=owner),
        created_at=now,
        updated_at=now,
        expires_at=None if lifetime is None else EpochSeconds(now + lifetime),
    )

    def commit(tx: Transaction) -> None:
        connection_store.keep_connection(tx, connection)
        tx.record(
            ConnectionMade(
                context=context, server=server.name, issuer=taken.issuer, scopes=party.scopes
            )
        )

    await deps.database.run(commit)


async def _record_refusal(
    deps: OAuthDeps, taken: ConnectionRequest, error: _ConnectionFailedError, *, context: Context
) -> None:
    known = acting_user(context, taken.user_id, context.tenant or "")
    event = ConnectionRefused(
        context=known, server=taken.server, issuer=taken.issuer, reason=error.reason
    )

    def record(tx: Transaction) -> None:
        tx.record(event)

    await deps.database.run(record)


def _denied(reason: str, cause: Error | None = None) -> _ConnectionFailedError:
    answer = AccessDeniedError("the service behind this server did not agree")
    return _ConnectionFailedError(reason, answer, cause=cause)


def _unavailable(reason: str, cause: Error | None = None) -> _ConnectionFailedError:
    answer = TemporarilyUnavailableError("the service behind this server cannot be asked")
    return _ConnectionFailedError(reason, answer, cause=cause)
