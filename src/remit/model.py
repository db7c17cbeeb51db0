"""The nouns of a policy repository, as everything else sees them.

`Catalog` is the whole of what was declared: parsed, checked, frozen. It holds
no run-time state; who is suspended or revoked is `registry.Standing`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

from remit.clock import Seconds
from remit.ids import AgentId, ScopeName, ServerName, TenantId
from remit.scopes import Hierarchy

__all__ = [
    "Agent",
    "AgentClass",
    "AgentClients",
    "Argument",
    "ArgumentType",
    "AttributeRule",
    "AuditTreatment",
    "Catalog",
    "ClientKind",
    "Environment",
    "Guardrails",
    "HttpUpstream",
    "Issuer",
    "Operation",
    "Prompt",
    "Registration",
    "Resource",
    "Role",
    "ScopeDefinition",
    "Sensitivity",
    "Server",
    "StaticClient",
    "StdioUpstream",
    "Tenant",
    "Tool",
    "Upstream",
]

Environment = NewType("Environment", str)
"""A name declared under `environments` in `remit.yaml`, such as `prod`."""

_EMPTY: Mapping[str, str] = MappingProxyType({})


class Operation(StrEnum):
    """What a tool does to the world; policies and guardrails speak of these."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    EXPORT = "export"
    EXECUTE = "execute"
    ADMIN = "admin"
    IMPERSONATE = "impersonate"


class Sensitivity(StrEnum):
    """How much harm one call can do, least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for `low` to 3 for `critical`, for comparison."""
        return list(Sensitivity).index(self)


class ArgumentType(StrEnum):
    """How a tool's argument reaches a policy."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    MONEY = "money"
    STRINGS = "strings"


class AuditTreatment(StrEnum):
    """What the audit log keeps of one argument."""

    TOKEN = "token"  # noqa: S105  a keyed pseudonym, not a password
    KEEP = "keep"
    DROP = "drop"
    LAST4 = "last4"


class AgentClass(StrEnum):
    """What sort of software acts."""

    ASSISTANT = "assistant"
    IDE = "ide"
    AUTONOMOUS = "autonomous"
    WORKLOAD = "workload"
    UNREGISTERED = "unregistered"


class ClientKind(StrEnum):
    """How a client came to be known."""

    STATIC = "static"
    METADATA_DOCUMENT = "metadata_document"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """An organisation whose people, data and log are its own."""

    id: TenantId
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a tool that policies may read.

    `pointer` is an RFC 6901 JSON pointer into the call's `arguments`. For
    `money`, `currency` is fixed or `currency_pointer` says where to read it.
    """

    name: str
    type: ArgumentType
    pointer: str
    required: bool = False
    currency: str | None = None
    currency_pointer: str | None = None
    audit: AuditTreatment = AuditTreatment.TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool of a server: what it does, and what calling it takes."""

    name: str
    operation: Operation
    scopes: tuple[ScopeName, ...]
    sensitivity: Sensitivity
    description: str = ""
    data_categories: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource, or family of resources, by exact URI or RFC 6570 level 1 template."""

    uri: str
    is_template: bool
    operation: Operation
    scopes: tuple[ScopeName, ...]
    sensitivity: Sensitivity
    description: str = ""
    data_categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt of a server."""

    name: str
    scopes: tuple[ScopeName, ...]
    sensitivity: Sensitivity
    description: str = ""
    data_categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpUpstream:
    """A server reached by streamable HTTP.

    `bearer_secret` names a secret (`env:NAME` or `file:PATH`) that Remit sends as
    its own credential; the caller's token is never sent.
    """

    url: str
    bearer_secret: str | None = None
    timeout: Seconds = Seconds(60)


@dataclass(frozen=True, slots=True, kw_only=True)
class StdioUpstream:
    """A server started as a child process and spoken to over its standard streams.

    `environment` values may be `env:NAME` or `file:PATH`; nothing else of Remit's
    own environment reaches the child but `PATH`, `HOME`, `LANG` and `TZ`.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    working_directory: str | None = None
    timeout: Seconds = Seconds(60)


Upstream = HttpUpstream | StdioUpstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One MCP server in the catalog. `tenant` is `None` for a server that tenants share."""

    name: ServerName
    title: str
    owner: str
    tenant: TenantId | None
    environment: Environment
    upstream: Upstream
    tools: Mapping[str, Tool]
    resources: tuple[Resource, ...] = ()
    prompts: Mapping[str, Prompt] = field(default_factory=lambda: MappingProxyType({}))
    description: str = ""
    baseline_scopes: tuple[ScopeName, ...] = ()
    """What the 401 challenge and the protected-resource metadata ask for: the minimum to be useful."""

    @property
    def scopes(self) -> tuple[ScopeName, ...]:
        """Every scope that anything on this server requires, sorted."""
        required = {scope for tool in self.tools.values() for scope in tool.scopes}
        required.update(scope for resource in self.resources for scope in resource.scopes)
        required.update(scope for prompt in self.prompts.values() for scope in prompt.scopes)
        return tuple(sorted(required))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeDefinition:
    """A scope in words a person understands.

    `name` may hold placeholders (`tenant:read:{organization_id}`), each filled
    from the subject's claim of that name when a token is issued.
    """

    name: ScopeName
    title: str
    description: str
    covers: tuple[ScopeName, ...] = ()
    data_categories: tuple[str, ...] = ()
    sensitivity: Sensitivity = Sensitivity.LOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role and the scopes a person holding it may at most grant to an agent."""

    name: str
    scopes: tuple[ScopeName, ...]
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRule:
    """People whose attributes match all of `attributes` hold `roles`."""

    attributes: Mapping[str, str]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticClient:
    """A client registered beforehand, in the repository.

    `secret` names a secret (`env:NAME` or `file:PATH`); a client without one is public.
    """

    client_id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    secret: str | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """Limits that hold for every agent, whatever its own file or a policy says."""

    max_scopes_per_agent: int = 20
    max_scopes_per_token: int = 20
    forbidden_scopes: tuple[ScopeName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Which clients may introduce themselves."""

    dynamic: bool = True
    metadata_documents: bool = True
    metadata_document_hosts: tuple[str, ...] = ()
    """When not empty, only documents on these hosts are fetched."""
    redirect_uri_schemes: tuple[str, ...] = ()
    """Private-use schemes admitted besides https and loopback, such as `cursor`."""


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
