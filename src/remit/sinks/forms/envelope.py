"""What every form reads of a record's envelope, once: instants as numbers, texts or nothing, and how serious it is.

Nothing here trusts that a field is there: records of later versions have others, and records of databases that
somebody wrote to may have anything. What is not what it should be counts as unknown.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from remit.sinks.shipment import Entry

__all__ = [
    "body_of",
    "instant_ms",
    "is_failure",
    "part",
    "severity_of",
    "text",
    "texts",
    "trace_of",
]

_NOTHING: Final[Mapping[str, Any]] = {}
_REFUSED: Final = frozenset(
    {"deny", "challenge", "refused", "failed", "error", "tool_error", "upstream_failed", "denied"}
)
_FAILED: Final = ("refused", "failed", "denied", "rejected", "lost", "lagging", "reuse_detected")
_ALARMS: Final = frozenset(
    {
        "audit.gap", "clock.jumped", "definition.quarantined", "disk.filling", "effect.failed", "emergency.overdue",
        "emergency.taken", "guardrail.violated", "notification.failed", "policy.disabled", "signer.lost",
        "sink.lagging", "token.reuse_detected", "witness.lost",
    }
)  # fmt: skip
_CRITICAL, _WARNING, _NOTICE, _INFORMATIONAL = 2, 4, 5, 6
_MOST_CRITICAL: Final = frozenset({"audit.gap", "token.reuse_detected", "signer.lost"})


def instant_ms(value: object) -> int:
    """Milliseconds since 1970 of what RFC 3339 says; 0 where it says nothing."""
    if type(value) is not str:
        return 0
    try:
        return int(datetime.fromisoformat(value).timestamp() * 1_000 + 0.5)
    except ValueError:
        return 0


def text(value: object) -> str | None:
    """`value`, if it is a text that says something."""
    return value if type(value) is str and value else None


def texts(value: object) -> list[str]:
    """Those of a list that are texts."""
    return [one for one in value if type(one) is str] if type(value) is list else []


def part(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object of that name; empty where there is none."""
    found = entry.get(name)
    return found if type(found) is dict else _NOTHING


def body_of(entry: Entry) -> Mapping[str, Any]:
    return part(entry, "body")


def trace_of(entry: Entry) -> tuple[str, str] | None:
    """The ids of trace and span, where they are as W3C has them."""
    trace = part(entry, "trace")
    trace_id, span_id = text(trace.get("trace_id")), text(trace.get("span_id"))
    if trace_id is None or span_id is None or len(trace_id) != 32 or len(span_id) != 16:
        return None
    return trace_id, span_id


def is_failure(entry: Entry) -> bool:
    """Whether what was tried did not come about."""
    body = body_of(entry)
    outcome = body.get("outcome")
    if type(outcome) is str:
        return outcome in _REFUSED
    kind = text(entry.get("kind")) or ""
    return kind.endswith(_FAILED) or kind == "refusals.counted"


def severity_of(entry: Entry) -> int:
    """How serious, as syslog counts (RFC 5424 §6.2.1)."""
    kind = entry.get("kind")
    if kind in _MOST_CRITICAL:
        return _CRITICAL
    if kind in _ALARMS:
        return _WARNING
    return _NOTICE if is_failure(entry) else _INFORMATIONAL
