import pytest

from remit.audit.context import Context
from remit.audit.events import AuditErased
from remit.audit.record_seal import RecordSealBrokenError
from remit.custody.retention import ANYBODY

DAY = 86_400
CONTEXT = Context(tenant="acme")


async def test_what_is_sealed_ends_with_its_month_and_time_and_not_before(world, events):
    await world.keeper.keep()
    january = world.sealed(b"january")
    world.clock.advance(30 * DAY)
    february = world.sealed(b"february")
    await world.keeper.keep()
    assert await world.custody.end_sealed(30 * DAY) == 0
    world.clock.advance(30 * DAY)
    assert await world.custody.end_sealed(30 * DAY) == 1
    with pytest.raises(RecordSealBrokenError):
        world.opened(january)
    assert world.opened(february) == b"february"
    [event] = events.of(AuditErased)
    assert (event.subject_digest, event.keys, event.context.tenant) == (ANYBODY, 1, "acme")
    assert "2026-02" in event.basis


async def test_what_a_hold_covers_stays_until_it_is_lifted(world):
    await world.keeper.keep()
    held, other = world.sealed(b"a"), world.sealed(b"b", subject="usr_2")
    await world.keeper.keep()
    hold = await world.custody.request_hold(
        tenant="acme", subject="usr_1", word=world.word("ada"), context=CONTEXT
    )
    await world.custody.set_hold(hold.id, tenant="acme", word=world.word("bob"), context=CONTEXT)
    world.clock.advance(90 * DAY)
    assert await world.custody.end_sealed(30 * DAY) == 1
    assert world.opened(held) == b"a"
    with pytest.raises(RecordSealBrokenError):
        world.opened(other)
    await world.custody.request_lift(
        hold.id, tenant="acme", word=world.word("ada"), context=CONTEXT
    )
    assert await world.custody.end_sealed(30 * DAY) == 0
    await world.custody.lift_hold(hold.id, tenant="acme", word=world.word("bob"), context=CONTEXT)
    assert await world.custody.end_sealed(30 * DAY) == 1


async def test_a_clock_before_everything_ends_nothing(world):
    world.clock.set(0)
    assert await world.custody.end_sealed(365 * DAY) == 0
