"""A flow on Flink: the job, its stages as Flink's functions, how it is put together and watched (ADR 19)."""
