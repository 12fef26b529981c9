"""What the server takes at most, and how long it waits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one server.

    Args:
        event_bytes: of one event, as JSON.
        stream_bytes: of one body of many events (NDJSON).
        queue: events that may wait for their turn; beyond it the answer is 429.
        turn: the most events decided at once; more would make the others wait.
        syncs: batches that may be on their way to the disk at the same time.
        gather: how long events gather while a batch is on its way to the disk, in seconds, before they are a turn of
            their own; if it is on the disk earlier, so is their turn.
        ahead: how far ahead of the wall clock an event's time may be, in seconds.
        head_seconds: how long the headers of a request may take to come.
        body_seconds: how long the rest of a body may take to come.
        linger_bytes, linger_seconds: so much of a body, and for so long, is read and dropped after its request was
            answered without it and the connection is to end: a client that still sends would not see the answer.
        drain_seconds: how long a stop waits for requests that were taken.
        snapshot_records, snapshot_seconds: a snapshot is written after so many records, or so long after a new one.
        longest_pause: after failures of the store, the longest time until it is tried again, in seconds.
    """

    event_bytes: int = 1 << 20
    stream_bytes: int = 64 << 20
    queue: int = 4096
    turn: int = 256
    syncs: int = 2
    gather: float = 0.002
    ahead: float = 300.0
    head_seconds: float = 15.0
    body_seconds: float = 30.0
    linger_bytes: int = 128 << 20
    linger_seconds: float = 30.0
    drain_seconds: float = 30.0
    snapshot_records: int = 200_000
    snapshot_seconds: float = 600.0
    longest_pause: float = 5.0
