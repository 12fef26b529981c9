"""What a dead letter says of its message: the headers that stand before the message's own, in this order."""

PREFIX = "tidegate-"
NAMES = ("code", "reason", "topic", "partition", "offset", "at")
"""Why, in a word and in words; where the message lay; its timestamp, milliseconds since 1970, -1 if it is not known."""

EMPTY, NOTHING = "empty", "The message holds nothing."
"""Why a message without a value is not taken, in a word and in words: as it removes others from a compacted topic, a
tombstone."""

CODES = (
    "before-retention", "contract", EMPTY, "future", "id-reused", "no-schema-id", "only-learned", "schema", "touched",
    "undecodable", "unknown-schema", "unknown-type",
)  # fmt: skip
"""All reasons of a stream's dead letters."""
OF_JOBS = ("behind-watermark", "time-unread")
"""Reasons that only those of a job on Flink have."""
