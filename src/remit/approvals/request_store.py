"""The SQL of requests to people. What is sealed in a row goes when the request ends; the row itself later."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    Table,
    Text,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    tuple_,
    update,
)

from remit.approvals.answer_store import answers_of, forget_answers
from remit.approvals.part_json import parts_json, read_parts
from remit.approvals.request import ACCESS, About, Request, RequestState
from remit.canonical import canonical_text, parse_json
from remit.clock import EpochSeconds, Seconds
from remit.db import Prepared, Transaction, conflict_insert, metadata
from remit.ids import AgentId, ClientId, GrantId, ServerName, TenantId, UserId
from remit.model import Environment
from remit.policy.evaluation import ResourceKind

__all__ = [
    "RequestFilter",
    "StoredRequest",
    "add_request",
    "approvals",
    "count_waiting",
    "due_requests",
    "end_request",
    "escalating_requests",
    "find_request",
    "lock_request",
    "mark_escalated",
    "mark_opened",
    "move_request",
    "note_asked",
    "purge_requests",
    "refused_about",
    "request_about",
    "select_requests",
    "waiting_of_client",
]

_WAITING = RequestState.WAITING.value
_NO = (RequestState.REFUSED.value, RequestState.WITHDRAWN.value)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("user_id", Text),
    Column("agent_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("grant_id", Text, nullable=False, index=True),
    Column("server", Text, nullable=False),
    Column("thing_kind", Text, nullable=False),
    Column("thing", Text, nullable=False),
    Column("definition", Text),
    Column("environment", Text),
    Column("parts", Text, nullable=False),
    Column("actors", Text, nullable=False),
    Column("held", Text),
    Column("sealed", Text),
    Column("decision_id", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("expires_at", BigInteger, nullable=False),
    Column("holds", BigInteger, nullable=False),
    Column("escalates_at", BigInteger),
    Column("escalated_at", BigInteger),
    Column("reason", Text),
)
Index(
    "ux_approvals_waiting",
    approvals.c.digest,
    approvals.c.grant_id,
    unique=True,
    sqlite_where=approvals.c.state == _WAITING,
    postgresql_where=approvals.c.state == _WAITING,
)
Index("ix_approvals_tenant_state", approvals.c.tenant, approvals.c.state, approvals.c.created_at)
Index("ix_approvals_user_id", approvals.c.user_id, approvals.c.state)
Index("ix_approvals_state", approvals.c.state, approvals.c.expires_at)

_ABOUT = Prepared(
    select(approvals)
    .where(
        approvals.c.digest == bindparam("wanted_digest"),
        approvals.c.grant_id == bindparam("wanted_grant"),
    )
    .order_by(approvals.c.created_at.desc(), approvals.c.id.desc())
    .limit(literal_column("1"))
)


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request, and what of it is sealed; `None` once it has ended."""

    request: Request
    sealed: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """Which are meant: those that match everything given. Empty means all."""

    tenant: TenantId | None = None
    state: RequestState | None = None
    user_id: UserId | None = None
    grant_id: GrantId | None = None
    agent_id: AgentId | None = None
    since: EpochSeconds | None = None
    before: tuple[EpochSeconds, str] | None = None
    """Only what is older than the one made then, of that id."""
    after: tuple[EpochSeconds, str] | None = None
    """Only what is younger."""
    oldest_first: bool = False
    limit: int = 100


def add_request(tx: Transaction, request: Request, *, sealed: str) -> bool:
    """Store a new one; `False` when the same call waits already, whoever was first."""
    values = {
        "id": request.id,
        "state": request.state.value,
        "digest": request.digest,
        "tenant": request.tenant,
        "user_id": request.user_id,
        "agent_id": request.agent_id,
        "client_id": request.client_id,
        "grant_id": request.grant_id,
        "server": request.server,
        "thing_kind": ACCESS if request.kind is None else request.kind.value,
        "thing": request.thing,
        "definition": request.definition,
        "environment": request.environment,
        "parts": canonical_text(parts_json(request.parts)),
        "actors": canonical_text(list(request.actors)),
        "held": request.held,
        "sealed": sealed,
        "decision_id": request.decision_id,
        "policy_version": request.policy_version,
        "asked": request.asked,
        "created_at": request.created_at,
        "expires_at": request.expires_at,
        "escalates_at": request.escalates_after(request.created_at),
        "holds": request.holds,
    }
    added = conflict_insert(tx, approvals).values(values).on_conflict_do_nothing()
    return tx.connection.execute(added.returning(approvals.c.id)).one_or_none() is not None


