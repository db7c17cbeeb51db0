"""How far each sink is, and who carries it there: one at a time, whoever thinks otherwise."""

import pytest

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import AuditGapFound, SinkLagging, SinkRecovered, SinkReset
from remit.sinks.cursor_store import (
    LEASE,
    advance,
    claim,
    list_cursors,
    note_gap,
    note_lag,
    note_recovery,
    release,
    renew,
    set_position,
)


@pytest.fixture
def held(database, clock):
    """What `main` carries, from record 5 on."""

    async def take(holder="main", *, begin=5, sink="siem", now=None):
        return await database.run(
            lambda tx: claim(
                tx, sink, "remit/main", holder=holder, begin=begin, now=now or clock.now()
            )
        )

    return take


async def test_whoever_comes_first_carries_it_and_nobody_else(database, clock, held):
    cursor = await held()
    assert (cursor.position, cursor.holder, cursor.held_until) == (5, "main", clock.now() + LEASE)
    assert await held("b") is None
    assert (await held()).position == 5
    assert await database.read(list_cursors) == (cursor,)


async def test_when_its_time_is_up_another_goes_on_where_it_was(database, clock, held):
    cursor = await held()
    assert await database.run(lambda tx: advance(tx, cursor, after=9, now=clock.now(), error=None))
    assert await held("b", now=clock.now() + LEASE) is None
    taken = await held("b", begin=0, now=clock.now() + LEASE + 1)
    assert (taken.position, taken.holder) == (9, "b")


async def test_who_was_taken_over_changes_nothing(database, clock, held):
    cursor = await held()
    await held("b", now=clock.now() + LEASE + 1)
    assert not await database.run(
        lambda tx: advance(tx, cursor, after=9, now=clock.now(), error=None)
    )
    renewed = await database.run(
        lambda tx: renew(tx, "siem", "remit/main", holder="main", now=clock.now())
    )
    assert renewed is None
    assert (await database.read(list_cursors))[0].position == 5


async def test_what_was_set_meanwhile_is_not_written_over(database, clock, held):
    cursor = await held()
    who = Context(actor=Actor(ActorType.ADMIN, "usr_1"))
    await database.run(lambda tx: set_position(tx, cursor, to=0, reason="anew", context=who))
    assert not await database.run(
        lambda tx: advance(tx, cursor, after=9, now=clock.now(), error=None)
    )
    assert (await database.read(list_cursors))[0].position == 0


async def test_what_is_released_is_anybodys_at_once(database, clock, held):
    await held()
    await database.run(lambda tx: release(tx, holder="main"))
    assert (await held("b")).holder == "b"


async def test_lag_and_recovery_are_said_once_each(database, clock, held, events):
    cursor = await held()
    for _ in range(2):
        await database.run(
            lambda tx: note_lag(tx, cursor, behind=7, seconds=90, error="x", now=clock.now())
        )
    assert [one.behind for one in events.of(SinkLagging)] == [7]
    clock.advance(60)
    for _ in range(2):
        await database.run(lambda tx: note_recovery(tx, cursor, now=clock.now()))
    assert [one.seconds for one in events.of(SinkRecovered)] == [150]


async def test_gaps_and_resets_are_events_of_the_same_transaction(database, clock, held, events):
    cursor = await held()
    await database.run(lambda tx: note_gap(tx, cursor, first=5, last=8))
    who = Context(actor=Actor(ActorType.ADMIN, "usr_1"))
    await database.run(lambda tx: set_position(tx, cursor, to=77, reason="why", context=who))
    [gap], [reset] = events.of(AuditGapFound), events.of(SinkReset)
    assert (gap.first, gap.last) == (5, 8)
    assert (reset.before, reset.after, reset.reason, reset.context) == (5, 77, "why", who)
    events.failure = RuntimeError("the log is full")
    with pytest.raises(RuntimeError):
        await database.run(lambda tx: set_position(tx, cursor, to=1, reason="", context=who))
    assert (await database.read(list_cursors))[0].position == 77
