"""How policies came into force. Re-exported by `audit.events`, which is where to import them from.

A bundle is named by the digest of everything in it; decisions name it as their `catalog_version`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from remit.audit.event import Event
from remit.canonical import Json

__all__ = [
    "BundleActivated",
    "BundleApproved",
    "BundleProposed",
    "BundleRefused",
    "BundleRejected",
    "BundleTrialEnded",
    "BundleTrialStarted",
    "PolicyDisabled",
]

_NOTHING: Mapping[str, Json] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleProposed(Event):
    """Somebody proposed that a bundle come into force. `report` sums up what was found: tests, replay, what it widens."""

    kind: ClassVar[str] = "bundle.proposed"
    proposal: str
    bundle: str
    previous: str
    how: str
    """`apply`, `promote` or `rollback`."""
    stage: str
    reason: str = ""
    waits_for: tuple[str, ...] = ()
    """What it waits for; nothing, when it may come into force at once."""
    report: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRefused(Event):
    """A bundle was turned away before it was proposed: `error` is the code, such as `bad_signature`.

    `bundle` is empty where it is the folder that was to be read again: what is no bundle has no name.
    """

    kind: ClassVar[str] = "bundle.refused"
    bundle: str
    error: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleApproved(Event):
    """A second person approved a proposal, having been shown the report of that digest."""

    kind: ClassVar[str] = "bundle.approved"
    proposal: str
    bundle: str
    report_digest: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRejected(Event):
    """A proposal was turned down, or taken back by whoever made it."""

    kind: ClassVar[str] = "bundle.rejected"
    proposal: str
    bundle: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleActivated(Event):
    """A bundle is in force for everybody from here on. `sequence` counts such changes."""

    kind: ClassVar[str] = "bundle.activated"
    bundle: str
    previous: str
    how: str
    sequence: int
    stage: str
    proposal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleTrialStarted(Event):
    """A bundle decides for `share` percent of the agents, and for them alone."""

    kind: ClassVar[str] = "bundle.trial_started"
    bundle: str
    previous: str
    share: int
    until: int
    proposal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleTrialEnded(Event):
    """A trial is over. `outcome`: `completed`, `returned` (it refused too much), `held` (it said nothing), or `cancelled`."""

    kind: ClassVar[str] = "bundle.trial_ended"
    reserved: ClassVar[bool] = True
    bundle: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDisabled(Event):
    """What refused until now refuses no more, as `bundle` comes into force: rules that are gone, and what only observes."""

    kind: ClassVar[str] = "policy.disabled"
    bundle: str
    removed: tuple[str, ...] = ()
    """Policies that forbid, and stand there no longer."""
    observing: tuple[str, ...] = ()
    """`policy x`, `server y`, `tenant z`: what enforced until now."""
