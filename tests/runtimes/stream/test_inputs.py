"""Partitions read in one order: what may wait here, and whose time counts."""

import time
from unittest.mock import Mock

import pytest
from confluent_kafka import Message, Producer

from tests.runtimes.started import until
from tests.runtimes.stream.topics import put
from tests.servers.kafka import Kafka
from tidegate.connectors.kafka.cluster import Cluster
from tidegate.connectors.kafka.inputs import Inputs
from tidegate.connectors.kafka.partition import Partition
from tidegate.connectors.schemas.registry import RegistryAwayError


def numbered(message) -> tuple[int, int]:  # type: ignore[no-untyped-def]
    return int(message.value()), int(message.value())


def test_no_more_waits_here_than_was_asked_for(kafka: Kafka, own: str) -> None:
    kafka.topics(f"{own}-in")
    put(kafka, f"{own}-in", [str(number).encode() for number in range(3000)])
    inputs = Inputs(Cluster(kafka.address), own, numbered, most=500)
    inputs.assign({(f"{own}-in", 0): 0})
    until(lambda: inputs.fill(0.5, 100) > 0)
    for _ in range(50):
        inputs.fill(0.0, 100)
    (partition,) = inputs.partitions
    assert 500 <= len(partition.waiting) <= 600  # who takes nothing is given no more
    taken = [one.what for one in inputs.take(400)]
    while len(taken) < 3000:
        inputs.fill(0.2, 100)
        taken += [one.what for one in inputs.take(400)]
    inputs.close()
    assert taken == list(range(3000))


def test_a_batch_that_is_taken_again_may_be_larger_than_what_may_wait(kafka: Kafka, own: str) -> None:
    kafka.topics(f"{own}-in", partitions=2)
    put(kafka, f"{own}-in", [str(number).encode() for number in range(1000)])
    put(kafka, f"{own}-in", [b"1000"], partition=1)
    inputs = Inputs(Cluster(kafka.address), own, numbered, most=128)
    inputs.assign({(f"{own}-in", 0): 0, (f"{own}-in", 1): 0})
    until(lambda: inputs.fill(0.2, 20) > 0 and inputs.partitions[0].paused)
    again = inputs.take_as([0] * 1000 + [1], 60)
    inputs.close()
    assert again is not None and [one.what for one in again] == list(range(1001))


def test_a_partition_of_which_enough_waited_comes_again_where_it_is_gone_back_to(kafka: Kafka, own: str) -> None:
    """It was stopped; the client would keep it so, and nothing of it would ever come again."""
    kafka.topics(f"{own}-in", partitions=2)
    put(kafka, f"{own}-in", [str(number).encode() for number in range(1000)])
    inputs = Inputs(Cluster(kafka.address), own, numbered, most=128)
    inputs.assign({(f"{own}-in", 0): 0, (f"{own}-in", 1): 0})
    until(lambda: inputs.fill(0.2, 20) > 0 and inputs.partitions[0].paused)
    inputs.assign({(f"{own}-in", 1): 0})
    inputs.assign({(f"{own}-in", 0): 0, (f"{own}-in", 1): 0})
    again = inputs.take_as([0] * 1000, 60)
    inputs.close()
    assert again is not None and [one.what for one in again] == list(range(1000))


def test_a_time_that_is_not_to_be_believed_does_not_put_its_partition_behind(kafka: Kafka, own: str) -> None:
    now, far = int(time.time()), 10**10
    kafka.topics(f"{own}-in", partitions=2)
    put(kafka, f"{own}-in", [str(one).encode() for one in (now, far, now + 2, now + 4)])
    put(kafka, f"{own}-in", [str(one).encode() for one in (now + 1, now + 3, now + 5)], partition=1)
    inputs = Inputs(Cluster(kafka.address), own, numbered, bound=lambda: now + 1000)
    inputs.assign({(f"{own}-in", 0): 0, (f"{own}-in", 1): 0})
    while sum(len(one.waiting) for one in inputs.partitions) < 7:
        inputs.fill(0.2)
    taken = [one.what - now for one in inputs.take(10) if one.what != far]
    inputs.close()
    assert taken == [0, 1, 2, 3, 4, 5]


