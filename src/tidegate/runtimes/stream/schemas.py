"""The schemas of a stream's topics: which of them have some, and the registry that knows them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tidegate.connectors.schemas.decisions import Write, writer
from tidegate.connectors.schemas.messages import Format, Messages, UnfitError
from tidegate.connectors.schemas.registry import Registry
from tidegate.decisions.instructions import INSTRUCTIONS
from tidegate.events.contract import reader
from tidegate.events.event import Event

_LOG = logging.getLogger("tidegate.stream")


@dataclass(frozen=True)
class Schemas:
    """Which topics are written in which format.

    Args:
        registry: knows the schemas.
        formats: by topic, the one of decisions too; a topic that is not named holds JSON.
        subjects: by topic, under what its schema is registered; default: `TOPIC-value`.
    """

    registry: Registry
    formats: Mapping[str, Format] = field(default_factory=dict)
    subjects: Mapping[str, str] = field(default_factory=dict)

    def messages(
        self,
        topics: Sequence[str],
        kinds: Mapping[str, str],
        own: str,
        events: Sequence[type[Event]],
        *,
        begun: bool = False,
    ) -> dict[str, Messages]:
        """What reads the messages of those topics that have a schema, each seen to fit its event's contract.

        Args:
            topics: those that are read.
            kinds: the event types of topics, where they are told.
            own: the type that the flow decides on.
            events: the types that the flow takes.
            begun: the stream decided before: a schema that does not fit came later, and is told and not refused, as it
                would be while the stream runs. What is written with older ones is decided.

        Raises:
            RegistryAwayError: the registry cannot be asked.
            StreamError: a topic has no schema there, or one that does not fit.
        """
        found = {}
        for topic in topics:
            if self.formats.get(topic, "json") != "json":
                found[topic] = self.reader(topic, kinds.get(topic, ""), own, events)
                try:
                    found[topic].check(self.subjects.get(topic, ""))
                except UnfitError as error:
                    if not begun:
                        raise
                    _LOG.error("%s Until then what is written with it becomes dead letters.", error)
        return found

    def reader(self, topic: str, kind: str, own: str, events: Sequence[type[Event]]) -> Messages:
        """What reads the messages of a topic; nothing is asked of the registry yet."""
        readers = {one.__name__: reader(one) for one in (*events, *INSTRUCTIONS)}
        return Messages(topic, self.formats[topic], self.registry, readers, kind, own)

    def writer(self, topic: str) -> Write:
        """What makes messages of decisions for a topic; its schema is registered.

        Raises:
            RegistryAwayError: the registry cannot be asked.
            StreamError: it does not take the schema.
        """
        return writer(self.formats.get(topic, "json"), topic, self.registry, self.subjects.get(topic, ""))
