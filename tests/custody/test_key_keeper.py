import asyncio

import pytest

from remit.audit.context import Context
from remit.audit.record_seal import RecordSealBrokenError
from remit.custody.key_keeper import STOCK
from remit.custody.key_store import destroy_keys
from remit.custody.retention import STOCK_FOR
from remit.db import DatabaseUnavailableError
from tests.custody.conftest import LOG


async def test_what_is_sealed_opens_before_and_after_its_key_is_written_down(world):
    await world.keeper.keep()
    sealed = world.sealed(b"one")
    assert world.opened(sealed) == b"one"
    await world.keeper.keep()
    world.start()
    assert world.opened(sealed) == b"one"


async def test_a_key_comes_out_of_the_stock_and_is_there_though_the_process_dies_at_once(world):
    await world.keeper.keep()
    assert world.keys.stock == STOCK
    sealed = world.sealed(b"one")
    assert world.keys.stock == STOCK - 1
    world.start()  # nothing was written down
    assert world.opened(sealed) == b"one"


async def test_the_stock_is_filled_when_half_of_it_is_gone(world):
    await world.keeper.keep()
    for number in range(STOCK // 2 + 1):
        world.sealed(b"x", subject=f"usr_{number}")
    await world.keeper.keep()
    assert world.keys.stock == STOCK


async def test_beyond_the_stock_keys_are_made_and_kept_with_the_next_turn(world):
    sealed = [world.sealed(b"x", subject=f"usr_{number}") for number in range(3)]
    await world.keeper.keep()
    world.start()
    assert [world.opened(one) for one in sealed] == [b"x"] * 3


async def test_who_had_a_key_is_found_in_the_log_after_a_crash(world):
    await world.keeper.keep()
    sealed = world.sealed(b"one", subject="usr_1")
    other = world.sealed(b"two", subject="usr_2")
    world.start()
    await world.keeper.keep()
    assert await world.keeper.settle(world.records, LOG) == 2
    assert await world.keeper.settle(world.records, LOG) == 0
    assert (
        await world.custody.erase(tenant="acme", subject="usr_1", basis="b", context=Context()) == 1
    )
    with pytest.raises(RecordSealBrokenError):
        world.opened(sealed)
    assert world.opened(other) == b"two"


async def test_what_the_database_does_not_take_is_kept_for_the_next_time(world, database, events):
    sealed = world.sealed(b"one")
    given = world.keys.waiting()
    run = database.run

    async def down(work):
        raise DatabaseUnavailableError("down")

    database.run = down
    with pytest.raises(DatabaseUnavailableError):
        await world.keeper.keep()
    assert world.keys.waiting() == given
    database.run = run
    await world.keeper.keep()
    world.start()
    assert world.opened(sealed) == b"one"


async def test_a_process_that_stops_leaves_no_key_that_nobody_has(world, database):
    await world.keeper.keep()
    sealed = world.sealed(b"one")
    await world.keeper.close()
    world.start()
    assert await world.keeper.settle(world.records, LOG) == 0
    assert len(world.custody.record_keys().subjects) == 1
    assert world.opened(sealed) == b"one"


async def test_keys_of_one_tenant_are_asked_for_alone(world):
    ours, theirs = world.sealed(b"a", tenant="acme"), world.sealed(b"b", tenant="globex")
    await world.keeper.keep()
    await world.keeper.close()
    assert len(world.custody.record_keys("acme").subjects) == 1
    assert world.opened(ours, tenant="acme") == b"a"
    with pytest.raises(RecordSealBrokenError):
        world.opened(theirs, tenant="acme")


async def test_keys_do_not_lie_ready_for_ever(world):
    await world.keeper.keep()
    before = set(world.custody.record_keys().subjects)
    world.clock.advance(STOCK_FOR)
    await world.keeper.keep()
    after = set(world.custody.record_keys().subjects)
    assert len(after) == world.keys.stock == STOCK
    assert not before & after
    sealed = world.sealed(b"one")
    await world.keeper.keep()
    assert world.opened(sealed) == b"one"


async def test_who_parts_with_a_key_waits_for_whoever_is_writing_down_whose_it_is(world):
    await world.keeper.keep()
    sealed = world.sealed(b"a")
    keeping = asyncio.create_task(world.keeper.keep())
    await asyncio.sleep(0)  # it has taken what was given out, and waits for the database
    assert not world.keys.waiting()
    await world.keeper.part_with("acme", "usr_1")
    assert keeping.done()
    subject = world.digest("acme", "usr_1")
    count = await world.database.run(
        lambda tx: destroy_keys(tx, tenant="acme", subject=subject, now=world.clock.now())
    )
    assert count == 1
    with pytest.raises(RecordSealBrokenError):
        world.opened(sealed)
