"""Streams whose messages have schemas: decided as their JSON is, waiting for a registry, telling what does not fit."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.connectors.schemas.schemas import Peers, message_type
from tests.runtimes.served import Fraud
from tests.runtimes.started import until
from tests.runtimes.stream.topics import decisions, everything, payments, put, replayed, running, settings, stored
from tests.servers.kafka import Kafka
from tests.servers.registry import Registry as Server
from tidegate import Engine, Store
from tidegate.connectors.schemas.decisions import schema_text
from tidegate.connectors.schemas.framing import framed
from tidegate.connectors.schemas.registry import Registry, RegistryAwayError
from tidegate.errors import StreamError
from tidegate.evidence.log import verify
from tidegate.runtimes.records import schema_of
from tidegate.runtimes.remake import remake
from tidegate.runtimes.stream.dead_letters import read_letter
from tidegate.runtimes.stream.reading import Reading, Unreadable
from tidegate.runtimes.stream.schemas import Schemas
from tidegate.runtimes.stream.stream import Stream

AVRO: dict[str, Any] = {
    "type": "record", "name": "Payment", "namespace": "bank",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "card", "type": "string"},
        {"name": "amount", "type": {"type": "record", "name": "Money", "fields": [
            {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}},
            {"name": "currency", "type": "string"}]}},
    ],
}  # fmt: skip
OTHER = AVRO | {"fields": [*AVRO["fields"][:3], {"name": "value", "type": "double"}]}
NEWER = AVRO | {"fields": [*AVRO["fields"], {"name": "country", "type": ["null", "string"], "default": None}]}


def in_avro(body: bytes) -> dict[str, Any]:
    values = json.loads(body)
    units = Decimal(values["amount"]["units"]).scaleb(-2)
    return values | {
        "at": datetime.fromisoformat(values["at"]),
        "amount": {"amount": units, "currency": values["amount"]["currency"]},
    }


@pytest.fixture
def topics(kafka: Kafka, own: str) -> str:
    kafka.topics(f"{own}-in", f"{own}-out")
    return own


@pytest.fixture
def peers(registry: Server) -> Peers:
    return Peers(registry)


@pytest.fixture
def frozen(registry: Server) -> Iterator[Server]:
    """A registry that a test may freeze."""
    try:
        yield registry
    finally:
        registry.thaw()


def stream(kafka: Kafka, registry: Server, own: str, folder: Path, out: Any = "json", **more: Any) -> Stream:
    schemas = Schemas(Registry(registry.url, timeout=2.0), {f"{own}-in": "avro", f"{own}-out": out})
    return Stream(settings(kafka, own, folder, schemas=schemas, **more))


def test_avro_in_and_protobuf_out_is_what_replay_decides(
    kafka: Kafka, registry: Server, peers: Peers, topics: str, tmp_path: Path
) -> None:
    bodies, write = payments(0, 500), peers.avro(f"{topics}-in", AVRO)
    put(kafka, f"{topics}-in", [write(in_avro(body)) for body in bodies])
    stream(kafka, registry, topics, tmp_path, "protobuf").run(threading.Event())
    wanted = replayed(bodies)
    assert stored(tmp_path) == wanted
    made = message_type(schema_text("protobuf"), "Decision")
    read = ProtobufDeserializer(made, {"use.deprecated.format": False})
    about = SerializationContext(f"{topics}-out", MessageField.VALUE)
    found = [read(message, about) for message in decisions(kafka, f"{topics}-out")]
    assert [(one.id, one.outcome, one.score) for one in found] == [
        (one["id"], one.get("outcome", "approve"), one["score"]) for one in map(json.loads, wanted)
    ]
    with Store.open(tmp_path / "s.db", read_only=True) as kept:
        root, (_, latest) = kept.head(), registry.ask("GET", f"/subjects/{topics}-in-value/versions/latest")
        assert verify(kept).ok and remake(kept, found[4].id).equal
        assert schema_of(kept.get(found[4].id).record) == latest["id"]
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    stream(kafka, registry, topics, fresh, catch_up=True).run(threading.Event())
    with Store.open(fresh / "s.db", read_only=True) as kept:
        assert kept.head() == root


def _later(value: Callable[[], float | None]) -> float | None:
    time.sleep(0.01)
    return value()


def test_a_message_waits_for_the_registry_and_is_not_given_up(
    kafka: Kafka, frozen: Server, peers: Peers, topics: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bodies = payments(0, 60)
    old = peers.avro(f"{topics}-in", AVRO)
    put(kafka, f"{topics}-in", [old(in_avro(body)) for body in bodies[:20]])
    new = peers.avro(f"{topics}-in", NEWER)
    later = [new(in_avro(body) | {"country": None}) for body in bodies[40:]]
    known = [old(in_avro(body)) for body in bodies[20:40]]
    registered = stream(kafka, frozen, topics, tmp_path, until_end=False)
    lag = registered.figures.metrics.gauges["lag_messages"][1]
    waiting = registered.figures.metrics.gauges["registry_awaited"][1]
    with running(registered):
        until(lambda: registered.figures.taken == 20)
        frozen.freeze()
        put(kafka, f"{topics}-in", known)
        until(lambda: registered.figures.taken == 40)  # a schema that is known needs no registry
        assert waiting() == 0.0
        # One that was registered meanwhile is met as unseen: forget that the start had looked at it.
        for one in registered._reading._schemas.values():
            one._schemas.pop(max(one._schemas))
        put(kafka, f"{topics}-in", later)
        until(lambda: waiting() == 1.0)
        assert registered.leads
        until(lambda: lag() == 20)
        put(kafka, f"{topics}-in", known[:5])  # those that came before, again; behind what waits
        until(lambda: lag() == 25)
        assert {_later(lag) for _ in range(200)} == {25}  # also while it is asked again, and all is read anew
        frozen.thaw()
        until(lambda: registered.figures.taken == 65 and lag() == 0)
        until(lambda: waiting() == 0.0, 10)  # a batch is counted before it is kept, and only then does nothing wait
    assert decisions(kafka, f"{topics}-out") == replayed(bodies)
    assert everything(kafka, f"{topics}-out.dead-letters") == []
    assert any("cannot be reached" in one.message and "none is lost" in one.message for one in caplog.records)


def test_who_is_relieved_while_messages_wait_for_the_registry_no_longer_says_that_they_do(
    kafka: Kafka, frozen: Server, peers: Peers, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = peers.avro(f"{topics}-in", AVRO), peers.avro(f"{topics}-in", NEWER)
    put(kafka, f"{topics}-in", [old(in_avro(body)) for body in payments(0, 5)])
    later = [new(in_avro(body) | {"country": None}) for body in payments(5, 10)]
    registered = stream(kafka, frozen, topics, tmp_path, until_end=False)
    waiting = registered.figures.metrics.gauges["registry_awaited"][1]
    with running(registered):
        until(lambda: registered.figures.taken == 5)
        frozen.freeze()
        for one in registered._reading._schemas.values():  # forget that the start had looked at the newest
            one._schemas.pop(max(one._schemas))
        put(kafka, f"{topics}-in", later)
        until(lambda: waiting() == 1.0)
        assert registered._member is not None
        monkeypatch.setattr(registered._member, "look", lambda timeout=0.0: bool(time.sleep(timeout)))
        until(lambda: waiting() == 0.0, 30)


def test_what_does_not_fit_is_a_dead_letter_and_the_others_go_on(
    kafka: Kafka,
    registry: Server,
    peers: Peers,
    topics: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bodies = payments(0, 30)
    write = peers.avro(f"{topics}-in", AVRO)
    good = [write(in_avro(body)) for body in bodies]
    put(kafka, f"{topics}-in", good[:10])
    one = stream(kafka, registry, topics, tmp_path, until_end=False)
    with running(one):
        until(lambda: one.figures.taken == 10)
        registry.ask("PUT", f"/config/{topics}-in-value", {"compatibility": "NONE"})
        other = peers.avro(f"{topics}-in", OTHER)
        values = {name: value for name, value in in_avro(bodies[10]).items() if name != "amount"}
        bad = [other(values | {"value": 1.0}), good[11][:-2], b"\x00\xff\xff\xff\x00x", bodies[12], None]
        put(kafka, f"{topics}-in", [*bad, *good[10:]])
        until(lambda: one.figures.taken == 35)
    assert decisions(kafka, f"{topics}-out") == replayed(bodies)
    letters = [read_letter(message) for message in everything(kafka, f"{topics}-out.dead-letters")]
    codes = ["schema", "undecodable", "unknown-schema", "no-schema-id", "empty"]
    assert [letter.code for letter in letters if letter] == codes
    assert letters[0] is not None and "amount is not in it" in letters[0].reason and letters[0].value == bad[0]
    put(kafka, f"{topics}-in", [write(in_avro(body)) for body in payments(30, 40)])
    with caplog.at_level(logging.ERROR):  # a restart that finds the newest schema not to fit goes on as it would have
        stream(kafka, registry, topics, tmp_path).run(threading.Event())
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 40))
    assert "does not fit the contract of Payment" in caplog.text and "becomes dead letters" in caplog.text


def test_a_start_without_a_registry_or_with_another_contract_is_refused(
    kafka: Kafka, frozen: Server, peers: Peers, topics: str, tmp_path: Path
) -> None:
    with pytest.raises(StreamError, match=rf"no schema for {topics}-in"):
        stream(kafka, frozen, topics, tmp_path)
    peers.avro(f"{topics}-in", OTHER)({"id": "a", "at": 0, "card": "c", "value": 1.0})
    with pytest.raises(StreamError, match=r"does not fit the contract of Payment.*amount is not in it"):
        stream(kafka, frozen, topics, tmp_path)
    frozen.freeze()
    began = time.monotonic()
    with pytest.raises(RegistryAwayError, match="cannot be reached"):
        stream(kafka, frozen, topics, tmp_path)
    assert time.monotonic() - began < 60


def test_a_message_with_a_schema_on_a_topic_of_json_is_told_as_one() -> None:
    class Message:
        def value(self) -> bytes:
            return framed(7, b"\x06abc")

        def headers(self) -> None:
            return None

        def topic(self) -> str:
            return "payments"

    reading = Reading(Engine(Fraud).readers, "Payment", {}, lambda event: None)
    found, _ = reading.read(Message())
    assert isinstance(found, Unreadable) and found.code == "contract"
    assert "schema 7 of a registry" in found.why and "--value-format payments=avro" in found.why
