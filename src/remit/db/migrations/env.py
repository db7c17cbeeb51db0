"""What the migration tool runs: the migrations, on the connection that `migrate` locked."""

from alembic import context

from remit.db.metadata import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
