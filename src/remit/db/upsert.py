"""`INSERT … ON CONFLICT`, which both databases speak and SQLAlchemy spells twice."""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from remit.db.transaction import Transaction

__all__ = ["conflict_insert"]


def conflict_insert(tx: Transaction, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An `INSERT` into `table` with `.on_conflict_do_nothing` and `.on_conflict_do_update`."""
    if tx.connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
