"""The contract of a transaction, on both databases."""

import asyncio
import re
import threading
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, select, text, update
from sqlalchemy.exc import OperationalError

from remit.db import (
    Database,
    DatabaseUnavailableError,
    NoRecorder,
    Transaction,
    UnrecordedEventError,
    UnsupportedDatabaseError,
    migrate,
)
from remit.errors import UnavailableError

counters = Table(
    "throttle",
    MetaData(),
    Column("key", Text, primary_key=True),
    Column("window_start", Integer),
    Column("count", Integer),
)


def _insert(key: str, count: int = 0):
    def work(tx: Transaction) -> None:
        tx.connection.execute(counters.insert().values(key=key, window_start=0, count=count))
        tx.record(f"inserted {key}")

    return work


def _keys(tx: Transaction) -> list[str]:
    return list(tx.connection.execute(select(counters.c.key).order_by(counters.c.key)).scalars())


async def test_what_a_work_returns_is_handed_back_and_its_change_is_seen(database, events):
    assert await database.run(lambda tx: (_insert("a")(tx), 7)[1]) == 7
    assert await database.read(_keys) == ["a"]
    assert events.recorded == ["inserted a"]


async def test_events_are_recorded_before_the_change_can_be_seen(database, events, database_url):
    seen: list[list[str]] = []
    other = Database.open(database_url)
    events.record = lambda _: seen.append(other.read_now(_keys))
    await database.run(_insert("a"))
    other.close()
    assert seen == [[]]
    assert await database.read(_keys) == ["a"]


async def test_a_log_that_fails_rolls_the_change_back(database, events):
    events.failure = UnavailableError("the disk is full")
    with pytest.raises(UnavailableError, match="disk is full"):
        await database.run(_insert("a"))
    assert await database.read(_keys) == []
    assert events.abandoned == []


async def test_work_that_raises_changes_and_records_nothing(database, events):
    def work(tx: Transaction) -> None:
        _insert("a")(tx)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.run(work)
    assert await database.read(_keys) == []
    assert events.recorded == []
    assert events.abandoned == []


async def test_a_commit_that_fails_is_taken_back_in_the_log(database, events):
    def work(tx: Transaction) -> None:
        if tx.connection.dialect.name == "sqlite":
            tx.connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            sessions = (
                "INSERT INTO sessions VALUES ('s','d','nobody',0,'','[]',0,0,0,NULL,NULL,NULL,NULL)"
            )
            tx.connection.execute(text(sessions))
        else:
            tx.connection.execute(
                text(
                    "CREATE TEMP TABLE t (n int, UNIQUE (n) DEFERRABLE INITIALLY DEFERRED)"
                    " ON COMMIT DROP"
                )
            )
            tx.connection.execute(text("INSERT INTO t VALUES (1), (1)"))
        _insert("a")(tx)

    with pytest.raises(Exception, match=r"FOREIGN KEY|duplicate key") as raised:
        await database.run(work)
    assert await database.read(_keys) == []
    assert events.recorded == ["inserted a"]
    assert events.abandoned == [("inserted a", raised.value)]


async def test_after_a_failed_commit_the_next_transaction_works(database, events):
    await test_a_commit_that_fails_is_taken_back_in_the_log(database, events)
    await database.run(_insert("b"))
    assert await database.read(_keys) == ["b"]


async def test_without_an_audit_log_an_event_is_refused_and_plain_work_is_not(database_url):
    database = Database.open(database_url)
    with pytest.raises(UnrecordedEventError):
        await database.run(_insert("a"))
    assert await database.run(_keys) == []
    NoRecorder().abandon([], ValueError())
    database.close()


