"""What lies on a topic now: every message that was committed, one partition after the other."""

from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from tidegate.connectors.kafka.cluster import Cluster, PassingError

_PATIENCE = 30.0


def ends(cluster: Cluster, topic: str, group: str) -> list[int]:
    """Of each partition the offset behind the last message that is committed.

    Raises:
        StreamError: there is no such topic, or it cannot be asked.
    """
    many = cluster.partitions([topic], only_read=True)[topic]
    consumer = cluster.consumer(group)
    try:
        return [cluster.ends(consumer, topic, partition)[1] for partition in range(many)]
    finally:
        consumer.close()


def messages(cluster: Cluster, topic: str, group: str) -> Iterator[Any]:
    """Every message of a topic that is there now; of each partition, in order.

    Args:
        cluster: where it is.
        topic: its name.
        group: as whom it is read; nothing is committed in its name.

    Raises:
        StreamError: there is no such topic, or it cannot be read.
    """
    many = cluster.partitions([topic], only_read=True)[topic]
    consumer = cluster.consumer(group)
    try:
        for partition in range(many):
            yield from _of_partition(cluster, consumer, topic, partition)
    except KafkaException as error:
        raise cluster.told(error, f"{topic} cannot be read.") from None
    finally:
        consumer.close()


def _of_partition(cluster: Cluster, consumer: Consumer, topic: str, partition: int) -> Iterator[Any]:
    first, end = cluster.ends(consumer, topic, partition)
    if end <= first:
        return
    consumer.assign([TopicPartition(topic, partition, first)])
    while True:
        message = consumer.poll(_PATIENCE)
        if message is None:
            raise PassingError(f"{topic}/{partition} does not come to its end.", seen="no message in time")
        fault = message.error()
        if fault is None:
            if (message.offset() or 0) >= end:  # what came since; of a topic that is written to there is always more
                return
            yield message
        elif fault.code() == KafkaError._PARTITION_EOF:  # behind the last are marks of transactions alone
            return
        else:
            raise cluster.told(fault, f"{topic}/{partition} cannot be read.")
