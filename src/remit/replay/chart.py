"""Newly allowed and newly refused calls by day, as bars: allowed ones up, refused ones down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from remit.replay.report import Day

__all__ = ["Bar", "Chart", "chart_of"]

_MOST_DAYS = 62
_WIDTH, _HALF, _LEFT = 520.0, 74.0, 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day, in the units of the picture; `y_up` is where the bar of the newly allowed begins."""

    day: str
    label: str
    x: float
    width: float
    up: float
    y_up: float
    down: float
    decided: int
    newly_allowed: int
    newly_refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that the picture needs. `most` is what a full bar stands for."""

    bars: tuple[Bar, ...]
    most: int
    middle: float
    width: float
    height: float


def chart_of(days: Sequence[Day]) -> Chart | None:
    """The picture of `days`, those without a call in between included; `None` when nothing would be in it."""
    changed = [one for one in days if one.newly_allowed or one.newly_refused]
    if not changed:
        return None
    known = {one.day: one for one in days}
    shown = _every_day(min(known), max(known))[-_MOST_DAYS:]
    most = max(max(one.newly_allowed, one.newly_refused) for one in changed)
    step = (_WIDTH - 2 * _LEFT) / len(shown)
    width = min(step * 0.72, 48.0)
    every = max(1, len(shown) // 8)
    middle = 8 + round(_HALF * max(one.newly_allowed for one in changed) / most, 1)
    below = round(_HALF * max(one.newly_refused for one in changed) / most, 1)
    bars = []
    for place, day in enumerate(shown):
        one = known.get(day, Day(day=day, decided=0, newly_allowed=0, newly_refused=0))
        up, down = _HALF * one.newly_allowed / most, _HALF * one.newly_refused / most
        bars.append(
            Bar(
                day=day,
                label=day[5:] if place % every == 0 else "",
                x=round(_LEFT + place * step + (step - width) / 2, 1),
                width=round(width, 1),
                up=round(up, 1),
                y_up=round(middle - up, 1),
                down=round(down, 1),
                decided=one.decided,
                newly_allowed=one.newly_allowed,
                newly_refused=one.newly_refused,
            )
        )
    return Chart(
        bars=tuple(bars), most=most, middle=middle, width=_WIDTH, height=middle + below + 26
    )


def _every_day(first: str, last: str) -> list[str]:
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [(begin + timedelta(days=n)).isoformat() for n in range((end - begin).days + 1)]
