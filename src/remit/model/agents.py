"""Agents, the OAuth clients they are, and what each may at most hold."""

from dataclasses import dataclass

from remit.canonical import JsonObject
from remit.ids import AgentId, ScopeName, ServerName, TenantId
from remit.model.levels import AgentClass, Environment, Sensitivity
from remit.model.limits import NO_LIMITS, CallLimits

__all__ = [
    "Agent",
    "AgentClients",
    "StaticClient",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticClient:
    """A client registered beforehand, in the repository.

    `secret` names a secret (`env:NAME` or `file:PATH`); a client without one, and without
    keys of its own, is public.
    """

    client_id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    secret: str | None = None
    jwks: JsonObject | None = None
    """Public keys with which it signs its assertions (`private_key_jwt`), instead of a secret."""
    jwks_uri: str | None = None
    dpop_bound_access_tokens: bool = False
    """Whether it gets tokens only with a proof of possession (RFC 9449 §5.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentClients:
    """Which OAuth clients are this agent.

    `dynamic_redirect_uris`: a dynamically registered client all of whose redirect
    URIs are listed here is this agent. It is identified by where its codes go, never
    by the name it gave itself.
    """

    static: tuple[StaticClient, ...] = ()
    metadata_documents: tuple[str, ...] = ()
    dynamic_redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent: who answers for it, and what it may at most hold."""

    id: AgentId
    name: str
    owner: str
    agent_class: AgentClass
    scopes: tuple[ScopeName, ...]
    environments: tuple[Environment, ...]
    tenants: tuple[TenantId, ...]
    clients: AgentClients
    max_sensitivity: Sensitivity = Sensitivity.MEDIUM
    purpose: str = ""
    regions: tuple[str, ...] = ()
    """The only regions whose servers it may use; empty: all."""
    delegates: tuple[AgentId, ...] = ()
    """The agents that may exchange its tokens for narrower ones of their own (`may_act`)."""
    exchange_servers: tuple[ServerName, ...] = ()
    """The servers it may exchange a token for; empty: none but the token's own."""
    dpop_required: bool = False
    """Whether its tokens are always bound to a key."""
    limits: CallLimits = NO_LIMITS
    """What this agent may ask in each organisation, whoever it acts for; where it says nothing, `Guardrails.limits_per_agent`."""
