"""Statements compiled once do what SQLAlchemy does with them, on both databases."""

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.exc import OperationalError as SqlOperationalError

from remit.db import Transaction
from remit.db.prepared import Prepared

counters = Table(
    "throttle",
    MetaData(),
    Column("key", Text, primary_key=True),
    Column("window_start", BigInteger),
    Column("count", BigInteger),
)

keys = Table(
    "signing_keys",
    MetaData(),
    Column("kid", Text),
    Column("alg", Text),
    Column("public_jwk", Text),
    Column("sealed_private", Text),
    Column("created_at", BigInteger),
    Column("retired_at", BigInteger),
)

ADD_KEY = Prepared(insert(keys), columns=tuple(keys.c.keys()))
FIND_KEYS = Prepared(select(keys))
ADD = Prepared(insert(counters), columns=("key", "window_start", "count"))
FIND = Prepared(select(counters).where(counters.c.key == bindparam("wanted")))
AT_LEAST = Prepared(
    select(counters).where(counters.c.count >= 2, counters.c.key != bindparam("but"))
)
RAISE = Prepared(
    update(counters)
    .where(counters.c.key == bindparam("wanted"), counters.c.window_start == 0)
    .values(count=counters.c.count + bindparam("by"))
    .returning(counters.c.key, counters.c.count)
)
DROP = Prepared(delete(counters).where(counters.c.count < bindparam("below")))
MISSING = Prepared(select(Table("nowhere", MetaData(), Column("key", Text)).c.key))


def add(*rows: tuple[str, int, int]):
    def work(tx: Transaction) -> None:
        for key, window_start, count in rows:
            ADD.run(tx, key=key, window_start=window_start, count=count)

    return work


async def test_a_row_comes_back_as_it_was_put_with_its_columns_as_attributes(database):
    key = "ä'\"%(x)s :y ?"
    await database.run(add((key, 0, 2**31 - 1)))
    row = await database.read(lambda tx: FIND.one_or_none(tx, wanted=key))
    assert (row.key, row.window_start, row.count) == (key, 0, 2**31 - 1)


async def test_null_goes_in_and_comes_out(database):
    values = {"kid": "k", "alg": "a", "public_jwk": "p", "sealed_private": "s", "created_at": 1}
    await database.run(lambda tx: ADD_KEY.run(tx, **values, retired_at=None))
    assert (await database.read(FIND_KEYS.all))[0].retired_at is None


async def test_nothing_is_none_and_an_empty_list(database):
    assert await database.read(lambda tx: FIND.one_or_none(tx, wanted="a")) is None
    assert await database.read(lambda tx: FIND.all(tx, wanted="a")) == []


async def test_a_value_in_the_statement_goes_with_those_that_are_given(database):
    await database.run(add(("a", 0, 1), ("b", 0, 2), ("c", 0, 3)))
    rows = await database.read(lambda tx: AT_LEAST.all(tx, but="c"))
    assert [row.key for row in rows] == ["b"]


async def test_an_update_returns_what_it_made_and_changes_only_what_it_names(database):
    await database.run(add(("a", 0, 1), ("b", 5, 1)))
    made = await database.run(lambda tx: RAISE.one_or_none(tx, wanted="a", by=4))
    assert (made.key, made.count) == ("a", 5)
    assert await database.run(lambda tx: RAISE.one_or_none(tx, wanted="b", by=4)) is None


async def test_a_delete_says_how_many_went(database):
    await database.run(add(("a", 0, 1), ("b", 0, 2), ("c", 0, 3)))
    assert await database.run(lambda tx: DROP.run(tx, below=3)) == 2


async def test_two_rows_where_one_was_meant_are_a_mistake(database):
    await database.run(add(("a", 0, 2), ("b", 0, 2)))
    with pytest.raises(RuntimeError):
        await database.read(lambda tx: AT_LEAST.one_or_none(tx, but="c"))


async def test_it_is_part_of_the_transaction_around_it(database):
    def work(tx: Transaction) -> None:
        add(("a", 0, 1))(tx)
        raise LookupError

    with pytest.raises(LookupError):
        await database.run(work)
    assert await database.read(lambda tx: FIND.one_or_none(tx, wanted="a")) is None


async def test_its_errors_are_those_of_the_toolkit_and_show_no_value(database):
    await database.run(add(("hunter2", 0, 1)))
    with pytest.raises(IntegrityError) as raised:
        await database.run(add(("hunter2", 0, 1)))
    assert "INSERT" in str(raised.value)
    assert "'hunter2'" not in str(raised.value).partition("DETAIL")[0]


async def test_a_reader_cannot_write_with_it(database):
    with pytest.raises(Exception, match=r"read-?only|does not answer"):
        await database.read(add(("a", 0, 1)))


async def test_a_table_that_is_not_there_is_an_error_of_the_program(database):
    with pytest.raises((ProgrammingError, SqlOperationalError, Exception)) as raised:
        await database.read(MISSING.all)
    assert "nowhere" in str(raised.value) or "answer" in str(raised.value)
