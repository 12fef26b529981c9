"""The clients of one cluster, its topics, and what its errors mean."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tidegate.connectors.kafka.connection import distrust, listens
from tidegate.connectors.kafka.faults import DO, EARLY, MOVED, PROTOCOL, ROOT_CAUSES, VAGUE, telling
from tidegate.connectors.kafka.place import SECRET
from tidegate.connectors.kafka.said import CLIENT
from tidegate.errors import StreamError

_PATIENCE = 15.0
"""Seconds that a question about topics may take."""
_SLICE = 2.0
"""Seconds after which it is seen whether waiting longer helps."""
_RECENT = 60.0
"""Seconds for which what was heard of a connection explains that there is none."""


class PassingError(StreamError):
    """What passes by itself: a broker that does not answer now, or is asked too early. It is asked again."""


class Cluster:
    """Makes clients of one cluster.

    Args:
        servers: `host:port`, several with commas between.
        settings: properties of librdkafka, which may hold secrets.
    """

    def __init__(self, servers: str, settings: Mapping[str, str] | None = None) -> None:
        self.servers, self._settings = servers, dict(settings or {})
        self._cause: KafkaError | None = None
        self._heard_at = 0.0
        self.asked: tuple[str, float] | None = None
        """What the brokers are asked for now, and since when on the monotonic clock; None while they are not."""
        self.silent: float | None = None
        """Since when, on the monotonic clock, they do not answer what they are asked; None while they do."""

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """While the block runs, the brokers are asked for something: some calls of the client take no limit of time, or
        do not keep it, so that somebody else has to watch them."""
        before, self.asked = self.asked, (what, monotonic())
        try:
            yield
        finally:
            self.asked = before

    @property
    def _known(self) -> KafkaError | None:
        """What is known of why connections fail; what was heard long ago may be mended."""
        return self._cause if monotonic() - self._heard_at < _RECENT else None

    def _config(self, more: Mapping[str, Any]) -> dict[str, Any]:
        own = {"bootstrap.servers": self.servers, "error_cb": self._heard, "logger": CLIENT, "client.id": "tidegate"}
        own["log_level"] = "5"  # what is below goes to the terminal as it is, once a client ends
        return own | self._settings | dict(more)

    def _heard(self, error: KafkaError) -> None:
        """What librdkafka says of connections; the cause of what will only be told as a timeout."""
        if self._known is None or telling(error) >= telling(self._known):
            self._cause, self._heard_at = error, monotonic()
        CLIENT.warning("%s", self._plain(error.str()))

    @property
    def _hopeless(self) -> bool:
        """Whether something is known to be wrong that does not pass by waiting."""
        return self._known is not None and self._known.code() in ROOT_CAUSES

    def consumer(self, group: str, **more: Any) -> Consumer:
        """A consumer of what was committed, from where it is told; it stores no offsets of its own.

        Raises:
            StreamError: a property is wrong.
        """
        config = {
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
        }
        made: Consumer = self._made(Consumer, config | _named(more))
        return made

    def producer(self, transactional: str | None = None, **more: Any) -> Producer:
        """A producer; with a transactional id, of transactions.

        Raises:
            StreamError: a property is wrong.
        """
        config: dict[str, Any] = {"acks": "all", "enable.idempotence": True, "partitioner": "murmur2_random"}
        if transactional is not None:
            config["transactional.id"] = transactional
        made: Producer = self._made(Producer, config | _named(more))
        return made

    def _made(self, kind: Callable[[dict[str, Any]], Any], config: Mapping[str, Any]) -> Any:
        try:
            return kind(self._config(config))
        except (KafkaException, TypeError, ValueError) as error:
            inner = error.args[0] if error.args else error
            said = inner.str() if isinstance(inner, KafkaError) else str(inner)
            raise StreamError(
                "A property of the Kafka client is not right.",
                seen=self._plain(said),
                do="See librdkafka's CONFIGURATION.md for names and values.",
            ) from None

    def _plain(self, said: str) -> str:
        """What librdkafka said, without any secret."""
        for name, value in self._settings.items():
            if value and any(word in name for word in SECRET):
                said = said.replace(value, "…")
        return said

    def told(self, error: KafkaException | KafkaError, wrong: str) -> StreamError:
        """What went wrong, as an error that can be acted on."""
        inner = error.args[0] if isinstance(error, KafkaException) else error
        if not isinstance(inner, KafkaError):
            return StreamError(wrong, seen=self._plain(str(inner)))
        vague = inner.code() in VAGUE
        cause = self._known or inner if vague else inner
        passes = vague or inner.code() in EARLY | MOVED
        kind = PassingError if passes and cause.code() not in ROOT_CAUSES else StreamError
        if vague and self.silent is None:
            self.silent = monotonic()
        seen, do = self._plain(cause.str()), DO.get(cause.code(), "")
        if cause.code() == KafkaError._SSL and "certificate verify failed" in seen:
            why = distrust(seen, self._settings.get("ssl.ca.location", ""))
            if why is not None:
                seen, do = f"its certificate is not trusted: {why.why}", why.do
        elif vague and kind is PassingError and (telling(cause) == PROTOCOL or listens(self.servers)):
            do = (
                "Something listens there: see whether the broker is well, and whether security.protocol is what it "
                "speaks at this port (PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL)."
            )
        return kind(wrong, seen=f"{seen} ({self.servers})", do=do)

    def admin(self) -> AdminClient:
        """A client that looks after topics."""
        client: AdminClient = self._made(AdminClient, {})
        return client

    def partitions(self, topics: Sequence[str], *, only_read: bool = False) -> dict[str, int]:
        """How many partitions each of these topics has.

        Args:
            topics: their names.
            only_read: whether they are looked into by people: one that is not there is then not to be made.

        Raises:
            StreamError: there is no such topic, or no broker answers.
        """
        there = self.topics()
        for name in topics:
            if name not in there:
                near = difflib.get_close_matches(name, there, 1)
                tool = f"kafka-topics.sh --bootstrap-server {self.servers}"
                do = [f"Did you mean {near[0]}?"] if near else []
                if only_read:
                    do += [] if near else [f"See which there are: {tool} --list."]
                else:
                    do += [f"{'If not, make' if near else 'Make'} it: {tool} --create --topic {name} --partitions 3."]
                raise StreamError(
                    f"There is no topic {name} on {self.servers}.",
                    seen=f"{len(there)} topic{'s' * (len(there) != 1)} with other names",
                    do=" ".join(do),
                )
        return {name: there[name] for name in topics}

    def topics(self) -> dict[str, int]:
        """All topics there are and how many partitions each has.

        Raises:
            StreamError: no broker answers.
        """
        client, until = self.admin(), monotonic() + _PATIENCE
        while True:
            try:
                found = client.list_topics(timeout=_SLICE).topics
                break
            except KafkaException as error:
                client.poll(0)  # what is wrong with connections is only heard here
                if monotonic() > until or self._hopeless:
                    raise self.told(error, "Nothing could be learned about topics.") from None
        client.poll(0)
        self.silent = None
        return {name: len(about.partitions) for name, about in found.items() if about.error is None}

    def lost(self, consumer: Consumer, topic: str) -> bool:
        """Whether a client does not reach brokers that others reach.

        A broker that is taken up again after it stood still, or whose cluster is being upgraded, may say for a moment
        that there are no brokers. librdkafka (seen in 2.11 to 2.16; its issue 5301) then lets go of all it knew, those
        it was configured with too, and some clients ask nobody from then on, whatever their properties are: they only
        say that nothing came, and have to be made anew.
        """
        with self.asking("seeing whether a client still reaches them"):
            return (
                not _reaches(consumer, topic, _SLICE)
                and _reaches(self.admin(), topic, _SLICE)
                and not _reaches(consumer, topic, 2 * _SLICE)
            )

    def make(self, topic: str, **config: str) -> bool:
        """Make a topic of one partition unless it is there; gives whether it was made.

        Raises:
            StreamError: it cannot be made.
        """
        if topic in self.topics():
            return False
        client = self.admin()
        made = client.create_topics([NewTopic(topic, 1, -1, config=_named(config))])
        try:
            made[topic].result(_PATIENCE)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:  # another instance made it meanwhile
                self._hear_of(topic)
                return False
            raise self.told(error, f"The topic {topic} is not there and cannot be made.") from None
        except TimeoutError:
            raise PassingError(
                f"The topic {topic} is not there and was not made in time.",
                seen=f"no answer from {self.servers} in {_PATIENCE:.0f} s",
                do=DO[KafkaError._TIMED_OUT],
            ) from None
        self._hear_of(topic)
        return True

    def _hear_of(self, topic: str) -> None:
        """Wait until a topic that was made is told of: the broker that is asked hears of it a little later."""
        until = monotonic() + _PATIENCE
        while topic not in self.topics():
            if monotonic() > until:
                raise PassingError(
                    f"The topic {topic} was made, and is not told of yet.",
                    seen=f"no {topic} on {self.servers} for {_PATIENCE:.0f} s",
                    do="See whether the controller and the brokers are well, then start again.",
                )
            sleep(0.1)

    def refresh(self, consumer: Consumer, topic: str) -> None:
        """Let a client learn which partitions a topic has now.

        Raises:
            StreamError: no broker answers.
        """
        try:
            with self.asking(f"learning what partitions {topic} has"):
                consumer.list_topics(topic, _PATIENCE)
        except KafkaException as error:
            raise self.told(error, f"Nothing could be learned about {topic}.") from None

    def ends(self, consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that a partition still has, and the one after its last.

        Raises:
            StreamError: no broker answers.
        """
        try:
            with self.asking(f"learning the ends of {topic}/{partition}"):
                found = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_PATIENCE)
        except KafkaException as error:
            if error.args[0].code() == KafkaError._UNKNOWN_PARTITION:
                self.refresh(consumer, topic)  # or it goes by what a broker said that was just coming back, for minutes
            raise self.told(error, f"The ends of {topic}/{partition} could not be learned.") from None
        if found is None:
            raise PassingError(f"The ends of {topic}/{partition} could not be learned.", seen="no answer in time")
        self.silent = None
        return found


def _reaches(client: Consumer | AdminClient, topic: str, timeout: float) -> bool:
    try:
        return bool(client.list_topics(topic, timeout=timeout).brokers)
    except KafkaException:
        return False


def _named(more: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments as properties are written: with dots."""
    return {name.replace("_", "."): value for name, value in more.items()}
