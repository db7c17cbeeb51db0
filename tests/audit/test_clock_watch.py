"""A clock that is set is told from time that passes."""

import pytest

from remit.audit.clock_watch import ClockWatch


class SetClock:
    """A clock whose time of day and whose passing of time a test moves apart."""

    def __init__(self):
        self.wall = 1_767_625_200_000
        self.passed = 100.0

    def now(self):
        return self.wall // 1000

    def now_ms(self):
        return self.wall

    def monotonic(self):
        return self.passed

    def go(self, seconds, *, set_by_ms=0):
        self.passed += seconds
        self.wall += int(seconds * 1000) + set_by_ms


@pytest.fixture
def clock():
    return SetClock()


@pytest.mark.parametrize("milliseconds", [2_001, 600_000, -51, -600_000])
def test_a_clock_that_was_set_is_told_of_once_with_how_far(clock, milliseconds):
    watch = ClockWatch(clock)
    assert watch.jumped() is None
    clock.go(1, set_by_ms=milliseconds)
    assert watch.jumped() == milliseconds
    clock.go(1)
    assert watch.jumped() is None


@pytest.mark.parametrize("milliseconds", [0, 2_000, -50, 1])
def test_a_clock_that_is_slewed_is_not(clock, milliseconds):
    watch = ClockWatch(clock)
    watch.jumped()
    clock.go(1, set_by_ms=milliseconds)
    assert watch.jumped() is None


def test_time_that_passes_while_nobody_looks_is_no_jump(clock):
    watch = ClockWatch(clock)
    watch.jumped()
    clock.go(86_400)
    assert watch.jumped() is None


def test_there_is_nothing_to_compare_the_first_look_with(clock):
    clock.go(0, set_by_ms=10**9)
    assert ClockWatch(clock).jumped() is None
