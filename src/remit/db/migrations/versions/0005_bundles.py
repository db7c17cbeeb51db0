"""Bundles of policies, who proposed and approved them, which was in force when, and what is on trial."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _bundles()
    _proposals()
    _activations()
    _trials()


def _bundles() -> None:
    op.create_table(
        "bundles",
        Column("digest", Text, primary_key=True),
        Column("content", Text, nullable=False),
        Column("files", BigInteger, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("signatures", Text, nullable=False),
        Column("provenance", Text, nullable=False),
        Column("seal", Text, nullable=False),
        Column("added_at", BigInteger, nullable=False),
        Column("added_by", Text, nullable=True),
    )


def _proposals() -> None:
    op.create_table(
        "proposals",
        Column("id", Text, primary_key=True),
        Column("bundle", Text, nullable=False),
        Column("base", Text, nullable=False),
        Column("base_sequence", BigInteger, nullable=False),
        Column("how", Text, nullable=False),
        Column("stage", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("waits_for", Text, nullable=False),
        Column("share", BigInteger, nullable=False),
        Column("report", Text, nullable=False),
        Column("report_digest", Text, nullable=False),
        Column("proposed_at", BigInteger, nullable=False),
        Column("proposed_by", Text, nullable=False),
        Column("proposed_as", Text, nullable=False),
        Column("decided_at", BigInteger, nullable=True),
        Column("decided_by", Text, nullable=True),
        Column("decision", Text, nullable=False),
        Column("seal", Text, nullable=False),
    )
    op.create_table(
        "proposal_approvals",
        Column("proposal", Text, nullable=False),
        Column("approved_by", Text, nullable=False),
        Column("approved_as", Text, nullable=False),
        Column("report_digest", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("approved_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("proposal", "approved_by"),
    )


def _activations() -> None:
    op.create_table(
        "activations",
        Column("sequence", BigInteger, primary_key=True, autoincrement=False),
        Column("bundle", Text, nullable=False),
        Column("previous", Text, nullable=False),
        Column("how", Text, nullable=False),
        Column("stage", Text, nullable=False),
        Column("proposal", Text, nullable=True),
        Column("reason", Text, nullable=False),
        Column("activated_at", BigInteger, nullable=False),
        Column("activated_by", Text, nullable=False),
        Column("seal", Text, nullable=False),
    )


def _trials() -> None:
    op.create_table(
        "trials",
        Column("id", Text, primary_key=True),
        Column("bundle", Text, nullable=False),
        Column("previous", Text, nullable=False),
        Column("base_sequence", BigInteger, nullable=False),
        Column("share", BigInteger, nullable=False),
        Column("refusals", BigInteger, nullable=False),
        Column("state", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("proposal", Text, nullable=False),
        Column("started_at", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False),
        Column("ended_at", BigInteger, nullable=True),
        Column("seal", Text, nullable=False),
    )
    op.create_table(
        "trial_counts",
        Column("trial", Text, nullable=False),
        Column("instance", Text, nullable=False),
        Column("arm", Text, nullable=False),
        Column("agents", Text, nullable=False),
        Column("changed_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("trial", "instance", "arm"),
    )
