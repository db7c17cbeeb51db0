"""Writes that wait together, seen from those who wait. On PostgreSQL each has a transaction of its own."""

import asyncio
import threading

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, select, text

from remit.db import Transaction
from remit.db.group import MOST_TOGETHER

counters = Table(
    "throttle",
    MetaData(),
    Column("key", Text, primary_key=True),
    Column("window_start", Integer),
    Column("count", Integer),
)


class RefusedError(Exception):
    """What a work raises that wants nothing of it to stay."""


def insert(key: str):
    def work(tx: Transaction) -> str:
        tx.connection.execute(counters.insert().values(key=key, window_start=0, count=0))
        tx.record(f"inserted {key}")
        return key

    return work


def insert_and_refuse(key: str):
    def work(tx: Transaction) -> None:
        insert(key)(tx)
        raise RefusedError(key)

    return work


def keys(tx: Transaction) -> list[str]:
    return list(tx.connection.execute(select(counters.c.key).order_by(counters.c.key)).scalars())


async def queued(database, *works):
    """What each of `works` returned or raised, all of them waiting while another is being written."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        begun.set()
        assert go_on.wait(30)

    holding = asyncio.create_task(database.run(hold))
    await asyncio.to_thread(begun.wait, 30)
    waiting = [asyncio.create_task(database.run(work)) for work in works]
    await asyncio.sleep(0)
    go_on.set()
    await holding
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_each_of_many_gets_its_own_result(database, events):
    names = [f"k{n:03}" for n in range(3 * MOST_TOGETHER)]
    assert await queued(database, *(insert(name) for name in names)) == names
    assert await database.read(keys) == names
    assert sorted(events.recorded) == [f"inserted {name}" for name in names]


async def test_one_that_raises_takes_back_its_own_change_and_event_and_no_other(database, events):
    results = await queued(database, insert("a"), insert_and_refuse("b"), insert("c"))
    assert [str(result) for result in results] == ["a", "b", "c"]
    assert isinstance(results[1], RefusedError)
    assert await database.read(keys) == ["a", "c"]
    assert sorted(events.recorded) == ["inserted a", "inserted c"]


async def test_a_statement_that_fails_takes_back_no_other(database, events):
    results = await queued(database, insert("a"), insert("a"), insert("c"))
    assert [isinstance(result, str) for result in results].count(True) == 2
    assert results[2] == "c"
    assert await database.read(keys) == ["a", "c"]
    assert sorted(events.recorded) == ["inserted a", "inserted c"]


async def test_each_sees_what_those_before_it_did(database):
    await database.run(insert("n"))

    def count(tx: Transaction) -> int:
        raised = counters.update().values(count=counters.c.count + 1).returning(counters.c.count)
        return tx.connection.execute(raised).scalar_one()

    assert sorted(await queued(database, *[count] * 40)) == list(range(1, 41))


async def test_a_log_that_refuses_refuses_all_who_wait(database, events):
    events.failure = RefusedError("full")
    results = await queued(database, insert("a"), insert("b"), insert("c"))
    assert [type(result) for result in results] == [RefusedError] * 3
    events.failure = None
    assert await database.read(keys) == []


async def test_a_commit_that_fails_is_taken_back_for_all_who_waited(database, events):
    if database._queue is None:
        return  # on PostgreSQL nobody shares a commit; test_database.py has the case of one

    def broken(tx: Transaction) -> None:
        tx.connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        tx.connection.execute(text("INSERT INTO recovery_codes VALUES ('d','nobody',1,NULL)"))

    results = await queued(database, insert("a"), broken, insert("c"))
    assert all("FOREIGN KEY" in str(result) for result in results)
    assert await database.read(keys) == []
    assert [event for event, _ in events.abandoned] == ["inserted a", "inserted c"]
    assert await database.run(insert("d")) == "d"


async def test_work_that_ends_the_transaction_is_a_mistake_all_are_told_of(database, events):
    def commits(tx: Transaction) -> None:
        tx.connection.commit()

    results = await queued(database, commits)
    assert isinstance(results[0], RuntimeError)
    assert await database.run(insert("b")) == "b"
    assert events.recorded == ["inserted b"]


async def test_a_caller_that_gave_up_before_its_turn_changes_nothing(database, events):
    begun, go_on = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        begun.set()
        assert go_on.wait(30)

    if database._queue is None:
        return  # on PostgreSQL another connection takes it at once
    holding = asyncio.create_task(database.run(hold))
    await asyncio.to_thread(begun.wait, 30)
    given_up = asyncio.create_task(database.run(insert("a")))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    go_on.set()
    await holding
    await database.run(insert("b"))
    assert await database.read(keys) == ["b"]
    assert events.recorded == ["inserted b"]


async def test_who_still_waits_when_the_database_closes_is_told(database):
    begun, go_on = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        begun.set()
        assert go_on.wait(30)

    holding = asyncio.create_task(database.run(hold))
    await asyncio.to_thread(begun.wait, 30)
    waiting = [asyncio.create_task(database.run(insert(f"k{n}"))) for n in range(20)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(database.close))
    await asyncio.sleep(0)
    go_on.set()
    await closing
    await holding
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert len(results) == 20  # answered, each of them: done, or told that it is not
