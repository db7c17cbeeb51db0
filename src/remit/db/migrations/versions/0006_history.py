"""What was done before, as far as somebody declared that it counts."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "history_uses",
        Column("tenant", Text, nullable=False),
        Column("fact", Text, nullable=False),
        Column("agent", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("grant_id", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("use", Text, nullable=False),
        Column("member", Text, nullable=False),
        Column("amount", BigInteger, nullable=False),
        Column("times", BigInteger, nullable=False),
        PrimaryKeyConstraint(
            "tenant", "fact", "agent", "subject", "grant_id", "at", "use", "member"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_history_uses_fact_at", "history_uses", ["fact", "at"])
