"""Counters of attempts, on both databases."""

import pytest

from remit.clock import Seconds
from remit.db.throttle import (
    Attempts,
    attempts_of,
    count_attempt,
    forget_attempts,
    network_of,
    purge_attempts,
)

MINUTE = Seconds(60)


def _count(database, clock, key="guess"):
    return database.run_now(lambda tx: count_attempt(tx, key, now=clock.now(), window=MINUTE))


def _known(database, clock, key="guess"):
    return database.read_now(lambda tx: attempts_of(tx, key, now=clock.now(), window=MINUTE))


def test_attempts_add_up_within_a_window(database, clock):
    started = clock.now()
    assert _count(database, clock) == Attempts(1, started)
    clock.advance(59)
    assert _count(database, clock) == Attempts(2, started)
    assert _known(database, clock) == Attempts(2, started)


def test_the_attempt_after_the_window_starts_the_next(database, clock):
    _count(database, clock)
    clock.advance(60)
    assert _known(database, clock).count == 0
    assert _count(database, clock) == Attempts(1, clock.now())


def test_keys_do_not_count_for_each_other(database, clock):
    _count(database, clock, "one")
    assert _known(database, clock, "other").count == 0


def test_a_forgotten_key_starts_anew(database, clock):
    _count(database, clock)
    database.run_now(lambda tx: forget_attempts(tx, "guess"))
    assert _known(database, clock).count == 0


def test_purging_deletes_only_what_is_older(database, clock):
    _count(database, clock, "old")
    clock.advance(10)
    _count(database, clock, "new")
    assert database.run_now(lambda tx: purge_attempts(tx, before=clock.now())) == 1
    assert _known(database, clock, "old").count == 0
    assert _known(database, clock, "new").count == 1


def test_the_wait_ends_with_the_window_and_is_never_nothing(clock):
    attempts = Attempts(3, clock.now())
    assert attempts.wait(clock.now(), MINUTE) == 60
    clock.advance(59)
    assert attempts.wait(clock.now(), MINUTE) == 1
    clock.advance(59)
    assert attempts.wait(clock.now(), MINUTE) == 1


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("not an address", "unknown"),
        (None, "unknown"),
    ],
)
def test_one_host_counts_as_one_whatever_address_it_picks(ip, network):
    assert network_of(ip) == network
