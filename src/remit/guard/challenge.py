"""How a refusal is said on the wire: status, `WWW-Authenticate`, JSON-RPC error.

Source: RFC 6750 §3; RFC 9728 §5.1; MCP 2026-07-28 authorization, error handling.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from remit.canonical import JsonObject
from remit.guard.outcome import Challenge, Deny
from remit.ids import ScopeName

__all__ = ["RefusalResponse", "refusal_response", "www_authenticate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalResponse:
    """`error` is the JSON-RPC error object: `code`, `message`, `data` of reason, detail, scopes and how."""

    status: int
    headers: tuple[tuple[str, str], ...]
    error: JsonObject


def refusal_response(
    outcome: Challenge | Deny, *, resource_metadata_url: str, baseline: Sequence[ScopeName] = ()
) -> RefusalResponse:
    """What a door sends for `outcome`; `baseline` are the server's, for a 401."""
    raise NotImplementedError


def www_authenticate(
    outcome: Challenge | Deny, *, resource_metadata_url: str, baseline: Sequence[ScopeName] = ()
) -> str | None:
    """The value of `WWW-Authenticate`; `None` where the refusal is no matter of credentials."""
    raise NotImplementedError
