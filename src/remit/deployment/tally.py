"""Calls and refusals of this process, counted in memory: what a trial is judged by. No step of it waits for anything.

What was refused before policy or catalog had a say (no token, too many calls, a log that takes nothing) tells nothing
about a bundle, and is not counted by whoever counts.
"""

from collections.abc import Callable
from typing import Final

from remit.deployment.trial_store import Arm, Count
from remit.ids import AgentId

__all__ = ["Tally"]

_WINDOW: Final = 900.0
"""Seconds: what an agent did before counts for one such window and the one before it."""

_Counts = dict[AgentId, list[int]]


class Tally:
    """Counts by agent, and by arm besides while something is on trial."""

    __slots__ = ("_arms", "_earlier", "_lately", "_turned_at")

    def __init__(self) -> None:
        self._lately: _Counts = {}
        self._earlier: _Counts = {}
        self._turned_at = 0.0
        self._arms: dict[Arm, _Counts] | None = None

    def count(self, agent: AgentId, *, refused: bool, on_trial: bool) -> None:
        """One call of `agent` was decided."""
        if self._arms is not None:
            counts = self._arms[Arm.TRIAL if on_trial else Arm.BESIDE]
        else:
            counts = self._lately
        found = counts.setdefault(agent, [0, 0])
        found[0] += 1
        found[1] += refused

    def turn(self, now: float) -> None:
        """Forget what is too long ago; `now` in seconds of a clock that only goes forward."""
        if now - self._turned_at >= _WINDOW:
            self._earlier, self._lately, self._turned_at = self._lately, {}, now

    def forget(self) -> None:
        """Forget every call that was counted."""
        self._lately, self._earlier = {}, {}
        if self._arms is not None:
            self._arms = {arm: {} for arm in self._arms}

    def begin(self, is_in_share: Callable[[AgentId], bool]) -> None:
        """Count for a trial from here on, of the agents that `is_in_share` says."""
        before: _Counts = {}
        for counts in (self._earlier, self._lately):
            for agent, (calls, refused) in counts.items():
                if is_in_share(agent):
                    found = before.setdefault(agent, [0, 0])
                    found[0] += calls
                    found[1] += refused
        self._arms = {Arm.BEFORE: before, Arm.TRIAL: {}, Arm.BESIDE: {}}

    def end(self) -> None:
        """Count by agent alone again."""
        self._arms = None

    def found(self) -> dict[Arm, dict[AgentId, Count]]:
        """What was counted since the trial began, of each agent."""
        return {
            arm: {agent: Count(calls, refused) for agent, (calls, refused) in counts.items()}
            for arm, counts in (self._arms or {}).items()
        }
