"""The SQL of log-ins through an identity provider, and of whom each of its subjects is here."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from remit.db import metadata

__all__ = ["external_identities", "provider_logins"]

external_identities = Table(
    "external_identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("last_login_at", BigInteger),
)

provider_logins = Table(
    "provider_logins",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("browser_digest", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("nonce_digest", Text, nullable=False),
    Column("sealed_verifier", Text, nullable=False),
    Column("return_to", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("used_at", BigInteger),
)
