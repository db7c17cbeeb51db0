"""What has to hold before another bundle of policies comes into force here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from remit.clock import Seconds
from remit.ids import ScopeName

__all__ = ["DeploymentRules", "SecondPerson"]


class SecondPerson(StrEnum):
    """When somebody else than the proposer has to approve."""

    WIDENING = "widening"
    """When it lets anybody do more with a privileged scope, or loosens these rules."""
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRules:
    """Of the bundle in force, never of the one proposed: nobody loosens the rule by which they are judged."""

    second_person: SecondPerson = SecondPerson.WIDENING
    privileged_scopes: tuple[ScopeName, ...] = ()
    """Besides every scope whose sensitivity is high or critical."""
    tests_required: bool = True
    """Whether the decision tables of the bundle have to pass, run by the server."""
    replay_days: int = 7
    """How many days of recorded decisions are replayed; 0: none."""
    newly_allowed_reviewed: bool = True
    """Whether calls that were refused and would be allowed have to be approved by a second person."""
    trial_share: int = 0
    """Percent of agents for which it is tried first; 0: it comes into force for all at once."""
    trial_lifetime: Seconds = Seconds(900)
    """How long it is tried before it comes into force for all."""
    trial_refusals: int = 5
    """Percentage points by which refusals under it may exceed those beside it, before it is taken back."""
    from_stages: tuple[str, ...] = ()
    """Only bundles that were in force in one of these stages may be promoted here; none named: any."""
    replaced_may_come: bool = False
    """Whether such a bundle may come though it is no longer in force there."""
    stage_keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Thumbprints of keys by the stage that they are for: a key that is named speaks for no other stage."""
