"""Calls that matter are refused while nobody else has a copy of the log, where that is asked for; others are not."""

from remit.audit.events import Decided
from remit.guard import Deny, GuardSettings, Permit
from remit.guard.outcome import RefusalReason
from remit.guard.remote_copy import CopyGate
from remit.model import Sensitivity


def guarded(world):
    gate = CopyGate()
    settings = GuardSettings(public_url="https://remit.example", copy_gate=gate)
    return world.new_guard(settings=settings), gate


async def test_while_it_is_closed_what_matters_so_much_is_refused_and_recorded_as_such(world):
    guard, gate = guarded(world)
    gate.close(Sensitivity.LOW)
    outcome = await guard.decide(world.call())
    assert isinstance(outcome, Deny)
    assert outcome.reason is RefusalReason.AUDIT_UNAVAILABLE
    assert "copy" in outcome.detail
    assert isinstance(world.recorded, Decided)
    assert (world.recorded.outcome, world.recorded.reason) == ("deny", "audit_unavailable")


async def test_what_matters_less_goes_on(world):
    guard, gate = guarded(world)
    gate.close(Sensitivity.CRITICAL)
    assert isinstance(await guard.decide(world.call()), Permit)


async def test_it_opens_again(world):
    guard, gate = guarded(world)
    gate.close(Sensitivity.LOW)
    assert isinstance(await guard.decide(world.call()), Deny)
    gate.open()
    assert isinstance(await guard.decide(world.call()), Permit)


async def test_who_is_refused_anyway_hears_why_and_nothing_of_copies(world):
    guard, gate = guarded(world)
    gate.close(Sensitivity.LOW)
    outcome = await guard.decide(world.call("no_such_tool"))
    assert outcome.reason is RefusalReason.NOT_FOUND