def test_how_long_the_oldest_message_has_waited_is_known(kafka: Kafka, own: str) -> None:
    now = int(time.time() * 1000)
    kafka.topics(f"{own}-in", partitions=2)
    for number in range(2):
        put(kafka, f"{own}-in", [str(number).encode()], timestamp=now - 3_600_000 + 1000 * number)
    put(kafka, f"{own}-in", [str(number).encode() for number in range(2, 400)], timestamp=now - 1_800_000)
    inputs = Inputs(Cluster(kafka.address), own, numbered, most=128)
    inputs.assign({(f"{own}-in", 0): 0, (f"{own}-in", 1): 0})
    old, empty = inputs.partitions
    assert old.behind == 0.0  # nothing is known yet
    until(lambda: inputs.fill(0.2, 20) >= 0 and empty.ended and len(old.waiting) > 2)
    assert 3600 <= old.behind < 3700 and empty.behind == 0.0
    inputs.take(1)
    assert old.lag == 400 and 3600 <= old.behind < 3700  # it is not committed
    inputs.keep()
    assert old.lag == 399 and 3599 <= old.behind < 3699
    inputs.take(len(old.waiting))
    inputs.keep()
    assert old.lag and 1800 <= old.behind < 1900  # more is there; what was taken last is the newest that is known
    while old.taken < 400:
        inputs.fill(0.2)
        inputs.take(100)
    assert old.lag > 0
    inputs.keep()
    inputs.close()
    assert old.lag == 0 and old.behind == 0.0


def test_what_is_not_committed_is_told_while_it_is_gone_back_to(kafka: Kafka, own: str) -> None:
    now, spot = int(time.time() * 1000), (f"{own}-in", 0)
    kafka.topics(f"{own}-in")
    put(kafka, f"{own}-in", [str(number).encode() for number in range(20)], timestamp=now - 3_600_000)
    inputs = Inputs(Cluster(kafka.address), own, numbered)
    inputs.assign({spot: 0})
    until(lambda: inputs.fill(0.2) >= 0 and len(inputs.partitions[0].waiting) == 20)
    for _ in range(2):  # also when nothing came again
        inputs.take(5)
        inputs.assign(inputs.committed)
        (again,) = inputs.partitions
        assert again.measured and again.lag == 20 and 3600 <= again.behind < 3700
    inputs.renew()
    assert inputs.partitions[0].lag == 20
    until(lambda: inputs.fill(0.2) >= 0 and len(inputs.partitions[0].waiting) == 20)
    inputs.take(20)
    assert inputs.partitions[0].lag == 20
    inputs.follow({spot: 20})
    assert inputs.partitions[0].lag == 0 and inputs.partitions[0].behind == 0.0
    inputs.close()


def test_what_a_partition_holds_is_measured_before_anything_comes(kafka: Kafka, own: str) -> None:
    kafka.topics(f"{own}-in", partitions=2)
    put(kafka, f"{own}-in", [b"1"] * 20)
    inputs = Inputs(Cluster(kafka.address), own, numbered)
    inputs.assign({(f"{own}-in", 0): 5, (f"{own}-in", 1): 0})
    full, empty = inputs.partitions
    assert not full.measured and not empty.measured
    inputs.measure()
    assert full.measured and full.lag == 15 and empty.measured and empty.lag == 0
    time.sleep(0.3)
    assert (
        0.3 <= full.behind < 5 and empty.behind == 0.0
    )  # when it was written is not known, but since when it is there
    put(kafka, f"{own}-in", [b"2"] * 5)
    inputs.assign(inputs.committed)
    inputs.measure()
    assert inputs.partitions[0].lag == 20 and inputs.partitions[0].behind >= 0.3
    inputs.close()


