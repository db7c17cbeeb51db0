"""Moments and lengths of time on a page. Moments are in UTC and say so, for a page cannot know where its reader is."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from remit.clock import EpochSeconds, Seconds

__all__ = ["Moment", "ago", "length", "moment"]

_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@dataclass(frozen=True, slots=True)
class Moment:
    """For people, and for machines."""

    text: str
    machine: str


def moment(at: EpochSeconds) -> Moment:
    """`22 November 2026, 14:05 UTC`."""
    instant = datetime.fromtimestamp(at, tz=UTC)
    return Moment(
        text=f"{instant.day} {instant:%B %Y, %H:%M} UTC",
        machine=f"{instant:%Y-%m-%dT%H:%M:%SZ}",
    )


def length(seconds: Seconds) -> str:
    """`5 minutes`, `1 hour 30 minutes`: the two largest units, rounded down."""
    parts: list[str] = []
    left = int(seconds)
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}" if count == 1 else f"{count} {unit}s")
        if len(parts) == 2 or (parts and size == 60):
            break
    return " ".join(parts) or "no time"


def ago(then: EpochSeconds, now: EpochSeconds) -> str:
    """`3 minutes ago`; under a minute `just now`."""
    passed = Seconds(max(0, now - then))
    if passed < 60:
        return "just now"
    return f"{length(passed).split(' ')[0]} {length(passed).split(' ')[1]} ago"
