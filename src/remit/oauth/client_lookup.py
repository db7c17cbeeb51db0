"""Which client an identifier names: static, then metadata document, then dynamic.

Refuses silently (`None`) what is unknown, disabled, rejected or past its lifetime. One that
waits for approval is known to the authorization endpoint alone, which says so to the person.
A metadata document is fetched only there, too: nobody can make the token endpoint open a
connection to a host of their choice. What its host is admitted to holds as the repository
in force says.

Source: O21 §2.2; CIMD §3, §5; MCP 2026-07-28 client registration.
"""

import contextlib
from collections.abc import Iterator

from remit.audit.context import Context
from remit.ids import ClientId
from remit.model import Catalog, ClientBounds, ClientKind, StaticClient
from remit.oauth import client_store
from remit.oauth.client import (
    AuthMethod,
    Client,
    ClientStatus,
    GrantType,
    fingerprint_of,
)
from remit.oauth.client_id_metadata import (
    fetch_client,
    is_client_id_url,
    status_under,
    terms_of_client_id,
)
from remit.oauth.client_removal import has_ended
from remit.oauth.client_store import StoredClient
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidClientError
from remit.registry import agent_of_client

__all__ = ["client_of_row", "find_client", "known_client", "static_client", "static_clients"]


async def find_client(
    deps: OAuthDeps, client_id: str, *, context: Context | None = None
) -> Client | None:
    """The client for an authorization request; a metadata document is fetched when it is not fresh.

    `context` is what the events of a fetch say of the circumstances.

    Raises:
        InvalidClientError: the metadata document cannot be had or may not be used; `detail` says why.
        SlowDownError: it was asked for too often of late.
    """
    catalog = deps.directory.catalog
    row = await deps.database.glance(lambda tx: client_store.select_client(tx, client_id))
    if row is not None and row.disabled_at is not None:
        return None
    if (static := static_client(catalog, client_id)) is not None:
        return static
    if is_client_id_url(client_id) and (row is None or row.status is not ClientStatus.REJECTED):
        terms = terms_of_client_id(catalog, client_id)
        if row is None or _is_stale(row, deps) or status_under(row, terms) is not row.status:
            row = await fetch_client(deps, client_id, known=row, context=context or Context())
    return None if row is None else _client_in_force(deps, row)


async def known_client(deps: OAuthDeps, client_id: str) -> Client | None:
    """The client for a token-like request: as `find_client`, but from what is already stored."""
    catalog = deps.directory.catalog
    row = await deps.database.glance(lambda tx: client_store.select_client(tx, client_id))
    if row is not None and row.disabled_at is not None:
        return None
    if (static := static_client(catalog, client_id)) is not None:
        return static
    client = None if row is None else _client_in_force(deps, row)
    return client if client is not None and client.status is ClientStatus.ADMITTED else None


def static_client(catalog: Catalog, client_id: str) -> Client | None:
    """The client that the policy repository declares under that identifier."""
    for declared in _declarations(catalog):
        if declared.client_id == client_id:
            return _of_declaration(catalog, declared)
    return None


def static_clients(catalog: Catalog) -> tuple[Client, ...]:
    """Every client that the policy repository declares."""
    return tuple(_of_declaration(catalog, declared) for declared in _declarations(catalog))


def client_of_row(catalog: Catalog, row: StoredClient) -> Client | None:
    """The client of a row; `None` for a static one that the repository no longer declares.

    The terms of a metadata document are those of the repository in force; one whose host
    is not admitted is shown as it was stored.
    """
    metadata = row.metadata
    if metadata is None:
        return None
    owner, bounds, status = row.owner, row.bounds, row.status
    if row.kind is ClientKind.METADATA_DOCUMENT:
        with contextlib.suppress(InvalidClientError):
            terms = terms_of_client_id(catalog, row.client_id)
            owner, bounds = terms.owner, ClientBounds(environment=terms.environment)
            status = status_under(row, terms)
    agent = agent_of_client(
        catalog, row.kind, client_id=row.client_id, redirect_uris=metadata.redirect_uris
    )
    return Client(
        client_id=row.client_id,
        kind=row.kind,
        agent_id=agent.id,
        name=row.name,
        redirect_uris=metadata.redirect_uris,
        grant_types=metadata.grant_types,
        token_endpoint_auth_method=metadata.token_endpoint_auth_method,
        fingerprint=row.fingerprint,
        secret_digest=row.secret_digest,
        jwks=metadata.jwks,
        jwks_uri=metadata.jwks_uri,
        client_uri=metadata.client_uri,
        logo_uri=metadata.logo_uri,
        tos_uri=metadata.tos_uri,
        policy_uri=metadata.policy_uri,
        dpop_bound_access_tokens=metadata.dpop_bound_access_tokens,
        status=status,
        owner=owner,
        bounds=bounds,
        expires_at=row.expires_at,
    )


def _is_stale(row: StoredClient, deps: OAuthDeps) -> bool:
    return row.fresh_until is None or row.fresh_until <= deps.clock.now()


def _client_in_force(deps: OAuthDeps, row: StoredClient) -> Client | None:
    """The client of `row`, unless it may not act at all, now."""
    catalog = deps.directory.catalog
    if row.disabled_at is not None or has_ended(row, deps.clock.now()):
        return None
    if row.kind is ClientKind.METADATA_DOCUMENT:
        try:
            terms_of_client_id(catalog, row.client_id)
        except InvalidClientError:
            return None
    client = client_of_row(catalog, row)
    return None if client is None or client.status is ClientStatus.REJECTED else client


def _declarations(catalog: Catalog) -> Iterator[StaticClient]:
    for agent in catalog.agents.values():
        yield from agent.clients.static


def _of_declaration(catalog: Catalog, declared: StaticClient) -> Client:
    agent = agent_of_client(catalog, ClientKind.STATIC, client_id=declared.client_id)
    method = _method_of_declaration(declared)
    return Client(
        client_id=ClientId(declared.client_id),
        kind=ClientKind.STATIC,
        agent_id=agent.id,
        name=declared.name,
        redirect_uris=declared.redirect_uris,
        grant_types=tuple(GrantType(grant) for grant in declared.grant_types),
        token_endpoint_auth_method=method,
        fingerprint=fingerprint_of(
            declared.name,
            declared.redirect_uris,
            token_endpoint_auth_method=method.value,
            jwks=declared.jwks,
            jwks_uri=declared.jwks_uri,
        ),
        secret_reference=declared.secret,
        jwks=declared.jwks,
        jwks_uri=declared.jwks_uri,
        dpop_bound_access_tokens=declared.dpop_bound_access_tokens,
    )


def _method_of_declaration(declared: StaticClient) -> AuthMethod:
    """What a static client was given is what it proves itself with; keys before a secret."""
    if declared.jwks is not None or declared.jwks_uri is not None:
        return AuthMethod.PRIVATE_KEY_JWT
    return AuthMethod.NONE if declared.secret is None else AuthMethod.CLIENT_SECRET_BASIC
