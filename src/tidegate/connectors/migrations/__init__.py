"""How a store's tables came to be what they are: Alembic's environment, and a revision for each change.

Nothing here is imported before a store of an older revision is brought up (`connectors/migrating`).
"""
