"""Who acts: which agent a client is, which agents are stopped, and the snapshots that say so.

Refuses: nothing by itself; an agent that nobody registered gets the least there is. What is asked for is
loaded when it is: a guard inside a server knows the rules of definitions, and no database.
"""

import importlib
import types
import typing

if typing.TYPE_CHECKING:
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

_STANDS_IN = types.MappingProxyType(
    {
        "AgentListing": "agents",
        "RegistryDirectory": "directory",
        "Suspension": "store",
        "agent_of_client": "agents",
        "list_agents": "agents",
        "resume_agent": "standing",
        "suspend_agent": "standing",
        "suspended_agents": "store",
        "suspensions": "store",
    }
)


def __getattr__(name: str) -> object:
    """What is asked for by `name`, and loaded by that (PEP 562)."""
    module = _STANDS_IN.get(name)
    if module is None:
        raise AttributeError(f"module `remit.registry` has no `{name}`")
    return getattr(importlib.import_module(f"remit.registry.{module}"), name)
