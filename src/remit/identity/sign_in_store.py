"""The SQL of log-ins that are under way: what is proved so far, and the challenge that is out."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from remit.db import metadata

__all__ = ["sign_ins"]

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("browser_digest", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("user_id", Text),
    Column("amr", Text, nullable=False),
    Column("challenge", Text),
    Column("return_to", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("failures", Integer, nullable=False),
    Column("used_at", BigInteger),
)