def find_request(tx: Transaction, request_id: str) -> StoredRequest | None:
    """The one of that id, with what was answered."""
    row = tx.connection.execute(select(approvals).where(approvals.c.id == request_id)).one_or_none()
    return None if row is None else _with_answers(tx, [row])[0]


def lock_request(tx: Transaction, request_id: str) -> StoredRequest | None:
    """As `find_request`; whoever else answers it waits until `tx` ends."""
    asked = select(approvals).where(approvals.c.id == request_id).with_for_update()
    row = tx.connection.execute(asked).one_or_none()
    return None if row is None else _with_answers(tx, [row])[0]


def request_about(tx: Transaction, digest: str, grant_id: GrantId) -> StoredRequest | None:
    """The latest request about the call of that digest under that grant."""
    row = _ABOUT.one_or_none(tx, wanted_digest=digest, wanted_grant=grant_id)
    return None if row is None else _with_answers(tx, [row])[0]


def refused_about(
    tx: Transaction, digest: str, tenant: TenantId, *, now: EpochSeconds
) -> StoredRequest | None:
    """The latest request about the call of that digest, under whatever grant, to which a no holds at `now`."""
    columns = approvals.c
    asked = (
        select(approvals)
        .where(
            columns.tenant == tenant,
            columns.state.in_(_NO),
            columns.digest == digest,
            columns.expires_at > now,
        )
        .order_by(columns.created_at.desc(), columns.id.desc())
        .limit(1)
    )
    row = tx.connection.execute(asked).one_or_none()
    return None if row is None else _with_answers(tx, [row])[0]


def count_waiting(
    tx: Transaction, *, tenant: TenantId, client_id: ClientId, user_id: UserId | None
) -> int:
    """How many of one client's calls for one person wait; `None`: of those it makes for nobody."""
    columns = approvals.c
    asked = select(func.count()).where(
        columns.tenant == tenant,
        columns.state == _WAITING,
        columns.client_id == client_id,
        columns.user_id.is_(None) if user_id is None else columns.user_id == user_id,
        columns.thing_kind != ACCESS,
    )
    return int(tx.connection.execute(asked).scalar_one())


def select_requests(tx: Transaction, wanted: RequestFilter) -> tuple[StoredRequest, ...]:
    """Those that match, with what was answered, and no more than `limit`."""
    columns = approvals.c
    conditions = [
        column == value
        for column, value in (
            (columns.tenant, wanted.tenant),
            (columns.state, None if wanted.state is None else wanted.state.value),
            (columns.user_id, wanted.user_id),
            (columns.grant_id, wanted.grant_id),
            (columns.agent_id, wanted.agent_id),
        )
        if value is not None
    ]
    if wanted.since is not None:
        conditions.append(columns.created_at >= wanted.since)
    place = tuple_(columns.created_at, columns.id)
    if wanted.before is not None:
        conditions.append(place < wanted.before)
    if wanted.after is not None:
        conditions.append(place > wanted.after)
    order = (columns.created_at.desc(), columns.id.desc())
    if wanted.oldest_first:
        order = (columns.created_at.asc(), columns.id.asc())
    asked = select(approvals).where(*conditions).order_by(*order).limit(wanted.limit)
    return _with_answers(tx, tx.connection.execute(asked).all())


def waiting_of_client(
    tx: Transaction, *, client_id: ClientId, user_id: UserId, server: ServerName
) -> tuple[StoredRequest, ...]:
    """What waits of the calls of one client for one person at one server, oldest first."""
    columns = approvals.c
    asked = (
        select(approvals)
        .where(
            columns.user_id == user_id,
            columns.state == _WAITING,
            columns.client_id == client_id,
            columns.server == server,
            columns.thing_kind != ACCESS,
        )
        .order_by(columns.created_at, columns.id)
    )
    return _with_answers(tx, tx.connection.execute(asked).all())


def due_requests(tx: Transaction, *, now: EpochSeconds, limit: int) -> tuple[StoredRequest, ...]:
    """Those that wait although their time is over."""
    columns = approvals.c
    asked = (
        select(approvals)
        .where(columns.state == _WAITING, columns.expires_at <= now)
        .order_by(columns.expires_at, columns.id)
        .limit(limit)
    )
    return _with_answers(tx, tx.connection.execute(asked).all())


