"""At which hours of a week a policy lets calls be, found by asking it for each of them.

Told only where a policy looks at hour, minute and weekday alone; a date or an instant is
no rule of a week. What else it looks at counts as missing, such as an address it would make
an exception for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from remit.clock import EpochSeconds
from remit.policy.decision import RuleEffect
from remit.policy.evaluation import Evaluation
from remit.policy.unsettled import Attribute, OpenPolicies, OpenPolicy

__all__ = ["WEEKLY", "in_words", "open_steps"]

WEEKLY: Final = frozenset({"context.time.hour", "context.time.minute", "context.time.weekday"})
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_STEP: Final = 15
_A_DAY: Final = 24 * 60 // _STEP
_TIME: Final = frozenset[Attribute](
    {("time",), ("ip",), ("networks",), ("justification",), ("told",)}
)

Span = tuple[int, int]
"""From one step of a day until another, which is not in it any more."""


def open_steps(
    policies: OpenPolicies,
    policy: OpenPolicy,
    asked: Evaluation,
    *,
    open_to: frozenset[Attribute],
    declared: Sequence[str],
) -> list[bool]:
    """For each quarter of an hour of a week, from Monday, whether `policy` surely stands in the way: then `False`."""
    every = 1 if "context.time.minute" in policy.reads else 60 // _STEP
    steps: list[bool] = []
    for at in range(0, 7 * _A_DAY, every):
        context = replace(asked.context, now=_instant(asked, at))
        said = policies.settle(
            replace(asked, context=context),
            open_to=open_to - _TIME,
            declared=declared,
            only=policy.id,
        )
        if policy.effect is RuleEffect.FORBID:
            free = policy.id not in said.forbids
        else:
            free = not said.refused
        steps += [free] * every
    return steps


def in_words(steps: Sequence[bool], zone: str) -> str | None:
    """The hours that are free, such as `Mon-Fri 09:00-17:00 (Europe/Berlin)`; `None` when it is all or none."""
    if all(steps) or not any(steps):
        return None
    days = [tuple(_spans(steps[day * _A_DAY : (day + 1) * _A_DAY])) for day in range(7)]
    parts = []
    for spans, together in groupby(range(7), key=lambda day: days[day]):
        if spans:
            run = list(together)
            name = _DAYS[run[0]] if len(run) == 1 else f"{_DAYS[run[0]]}-{_DAYS[run[-1]]}"
            parts.append(f"{name} {', '.join(map(_clock, spans))}")
    return f"{'; '.join(parts)} ({zone})"


def _instant(asked: Evaluation, step: int) -> EpochSeconds:
    """The step of the week of the question that the clock on the wall shows as that one."""
    zone = ZoneInfo(asked.context.time_zone)
    local = datetime.fromtimestamp(asked.context.now, tz=UTC).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    # Arithmetic within one zone is that of the clock on the wall.
    at = midnight - timedelta(days=local.weekday()) + timedelta(minutes=_STEP * step)
    return EpochSeconds(int(at.timestamp()))


def _spans(day: Sequence[bool]) -> Iterator[Span]:
    at = 0
    for free, run in groupby(day):
        length = len(list(run))
        if free:
            yield at, at + length
        at += length


def _clock(span: Span) -> str:
    def time(step: int) -> str:
        return f"{step * _STEP // 60:02d}:{step * _STEP % 60:02d}"

    return f"{time(span[0])}-{time(span[1])}"
