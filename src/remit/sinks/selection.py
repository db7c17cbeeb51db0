"""Which records a sink gets: those of its kinds and of its organisations.

What says that the sink itself missed something is never left out. What belongs to no organisation, such as a start of
Remit, goes to sinks that are for everybody alone: it may name what another organisation did.
"""

from remit.model import SinkRules
from remit.sinks.shipment import Entry

__all__ = ["is_for"]

_GAP = "audit.gap"


def is_for(rules: SinkRules, entry: Entry) -> bool:
    """Whether the sink gets what says that."""
    kind = entry.get("kind")
    if type(kind) is not str:
        # What nobody can read is for whoever gets everything.
        return not rules.kinds and not rules.tenants
    if kind == _GAP:
        body = entry.get("body")
        if isinstance(body, dict) and body.get("sink") == rules.name:
            return True
    if rules.tenants and entry.get("tenant") not in rules.tenants:
        return False
    return not rules.kinds or any(_fits(kind, one) for one in rules.kinds)


def _fits(kind: str, pattern: str) -> bool:
    return kind == pattern or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))
