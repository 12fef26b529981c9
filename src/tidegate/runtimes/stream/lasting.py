"""The clients that live as long as a stream does, looked at from time to time: one that is lost is made anew."""

import logging
from collections.abc import Mapping
from time import monotonic
from typing import Protocol

from confluent_kafka import Consumer

from tidegate.connectors.kafka.cluster import Cluster

_LOG = logging.getLogger("tidegate.stream")
_LOOK = 10.0
"""Seconds between looks."""


class Lasting(Protocol):
    """What has such a client."""

    @property
    def client(self) -> Consumer:
        """The one it has now."""
        ...

    def renew(self) -> None:
        """Go on from where it is with a client made anew."""
        ...


class Clients:
    """Looks after clients of one cluster.

    Args:
        cluster: where they are to reach brokers.
        topic: one that is there, to ask them for.
        what: who has them, each under what it does.
    """

    def __init__(self, cluster: Cluster, topic: str, what: Mapping[str, Lasting]) -> None:
        self._cluster, self._topic, self._what, self._looked = cluster, topic, what, monotonic()

    def look(self, *, now: bool = False) -> None:
        """Make anew those that are lost; unless `now`, only if the last look is some time ago."""
        if not now and monotonic() - self._looked < _LOOK:
            return
        for name, one in self._what.items():
            if self._cluster.lost(one.client, self._topic):
                _LOG.warning("The client that %s reaches no broker, and others do. It is made anew.", name)
                one.renew()
        self._looked = monotonic()
