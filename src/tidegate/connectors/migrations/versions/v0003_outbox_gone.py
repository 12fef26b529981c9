"""The table of what was to be sent on goes, which nothing reads any more: the store itself is the outbox (ADR 20)."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Drop it."""
    op.drop_table("outbox", if_exists=True)
    op.execute("UPDATE about SET value = '3' WHERE name = 'tables'")
