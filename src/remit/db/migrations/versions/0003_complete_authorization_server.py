"""What a complete authorization server keeps besides: delegation, registration under rules, second
factors, identity providers, connections to third parties, single-use assertions.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _grants()
    _clients()
    _people()
    _keys()
    _assertions()
    _initial_access()
    _connections()
    _factors()
    _sign_ins()
    _providers()
    _indexes()


def _grants() -> None:
    for column in (
        Column("parent_id", Text, nullable=True),
        Column("actors", Text, nullable=False, server_default="[]"),
        Column("authorization_details", Text, nullable=False, server_default="[]"),
        Column("jkt", Text, nullable=True),
        Column("origin", Text, nullable=True),
    ):
        op.add_column("grants", column)
    op.add_column("authorization_codes", Column("jkt", Text, nullable=True))


def _clients() -> None:
    for column in (
        Column("status", Text, nullable=False, server_default="admitted"),
        Column("rule", Text, nullable=True),
        Column("owner", Text, nullable=True),
        Column("environment", Text, nullable=True),
        Column("scopes", Text, nullable=True),
        Column("expires_at", BigInteger, nullable=True),
        Column("decided_at", BigInteger, nullable=True),
        Column("decided_by", Text, nullable=True),
        Column("queued_at", BigInteger, nullable=True),
        Column("queued_from", Text, nullable=True),
        Column("initial_access_token", Text, nullable=True),
    ):
        op.add_column("clients", column)


def _people() -> None:
    op.add_column("users", Column("password_changed_at", BigInteger, nullable=True))
    for name in ("provider", "ip", "user_agent"):
        op.add_column("sessions", Column(name, Text, nullable=True))


def _keys() -> None:
    for name in ("signs_from", "retires_at"):
        op.add_column("signing_keys", Column(name, BigInteger, nullable=True))


def _assertions() -> None:
    op.create_table(
        "seen_assertions",
        Column("digest", Text, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("digest", name="pk_seen_assertions"),
    )


def _initial_access() -> None:
    op.create_table(
        "initial_access_tokens",
        Column("id", Text, nullable=False),
        Column("digest", Text, nullable=False),
        UniqueConstraint("digest", name="uq_initial_access_tokens_digest"),
        Column("owner", Text, nullable=False),
        Column("environment", Text, nullable=True),
        Column("note", Text, nullable=False),
        Column("created_by", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("uses_left", Integer, nullable=False),
        Column("revoked_at", BigInteger, nullable=True),
        PrimaryKeyConstraint("id", name="pk_initial_access_tokens"),
    )


def _connections() -> None:
    op.create_table(
        "connections",
        Column(
            "user_id",
            Text,
            ForeignKey("users.id", name="fk_connections_user_id_users"),
            nullable=False,
        ),
        Column("server", Text, nullable=False),
        Column("issuer", Text, nullable=False),
        Column("scopes", Text, nullable=False),
        Column("sealed_tokens", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=True),
        PrimaryKeyConstraint("user_id", "server", name="pk_connections"),
    )
    op.create_table(
        "connection_requests",
        Column("digest", Text, nullable=False),
        Column("browser_digest", Text, nullable=False),
        Column("user_id", Text, nullable=False),
        Column("client_id", Text, nullable=False),
        Column("server", Text, nullable=False),
        Column("issuer", Text, nullable=False),
        Column("sealed_state", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("used_at", BigInteger, nullable=True),
        PrimaryKeyConstraint("digest", name="pk_connection_requests"),
    )


def _factors() -> None:
    op.create_table(
        "passkeys",
        Column("credential_id", Text, nullable=False),
        Column(
            "user_id",
            Text,
            ForeignKey("users.id", name="fk_passkeys_user_id_users"),
            nullable=False,
        ),
        Column("public_key", Text, nullable=False),
        Column("sign_count", BigInteger, nullable=False),
        Column("name", Text, nullable=False),
        Column("transports", Text, nullable=False),
        Column("backed_up", Integer, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("last_used_at", BigInteger, nullable=True),
        PrimaryKeyConstraint("credential_id", name="pk_passkeys"),
    )
    op.create_table(
        "one_time_passwords",
        Column(
            "user_id",
            Text,
            ForeignKey("users.id", name="fk_one_time_passwords_user_id_users"),
            nullable=False,
        ),
        Column("sealed_secret", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("last_step", BigInteger, nullable=False),
        PrimaryKeyConstraint("user_id", name="pk_one_time_passwords"),
    )
    op.create_table(
        "recovery_codes",
        Column("digest", Text, nullable=False),
        Column(
            "user_id",
            Text,
            ForeignKey("users.id", name="fk_recovery_codes_user_id_users"),
            nullable=False,
        ),
        Column("created_at", BigInteger, nullable=False),
        Column("used_at", BigInteger, nullable=True),
        PrimaryKeyConstraint("digest", name="pk_recovery_codes"),
    )


def _sign_ins() -> None:
    op.create_table(
        "sign_ins",
        Column("digest", Text, nullable=False),
        Column("browser_digest", Text, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("user_id", Text, nullable=False),
        Column("amr", Text, nullable=False),
        Column("return_to", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("failures", Integer, nullable=False),
        Column("used_at", BigInteger, nullable=True),
        PrimaryKeyConstraint("digest", name="pk_sign_ins"),
    )
    op.create_table(
        "spent_challenges",
        Column("digest", Text, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("digest", name="pk_spent_challenges"),
    )


def _providers() -> None:
    op.create_table(
        "external_identities",
        Column("issuer", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("provider", Text, nullable=False),
        Column(
            "user_id",
            Text,
            ForeignKey("users.id", name="fk_external_identities_user_id_users"),
            nullable=False,
        ),
        Column("roles", Text, nullable=False),
        Column("attributes", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("last_login_at", BigInteger, nullable=True),
        PrimaryKeyConstraint("issuer", "subject", name="pk_external_identities"),
    )
    op.create_table(
        "provider_logins",
        Column("digest", Text, nullable=False),
        Column("browser_digest", Text, nullable=False),
        Column("provider", Text, nullable=False),
        Column("issuer", Text, nullable=False),
        Column("nonce_digest", Text, nullable=False),
        Column("sealed_verifier", Text, nullable=False),
        Column("return_to", Text, nullable=False),
        Column("user_id", Text, nullable=True),
        Column("max_age", BigInteger, nullable=True),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("used_at", BigInteger, nullable=True),
        PrimaryKeyConstraint("digest", name="pk_provider_logins"),
    )


def _indexes() -> None:
    for table, column in (
        ("grants", "parent_id"),
        ("clients", "status"),
        ("clients", "expires_at"),
        ("seen_assertions", "expires_at"),
        ("initial_access_tokens", "expires_at"),
        ("connection_requests", "expires_at"),
        ("passkeys", "user_id"),
        ("recovery_codes", "user_id"),
        ("sign_ins", "expires_at"),
        ("spent_challenges", "expires_at"),
        ("external_identities", "user_id"),
        ("provider_logins", "expires_at"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])
