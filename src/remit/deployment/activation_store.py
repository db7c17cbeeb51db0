"""The SQL of what was in force when: a sequence of activations, each signed, each made of the one before it.

What counts is the sequence, never a clock: whoever would bring a bundle into force names the activation that they
saw last, and only one can be the next. Source: docs/guides/deploying-policies.md.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Row, Table, Text, inspect, select

from remit.canonical import Json
from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.deployment.sealing import BadSignatureError, InstallationKey
from remit.errors import ConflictError

__all__ = [
    "Activation",
    "How",
    "activations_so_far",
    "add_activation",
    "is_any_in_force",
    "newest_activation",
]

_PURPOSE: Final = "remit:activation:v1"

activations = Table(
    "activations",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("bundle", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("proposal", Text, nullable=True),
    Column("reason", Text, nullable=False),
    Column("activated_at", BigInteger, nullable=False),
    Column("activated_by", Text, nullable=False),
    Column("seal", Text, nullable=False),
)


class How(StrEnum):
    """How a bundle came into force."""

    FOLDER = "folder"
    """It was in the folder that the first `apply` found in force."""
    APPLY = "apply"
    PROMOTE = "promote"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """One change of what is in force. `previous` is the bundle before it; empty for the first."""

    sequence: int
    bundle: str
    previous: str
    how: How
    stage: str
    proposal: str | None
    reason: str
    activated_at: EpochSeconds
    activated_by: str


def is_any_in_force(tx: Transaction) -> bool:
    """Whether there is a row at all, in a database that may be older than this table. Nothing is checked."""
    if not inspect(tx.connection).has_table(activations.name):
        return False
    return tx.connection.execute(select(activations.c.sequence).limit(1)).first() is not None


def newest_activation(tx: Transaction, key: InstallationKey) -> Activation | None:
    """What is in force, or `None` when nothing was ever put in force.

    Raises:
        BadSignatureError: the row was not written by this installation.
    """
    row = tx.connection.execute(
        select(activations).order_by(activations.c.sequence.desc()).limit(1)
    ).one_or_none()
    return None if row is None else _checked(row, key)


def activations_so_far(tx: Transaction, key: InstallationKey) -> tuple[Activation, ...]:
    """All there were, the newest first.

    Raises:
        BadSignatureError: a row was not written by this installation.
    """
    rows = tx.connection.execute(select(activations).order_by(activations.c.sequence.desc()))
    return tuple(_checked(row, key) for row in rows)


def add_activation(tx: Transaction, key: InstallationKey, activation: Activation) -> None:
    """Make `activation` the newest, if the one before it still is.

    Raises:
        ConflictError: another bundle came into force meanwhile; nothing was changed.
    """
    newest = newest_activation(tx, key)
    if (0 if newest is None else newest.sequence) + 1 != activation.sequence:
        raise _overtaken()
    values = _values(activation)
    statement = conflict_insert(tx, activations).values(
        **values, seal=key.seal(_PURPOSE, _sealed(values))
    )
    # Two that write at the same time both saw the same newest one: the primary key lets one of them through.
    added = tx.connection.execute(
        statement.on_conflict_do_nothing().returning(activations.c.sequence)
    ).scalar()
    if added is None:
        raise _overtaken()


def _overtaken() -> ConflictError:
    return ConflictError("another bundle came into force meanwhile; propose it anew")


def _values(activation: Activation) -> dict[str, Any]:
    return {one.name: getattr(activation, one.name) for one in fields(activation)}


def _sealed(values: dict[str, Any]) -> dict[str, Json]:
    return {**values, "how": str(values["how"])}


def _checked(row: Row[Any], key: InstallationKey) -> Activation:
    values = {str(name): value for name, value in row._asdict().items()}
    seal = values.pop("seal")
    if not key.is_sealed(_PURPOSE, values, seal):
        raise BadSignatureError(f"activation {row.sequence} was not written by this installation")
    return Activation(
        **values | {"how": How(row.how), "activated_at": EpochSeconds(row.activated_at)}
    )
