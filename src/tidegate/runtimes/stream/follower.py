"""Following: a store is brought to where the order topic says that the stream is, by deciding the same again."""

import logging
from collections.abc import Callable

from tidegate.connectors.kafka.cluster import PassingError
from tidegate.connectors.kafka.inputs import Inputs
from tidegate.connectors.kafka.order_topic import OrderTopic
from tidegate.connectors.kafka.partition import Arrived, Spot
from tidegate.errors import StreamError
from tidegate.events.event import Event
from tidegate.runtimes.engine import Engine
from tidegate.runtimes.stream.apart import apart, holds, stated_last
from tidegate.runtimes.stream.erasures import erase_as
from tidegate.runtimes.stream.held import HeldStore
from tidegate.runtimes.stream.order import Order, read
from tidegate.runtimes.stream.reading import Reading, Unreadable

_LOG = logging.getLogger("tidegate.stream")
_PATIENCE = 60.0
"""Seconds in which messages that were read before come again."""
_ORDER = 15.0
"""Seconds in which an order that was committed comes. While it is waited for, the group is not asked who decides."""


class Follower:
    """Decides again what was committed, in the order in which it was.

    Args:
        topic: the order topic.
        inputs: the input topics.
        engine: with a store that holds what is not committed.
        store: that store.
        flow: digest of what decides, models included.
        reading: what reads the messages.
        forget: called before records are erased, to let snapshots forget them; told whether windows keep them.
    """

    def __init__(
        self, topic: OrderTopic, inputs: Inputs, engine: Engine, store: HeldStore, flow: bytes, reading: Reading,
        forget: Callable[[bool], None],
    ) -> None:  # fmt: skip
        self._reading, self._forget = reading, forget
        self._topic, self._inputs, self._engine, self._store, self._flow = topic, inputs, engine, store, flow
        self.positions: dict[Spot, int] = {}
        self.known: int | None = None
        """Records that the stream has by the last order that was read; None before the first."""
        self.group = ""
        """The consumer group that decided the last batch that was read; empty before the first."""
        self._next: int | None = None
        self._stated = False
        """Whether the last order that was read holds a statement of erasure, which the store has."""

    def catch_up(self, timeout: float, told: Callable[[int], bool], end: int = 0) -> bool:
        """Take in what was committed since; whether all of the order topic before `end` was.

        Args:
            timeout: seconds to wait for more.
            told: told after each batch how many records it had; when it gives False, it is left at that.
            end: an offset of the order topic.

        Raises:
            StreamError: the store went another way, the messages are gone, or another flow decided them.
        """
        if self._next is None:
            self._next, self._stated = self._begin(), False
            self._topic.go_to(self._next)
        while True:
            found = self._topic.next(timeout)
            if found is None:
                return self._topic.read_to >= end
            offset, data = found
            self._next = offset + 1
            order = read(data, self._topic.topic)
            self._take(order)
            self.positions, self._stated = order.positions, bool(order.erasure)
            self._inputs.follow(self.positions)
            if not told(order.records):
                return False

    def _begin(self) -> int:
        """The offset of the first order that the store does not hold, or of the last one: where it was read to.

        A store may have more records than the last order knows of: what was erased from it is stated in its log. The
        statements at its end do not count here, so that every order in whose place they may stand is looked at.
        """
        low, high = self._topic.ends()
        size, held, all_held = self._store.head().size - stated_last(self._store.kept), low, True
        while low < high:  # the orders' `seq` grows with their offsets
            middle = (low + high) // 2
            self._topic.go_to(middle)
            found = self._topic.next(_ORDER)
            if found is None:
                if self._topic.read_to <= middle:
                    self._topic.renew()
                    raise PassingError(
                        f"Where to read {self._topic.topic} on from could not be learned.",
                        seen=f"nothing came from offset {middle} on in {_ORDER:.0f} s, and it ends at {high}",
                        do="See whether the brokers are well.",
                    )
                high = middle  # behind it are only marks of transactions
                continue
            offset, data = found
            order = read(data, self._topic.topic)
            if order.seq + order.records < size:
                low, held = offset + 1, offset
            else:
                high, all_held = middle, False
        return held if all_held else low

    def again(self) -> None:
        """Look at the store anew: what was held is not in it."""
        self._next = None

    def _take(self, order: Order) -> None:
        self.known, self.group = order.seq + order.records, order.group or self.group
        size, kept = self._store.head().size, self._store.kept
        has = self.known <= size and (order.records > 0 or order.refused <= self._store.refused)
        if order.seq > size or order.root != self._store.root_at(order.seq):
            raise apart(kept, order, told=self._stated)
        if order.seq < size and not (has and holds(kept, order)):  # appended, it would stand elsewhere in the log
            raise apart(kept, order, told=self._stated)
        if has:
            return  # or there is nothing for it to have
        if order.erasure:
            erase_as(self._store.kept, order, self._forget)
            self._engine.distrust()
            self._engine.mend()
            _LOG.warning("Records were erased from the stream, and are erased here: record %d says which.", self.known)
            return
        if order.flow != self._flow:
            raise StreamError(
                "What is to be decided again was decided by another version of the flow, or of its models.",
                seen=f"{order.flow.hex()[:12]} decided, {self._flow.hex()[:12]} is here",
                do="Run that version once with --catch-up on this store, then this one: `tidegate check` says what a "
                "flow and its models are in records.",
            )
        self._decide(order)

    def _decide(self, order: Order) -> None:
        places, passed = order.sequence()
        if [*self._inputs.positions.items()] != [*order.starts.items()]:  # turns go by the places of partitions too
            self._inputs.assign(order.starts)
        arrived = self._inputs.take_as(places, _PATIENCE)
        where = ", ".join(f"{one.topic}/{one.partition} {one.start} to {one.end}" for one in order.stretches)
        if arrived is None:
            raise PassingError(
                "The messages of a batch that was decided did not come again.",
                seen=where,
                do="See whether the brokers are well, and whether the topics still hold these offsets.",
            )
        if self._inputs.positions != order.positions:
            raise StreamError(
                "The topics no longer hold all messages of a batch that was decided.",
                seen=f"others at {where}",
                do="Put back a newer copy of the store: input topics are not to be compacted.",
            )
        taken = [(_event(one), one.message) for one, over in zip(arrived, passed, strict=True) if not over]
        self._store.schemas = self._reading.written_with((event.id, message) for event, message in taken)
        self._engine.process([event for event, _ in taken])
        if self._store.records != order.records:
            raise StreamError(
                "Deciding a batch again did not give the same records.",
                seen=f"{self._store.records}, not {order.records}",
                do="The input topic holds something else than what was decided: see who writes to it.",
            )
        self._store.commit()


def _event(one: Arrived) -> Event:
    if isinstance(one.what, Unreadable):
        raise StreamError(
            "A message that was decided cannot be read any more.",
            seen=f"{one.message.topic()}/{one.message.partition()} offset {one.message.offset()}: {one.what.why}",
            do="Register how older versions of the event become the one of today with @upgrades.",
        )
    event: Event = one.what
    return event
