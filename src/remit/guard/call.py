"""One call as a door hands it to the guard, and what became of it."""

from dataclasses import dataclass

from remit.audit.context import Context
from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.ids import ServerName
from remit.policy.evaluation import ResourceKind

__all__ = ["Call", "CallResult", "Earlier", "RequestProof"]

# Clients of the revisions before this one replace their scopes at a step-up instead of adding to them.
_ADDS_SCOPES_SINCE = "2026-07-28"
_LOOKS_AHEAD = frozenset(
    {"completion/complete", "resources/subscribe", "resources/unsubscribe", "subscriptions/listen"}
)


class RequestProof:
    """What one HTTP request brings to prove the possession of a key (RFC 9449 §7.1).

    `method` and `uri` are those the client used, `values` every `DPoP` header as it came. One
    request may be put to the guard more than once, and a stream of it for as long as it is open; its
    proof is judged once. `next_nonce` is what the answer offers for the next proof, if anything.
    """

    __slots__ = ("_proved", "method", "next_nonce", "uri", "values")

    def __init__(self, method: str, uri: str, values: tuple[str, ...]) -> None:
        self.method = method
        self.uri = uri
        self.values = values
        self.next_nonce: str | None = None
        self._proved: str | None = None

    def is_proved(self, token: str) -> bool:
        """Whether this request was found to prove the key of `token`."""
        return self._proved is not None and self._proved == token

    def note_proved(self, token: str) -> None:
        """Remember that this request proves the key of `token`."""
        self._proved = token


@dataclass(frozen=True, slots=True)
class Earlier:
    """The decision about a call when it came before, and its server asked something first; and when that was."""

    decision_id: str
    at: EpochSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to an MCP server, parsed once by the door.

    `kind` and `name` say what is used: `TOOL` and its name for `tools/call`, `RESOURCE`
    and the URI for `resources/read`, `PROMPT` and its name for `prompts/get`; `name` is
    `None` for a list, both are for what uses nothing, such as `ping`. `authorization`
    holds every `Authorization` header as it came; `proof` is what came to prove the
    possession of a key, and without it no bound token is good. `context` brings network and
    trace; the guard adds who acted. `task_of` is the decision under which the task began that
    this is a use of; `arguments` are then those of that call that policies read, and no others.
    """

    server: ServerName
    method: str
    authorization: tuple[str, ...]
    context: Context
    kind: ResourceKind | None = None
    name: str | None = None
    arguments: "JsonObject | None" = None
    jsonrpc_id: str | int | None = None
    protocol_version: str | None = None
    proof: RequestProof | None = None
    task_of: str | None = None
    justification: str | None = None
    """Why, in the caller's own words; `justification_of` says what may stand here."""
    earlier: Earlier | None = None
    """Of a call that comes again with what its server asked for: whoever hands it over knows that it is the same."""

    @property
    def looks_ahead(self) -> bool:
        """Whether it is decided like a use of the thing and is none: nobody is asked about it, nor is anything spent for it."""
        return self.method in _LOOKS_AHEAD

    @property
    def replaces_scopes(self) -> bool:
        """Whether the client drops the scopes it has when a challenge names others (before 2026-07-28)."""
        return self.protocol_version is None or self.protocol_version < _ADDS_SCOPES_SINCE


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """What became of a permitted call, as `events.CallCompleted` records it.

    `outcome`: `ok`, `tool_error`, `error`, `cancelled`, `upstream_failed`, `connection_needed` (the
    person has to connect an account first), `task` (the call has
    become a task, or that task is not at its end), or `delegated`: another
    gateway asked for the decision, and what it did is not known here.
    """

    outcome: str
    error_code: int | None = None
    upstream_status: int | None = None
    size: int = 0
    output_digest: str | None = None
    micros: int = 0
