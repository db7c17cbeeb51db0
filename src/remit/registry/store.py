"""The SQL of which agents are suspended."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Table, Text, delete, select

from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import AgentId

__all__ = ["Suspension", "add_suspension", "remove_suspension", "suspended_agents", "suspensions"]

agent_standing = Table(
    "agent_standing",
    metadata,
    Column("agent_id", Text, primary_key=True),
    Column("suspended_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """An agent is stopped: since when, why, and by whom."""

    agent_id: AgentId
    suspended_at: EpochSeconds
    reason: str
    changed_by: str


def add_suspension(tx: Transaction, suspension: Suspension) -> bool:
    """Insert `suspension`; whether the agent was not suspended before."""
    statement = conflict_insert(tx, agent_standing).values(
        agent_id=suspension.agent_id,
        suspended_at=suspension.suspended_at,
        reason=suspension.reason,
        changed_by=suspension.changed_by,
    )
    added = statement.on_conflict_do_nothing().returning(agent_standing.c.agent_id)
    return tx.connection.execute(added).scalar() is not None


def remove_suspension(tx: Transaction, agent_id: AgentId) -> bool:
    """Delete the agent's suspension; whether there was one."""
    statement = delete(agent_standing).where(agent_standing.c.agent_id == agent_id)
    return tx.connection.execute(statement).rowcount == 1


def suspensions(tx: Transaction) -> tuple[Suspension, ...]:
    """Every suspended agent, by name."""
    rows = tx.connection.execute(select(agent_standing).order_by(agent_standing.c.agent_id))
    return tuple(
        Suspension(
            agent_id=AgentId(row.agent_id),
            suspended_at=EpochSeconds(row.suspended_at),
            reason=row.reason,
            changed_by=row.changed_by,
        )
        for row in rows
    )


def suspended_agents(tx: Transaction) -> frozenset[AgentId]:
    """The names of the suspended agents."""
    return frozenset(suspension.agent_id for suspension in suspensions(tx))
