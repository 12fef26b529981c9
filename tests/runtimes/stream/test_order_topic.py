"""An order topic that cannot be read: what does not pass by itself ends the stream, and says why."""

import threading
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError

from tests.runtimes.started import until
from tests.runtimes.stream.topics import payments, put, running, settings
from tests.servers.secure import SecureKafka
from tidegate.connectors.kafka.cluster import Cluster, PassingError
from tidegate.connectors.kafka.membership import Membership
from tidegate.connectors.kafka.order_topic import OrderTopic
from tidegate.connectors.kafka.place import place, properties
from tidegate.errors import StreamError
from tidegate.runtimes.stream.stream import Stream

_MAY_NOT = r"out\.order cannot be read.*Topic authorization failed"


def _said(code: int | None, offset: int = 0) -> Mock:
    """What the client gives: an error, or a message."""
    message = Mock()
    message.error.return_value = None if code is None else KafkaError(code)
    message.offset.return_value, message.value.return_value = offset, b"order"
    return message


def _read(monkeypatch: pytest.MonkeyPatch, *said: Mock) -> OrderTopic:
    cluster, client = Cluster("127.0.0.1:1"), Mock()
    client.poll.side_effect = said
    monkeypatch.setattr(cluster, "consumer", lambda *_, **__: client)
    return OrderTopic(cluster, "out.order", "group")


@pytest.mark.parametrize(
    ("code", "do"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "rights"), (KafkaError._BAD_MSG, "damaged"),
        (KafkaError._BAD_COMPRESSION, "damaged"), (KafkaError._UNDERFLOW, ""), (KafkaError.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_what_does_not_pass_is_told(monkeypatch: pytest.MonkeyPatch, code: int, do: str) -> None:
    topic = _read(monkeypatch, _said(code))
    with pytest.raises(StreamError, match=r"out\.order cannot be read") as told:
        topic.next(0.1)
    assert not isinstance(told.value, PassingError) and KafkaError(code).str() in told.value.seen
    assert do in told.value.do


@pytest.mark.parametrize(
    "code",
    [KafkaError._TRANSPORT, KafkaError._NODE_UPDATE, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError._RESOLVE],
)  # fmt: skip
def test_what_passes_is_waited_for_and_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    topic = _read(monkeypatch, _said(code), _said(None, 7))
    assert topic.next(60) == (7, b"order") and topic.read_to == 8
    assert f"out.order: {KafkaError(code).str()}" in caplog.text


def _stream(broker: SecureKafka, own: str, folder: Path, **more: Any) -> Stream:
    given = properties(broker.properties(folder / "kafka.properties"))
    ends = {
        name: place(f"kafka://{broker.secure}/{own}-{of}", given) for name, of in (("source", "in"), ("sink", "out"))
    }
    return Stream(settings(broker, own, folder, **ends, **more))


def test_who_may_not_read_the_order_topic_is_told_so_at_the_start_and_while_it_stands_by(
    secure_kafka: SecureKafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure_kafka.topics(f"{own}-in", f"{own}-out")
    put(secure_kafka, f"{own}-in", payments(0, 20))
    _stream(secure_kafka, own, tmp_path).run(threading.Event())
    with monkeypatch.context() as patched:
        patched.setattr(Membership, "look", lambda self, timeout=0.0: bool(time.sleep(timeout)))  # another one decides
        stand_by = _stream(secure_kafka, own, tmp_path, store=tmp_path / "b.db", until_end=False)
        with pytest.raises(StreamError, match=_MAY_NOT) as told, running(stand_by):
            until(lambda: stand_by._kept.head().size == 20)
            assert stand_by.held_up is None
            secure_kafka.deny_reading(f"{own}-out.order")
            until(lambda: stand_by.held_up is not None)
        assert stand_by.held_up is told.value and not isinstance(told.value, PassingError)
    with pytest.raises(StreamError, match=_MAY_NOT) as told:
        _stream(secure_kafka, own, tmp_path).run(threading.Event())
    assert not isinstance(told.value, PassingError) and "rights" in told.value.do
