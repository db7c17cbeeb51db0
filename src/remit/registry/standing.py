"""Stopping an agent and letting it go on, each with its event.

Refused: an agent that the catalog does not know (but one that was removed from it while
suspended can still be resumed), and a change that was already made.
"""

from remit.audit.context import Context
from remit.audit.events import AgentResumed, AgentSuspended
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError, NotFoundError
from remit.ids import AgentId
from remit.model import Catalog
from remit.registry import store
from remit.registry.agents import knows_agent

__all__ = ["resume_agent", "suspend_agent"]


def suspend_agent(
    tx: Transaction,
    agent_id: AgentId,
    *,
    reason: str,
    catalog: Catalog,
    now: EpochSeconds,
    context: Context,
) -> store.Suspension:
    """Stop an agent: every call is refused from the next snapshot on. Its grants stay.

    Raises:
        NotFoundError: there is no such agent.
        ConflictError: it is suspended already.
    """
    if not knows_agent(catalog, agent_id):
        raise NotFoundError("there is no such agent in the repository")
    suspension = store.Suspension(
        agent_id=agent_id,
        suspended_at=now,
        reason=reason,
        changed_by=context.actor.id or context.actor.type.value,
    )
    if not store.add_suspension(tx, suspension):
        raise ConflictError(f"the agent `{agent_id}` is suspended already")
    tx.record(AgentSuspended(context=context.with_(agent_id=agent_id), reason=reason))
    return suspension


def resume_agent(
    tx: Transaction, agent_id: AgentId, *, reason: str, catalog: Catalog, context: Context
) -> None:
    """Let a suspended agent act again.

    Raises:
        NotFoundError: there is no such agent.
        ConflictError: it is not suspended.
    """
    if not store.remove_suspension(tx, agent_id):
        if not knows_agent(catalog, agent_id):
            raise NotFoundError("there is no such agent in the repository")
        raise ConflictError(f"the agent `{agent_id}` is not suspended")
    tx.record(AgentResumed(context=context.with_(agent_id=agent_id), reason=reason))
