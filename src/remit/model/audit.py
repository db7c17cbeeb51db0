"""What the policy repository says of the audit log: what it may hold, how long, and who gets a copy.

Durations are seconds. Secrets are references (`env:`, `file:`, `stored:`), never values.

Source: MISSION F1-F5; docs/adr/0026-audit-trail.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from remit.clock import Seconds
from remit.ids import ServerName, TenantId
from remit.model.levels import AuditTreatment

__all__ = [
    "NO_AUDIT_RULES",
    "AuditRules",
    "Classification",
    "RedactionRule",
    "RemoteCopy",
    "Retention",
    "SinkRules",
    "TimestampAuthority",
    "Witness",
]

_YEAR = 365 * 86_400


class Classification(StrEnum):
    """What sort of value an argument is (`x-remit-class`): part of the token that stands for it."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PII = "pii"
    PHI = "phi"
    PAN = "pan"
    SECRET = "secret"  # noqa: S105  the name of a class, not a secret
    FINANCIAL = "financial"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionRule:
    """How values in certain places are treated. Of several that fit, the strictest holds.

    `path` is a JSONPath (RFC 9535) over the arguments. Conditions that are given must all hold;
    `tools` are named as policies name their actions, such as `payments/refund`.
    """

    path: str
    treatment: AuditTreatment
    classification: Classification | None = None
    servers: tuple[ServerName, ...] = ()
    tools: tuple[str, ...] = ()
    tenants: tuple[TenantId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what is recorded is kept at least, and what is sealed in it at most."""

    records: Seconds = Seconds(_YEAR)
    sealed: Seconds = Seconds(_YEAR)
    """Then the keys of what is sealed are destroyed, unless a hold stands."""
    kinds: Mapping[str, Seconds] = field(default_factory=lambda: MappingProxyType({}))
    """For kinds of events (`decision`, `grant.*`) that are kept longer, or shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkRules:
    """Who gets a copy of what is recorded, and in which form."""

    name: str
    kind: str
    """`syslog`, `splunk`, `otlp`, `elastic`, `webhook`, `archive`, or the name of a plug-in."""
    form: str = "json"
    """`json`, `ocsf`, `ecs`, `cef`."""
    url: str = ""
    secret: str | None = field(default=None, repr=False)
    kinds: tuple[str, ...] = ()
    """Only these kinds of events (`decision`, `grant.*`); none: all."""
    tenants: tuple[TenantId, ...] = ()
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    alert_after: Seconds = Seconds(45)
    """How far behind it may be before that is an event, and a metric of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCopy:
    """Calls of at least that sensitivity are refused while the sink is further behind."""

    sink: str
    max_lag: Seconds
    sensitivity: str = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Somebody elsewhere who signs that the log only grew. `key` is a verifier key, `name+hash+key`."""

    name: str
    url: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampAuthority:
    """Who says what time it was (RFC 3161), and how often it is asked."""

    url: str
    every: Seconds = Seconds(3_600)
    roots: str = ""
    """File with the certificates that its tokens are checked by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRules:
    """`audit.yaml`."""

    receipts: bool = True
    """Whether whoever called a tool is told where its record stands."""
    redaction: tuple[RedactionRule, ...] = ()
    detectors_off: frozenset[str] = frozenset()
    retention: Retention = Retention()
    sinks: Mapping[str, SinkRules] = field(default_factory=lambda: MappingProxyType({}))
    remote_copy: RemoteCopy | None = None
    witnesses: tuple[Witness, ...] = ()
    quorum: int = 1
    """How many witnesses have to have signed for a checkpoint to count as witnessed."""
    timestamps: TimestampAuthority | None = None


NO_AUDIT_RULES = AuditRules()
