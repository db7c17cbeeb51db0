"""MCP servers and what they offer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from remit.clock import Seconds
from remit.ids import ScopeName, ServerName, TenantId
from remit.model.credentials import Credential, SecretCredential
from remit.model.engines import Mode
from remit.model.levels import (
    ArgumentType,
    AuditTreatment,
    Environment,
    Operation,
    Pinning,
    Sensitivity,
)
from remit.model.limits import NO_LIMITS, CallLimits

__all__ = [
    "Argument",
    "HttpUpstream",
    "Prompt",
    "Resource",
    "Server",
    "StdioUpstream",
    "ThirdParty",
    "Tool",
    "Upstream",
]

_EMPTY: Mapping[str, str] = MappingProxyType({})


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

    `bearer_secret` is the short form of a credential: a secret that Remit sends as its own bearer
    token. The caller's token is never sent.
    """

    url: str
    bearer_secret: str | None = None
    credential: Credential | None = None
    timeout: Seconds = Seconds(60)

    @property
    def presents(self) -> Credential | None:
        """With what Remit proves itself there, in either form."""
        if self.credential is None and self.bearer_secret is not None:
            return SecretCredential(secret=self.bearer_secret)
        return self.credential


@dataclass(frozen=True, slots=True, kw_only=True)
class StdioUpstream:
    """A server started as a child process and spoken to over its standard streams.

    `environment` values may be `env:NAME`, `file:PATH` or `stored:NAME`; nothing else of Remit's
    own environment reaches the child but `PATH`, `HOME`, `LANG`, `TZ` and what `inherit` names.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    working_directory: str | None = None
    timeout: Seconds = Seconds(60)
    inherit: tuple[str, ...] = ()
    """Names of Remit's own environment variables that the child gets besides."""
    max_memory_bytes: int | None = None
    max_cpu_seconds: Seconds | None = None
    max_open_files: int | None = None
    max_processes: int | None = None


Upstream = HttpUpstream | StdioUpstream


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdParty:
    """An authorization server at which Remit is one static client for all people.

    `secret` names a secret. What it issues is kept sealed per person, and never leaves but to the server.
    """

    issuer: str
    client_id: str
    secret: str | None = None
    scopes: tuple[str, ...] = ()
    resource: str | None = None
    title: str = ""
    private_network: bool = False
    """Whether its addresses may be private or loopback; http then, too, for loopback alone."""


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

    region: str | None = None
    """Where its data lives, for the region limits of agents."""
    dpop_required: bool = False
    """Whether only tokens bound to a key are good here (RFC 9728 `dpop_bound_access_tokens_required`)."""
    introspection_secret: str | None = None
    """Names the secret with which this server may ask whether a token is good (RFC 7662 §2.1)."""
    connection: ThirdParty | None = None
    """The third party whose API it needs on each person's behalf, consented to before anything is forwarded."""
    limits: CallLimits = NO_LIMITS
    """What the callers of one organisation together may ask of it: nobody is shut out by another's."""
    max_request_bytes: int | None = None
    """One message to it; `None`: what the gateway takes from anybody."""
    max_response_bytes: int | None = None
    """One message of its answer; `None`: what the gateway takes from any server."""
    pinning: Pinning = Pinning.FIRST_USE
    """When the definition of a thing of its counts as admitted."""
    allowed_methods: tuple[str, ...] = ()
    """Methods beyond those the gateway knows that whoever may use the server may send."""
    allowed_extensions: tuple[str, ...] = ()
    """Extensions beyond those the gateway knows that it may offer and clients may ask for."""
    guard_secret: str | None = None
    """Names the secret with which a guard inside this server fetches snapshots and delivers its records."""
    resource_identifier: str | None = None
    """The URL at which clients reach it, if that is not the gateway's; tokens for it are for this URL."""
    engine: str | None = None
    """Which external engine permits calls of it; `None`: the tenant's, or else this repository's policies."""
    mode: Mode = Mode.ENFORCE
    """Whether what policies refuse is refused, or only recorded."""
    justification: AuditTreatment = AuditTreatment.TOKEN
    """What the log keeps of why somebody calls: `TOKEN` or `KEEP`."""

    @property
    def scopes(self) -> tuple[ScopeName, ...]:
        """Every scope that anything on this server requires, sorted."""
        required = {scope for tool in self.tools.values() for scope in tool.scopes}
        required.update(scope for resource in self.resources for scope in resource.scopes)
        required.update(scope for prompt in self.prompts.values() for scope in prompt.scopes)
        return tuple(sorted(required))
