"""Who may answer for others, who may have more for a while, and who may break the glass.

Durations are seconds. Names of roles are those of `roles.yaml`; of networks, environments and scopes likewise.

Source: docs/adr/0025-cures.md; MISSION C2, C3, C4, C5, B7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from remit.clock import Seconds
from remit.ids import AgentId, ScopeName, ServerName
from remit.model.authentication import ACR_MULTI_FACTOR, ACR_PHISHING_RESISTANT
from remit.model.levels import Environment

__all__ = [
    "NO_APPROVALS",
    "AccessOffer",
    "ApprovalRule",
    "Approvals",
    "Confirmation",
    "EmergencyAccess",
    "Escalation",
    "JustificationField",
    "Notifier",
    "NotifierKind",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Whoever holds `role` may answer, too, once `after` has gone by without an answer."""

    after: Seconds
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """How many people of which role answer for what. The first rule that matches a need counts.

    It matches when each condition that is given holds. `above` is an amount of `currency`: a call with a larger
    one, and a call whose amount cannot be told. `owners`: whoever owns the server may answer, besides the role.
    `tools` are named as policies name their actions, such as `payments/refund`.
    """

    name: str
    role: str
    quorum: int = 1
    owners: bool = False
    servers: tuple[ServerName, ...] = ()
    tools: tuple[str, ...] = ()
    environments: tuple[Environment, ...] = ()
    above: Decimal | None = None
    currency: str | None = None
    acr: str = ACR_MULTI_FACTOR
    """How strongly whoever answers must have logged in."""
    waits: Seconds = Seconds(900)
    """How long a request waits for its answers."""
    holds: Seconds = Seconds(300)
    """How long what was approved may be used."""
    escalation: Escalation | None = None
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """How a person confirms a call of their own agent."""

    waits: Seconds = Seconds(600)
    holds: Seconds = Seconds(300)
    fresh: Seconds = Seconds(300)
    """How long ago they may have proved who they are when they confirm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JustificationField:
    """One thing that has to be told where a policy asks for it by `name`."""

    name: str
    title: str = ""
    pattern: str | None = None
    """What it has to match from its beginning to its end; `None`: any line."""
    longest: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessOffer:
    """A role, or scopes, that may be had for a while by those who ask.

    `people_roles` are those whose holders may ask; `agents` and workloads may ask where they are named. Without an
    `approver` it is given at once; else somebody of that role has to approve, by the rules for it.
    """

    name: str
    role: str | None = None
    scopes: tuple[ScopeName, ...] = ()
    servers: tuple[ServerName, ...] = ()
    environments: tuple[Environment, ...] = ()
    people_roles: tuple[str, ...] = ()
    agents: tuple[AgentId, ...] = ()
    longest: Seconds = Seconds(3600)
    approver: str | None = None
    justification: tuple[str, ...] = ("reason",)
    acr: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyAccess:
    """What a few named people may take without being approved beforehand, and have to answer for.

    `people` are user names, of which each is one person's in the whole installation.
    """

    name: str
    people: tuple[str, ...]
    role: str | None = None
    scopes: tuple[ScopeName, ...] = ()
    environments: tuple[Environment, ...] = ()
    longest: Seconds = Seconds(1800)
    acr: str = ACR_PHISHING_RESISTANT
    fresh: Seconds = Seconds(300)
    """How long ago they may have logged in: a browser left open takes nothing."""
    justification: tuple[str, ...] = ("reason",)
    reviewer: str = ""
    """The role of those who review it; never whoever used it."""
    review_within: Seconds = Seconds(72 * 3600)
    notify: tuple[str, ...] = ()


class NotifierKind(StrEnum):
    """In what form people are told that something waits for them."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Where people are told. `secret` names the secret that signs, the whole URL where that is the secret, or a password.

    The URL of e-mail is `smtps://host`, or `smtp://host` with STARTTLS; the user name stands before an `@`.

    What is sent says that something waits, and where to log in; never an argument, a token, or a way to answer.
    """

    name: str
    kind: NotifierKind
    url: str | None = None
    secret: str | None = None
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    private_network: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """All of it, as `approvals.yaml` declares it."""

    rules: tuple[ApprovalRule, ...] = ()
    confirmation: Confirmation = field(default_factory=Confirmation)
    justifications: Mapping[str, JustificationField] = field(
        default_factory=lambda: MappingProxyType({})
    )
    access: Mapping[str, AccessOffer] = field(default_factory=lambda: MappingProxyType({}))
    emergency: Mapping[str, EmergencyAccess] = field(default_factory=lambda: MappingProxyType({}))
    notifiers: Mapping[str, Notifier] = field(default_factory=lambda: MappingProxyType({}))


NO_APPROVALS = Approvals()
