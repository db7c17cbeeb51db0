"""What was decided of a call, and what became of it. Re-exported by `audit.events`, which is where to import them from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from remit.audit.event import Durability, Event
from remit.canonical import Json

__all__ = ["CallCompleted", "Decided", "ServerDiscovered"]

_NOTHING: Mapping[str, Json] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Event):
    """One decision at the gateway. For an allowed call it is the record of intent.

    `outcome` is `allow`, `deny` or `challenge`; `reason` is a stable word from the
    reference page of refusals.
    """

    kind: ClassVar[str] = "decision"
    vetted: ClassVar[bool] = True
    decision_id: str
    server: str
    method: str
    name: str | None
    outcome: str
    reason: str
    operation: str | None = None
    sensitivity: str | None = None
    scopes_required: tuple[str, ...] = ()
    scopes_missing: tuple[str, ...] = ()
    scopes_token: tuple[str, ...] = ()
    rules: tuple[Mapping[str, Json], ...] = ()
    policy_version: str | None = None
    catalog_version: str | None = None
    engine: str | None = None
    engine_errors: tuple[str, ...] = ()
    micros: int = 0
    jti_digest: str | None = None
    claims: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    input: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    input_digest: str | None = None
    jsonrpc_id: str | None = None
    protocol_version: str | None = None
    guard: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    """For what a guard inside a server decided: its `instance`, and `sequence` and `time` in its own log."""
    obligations: tuple[Mapping[str, Json], ...] = ()
    """What the rules that decided ask for besides: `kind`, `value` and `rule`."""
    observed: tuple[Mapping[str, Json], ...] = ()
    """Rules that would have refused, had their mode, their server's or their tenant's been `enforce`."""
    history: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    """The facts of the past that policies read, as they were told of them."""
    justification: str | None = None
    """Why, in the caller's words: a keyed token of them, unless the catalog says that they are kept."""
    sealed_arguments: str | None = None
    """The declared arguments as policies read them, for deciding again; none but Remit can open it."""
    on_trial: bool = False
    """Whether the bundle that decided was on trial for this agent."""
    task_of: str | None = None
    """The decision under which the task began that this is a use of."""
    elevation: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    """What people said yes to, as policies were told of it: `id`, `roles`, `acr`, `confirmed_at`, `scopes`."""
    approval: str | None = None
    """The request that people were asked for the cure by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCompleted(Event):
    """What became of an allowed call.

    `outcome`: `ok`, `tool_error`, `error`, `cancelled`, `upstream_failed`, `connection_needed`, `delegated`,
    `task`, or `unknown`: the process died meanwhile, and another recorded that nobody knows.
    """

    kind: ClassVar[str] = "call.completed"
    vetted: ClassVar[bool] = True
    durability: ClassVar[Durability] = Durability.ANSWER
    reserved: ClassVar[bool] = True
    decision_id: str
    server: str
    method: str
    name: str | None
    outcome: str
    error_code: int | None = None
    upstream_status: int | None = None
    size: int = 0
    output_digest: str | None = None
    micros: int = 0
    guard: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    """For what a guard inside a server decided: its `instance`, and `sequence` and `time` in its own log."""
    reconciled: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    """Of an outcome that nobody knows: `log` and `seq` of the record of intent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDiscovered(Event):
    """A known caller asked a server what it is: `initialize`, or `server/discover`. What they may use of it is decided later."""

    kind: ClassVar[str] = "server.discovered"
    durability: ClassVar[Durability] = Durability.SOON
    server: str
    method: str
    protocol_version: str | None = None
