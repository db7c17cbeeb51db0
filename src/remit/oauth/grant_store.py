"""The SQL of grants. They are not deleted: an access review needs those that ended."""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from remit.canonical import canonical_text
from remit.clock import EpochSeconds
from remit.db import Prepared, Transaction, metadata
from remit.ids import AgentId, ClientId, GrantId, ScopeName, TenantId, UserId
from remit.model import Environment
from remit.oauth.grant import Grant, GrantFilter, GrantKind
from remit.tokens import Delegate

__all__ = [
    "add_grant",
    "descendants",
    "find_equal_workload_grant",
    "find_grant",
    "grants",
    "mark_descendants_revoked",
    "mark_revoked",
    "revoked_grants",
    "select_grants",
    "use_grant",
]

grants = Table(
    "grants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), index=True),
    Column("client_id", Text, nullable=False, index=True),
    Column("agent_id", Text, nullable=False, index=True),
    Column("tenant", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("auth_time", BigInteger),
    Column("acr", Text),
    Column("amr", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("revoked_at", BigInteger, index=True),
    Column("revoke_reason", Text),
    Column("parent_id", Text, index=True),
    Column("actors", Text, nullable=False, server_default="[]"),
    Column("authorization_details", Text, nullable=False, server_default="[]"),
    Column("jkt", Text),
    Column("origin", Text),
)

_SAME = ("client_id", "agent_id", "tenant", "environment", "resource", "scopes", "purpose")

# Built once: these run at every refresh, and building one costs as much as executing it.
_USE_GRANT = Prepared(
    update(grants)
    .where(
        grants.c.id == bindparam("grant"),
        grants.c.revoked_at.is_(None),
        grants.c.expires_at > bindparam("now"),
    )
    .values(last_used_at=bindparam("now"))
    .returning(*grants.c)
)
_ADD_GRANT = Prepared(insert(grants), columns=tuple(grants.c.keys()))
_FIND_GRANT = Prepared(select(grants).where(grants.c.id == bindparam("grant")))
_FIND_EQUAL = Prepared(
    select(grants)
    .where(
        grants.c.kind == GrantKind.WORKLOAD.value,
        *(grants.c[name] == bindparam(f"wanted_{name}") for name in _SAME),
        grants.c.authorization_details == bindparam("wanted_details"),
        grants.c.jkt.is_not_distinct_from(bindparam("wanted_jkt")),
        grants.c.origin.is_not_distinct_from(bindparam("wanted_origin")),
        grants.c.parent_id.is_(None),
        grants.c.revoked_at.is_(None),
        grants.c.expires_at > bindparam("until"),
    )
    .order_by(grants.c.created_at, grants.c.id)
    .limit(literal_column("1"))
)


# -- grants -------------------------------------------------------------------


def add_grant(tx: Transaction, grant: Grant) -> None:
    """Store a new grant."""
    _ADD_GRANT.run(
        tx,
        id=grant.id,
        kind=grant.kind.value,
        user_id=grant.user_id,
        client_id=grant.client_id,
        agent_id=grant.agent_id,
        tenant=grant.tenant,
        environment=grant.environment,
        resource=grant.resource,
        scopes=canonical_text(list(grant.scopes)),
        purpose=grant.purpose,
        auth_time=grant.auth_time,
        acr=grant.acr,
        amr=canonical_text(list(grant.amr)),
        created_at=grant.created_at,
        last_used_at=grant.last_used_at,
        expires_at=grant.expires_at,
        revoked_at=grant.revoked_at,
        revoke_reason=grant.revoke_reason,
        parent_id=grant.parent_id,
        actors=canonical_text([[one.agent_id, one.client_id] for one in grant.actors]),
        authorization_details=canonical_text(list(grant.authorization_details)),
        jkt=grant.jkt,
        origin=grant.origin,
    )


def find_grant(tx: Transaction, grant_id: GrantId) -> Grant | None:
    """The grant of that id, live or ended."""
    row = _FIND_GRANT.one_or_none(tx, grant=grant_id)
    return None if row is None else _grant(row)


def find_equal_workload_grant(
    tx: Transaction, wanted: Grant, *, until: EpochSeconds
) -> Grant | None:
    """The oldest grant of a workload that says the same as `wanted` and is live until then."""
    row = _FIND_EQUAL.one_or_none(
        tx,
        wanted_client_id=wanted.client_id,
        wanted_agent_id=wanted.agent_id,
        wanted_tenant=wanted.tenant,
        wanted_environment=wanted.environment,
        wanted_resource=wanted.resource,
        wanted_scopes=canonical_text(list(wanted.scopes)),
        wanted_purpose=wanted.purpose,
        wanted_details=canonical_text(list(wanted.authorization_details)),
        wanted_jkt=wanted.jkt,
        wanted_origin=wanted.origin,
        until=until,
    )
    return None if row is None else _grant(row)


def select_grants(tx: Transaction, wanted: GrantFilter) -> tuple[Grant, ...]:
    """The grants that match, newest first."""
    statement = select(grants).order_by(grants.c.created_at.desc(), grants.c.id.desc())
    for column, value in (
        (grants.c.user_id, wanted.user_id),
        (grants.c.client_id, wanted.client_id),
        (grants.c.agent_id, wanted.agent_id),
        (grants.c.tenant, wanted.tenant),
        (grants.c.resource, wanted.resource),
        (grants.c.parent_id, wanted.parent_id),
        (grants.c.kind, None if wanted.kind is None else wanted.kind.value),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.live_at is not None:
        statement = statement.where(*_live(wanted.live_at))
    if wanted.before is not None:
        at, last = wanted.before
        earlier = and_(grants.c.created_at == at, grants.c.id < last)
        statement = statement.where(or_(grants.c.created_at < at, earlier))
    return tuple(_grant(row) for row in tx.connection.execute(statement.limit(wanted.limit)))


def use_grant(tx: Transaction, grant_id: GrantId, *, now: EpochSeconds) -> Grant | None:
    """The grant, its last use noted, if it is live at `now`; `None` if it has ended or never was."""
    row = _USE_GRANT.one_or_none(tx, grant=grant_id, now=now)
    return None if row is None else _grant(row)


def mark_revoked(
    tx: Transaction, grant_id: GrantId, *, at: EpochSeconds, reason: str
) -> Grant | None:
    """The grant as it ended, if it had not ended by revocation before; else `None`."""
    row = tx.connection.execute(
        update(grants)
        .where(grants.c.id == grant_id, grants.c.revoked_at.is_(None))
        .values(revoked_at=at, revoke_reason=reason)
        .returning(*grants.c)
    ).one_or_none()
    return None if row is None else _grant(row)


def descendants(tx: Transaction, grant_ids: Iterable[GrantId]) -> tuple[Grant, ...]:
    """Every grant that descends from these by exchange, at any depth, live or ended; not these themselves."""
    found = select(grants).where(grants.c.id.in_(_below(grant_ids))).order_by(grants.c.id)
    return tuple(_grant(row) for row in tx.connection.execute(found))


def mark_descendants_revoked(
    tx: Transaction, grant_ids: Iterable[GrantId], *, at: EpochSeconds, reason: str
) -> tuple[Grant, ...]:
    """End what descends from these and had not ended by revocation; those that ended now.

    Call it once these, or the token of theirs that is at stake, are revoked. An exchange holds
    the row of its parent while it makes a child: so these are waited for here, and those below
    by running until there is nothing left to end. A later exchange finds its parent revoked.
    """
    grant_ids = tuple(grant_ids)
    mine = select(grants.c.id).where(grants.c.id.in_(grant_ids)).order_by(grants.c.id)
    tx.connection.execute(mine.with_for_update())
    ending = (
        update(grants)
        .where(grants.c.id.in_(_below(grant_ids)), grants.c.revoked_at.is_(None))
        .values(revoked_at=at, revoke_reason=reason)
        .returning(*grants.c)
    )
    ended: list[Grant] = []
    while found := [_grant(row) for row in tx.connection.execute(ending)]:
        ended.extend(found)
    return tuple(ended)


def revoked_grants(tx: Transaction, since: EpochSeconds) -> frozenset[GrantId]:
    """The grants revoked at `since` or later."""
    rows = tx.connection.execute(select(grants.c.id).where(grants.c.revoked_at >= since))
    return frozenset(GrantId(row.id) for row in rows)


# -- rows -----------------------------------------------------------------------


def _below(grant_ids: Iterable[GrantId]) -> Select[tuple[str]]:
    """The ids of all that descends from these."""
    children = select(grants.c.id).where(grants.c.parent_id.in_(list(grant_ids)))
    tree = children.cte("descendants", recursive=True)
    # UNION, not UNION ALL: were there ever a cycle, it would end.
    tree = tree.union(select(grants.c.id).where(grants.c.parent_id == tree.c.id))
    return select(tree.c.id)


def _live(now: EpochSeconds) -> tuple[ColumnElement[bool], ...]:
    return (grants.c.revoked_at.is_(None), grants.c.expires_at > now)


def _grant(row: Any) -> Grant:
    return Grant(
        id=GrantId(row.id),
        kind=GrantKind(row.kind),
        user_id=None if row.user_id is None else UserId(row.user_id),
        client_id=ClientId(row.client_id),
        agent_id=AgentId(row.agent_id),
        tenant=TenantId(row.tenant),
        environment=Environment(row.environment),
        resource=row.resource,
        scopes=tuple(ScopeName(scope) for scope in orjson.loads(row.scopes)),
        purpose=row.purpose,
        auth_time=None if row.auth_time is None else EpochSeconds(row.auth_time),
        acr=row.acr,
        amr=tuple(orjson.loads(row.amr)),
        created_at=EpochSeconds(row.created_at),
        last_used_at=EpochSeconds(row.last_used_at),
        expires_at=EpochSeconds(row.expires_at),
        revoked_at=None if row.revoked_at is None else EpochSeconds(row.revoked_at),
        revoke_reason=row.revoke_reason,
        parent_id=None if row.parent_id is None else GrantId(row.parent_id),
        actors=tuple(
            Delegate(AgentId(agent), ClientId(client)) for agent, client in orjson.loads(row.actors)
        ),
        authorization_details=tuple(orjson.loads(row.authorization_details)),
        jkt=row.jkt,
        origin=row.origin,
    )
