"""Apache Kafka from Maven: one node that is broker and controller (KRaft), as its users run it, on loopback."""

import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from tests.servers.maven import jars, program
from tests.servers.server import Server, answers, free_port

VERSION = "4.2.1"
ARTEFACTS = (f"org.apache.kafka:kafka_2.13:{VERSION}", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3")
_LOGGING = """<Configuration status="error"><Appenders><Console name="out"><PatternLayout pattern="%d %p %c %m%n"/>
</Console></Appenders><Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers></Configuration>
"""


def fetch() -> Path:
    """The folder of Kafka's jars, fetched unless they are there."""
    return jars("kafka", *ARTEFACTS)


class Kafka(Server):
    """A broker. `settings` are lines of its `server.properties` beside ours."""

    name = "Kafka"

    def __init__(self, folder: Path, port: int | None = None, **settings: object) -> None:
        super().__init__(folder, port)
        self.controller, self.settings, self.jars = free_port(), settings, fetch()

    def prepare(self) -> None:
        """Write its settings and format its disk."""
        lines = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self.controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.folder / "data",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            "auto.create.topics.enable": "false",
            # Clients that ask a frozen broker again and again fill its queue of connections (50 by default); one that
            # comes then may not be let in for half a minute after it goes on.
            "socket.listen.backlog.size": 1024,
            "log.cleaner.dedupe.buffer.size": 8_388_608,
            **{name.replace("_", "."): value for name, value in self.settings.items()},
        }
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        (self.folder / "server.properties").write_text(text, encoding="utf-8")
        (self.folder / "log4j2.xml").write_text(_LOGGING, encoding="utf-8")
        tool = [
            *self._java("kafka.tools.StorageTool"),
            "format",
            "--standalone",
            "--cluster-id",
            "dGlkZWdhdGUtdGVzdHMtMA",
        ]
        done = subprocess.run(
            [*map(str, tool), "--config", "server.properties"], cwd=self.folder, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"Kafka's disk could not be formatted: {done.stdout}{done.stderr}")

    def _java(self, main: str) -> list[str | Path]:
        java = program("java", "install Java 17")
        quick = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
        logging = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.xml'}"
        return [java, "-Xms128m", "-Xmx512m", *quick, logging, "-cp", f"{self.jars}/*", main]

    def command(self) -> Sequence[str | Path]:
        return [*self._java("kafka.Kafka"), "server.properties"]

    def ready(self) -> bool:
        """Whether it answers what it is asked; its port is open some time earlier."""
        if not answers(self.port):
            return False
        try:
            return bool(self.admin().list_topics(timeout=2).brokers)
        except KafkaException:
            return False

    def admin(self) -> AdminClient:
        """A client that makes topics."""
        return AdminClient({"bootstrap.servers": self.address, "log_level": 0})

    def topics(self, *names: str, partitions: int = 1, **settings: str) -> None:
        """Make topics and wait until they are there."""
        config = {name.replace("_", "."): value for name, value in settings.items()}
        wanted = [NewTopic(name, partitions, 1, config=config) for name in names]
        self._told(lambda admin: admin.create_topics(wanted), KafkaError.TOPIC_ALREADY_EXISTS)
        self._see(lambda there: set(names) <= there)  # the controller knows them earlier

    def remove(self, topic: str) -> None:
        """Delete a topic and wait until it is gone."""
        self._told(lambda admin: admin.delete_topics([topic]), KafkaError.UNKNOWN_TOPIC_OR_PART)
        self._see(lambda there: topic not in there)

    def widen(self, topic: str, partitions: int) -> None:
        """Give a topic more partitions."""
        wanted = [NewPartitions(topic, partitions)]
        self._told(lambda admin: admin.create_partitions(wanted), KafkaError.INVALID_PARTITIONS)

    def _told(self, what: Callable[[AdminClient], dict[str, Future[Any]]], done: int) -> None:
        """Have something done, by a client made anew where one came to nothing: a broker that stood still may tell one
        that there are no brokers, and that client asks nobody any more. `done` says that it was done before."""
        until, again = time.monotonic() + 120, False
        while True:
            admin = self.admin()  # by name: it must outlive what it is asked
            try:
                for one in what(admin).values():
                    one.result(15)
                return
            except (KafkaException, TimeoutError) as error:
                if again and isinstance(error, KafkaException) and error.args[0].code() == done:
                    return
                if (isinstance(error, KafkaException) and not _passes(error)) or time.monotonic() > until:
                    raise
                again = True

    def _see(self, seen: Callable[[set[str]], bool]) -> None:
        until, admin = time.monotonic() + 120, self.admin()
        while True:
            try:
                found = admin.list_topics(timeout=5)
                if found.brokers and seen(set(found.topics)):
                    return
            except KafkaException:
                found = None
            if found is None or not found.brokers:
                admin = self.admin()
            assert time.monotonic() < until, f"{self.address} does not come to tell of its topics"
            time.sleep(0.05)


def _passes(error: KafkaException) -> bool:
    code = error.args[0].code()
    return code < 0 or code in (KafkaError.BROKER_NOT_AVAILABLE, KafkaError.REQUEST_TIMED_OUT,
                                KafkaError.INVALID_REPLICATION_FACTOR, KafkaError.NOT_CONTROLLER)  # fmt: skip
