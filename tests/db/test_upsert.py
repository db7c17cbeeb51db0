"""`INSERT … ON CONFLICT` on both databases."""

from remit.db import conflict_insert
from remit.db.throttle import throttle


def test_a_conflict_does_nothing_or_updates_as_told(database):
    def insert(tx, count, *, update):
        statement = conflict_insert(tx, throttle).values(key="k", window_start=0, count=count)
        statement = (
            statement.on_conflict_do_update(
                index_elements=[throttle.c.key], set_={"count": statement.excluded.count}
            )
            if update
            else statement.on_conflict_do_nothing()
        )
        return tx.connection.execute(statement.returning(throttle.c.count)).scalar()

    assert database.run_now(lambda tx: insert(tx, 1, update=False)) == 1
    assert database.run_now(lambda tx: insert(tx, 2, update=False)) is None
    assert database.run_now(lambda tx: insert(tx, 3, update=True)) == 3
