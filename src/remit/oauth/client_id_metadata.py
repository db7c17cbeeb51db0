"""Clients that are a URL: the document at that URL says what the client is.

Decides which URLs may be a client identifier, on which terms their host vouches for them,
and whether the document found there may be believed: it must name the URL, byte for byte,
and say nothing that only a secret could back. Refused documents are never kept; a host that
is asked in vain is left alone for a while. When redirect URIs or keys change, every grant of
the client ends, and a client that had to be approved has to be again.

Source: CIMD §3, §4, §5, §8.4 to §8.9; MCP R26 client ID metadata documents; AS-45, AS-50.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from remit.audit.context import Context
from remit.audit.events import (
    ClientMetadataFetched,
    ClientQueued,
    ClientRegistered,
    ClientUpdated,
)
from remit.canonical import MalformedJsonError, parse_object
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.db.throttle import Attempts, count_attempt, network_of
from remit.ids import AgentId, ClientId
from remit.model import Admission, Catalog, ClientBounds, ClientKind
from remit.oauth import client_store
from remit.oauth.admission import Terms, terms_of_document
from remit.oauth.client import ClientStatus
from remit.oauth.client_approval import refuse_if_queue_is_full
from remit.oauth.client_metadata import ClientMetadata, metadata_to_json, parse_document
from remit.oauth.client_store import StoredClient
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import (
    InvalidClientError,
    InvalidClientMetadataError,
    InvalidRedirectUriError,
    SlowDownError,
)
from remit.oauth.grant import GrantFilter
from remit.oauth.grant_revocation import revoke_grants
from remit.registry import agent_of_client
from remit.web.fetch import Document, FetchFailedError, FetchRefusedError

__all__ = [
    "check_client_id_url",
    "fetch_client",
    "is_client_id_url",
    "status_under",
    "terms_of_client_id",
]

_MIN_FRESH = Seconds(60)
_DEFAULT_FRESH = Seconds(3_600)
_PATIENCE = Seconds(60)
_SAME_URL = 3
_UNKNOWN_PER_HOST = 20
_UNKNOWN_PER_PEER = 20
_PER_PEER = 120
"""How often, within `_PATIENCE`, one URL is asked; for URLs not known yet, one host, and for one peer; and
for one peer altogether."""

_GRANTS_END = "client_changed"

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


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A document that was believed, at its URL, of an agent, on terms."""

    client_id: str
    found: _Found
    agent_id: AgentId
    terms: Terms


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


def terms_of_client_id(catalog: Catalog, client_id: str) -> Terms:
    """The terms on which the repository in force takes the document at `client_id` (CIMD §8.9).

    Raises:
        InvalidClientError: it is no such URL, or not taken.
    """
    host = check_client_id_url(client_id)
    terms = terms_of_document(catalog.registration, host)
    if terms.admission is Admission.REFUSE:
        raise InvalidClientError(f"client metadata documents on `{host}` are not admitted here")
    return terms


def status_under(row: StoredClient, terms: Terms) -> ClientStatus:
    """Whether the client of `row` may act, now that `terms` hold."""
    if row.status is ClientStatus.REJECTED:
        return ClientStatus.REJECTED
    if terms.admission is Admission.ADMIT:
        return ClientStatus.ADMITTED
    is_approved = row.status is ClientStatus.ADMITTED and row.decided_at is not None
    return ClientStatus.ADMITTED if is_approved else ClientStatus.PENDING


async def fetch_client(
    deps: OAuthDeps, client_id: str, *, known: StoredClient | None, context: Context
) -> StoredClient:
    """The client that the document at `client_id` describes now, stored and recorded.

    Raises:
        InvalidClientError: the document cannot be had, or may not be taken or believed.
        SlowDownError: it was asked for too often of late, or too many clients wait already.
    """
    catalog = deps.directory.catalog
    terms = terms_of_client_id(catalog, client_id)
    await _refuse_if_too_often(deps, client_id, known=known, context=context)
    context = context.with_(client_id=client_id)
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
    arrival = _Arrival(client_id, found, agent.id, terms)
    client, ended = await deps.database.run(
        lambda tx: _store(tx, arrival, now=now, context=context.with_(agent_id=agent.id))
    )
    if ended:
        await deps.publish()
    return client


async def _refuse_if_too_often(
    deps: OAuthDeps, client_id: str, *, known: StoredClient | None, context: Context
) -> None:
    """Count this attempt, and refuse it if there were too many: we are nobody's hammer.

    Raises:
        SlowDownError: for this URL, this host or this peer.
    """
    network = network_of(context.network.ip)
    limits = {
        f"document:{hashlib.sha256(client_id.encode()).hexdigest()}": _SAME_URL,
        f"document-network:{network}": _PER_PEER,
    }
    if known is None:
        limits[f"document-host:{urlsplit(client_id).netloc}"] = _UNKNOWN_PER_HOST
        limits[f"document-peer:{network}"] = _UNKNOWN_PER_PEER
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
    terms = terms_of_client_id(catalog, client_id)
    grants = tuple(one for one in metadata.grant_types if one in terms.grant_types)
    fresh_for = _DEFAULT_FRESH if document.fresh_for is None else document.fresh_for
    return _Found(
        metadata=replace(metadata, grant_types=grants),
        digest=hashlib.sha256(document.body).hexdigest(),
        fresh_until=EpochSeconds(now + min(max(fresh_for, _MIN_FRESH), terms.max_fresh)),
    )


