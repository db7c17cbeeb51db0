"""The SQL of definitions: what each thing of a server was when it was admitted, and what it is offered as now."""

from sqlalchemy import BigInteger, Column, Table, Text

from remit.db import metadata

__all__ = ["definitions"]

definitions = Table(
    "definitions",
    metadata,
    Column("server", Text, primary_key=True),
    Column("thing", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=True),
    Column("detail", Text, nullable=False),
    Column("admitted", Text, nullable=True),
    Column("admitted_digest", Text, nullable=True),
    Column("offered", Text, nullable=True),
    Column("offered_digest", Text, nullable=True),
    Column("first_seen", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger, nullable=True),
    Column("decided_by", Text, nullable=True),
)