def test_a_message_that_holds_nothing_waits_too(kafka: Kafka, own: str) -> None:
    kafka.topics(f"{own}-in")
    put(kafka, f"{own}-in", [None, b"1"], key=b"k", timestamp=int(time.time() * 1000) - 3_600_000)
    inputs = Inputs(Cluster(kafka.address), own, lambda _: (0, 0))
    inputs.assign({(f"{own}-in", 0): 0})
    (one,) = inputs.partitions
    until(lambda: inputs.fill(0.2) >= 0 and len(one.waiting) == 2)
    assert 3600 <= one.behind < 3700
    inputs.close()


def test_what_is_there_no_more_does_not_wait() -> None:
    """As where a topic is compacted: its end comes, and what was seen before it did not come again."""
    one, seen = Partition(("t", 0), 0, 0), Mock(Message)
    seen.offset.return_value, seen.timestamp.return_value = 3, (1, 1000)
    one.see(seen)
    assert one.lag == 4 and one.behind > 1000
    one.end()
    assert one.lag == 0 and one.first is None and one.behind == 0.0


def test_what_is_heard_of_after_a_commit_waits_since_then() -> None:
    one = Partition(("t", 0), 0, 0)
    one.reaches(5)
    time.sleep(0.5)
    assert one.lag == 5 and one.behind >= 0.5
    one.keep(5)
    assert one.lag == 0 and one.behind == 0.0
    one.reaches(8)
    assert one.lag == 3 and one.behind < 0.4


def test_what_cannot_be_read_yet_is_told(kafka: Kafka, own: str) -> None:
    def read(message: object) -> tuple[int, int]:
        raise RegistryAwayError("It is away.")

    kafka.topics(f"{own}-in")
    put(kafka, f"{own}-in", [b"1"] * 20, timestamp=int(time.time() * 1000) - 3_600_000)
    inputs = Inputs(Cluster(kafka.address), own, read)
    inputs.assign({(f"{own}-in", 0): 0})
    with pytest.raises(RegistryAwayError):
        until(lambda: inputs.fill(0.2) < 0)
    for _ in range(2):
        assert inputs.partitions[0].lag == 20 and 3600 <= inputs.partitions[0].behind < 3700
        inputs.assign(inputs.committed)
    inputs.close()


def test_the_mark_of_a_transaction_is_no_message_that_waits(kafka: Kafka, own: str) -> None:
    kafka.topics(f"{own}-in")
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": own})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(f"{own}-in", b"1", timestamp=int(time.time() * 1000) - 3_600_000)
    producer.commit_transaction(30)
    inputs = Inputs(Cluster(kafka.address), own, numbered)
    inputs.assign({(f"{own}-in", 0): 0})
    (one,) = inputs.partitions
    until(lambda: inputs.fill(0.2) >= 0 and one.ended and len(one.waiting) == 1)
    assert one.lag == 1 and 3600 <= one.behind < 3700
    inputs.take(1)
    inputs.keep()
    assert one.lag == 0 and one.behind == 0.0
    put(kafka, f"{own}-in", [b"2"])
    until(lambda: inputs.fill(0.2) > 0)
    assert one.lag > 0 and one.behind < 3600
    inputs.close()


def test_where_a_transaction_was_written_last_nothing_is_left(kafka: Kafka, own: str) -> None:
    """Its mark has an offset too, and the broker counts it."""
    kafka.topics(f"{own}-in")
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": own})
    producer.init_transactions(30)
    producer.begin_transaction()
    for number in range(10):
        producer.produce(f"{own}-in", str(number).encode())
    producer.commit_transaction(30)
    inputs = Inputs(Cluster(kafka.address), own, numbered)
    inputs.assign({(f"{own}-in", 0): 0})
    (partition,) = inputs.partitions
    while not partition.ended:
        inputs.fill(0.2)
        inputs.take(100)
    inputs.keep()
    inputs.close()
    assert partition.taken == 10 and partition.lag == 0 and partition.behind == 0.0
