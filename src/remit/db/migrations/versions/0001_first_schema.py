"""Everything the first version of Remit keeps.

Times are epoch seconds, JSON is canonical JSON in text. Tokens, codes and secrets are
kept as digests or sealed, never as themselves.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, PrimaryKeyConstraint, Text
from sqlalchemy import UniqueConstraint as Unique

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _people()
    _agents_and_clients()
    _authorization()
    _grants()
    _tokens()
    _keys_and_counters()
    _indexes()


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _maybe_text(name: str) -> Column[str]:
    return Column(name, Text, nullable=True)


def _time(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _maybe_time(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=True)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _key(table: str, *columns: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _people() -> None:
    op.create_table(
        "users",
        _text("id"),
        _text("tenant"),
        _text("username"),
        _text("display_name"),
        _text("password_hash"),
        _text("roles"),
        _text("attributes"),
        _time("created_at"),
        _maybe_time("disabled_at"),
        _count("failed_logins"),
        _maybe_time("locked_until"),
        _key("users", "id"),
        Unique("username", name="uq_users_username"),
    )
    op.create_table(
        "sessions",
        _text("id"),
        _text("digest"),
        Column(
            "user_id",
            Text,
            ForeignKey("users.id", name="fk_sessions_user_id_users"),
            nullable=False,
        ),
        _time("auth_time"),
        _text("acr"),
        _text("amr"),
        _time("created_at"),
        _time("last_seen_at"),
        _time("expires_at"),
        _maybe_time("ended_at"),
        _key("sessions", "id"),
        Unique("digest", name="uq_sessions_digest"),
    )


def _agents_and_clients() -> None:
    op.create_table(
        "agent_standing",
        _text("agent_id"),
        _time("suspended_at"),
        _text("reason"),
        _text("changed_by"),
        _key("agent_standing", "agent_id"),
    )
    op.create_table(
        "clients",
        _text("client_id"),
        _text("kind"),
        _text("agent_id"),
        _text("name"),
        _text("metadata"),
        _maybe_text("secret_digest"),
        _text("fingerprint"),
        _time("created_at"),
        _maybe_time("last_used_at"),
        _maybe_time("disabled_at"),
        _maybe_time("fresh_until"),
        _key("clients", "client_id"),
    )


def _authorization() -> None:
    op.create_table(
        "authorization_requests",
        _text("digest"),
        _text("browser_digest"),
        _text("parameters"),
        _time("created_at"),
        _time("expires_at"),
        _maybe_time("finished_at"),
        _key("authorization_requests", "digest"),
    )
    op.create_table(
        "consents",
        _text("user_id"),
        _text("client_id"),
        _text("resource"),
        _text("scopes"),
        _text("fingerprint"),
        _time("granted_at"),
        _key("consents", "user_id", "client_id", "resource"),
    )


def _grants() -> None:
    op.create_table(
        "grants",
        _text("id"),
        _text("kind"),
        Column(
            "user_id", Text, ForeignKey("users.id", name="fk_grants_user_id_users"), nullable=True
        ),
        _text("client_id"),
        _text("agent_id"),
        _text("tenant"),
        _text("environment"),
        _text("resource"),
        _text("scopes"),
        _text("purpose"),
        _maybe_time("auth_time"),
        _maybe_text("acr"),
        _text("amr"),
        _time("created_at"),
        _time("last_used_at"),
        _time("expires_at"),
        _maybe_time("revoked_at"),
        _maybe_text("revoke_reason"),
        _key("grants", "id"),
    )


def _grant_of(table: str) -> Column[str]:
    reference = ForeignKey("grants.id", name=f"fk_{table}_grant_id_grants")
    return Column("grant_id", Text, reference, nullable=False)


def _tokens() -> None:
    op.create_table(
        "authorization_codes",
        _text("digest"),
        _grant_of("authorization_codes"),
        _text("client_id"),
        _text("redirect_uri"),
        _text("code_challenge"),
        _time("expires_at"),
        _maybe_time("consumed_at"),
        _key("authorization_codes", "digest"),
    )
    op.create_table(
        "refresh_tokens",
        _text("digest"),
        _grant_of("refresh_tokens"),
        _time("issued_at"),
        _time("expires_at"),
        _maybe_time("used_at"),
        _key("refresh_tokens", "digest"),
    )
    op.create_table(
        "revoked_tokens",
        _text("jti"),
        _time("expires_at"),
        _key("revoked_tokens", "jti"),
    )


def _keys_and_counters() -> None:
    op.create_table(
        "sealed_secrets",
        _text("name"),
        _text("ciphertext"),
        _time("created_at"),
        _key("sealed_secrets", "name"),
    )
    op.create_table(
        "signing_keys",
        _text("kid"),
        _text("alg"),
        _text("public_jwk"),
        _text("sealed_private"),
        _time("created_at"),
        _maybe_time("retired_at"),
        _key("signing_keys", "kid"),
    )
    op.create_table(
        "throttle",
        _text("key"),
        _time("window_start"),
        _count("count"),
        _key("throttle", "key"),
    )


def _indexes() -> None:
    """On every foreign key, every expiry, and what revocation looks for."""
    for table, column in (
        ("sessions", "user_id"),
        ("sessions", "expires_at"),
        ("authorization_requests", "expires_at"),
        ("grants", "user_id"),
        ("grants", "client_id"),
        ("grants", "agent_id"),
        ("grants", "revoked_at"),
        ("grants", "expires_at"),
        ("authorization_codes", "grant_id"),
        ("authorization_codes", "expires_at"),
        ("refresh_tokens", "grant_id"),
        ("refresh_tokens", "expires_at"),
        ("revoked_tokens", "expires_at"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])
