"""The whole of what a policy repository declares: parsed, checked, frozen.

It holds no run-time state; who is suspended or revoked is `guard.ports.Standing`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from remit.clock import Seconds
from remit.ids import AgentId, ScopeName, ServerName, TenantId
from remit.model.agents import Agent
from remit.model.approvals import NO_APPROVALS, Approvals
from remit.model.audit import NO_AUDIT_RULES, AuditRules
from remit.model.deployment import DeploymentRules
from remit.model.engines import ExternalEngine, Mode
from remit.model.history import HistoryFact
from remit.model.levels import Environment
from remit.model.limits import NO_LIMITS, CallLimits
from remit.model.management import MANAGEMENT
from remit.model.people import AttributeRule, Role, SignIn
from remit.model.registration import Registration
from remit.model.scope_definition import ScopeDefinition
from remit.model.servers import Server
from remit.model.trust import Trust
from remit.scopes import Hierarchy

__all__ = [
    "Catalog",
    "Guardrails",
    "Issuer",
    "ScopeDefinition",
    "Tenant",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """An organisation whose people, data and log are its own."""

    id: TenantId
    name: str
    time_zone: str
    engine: str | None = None
    """Which external engine permits what is asked for its people; `None`: this repository's policies."""
    mode: Mode = Mode.ENFORCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """Limits that hold for every agent, whatever its own file or a policy says."""

    max_scopes_per_agent: int = 20
    max_scopes_per_token: int = 20
    forbidden_scopes: tuple[ScopeName, ...] = ()
    max_delegation_depth: int = 3
    """How many actors an exchanged token may name, the first included (RFC 8693 §4.1)."""
    limits_per_agent: CallLimits = NO_LIMITS
    limits_per_user: CallLimits = NO_LIMITS
    """What may be asked on behalf of one person, by whatever agents; a workload counts as its agent alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """How long what the authorization server issues may live."""

    name: str
    access_token_lifetime: Seconds = Seconds(600)
    refresh_token_idle: Seconds = Seconds(7 * 86_400)
    grant_lifetime: Seconds = Seconds(30 * 86_400)
    code_lifetime: Seconds = Seconds(60)
    session_idle: Seconds = Seconds(3_600)
    session_lifetime: Seconds = Seconds(12 * 3_600)
    signing_key_lifetime: Seconds = Seconds(90 * 86_400)
    """After so long a new key signs; 0: only when an administrator says so."""
    default_scopes: tuple[ScopeName, ...] = ()
    """Granted when a request names no scope and its resource declares no baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All that a policy repository declares, but for the policies themselves.

    `version` is the SHA-256, in hexadecimal, over every file of the repository that counts.
    """

    version: str
    issuer: Issuer
    tenants: Mapping[TenantId, Tenant]
    environments: tuple[Environment, ...]
    guardrails: Guardrails
    registration: Registration
    servers: Mapping[ServerName, Server]
    scopes: Mapping[ScopeName, ScopeDefinition]
    hierarchy: Hierarchy
    roles: Mapping[str, Role]
    attribute_rules: tuple[AttributeRule, ...]
    agents: Mapping[AgentId, Agent]
    unregistered: Agent
    """The agent that a client nobody has claimed is: least of all."""
    sign_in: SignIn = SignIn()
    trust: Trust = Trust()
    engines: Mapping[str, ExternalEngine] = field(default_factory=lambda: MappingProxyType({}))
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Names of networks, with their address ranges (CIDR), as `context.networks` has them."""
    history: Mapping[str, HistoryFact] = field(default_factory=lambda: MappingProxyType({}))
    deployment: DeploymentRules = DeploymentRules()
    approvals: Approvals = NO_APPROVALS
    audit: AuditRules = NO_AUDIT_RULES

    @property
    def told(self) -> Collection[str]:
        """What a call may tell of why it is made, by the names that policies read it by."""
        return self.approvals.justifications.keys()

    def server_named(self, name: ServerName) -> Server | None:
        """What a token may be for: a server of the repository, or the management API; `None` for neither.

        `servers` are those that the gateway stands before, and no others.
        """
        return MANAGEMENT if name == MANAGEMENT.name else self.servers.get(name)

    def engine_for(self, server: Server, tenant: TenantId) -> ExternalEngine | None:
        """Who permits calls of `server` to people of `tenant` outside this process; `None`: the repository's policies.

        The server's own word counts before the tenant's. Of the management API it is never anybody: who is
        locked out of it by an engine that fails could not put another in its place.
        """
        name = server.engine or self.tenants[tenant].engine
        return None if name is None or server.name == MANAGEMENT.name else self.engines[name]

    def held_roles(self, roles: Iterable[str], attributes: Mapping[str, str]) -> tuple[str, ...]:
        """The roles of a person: those given that are declared, and those that their attributes bring."""
        held = list(roles)
        for rule in self.attribute_rules:
            if rule.attributes and rule.attributes.items() <= attributes.items():
                held.extend(rule.roles)
        return tuple(role for role in dict.fromkeys(held) if role in self.roles)
