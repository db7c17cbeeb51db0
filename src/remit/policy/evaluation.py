"""The question put to a policy engine, in the shape of AuthZEN 1.0.

Subject, action, resource and context. Nothing in it is taken on trust from the
caller but `Context.arguments`, which are the caller's own words and are typed by
the catalog before they get here.

Source: AuthZEN Authorization API 1.0 §5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from remit.clock import EpochSeconds
from remit.ids import AgentId, ClientId, ScopeName, ServerName, TenantId
from remit.model import AgentClass, Environment, ExternalEngine, Operation, Sensitivity
from remit.policy.history import History

__all__ = [
    "NOT_ELEVATED",
    "AgentFacts",
    "ArgumentValue",
    "Context",
    "Elevation",
    "Evaluation",
    "Money",
    "Phase",
    "ResourceFacts",
    "ResourceKind",
    "Subject",
    "SubjectKind",
    "TokenFacts",
]

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Phase(StrEnum):
    """When the question is asked."""

    ISSUE = "issue"
    """May a token be issued for this server at all? Asked once per issuance; the resource is the server."""
    LIST = "list"
    """Might this caller be allowed to use it? Arguments are not known yet."""
    CALL = "call"
    """May this very call happen?"""


class SubjectKind(StrEnum):
    USER = "user"
    WORKLOAD = "workload"


class ResourceKind(StrEnum):
    SERVER = "server"
    TOOL = "tool"
    RESOURCE = "resource"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its currency (ISO 4217). Exact; at most four decimals reach a policy."""

    value: Decimal
    currency: str


ArgumentValue = str | int | bool | Decimal | Money | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The person for whom the agent acts, or the workload that acts for itself."""

    kind: SubjectKind
    id: str
    tenant: TenantId
    roles: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """The agent, as registered."""

    id: AgentId
    agent_class: AgentClass
    owner: str
    max_sensitivity: Sensitivity


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What the verified token says; at issuance, what the token would say."""

    client_id: ClientId
    scopes: tuple[ScopeName, ...]
    acr: str | None = None
    amr: tuple[str, ...] = ()
    auth_time: EpochSeconds | None = None
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFacts:
    """What the action is on, as the catalog has it."""

    kind: ResourceKind
    server: ServerName
    name: str
    tenant: TenantId | None
    environment: Environment
    operation: Operation
    sensitivity: Sensitivity
    data_categories: tuple[str, ...] = ()
    owner: str = ""
    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elevation:
    """What people said of this very call, and of no other."""

    roles: tuple[str, ...] = ()
    """In whose name it was approved."""
    acr: str | None = None
    """How strongly the person of the call proved who they are when they confirmed it."""
    confirmed_at: EpochSeconds | None = None
    scopes: tuple[ScopeName, ...] = ()
    """What it may use besides what the token has."""


NOT_ELEVATED = Elevation()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The circumstances. `time_zone` is the subject's tenant's; `ip` is the peer, proxies resolved."""

    now: EpochSeconds
    time_zone: str
    ip: str | None = None
    arguments: Mapping[str, ArgumentValue] | None = None
    """`None` in the phases where they are not known; an empty mapping where there are none."""
    networks: tuple[str, ...] = ()
    """The names, as `remit.yaml` declares them, of the networks that `ip` is in."""
    justification: str | None = None
    """Why, in the caller's own words; `None` when nothing was said."""
    told: Mapping[str, str] | None = None
    """What of it `approvals.yaml` declares, by its name and as it is declared; `None` when nothing is."""
    history: History | None = None
    """The declared facts of what was done before, this call counted in; `None` where no policy asks."""
    elevation: Elevation = NOT_ELEVATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One question: may this subject, through this agent, do this to that, here and now?"""

    phase: Phase
    subject: Subject
    agent: AgentFacts
    token: TokenFacts
    resource: ResourceFacts
    context: Context
    engine: ExternalEngine | None = None
    """Who permits it, outside this process; `None`: the repository's policies. No policy reads this."""
