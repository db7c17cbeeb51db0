"""Who acted, through what, from where: the part of the envelope every event shares.

`null` in the log means "not known here", never "not recorded".
Source: AUDIT envelope groups `scope`, `principal`, `network`, `correlation`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = ["Actor", "ActorType", "Context", "Network", "Trace"]


class ActorType(StrEnum):
    USER = "user"
    AGENT = "agent"
    CLIENT = "client"
    ADMIN = "admin"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `id` is an opaque identifier of ours, never free text of the caller's."""

    type: ActorType
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """The peer as Remit saw it: `ip` after trusted proxies, `user_agent` cut to 256 printable characters."""

    ip: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """W3C trace context: taken from the request if well formed, else minted. Never trusted for a decision."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known of the circumstances when an event happens."""

    actor: Actor = Actor(ActorType.SYSTEM)
    tenant: str | None = None
    environment: str | None = None
    user_id: str | None = None
    agent_id: str | None = None
    client_id: str | None = None
    grant_id: str | None = None
    flow_id: str | None = None
    network: Network = Network()
    trace: Trace | None = None

    def with_(self, **changes: object) -> "Context":
        """A copy in which `changes` are known too."""
        return replace(self, **changes)  # type: ignore[arg-type]  # names are checked by replace
