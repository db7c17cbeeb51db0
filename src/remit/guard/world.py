"""What decides a call: a catalog and the policies over it, of one bundle, never of two.

Most callers are decided by what is in force. While another bundle is on trial for a share of the agents, theirs are
decided by that one, whole.
"""

from collections.abc import Callable
from dataclasses import dataclass

from remit.ids import AgentId
from remit.model import Catalog
from remit.policy.decision_point import DecisionPoint

__all__ = ["Trial", "World", "no_trial"]


@dataclass(frozen=True, slots=True)
class World:
    """One bundle in force. Its name in the log is `catalog.version`."""

    catalog: Catalog
    decisions: DecisionPoint
    on_trial: bool = False


Trial = Callable[[AgentId], World | None]
"""The world that decides an agent's calls while another bundle is on trial; `None` for what is in force."""


def no_trial(agent: AgentId) -> World | None:
    """Nothing is on trial."""
    del agent
    return None
