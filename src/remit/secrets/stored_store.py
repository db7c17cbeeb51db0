"""The SQL of secrets that an administrator had sealed in the database."""

from sqlalchemy import BigInteger, Column, Table, Text

from remit.db import metadata

__all__ = ["stored_secrets"]

stored_secrets = Table(
    "stored_secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("ciphertext", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=True),
)
