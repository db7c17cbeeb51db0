"""What a provider is asked again with, and when it last said what it says of a person.

And where PostgreSQL keeps what was done before: rows there are merged and taken back all day, and
dead ones are read with the others until they are vacuumed, so that is due early.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("external_identities", Column("asked_at", BigInteger))
    op.add_column("external_identities", Column("sealed_refresh_token", Text))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE history_uses SET (autovacuum_vacuum_threshold = 1000,"
            " autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)"
        )
    op.execute("UPDATE external_identities SET asked_at = last_login_at")
