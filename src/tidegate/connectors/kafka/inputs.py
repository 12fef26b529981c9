"""Partitions of several topics read in one order: each as it lies, and between them by the time of what they hold.

A partition that has more to give holds the others back until it gives it, so that a backlog comes in order of time
whatever the broker sends first; but not for longer than `hold`. One that was read to its end holds nobody back.
"""

import heapq
import logging
from array import array
from collections.abc import Callable, Mapping, Sequence
from time import monotonic, time_ns
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tidegate.connectors.kafka.cluster import Cluster
from tidegate.connectors.kafka.faults import MOVED, VAGUE
from tidegate.connectors.kafka.partition import Arrived, Partition, Spot, offset_of, spot_of
from tidegate.errors import StreamError

_LOG = logging.getLogger("tidegate.kafka")
_LATEST = 2**63
_PASSING = VAGUE | MOVED | {KafkaError._RESOLVE}
"""Errors that a consumer gets over by itself."""
_ANSWER, _WHOLE = 0.5, 3.0
"""Seconds in which a broker says how far a partition reaches, and all of them."""

Read = Callable[[Message], tuple[Any, int | None]]
"""Makes something of a message; gives it and its time in microseconds since 1970, None if it has none."""


class Inputs:
    """Reads partitions that it is told to, from where it is told.

    Args:
        cluster: makes the consumer.
        group: whose offsets they are.
        read: makes something of a message.
        hold: seconds for which a partition may hold back the others.
        most: messages that wait here, of all partitions together, when there are few partitions: no more are asked for
            beyond it.
        bound: gives the latest time that counts in the order, microseconds since 1970. A message from a clock that runs
            far ahead would else keep its partition behind all others from then on.
    """

    def __init__(
        self,
        cluster: Cluster,
        group: str,
        read: Read,
        hold: float = 5.0,
        most: int = 8192,
        bound: Callable[[], int] = lambda: _LATEST,
    ) -> None:
        self._cluster, self._read, self.hold, self._most, self._bound = cluster, read, hold, most, bound
        self.partitions: list[Partition] = []
        self._by_spot: dict[Spot, Partition] = {}
        self.came = time_ns()
        """When the first message that was last waited for came, or none did; in nanoseconds since 1970 UTC."""
        self._group = group
        self._consumer = self._made()

    def _made(self) -> Consumer:
        return self._cluster.consumer(
            self._group, fetch_wait_max_ms=50, queued_max_messages_kbytes=16_384, fetch_queue_backoff_ms=10
        )

    @property
    def client(self) -> Consumer:
        """What reads them now."""
        return self._consumer

    def renew(self) -> None:
        """Read on from what was committed with a client made anew."""
        before, self._consumer = self._consumer, self._made()
        self.assign(self.committed)
        with self._cluster.asking("letting go of the input topics"):
            before.close()

    def assign(self, starts: Mapping[Spot, int]) -> None:
        """Read these partitions from these offsets on, up to which all is committed, and forget what waits; not that
        it is there, which is told until it was read again."""
        before = self._by_spot
        self._resume([one for one in self.partitions if one.paused])  # or the client keeps them so
        self.partitions = [
            Partition(spot, place, start, before.get(spot)) for place, (spot, start) in enumerate(starts.items())
        ]
        self._by_spot = {one.spot: one for one in self.partitions}
        self._room = max(64, self._most // max(1, len(self.partitions)))
        with self._cluster.asking("going to a place in the input topics"):
            self._consumer.assign([TopicPartition(*spot, start) for spot, start in starts.items()])

    @property
    def positions(self) -> dict[Spot, int]:
        """Of every partition the offset of the first message that was not taken."""
        return {one.spot: one.taken for one in self.partitions}

    @property
    def committed(self) -> dict[Spot, int]:
        """Of every partition the offset up to which all is committed, as far as it was told here."""
        return {one.spot: one.committed for one in self.partitions}

    def measure(self) -> None:
        """Ask how far the partitions reach, before anything came of them. A broker that does not answer at once is not
        waited for: of its partitions it is known when they come."""
        until = monotonic() + _WHOLE
        for one in self.partitions:
            if monotonic() > until:
                return
            try:
                with self._cluster.asking("learning how far the input topics reach"):
                    found = self._consumer.get_watermark_offsets(TopicPartition(*one.spot), timeout=_ANSWER)
            except KafkaException as error:
                _LOG.info("How far %s/%d reaches could not be learned: %s", *one.spot, error)
                continue
            if found is not None:
                one.reaches(found[1])

    def keep(self) -> None:
        """What was taken is committed."""
        for one in self.partitions:
            one.keep(one.taken)

    def follow(self, positions: Mapping[Spot, int]) -> None:
        """All before these offsets is committed. If that is news, another instance decided: what was known here of how
        far the partitions reach is old, and to be measured anew by who decides next."""
        news = [one for one in self.partitions if positions.get(one.spot, 0) > one.committed]
        for one in news:
            one.keep(positions[one.spot])
        for one in self.partitions if news else ():
            one.high = one.known = -1

    def fill(self, timeout: float, many: int = 4096) -> int:
        """Let messages come, waiting for the first of them for so many seconds; gives how many came.

        None come of a partition of which enough wait: they stay with the broker.

        Raises:
            StreamError: a partition is gone, or no longer has what is to be read next.
        """
        if len(self.partitions) == 1 and len(self.partitions[0].waiting) >= self._most:
            self.came = time_ns()
            return 0  # several are paused one by one, which would throw away what the client has fetched of this one
        began = monotonic()
        try:
            with self._cluster.asking("reading the input topics"):
                first = self._consumer.poll(timeout)
            self.came = time_ns()
            for partition in self.partitions:  # only what was waited for it here counts, not what deciding took
                if not partition.waiting:
                    partition.awaited += monotonic() - began
            if first is None:
                return 0
            came = [first, *self._consumer.consume(many, 0)]
        except KafkaException as error:
            raise self._cluster.told(error, "The input topics cannot be read.") from None
        number, last = 0, None
        by_spot, read, bound = self._by_spot, self._read, self._bound()
        for message in came:
            fault = message.error()
            if fault is not None:
                self._heard(message, fault)
                last = None
                continue
            found = by_spot.get(spot_of(message))
            if found is None:
                continue
            try:
                what, at = read(message)
            except Exception:  # as of a schema that is not known yet: nothing of it is here, and it is there
                self._look(found)
                found.see(message)
                raise
            if at is not None and found.latest < at <= bound:
                found.latest = at
            found.waiting.append(Arrived(found.place, message, what, found.latest, at))
            found.fetched = offset_of(message) + 1
            number += 1
            if found is not last:
                last = found
                found.ended, found.awaited = False, 0.0
                self._look(found)
        return number

    def _look(self, partition: Partition) -> None:
        """See how far the partition reaches, as the broker said with what it sent; and stop it if much waits."""
        here = TopicPartition(*partition.spot)
        found = self._consumer.get_watermark_offsets(here, cached=True)
        if found is not None and found[1] >= 0:
            partition.high = max(partition.high, found[1])
        room = max(self._room, partition.wanted)
        if len(partition.waiting) >= room and not partition.paused and len(self.partitions) > 1:
            partition.paused = True
            self._consumer.pause([here])

    def _heard(self, message: Message, error: KafkaError) -> None:
        spot = spot_of(message)
        partition, code = self._by_spot.get(spot), error.code()
        if code == KafkaError._PARTITION_EOF:
            if partition is not None and offset_of(message) >= partition.fetched:
                partition.end()
            return
        if code in _PASSING:
            _LOG.warning("%s", error.str())
            return
        where = f"{spot[0]}/{spot[1]}"
        if code in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            first, end = self._cluster.ends(self._consumer, *spot)
            raise StreamError(
                f"{where} no longer holds what is to be read next.",
                seen=f"offset {partition.fetched if partition else '?'} is wanted, and it has {first} to {end}",
                do="Its retention was shorter than this flow was away. Put back a copy of the store that is newer, or "
                "begin anew with another --group and an empty store; keep more with retention.ms.",
            )
        if code in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION):
            if spot[1] < self._cluster.topics().get(spot[0], 0):
                return  # one that was just added: the client has not heard of it yet
            raise StreamError(f"{where} is gone.", seen=error.str(), do="Make it again, or leave it out of --from.")
        raise self._cluster.told(error, f"{where} cannot be read.")

    def take(self, many: int) -> list[Arrived]:
        """At most so many of the messages that wait, in their order."""
        partitions = self.partitions
        if len(partitions) == 1:
            waiting = partitions[0].waiting
            return self._took([waiting.popleft() for _ in range(min(many, len(waiting)))])
        bound = min((one.latest for one in partitions if self._holds_back(one)), default=None)
        heap = [(one.waiting[0].key, place) for place, one in enumerate(partitions) if one.waiting]
        heapq.heapify(heap)
        found: list[Arrived] = []
        while heap and len(found) < many:
            key, place = heap[0]
            if bound is not None and key > bound:
                break
            one = partitions[place]
            found.append(one.waiting.popleft())
            if one.waiting:
                heapq.heapreplace(heap, (one.waiting[0].key, place))
                continue
            heapq.heappop(heap)
            if self._holds_back(one):
                bound = one.latest if bound is None else min(bound, one.latest)
        return self._took(found)

    def _holds_back(self, one: Partition) -> bool:
        """Whether others wait for a partition: it has more to give, has nothing here, and not for too long."""
        if one.waiting or not one.has_more:
            if one.late:
                _LOG.warning("%s/%d comes again.", *one.spot)
            one.awaited, one.late = 0.0, False
            return False
        if one.awaited < self.hold:
            return True
        if not one.late:
            one.late = True
            _LOG.warning("%s/%d has more and does not send it: the others go on without it.", *one.spot)
        return False

    def _took(self, found: list[Arrived]) -> list[Arrived]:
        for one in found:
            partition = self.partitions[one.spot]
            partition.taken, partition.last = offset_of(one.message) + 1, one.message
            if partition.oldest is None:
                partition.oldest = one.message
        self._resume([one for one in self.partitions if one.paused and len(one.waiting) < self._room // 2])
        return found

    def _resume(self, paused: Sequence[Partition]) -> None:
        """Have more come of partitions that were stopped."""
        for one in paused:
            one.paused = False
        if paused:
            self._consumer.resume([TopicPartition(*one.spot) for one in paused])

    def take_as(self, turns: Sequence[int], timeout: float) -> list[Arrived] | None:
        """Messages in a given sequence of partitions (places in `partitions`); None if not all came in time."""
        for one, many in zip(self.partitions, self._counted(turns), strict=True):
            one.wanted = many  # which may be more than would be let in for its own sake
        self._resume([one for one in self.partitions if one.paused and len(one.waiting) < one.wanted])
        until = monotonic() + timeout
        while any(len(one.waiting) < one.wanted for one in self.partitions):
            if monotonic() > until:
                return None
            self.fill(0.2)
        return self._took([self.partitions[place].waiting.popleft() for place in turns])

    def _counted(self, turns: Sequence[int]) -> Sequence[int]:
        """How many messages of each partition there are in a sequence."""
        wanted = array("q", bytes(8 * len(self.partitions)))
        for place in turns:
            wanted[place] += 1
        return wanted

    def ends(self, spot: Spot) -> tuple[int, int]:
        """The first offset that a partition still has, and the one after its last."""
        self._cluster.refresh(self._consumer, spot[0])  # or it knows nothing of one that was added for minutes
        return self._cluster.ends(self._consumer, *spot)

    @property
    def at_end(self) -> bool:
        """Whether everything that is there has come and was taken."""
        return all(one.ended and not one.waiting for one in self.partitions)

    def close(self) -> None:
        """Let go of the connections."""
        with self._cluster.asking("letting go of the input topics"):
            self._consumer.close()
