"""The SQL of authorization requests that wait for a person, and of consents that are remembered.

A request is finished in one `UPDATE … RETURNING`: of two answers, one counts.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    not_,
    select,
    update,
)

from remit.canonical import canonical_text
from remit.clock import EpochSeconds
from remit.db import Prepared, Transaction, conflict_insert, metadata
from remit.ids import ClientId, ScopeName, UserId
from remit.oauth.pending_request import PendingRequest

__all__ = [
    "Consent",
    "add_request",
    "authorization_requests",
    "consents",
    "consents_of",
    "find_consent",
    "find_request",
    "finish_request",
    "forget_consent",
    "forget_consents_of_client",
    "purge_expired_requests",
    "remember_consent",
    "take_expired_requests",
]

authorization_requests = Table(
    "authorization_requests",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("browser_digest", Text, nullable=False, index=True),
    Column("parameters", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("finished_at", BigInteger),
)

consents = Table(
    "consents",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("client_id", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("scopes", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("granted_at", BigInteger, nullable=False),
)

_RECORDED = 1_000
# Of people who were logged in. As canonical JSON has it; within a text the quotes would be escaped.
_UNANSWERED = and_(
    authorization_requests.c.finished_at.is_(None),
    not_(authorization_requests.c.parameters.contains('"session_id":null')),
)

# Built once: these run whenever a code is asked for.
_OF_BROWSER = (
    authorization_requests.c.browser_digest == bindparam("browser"),
    authorization_requests.c.finished_at.is_(None),
)
_ADD_REQUEST = Prepared(
    insert(authorization_requests),
    columns=("digest", "browser_digest", "parameters", "created_at", "expires_at"),
)
_DROP_OLDEST = Prepared(
    delete(authorization_requests).where(
        *_OF_BROWSER,
        authorization_requests.c.digest.not_in(
            select(authorization_requests.c.digest)
            .where(*_OF_BROWSER)
            .order_by(authorization_requests.c.created_at.desc())
            .limit(bindparam("kept"))
        ),
    )
)
_WAITING = (
    authorization_requests.c.digest == bindparam("wanted"),
    authorization_requests.c.finished_at.is_(None),
    authorization_requests.c.expires_at > bindparam("now"),
)
_FIND_REQUEST = Prepared(select(authorization_requests).where(*_WAITING))
_FINISH_REQUEST = Prepared(
    update(authorization_requests)
    .where(*_WAITING)
    .values(finished_at=bindparam("now"))
    .returning(authorization_requests.c.digest)
)
_FIND_CONSENT = Prepared(
    select(consents).where(
        consents.c.user_id == bindparam("user"),
        consents.c.client_id == bindparam("client"),
        consents.c.resource == bindparam("server"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person last allowed a client on a server; `fingerprint`: what it, and its agent, was then."""

    user_id: UserId
    client_id: ClientId
    resource: str
    scopes: tuple[ScopeName, ...]
    fingerprint: str
    granted_at: EpochSeconds


def add_request(tx: Transaction, request: PendingRequest, *, per_browser: int) -> None:
    """Store a request that waits; of its browser, the newest `per_browser` wait on."""
    _DROP_OLDEST.run(tx, browser=request.browser_digest, kept=per_browser - 1)
    _ADD_REQUEST.run(
        tx,
        digest=request.digest,
        browser_digest=request.browser_digest,
        parameters=canonical_text(
            {
                "query": request.query,
                "redirect_uri": request.redirect_uri,
                "session_id": request.session_id,
            }
        ),
        created_at=request.created_at,
        expires_at=request.expires_at,
    )


def find_request(
    tx: Transaction, request_digest: str, *, now: EpochSeconds
) -> PendingRequest | None:
    """The request of that digest, if it still waits at `now`."""
    row = _FIND_REQUEST.one_or_none(tx, wanted=request_digest, now=now)
    return None if row is None else _request(row)


def finish_request(tx: Transaction, request_digest: str, *, now: EpochSeconds) -> bool:
    """Answer the request, once: `False` if it was answered before, has expired, or never was."""
    row = _FINISH_REQUEST.one_or_none(tx, wanted=request_digest, now=now)
    return row is not None


def take_expired_requests(tx: Transaction, *, before: EpochSeconds) -> tuple[PendingRequest, ...]:
    """Delete some of those of people who were logged in that expired before that without an answer; which, the oldest first.

    As many as one purge can record; the others stay for the next.
    """
    table = authorization_requests
    rows = tx.connection.execute(
        select(table)
        .where(table.c.expires_at < before, _UNANSWERED)
        .order_by(table.c.expires_at)
        .limit(_RECORDED)
    )
    taken = tuple(_request(row) for row in rows)
    tx.connection.execute(delete(table).where(table.c.digest.in_([one.digest for one in taken])))
    return taken


def purge_expired_requests(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete requests that expired before that, but those that `take_expired_requests` is there for; how many."""
    table = authorization_requests
    expired = delete(table).where(table.c.expires_at < before, not_(_UNANSWERED))
    return tx.connection.execute(expired).rowcount


def find_consent(
    tx: Transaction, *, user_id: UserId, client_id: ClientId, resource: str
) -> Consent | None:
    """What that person last allowed that client on that server."""
    row = _FIND_CONSENT.one_or_none(tx, user=user_id, client=client_id, server=resource)
    return None if row is None else _consent(row)


def consents_of(tx: Transaction, user_id: UserId) -> tuple[Consent, ...]:
    """Everything that person allowed and that is remembered, newest first."""
    rows = tx.connection.execute(
        select(consents)
        .where(consents.c.user_id == user_id)
        .order_by(consents.c.granted_at.desc(), consents.c.client_id, consents.c.resource)
    )
    return tuple(_consent(row) for row in rows)


def remember_consent(tx: Transaction, consent: Consent) -> None:
    """Keep `consent` in the place of what that person allowed that client on that server before."""
    said = {
        "scopes": canonical_text(list(consent.scopes)),
        "fingerprint": consent.fingerprint,
        "granted_at": consent.granted_at,
    }
    statement = conflict_insert(tx, consents).values(
        user_id=consent.user_id, client_id=consent.client_id, resource=consent.resource, **said
    )
    tx.connection.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "client_id", "resource"], set_=said
        )
    )


def forget_consent(tx: Transaction, *, user_id: UserId, client_id: ClientId, resource: str) -> None:
    """Forget what that person allowed that client on that server, so that it is asked again."""
    tx.connection.execute(
        delete(consents).where(
            consents.c.user_id == user_id,
            consents.c.client_id == client_id,
            consents.c.resource == resource,
        )
    )


def forget_consents_of_client(tx: Transaction, client_id: ClientId) -> None:
    """Forget what anybody allowed that client, which is gone."""
    tx.connection.execute(delete(consents).where(consents.c.client_id == client_id))


def _request(row: Any) -> PendingRequest:
    parameters = orjson.loads(row.parameters)
    return PendingRequest(
        digest=row.digest,
        browser_digest=row.browser_digest,
        query=parameters["query"],
        redirect_uri=parameters["redirect_uri"],
        session_id=parameters["session_id"],
        created_at=EpochSeconds(row.created_at),
        expires_at=EpochSeconds(row.expires_at),
    )


def _consent(row: Any) -> Consent:
    return Consent(
        user_id=UserId(row.user_id),
        client_id=ClientId(row.client_id),
        resource=row.resource,
        scopes=tuple(ScopeName(scope) for scope in orjson.loads(row.scopes)),
        fingerprint=row.fingerprint,
        granted_at=EpochSeconds(row.granted_at),
    )
