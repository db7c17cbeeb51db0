"""Many calls decided again: as the guard decides them, and without what was not recorded."""

import pytest

from remit.guard.ladder import Allowance
from remit.guard.rehearing import Rehearing
from remit.policy import DecisionPoint
from remit.testing.catalog import small_catalog
from tests.guard.conftest import POLICIES


@pytest.fixture
def rehearing(world) -> Rehearing:
    return Rehearing(small_catalog(), DecisionPoint(world.engine(POLICIES), world.clock))


def test_a_call_is_decided_as_it_was_however_late(world, rehearing):
    call, token, then = world.call(), world.token(), world.clock.now()
    world.clock.advance(90 * 86_400)
    assert isinstance(rehearing.decide(call, token, now=then), Allowance)


def test_the_clock_stands_where_the_call_came(world, rehearing):
    token = world.token(scopes=("crm:accounts.export",), roles=("finance",))
    call = world.call("export_accounts")
    night, day = 1_767_582_000, 1_767_618_000  # 03:00 and 13:00 UTC
    verdicts = [rehearing.decide(call, token, now=at) for at in (night, day, night)]
    reasons = [getattr(one, "truth", None) for one in verdicts]
    assert reasons[0] == reasons[2]


def test_one_caller_is_not_taken_for_another(world, rehearing):
    call, now = world.call("update_account"), world.clock.now()
    writer, intern = world.token(roles=("support",)), world.token(roles=("support", "intern"))
    for token, allowed in ((writer, True), (intern, False), (writer, True)):
        assert isinstance(rehearing.decide(call, token, now=now), Allowance) is allowed


def test_limits_and_proofs_are_not_asked_again(world, rehearing):
    call, token, now = world.call(), world.token(jkt=None), world.clock.now()
    for _ in range(500):
        assert isinstance(rehearing.decide(call, token, now=now), Allowance)
