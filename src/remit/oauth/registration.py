"""Dynamic client registration: a client introduces itself and gets an identifier.

Decides whether it may: the repository admits registration, the metadata holds
together, and its address has not registered too often. Who it is follows from where
its codes go (`registry.agent_of_client`), never from the name it gives. A refusal
leaves nothing behind but its event. Where registration is off, the answer is 403
`access_denied`: RFC 7591 has no code for it, and a retry would change nothing.

Source: RFC 7591 §3; O21 §2.2; RFC 6749 §10.10 (the secret is kept as a digest).
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import ClientRegistered, ClientRegistrationRefused
from remit.canonical import Json, MalformedJsonError
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.db.throttle import count_attempt, network_of
from remit.ids import ClientId, digest, new_id, new_secret
from remit.model import Catalog, ClientKind, RegistrationMode
from remit.oauth import client_store
from remit.oauth.circumstances import circumstances_of
from remit.oauth.client_metadata import ClientMetadata, metadata_to_json, parse_registration
from remit.oauth.client_store import StoredClient
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import (
    AccessDeniedError,
    InvalidClientMetadataError,
    InvalidRequestError,
    OAuthError,
    RequestTooLargeError,
    SlowDownError,
    json_door,
)
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
    if catalog.registration.mode is RegistrationMode.OFF:
        raise AccessDeniedError("clients cannot register themselves here")
    metadata = await _read_metadata(request, catalog)
    secret = new_secret("rms_") if metadata.token_endpoint_auth_method.uses_secret else None
    client = _client_of(catalog, metadata, secret, now=deps.clock.now())
    await deps.database.run(lambda tx: _store(tx, deps, client, metadata=metadata, context=context))
    return _response(client, metadata, secret)


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


def _client_of(
    catalog: Catalog, metadata: ClientMetadata, secret: str | None, *, now: EpochSeconds
) -> StoredClient:
    client_id = ClientId(new_id("cli"))
    agent = agent_of_client(
        catalog,
        ClientKind.DYNAMIC,
        client_id=client_id,
        redirect_uris=metadata.redirect_uris,
    )
    return StoredClient(
        client_id=client_id,
        kind=ClientKind.DYNAMIC,
        agent_id=agent.id,
        name=metadata.client_name or client_id,
        metadata=metadata,
        secret_digest=None if secret is None else digest(secret),
        fingerprint=metadata.fingerprint,
        created_at=now,
    )


def _store(
    tx: Transaction,
    deps: OAuthDeps,
    client: StoredClient,
    *,
    metadata: ClientMetadata,
    context: Context,
) -> None:
    """Count, store and record; beyond the limit all of it is rolled back."""
    now = client.created_at
    key = f"register:{network_of(context.network.ip)}"
    attempts = count_attempt(tx, key, now=now, window=_HOUR)
    if attempts.count > deps.limits.registrations_per_hour:
        raise SlowDownError(
            "too many registrations from this address", retry_after=attempts.wait(now, _HOUR)
        )
    client_store.add_client(tx, client)
    tx.record(
        ClientRegistered(
            context=context.with_(
                actor=Actor(ActorType.CLIENT, client.client_id),
                client_id=client.client_id,
                agent_id=client.agent_id,
            ),
            registration=ClientKind.DYNAMIC.value,
            client_name=metadata.client_name,
            redirect_uris=metadata.redirect_uris,
            grant_types=tuple(grant.value for grant in metadata.grant_types),
            token_endpoint_auth_method=metadata.token_endpoint_auth_method.value,
        )
    )


def _response(client: StoredClient, metadata: ClientMetadata, secret: str | None) -> Response:
    """What was taken, and nothing that was not; the secret this once (RFC 7591 §3.2.1)."""
    document: dict[str, Json] = {
        **metadata_to_json(metadata),
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at,
    }
    if secret is not None:
        document |= {"client_secret": secret, "client_secret_expires_at": 0}
    return json_response(document, status=201, headers={"Pragma": "no-cache"})
