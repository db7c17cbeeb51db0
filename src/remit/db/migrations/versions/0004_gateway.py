"""What the gateway and the guards inside servers remember: admitted definitions, sealed secrets, guards."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _definitions()
    _secrets()
    _guards()


def _definitions() -> None:
    op.create_table(
        "definitions",
        Column("server", Text, nullable=False),
        Column("thing", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("cause", Text, nullable=True),
        Column("detail", Text, nullable=False),
        Column("seen", Text, nullable=False),
        Column("admitted", Text, nullable=True),
        Column("admitted_digest", Text, nullable=True),
        Column("offered", Text, nullable=True),
        Column("offered_digest", Text, nullable=True),
        Column("first_seen", BigInteger, nullable=False),
        Column("changed_at", BigInteger, nullable=False),
        Column("decided_at", BigInteger, nullable=True),
        Column("decided_by", Text, nullable=True),
        PrimaryKeyConstraint("server", "thing", "name"),
    )


def _secrets() -> None:
    op.create_table(
        "stored_secrets",
        Column("name", Text, primary_key=True),
        Column("ciphertext", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("changed_at", BigInteger, nullable=False),
        Column("changed_by", Text, nullable=True),
    )


def _guards() -> None:
    op.create_table(
        "guards",
        Column("server", Text, nullable=False),
        Column("instance", Text, nullable=False),
        Column("version", Text, nullable=False),
        Column("first_seen", BigInteger, nullable=False),
        Column("last_seen", BigInteger, nullable=False),
        Column("last_record", BigInteger, nullable=False, server_default="0"),
        PrimaryKeyConstraint("server", "instance"),
    )
