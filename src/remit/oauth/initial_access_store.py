"""The SQL of initial access tokens: who may register a client where not everybody may."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from remit.db import metadata

__all__ = ["initial_access_tokens"]

initial_access_tokens = Table(
    "initial_access_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("environment", Text),
    Column("note", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("uses_left", Integer, nullable=False),
    Column("revoked_at", BigInteger),
)
