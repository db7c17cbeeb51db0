"""Whether a bundle on trial refuses too much: by how many calls were refused under it, beside it and before it.

A trial is returned when it is all but certain that more than `points` percentage points more are refused under it
than both beside it, among the other agents meanwhile, and before it, among the same agents. Certain means: the lower
end of the Wilson interval of the refused share, at one chance in two hundred to be wrong (z = 2.58), lies above
the higher of the two shares by more than the points. Below 20 calls nothing is concluded. A comparison of fewer than
20 calls is no comparison; with neither, what is refused under the trial has to stay below the points by itself.

The interval is that wide because it is looked at every second: a narrower one would sooner or later find a jump in
what is only chance.

No single agent decides. Each counts for at most 50 calls, refused in the proportion that its own were; what is usual
is taken without the one agent whose refusals weigh most, so that an agent beside the trial, which asks for what it
may not have, hides nothing; and a jump has to be there without the one that weighs most under the trial. One that is
there with that agent alone is neither a jump nor a success: whoever looks at it decides.

Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from remit.deployment.trial_store import Arm, Count
from remit.ids import AgentId

__all__ = ["MAX_OF_ONE", "MIN_CALLS", "Finding", "look_at"]

MIN_CALLS: Final = 20
MAX_OF_ONE: Final = 50
"""Calls that one agent counts for at most."""
_Z: Final = 2.58

_Counts = Mapping[AgentId, Count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a trial comes to so far; at most one of the texts says something."""

    jump: str = ""
    """What jumped, in words."""
    one_agent: str = ""
    """What jumped with one agent, and would not without it."""
    is_tried: bool = False
    """Whether enough was called for anything to be concluded."""


@dataclass(frozen=True, slots=True)
class _Weight:
    """Calls, and how many of them were refused, where each agent weighs so much at most."""

    calls: float = 0.0
    refused: float = 0.0

    @property
    def share(self) -> float:
        return self.refused / self.calls if self.calls else 0.0

    @property
    def tells(self) -> bool:
        return self.calls >= MIN_CALLS


def look_at(found: Mapping[Arm, _Counts], *, points: int) -> Finding:
    """What the counts of every agent come to."""
    tried, before = found.get(Arm.TRIAL, {}), found.get(Arm.BEFORE, {})
    is_alone = len({*tried, *before}) == 1
    usual = max(
        (
            one.share
            for one in (
                _sum(_without_worst(found.get(Arm.BESIDE, {}))),
                _sum(_weighed(before) if is_alone else _without_worst(before)),
            )
            if one.tells
        ),
        default=0.0,
    )
    whole = _sum(_weighed(tried))
    if not _jumps(whole, usual, points):
        return Finding(is_tried=whole.tells)
    said = _said(tried, usual, points)
    if is_alone or _jumps(_sum(_without_worst(tried)), usual, points):
        return Finding(jump=said, is_tried=True)
    return Finding(one_agent=f"{said}; without one agent it would be no jump", is_tried=True)


def _jumps(tried: _Weight, usual: float, points: int) -> bool:
    return tried.tells and _at_least(tried) - usual > points / 100


def _weighed(counts: _Counts) -> Sequence[_Weight]:
    weights = []
    for one in counts.values():
        if one.calls:
            weight = min(one.calls, MAX_OF_ONE) / one.calls
            weights.append(_Weight(one.calls * weight, one.refused * weight))
    return weights


def _without_worst(counts: _Counts) -> Sequence[_Weight]:
    return sorted(_weighed(counts), key=lambda one: (one.refused, one.calls))[:-1]


def _sum(weights: Sequence[_Weight]) -> _Weight:
    return _Weight(sum(one.calls for one in weights), sum(one.refused for one in weights))


def _said(tried: _Counts, usual: float, points: int) -> str:
    calls = sum(one.calls for one in tried.values())
    refused = sum(one.refused for one in tried.values())
    share = _sum(_weighed(tried)).share
    return (
        f"{refused} of {calls} calls refused to {len(tried)} agents ({share:.0%}), "
        f"where {usual:.0%} is usual; at most {points} points more were allowed"
    )


def _at_least(tried: _Weight) -> float:
    """The lower end of the Wilson interval of the refused share."""
    calls, share, square = tried.calls, tried.share, _Z * _Z
    middle = share + square / (2 * calls)
    reach = _Z * sqrt(share * (1 - share) / calls + square / (4 * calls * calls))
    return (middle - reach) / (1 + square / calls)
