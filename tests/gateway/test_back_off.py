"""When a process may be started again."""

import asyncio
import logging

import pytest

from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream import back_off
from remit.gateway.upstream.back_off import BackOff


class Loop(asyncio.SelectorEventLoop):
    """A loop whose clock is set by hand."""

    at = 0.0

    def time(self) -> float:
        return self.at


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.close()


def _within(loop: Loop, step) -> None:
    async def run() -> None:
        step()

    loop.run_until_complete(run())


def _delay(loop: Loop, off: BackOff) -> float:
    """How long from now until one may be started, to an eighth of a second."""
    began, waited = loop.at, 0.0
    while waited < 60:
        try:
            _within(loop, off.check)
        except UpstreamError:
            waited += 0.125
            loop.at = began + waited
        else:
            break
    loop.at = began
    return waited


def test_the_first_start_waits_for_nothing(loop):
    assert _delay(loop, BackOff("crm")) == 0


def test_each_end_makes_the_next_start_later_up_to_a_limit(loop):
    off, delays = BackOff("crm"), []
    for _ in range(9):
        _within(loop, lambda: off.ended(started=loop.at, why="its process has ended"))
        delays.append(_delay(loop, off))
        loop.at += delays[-1]
    assert delays == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert off.in_a_row == 9


def test_one_that_lived_for_a_while_begins_anew(loop):
    off = BackOff("crm")
    for _ in range(5):
        _within(loop, lambda: off.ended(started=loop.at, why="x"))
    began = loop.at
    loop.at += back_off._STEADY
    _within(loop, lambda: off.ended(started=began, why="x"))
    assert (off.in_a_row, _delay(loop, off)) == (1, 0.5)


def test_a_crash_loop_is_seen_in_the_log(loop, caplog):
    caplog.set_level(logging.WARNING)
    off = BackOff("crm")
    for _ in range(3):
        _within(loop, lambda: off.ended(started=loop.at, why="its process has ended"))
    assert (
        "upstream crm: its process has ended (3 in a row; not started again for 2.0 s)"
        in caplog.text
    )
