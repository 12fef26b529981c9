"""What becomes of bad events, of a broker that goes, stands still or is slow, of secrets and certificates, of topics
that are not there, grow or are deleted, of a disk that takes no checkpoint: on a real Flink, with a broker of this
file's own, which also listens behind TLS and a password."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from msgspec.structs import replace

from tests.flink.site import FLOW, PARTITIONS, Site, much_later, reach
from tests.flink.traffic import bytes_of, right, traffic
from tests.servers.kafka import Kafka
from tests.servers.proxy import Proxy
from tests.servers.server import free_port
from tidegate.connectors.flink.cluster import Cluster
from tidegate.connectors.flink.environment import Environment

pytestmark = pytest.mark.timeout(900)
TLS = Path(__file__).parents[1] / "runtimes" / "tls"
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


class Secured(Kafka):
    """A broker with more listeners: two with TLS, and a name and password, of which the second's certificate is over;
    and one without, which is reached through `slow` alone."""

    def __init__(self, folder: Path) -> None:
        self.secured, self.expired, behind = free_port(), free_port(), free_port()
        self.slow = Proxy(behind)
        super().__init__(folder)
        plain, mine = f"PLAINTEXT://127.0.0.1:{self.port}", f"CONTROLLER://127.0.0.1:{self.controller}"
        guarded = f"GUARDED://127.0.0.1:{self.secured},OVER://127.0.0.1:{self.expired}"
        self.settings = {
            "listeners": f"{plain},{mine},{guarded},SLOW://127.0.0.1:{behind}",
            "advertised.listeners": f"{plain},{guarded},SLOW://127.0.0.1:{self.slow.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_SSL,OVER:SASL_SSL,"
            "SLOW:PLAINTEXT",
        }
        for listener, certificate in (("guarded", "good"), ("over", "expired")):
            pair = folder / f"{listener}.pem"
            pair.write_text((TLS / "good-key.pem").read_text() + (TLS / f"{certificate}.pem").read_text())
            self.settings |= {
                f"listener.name.{listener}.sasl.enabled.mechanisms": "PLAIN",
                f"listener.name.{listener}.plain.sasl.jaas.config": f'{LOGIN} user_tide="hunter2";',
                f"listener.name.{listener}.ssl.keystore.type": "PEM",
                f"listener.name.{listener}.ssl.keystore.location": pair,
            }


@pytest.fixture(scope="module")
def broker(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with Secured(tmp_path_factory.mktemp("secured")) as broker, broker.slow:
        yield broker


@pytest.fixture(scope="module")
def cluster(flink: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that stands by itself, as those of others do."""
    cluster = Cluster(flink, tmp_path_factory.mktemp("cluster"), managers=1, slots=2)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def site(broker: Secured, flink: Environment, models: Path, own: str, tmp_path: Path) -> Site:
    return Site(broker, flink, models, own, tmp_path)


