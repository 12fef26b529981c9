"""What goes out in one transaction: messages, and how far the inputs were read."""

import logging
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from tidegate.connectors.kafka.cluster import Cluster, PassingError
from tidegate.connectors.kafka.partition import Spot
from tidegate.errors import StreamError

_LOG = logging.getLogger("tidegate.kafka")
_PATIENCE = 30.0
"""Seconds in which one thing that brokers are asked for is to be done."""
_WHOLE = 60.0
"""Seconds that a transaction may take. Brokers give it up by themselves then."""
_ANSWER = 20.0
"""Seconds that a broker may take for an answer. Sending offsets takes that long, whatever limit it is given."""
LARGEST = 52_428_800
"""Bytes of a message that is written, and of one that the topic of dead letters takes: as many as consumers fetch at
once unless told otherwise. A letter is larger than its message, which may be as large as its own topic takes."""
BATCH = 1_000_000
"""Bytes of messages that are sent together, unless a topic takes less: brokers judge them together, as one."""
_REFUSED = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_TIMESTAMP, KafkaError.INVALID_RECORD}
"""What a topic does not take, today or tomorrow, unless its settings are changed."""
_NEVER = _REFUSED | {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART}


class Out(NamedTuple):
    """A message that goes out; `at` is its timestamp in milliseconds since 1970, 0 for now.

    `partition` is -1 where its key says which.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    at: int = 0
    partition: int = -1

    @property
    def size(self) -> int:
        """The bytes that a broker counts for it, sent alone, not compressed; rather some too many than one too few."""
        held = len(self.key or b"") + len(self.value or b"")
        # 61 of the batch, at most 36 of numbers before the headers, and at most 10 of lengths in each.
        return 100 + held + sum(10 + len(name.encode()) + len(value or b"") for name, value in self.headers)


class UncertainError(PassingError):
    """It is not known whether a transaction was committed, or another instance decides now: see what the topics say."""


class Writer:
    """Writes in transactions under one id. Making a writer fences whoever used the id before.

    Args:
        cluster: where to.
        id: the transactional id.
        batch: bytes of messages that are sent together at most; one that is larger is sent alone.

    Raises:
        UncertainError: the brokers do not answer now.
        StreamError: this user may not.
    """

    def __init__(self, cluster: Cluster, id: str, batch: int = BATCH) -> None:
        self._cluster = cluster
        self._producer = cluster.producer(
            id, transaction_timeout_ms=60_000, linger_ms=2, batch_size=batch,
            queue_buffering_max_messages=1_000_000, delivery_report_only_error=True,
            socket_timeout_ms=int(_ANSWER * 1000), message_max_bytes=LARGEST,
        )  # fmt: skip
        self._failed: KafkaError | None = None
        self._at = ""
        try:
            with cluster.asking("taking over the transactions"):
                self._producer.init_transactions(_PATIENCE)
        except KafkaException as error:
            raise self._told(error, "The transactions of this group cannot be taken over.") from None

    def _told(self, error: KafkaException, wrong: str) -> StreamError:
        """An error that ends it all if waiting does not help, and else one after which the topics are looked at."""
        if self._failed is None and error.args[0].code() in _REFUSED:
            self._producer.poll(1.0)  # which topic it was is said to `_delivered`, maybe later
        cause = self._failed or error.args[0]
        told = self._cluster.told(cause, wrong)
        if cause.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            do = f"Raise max.message.bytes of {self._at}; what it takes is learned when this is started again."
            return StreamError(f"{wrong} {self._at} does not take a message as large.", seen=told.seen, do=do)
        if cause.code() in _REFUSED and self._at:
            return StreamError(f"{wrong} {self._at} refuses a message.", seen=told.seen, do=told.do)
        if cause.code() in _NEVER:
            return told
        return UncertainError(told.wrong, seen=told.seen, do=told.do)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._note(error, message.topic() or "")

    def _note(self, error: KafkaError, topic: str) -> None:
        """Keep what went wrong first, which the rest only follows from; but others may be given up before it is said
        what a topic refuses, which tells why."""
        if self._failed is None or (error.code() in _REFUSED and self._failed.code() not in _REFUSED):
            self._failed, self._at = error, topic

    def write(
        self,
        messages: Sequence[Out],
        positions: Mapping[Spot, int],
        member: Any,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """Write messages and positions, all or nothing; it is committed when this returns.

        It returns or raises within about a minute and a half, also if the brokers stand still in the middle of it: what
        was not committed until then is given up.

        Args:
            messages: that go out.
            positions: how far each partition was read; none, where nothing was.
            member: what shows that this instance is still the one.
            told: called when all is handed over and only committing is left.

        Raises:
            UncertainError: it may or may not be committed, or another instance has taken over.
            StreamError: a message can never be written as it is.
        """
        producer, until = self._producer, monotonic() + _WHOLE
        self._failed, self._at = None, ""
        try:
            with self._cluster.asking("writing a transaction"):
                producer.begin_transaction()
                for one in messages:
                    self._put(one, until)
                producer.poll(0)
                self._send_offsets([TopicPartition(*spot, offset) for spot, offset in positions.items()], member)
                told()
                self._commit(until)
        except KafkaException as error:
            raise self._told(error, "A transaction was not committed.") from None

    def _send_offsets(self, offsets: list[TopicPartition], member: Any) -> None:
        if offsets:
            self._producer.send_offsets_to_transaction(offsets, member, _PATIENCE)

    def _put(self, one: Out, until: float) -> None:
        topic, key, value, headers, at, partition = one
        while True:
            try:
                self._producer.produce(
                    topic, value, key, partition, headers=list(headers), timestamp=at, on_delivery=self._delivered
                )
                return
            except KafkaException as error:
                self._note(error.args[0], topic)
                raise
            except BufferError as error:
                if monotonic() > until:
                    raise UncertainError(
                        "A transaction was not committed.",
                        seen=f"the brokers take no messages ({self._cluster.servers})",
                        do="See whether the brokers are well, and whether there is room on their disks.",
                    ) from error
                self._producer.poll(0.1)

    def _commit(self, until: float) -> None:
        while True:
            try:
                self._producer.commit_transaction(max(1.0, min(_PATIENCE, until - monotonic())))
                return
            except KafkaException as error:
                if not error.args[0].retriable() or monotonic() >= until:
                    raise
                _LOG.warning("The commit is tried again: %s", error.args[0].str())
