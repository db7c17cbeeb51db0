"""Whether a bundle on trial refuses too much: by how many calls were refused under it, beside it and before it.

A trial is returned when it is all but certain that more than `points` percentage points more are refused under it
than both beside it, among the other agents meanwhile, and before it, among the same agents. Certain means: the lower
end of the Wilson interval of the refused share, at one chance in two hundred to be wrong (z = 2.58), lies above
the higher of the two shares by more than the points. Below 20 calls nothing is concluded. A comparison of fewer than
20 calls is no comparison; with neither, what is refused under the trial has to stay below the points by itself.

The interval is that wide because it is looked at every second: a narrower one would sooner or later find a jump in
what is only chance.

Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
"""

from collections.abc import Mapping
from math import sqrt
from typing import Final

from remit.deployment.trial_store import Arm, Count

__all__ = ["MIN_CALLS", "jump_in"]

MIN_CALLS: Final = 20
_Z: Final = 2.58


def jump_in(found: Mapping[Arm, Count], *, points: int) -> str | None:
    """What jumped, in words, or `None` while nothing is certain."""
    tried = found.get(Arm.TRIAL, Count())
    if tried.calls < MIN_CALLS:
        return None
    usual = max(
        (
            _share(one)
            for arm in (Arm.BESIDE, Arm.BEFORE)
            if (one := found.get(arm, Count())).calls >= MIN_CALLS
        ),
        default=0.0,
    )
    if _at_least(tried) - usual <= points / 100:
        return None
    return (
        f"{tried.refused} of {tried.calls} calls refused ({_share(tried):.0%}), "
        f"where {usual:.0%} is usual; at most {points} points more were allowed"
    )


def _share(count: Count) -> float:
    return count.refused / count.calls if count.calls else 0.0


def _at_least(count: Count) -> float:
    """The lower end of the Wilson interval of the refused share."""
    calls, share, square = count.calls, _share(count), _Z * _Z
    middle = share + square / (2 * calls)
    reach = _Z * sqrt(share * (1 - share) / calls + square / (4 * calls * calls))
    return (middle - reach) / (1 + square / calls)
