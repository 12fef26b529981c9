"""What `make topics` and `make send` put on a broker is what a stream reads."""

import json
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from tests.servers.kafka import Kafka
from tests.servers.trial import main, send, topics

ROWS = """id,at,card,amount,online,fraud
p1,2026-01-01T09:00:00Z,c1,4.99 EUR,true,false
p2,2026-01-01T09:10:00Z,c2,1.99 EUR,,true
p3,2026-01-01T09:20:00Z,c1,7.00 EUR,false,false
"""
EVENTS = [
    {"id": "p1", "at": "2026-01-01T09:00:00Z", "card": "c1", "amount": "4.99 EUR", "online": True},
    {"id": "p2", "at": "2026-01-01T09:10:00Z", "card": "c2", "amount": "1.99 EUR"},
    {"id": "p3", "at": "2026-01-01T09:20:00Z", "card": "c1", "amount": "7.00 EUR", "online": False},
]


def test_a_file_is_on_a_topic_without_its_labels_and_by_its_key(tmp_path: Path, kafka: Kafka, own: str) -> None:
    (tmp_path / "payments.csv").write_text(ROWS)
    (tmp_path / "payments.ndjson").write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    topics([own], kafka.address)
    topics([own], kafka.address)  # they are there
    assert send(own, tmp_path / "payments.csv", "card", ["fraud"], kafka.address) == 3
    assert send(own, tmp_path / "payments.ndjson", "card", [], kafka.address) == 3
    consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": own, "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([own])
        found = consumer.consume(6, 30)
    finally:
        consumer.close()
    told = [json.loads(message.value()) for message in found]
    assert sorted(told, key=lambda event: str(event["id"])) == [event for event in EVENTS for _ in range(2)]
    assert all(message.key().decode() == event["card"] for message, event in zip(found, told, strict=True))
    assert len({message.partition() for message in found if message.key() == b"c1"}) == 1


def test_what_it_takes_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == main("send", "payments") == 2
    assert "topics NAME" in capsys.readouterr().err
