"""Clients that are a URL: the document at that URL says what the client is.

Decides which URLs may be a client identifier, and whether the document found there
may be believed: it must name the URL, byte for byte, and say nothing that only a
secret could back. Refused documents are never kept; a host that is asked in vain
is left alone for a while.

Source: CIMD §3, §4, §5, §8.4 to §8.9; MCP R26 client ID metadata documents.
"""

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from remit.audit.context import Context
from remit.audit.events import ClientMetadataFetched, ClientRegistered, ClientUpdated
from remit.canonical import MalformedJsonError, parse_object
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.db.throttle import Attempts, count_attempt, network_of
from remit.ids import AgentId, ClientId
from remit.model import Catalog, ClientKind
from remit.oauth import client_store
from remit.oauth.client_metadata import ClientMetadata, metadata_to_json, parse_document
from remit.oauth.client_store import StoredClient
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import (
    InvalidClientError,
    InvalidClientMetadataError,
    InvalidRedirectUriError,
    SlowDownError,
)
from remit.registry import agent_of_client
from remit.web.fetch import Document, FetchFailedError, FetchRefusedError

__all__ = ["check_client_id_url", "fetch_client", "is_client_id_url"]

_MIN_FRESH = Seconds(60)
_DEFAULT_FRESH = Seconds(3_600)
_MAX_FRESH = Seconds(86_400)
_PATIENCE = Seconds(60)
_SAME_URL = 3
_UNKNOWN_PER_HOST = 20
_UNKNOWN_PER_PEER = 20
"""How often, within `_PATIENCE`, one URL is asked; and, for URLs not known yet, one host, and for one peer."""

_MAX_LENGTH = 1024
_URL = re.compile(
    r"https://(?P<host>(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9\-]{0,61}[a-z0-9])"
    r"(?P<port>:[1-9][0-9]{0,4})?(?P<path>/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*)"
)
_DOT_SEGMENT = re.compile(r"/(?:\.|%2[eE]){1,2}(?:/|$)")


@dataclass(frozen=True, slots=True)
class _Found:
    """A document that was believed: what it says, its digest, and until when."""

    metadata: ClientMetadata
    digest: str
    fresh_until: EpochSeconds


def is_client_id_url(client_id: str) -> bool:
    """Whether `client_id` means to be a document; identifiers that Remit makes never look so (AS-51)."""
    return client_id.startswith("https://")


def check_client_id_url(client_id: str) -> str:
    """The host that vouches for `client_id`, which is compared and never rewritten (CIMD §3).

    A query is refused, though the standard only advises against it: two spellings of
    one document would be two clients.

    Raises:
        InvalidClientError: it is not such a URL.
    """
    match = _URL.fullmatch(client_id) if len(client_id) <= _MAX_LENGTH else None
    if match is None or match["path"] == "/" or _DOT_SEGMENT.search(match["path"]):
        raise InvalidClientError(
            "the client_id is not an https URL with a host name, a path, and nothing else"
        )
    return match["host"]


async def fetch_client(
    deps: OAuthDeps, client_id: str, *, known: StoredClient | None, context: Context
) -> StoredClient:
    """The client that the document at `client_id` describes now, stored and recorded.

    Raises:
        InvalidClientError: the document cannot be had or may not be believed.
        SlowDownError: it was asked for too often of late.
    """
    await _refuse_if_too_often(deps, client_id, known=known, context=context)
    context = context.with_(client_id=client_id)
    catalog = deps.directory.catalog
    try:
        document = await deps.fetch(client_id)
        found = _believe(document, client_id, catalog=catalog, now=deps.clock.now())
    except (FetchFailedError, FetchRefusedError, InvalidClientMetadataError) as error:
        outcome = "failed" if isinstance(error, FetchFailedError) else "refused"
        await deps.audit.append(ClientMetadataFetched(context=context, outcome=outcome))
        raise InvalidClientError(
            f"the client's metadata document cannot be used: {error.detail}", cause=error
        ) from error
    agent = agent_of_client(
        catalog,
        ClientKind.METADATA_DOCUMENT,
        client_id=client_id,
        redirect_uris=found.metadata.redirect_uris,
    )
    now = deps.clock.now()
    return await deps.database.run(
        lambda tx: _store(tx, client_id, found, agent_id=agent.id, now=now, context=context)
    )


