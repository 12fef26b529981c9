"""The servers are what they say: real, restarted on what they kept, gone when they are killed."""

from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from tests.servers.kafka import VERSION, Kafka
from tests.servers.server import answers


def put(kafka: Kafka, topic: str, *bodies: bytes) -> None:
    producer = Producer({"bootstrap.servers": kafka.address, "acks": "all"})
    for body in bodies:
        producer.produce(topic, body)
    assert producer.flush(30) == 0


def got(kafka: Kafka, topic: str, many: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": topic, "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([topic])
        return [message.value() for message in consumer.consume(many, 30)]
    finally:
        consumer.close()


def test_a_broker_keeps_what_it_acknowledged(tmp_path: Path, own: str) -> None:
    with Kafka(tmp_path / "kafka") as broker:
        assert any(f"kafka-clients-{VERSION}" in path.name for path in broker.jars.iterdir())
        broker.topics(own)
        put(broker, own, b"first", b"second")
        broker.kill()
        assert not answers(broker.port)
        broker.start()
        assert got(broker, own, 2) == [b"first", b"second"]
    assert not answers(broker.port)


def test_topics_are_only_made_when_asked_for(kafka: Kafka, own: str) -> None:
    assert own not in kafka.admin().list_topics(timeout=10).topics
    kafka.topics(own, partitions=2)
    kafka.widen(own, 3)
    assert len(kafka.admin().list_topics(own, timeout=10).topics[own].partitions) == 3


def test_who_lacks_a_program_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tests.servers import maven

    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(maven.UnavailableError, match="no mvn in PATH"):
        maven.jars("nothing", "a:b:1")
