"""The SQL of access for a while: who asked for what, and who has it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Row,
    Table,
    Text,
    delete,
    or_,
    select,
    text,
    update,
)

from remit.approvals.access import (
    Access,
    AccessEnd,
    AccessKind,
    AccessState,
    HolderKind,
    Review,
)
from remit.canonical import canonical_text, parse_json
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import AgentId, ScopeName, TenantId

__all__ = [
    "AccessFilter",
    "access",
    "activate",
    "active_for",
    "add_access",
    "due",
    "find_access",
    "finish",
    "hold",
    "mark_overdue",
    "purge_access",
    "review_access",
    "select_access",
    "wait_for",
]

_MOST: Final = 500
_OPEN: Final = (AccessState.WAITING.value, AccessState.ACTIVE.value)

access = Table(
    "access",
    metadata,
    Column("id", Text, primary_key=True),
    Column("offer", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("holder_kind", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("agent_id", Text),
    Column("role", Text),
    Column("scopes", Text, nullable=False),
    Column("justification", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("acr", Text),
    Column("seconds", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("requested_at", BigInteger, nullable=False),
    Column("approval", Text),
    Column("approved_by", Text, nullable=False),
    Column("granted_at", BigInteger),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("how", Text),
    Column("ended_for", Text),
    Column("review_by", BigInteger),
    Column("reviewed_at", BigInteger),
    Column("reviewed_by", Text),
    Column("verdict", Text),
    Column("overdue_at", BigInteger),
)

_IS_OPEN: Final = text("state IN ('waiting', 'active')")
Index("ix_access_holder", access.c.tenant, access.c.holder_kind, access.c.holder, access.c.state)
Index(
    "ux_access_open",
    access.c.tenant,
    access.c.holder_kind,
    access.c.holder,
    access.c.offer,
    unique=True,
    sqlite_where=_IS_OPEN,
    postgresql_where=_IS_OPEN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFilter:
    """Which are meant: those that match everything given. Empty means all."""

    tenant: TenantId | None = None
    holder: str | None = None
    state: AccessState | None = None
    unreviewed: bool = False
    offer: str | None = None
    kind: AccessKind | None = None


def add_access(tx: Transaction, row: Access) -> bool:
    """Store a new one; `False` when its holder waits for the same offer, or has it."""
    values = {
        "id": row.id,
        "offer": row.offer,
        "kind": row.kind.value,
        "state": row.state.value,
        "tenant": row.tenant,
        "holder_kind": row.holder_kind.value,
        "holder": row.holder,
        "agent_id": row.agent_id,
        "role": row.role,
        "scopes": canonical_text(list(row.scopes)),
        "justification": canonical_text(dict(row.justification)),
        "ticket": row.ticket,
        "acr": row.acr,
        "seconds": row.seconds,
        "until": row.until,
        "requested_at": row.requested_at,
        "approval": row.approval,
        "approved_by": canonical_text(list(row.approved_by)),
        "granted_at": row.granted_at,
        "expires_at": row.expires_at,
        "review_by": row.review_by,
    }
    added = conflict_insert(tx, access).values(values).on_conflict_do_nothing()
    return tx.connection.execute(added.returning(access.c.id)).one_or_none() is not None


def find_access(tx: Transaction, access_id: str) -> Access | None:
    """The one of that id."""
    row = tx.connection.execute(select(access).where(access.c.id == access_id)).one_or_none()
    return None if row is None else _access(row)


def select_access(tx: Transaction, wanted: AccessFilter) -> tuple[Access, ...]:
    """Those that match, the latest first, and no more than a page of them."""
    conditions = []
    if wanted.tenant is not None:
        conditions.append(access.c.tenant == wanted.tenant)
    if wanted.holder is not None:
        conditions.append(access.c.holder == wanted.holder)
    if wanted.state is not None:
        conditions.append(access.c.state == wanted.state.value)
    if wanted.offer is not None:
        conditions.append(access.c.offer == wanted.offer)
    if wanted.kind is not None:
        conditions.append(access.c.kind == wanted.kind.value)
    if wanted.unreviewed:
        conditions += [access.c.review_by.is_not(None), access.c.reviewed_at.is_(None)]
    asked = select(access).where(*conditions)
    order = (access.c.requested_at.desc(), access.c.id.desc())
    return tuple(_access(one) for one in tx.connection.execute(asked.order_by(*order).limit(_MOST)))


def active_for(
    tx: Transaction,
    holder_kind: HolderKind,
    holder: str,
    *,
    tenant: TenantId,
    now: EpochSeconds,
) -> tuple[Access, ...]:
    """What the holder has at `now`, oldest first; of agents whose it is not yet told apart."""
    asked = (
        select(access)
        .where(
            access.c.tenant == tenant,
            access.c.holder_kind == holder_kind.value,
            access.c.holder == holder,
            access.c.state == AccessState.ACTIVE.value,
            access.c.expires_at > now,
        )
        .order_by(access.c.granted_at, access.c.id)
    )
    return tuple(_access(one) for one in tx.connection.execute(asked))


def wait_for(tx: Transaction, access_id: str, *, approval: str, until: EpochSeconds) -> None:
    """Note which request in the inbox it waits for, and when that lapses."""
    tx.connection.execute(
        update(access).where(access.c.id == access_id).values(approval=approval, expires_at=until)
    )


def activate(
    tx: Transaction,
    access_id: str,
    *,
    granted_at: EpochSeconds,
    expires_at: EpochSeconds,
    approved_by: Iterable[str],
) -> Access | None:
    """Give what waits, once; `None` when it does not wait."""
    given = (
        update(access)
        .where(access.c.id == access_id, access.c.state == AccessState.WAITING.value)
        .values(
            state=AccessState.ACTIVE.value,
            granted_at=granted_at,
            expires_at=expires_at,
            approved_by=canonical_text(list(approved_by)),
        )
        .returning(*access.c)
    )
    row = tx.connection.execute(given).one_or_none()
    return None if row is None else _access(row)


def finish(
    tx: Transaction, access_id: str, *, how: AccessEnd, reason: str, now: EpochSeconds
) -> Access | None:
    """End what waits or is had, once; `None` when it is over already."""
    state = AccessState.REFUSED if how is AccessEnd.REFUSED else AccessState.ENDED
    ended = (
        update(access)
        .where(access.c.id == access_id, access.c.state.in_(_OPEN))
        .values(state=state.value, ended_at=now, how=how.value, ended_for=reason)
        .returning(*access.c)
    )
    row = tx.connection.execute(ended).one_or_none()
    return None if row is None else _access(row)


def review_access(
    tx: Transaction, access_id: str, *, verdict: Review, by: str, now: EpochSeconds
) -> Access | None:
    """Note what a reviewer said, once; `None` when somebody did before, or nothing has to be said."""
    reviewed = (
        update(access)
        .where(
            access.c.id == access_id,
            access.c.review_by.is_not(None),
            access.c.reviewed_at.is_(None),
        )
        .values(reviewed_at=now, reviewed_by=by, verdict=verdict.value)
        .returning(*access.c)
    )
    row = tx.connection.execute(reviewed).one_or_none()
    return None if row is None else _access(row)


def mark_overdue(tx: Transaction, *, now: EpochSeconds) -> tuple[Access, ...]:
    """Those that had to be reviewed by `now` and were not, each once: whoever is given one tells people of it."""
    c = access.c
    late = (c.review_by <= now, c.reviewed_at.is_(None), c.overdue_at.is_(None))
    found = select(c.id).where(*late).order_by(c.id).limit(_MOST)
    marked = []
    for access_id in tx.connection.execute(found).scalars().all():
        mark = update(access).where(c.id == access_id, *late).values(overdue_at=now)
        row = tx.connection.execute(mark.returning(*c)).one_or_none()
        if row is not None:
            marked.append(_access(row))
    return tuple(marked)


def due(tx: Transaction, *, now: EpochSeconds, holder: str | None = None) -> tuple[str, ...]:
    """The ids of those whose time is over while their row does not say so yet; a page of them."""
    whose = () if holder is None else (access.c.holder == holder,)
    asked = (
        select(access.c.id)
        .where(access.c.state.in_(_OPEN), access.c.expires_at <= now, *whose)
        .order_by(access.c.expires_at)
        .limit(_MOST)
    )
    return tuple(tx.connection.execute(asked).scalars())


# -- the tokens that rest on it ---------------------------------------------------


def hold(tx: Transaction, access_ids: tuple[str, ...], *, now: EpochSeconds) -> bool:
    """Whether all of them are in force, and stay so until `tx` ends: what ends one waits."""
    asked = (
        select(access.c.id)
        .where(
            access.c.id.in_(access_ids),
            access.c.state == AccessState.ACTIVE.value,
            access.c.expires_at > now,
        )
        .with_for_update(read=True)
    )
    return len(tx.connection.execute(asked).all()) == len(set(access_ids))


def purge_access(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete what ended before then and waits for nobody's review any more; how many."""
    columns = access.c
    gone = delete(access).where(
        columns.ended_at < before, or_(columns.review_by.is_(None), columns.reviewed_at < before)
    )
    return tx.connection.execute(gone).rowcount


