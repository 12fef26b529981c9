"""What goes out in one transaction: messages, and how far the inputs were read."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from tidegate.connectors.kafka.cluster import Cluster, PassingError
from tidegate.connectors.kafka.inputs import Spot
from tidegate.errors import StreamError

_LOG = logging.getLogger("tidegate.kafka")
_PATIENCE = 30.0
_NEVER = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART}


class Out(NamedTuple):
    """A message that goes out; `at` is its timestamp in milliseconds since 1970, 0 for now."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes | None]] = ()
    at: int = 0


class UncertainError(PassingError):
    """It is not known whether a transaction was committed, or another instance decides now: see what the topics say."""


class Writer:
    """Writes in transactions under one id. Making a writer fences whoever used the id before.

    Args:
        cluster: where to.
        id: the transactional id.

    Raises:
        UncertainError: the brokers do not answer now.
        StreamError: this user may not.
    """

    def __init__(self, cluster: Cluster, id: str) -> None:
        self._cluster = cluster
        self._producer = cluster.producer(
            id, transaction_timeout_ms=60_000, linger_ms=2, batch_size=1_000_000,
            queue_buffering_max_messages=1_000_000, delivery_report_only_error=True,
        )  # fmt: skip
        self._failed: KafkaError | None = None
        try:
            self._producer.init_transactions(_PATIENCE)
        except KafkaException as error:
            raise self._told(error, "The transactions of this group cannot be taken over.") from None

    def _told(self, error: KafkaException, wrong: str) -> StreamError:
        """An error that ends it all if waiting does not help, and else one after which the topics are looked at."""
        cause = self._failed or error.args[0]
        told = self._cluster.told(cause, wrong)
        if cause.code() in _NEVER:
            return told
        return UncertainError(told.wrong, seen=told.seen, do=told.do)

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None and self._failed is None:
            self._failed = error

    def write(self, messages: Sequence[Out], positions: Mapping[Spot, int], member: Any) -> None:
        """Write messages and positions, all or nothing; it is committed when this returns.

        Raises:
            UncertainError: it may or may not be committed, or another instance has taken over.
            StreamError: a message can never be written as it is.
        """
        producer, self._failed = self._producer, None
        try:
            producer.begin_transaction()
            for topic, key, value, headers, at in messages:
                self._put(topic, value, key, list(headers), at)
            producer.poll(0)
            offsets = [TopicPartition(*spot, offset) for spot, offset in positions.items()]
            if offsets:
                producer.send_offsets_to_transaction(offsets, member, _PATIENCE)
            self._commit()
        except KafkaException as error:
            raise self._told(error, "A transaction was not committed.") from None

    def _put(self, topic: str, value: bytes, key: bytes | None, headers: list[Any], at: int) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, headers=headers, timestamp=at, on_delivery=self._delivered)
                return
            except BufferError:
                self._producer.poll(0.1)

    def _commit(self) -> None:
        while True:
            try:
                self._producer.commit_transaction(_PATIENCE)
                return
            except KafkaException as error:
                if not error.args[0].retriable():
                    raise
                _LOG.warning("The commit is tried again: %s", error.args[0].str())