async def test_a_single_use_update_is_won_once_among_many(database, events):
    await database.run(_insert("code"))
    barrier = threading.Barrier(2, timeout=60)

    def consume(tx: Transaction) -> str | None:
        return tx.connection.execute(
            update(counters)
            .where(counters.c.key == "code", counters.c.count == 0)
            .values(count=1)
            .returning(counters.c.key)
        ).scalar()

    def consume_together(tx: Transaction) -> str | None:
        if tx.connection.dialect.name == "postgresql":  # SQLite admits one writer at a time
            barrier.wait()
        return consume(tx)

    won = await asyncio.gather(*(database.run(consume_together) for _ in range(8)))
    assert sorted(won, key=str) == [None] * 7 + ["code"]


async def test_two_processes_on_one_database_consume_a_single_use_row_once(
    database, database_url, open_database
):
    await database.run(_insert("code"))
    other = open_database(database_url)

    def consume(tx: Transaction) -> int:
        return tx.connection.execute(
            update(counters).where(counters.c.count == 0).values(count=1)
        ).rowcount

    won = await asyncio.gather(*(one.run(consume) for one in (database, other) * 10))
    assert sum(won) == 1


async def test_a_read_only_transaction_cannot_write(database):
    with pytest.raises(Exception) as raised:
        await database.read(_insert("a"))
    assert re.search("readonly|read-only", f"{raised.value} {raised.value.__cause__}")
    assert await database.read(_keys) == []


async def test_a_write_after_a_read_on_the_same_connections_is_possible(database):
    for key in ("a", "b", "c"):
        assert key not in await database.read(_keys)
        await database.run(_insert(key))
    assert await database.read(_keys) == ["a", "b", "c"]


async def test_a_read_that_records_an_event_is_refused(database):
    with pytest.raises(UnrecordedEventError):
        await database.read(lambda tx: tx.record("no"))


async def test_a_reader_sees_one_snapshot_while_another_writes(database):
    await database.run(_insert("a"))
    begun, written = threading.Event(), threading.Event()

    def read_twice(tx: Transaction) -> tuple[list[str], list[str]]:
        first = _keys(tx)
        begun.set()
        assert written.wait(5)
        return first, _keys(tx)

    reading = asyncio.create_task(database.read(read_twice))
    await asyncio.to_thread(begun.wait, 5)
    await database.run(_insert("b"))
    written.set()
    assert await reading == (["a"], ["a"])


async def test_a_transaction_inside_another_is_refused_instead_of_waiting_for_itself(database):
    def work(tx: Transaction) -> None:
        database.run_now(_insert("a"))

    with pytest.raises(RuntimeError, match="inside another"):
        await database.run(work)


async def test_work_may_not_commit_its_own_transaction(database, events):
    def work(tx: Transaction) -> None:
        tx.record("something")
        tx.connection.commit()

    with pytest.raises(RuntimeError, match="ended it"):
        await database.run(work)
    assert events.recorded == []


async def test_a_foreign_key_to_nothing_is_refused(database):
    def work(tx: Transaction) -> None:
        tx.connection.execute(
            text(
                "INSERT INTO sessions VALUES ('s','d','nobody',0,'','[]',0,0,0,NULL,NULL,NULL,NULL)"
            )
        )

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await database.run(work)


async def test_an_error_does_not_show_what_was_to_be_stored(database):
    await database.run(_insert("hunter2"))
    with pytest.raises(Exception, match=r"UNIQUE|duplicate key") as raised:
        await database.run(_insert("hunter2"))
    assert "[parameters:" not in str(raised.value)


def test_callers_without_a_loop_write_and_read(database):
    database.run_now(_insert("a"))
    assert database.read_now(_keys) == ["a"]


async def test_a_closed_database_says_so(database):
    await database.ping()
    database.close()
    database.close()
    with pytest.raises(DatabaseUnavailableError, match="closed"):
        await database.ping()
    with pytest.raises(DatabaseUnavailableError, match="closed"):
        await database.run(_insert("a"))