def _store(
    tx: Transaction, arrival: _Arrival, *, now: EpochSeconds, context: Context
) -> tuple[StoredClient, bool]:
    """The client as it stands now, and whether grants of it ended."""
    found, metadata = arrival.found, arrival.found.metadata
    before = client_store.select_client(tx, arrival.client_id)
    client = _stored(before, arrival, now=now)
    is_queued = client.status is ClientStatus.PENDING and client.queued_at == now
    if is_queued:
        network = network_of(context.network.ip)
        refuse_if_queue_is_full(tx, network=network)
        client = replace(client, queued_from=network)
    client_store.put_document(tx, client)
    tx.record(ClientMetadataFetched(context=context, outcome="ok", document_digest=found.digest))
    if before is not None and before.metadata is not None and before.metadata != metadata:
        changed = _changed(before.metadata, metadata)
        tx.record(ClientUpdated(context=context, changed=changed))
    if is_queued:
        tx.record(_queued(client, metadata, context))
    elif before is None or before.metadata is None or _is_let_in(before, client):
        tx.record(_registered(client, metadata, context))
    if not (is_queued or _is_rebound(before, metadata)):
        return client, False
    # CIMD §8.4: nobody said yes to a client whose codes go elsewhere, or that others can prove to be.
    wanted = GrantFilter(client_id=client.client_id)
    return client, bool(revoke_grants(tx, wanted, reason=_GRANTS_END, at=now, context=context))


def _stored(before: StoredClient | None, arrival: _Arrival, *, now: EpochSeconds) -> StoredClient:
    """The row of the client; what it was used for, and what was decided about it, stays."""
    metadata, terms = arrival.found.metadata, arrival.terms
    fresh = StoredClient(
        client_id=ClientId(arrival.client_id),
        kind=ClientKind.METADATA_DOCUMENT,
        agent_id=arrival.agent_id,
        name=metadata.client_name,
        metadata=metadata,
        secret_digest=None,
        fingerprint=metadata.fingerprint,
        created_at=now,
        fresh_until=arrival.found.fresh_until,
        rule=terms.rule,
        owner=terms.owner,
        bounds=ClientBounds(environment=terms.environment),
    )
    if before is None:
        waits = terms.admission is Admission.APPROVE
        return _waiting(fresh, now) if waits else fresh
    client = replace(
        fresh,
        created_at=before.created_at,
        last_used_at=before.last_used_at,
        disabled_at=before.disabled_at,
        status=before.status,
        queued_at=before.queued_at,
        queued_from=before.queued_from,
        decided_at=before.decided_at,
        decided_by=before.decided_by,
    )
    status = status_under(before, terms)
    was_approved = before.decided_at is not None and status is ClientStatus.ADMITTED
    if was_approved and terms.admission is Admission.APPROVE and _is_rebound(before, metadata):
        return _waiting(client, now)
    if status is ClientStatus.PENDING and before.status is not ClientStatus.PENDING:
        return _waiting(client, now)
    return replace(client, status=status)


def _waiting(client: StoredClient, now: EpochSeconds) -> StoredClient:
    return replace(
        client, status=ClientStatus.PENDING, queued_at=now, decided_at=None, decided_by=None
    )


def _is_rebound(before: StoredClient | None, metadata: ClientMetadata) -> bool:
    """Whether redirect URIs or keys are others than before."""
    known = None if before is None else before.metadata
    return known is not None and known.binding != metadata.binding


def _is_let_in(before: StoredClient, after: StoredClient) -> bool:
    return before.status is ClientStatus.PENDING and after.status is ClientStatus.ADMITTED


def _queued(client: StoredClient, metadata: ClientMetadata, context: Context) -> ClientQueued:
    return ClientQueued(
        context=context,
        registration=ClientKind.METADATA_DOCUMENT.value,
        client_name=metadata.client_name,
        redirect_uris=metadata.redirect_uris,
        rule=client.rule,
        owner=client.owner,
        environment=client.bounds.environment,
    )


def _registered(
    client: StoredClient, metadata: ClientMetadata, context: Context
) -> ClientRegistered:
    return ClientRegistered(
        context=context,
        registration=ClientKind.METADATA_DOCUMENT.value,
        client_name=metadata.client_name,
        redirect_uris=metadata.redirect_uris,
        grant_types=tuple(grant.value for grant in metadata.grant_types),
        token_endpoint_auth_method=metadata.token_endpoint_auth_method.value,
        rule=client.rule,
        owner=client.owner,
        environment=client.bounds.environment,
    )


def _changed(before: ClientMetadata, after: ClientMetadata) -> tuple[str, ...]:
    old, new = metadata_to_json(before), metadata_to_json(after)
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))
