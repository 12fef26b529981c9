"""Who decides: the member of a consumer group that is assigned the order topic's one partition."""

import logging
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException

from tidegate.connectors.kafka.cluster import Cluster
from tidegate.errors import StreamError

_LOG = logging.getLogger("tidegate.kafka")
_GROUP = logging.getLogger("tidegate.kafka.group")
"""For who decides, which is shown though it is no warning."""


class Membership:
    """Membership of a group. The group notices within `session` seconds that a member fell silent.

    Args:
        cluster: where the group is.
        group: its name.
        topic: the order topic.
        session: seconds; brokers allow 6 to 1800 unless told otherwise.
    """

    def __init__(self, cluster: Cluster, group: str, topic: str, session: float) -> None:
        self._cluster, self._group, self._topic, self._session = cluster, group, topic, session
        self.leads = False
        self._consumer = self._joining()

    def _joining(self) -> Consumer:
        consumer = self._cluster.consumer(
            self._group,
            session_timeout_ms=int(self._session * 1000),
            heartbeat_interval_ms=int(self._session * 1000 / 4),
            max_poll_interval_ms=300_000,
            partition_assignment_strategy="cooperative-sticky",  # who decides goes on when another one joins
            auto_offset_reset="latest",
            enable_partition_eof=False,
        )
        consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)
        return consumer

    @property
    def client(self) -> Consumer:
        """What takes part in the group now."""
        return self._consumer

    def renew(self) -> None:
        """Join anew, with a client made anew; this instance does not decide until the group says so again."""
        self.close()
        self.leads = False
        self._consumer = self._joining()

    def _assigned(self, consumer: Consumer, partitions: list[Any]) -> None:
        if partitions:
            consumer.incremental_assign(partitions)
            consumer.pause(partitions)  # only who has it matters here, not what is in it
            self.leads = True
            _GROUP.info("This instance decides.")

    def _revoked(self, consumer: Consumer, partitions: list[Any]) -> None:
        """It stops, or the group has it stand by: nothing is amiss."""
        if partitions:
            _GROUP.info("This instance no longer decides.")
            self._relieved(consumer, partitions)

    def _lost(self, consumer: Consumer, partitions: list[Any]) -> None:
        if partitions:
            _GROUP.warning(
                "This instance no longer decides: the group did not hear of it for %g seconds.", self._session
            )
            self._relieved(consumer, partitions)

    def _relieved(self, consumer: Consumer, partitions: list[Any]) -> None:
        self.leads = False
        consumer.incremental_unassign(partitions)

    def look(self, timeout: float = 0.0) -> bool:
        """Take part in the group; whether this instance decides now.

        Raises:
            StreamError: the group does not let it in.
        """
        try:
            with self._cluster.asking("asking the group who decides"):
                message = self._consumer.poll(timeout)
        except KafkaException as error:
            raise self._cluster.told(error, "The group cannot be joined.") from None
        fault = message.error() if message is not None else None
        if fault is not None:
            if fault.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.GROUP_AUTHORIZATION_FAILED):
                raise self._cluster.told(fault, f"The group cannot read {self._topic}.")
            _LOG.warning("%s", fault.str())
        return self.leads

    def metadata(self) -> Any:
        """What shows in a transaction that this instance is still the one."""
        with self._cluster.asking("asking the group who decides"):
            return self._consumer.consumer_group_metadata()

    def close(self) -> None:
        """Leave the group, so that another decides at once."""
        try:
            with self._cluster.asking("leaving the group"):
                self._consumer.close()
        except KafkaException as error:
            raise StreamError("The group could not be left.", seen=str(error)) from None
