"""Logs that are kept in the database, and how far each log of the installation has come."""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
