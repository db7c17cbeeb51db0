"""Logs that are kept in the database, and how far each log of the installation has come."""

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, PrimaryKeyConstraint, Text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_logs",
        Column("name", Text, primary_key=True),
        Column("epoch", BigInteger, nullable=False),
        Column("holder", Text, nullable=False),
        # Milliseconds by the database's own clock; 0 once it is given up.
        Column("held_until", BigInteger, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("first", BigInteger, nullable=False),
        Column("public_keys", Text, nullable=False),
        # The number before which no call has to be looked for that nobody knows the end of.
        Column("settled", BigInteger, nullable=False),
    )
    op.create_table(
        "audit_records",
        Column("log", Text, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("line", LargeBinary, nullable=False),
        PrimaryKeyConstraint("log", "seq"),
    )
    # Of 256 records that were kept for their time: what stays of them.
    op.create_table(
        "audit_hashes",
        Column("log", Text, nullable=False),
        Column("tile", BigInteger, nullable=False),
        Column("hashes", LargeBinary, nullable=False),
        PrimaryKeyConstraint("log", "tile"),
    )
    op.create_table(
        "audit_checkpoints",
        Column("log", Text, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("note", Text, nullable=False),
        Column("nodes", LargeBinary, nullable=False),
        Column("open_calls", LargeBinary, nullable=False),
        # The same note with what witnesses signed below it.
        Column("witnessed", Text),
        PrimaryKeyConstraint("log", "size"),
    )
