"""Find the authorization requests that wait in one browser, of which it may have so many."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_authorization_requests_browser_digest", "authorization_requests", ["browser_digest"]
    )