# -- rows -------------------------------------------------------------------------


def _access(row: Row[Any]) -> Access:
    return Access(
        id=row.id,
        offer=row.offer,
        kind=AccessKind(row.kind),
        state=AccessState(row.state),
        tenant=TenantId(row.tenant),
        holder_kind=HolderKind(row.holder_kind),
        holder=row.holder,
        agent_id=None if row.agent_id is None else AgentId(row.agent_id),
        role=row.role,
        scopes=tuple(ScopeName(one) for one in _list(row.scopes)),
        justification=_texts(row.justification),
        ticket=row.ticket,
        acr=row.acr,
        seconds=Seconds(row.seconds),
        until=_instant(row.until),
        requested_at=EpochSeconds(row.requested_at),
        expires_at=EpochSeconds(row.expires_at),
        approval=row.approval,
        approved_by=tuple(_list(row.approved_by)),
        granted_at=_instant(row.granted_at),
        ended_at=_instant(row.ended_at),
        how=None if row.how is None else AccessEnd(row.how),
        ended_for=row.ended_for,
        review_by=_instant(row.review_by),
        reviewed_at=_instant(row.reviewed_at),
        reviewed_by=row.reviewed_by,
        verdict=None if row.verdict is None else Review(row.verdict),
        overdue_at=_instant(row.overdue_at),
    )


def _list(text: str) -> list[str]:
    found = parse_json(text.encode())
    return [str(one) for one in found] if isinstance(found, list) else []


def _texts(text: str) -> dict[str, str]:
    found = parse_json(text.encode())
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _instant(value: int | None) -> EpochSeconds | None:
    return None if value is None else EpochSeconds(value)