def _until(met: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 600
    while not met():
        assert time.monotonic() < until, what
        time.sleep(1)


def _send(broker: Kafka, topic: str, *placed: tuple[int, bytes | None]) -> None:
    """Put messages into partitions of a topic."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": broker.address})
    for partition, data in placed:
        producer.produce(topic, data, partition=partition)
    assert producer.flush(60) == 0


def _guarded(
    site: Site, port: int, cluster: Cluster, password: str, *more: str, trusted: str = "good", paid: str = "paid"
) -> "tuple[int, str]":
    """Ask for a job on the cluster, by a guarded listener."""
    file = site.folder / "kafka.properties"
    file.write_text(
        "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nssl.truststore.type=PEM\n"
        f"ssl.truststore.location={TLS / trusted}.pem\n"
        f'sasl.jaas.config={LOGIN} username="tide" password="{password}";\n'
    )
    at = f"kafka://127.0.0.1:{port}/{site.own}"
    command = [str(Path(sys.executable).with_name("tidegate")), "flink", FLOW, "--models", str(site.models)]
    command += ["--from", f"{at}-{paid}", "--from", f"Login={at}-logins", "--from", f"ListChange={at}-changes"]
    command += ["--to", f"{at}-out", "--cluster", cluster.address, "--python", str(site.flink.python)]
    command += ["--kafka-config", str(file), "--shards", "4", "--until-now", *more]
    done = subprocess.run(command, cwd=site.folder, env=os.environ, capture_output=True, text=True, timeout=900)
    return done.returncode, done.stdout + done.stderr


def test_a_cluster_of_others_reads_behind_tls_and_a_password(site: Site, broker: Secured, cluster: Cluster) -> None:
    events = list(traffic(400))
    site.produce(events)
    # A topic that is slow to answer is like one that is idle; what waits at the end of all must come out nevertheless.
    code, said = _guarded(site, broker.secured, cluster, "hunter2", "--idle", "1ms")
    assert code == 0, said
    site.held(right([(t, partition % PARTITIONS[t], event) for t, partition, event in events], site.models))
    known = list((site.folder / "flink-state").rglob("*.json"))
    assert known
    for file in known:
        assert "hunter2" not in file.read_text() or file.stat().st_mode & 0o077 == 0
    once = ("--setting", "restart-strategy.type=none")
    code, said = _guarded(site, broker.secured, cluster, "hunter3", *once)
    assert code == 2
    assert "Authentication failed" in said and "hunter3" not in said


def test_a_topic_that_is_not_there_and_a_certificate_that_is_over_are_told_with_what_to_do(
    site: Site, broker: Secured, cluster: Cluster
) -> None:
    code, said = _guarded(site, broker.secured, cluster, "hunter2", paid="payd")
    assert code == 2
    assert f"There is no topic {site.own}-payd at" in said and f"Did you mean '{site.own}-paid'?" in said
    once = ("--setting", "restart-strategy.type=none")
    code, said = _guarded(site, broker.expired, cluster, "hunter2", *once)
    assert code == 2
    assert "The broker's certificate has expired (NotAfter: " in said and "Give the broker a new certificate" in said
    code, said = _guarded(site, broker.secured, cluster, "hunter2", *once, trusted="renewed")
    assert code == 2
    assert "The broker's certificate is not trusted" in said and "ssl.truststore.location" in said
    assert "hunter2" not in said


def test_a_partition_is_added_and_the_broker_stands_still_while_the_job_runs(
    site: Site, broker: Secured, cluster: Cluster
) -> None:
    events = list(traffic(600, seed=5))
    begun, rest = events[:300], events[300:]
    topic = f"{site.own}-paid"
    site.produce(begun)
    running = site.start(site.job(parallelism=1), cluster)
    _until(lambda: running.state() == "RUNNING" and running.rest.taken(running.id) == len(begun), "the beginning")
    broker.widen(topic, 4)
    added = [event for place, _, event in rest if place == "paid"][::3]
    _send(broker, topic, *((3, bytes_of(event)) for event in added))
    _until(lambda: running.rest.taken(running.id) == len(begun) + len(added), "the added partition")
    broker.freeze()
    said = list[str]()
    _until(lambda: bool(said.append(running.standing(running.state())) or any(said)), "that nothing is committed")
    assert "Nothing has been committed for" in said[-1] and "Kafka's brokers answer" in said[-1]
    broker.thaw()
    site.produce([one for one in rest if one[2] not in added])
    site.produce(list(much_later(events)))
    _send(broker, topic, (3, bytes_of(replace(added[-1], id="zpaid3", at=added[-1].at + timedelta(hours=2)))))
    placed = [(t, 3 if event in added else partition % PARTITIONS[t], event) for t, partition, event in events]
    expected = right(placed, site.models)
    site.wait(len(expected))
    running.stop()
    site.held(expected)


def test_a_job_that_is_drained_while_nothing_comes_decides_what_still_waits(site: Site, cluster: Cluster) -> None:
    events = list(traffic(400, seed=9))
    site.produce(events)
    expected = right([(t, partition % PARTITIONS[t], event) for t, partition, event in events], site.models)
    running = site.start(site.job(idle=500, out_of_order=3_600_000, parallelism=1), cluster)
    _until(lambda: running.state() == "RUNNING" and running.rest.taken(running.id) == len(events), "the events")
    reach(running, 3)  # all partitions are idle for longer than half a second
    assert not site.decided()
    running.rest.ask(f"/jobs/{running.id}/stop", {"targetDirectory": running.job.state, "drain": True})
    _until(lambda: running.state() == "FINISHED", "the end")
    site.held(expected)


def test_a_broker_that_answers_slowly_is_waited_for_and_nothing_is_otherwise(
    site: Site, broker: Secured, cluster: Cluster
) -> None:
    events = list(traffic(400, seed=7))
    through = f"127.0.0.1:{broker.slow.port}"
    running = site.start(site.job(servers=through, parallelism=1), cluster)
    reach(running, 1)
    broker.slow.delay = 0.5
    try:
        asked = time.monotonic()
        AdminClient({"bootstrap.servers": through}).list_topics(timeout=60)
        assert time.monotonic() - asked > 1.0  # half a second each way
        site.produce(events)
        site.produce(list(much_later(events)))
        expected = right([(t, partition % PARTITIONS[t], event) for t, partition, event in events], site.models)
        site.wait(len(expected))
        assert running.failure() == "" and running.standing(running.state()) == ""
        running.stop()
    finally:
        broker.slow.delay = 0.0
    site.held(expected)


def test_a_topic_that_is_deleted_while_the_job_runs_is_named_and_the_job_goes_on_when_it_is_made_again(
    site: Site, broker: Secured, cluster: Cluster
) -> None:
    paid = sorted((event for topic, _, event in traffic(300) if topic == "paid"), key=lambda event: event.at)
    topic, out = f"{site.own}-paid", f"{site.own}-out"
    soon = {"request.timeout.ms": "5000", "delivery.timeout.ms": "6000"}  # when a producer gives up
    job = site.job(idle=8000, out_of_order=1000, parallelism=1, properties=soon)
    running = site.start(job, cluster)
    _send(broker, topic, *((number % 2, bytes_of(event)) for number, event in enumerate(paid)))
    numbers = count(1)

    def push() -> None:
        number = next(numbers)
        later = replace(paid[-1], id=f"push{number}", at=paid[-1].at + timedelta(hours=1, seconds=2 * number))
        _send(broker, topic, (0, bytes_of(later)), (1, bytes_of(replace(later, id=f"{later.id}-b"))))

    def decided() -> set[str]:
        push()
        return {event.id for event in paid} & site.decided().keys()

    _until(lambda: len(decided()) == len(paid), "decisions")
    broker.remove(out)
    push()
    told = list[str]()

    def said(words: str) -> bool:
        told.append(running.failure() if running.state() else "")
        return words in told[-1]

    _until(lambda: said(f"A topic is not there: one of {out},"), "the topic of decisions")
    assert "Make it" in told[-1]
    first = next(one for one in told if one)
    assert first == told[-1] or f"could not be written to {out} in time. See whether that topic is there" in first
    broker.topics(out, partitions=2)
    _until(lambda: push() or bool(site.decided()), "decisions in the topic that was made again")
    assert not {event.id for event in paid} & site.decided().keys(), "decided twice"
    broker.remove(topic)
    _until(lambda: said("A topic is not there: one of") and topic in told[-1], "the topic of events")
    assert "Make it" in told[-1]
    running.rest.cancel(running.id)


def test_bad_and_late_events_are_told_and_a_broker_may_go_and_come_back(
    site: Site, broker: Secured, cluster: Cluster
) -> None:
    paid = sorted((event for topic, _, event in traffic(300) if topic == "paid"), key=lambda event: event.at)
    topic, letters = f"{site.own}-paid", f"{site.own}-out.dead-letters"

    def send(*bodies: bytes | None) -> None:
        _send(broker, topic, *((number % 2, data) for number, data in enumerate(bodies)))  # the third stays idle

    def later(name: str, hours: int, **more: object) -> bytes:
        return bytes_of(replace(paid[-1], id=name, at=paid[-1].at + timedelta(hours=hours), **more))

    def push(hours: int, met: Callable[[], bool], what: str) -> None:
        """Bring the watermark there by new events in both partitions, again and again, since both go idle too."""
        numbers = count(10 * hours)

        def again() -> bool:
            send(*(later(f"push{next(numbers)}-{hours}-{side}", hours) for side in "ab"))
            return met()

        _until(again, what)

    running = site.start(site.job(idle=8000, out_of_order=1000, parallelism=1), cluster)
    send(*map(bytes_of, paid))
    push(1, lambda: len(site.decided()) >= len(paid), "decisions")
    send(b"{", bytes_of(replace(paid[3], id="late")), b'{"id":"bare"}', bytes_of(paid[5]), None)
    send(later(paid[7].id, 2), later("fine", 2))
    push(3, lambda: len(list(site.consumed(letters, 1))) >= 5, "dead letters")
    found = {value: headers for _, value, headers in site.consumed(letters, 1)}
    codes = sorted((headers["tidegate-code"], (value or b"")[:8]) for value, headers in found.items())
    assert [code for code, _ in codes] == [b"behind-watermark", b"contract", b"contract", b"empty", b"id-reused"], codes
    assert all(headers["tidegate-topic"] == topic.encode() for headers in found.values())
    assert found[b"{"]["tidegate-reason"] and found[None]["tidegate-code"] == b"empty"
    broker.kill()
    time.sleep(3)
    broker.start()
    send(later("after1", 4), later("after2", 5))
    push(6, lambda: "after2" in site.decided(), "decisions after the broker came back")
    decided = {id for id in site.decided() if not id.startswith("push")}
    assert decided == {event.id for event in paid} | {"fine", "after1", "after2"}
    running = site.go_on(running, cluster, idle=8000, out_of_order=1000)
    reach(running, 1)
    send(bytes_of(replace(paid[4], id="late, after a restart")))
    send(later("after3", 7), later("after4", 7))
    push(8, lambda: "after3" in site.decided(), "decisions after a restart")
    late = [
        value or b""
        for _, value, headers in site.consumed(letters, 1)
        if headers["tidegate-code"] == b"behind-watermark"
    ]
    assert len(late) == 2 and b"after a restart" in late[1]
    running.stop()


def test_a_disk_that_takes_no_checkpoint_stops_decisions_until_it_does(site: Site, cluster: Cluster) -> None:
    folder = site.folder / "checkpoints"
    running = site.start(site.job(parallelism=1, idle=1000), cluster)
    reach(running, 1)
    blocked = folder / running.id
    blocked.rename(site.folder / "aside")
    blocked.write_text("no folder")
    # Flink may first tell of what a failed checkpoint led to: a message that no task was there for any more.
    _until(lambda: "checkpoint" in running.rest.failure(running.id).lower(), "a failure of a checkpoint")
    _until(lambda: running.state() in ("RESTARTING", "RUNNING"), "another try")
    blocked.unlink()
    (site.folder / "aside").rename(blocked)
    reach(running, 1)
    running.stop()
