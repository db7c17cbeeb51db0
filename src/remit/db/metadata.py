"""Where the stores of all rooms declare their tables, and how constraints are named.

Each room declares its own tables in its `store.py`; a test compares them all with
what the migrations build. Times are epoch seconds in `BIGINT`, JSON is canonical
JSON in `TEXT`, and a column is `NOT NULL` unless it says otherwise.
"""

from sqlalchemy import MetaData

__all__ = ["metadata"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
