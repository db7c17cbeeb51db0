"""The SQL of holds: what about whom may not be destroyed, who wanted that, and who agreed."""

import json
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Index, Table, Text, insert, select, update

from remit.clock import EpochSeconds
from remit.db import Transaction, metadata
from remit.errors import NotFoundError

__all__ = [
    "Hold",
    "HoldState",
    "Word",
    "add_hold",
    "change_hold",
    "hold_named",
    "holds",
    "holds_of",
]

holds = Table(
    "holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("subject", Text, nullable=True),
    Column("reason", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_as", Text, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("set_by", Text, nullable=True),
    Column("set_at", BigInteger, nullable=True),
    Column("lift_reason", Text, nullable=True),
    Column("lift_requested_by", Text, nullable=True),
    Column("lift_requested_as", Text, nullable=True),
    Column("lift_requested_at", BigInteger, nullable=True),
    Column("lifted_by", Text, nullable=True),
    Column("lifted_at", BigInteger, nullable=True),
    Index("ix_holds_tenant", "tenant"),
)


class HoldState(StrEnum):
    """How far a hold has come."""

    REQUESTED = "requested"
    SET = "set"
    LIFT_REQUESTED = "lift_requested"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Word:
    """What one person said, when, and by which names they are known."""

    by: str
    known_as: tuple[str, ...]
    at: EpochSeconds
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """`subject` is a keyed digest; `None`: everybody of the tenant."""

    id: str
    tenant: str
    subject: str | None
    requested: Word
    set_by: str | None = None
    set_at: EpochSeconds | None = None
    lift: Word | None = None
    lifted_by: str | None = None
    lifted_at: EpochSeconds | None = None

    @property
    def state(self) -> HoldState:
        """How far it has come."""
        if self.lifted_at is not None:
            return HoldState.LIFTED
        if self.lift is not None:
            return HoldState.LIFT_REQUESTED
        return HoldState.REQUESTED if self.set_at is None else HoldState.SET


def add_hold(tx: Transaction, hold: Hold) -> None:
    """Keep a hold that was asked for."""
    tx.connection.execute(insert(holds).values(id=hold.id, **_values(hold)))


def change_hold(tx: Transaction, before: Hold, after: Hold) -> bool:
    """Let `after` stand for `before`; whether that was still how it stood."""
    meant = update(holds).where(
        holds.c.id == before.id,
        holds.c.set_at.is_(None) if before.set_at is None else holds.c.set_at == before.set_at,
        holds.c.lift_requested_at.is_(None)
        if before.lift is None
        else holds.c.lift_requested_at == before.lift.at,
        holds.c.lifted_at.is_(None),
    )
    return tx.connection.execute(meant.values(**_values(after))).rowcount == 1


def hold_named(tx: Transaction, name: str, *, tenant: str | None) -> Hold:
    """The hold of that id; with `tenant`, one of that tenant.

    Raises:
        NotFoundError: there is none.
    """
    asked = select(holds).where(holds.c.id == name)
    if tenant is not None:
        asked = asked.where(holds.c.tenant == tenant)
    row = tx.connection.execute(asked).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no hold `{name}`")
    return _hold(row)


def holds_of(tx: Transaction, *, tenant: str | None, lifted: bool = False) -> list[Hold]:
    """The holds of `tenant`, or of all, the oldest first; those that were lifted only if they are asked for."""
    asked = select(holds).order_by(holds.c.requested_at, holds.c.id)
    if tenant is not None:
        asked = asked.where(holds.c.tenant == tenant)
    if not lifted:
        asked = asked.where(holds.c.lifted_at.is_(None))
    return [_hold(row) for row in tx.connection.execute(asked)]


def _values(hold: Hold) -> dict[str, object]:
    lift = hold.lift
    return {
        "tenant": hold.tenant,
        "subject": hold.subject,
        "reason": hold.requested.reason,
        "requested_by": hold.requested.by,
        "requested_as": json.dumps(hold.requested.known_as),
        "requested_at": hold.requested.at,
        "set_by": hold.set_by,
        "set_at": hold.set_at,
        "lift_reason": None if lift is None else lift.reason,
        "lift_requested_by": None if lift is None else lift.by,
        "lift_requested_as": None if lift is None else json.dumps(lift.known_as),
        "lift_requested_at": None if lift is None else lift.at,
        "lifted_by": hold.lifted_by,
        "lifted_at": hold.lifted_at,
    }


def _hold(row: "object") -> Hold:
    held = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001  SQLAlchemy's public way to a mapping
    lift = None
    if held["lift_requested_at"] is not None:
        lift = Word(
            held["lift_requested_by"],
            tuple(json.loads(held["lift_requested_as"])),
            EpochSeconds(held["lift_requested_at"]),
            held["lift_reason"],
        )
    return Hold(
        id=held["id"],
        tenant=held["tenant"],
        subject=held["subject"],
        requested=Word(
            held["requested_by"],
            tuple(json.loads(held["requested_as"])),
            EpochSeconds(held["requested_at"]),
            held["reason"],
        ),
        set_by=held["set_by"],
        set_at=held["set_at"],
        lift=lift,
        lifted_by=held["lifted_by"],
        lifted_at=held["lifted_at"],
    )
