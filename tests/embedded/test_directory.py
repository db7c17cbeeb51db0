"""A guard that has not heard from Remit for longer than its lease refuses everything, whatever the clocks say."""

from dataclasses import replace

import pytest

from remit.clock import EpochSeconds, Seconds
from remit.embedded.directory import Heard, HeardDirectory
from remit.guard.footing import footing_of
from remit.guard.standing import is_backed, is_fresh
from remit.testing.clock import FixedClock
from tests.guard.test_snapshot import snapshot

LEASE = Seconds(30)


class TwoClocks(FixedClock):
    """The clock on the wall apart from the one that only goes forwards."""

    shift = 0

    def now(self):
        return EpochSeconds(super().now() + self.shift)


@pytest.fixture
def clock():
    return TwoClocks()


@pytest.fixture
def directory(clock):
    return HeardDirectory(snapshot(), Heard(clock), clock)


def decides(directory, clock):
    return is_fresh(directory.standing, clock.now(), LEASE)


def test_it_decides_for_as_long_as_the_lease(directory, clock):
    clock.advance(30)
    assert decides(directory, clock)
    clock.advance(1)
    assert not decides(directory, clock)


def test_it_decides_again_when_remit_is_heard(directory, clock):
    clock.advance(100)
    directory.renew(Heard(clock))
    assert decides(directory, clock)


def test_a_clock_that_was_set_back_does_not_prolong_the_lease(directory, clock):
    clock.advance(40)
    clock.shift = -40
    assert not decides(directory, clock)


def test_a_machine_that_slept_does_not_go_on_where_it_stopped(directory, clock):
    clock.shift = 3_600
    assert not decides(directory, clock)


def test_what_remit_knew_late_counts_as_heard_earlier(directory, clock):
    directory.renew(Heard(clock).less(Seconds(25)))
    clock.advance(6)
    assert not decides(directory, clock)


def test_what_is_under_way_ends_once_with_the_lease(directory, clock, world):
    told = []
    directory.subscribe(
        lambda: told.append(is_backed(world.token(), directory.standing, directory.catalog))
    )
    directory.look_at_the_clock()
    assert told == []
    clock.advance(31)
    directory.look_at_the_clock()
    directory.look_at_the_clock()
    assert told == [False]


def test_another_snapshot_is_told_and_replaces_everything(directory, clock):
    told = []
    directory.subscribe(lambda: told.append(directory.catalog.version))
    other = replace(
        snapshot(), catalog=replace(snapshot().catalog, version="b" * 64), quarantined=frozenset()
    )
    directory.replace(other, Heard(clock))
    assert told == ["b" * 64]
    assert directory.definitions.quarantined == frozenset()


def test_a_lease_that_ends_while_a_call_is_decided_leaves_it_on_another_footing(directory, clock):
    footing = footing_of(directory, clock)
    assert directory.standing is footing.standing
    clock.advance(31)
    assert directory.standing is not footing.standing


def test_what_was_heard_again_is_another_footing(directory, clock):
    footing = footing_of(directory, clock)
    directory.renew(Heard(clock))
    assert directory.standing is not footing.standing
