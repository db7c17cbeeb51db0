"""The SQL of connections: what a third party issued to one person for one server, sealed."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from remit.db import metadata

__all__ = ["connection_requests", "connections"]

connections = Table(
    "connections",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("server", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("sealed_tokens", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
)

connection_requests = Table(
    "connection_requests",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("browser_digest", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("sealed_verifier", Text, nullable=False),
    Column("return_to", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("used_at", BigInteger),
)
