"""A flow cut by key into stages, each of which can be kept in shards: the engine, where one machine ends (ADR 19)."""
