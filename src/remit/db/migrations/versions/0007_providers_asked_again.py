"""What a provider is asked again with, and when it last said what it says of a person."""

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("external_identities", Column("asked_at", BigInteger))
    op.add_column("external_identities", Column("sealed_refresh_token", Text))
    op.execute("UPDATE external_identities SET asked_at = last_login_at")
