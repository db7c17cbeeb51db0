"""Who acts: which agent a client is, which agents are stopped, and the snapshots that say so.

Refuses: nothing by itself; an agent that nobody registered gets the least there is.
"""

from remit.registry.agents import AgentListing, agent_of_client, list_agents
from remit.registry.directory import RegistryDirectory
from remit.registry.standing import resume_agent, suspend_agent
from remit.registry.store import Suspension, suspended_agents, suspensions

__all__ = [
    "AgentListing",
    "RegistryDirectory",
    "Suspension",
    "agent_of_client",
    "list_agents",
    "resume_agent",
    "suspend_agent",
    "suspended_agents",
    "suspensions",
]
