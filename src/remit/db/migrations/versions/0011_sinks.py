"""How far each copy of the log has come."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sink_cursors",
        Column("sink", Text, nullable=False),
        Column("log", Text, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("holder", Text, nullable=False),
        Column("held_until", BigInteger, nullable=False),
        Column("moved_at", BigInteger, nullable=False),
        Column("lagging_since", BigInteger),
        Column("error", Text),
        PrimaryKeyConstraint("sink", "log"),
    )
