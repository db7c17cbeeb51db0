"""When a process that ended may be started again: later each time, until one has lived for a while.

A server that dies as soon as it is asked would else be started for every call, and take the machine
along. Each end is a line in the log, with how many there were in a row: a crash loop is seen.
"""

import asyncio
import logging

from remit.gateway.rejection import UpstreamError

__all__ = ["BackOff"]

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_STEADY = 30.0
"""Who lived so long did not die of being started."""


class BackOff:
    """The starts and ends of one server's processes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._in_a_row = 0
        self._not_before = 0.0

    @property
    def in_a_row(self) -> int:
        """How many have ended, one after the other, without one that lived for a while."""
        return self._in_a_row

    def check(self) -> None:
        """Return if one may be started now.

        Raises:
            UpstreamError: it is too early.
        """
        if asyncio.get_running_loop().time() < self._not_before:
            raise UpstreamError("the server's process has ended and is about to be started again")

    def ended(self, *, started: float, why: str) -> None:
        """Note that a process that was started then (by the loop's clock) has ended, or could not be started."""
        now = asyncio.get_running_loop().time()
        if now - started >= _STEADY:
            self._in_a_row = 0
        delay = min(_FIRST_DELAY * 2 ** min(self._in_a_row, 16), _LONGEST_DELAY)
        self._in_a_row += 1
        self._not_before = now + delay
        logging.getLogger("remit.gateway.upstream").warning(
            "upstream %s: %s (%d in a row; not started again for %.1f s)",
            self._name,
            why,
            self._in_a_row,
            delay,
        )
