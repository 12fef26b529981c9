"""What Alembic runs to reach a store: by the connection of the store's writer, or not at all where it prints SQL.

The transaction is whoever's the connection is, so that all revisions are one: a store is brought up, or as it was.
"""

from alembic import context

from tidegate.connectors.migrations.target import target
from tidegate.evidence.tables import REVISIONS

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", version_table=REVISIONS, literal_binds=True)
    with context.begin_transaction():
        if context.get_context().get_current_heads():
            # A writer of an older version that still runs: its next batch finds that it may not write any more.
            context.execute("UPDATE about SET value = (value::bigint + 1)::text WHERE name = 'epoch'")
        context.run_migrations()
else:
    context.configure(
        connection=context.config.attributes["connection"], target_metadata=target(), version_table=REVISIONS
    )
    context.run_migrations()
