"""The SQL of guards inside servers: which have asked, when, and how far their records have come."""

from sqlalchemy import BigInteger, Column, Table, Text

from remit.db import metadata

__all__ = ["guards"]

guards = Table(
    "guards",
    metadata,
    Column("server", Text, primary_key=True),
    Column("instance", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("last_record", BigInteger, nullable=False, server_default="0"),
)
