"""The SQL of elevations. Spent by one conditional update: of several at one time, one row changes."""

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
    exists,
    literal_column,
    select,
    update,
)

from remit.approvals.elevation import Elevation
from remit.approvals.request_store import approvals
from remit.canonical import JsonObject, canonical_text, parse_object
from remit.clock import EpochSeconds
from remit.db import Prepared, Transaction, metadata
from remit.ids import GrantId, ScopeName, TenantId, UserId
from remit.oauth.grant_store import grants

__all__ = [
    "ElevationFilter",
    "Use",
    "add_elevation",
    "elevations",
    "find_elevation",
    "live_elevation",
    "mark_revoked",
    "move_elevation",
    "purge_elevations",
    "select_live",
    "spend",
    "spend_again",
    "spent_for",
]

elevations = Table(
    "elevations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("approval", Text, nullable=False),
    Column("grant_id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("given_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("used_at", BigInteger),
    Column("used_for", Text, index=True),
    Column("revoked_at", BigInteger),
)
Index("ix_elevations_digest", elevations.c.digest, elevations.c.grant_id)

# What is taken back as the grant that it is (on an account page, with the grant above it) is ended nowhere else.
_NOT_TAKEN_BACK = exists().where(grants.c.id == elevations.c.id, grants.c.revoked_at.is_(None))

_LIVE = Prepared(
    select(elevations)
    .where(
        elevations.c.digest == bindparam("wanted_digest"),
        elevations.c.grant_id == bindparam("wanted_grant"),
        elevations.c.uses_left > literal_column("0"),
        elevations.c.revoked_at.is_(None),
        elevations.c.expires_at > bindparam("now"),
        _NOT_TAKEN_BACK,
    )
    .order_by(elevations.c.given_at.desc(), elevations.c.id.desc())
    .limit(literal_column("1"))
)
_SPENT_FOR = Prepared(
    select(elevations)
    .where(
        elevations.c.used_for == bindparam("wanted_decision"),
        elevations.c.grant_id == bindparam("wanted_grant"),
        elevations.c.revoked_at.is_(None),
    )
    .limit(literal_column("1"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationFilter:
    """Which are meant: those that match everything given. Empty means all."""

    tenant: TenantId | None = None
    user_id: UserId | None = None
    grant_id: GrantId | None = None
    limit: int = 200


def add_elevation(tx: Transaction, elevation: Elevation) -> None:
    """Store a new one."""
    tx.connection.execute(
        elevations.insert().values(
            id=elevation.id,
            approval=elevation.approval,
            grant_id=elevation.grant_id,
            digest=elevation.digest,
            facts=canonical_text(_facts(elevation)),
            uses_left=elevation.uses_left,
            given_at=elevation.given_at,
            expires_at=elevation.expires_at,
        )
    )


def find_elevation(tx: Transaction, elevation_id: str) -> Elevation | None:
    """The one of that id, whatever became of it."""
    asked = select(elevations).where(elevations.c.id == elevation_id)
    row = tx.connection.execute(asked).one_or_none()
    return None if row is None else _elevation(row)


def live_elevation(
    tx: Transaction, digest: str, grant_id: GrantId, *, now: EpochSeconds
) -> Elevation | None:
    """The latest for the call of that digest under that grant that can still be spent."""
    row = _LIVE.one_or_none(tx, wanted_digest=digest, wanted_grant=grant_id, now=now)
    return None if row is None else _elevation(row)


def spent_for(tx: Transaction, decision_id: str, grant_id: GrantId) -> Elevation | None:
    """The one that was spent for that decision under that grant, and not for another since."""
    row = _SPENT_FOR.one_or_none(tx, wanted_decision=decision_id, wanted_grant=grant_id)
    return None if row is None else _elevation(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """The call that an elevation is spent for: as it was digested, under which grant, by which decision."""

    digest: str
    grant_id: GrantId
    decision_id: str
    earlier: str | None
    """The decision about the same call before, whose server asked back."""


def spend(tx: Transaction, elevation_id: str, use: Use, *, now: EpochSeconds) -> bool:
    """Spend it for `use`; whether this was the one that could."""
    columns = elevations.c
    spent = (
        update(elevations)
        .where(
            columns.id == elevation_id,
            columns.digest == use.digest,
            columns.grant_id == use.grant_id,
            columns.uses_left > 0,
            columns.revoked_at.is_(None),
            columns.expires_at > now,
        )
        .values(uses_left=columns.uses_left - 1, used_at=now, used_for=use.decision_id)
    )
    return tx.connection.execute(spent).rowcount == 1


def spend_again(tx: Transaction, elevation_id: str, use: Use, *, now: EpochSeconds) -> bool:
    """Let what was spent for the earlier decision be spent for this one instead; whether it still was."""
    columns = elevations.c
    spent = (
        update(elevations)
        .where(
            columns.id == elevation_id,
            columns.digest == use.digest,
            columns.grant_id == use.grant_id,
            columns.used_for == use.earlier,
            columns.used_for.is_not(None),
            columns.revoked_at.is_(None),
            columns.expires_at > now,
        )
        .values(used_at=now, used_for=use.decision_id)
    )
    return tx.connection.execute(spent).rowcount == 1


def mark_revoked(tx: Transaction, elevation_id: str, *, at: EpochSeconds) -> bool:
    """End it, unless it was used or has ended; whether this ended it."""
    columns = elevations.c
    ended = (
        update(elevations)
        .where(
            columns.id == elevation_id,
            columns.uses_left > 0,
            columns.revoked_at.is_(None),
            columns.expires_at > at,
        )
        .values(revoked_at=at)
    )
    return tx.connection.execute(ended).rowcount == 1


def move_elevation(tx: Transaction, elevation_id: str, to: GrantId) -> bool:
    """Let it be for calls under another grant, unless it was spent; whether it is."""
    moved = (
        update(elevations)
        .where(elevations.c.id == elevation_id, elevations.c.uses_left > 0)
        .values(grant_id=to)
    )
    return tx.connection.execute(moved).rowcount == 1


def select_live(
    tx: Transaction, wanted: ElevationFilter, *, now: EpochSeconds
) -> tuple[Elevation, ...]:
    """Those that match and can still be spent, newest first."""
    columns = elevations.c
    asked = (
        select(elevations)
        .join(approvals, approvals.c.id == columns.approval)
        .where(
            columns.uses_left > 0,
            columns.revoked_at.is_(None),
            columns.expires_at > now,
            _NOT_TAKEN_BACK,
        )
    )
    for column, value in (
        (approvals.c.tenant, wanted.tenant),
        (approvals.c.user_id, wanted.user_id),
        (columns.grant_id, wanted.grant_id),
    ):
        if value is not None:
            asked = asked.where(column == value)
    asked = asked.order_by(columns.given_at.desc(), columns.id.desc()).limit(wanted.limit)
    return tuple(_elevation(row) for row in tx.connection.execute(asked))


def purge_elevations(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete what ended before then; how many."""
    gone = delete(elevations).where(elevations.c.expires_at < before)
    return tx.connection.execute(gone).rowcount


def _facts(elevation: Elevation) -> JsonObject:
    return {
        "roles": list(elevation.roles),
        "acr": elevation.acr,
        "confirmed_at": elevation.confirmed_at,
        "scopes": list(elevation.scopes),
    }


def _elevation(row: Any) -> Elevation:
    facts = parse_object(row.facts.encode())
    roles, scopes = facts["roles"], facts["scopes"]
    acr, confirmed_at = facts["acr"], facts["confirmed_at"]
    return Elevation(
        id=row.id,
        approval=row.approval,
        grant_id=GrantId(row.grant_id),
        digest=row.digest,
        roles=tuple(str(one) for one in roles) if isinstance(roles, list) else (),
        acr=acr if isinstance(acr, str) else None,
        confirmed_at=EpochSeconds(confirmed_at) if isinstance(confirmed_at, int) else None,
        scopes=tuple(ScopeName(str(one)) for one in scopes) if isinstance(scopes, list) else (),
        uses_left=row.uses_left,
        given_at=EpochSeconds(row.given_at),
        expires_at=EpochSeconds(row.expires_at),
        used_at=None if row.used_at is None else EpochSeconds(row.used_at),
        used_for=row.used_for,
        revoked_at=None if row.revoked_at is None else EpochSeconds(row.revoked_at),
    )
