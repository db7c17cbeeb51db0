"""Which agent a client is, and the list of all agents.

A client of the repository is the agent that lists it; a metadata document is the agent
that lists its exact URL; a client that registered itself is the agent that lists *all* of
its redirect URIs, since what it says of itself is worth nothing but where its codes go
is a fact. On loopback the port is not compared (RFC 8252 §7.3). Everything else is the
unregistered agent.

Source: MISSION E1, E2; RFC 8252 §7.3, §8.4; MCP 2026-07-28 (client id metadata documents).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from remit.ids import AgentId
from remit.model import Agent, Catalog, ClientKind
from remit.registry.store import Suspension

__all__ = ["AgentListing", "agent_of_client", "knows_agent", "list_agents"]

_LOOPBACK_PORT = re.compile(r"\A(http://(?:127\.0\.0\.1|\[::1\]|localhost)):[0-9]{1,5}(?=[/?]|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentListing:
    """An agent as declared, and its suspension if it is stopped."""

    agent: Agent
    suspension: Suspension | None


def agent_of_client(
    catalog: Catalog, kind: ClientKind, *, client_id: str, redirect_uris: Sequence[str] = ()
) -> Agent:
    """The agent that a client is; the unregistered one where no agent claims it.

    Two agents that claim the same client claim nothing: it is unregistered.
    """
    claims = [
        agent
        for agent in catalog.agents.values()
        if _is_claimed(agent, kind, client_id=client_id, redirect_uris=redirect_uris)
    ]
    return claims[0] if len(claims) == 1 else catalog.unregistered


def knows_agent(catalog: Catalog, agent_id: AgentId) -> bool:
    """Whether there is such an agent, the unregistered one included."""
    return agent_id in catalog.agents or agent_id == catalog.unregistered.id


def list_agents(catalog: Catalog, suspensions: Iterable[Suspension]) -> tuple[AgentListing, ...]:
    """Every agent of the catalog by name, the unregistered one last, with its standing."""
    stopped: Mapping[AgentId, Suspension] = {one.agent_id: one for one in suspensions}
    named = sorted(catalog.agents.values(), key=lambda agent: agent.id)
    return tuple(
        AgentListing(agent=agent, suspension=stopped.get(agent.id))
        for agent in (*named, catalog.unregistered)
    )


def _is_claimed(
    agent: Agent, kind: ClientKind, *, client_id: str, redirect_uris: Sequence[str]
) -> bool:
    clients = agent.clients
    if kind is ClientKind.STATIC:
        return any(client.client_id == client_id for client in clients.static)
    if kind is ClientKind.METADATA_DOCUMENT:
        return client_id in clients.metadata_documents
    listed = frozenset(_without_loopback_port(uri) for uri in clients.dynamic_redirect_uris)
    # One URI that is not listed is enough for a code to go elsewhere.
    return bool(redirect_uris) and all(
        _without_loopback_port(uri) in listed for uri in redirect_uris
    )


def _without_loopback_port(uri: str) -> str:
    """`uri`, but for the port of an http URI on a loopback host, which is chosen anew each time."""
    return _LOOPBACK_PORT.sub(r"\1", uri, count=1)
