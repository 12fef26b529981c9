"""Whether a job's topics are there, asked before it is handed in; runs where PyFlink is."""

from typing import Any

from pyflink.java_gateway import get_gateway
from pyflink.util.exceptions import JavaException, Py4JJavaError

from tidegate.errors import StreamError, meant
from tidegate.runtimes.flink.job import Job

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


def _names(job: Job) -> set[str]:
    jvm: Any = get_gateway().jvm
    properties = jvm.java.util.Properties()
    told = {"bootstrap.servers": job.servers, **job.properties, "default.api.timeout.ms": str(_PATIENCE)}
    for name, value in (told | {"request.timeout.ms": str(_PATIENCE)}).items():
        properties.setProperty(name, value)
    admin = jvm.org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.AdminClient.create(properties)
    try:
        return set(admin.listTopics().names().get())
    finally:
        admin.close(jvm.java.time.Duration.ofSeconds(1))
