import pytest
from sqlalchemy import text

from remit.audit.context import Context
from remit.audit.events import AuditErased
from remit.audit.record_seal import RecordSealBrokenError
from remit.custody import HeldError
from remit.custody.holding import ASKED_HOLDS_FOR

CONTEXT = Context(tenant="acme")


async def erase(world, subject="usr_1", tenant="acme"):
    return await world.custody.erase(
        tenant=tenant, subject=subject, basis="they asked for it", context=CONTEXT
    )


async def test_nothing_about_somebody_opens_once_they_are_erased_and_all_else_does(world, events):
    await world.keeper.keep()
    gone = [world.sealed(b"a"), world.sealed(b"b")]
    stays = [world.sealed(b"c", subject="usr_2"), world.sealed(b"d", tenant="globex")]
    assert await erase(world) == 1
    for one in gone:
        with pytest.raises(RecordSealBrokenError):
            world.opened(one)
    assert world.opened(stays[0]) == b"c"
    assert world.opened(stays[1], tenant="globex") == b"d"
    event = events.of(AuditErased)[-1]
    assert (event.keys, event.basis) == (1, "they asked for it")
    assert event.subject_digest == world.digest("acme", "usr_1")
    assert "usr_1" not in str(event)


async def test_neither_the_key_nor_whom_it_was_about_is_left_in_the_database(
    world, database, database_url
):
    await world.keeper.keep()
    sealed = world.sealed(b"a")
    await world.keeper.keep()
    [ciphertext] = database.read_now(
        lambda tx: (
            tx.connection.execute(
                text("SELECT ciphertext FROM seal_keys WHERE subject IS NOT NULL")
            )
            .scalars()
            .all()
        )
    )
    await erase(world)
    rows = database.read_now(
        lambda tx: tx.connection.execute(text("SELECT * FROM seal_keys")).all()
    )
    assert ciphertext not in str(rows)
    assert "usr_1" not in str(rows)
    assert sealed not in str(rows)


async def test_what_comes_after_an_erasure_is_sealed_under_another_key(world):
    await world.keeper.keep()
    world.sealed(b"a")
    await erase(world)
    later = world.sealed(b"b")
    await world.keeper.keep()
    assert world.opened(later) == b"b"
    assert await erase(world) == 1


async def test_another_process_seals_no_more_with_what_was_destroyed_here(world, database):
    await world.keeper.keep()
    first = world.keys
    world.sealed(b"a")
    await world.keeper.keep()
    keeper = world.keeper
    world.start()
    await erase(world)
    assert first.ids() != []
    assert await keeper.look() == 1
    assert first.ids() == []


async def test_to_erase_what_there_is_not_is_recorded_as_that(world, events):
    assert await erase(world, "nobody") == 0
    assert [event.keys for event in events.of(AuditErased)] == [0]


@pytest.mark.parametrize("subject", ["usr_1", None])
async def test_while_a_hold_stands_nothing_is_erased(world, events, subject):
    await world.keeper.keep()
    sealed = world.sealed(b"a")
    hold = await world.custody.request_hold(
        tenant="acme", subject=subject, word=world.word("ada"), context=CONTEXT
    )
    with pytest.raises(HeldError, match=hold.id):
        await erase(world)
    await world.custody.set_hold(hold.id, tenant="acme", word=world.word("bob"), context=CONTEXT)
    world.clock.advance(10 * ASKED_HOLDS_FOR)
    with pytest.raises(HeldError):
        await erase(world)
    assert world.opened(sealed) == b"a"
    assert events.of(AuditErased) == []


async def test_a_hold_that_nobody_agrees_to_ends_after_three_days(world):
    await world.custody.request_hold(
        tenant="acme", subject=None, word=world.word("ada"), context=CONTEXT
    )
    world.clock.advance(ASKED_HOLDS_FOR)
    assert await erase(world) == 0


async def test_a_hold_for_another_or_of_another_tenant_forbids_nothing(world):
    for tenant, subject in (("acme", "usr_2"), ("globex", None)):
        await world.custody.request_hold(
            tenant=tenant, subject=subject, word=world.word("ada"), context=CONTEXT
        )
    assert await erase(world) == 0
