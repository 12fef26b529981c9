"""The first tables: records and their seals, refusals, artefacts."""

from alembic import context, op
from sqlalchemy import Column

from tidegate.connectors.migrations.columns import BLOB, INT, REAL, TEXT, key, need, serial

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, in a database that has none. Stores of PostgreSQL began with revision 0002."""
    op.create_table("about", need("name", TEXT, primary_key=True), need("value", TEXT))
    op.create_table(
        "records",
        key("seq"),
        need("id", TEXT),
        need("kind", TEXT),
        need("at", INT),
        need("flags", INT),
        Column("outcome", TEXT),
        Column("level", TEXT),
        Column("score", REAL),
        need("alarm", INT),
        need("digest", BLOB),
        need("flow", BLOB),
        need("body", BLOB),
        Column("answer", BLOB),
        need("record", BLOB),
        need("elapsed", BLOB),
    )
    op.create_table("heads", key("size"), need("root", BLOB), need("leaves", BLOB))
    op.create_table(
        "nodes", need("level", INT, primary_key=True), need("place", INT, primary_key=True), need("hash", BLOB)
    )
    op.create_table(
        "refusals", serial("seq"), need("id", TEXT), need("digest", BLOB), need("reason", TEXT), need("at", INT)
    )
    op.create_table("outbox", key("n"), need("topic", TEXT), need("body", BLOB), need("seq", INT))
    op.create_table("artefacts", need("digest", BLOB, primary_key=True), need("kind", TEXT), need("body", BLOB))
    op.create_table("snapshots", key("seq"), need("file", TEXT), need("sha256", BLOB))
    op.create_index("records_id", "records", ["id"], unique=True)
    op.execute("CREATE VIEW decisions AS SELECT * FROM records WHERE answer IS NOT NULL")
    op.execute("INSERT INTO about (name, value) VALUES ('tables', '1')")
    if context.get_context().dialect.name == "postgresql":
        op.execute("INSERT INTO about (name, value) VALUES ('epoch', '0')")
