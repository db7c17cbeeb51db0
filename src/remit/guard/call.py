"""One call as a door hands it to the guard, and what became of it."""

from dataclasses import dataclass

from remit.audit.context import Context
from remit.canonical import JsonObject
from remit.ids import ServerName
from remit.policy.evaluation import ResourceKind

__all__ = ["Call", "CallResult"]

# Clients of the revisions before this one replace their scopes at a step-up instead of adding to them.
_ADDS_SCOPES_SINCE = "2026-07-28"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to an MCP server, parsed once by the door.

    `kind` and `name` say what is used: `TOOL` and its name for `tools/call`, `RESOURCE`
    and the URI for `resources/read`, `PROMPT` and its name for `prompts/get`; `name` is
    `None` for a list, both are for what uses nothing, such as `ping`. `authorization`
    holds every `Authorization` header as it came. `context` brings network and trace;
    the guard adds who acted.
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

    @property
    def replaces_scopes(self) -> bool:
        """Whether the client drops the scopes it has when a challenge names others (before 2026-07-28)."""
        return self.protocol_version is None or self.protocol_version < _ADDS_SCOPES_SINCE


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """What became of a permitted call, as `events.CallCompleted` records it.

    `outcome`: `ok`, `tool_error`, `error`, `cancelled` or `upstream_failed`.
    """

    outcome: str
    error_code: int | None = None
    upstream_status: int | None = None
    size: int = 0
    output_digest: str | None = None
    micros: int = 0
