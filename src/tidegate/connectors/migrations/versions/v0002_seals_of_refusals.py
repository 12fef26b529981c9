"""Refusals are sealed in a log of their own; those that are there are numbered without gaps and sealed now."""

from alembic import context, op
from sqlalchemy import text

from tidegate.connectors.migrations.columns import BLOB, key, need
from tidegate.evidence.merkle import Range
from tidegate.evidence.record import Refusal
from tidegate.evidence.refusals import seal_refusals

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of their tree heads, and seal what is there."""
    op.create_table("refusal_heads", key("size"), need("root", BLOB), need("leaves", BLOB), need("edge", BLOB))
    if not context.is_offline_mode():  # what is printed as SQL is for an empty database: see `migrating.sql`
        _seal()
    op.execute("UPDATE about SET value = '2' WHERE name = 'tables'")


def _seal() -> None:
    store = op.get_bind()
    found = store.execute(text("SELECT id, digest, reason, at FROM refusals ORDER BY seq")).all()
    if not found:
        return
    tree = Range()
    rows, head = seal_refusals([Refusal(*row) for row in found], tree)
    store.execute(text("DELETE FROM refusals"))
    store.execute(
        text("INSERT INTO refusals (seq, id, digest, reason, at) VALUES (:seq, :id, :digest, :reason, :at)"),
        [dict(zip(("seq", "id", "digest", "reason", "at"), row, strict=True)) for row in rows],
    )
    store.execute(
        text("INSERT INTO refusal_heads (size, root, leaves, edge) VALUES (:size, :root, :leaves, :edge)"),
        {"size": head.size, "root": head.root, "leaves": head.leaves, "edge": b"".join(tree.hashes)},
    )
