"""The SQL of definitions: what each thing of a server was when it was admitted, and what it is offered as now."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Row, Table, Text, select, text

from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.guard.definitions import ThingKey
from remit.ids import ServerName
from remit.policy.evaluation import ResourceKind

__all__ = [
    "Cause",
    "DefinitionState",
    "Pinned",
    "Seen",
    "admitted_texts",
    "every_standing",
    "lock_writers",
    "of_server",
    "one_of_server",
    "put",
]


class DefinitionState(StrEnum):
    """Whether a thing may be used as far as its definition is concerned."""

    ADMITTED = "admitted"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


class Cause(StrEnum):
    """Why a thing waits for review."""

    CHANGED = "changed"
    NEW = "new"
    SHADOWS = "shadows"
    UNREVIEWED = "unreviewed"


class Seen(StrEnum):
    """In whose list the definition that is offered stood: Remit's own, or a caller's alone."""

    OWN = "own"
    CALLER = "caller"


definitions = Table(
    "definitions",
    metadata,
    Column("server", Text, primary_key=True),
    Column("thing", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=True),
    Column("detail", Text, nullable=False),
    Column("seen", Text, nullable=False),
    Column("admitted", Text, nullable=True),
    Column("admitted_digest", Text, nullable=True),
    Column("offered", Text, nullable=True),
    Column("offered_digest", Text, nullable=True),
    Column("first_seen", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger, nullable=True),
    Column("decided_by", Text, nullable=True),
)
_TEXTS = frozenset({"admitted", "offered"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One thing. `offered` is what the server says of it where that is not what was admitted.

    `admitted` and `offered` are canonical JSON; they are `None` in what `every_standing` reads.
    """

    server: ServerName
    thing: ResourceKind
    name: str
    state: DefinitionState
    cause: Cause | None = None
    detail: str = ""
    seen: Seen = Seen.OWN
    admitted: str | None = None
    admitted_digest: str | None = None
    offered: str | None = None
    offered_digest: str | None = None
    first_seen: EpochSeconds
    changed_at: EpochSeconds
    decided_at: EpochSeconds | None = None
    decided_by: str | None = None

    @property
    def key(self) -> ThingKey:
        """What it is found by."""
        return self.server, self.thing, self.name

    @property
    def waits(self) -> bool:
        """Whether somebody has to look at it."""
        return self.state is DefinitionState.QUARANTINED


def of_server(tx: Transaction, server: ServerName) -> tuple[Pinned, ...]:
    """Everything that is known of the things of `server`, texts included, by kind and name."""
    statement = (
        select(definitions)
        .where(definitions.c.server == server)
        .order_by(definitions.c.thing, definitions.c.name)
    )
    return tuple(_pinned(row) for row in tx.connection.execute(statement))


def one_of_server(
    tx: Transaction, server: ServerName, thing: ResourceKind, name: str
) -> Pinned | None:
    """What is known of one thing, locked until the transaction ends."""
    statement = select(definitions).where(
        definitions.c.server == server,
        definitions.c.thing == thing.value,
        definitions.c.name == name,
    )
    row = tx.connection.execute(statement.with_for_update()).one_or_none()
    return None if row is None else _pinned(row)


def lock_writers(tx: Transaction) -> None:
    """Let nobody else write until the transaction ends; on SQLite nobody else can."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(text("LOCK TABLE definitions IN SHARE ROW EXCLUSIVE MODE"))


def every_standing(tx: Transaction) -> tuple[Pinned, ...]:
    """Everything that is known of all servers, without the texts."""
    columns = [column for column in definitions.c if column.name not in _TEXTS]
    return tuple(_pinned(row) for row in tx.connection.execute(select(*columns)))


def admitted_texts(tx: Transaction, digests: Iterable[str]) -> dict[str, str]:
    """The canonical JSON of admitted definitions, by digest."""
    wanted = sorted(set(digests))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), 500):
        statement = select(definitions.c.admitted_digest, definitions.c.admitted).where(
            definitions.c.admitted_digest.in_(wanted[start : start + 500])
        )
        found.update(
            {row.admitted_digest: row.admitted for row in tx.connection.execute(statement)}
        )
    return found


def put(tx: Transaction, pinned: Pinned) -> None:
    """Insert or replace one row."""
    values = {one.name: getattr(pinned, one.name) for one in fields(pinned)}
    statement = conflict_insert(tx, definitions).values(**values)
    keys = ("server", "thing", "name")
    tx.connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(keys),
            set_={name: value for name, value in values.items() if name not in keys},
        )
    )


def _pinned(row: Row[tuple[object, ...]]) -> Pinned:
    found = row._asdict()
    return Pinned(
        **found
        | {
            "server": ServerName(found["server"]),
            "thing": ResourceKind(found["thing"]),
            "state": DefinitionState(found["state"]),
            "cause": None if found["cause"] is None else Cause(found["cause"]),
            "seen": Seen(found["seen"]),
        }
    )
