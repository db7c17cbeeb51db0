"""What records say of time: it goes forwards, and not behind what a witness saw.

A record whose `observed` lies more than two minutes before that of an earlier record was given a wrong time,
or the clock was set back: then the log says so itself (`clock.jumped`), or a process began there, whose clock may be
another (`audit.started`). One that stands after a checkpoint which
a witness had seen two minutes after the time that it claims was given a wrong time.

Source: AUDIT §1.4 "Backdating bound".
"""

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["MAX_SKEW", "Clock", "epoch_ms", "written_ms"]

MAX_SKEW: Final = 120
"""Seconds by which clocks may differ."""
_LOOKED_AT: Final = 64
"""So many steps and jumps may wait for each other: no more than one ever does in a log that nobody made up."""
_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


def epoch_ms(text: str) -> int | None:
    """The milliseconds since 1970 of a time as records have it; `None` when it is none."""
    if _FORM.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def written_ms(milliseconds: int) -> str:
    """As records write it."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """The times of one log, as far as it is read. Times of one form sort as texts."""

    latest: str = ""
    floor: str = ""
    """Nothing that comes may claim to be older."""
    seen: str = ""
    """Where `floor` comes from: what a witness saw last."""
    steps: list[tuple[int, int]] = field(default_factory=list)
    """Records that lie behind earlier ones, and by how many milliseconds, that nothing explains so far."""
    jumps: deque[int] = field(default_factory=lambda: deque(maxlen=_LOOKED_AT))
    """By how much the clock was set back, as the log says, that no record has shown so far; the last ones."""

    def witnessed(self, seconds: int) -> None:
        """At that time somebody else saw all that is read so far."""
        seen = written_ms(seconds * 1_000)
        if seen > self.seen:
            self.seen = seen
            self.floor = written_ms((seconds - MAX_SKEW) * 1_000)

    def fits(self, earliest: str) -> bool:
        """Whether records of which `earliest` is the oldest need no closer look."""
        if earliest < self.floor:
            return False
        return earliest >= self.latest or _apart(self.latest, earliest) <= MAX_SKEW * 1_000

    def record(self, sequence: int, observed: str) -> str | None:
        """Take in the time of a record; what is wrong with it, if anything is at once."""
        if observed < self.floor:
            return f"claims to be of {observed}, after a witness had seen the log at {self.seen}"
        if observed >= self.latest:
            self.latest = observed
            return None
        step = _apart(self.latest, observed)
        if step > MAX_SKEW * 1_000:
            self.latest = observed
            self._explain(sequence, step)
        return None

    def started(self, observed: str) -> bool:
        """A process begins to write: its clock may be another. Whether it is behind what is written."""
        behind = _apart(self.latest, observed) > MAX_SKEW * 1_000
        if behind:
            self.latest = observed
        return behind

    def jumped(self, milliseconds: int) -> None:
        """The log says that its clock went further by so much than time did."""
        if milliseconds >= 0:
            return
        for place in range(max(0, len(self.steps) - _LOOKED_AT), len(self.steps)):
            if self.steps[place][1] <= MAX_SKEW * 1_000 - milliseconds:
                del self.steps[place]
                return
        self.jumps.append(-milliseconds)

    def _explain(self, sequence: int, step: int) -> None:
        for place, jump in enumerate(self.jumps):
            if step <= jump + MAX_SKEW * 1_000:
                del self.jumps[place]
                return
        self.steps.append((sequence, step))


def _apart(later: str, earlier: str) -> int:
    """Milliseconds between two times; none where one is no time."""
    last, first = epoch_ms(later), epoch_ms(earlier)
    return 0 if last is None or first is None else last - first
