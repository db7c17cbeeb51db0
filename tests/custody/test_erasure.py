import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import text

from remit.audit.context import Context
from remit.audit.events import AuditErased
from remit.audit.record_seal import RecordSealBrokenError
from remit.custody import HeldError
from remit.custody.holding import ASKED_HOLDS_FOR
from remit.custody.key_store import lock_custody
from remit.db import Database
from remit.testing.audit import InMemoryAuditLog
from tests.custody.conftest import LOG

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


async def test_what_another_process_sealed_a_moment_before_and_had_not_said_yet_goes_too(world):
    await world.keeper.keep()
    theirs, keeper = world.keys, world.keeper
    sealed = world.sealed(b"a")
    other = world.sealed(b"b", subject="usr_2")
    world.start()  # this process knows nothing of it
    assert await erase(world) == 0
    await keeper.keep()
    for _ in range(2):  # nor in the memory of whoever sealed it
        assert len(theirs.ids()) == 1
        with pytest.raises(RecordSealBrokenError):
            world.opened(sealed)
    assert world.opened(other) == b"b"


async def test_what_is_found_in_the_log_after_a_crash_was_erased_meanwhile(world):
    await world.keeper.keep()
    sealed = world.sealed(b"a")
    world.clock.advance(60)
    await world.custody.erase(tenant="acme", subject="usr_1", basis="b", context=CONTEXT)
    world.clock.advance(60)
    later = world.sealed(b"later")
    await world.keeper.keep()
    world.start()
    await world.keeper.settle(world.records, LOG)
    with pytest.raises(RecordSealBrokenError):
        world.opened(sealed)
    assert world.opened(later) == b"later"


async def test_a_crash_between_hides_nothing_from_an_erasure(world):
    await world.keeper.keep()
    sealed = world.sealed(b"a")
    crashed = world.records
    world.start()
    world.records = crashed
    world.clock.advance(60)
    assert await erase(world) == 0
    assert world.opened(sealed) == b"a"  # nobody knows yet whose it is
    await world.keeper.keep()
    await world.keeper.settle(world.records, LOG)
    with pytest.raises(RecordSealBrokenError):
        world.opened(sealed)


async def test_to_erase_twice_destroys_nothing_twice_and_both_are_recorded(world, events):
    await world.keeper.keep()
    world.sealed(b"a")
    assert [await erase(world), await erase(world)] == [1, 0]
    assert [event.keys for event in events.of(AuditErased)] == [1, 0]


async def test_of_a_hold_and_an_erasure_at_once_one_comes_first_and_the_other_knows(world):
    for number in range(8):
        subject = f"usr_{number}"
        sealed = world.sealed(b"a", subject=subject)
        asked = world.custody.request_hold(
            tenant="acme", subject=subject, word=world.word("ada"), context=CONTEXT
        )
        pair = [asked, erase(world, subject)]
        if number % 2:
            hold, erased = await asyncio.gather(*pair, return_exceptions=True)
        else:
            erased, hold = await asyncio.gather(*reversed(pair), return_exceptions=True)
        assert hold.subject == world.digest("acme", subject)
        if isinstance(erased, HeldError):
            assert world.opened(sealed) == b"a"
        else:
            assert erased == 1
            with pytest.raises(RecordSealBrokenError):
                world.opened(sealed)


def test_whoever_holds_waits_for_whoever_erases(database, database_url):
    """PostgreSQL would let both look before either has written."""
    order = []

    def erasing(tx):
        lock_custody(tx)
        started.set()
        blocked.wait(timeout=0.3)
        order.append("erased")

    def holding(tx):
        lock_custody(tx)
        order.append("held")
        blocked.set()

    started, blocked = threading.Event(), threading.Event()
    with (
        closing(Database.open(database_url, recorder=InMemoryAuditLog())) as other,
        ThreadPoolExecutor(2) as pool,
    ):
        first = pool.submit(database.run_now, erasing)
        started.wait(timeout=30)
        second = pool.submit(other.run_now, holding)
        first.result(timeout=30)
        second.result(timeout=30)
    assert order == ["erased", "held"]
