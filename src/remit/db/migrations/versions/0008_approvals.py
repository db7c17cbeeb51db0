"""What people are asked, what they said, and what they may have for a while."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text, text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approvals",
        Column("id", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("tenant", Text, nullable=False),
        Column("user_id", Text),
        Column("agent_id", Text, nullable=False),
        Column("client_id", Text, nullable=False),
        Column("grant_id", Text, nullable=False),
        Column("server", Text, nullable=False),
        Column("thing_kind", Text, nullable=False),
        Column("thing", Text, nullable=False),
        Column("definition", Text),
        Column("environment", Text),
        Column("parts", Text, nullable=False),
        Column("actors", Text, nullable=False),
        Column("held", Text),
        Column("sealed", Text),
        Column("decision_id", Text, nullable=False),
        Column("policy_version", Text, nullable=False),
        Column("asked", Integer, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("opened_at", BigInteger),
        Column("ended_at", BigInteger),
        Column("expires_at", BigInteger, nullable=False),
        Column("holds", BigInteger, nullable=False),
        Column("escalates_at", BigInteger),
        Column("escalated_at", BigInteger),
        Column("reason", Text),
    )
    # One request for one call: whoever asks at the same time finds the other's.
    op.create_index(
        "ux_approvals_waiting", "approvals", ["digest", "grant_id"], unique=True,
        sqlite_where=Column("state") == "waiting", postgresql_where=Column("state") == "waiting",
    )  # fmt: skip
    op.create_index("ix_approvals_tenant_state", "approvals", ["tenant", "state", "created_at"])
    op.create_index("ix_approvals_grant_id", "approvals", ["grant_id"])
    op.create_index("ix_approvals_user_id", "approvals", ["user_id", "state"])
    op.create_index("ix_approvals_state", "approvals", ["state", "expires_at"])
    op.create_table(
        "approval_answers",
        Column("approval", Text, nullable=False),
        Column("person", Text, nullable=False),
        Column("verdict", Text, nullable=False),
        Column("capacity", Text, nullable=False),
        Column("acr", Text, nullable=False),
        Column("auth_time", BigInteger, nullable=False),
        Column("shown", Text, nullable=False),
        Column("shown_at", BigInteger, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("reason", Text, nullable=False),
        Column("counts_for", Text, nullable=False),
        Column("known_as", Text, nullable=False),
        Column("seat", Text),
        PrimaryKeyConstraint("approval", "person"),
    )
    op.create_table(
        "approval_openings",
        Column("approval", Text, nullable=False),
        Column("person", Text, nullable=False),
        Column("shown", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        PrimaryKeyConstraint("approval", "person"),
    )
    op.create_table(
        "elevations",
        Column("id", Text, primary_key=True),
        Column("approval", Text, nullable=False),
        Column("grant_id", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("facts", Text, nullable=False),
        Column("uses_left", Integer, nullable=False),
        Column("given_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("used_at", BigInteger),
        Column("used_for", Text),
        Column("revoked_at", BigInteger),
    )
    op.create_index("ix_elevations_digest", "elevations", ["digest", "grant_id"])
    op.create_index("ix_elevations_used_for", "elevations", ["used_for"])
    op.create_index("ix_elevations_expires_at", "elevations", ["expires_at"])
    op.create_table(
        "access",
        Column("id", Text, primary_key=True),
        Column("offer", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("tenant", Text, nullable=False),
        Column("holder_kind", Text, nullable=False),
        Column("holder", Text, nullable=False),
        # The only agent through which it counts; null: any.
        Column("agent_id", Text),
        Column("role", Text),
        Column("scopes", Text, nullable=False),
        Column("justification", Text, nullable=False),
        Column("ticket", Text, nullable=False),
        Column("acr", Text),
        Column("seconds", BigInteger, nullable=False),
        Column("until", BigInteger),
        Column("requested_at", BigInteger, nullable=False),
        Column("approval", Text),
        Column("approved_by", Text, nullable=False),
        Column("granted_at", BigInteger),
        Column("expires_at", BigInteger, nullable=False),
        Column("ended_at", BigInteger),
        Column("how", Text),
        Column("ended_for", Text),
        Column("review_by", BigInteger),
        Column("reviewed_at", BigInteger),
        Column("reviewed_by", Text),
        Column("verdict", Text),
        Column("overdue_at", BigInteger),
    )
    op.create_index("ix_access_holder", "access", ["tenant", "holder_kind", "holder", "state"])
    # Asked for once, however many ask at the same time, and never prolonged.
    is_open = text("state IN ('waiting', 'active')")
    op.create_index(
        "ux_access_open", "access", ["tenant", "holder_kind", "holder", "offer"], unique=True,
        sqlite_where=is_open, postgresql_where=is_open,
    )  # fmt: skip
    # The access tokens that say something by it: these end with it, and no others.
    op.create_table(
        "access_tokens",
        Column("access_id", Text, nullable=False),
        Column("jti", Text, nullable=False),
        Column("grant_id", Text, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("access_id", "jti"),
    )
    op.create_index("ix_access_tokens_expires_at", "access_tokens", ["expires_at"])
    op.create_table(
        "deputies",
        Column("tenant", Text, nullable=False),
        Column("absent", Text, nullable=False),
        Column("deputy", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("named_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("tenant", "absent", "deputy", "role"),
    )
    op.create_table(
        "notifications",
        Column("id", Text, primary_key=True),
        Column("about", Text, nullable=False),
        Column("event", Text, nullable=False),
        Column("notifier", Text, nullable=False),
        Column("tenant", Text, nullable=False),
        Column("told", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        # Null once it is delivered, or given up.
        Column("next_at", BigInteger),
        Column("created_at", BigInteger, nullable=False),
        Column("ends_at", BigInteger, nullable=False),
        Column("delivered_at", BigInteger),
        Column("error", Text),
    )
    op.create_index("ix_notifications_next_at", "notifications", ["next_at"])
    op.create_index(
        "ux_notifications_about", "notifications", ["about", "event", "notifier"], unique=True
    )
