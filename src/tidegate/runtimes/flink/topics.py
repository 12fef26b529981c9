"""What Kafka is asked before a job is handed in: whether its topics are there, how long transactions may stay open.

It runs where PyFlink is, and asks by Java's client: the properties that a user gives are that one's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyflink.java_gateway import get_gateway
from pyflink.util.exceptions import JavaException, Py4JJavaError

from tidegate.errors import StreamError, meant
from tidegate.runtimes.flink.job import TIMEOUT, Job

_TIMEOUT, _MOST = "transaction.timeout.ms", "transaction.max.timeout.ms"
_PATIENCE = 15_000
"""Milliseconds in which Kafka is to answer."""


def require_topics(job: Job) -> None:
    """See that every topic is there.

    Where Kafka does not answer from here, the job is to find out: it can run on machines that reach what we do not.

    Raises:
        StreamError: one is not, with the nearest name.
    """
    try:
        there = _names(job)
    except (JavaException, Py4JJavaError):
        return
    wanted = [*(given.topic for given in job.inputs), job.output, job.dead_letters]
    missing = [topic for topic in wanted if topic not in there]
    if missing:
        raise StreamError(
            f"There is no topic {' and no topic '.join(missing)} at {job.servers}, or none that its user may see.",
            do=f"Make it, or name another. {meant(missing[0], there)}".strip(),
        )


def transaction_timeout(job: Job) -> int:
    """Milliseconds that the job's transactions stay open: what its properties say, else the most that Kafka allows.

    The longer, the more time there is to go on from a checkpoint. Ten minutes where the brokers cannot be asked, or do
    not say: their settings are told to those who may describe them.
    """
    given = job.properties.get(_TIMEOUT)
    if given is not None:
        if not given.isdecimal():
            raise StreamError(f"{_TIMEOUT} is milliseconds.", seen=given, do="Write them as digits, or leave it out.")
        return int(given)
    try:
        return _allowed(job)
    except (JavaException, Py4JJavaError):
        return TIMEOUT


def _allowed(job: Job) -> int:
    """What the strictest broker allows: any can be the one that looks after a transaction."""
    config = get_gateway().jvm.org.apache.flink.kafka.shaded.org.apache.kafka.common.config
    with _client(job) as admin:
        asked = get_gateway().jvm.java.util.ArrayList()
        for node in admin.describeCluster().nodes().get().toArray():
            asked.add(config.ConfigResource(config.ConfigResource.Type.BROKER, node.idString()))
        told = [one.get(_MOST) for one in admin.describeConfigs(asked).all().get().values()]
    return min((int(entry.value()) for entry in told if entry is not None and entry.value()), default=TIMEOUT)


def _names(job: Job) -> set[str]:
    with _client(job) as admin:
        return set(admin.listTopics().names().get())


@contextmanager
def _client(job: Job) -> Iterator[Any]:
    jvm: Any = get_gateway().jvm
    properties = jvm.java.util.Properties()
    told = {"bootstrap.servers": job.servers, **job.properties, "default.api.timeout.ms": str(_PATIENCE)}
    for name, value in (told | {"request.timeout.ms": str(_PATIENCE)}).items():
        properties.setProperty(name, value)
    admin = jvm.org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.AdminClient.create(properties)
    try:
        yield admin
    finally:
        admin.close(jvm.java.time.Duration.ofSeconds(1))
