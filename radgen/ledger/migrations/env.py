"""Runs the schema steps on the connection (and in the transaction) that the ledger hands over."""

from alembic import context

from radgen.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
