"""What decides a call: a catalog and the policies over it, of one bundle, never of two.

Most callers are decided by what is in force. While another bundle is on trial for a share of the agents, theirs are
decided by that one, whole.
"""

from dataclasses import dataclass

from remit.model import Catalog
from remit.policy.decision_point import DecisionPoint

__all__ = ["World"]


@dataclass(frozen=True, slots=True)
class World:
    """One bundle in force. Its name in the log is `catalog.version`."""

    catalog: Catalog
    decisions: DecisionPoint
    on_trial: bool = False