def escalating_requests(
    tx: Transaction, *, now: EpochSeconds, limit: int
) -> tuple[StoredRequest, ...]:
    """Those that wait and are due to be put to more people."""
    columns = approvals.c
    asked = (
        select(approvals)
        .where(columns.state == _WAITING, columns.escalates_at <= now, columns.expires_at > now)
        .order_by(columns.escalates_at, columns.id)
        .limit(limit)
    )
    return _with_answers(tx, tx.connection.execute(asked).all())


def note_asked(tx: Transaction, request_id: str) -> None:
    """Count that it was asked once more."""
    tx.connection.execute(
        update(approvals).where(approvals.c.id == request_id).values(asked=approvals.c.asked + 1)
    )


def mark_opened(tx: Transaction, request_id: str, *, at: EpochSeconds) -> None:
    """Note that somebody who may answer looked at it: asking counts from here again."""
    tx.connection.execute(
        update(approvals)
        .where(approvals.c.id == request_id, approvals.c.state == _WAITING)
        .values(opened_at=at, asked=0)
    )


def mark_escalated(
    tx: Transaction, request_id: str, *, at: EpochSeconds, again_at: EpochSeconds | None
) -> bool:
    """Note that it went to more people, and when it will to others still; whether it had not."""
    marked = (
        update(approvals)
        .where(
            approvals.c.id == request_id,
            approvals.c.state == _WAITING,
            approvals.c.escalates_at <= at,
        )
        .values(escalated_at=at, escalates_at=again_at)
    )
    return tx.connection.execute(marked).rowcount == 1


def end_request(
    tx: Transaction, request_id: str, state: RequestState, *, at: EpochSeconds, reason: str
) -> bool:
    """Let it wait no longer, and destroy what was sealed in it; whether it was this that ended it."""
    ended = (
        update(approvals)
        .where(approvals.c.id == request_id, approvals.c.state == _WAITING)
        .values(state=state.value, ended_at=at, sealed=None, reason=reason)
    )
    return tx.connection.execute(ended).rowcount == 1


def move_request(tx: Transaction, request_id: str, to: GrantId) -> None:
    """Let it be about the calls under another grant of the same client and person."""
    tx.connection.execute(update(approvals).where(approvals.c.id == request_id).values(grant_id=to))


def purge_requests(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete what ended before then, with what was answered; how many."""
    gone = delete(approvals).where(approvals.c.ended_at < before).returning(approvals.c.id)
    ids = [row.id for row in tx.connection.execute(gone)]
    forget_answers(tx, ids)
    return len(ids)


def _with_answers(tx: Transaction, rows: Iterable[Any]) -> tuple[StoredRequest, ...]:
    found = list(rows)
    answered = answers_of(tx, [row.id for row in found])
    return tuple(_stored(row, answered) for row in found)


def _stored(row: Any, answered: Mapping[str, Any]) -> StoredRequest:
    is_access = row.thing_kind == ACCESS
    request = Request(
        id=row.id,
        state=RequestState(row.state),
        about=About.ACCESS if is_access else About.CALL,
        tenant=TenantId(row.tenant),
        user_id=None if row.user_id is None else UserId(row.user_id),
        agent_id=AgentId(row.agent_id),
        client_id=ClientId(row.client_id),
        grant_id=GrantId(row.grant_id),
        server=ServerName(row.server),
        kind=None if is_access else ResourceKind(row.thing_kind),
        thing=row.thing,
        definition=row.definition,
        environment=None if row.environment is None else Environment(row.environment),
        parts=read_parts(parse_json(row.parts.encode())),
        arguments=None,
        justification=None,
        decision_id=row.decision_id,
        policy_version=row.policy_version,
        asked=row.asked,
        created_at=EpochSeconds(row.created_at),
        opened_at=None if row.opened_at is None else EpochSeconds(row.opened_at),
        ended_at=None if row.ended_at is None else EpochSeconds(row.ended_at),
        expires_at=EpochSeconds(row.expires_at),
        holds=Seconds(row.holds),
        digest=row.digest,
        actors=tuple(AgentId(str(one)) for one in _texts(row.actors)),
        held=row.held,
        escalated_at=None if row.escalated_at is None else EpochSeconds(row.escalated_at),
        reason=row.reason or "",
        answers=answered.get(row.id, ()),
    )
    return StoredRequest(request, row.sealed)


def _texts(stored: str) -> tuple[str, ...]:
    value = parse_json(stored.encode())
    return tuple(str(one) for one in value) if isinstance(value, list) else ()
