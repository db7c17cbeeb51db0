"""The SQL of single-use assertions: each is remembered until it would have expired."""

from sqlalchemy import BigInteger, Column, Table, Text

from remit.db import metadata

__all__ = ["seen_assertions"]

seen_assertions = Table(
    "seen_assertions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)
