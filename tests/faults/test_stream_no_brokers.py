"""A broker that says time and again that there are no brokers, as one does that is just coming back. Some clients that
are told so ask nobody any more: they are made anew."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from tests.runtimes.started import until
from tests.runtimes.stream.topics import decisions, payments, put, replayed, running, settings
from tests.servers.kafka import Kafka
from tests.servers.server import free_port
from tidegate.connectors.kafka.cluster import Cluster
from tidegate.connectors.kafka.inputs import Inputs
from tidegate.connectors.kafka.membership import Membership
from tidegate.connectors.kafka.order_topic import OrderTopic
from tidegate.connectors.kafka.shared import SharedProgress
from tidegate.errors import StreamError
from tidegate.runtimes.stream.lasting import Clients
from tidegate.runtimes.stream.stream import Stream


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Its controller hears of it every nine seconds, and takes it for gone after six: for three there is nobody."""
    folder = tmp_path_factory.mktemp("fenced")
    with Kafka(folder, broker_session_timeout_ms=6_000, broker_heartbeat_interval_ms=9_000) as started:
        yield started


def _lost(group: str) -> Consumer:
    """A client that reaches nobody."""
    return Cluster(f"127.0.0.1:{free_port()}").consumer(group)


def test_a_client_that_reaches_nobody_while_others_do_is_made_anew(
    kafka: Kafka, own: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of those that live as long as a stream does; they go on from where they were."""
    kafka.topics(own, f"{own}-order")
    put(kafka, own, payments(0, 3))
    put(kafka, f"{own}-order", [b"0", b"1"])
    asked = Cluster(kafka.address)
    orders = OrderTopic(asked, f"{own}-order", own)
    inputs = Inputs(asked, own, lambda message: (message.value(), None))
    member = Membership(asked, own, f"{own}-order", 6.0)
    try:
        orders.go_to(0)
        until(lambda: orders.next(0.5) == (0, b"0"), 60)
        inputs.assign({(own, 0): 0})
        until(lambda: inputs.fill(0.5) == 3, 60)
        inputs.take(1)
        inputs.keep()
        until(lambda: member.look(0.5), 60)
        clients = Clients(asked, own, {"reads orders": orders, "reads inputs": inputs, "is a member": member})
        clients.look(now=True)
        assert caplog.text.count("made anew") == 0 and member.leads
        for one in (orders, inputs, member):
            one.client.close()
            one._consumer = _lost(own)
        clients.look()
        assert caplog.text.count("made anew") == 0  # the last look was just now
        clients.look(now=True)
        for what in ("reads orders", "reads inputs", "is a member"):
            assert f"The client that {what} reaches no broker" in caplog.text
        assert not member.leads
        until(lambda: orders.next(0.5) == (1, b"1"), 60)
        until(lambda: inputs.fill(0.5) == 2, 60)
        assert [one.message.offset() for one in inputs.take(9)] == [1, 2]
        until(lambda: member.look(0.5), 60)
    finally:
        for one in (orders, inputs, member):
            one.close()


def test_how_far_alerts_were_told_is_asked_for_by_a_client_that_never_failed(kafka: Kafka, own: str) -> None:
    kafka.topics(own)
    shared = SharedProgress(Cluster(kafka.address), own, own)
    try:
        shared.write({"hook": 7})
        shared._consumer.close()
        shared._consumer = Cluster(f"127.0.0.1:{free_port()}").consumer(f"{own}-told", socket_timeout_ms=1_000)
        with pytest.raises(StreamError, match="cannot be read"):
            shared.read()
        assert shared.read() == {"hook": 7}
    finally:
        shared.close()


@pytest.mark.timeout(1200)
def test_a_stream_goes_on_although_its_clients_are_told_that_there_are_no_brokers(
    broker: Kafka, own: str, tmp_path: Path
) -> None:
    broker.topics(f"{own}-in", f"{own}-out")
    with running(Stream(settings(broker, own, tmp_path, until_end=False))):
        for many in (100, 200, 300):
            put(broker, f"{own}-in", payments(many - 100, many))
            until(partial(_decided, broker, f"{own}-out", many), 300)
            time.sleep(4)  # another part of the nine seconds
    assert decisions(broker, f"{own}-out") == replayed(payments(0, 300))


def _decided(broker: Kafka, topic: str, many: int) -> bool:
    return len(decisions(broker, topic)) >= many
