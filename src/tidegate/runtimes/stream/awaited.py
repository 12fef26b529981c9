"""The end of the order topic, waited for: who takes over waits for it, and says so when it does not come nearer."""

import logging
from time import monotonic

from tidegate.connectors.kafka.cluster import PassingError
from tidegate.connectors.kafka.order_topic import OrderTopic

_LOG = logging.getLogger("tidegate.stream")
TELL = 10.0
"""Seconds without a step nearer after which it is told, and the topic is read on by a client made anew."""
LAST = 60.0
"""Seconds without a step nearer after which all of it is begun anew, the question for the end too."""


class Awaited:
    """An end that is being read to.

    Args:
        topic: the order topic.
        end: the offset that all is to be read before.
    """

    def __init__(self, topic: OrderTopic, end: int) -> None:
        self._topic, self._end = topic, end
        self._seen, self._since = topic.read_to, monotonic()
        self._told_at = self._since

    def look(self) -> None:
        """See whether it came nearer.

        Raises:
            PassingError: it did not for too long.
        """
        read_to, now = self._topic.read_to, monotonic()
        if read_to != self._seen:
            self._seen, self._since, self._told_at = read_to, now, now
            return
        waited = now - self._since
        if waited > LAST:
            raise PassingError(
                f"{self._topic.topic} could not be read to its end.",
                seen=f"read to offset {read_to}, its end is {self._end}, and nothing more came for {waited:.0f} s",
                do="See whether the brokers are well.",
            )
        if now - self._told_at > TELL:
            self._told_at = now
            _LOG.warning(
                "Before anything is decided, %s is read to its end: to offset %d of %d so far, and for %.0f s nothing "
                "more came. It is read on by a client made anew; see whether the brokers are well.",
                self._topic.topic, read_to, self._end, waited,
            )  # fmt: skip
            self._topic.renew()
