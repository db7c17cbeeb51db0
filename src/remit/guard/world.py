"""What decides a call: a catalog and the policies over it, of one bundle, never of two.

Most callers are decided by what is in force. While another bundle is on trial for a share of the agents, theirs are
decided by that one, whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from remit.ids import AgentId
from remit.model import Catalog
from remit.policy.decision_point import DecisionPoint

__all__ = ["Tally", "Trial", "World", "no_trial", "untold"]


@dataclass(frozen=True, slots=True)
class World:
    """One bundle in force. Its name in the log is `catalog.version`."""

    catalog: Catalog
    decisions: DecisionPoint
    on_trial: bool = False


Trial = Callable[[AgentId], World | None]
"""The world that decides an agent's calls while another bundle is on trial; `None` for what is in force."""


class Tally(Protocol):
    """Hears of every call that a bundle had a say in: of which agent, and how it was decided. Waits for nothing."""

    def __call__(self, agent: AgentId, *, refused: bool, on_trial: bool) -> None: ...


def no_trial(agent: AgentId) -> World | None:
    """Nothing is on trial."""
    del agent
    return None


def untold(agent: AgentId, *, refused: bool, on_trial: bool) -> None:
    """Nobody counts."""
    del agent, refused, on_trial
