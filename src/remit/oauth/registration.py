"""Dynamic client registration: a client introduces itself and gets an identifier.

Decides whether it may: the repository admits registration to everybody, or to whoever
shows an initial access token, or to nobody; the metadata holds together; a rule admits it, at
once or when an administrator says so; and its address has not registered too often. Who it
is follows from where its codes go (`registry.agent_of_client`), never from the name it
gives; who answers for it, from the token or the rule. A refusal leaves nothing behind but its
event, and spends no use of a token. Where registration is off, the answer is 403
`access_denied`: RFC 7591 has no code for it, and a retry would change nothing.

Source: RFC 7591 §3; O21 §2.2; RFC 6749 §10.10 (the secret is kept as a digest); AS-08, AS-28.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import ClientQueued, ClientRegistered, ClientRegistrationRefused
from remit.canonical import Json, MalformedJsonError
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.db.throttle import attempts_of, count_attempt, network_of
from remit.ids import ClientId, digest, new_id, new_secret
from remit.model import (
    Admission,
    Catalog,
    ClientBounds,
    ClientKind,
    Environment,
    RegistrationMode,
)
from remit.oauth import client_store
from remit.oauth.admission import Terms, terms_of_registration
from remit.oauth.circumstances import circumstances_of
from remit.oauth.client import ClientStatus
from remit.oauth.client_approval import refuse_if_queue_is_full
from remit.oauth.client_metadata import ClientMetadata, metadata_to_json, parse_registration
from remit.oauth.client_store import StoredClient
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import (
    AccessDeniedError,
    InvalidClientMetadataError,
    InvalidInitialAccessTokenError,
    InvalidRequestError,
    OAuthError,
    RequestTooLargeError,
    SlowDownError,
    json_door,
)
from remit.oauth.initial_access import (
    find_initial_access_token,
    presented_token,
    spend_initial_access_token,
)
from remit.oauth.initial_access_store import InitialAccessToken
from remit.registry import agent_of_client
from remit.web import (
    BodyTooLargeError,
    UnsupportedMediaTypeError,
    json_response,
    read_json_object,
)

__all__ = ["endpoint"]

_MAX_BODY = 16_384
_HOUR = Seconds(3_600)
_MINUTE = Seconds(60)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sponsor:
    """The initial access token that a registration shows, and its secret."""

    token: InitialAccessToken
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Newcomer:
    """A client that may be stored. `secret` is shown to it once, and kept nowhere."""

    client: StoredClient
    metadata: ClientMetadata
    secret: str | None
    sponsor: _Sponsor | None


def endpoint(deps: OAuthDeps) -> Callable[[Request], Awaitable[Response]]:
    """Answers `POST /register`."""

    async def register(request: Request) -> Response:
        context = circumstances_of(request, deps.site)
        try:
            return await _register(deps, request, context)
        except OAuthError as error:
            refused = ClientRegistrationRefused(
                context=context, error=error.code, detail=error.detail
            )
            if not deps.audit.count_refusal(context, where="register", error=error.code):
                await deps.audit.append(refused)
            raise

    return json_door(register)


async def _register(deps: OAuthDeps, request: Request, context: Context) -> Response:
    catalog = deps.directory.catalog
    sponsor = await _sponsor(deps, request, context)
    metadata = await _read_metadata(request, catalog)
    terms = terms_of_registration(catalog.registration, metadata)
    newcomer = _newcomer(catalog, metadata, terms, sponsor=sponsor, now=deps.clock.now())
    await deps.database.run(lambda tx: _store(tx, deps, newcomer, context=context))
    return _response(newcomer)


async def _sponsor(deps: OAuthDeps, request: Request, context: Context) -> _Sponsor | None:
    """Who lets the client in besides the rules; `None` where nobody has to.

    Raises:
        AccessDeniedError: nobody may register.
        InvalidInitialAccessTokenError: a token is required, and no good one is shown.
        SlowDownError: too many bad ones from this network.
    """
    mode = deps.directory.catalog.registration.mode
    if mode is RegistrationMode.OFF:
        raise AccessDeniedError("clients cannot register themselves here")
    secret = presented_token(
        request.headers.getlist("authorization"), required=mode is RegistrationMode.GATED
    )
    if secret is None:
        return None
    key, now = f"initial-access:{network_of(context.network.ip)}", deps.clock.now()
    attempts = await deps.database.read(
        lambda tx: attempts_of(tx, key, now=now, window=_MINUTE),
    )
    if attempts.count >= deps.limits.attempts_per_minute:
        raise SlowDownError(
            "too many wrong initial access tokens from this address",
            retry_after=attempts.wait(now, _MINUTE),
        )
    try:
        token = await deps.database.read(
            lambda tx: find_initial_access_token(tx, secret, now=now),
        )
    except InvalidInitialAccessTokenError:
        await deps.database.run(lambda tx: count_attempt(tx, key, now=now, window=_MINUTE))
        raise
    return _Sponsor(token=token, secret=secret)


async def _read_metadata(request: Request, catalog: Catalog) -> ClientMetadata:
    try:
        document = await read_json_object(request, limit=_MAX_BODY)
    except BodyTooLargeError as error:
        raise RequestTooLargeError(error.detail, cause=error) from error
    except UnsupportedMediaTypeError as error:
        raise InvalidRequestError(error.detail, cause=error) from error
    except MalformedJsonError as error:
        raise InvalidClientMetadataError(error.detail, cause=error) from error
    return parse_registration(document, schemes=catalog.registration.redirect_uri_schemes)


def _newcomer(
    catalog: Catalog,
    metadata: ClientMetadata,
    terms: Terms,
    *,
    sponsor: _Sponsor | None,
    now: EpochSeconds,
) -> _Newcomer:
    """The client that comes in on `terms`; whoever gave it a token answers for it first."""
    grants = tuple(one for one in metadata.grant_types if one in terms.grant_types)
    metadata = replace(metadata, grant_types=grants)
    secret = new_secret("rms_") if metadata.token_endpoint_auth_method.uses_secret else None
    client_id = ClientId(new_id("cli"))
    agent = agent_of_client(
        catalog,
        ClientKind.DYNAMIC,
        client_id=client_id,
        redirect_uris=metadata.redirect_uris,
    )
    waits = terms.admission is Admission.APPROVE
    token = None if sponsor is None else sponsor.token
    client = StoredClient(
        client_id=client_id,
        kind=ClientKind.DYNAMIC,
        agent_id=agent.id,
        name=metadata.client_name or client_id,
        metadata=metadata,
        secret_digest=None if secret is None else digest(secret),
        fingerprint=metadata.fingerprint,
        created_at=now,
        status=ClientStatus.PENDING if waits else ClientStatus.ADMITTED,
        rule=terms.rule,
        owner=terms.owner if token is None else token.owner,
        bounds=ClientBounds(scopes=terms.scopes, environment=_environment(terms, token)),
        expires_at=None if terms.lifetime is None else EpochSeconds(now + terms.lifetime),
        queued_at=now if waits else None,
        initial_access_token=None if token is None else token.id,
    )
    return _Newcomer(client=client, metadata=metadata, secret=secret, sponsor=sponsor)


def _environment(terms: Terms, token: InitialAccessToken | None) -> Environment | None:
    """The one environment that rule and token agree on."""
    given = None if token is None else token.environment
    if None not in {given, terms.environment} and given != terms.environment:
        raise InvalidClientMetadataError(
            f"the rule `{terms.rule}` is for another environment than the initial access token"
        )
    return given or terms.environment


def _store(tx: Transaction, deps: OAuthDeps, newcomer: _Newcomer, *, context: Context) -> None:
    """Count, spend, store and record; when one of them is refused all of it is rolled back."""
    client, network = newcomer.client, network_of(context.network.ip)
    now = client.created_at
    attempts = count_attempt(tx, f"register:{network}", now=now, window=_HOUR)
    if attempts.count > deps.directory.catalog.registration.per_hour:
        raise SlowDownError(
            "too many registrations from this address", retry_after=attempts.wait(now, _HOUR)
        )
    if newcomer.sponsor is None:
        if client.status is ClientStatus.PENDING:
            refuse_if_queue_is_full(tx, network=network)
            client = replace(client, queued_from=network)
    else:
        # Somebody answers for this one, and for no more than the token has uses: no queue of
        # strangers keeps it out.
        spend_initial_access_token(tx, newcomer.sponsor.secret, now=now)
    client_store.add_client(tx, client)
    known = context.with_(
        actor=Actor(ActorType.CLIENT, client.client_id),
        client_id=client.client_id,
        agent_id=client.agent_id,
    )
    tx.record(_event(newcomer, known))


def _event(newcomer: _Newcomer, context: Context) -> ClientRegistered | ClientQueued:
    client, metadata = newcomer.client, newcomer.metadata
    if client.status is ClientStatus.PENDING:
        return ClientQueued(
            context=context,
            registration=ClientKind.DYNAMIC.value,
            client_name=metadata.client_name,
            redirect_uris=metadata.redirect_uris,
            rule=client.rule,
            owner=client.owner,
            environment=client.bounds.environment,
            initial_access_token=client.initial_access_token,
        )
    return ClientRegistered(
        context=context,
        registration=ClientKind.DYNAMIC.value,
        client_name=metadata.client_name,
        redirect_uris=metadata.redirect_uris,
        grant_types=tuple(grant.value for grant in metadata.grant_types),
        token_endpoint_auth_method=metadata.token_endpoint_auth_method.value,
        rule=client.rule,
        owner=client.owner,
        environment=client.bounds.environment,
        expires=client.expires_at,
        initial_access_token=client.initial_access_token,
    )


def _response(newcomer: _Newcomer) -> Response:
    """What was taken, and nothing that was not; the secret this once (RFC 7591 §3.2.1).

    A client that waits gets the same answer: the standard knows no other.
    """
    client, secret = newcomer.client, newcomer.secret
    document: dict[str, Json] = {
        **metadata_to_json(newcomer.metadata),
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at,
    }
    if secret is not None:
        expires = 0 if client.expires_at is None else client.expires_at
        document |= {"client_secret": secret, "client_secret_expires_at": expires}
    return json_response(document, status=201, headers={"Pragma": "no-cache"})