async def _refuse_if_too_often(
    deps: OAuthDeps, client_id: str, *, known: StoredClient | None, context: Context
) -> None:
    """Count this attempt, and refuse it if there were too many: we are nobody's hammer.

    Raises:
        SlowDownError: for this URL, this host or this peer.
    """
    limits = {f"document:{hashlib.sha256(client_id.encode()).hexdigest()}": _SAME_URL}
    if known is None:
        limits[f"document-host:{urlsplit(client_id).netloc}"] = _UNKNOWN_PER_HOST
        limits[f"document-peer:{network_of(context.network.ip)}"] = _UNKNOWN_PER_PEER
    now = deps.clock.now()

    def count(tx: Transaction) -> Attempts | None:
        for key, limit in limits.items():
            attempts = count_attempt(tx, key, now=now, window=_PATIENCE)
            if attempts.count > limit:
                return attempts
        return None

    excess = await deps.database.run(count)
    if excess is not None:
        raise SlowDownError(
            "client metadata documents were asked for too often; try again later",
            retry_after=excess.wait(now, _PATIENCE),
        )


def _believe(document: Document, client_id: str, *, catalog: Catalog, now: EpochSeconds) -> _Found:
    """What the document says, if it says it of this very URL.

    Raises:
        InvalidClientMetadataError: it is not JSON, speaks of another URL, or is not acceptable.
    """
    try:
        content = parse_object(document.body)
    except MalformedJsonError as error:
        raise InvalidClientMetadataError(f"it is not JSON: {error.detail}", cause=error) from error
    if content.get("client_id") != client_id:
        raise InvalidClientMetadataError("its `client_id` is not the URL it was found at")
    try:
        metadata = parse_document(content, schemes=catalog.registration.redirect_uri_schemes)
    except InvalidRedirectUriError as error:
        raise InvalidClientMetadataError(error.detail, cause=error) from error
    fresh_for = _DEFAULT_FRESH if document.fresh_for is None else document.fresh_for
    return _Found(
        metadata=metadata,
        digest=hashlib.sha256(document.body).hexdigest(),
        fresh_until=EpochSeconds(now + min(max(fresh_for, _MIN_FRESH), _MAX_FRESH)),
    )


def _store(
    tx: Transaction,
    client_id: str,
    found: _Found,
    *,
    agent_id: AgentId,
    now: EpochSeconds,
    context: Context,
) -> StoredClient:
    before = client_store.select_client(tx, client_id)
    client = StoredClient(
        client_id=ClientId(client_id),
        kind=ClientKind.METADATA_DOCUMENT,
        agent_id=agent_id,
        name=found.metadata.client_name,
        metadata=found.metadata,
        secret_digest=None,
        fingerprint=found.metadata.fingerprint,
        created_at=now if before is None else before.created_at,
        last_used_at=None if before is None else before.last_used_at,
        disabled_at=None if before is None else before.disabled_at,
        fresh_until=found.fresh_until,
    )
    client_store.put_document(tx, client)
    context = context.with_(agent_id=agent_id)
    tx.record(ClientMetadataFetched(context=context, outcome="ok", document_digest=found.digest))
    if before is None or before.metadata is None:
        tx.record(_registered(found.metadata, context))
    elif before.metadata != found.metadata:
        changed = _changed(before.metadata, found.metadata)
        tx.record(ClientUpdated(context=context, changed=changed))
    return client


def _registered(metadata: ClientMetadata, context: Context) -> ClientRegistered:
    return ClientRegistered(
        context=context,
        registration=ClientKind.METADATA_DOCUMENT.value,
        client_name=metadata.client_name,
        redirect_uris=metadata.redirect_uris,
        grant_types=tuple(grant.value for grant in metadata.grant_types),
        token_endpoint_auth_method=metadata.token_endpoint_auth_method.value,
    )


def _changed(before: ClientMetadata, after: ClientMetadata) -> tuple[str, ...]:
    old, new = metadata_to_json(before), metadata_to_json(after)
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))
