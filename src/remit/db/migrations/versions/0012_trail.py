"""What is found in the log without reading all of it. Written from the log, and again whenever it is emptied."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint, Text

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trail_logs",
        Column("log", Text, primary_key=True),
        Column("number", Integer, nullable=False, unique=True),
        Column("next", BigInteger, nullable=False),
        Column("last_block", BigInteger, nullable=False),
        Column("reach", BigInteger, nullable=False),
    )
    op.create_table(
        "trail_blocks",
        Column("block", BigInteger, primary_key=True, autoincrement=False),
        Column("log", Integer, nullable=False),
        Column("first", BigInteger, nullable=False),
        Column("records", Integer, nullable=False),
        Column("span", Integer, nullable=False),
    )
    op.create_table(
        "trail_spans",
        Column("span", Integer, primary_key=True, autoincrement=False),
        Column("blocks", Integer, nullable=False),
        Column("lowest", BigInteger, nullable=False),
        Column("highest", BigInteger, nullable=False),
    )
    op.create_table(
        "trail_terms",
        Column("tenant", Text, nullable=False),
        Column("span", Integer, nullable=False),
        Column("term", BigInteger, nullable=False),
        Column("block", BigInteger, nullable=False),
        Column("offsets", LargeBinary, nullable=False),
        PrimaryKeyConstraint("tenant", "span", "term", "block"),
        sqlite_with_rowid=False,
    )
    op.create_table("trail_tenants", Column("tenant", Text, primary_key=True))
    op.create_table("trail_epochs", Column("epoch", Text, primary_key=True))
