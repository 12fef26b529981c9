"""One partition of a topic that is read: what came of it and waits, how far it reaches, and how far it is behind."""

from collections import deque
from time import time
from typing import Any

import msgspec
from confluent_kafka import Message

_EARLIEST = -(2**63)

Spot = tuple[str, int]
"""A topic and the number of one of its partitions."""


def spot_of(message: Message) -> Spot:
    """Where a message that came lies; the client's types allow for one that was not sent yet."""
    return message.topic() or "", message.partition() or 0


def offset_of(message: Message) -> int:
    """Its offset there."""
    return message.offset() or 0


class Arrived(msgspec.Struct, gc=False):
    """A message, and what it was read as.

    Args:
        spot: place in `Inputs.partitions`.
        message: as it came.
        what: what the reader made of it.
        key: its place in the order: the latest time in its partition so far, microseconds since 1970.
        at: its own time; None if it has none.
    """

    spot: int
    message: Message
    what: Any
    key: int
    at: int | None


class Partition:
    """One partition that is read.

    Args:
        spot: which.
        place: in `Inputs.partitions`.
        start: the offset that is read from; all before it is committed.
        before: the same as it was read until now, if it was. What was there then is there still.
    """

    def __init__(self, spot: Spot, place: int, start: int, before: "Partition | None" = None) -> None:
        self.spot, self.place, self.taken, self.fetched = spot, place, start, start
        self.committed = start
        self.waiting: deque[Arrived] = deque()
        self.latest = _EARLIEST
        self.high = self.known = -1
        """The offset after its last: as the broker said with what it sent; and as it said when it was asked, or as it
        was known before this reading began."""
        self.ended = self.paused = self.late = False
        self.awaited, self.wanted = 0.0, 0
        self.last: Message | None = None
        """What was taken last."""
        self.oldest: Message | None = None
        """The first message that is known to be there and is not committed, unless it waits here."""
        self.since = 0.0
        """Since when it is known that one is there of which nothing came, in seconds since 1970; 0 where none is."""
        if before is not None and before.lag:
            self.known, self.last, self.since, oldest = before.reach, before.last, before.since, before.first
            if oldest is not None and offset_of(oldest) >= start:
                self.oldest = oldest

    @property
    def has_more(self) -> bool:
        """Whether the broker has messages that did not come yet, as far as is known."""
        return not self.ended and (self.high < 0 or self.fetched < self.high)

    @property
    def reach(self) -> int:
        """The offset after its last message, as far as is known."""
        oldest = self.oldest  # once: another thread may ask while it is committed
        seen = offset_of(oldest) + 1 if oldest is not None else -1
        return max(self.fetched, seen) if self.ended else max(self.high, self.known, self.fetched, seen)

    @property
    def measured(self) -> bool:
        """Whether anything is known of how far it reaches: else it has no lag that could be told."""
        return self.ended or self.oldest is not None or max(self.high, self.known) >= 0

    @property
    def lag(self) -> int:
        """Messages that are there and not committed. Any thread may ask, as of `measured` and `behind`."""
        return max(0, self.reach - self.committed)

    @property
    def first(self) -> Message | None:
        """The first message that came and is not committed."""
        oldest = self.oldest
        if oldest is not None:
            return oldest
        try:
            return self.waiting[0].message
        except IndexError:
            return None

    @property
    def behind(self) -> float:
        """Seconds since the first message that is there and not committed was written; 0 where there is none. Of one
        that did not come yet it is not known: it was written after the one that was taken last, and before it was
        heard of where none was taken."""
        if not self.lag:
            return 0.0
        first = self.first  # a message that holds nothing is false
        first = self.last if first is None else first
        kind, at = first.timestamp() if first is not None else (0, 0)
        since = at / 1000 if kind else self.since
        return max(0.0, time() - since) if since else 0.0

    def reaches(self, end: int) -> None:
        """The broker says that this is the offset after its last message, which may be the mark of a transaction."""
        self.known = max(self.known, end)
        if self.lag and not self.since:
            self.since = time()

    def see(self, message: Message) -> None:
        """A message is there that cannot be read yet."""
        self.ended = False
        if self.first is None:
            self.oldest = message

    def end(self) -> None:
        """All that is there has come."""
        # Nothing is left, whatever the broker says: marks of transactions have offsets too.
        self.ended, self.high = True, self.fetched
        if self.oldest is not None and offset_of(self.oldest) >= self.fetched:
            self.oldest = None  # it is there no more

    def keep(self, end: int) -> None:
        """All before this offset is committed."""
        if end > self.committed:
            self.committed, self.since = end, 0.0
        if self.oldest is not None and offset_of(self.oldest) < self.committed:
            self.oldest = None
