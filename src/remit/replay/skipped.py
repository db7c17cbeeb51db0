"""Which recorded decisions are not decided again, and why."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

__all__ = ["WHY", "Skipped", "skipped_for"]


class Skipped(StrEnum):
    """In one word, why a decision is not decided again."""

    LIST = "list"
    TOKEN = "token"  # noqa: S105  a reason, not a password
    LIMITS = "limits"
    ARGUMENTS = "arguments"
    QUARANTINED = "quarantined"
    FAILED = "failed"
    NOBODY = "nobody"
    METHOD = "method"
    CUT = "cut"
    DETAILS = "details"
    UNREADABLE = "unreadable"


WHY: Final[Mapping[str, str]] = MappingProxyType(
    {
        Skipped.LIST: "lists, of which the log does not say what they showed",
        Skipped.TOKEN: "refused for the token, its proof or who may act at all, before any policy",
        Skipped.LIMITS: "refused for how much was asked, before any policy",
        Skipped.ARGUMENTS: "refused for arguments of another form, before any policy",
        Skipped.QUARANTINED: "refused because a definition waited for review",
        Skipped.FAILED: "refused because something failed",
        Skipped.NOBODY: "of nobody's account, such as Remit's test of itself",
        Skipped.METHOD: "of methods that use nothing in particular",
        Skipped.CUT: "of names too long for the log",
        Skipped.DETAILS: "under authorization details that were not recorded",
        Skipped.UNREADABLE: "in a form that this version does not read",
    }
)
"""What a reader is told of each."""

_CUT: Final = "omitted_bytes"
_REASONS: Final[Mapping[str, Skipped]] = MappingProxyType(
    {
        "listed": Skipped.LIST,
        "missing_token": Skipped.TOKEN,
        "invalid_token": Skipped.TOKEN,
        "invalid_dpop_proof": Skipped.TOKEN,
        "use_dpop_nonce": Skipped.TOKEN,
        "too_many_proofs": Skipped.TOKEN,
        "malformed_request": Skipped.TOKEN,
        "stale_snapshot": Skipped.TOKEN,
        "rate_limited": Skipped.LIMITS,
        "too_many_calls": Skipped.LIMITS,
        "limit_reached": Skipped.LIMITS,
        "invalid_arguments": Skipped.ARGUMENTS,
        "quarantined": Skipped.QUARANTINED,
        "engine_error": Skipped.FAILED,
        "audit_unavailable": Skipped.FAILED,
    }
)


def skipped_for(entry: Mapping[str, Any], body: Mapping[str, Any]) -> Skipped | None:
    """Why the decision `entry` is not decided again; `None` when it is."""
    reason = _REASONS.get(body["reason"])
    if reason is not None:
        return reason
    if not entry["agent"] or not entry["tenant"] or entry["actor"]["type"] != "agent":
        return Skipped.NOBODY
    if body["name"] is None and body["reason"] != "allowed_method":
        return Skipped.METHOD
    claims, given, scopes = body.get("claims"), body.get("input"), body.get("scopes_token")
    if _CUT in (claims or ()) or _CUT in (given or ()) or _CUT in (scopes or ()):
        return Skipped.CUT
    return None
