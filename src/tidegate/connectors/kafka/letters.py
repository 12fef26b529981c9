"""The topic of dead letters, read and sent on by people."""

from collections.abc import Iterator, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tidegate.connectors.kafka.cluster import Cluster
from tidegate.errors import StreamError

_PATIENCE = 30.0


def messages(cluster: Cluster, topic: str, begin: int = 0) -> Iterator[Any]:
    """Every message of a topic's only partition that is there now, from an offset on.

    Raises:
        StreamError: there is no such topic, or it cannot be read.
    """
    cluster.partitions([topic])
    consumer = cluster.consumer("tidegate-dead-letters")
    try:
        first, end = cluster.ends(consumer, topic, 0)
        consumer.assign([TopicPartition(topic, 0, max(first, begin))])
        while end > max(first, begin):
            message = consumer.poll(_PATIENCE)
            if message is None:
                raise StreamError(f"{topic} does not come to its end.", seen="no message in time")
            fault = message.error()
            if fault is None:
                yield message
            elif fault.code() == KafkaError._PARTITION_EOF:
                return
            else:
                raise cluster.told(fault, f"{topic} cannot be read.")
    except KafkaException as error:
        raise cluster.told(error, f"{topic} cannot be read.") from None
    finally:
        consumer.close()


def send(cluster: Cluster, messages: Sequence[tuple[str, bytes | None, bytes, Sequence[Any]]]) -> None:
    """Put messages (topic, key, value, headers) where they belong; all are there when this returns.

    Raises:
        StreamError: one of them was not taken.
    """
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Any) -> None:
        if error is not None:
            failed.append(error)

    producer = cluster.producer()
    try:
        for topic, key, value, headers in messages:
            producer.produce(topic, value, key, headers=list(headers), on_delivery=delivered)
        left = producer.flush(_PATIENCE)
    except KafkaException as error:
        raise cluster.told(error, "A message was not taken.") from None
    if failed:
        raise cluster.told(failed[0], "A message was not taken.")
    if left:
        raise StreamError(f"{left} messages were not taken in time.", seen=cluster.servers)
