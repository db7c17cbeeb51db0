"""Time is UTC and passed in."""

import time

from remit.clock import SystemClock, rfc3339_ms
from remit.testing import FixedClock


def test_instants_are_written_in_utc_with_milliseconds():
    assert rfc3339_ms(1_767_625_200_007) == "2026-01-05T15:00:00.007Z"
    assert rfc3339_ms(0) == "1970-01-01T00:00:00.000Z"


def test_a_fixed_clock_moves_only_when_told():
    clock = FixedClock()
    before = clock.now(), clock.now_ms(), clock.monotonic()
    assert (clock.now(), clock.now_ms(), clock.monotonic()) == before
    clock.advance(1.5)
    assert clock.now_ms() == before[1] + 1500
    clock.set(10)
    assert clock.now() == 10


def test_the_machines_clock_agrees_with_the_machine():
    clock = SystemClock()
    assert abs(clock.now() - time.time()) < 5
    assert abs(clock.now_ms() / 1000 - clock.now()) < 5
    assert clock.monotonic() <= clock.monotonic()