def _overwrite(database_url: str) -> None:
    """Destroy the file under a database that is open, its write-ahead log with it."""
    path = database_url.removeprefix("sqlite:///")
    for name in (path, f"{path}-wal"):
        if Path(name).exists():
            with Path(name).open("r+b") as file:
                file.write(b"\xa5" * Path(name).stat().st_size)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_database_that_was_destroyed_while_open_is_unavailable(database, database_url):
    await database.run(_insert("a"))
    await database.ping()
    _overwrite(database_url)
    with pytest.raises(DatabaseUnavailableError):
        await database.ping()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_file_that_is_no_database_is_unavailable(database, database_url):
    _overwrite(database_url)
    for attempt in (database.ping(), database.read(_keys), database.run(_insert("a"))):
        with pytest.raises(DatabaseUnavailableError, match="damaged"):
            await attempt


async def test_a_database_without_its_tables_is_unavailable(bare_database_url):
    bare = Database.open(bare_database_url)
    with pytest.raises(DatabaseUnavailableError):
        await bare.ping()
    bare.close()


async def test_a_cancelled_caller_does_not_tear_a_transaction_apart(database, events):
    begun, go = threading.Event(), threading.Event()

    def work(tx: Transaction) -> None:
        begun.set()
        assert go.wait(5)
        _insert("a")(tx)

    writing = asyncio.create_task(database.run(work))
    await asyncio.to_thread(begun.wait, 5)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go.set()
    await database.run(_insert("b"))
    async with asyncio.timeout(60):  # PostgreSQL may take the second before the first
        while "a" not in await database.read(_keys):  # noqa: ASYNC110  another thread commits it
            await asyncio.sleep(0.01)
    assert sorted(events.recorded) == ["inserted a", "inserted b"]


async def test_a_server_that_cannot_be_reached_is_unavailable(tmp_path):
    database = Database.open(f"postgresql://postgres@/nothing?host={tmp_path}")
    with pytest.raises(DatabaseUnavailableError) as raised:
        await database.ping()
    assert raised.value.detail == "the database does not answer"
    assert isinstance(raised.value.cause, OperationalError)
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://h/d", "nonsense"])
def test_other_databases_are_refused(url):
    with pytest.raises(UnsupportedDatabaseError):
        Database.open(url)


def test_a_refused_url_does_not_show_its_password():
    with pytest.raises(UnsupportedDatabaseError) as raised:
        Database.open("mysql://somebody:hunter2@host/database")
    assert "hunter2" not in str(raised.value)


def test_the_files_of_sqlite_are_readable_by_their_owner_alone(tmp_path: Path):
    path = tmp_path / "remit.sqlite3"
    migrate(f"sqlite:///{path}")
    database = Database.open(f"sqlite:///{path}")
    database.run_now(lambda tx: tx.connection.execute(counters.delete()))
    database.read_now(_keys)
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    database.close()
    assert modes == dict.fromkeys(
        ["remit.sqlite3", "remit.sqlite3-wal", "remit.sqlite3-shm"], 0o600
    )


def test_sqlite_makes_a_commit_durable_before_it_returns(tmp_path: Path):
    database = Database.open(f"sqlite:///{tmp_path / 'remit.sqlite3'}")
    pragmas = {
        name: database.run_now(
            lambda tx, name=name: tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
        )
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_a_glance_sees_what_has_committed_and_cannot_write(database, events):
    await database.run(_insert("a"))
    assert await database.glance(_keys) == ["a"]
    with pytest.raises(Exception, match=r"read-?only|does not answer|UnrecordedEvent|recorded"):
        await database.glance(_insert("b"))
    assert await database.read(_keys) == ["a"]


async def test_a_glance_inside_a_transaction_is_refused(database):
    def glances(_: Transaction) -> None:
        asyncio.run(database.glance(_keys))

    with pytest.raises(RuntimeError, match="inside another"):
        await database.run(glances)


async def test_a_closed_database_has_no_glances(database):
    await database.glance(_keys)
    database.close()
    with pytest.raises(DatabaseUnavailableError):
        await database.glance(_keys)
