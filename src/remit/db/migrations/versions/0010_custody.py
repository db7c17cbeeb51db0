"""Keys of what records hold sealed, and what may not be destroyed."""

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seal_keys",
        Column("id", Text, primary_key=True),
        Column("process", Text, nullable=False),
        # Who it is about, once somebody has it: the tenant, a keyed digest of the subject, the month.
        Column("tenant", Text),
        Column("subject", Text),
        Column("month", Text),
        # None once it is destroyed.
        Column("ciphertext", Text),
        Column("made_at", BigInteger, nullable=False),
        Column("destroyed_at", BigInteger),
    )
    op.create_index("ix_seal_keys_subject", "seal_keys", ["tenant", "subject"])
    op.create_index("ix_seal_keys_process", "seal_keys", ["process"])
    op.create_table(
        "holds",
        Column("id", Text, primary_key=True),
        Column("tenant", Text, nullable=False),
        # A keyed digest; none: everybody of the tenant.
        Column("subject", Text),
        Column("reason", Text, nullable=False),
        Column("requested_by", Text, nullable=False),
        Column("requested_as", Text, nullable=False),
        Column("requested_at", BigInteger, nullable=False),
        Column("set_by", Text),
        Column("set_at", BigInteger),
        Column("lift_reason", Text),
        Column("lift_requested_by", Text),
        Column("lift_requested_as", Text),
        Column("lift_requested_at", BigInteger),
        Column("lifted_by", Text),
        Column("lifted_at", BigInteger),
    )
    op.create_index("ix_holds_tenant", "holds", ["tenant"])
