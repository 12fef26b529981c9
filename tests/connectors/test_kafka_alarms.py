"""Alarms on a topic: each under the id of its decision, kept back while brokers are away, known if it comes twice."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import typed
from tests.connectors.test_webhook import alarms
from tests.runtimes.stream.topics import everything
from tests.runtimes.test_delivery import decide, ids
from tests.servers.kafka import Kafka
from tidegate import Store
from tidegate.actions.sink import Gone, UnavailableError
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.kafka.alarms import KafkaAlarms
from tidegate.connectors.kafka.place import place
from tidegate.connectors.told import Told
from tidegate.errors import TidegateError
from tidegate.runtimes.delivery import Delivery
from tidegate.runtimes.sinks import name_at


def test_each_alarm_is_there_under_its_decisions_id(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(own)
    store, address = tmp_path / "s.db", f"kafka://{kafka.address}/{own}"
    decide(store, 0, 6)
    said = typed("alerts", "deliver", "--to", address, "--store", store, "--once")
    assert f"{address}: told of 4 decisions, 0 records left" in said.output
    found = everything(kafka, own)
    assert [one.key().decode() for one in found] == ids(2, 6)
    document = json.loads(found[0].value())
    assert document["id"] == "c1-2" and document["alarm"] and document["rule"] == ["often"]
    assert found[0].headers() == [("content-type", b"application/json")]
    said = typed("alerts", "status", "--store", store).output
    assert re.search(rf"^\s*6\s+0\s+0\s+\S*{re.escape(own)}$", said, re.MULTILINE), said


def test_what_the_brokers_do_not_take_is_sent_when_they_are_back(tmp_path: Path, own: str) -> None:
    store = tmp_path / "s.db"
    decide(store, 0, 6)
    with Kafka(tmp_path / "kafka") as broker:
        broker.topics(own)
        sink = KafkaAlarms(place(f"kafka://{broker.address}/{own}"), patience=4)
        with AlertsFile.beside(store) as file, Store.open(store, read_only=True) as kept:
            delivery = Delivery(kept, file, sink, alarms=True)
            assert delivery.catch_up() == 6
            broker.kill()
            more = [*alarms("x"), *alarms("y")]
            with pytest.raises(UnavailableError, match=f"{own} does not take alarms.*{broker.address}"):
                sink.send(more)
            decided = Told(file, sink.name).marks()[0][0]
            broker.start()
            assert decided == 6 and sink.send(more) == []
        sink.forget([Gone(1, "x", 0)])
        sink.close()
        found = [(one.key().decode(), one.value() is not None) for one in everything(broker, own)]
    # What was in flight when the broker fell may be there twice, under its key.
    assert list(dict.fromkeys(found)) == [*((one, True) for one in ids(2, 6)), ("x", True), ("y", True), ("x", False)]


def test_a_topic_that_is_not_there_and_a_message_that_is_too_large(kafka: Kafka, own: str) -> None:
    sink = KafkaAlarms(place(f"kafka://{kafka.address}/{own}"), patience=3)
    with pytest.raises(UnavailableError, match="does not take alarms") as told:
        sink.send(alarms("a"))
    assert "opic" in told.value.seen and "make it if it is not there" in told.value.do
    sink.close()
    kafka.topics(own, **{"max.message.bytes": "2000"})
    sink = KafkaAlarms(place(f"kafka://{kafka.address}/{own}"), patience=20)
    rejected = sink.send(alarms("a", "b" * 3000, "c"))
    sink.close()
    assert [one.id for one in rejected] == ["b" * 3000] and "too large" in rejected[0].reason
    assert [one.key() for one in everything(kafka, own)] == [b"a", b"c"]


def test_brokers_that_were_never_there_are_listed_with_all_that_waits(tmp_path: Path) -> None:
    store, address = tmp_path / "s.db", "kafka://127.0.0.1:9/alarms"
    decide(store, 0, 6)
    with AlertsFile.beside(store) as file, Store.open(store, read_only=True) as kept:
        sink = KafkaAlarms(place(address), patience=2)
        with pytest.raises(UnavailableError, match="does not take alarms"):
            Delivery(kept, file, sink, alarms=True).catch_up()
        sink.close()
    (row,) = typed("alerts", "status", "--store", store, "--json").stdout.splitlines()
    assert json.loads(row) == {"sink": address, "told": 0, "behind": 6, "held": 0}


@pytest.mark.parametrize("address", ["kafka://h:9092", "kafka://h/a,b", "kafka://u:secret@h/a", "kafka://h/a?acks=1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(TidegateError) as told:
        name_at(address)
    assert "secret" not in str(told.value)
