"""Messages as events: which type a topic holds, and why a message is none."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from tidegate.connectors.schemas.framing import UndecodableError, schema_named, unframed
from tidegate.connectors.schemas.messages import Messages
from tidegate.decisions.instruction import Instruction
from tidegate.errors import ContractError, StreamError
from tidegate.events.contract import Reader
from tidegate.events.event import Event
from tidegate.events.times import microseconds_of
from tidegate.runtimes.letter_headers import EMPTY, NOTHING

TYPE_HEADER = "tidegate-event"
"""The header that names a message's event type; it goes before what the topic says."""


def _hint(topic: str, data: bytes) -> str:
    """What to do where messages that should be JSON were written with a schema."""
    schema = schema_named(data)
    if schema is None:
        return ""
    return f" It was written with schema {schema} of a registry: say how with --value-format {topic}=avro or =protobuf."


class Unreadable(NamedTuple):
    """What a message is that cannot be taken: a code, and why in words."""

    code: str
    why: str


class Reading:
    """Reads messages as events.

    Args:
        readers: the flow's, by the name of the event type.
        own: the name of the type that the flow decides on.
        kinds: the type of each topic that holds another one.
        require: raises ContractError for an event that the flow has no use for, such as a change of a list that it does
            not read.
        schemas: of each topic whose messages name a schema, what reads them.

    Raises:
        StreamError: a topic is said to hold a type that the flow does not know.
    """

    def __init__(
        self, readers: Mapping[str, Reader[Any]], own: str, kinds: Mapping[str, str], require: Callable[[Event], None],
        schemas: Mapping[str, Messages] | None = None,
    ) -> None:  # fmt: skip
        self._schemas = dict(schemas or {})
        self._known = ", ".join(readers)
        self._readers, self._own, self._kinds, self._require = readers, own, dict(kinds), require
        for topic, kind in kinds.items():
            if kind not in readers:
                raise StreamError(
                    f"The flow knows no {kind} events.",
                    seen=f"--event {topic}={kind}",
                    do=f"Name one of {', '.join(readers)}.",
                )

    def read(self, message: Any) -> tuple[Event | Unreadable, int | None]:
        """The event of a message and its time in microseconds since 1970; or why it is none.

        Raises:
            RegistryAwayError: its schema is not known yet, and the registry does not answer.
        """
        data, said, topic = message.value(), "", message.topic()
        for name, value in message.headers() or ():
            if name == TYPE_HEADER:
                said = (value or b"").decode("utf-8", "replace")
        schemas = self._schemas.get(topic)
        kind = said or self._kinds.get(topic, self._own)
        reader = self._readers.get(kind)
        if reader is None:
            by = f" The message's header {TYPE_HEADER} names that type." if said else ""
            return Unreadable("unknown-type", f"The flow knows no {kind} events.{by} It knows {self._known}."), None
        if data is None:
            return Unreadable(EMPTY, NOTHING), None
        try:
            event: Event = reader.read(data) if schemas is None else schemas.event(data, said)
            if isinstance(event, Instruction):
                self._require(event)  # now, since in its batch all others would be refused with it
        except ContractError as error:
            return Unreadable("contract", f"{error}{_hint(topic, data) if schemas is None else ''}"), None
        except UndecodableError as error:
            return Unreadable(error.code, str(error)), None
        return event, microseconds_of(event.at)

    def written_with(self, messages: Iterable[tuple[str, Any]]) -> dict[str, int]:
        """The ids of the schemas that events were written with, of pairs of event id and message."""
        if not self._schemas:
            return {}
        found: dict[str, int] = {}
        for id, one in messages:
            if one.topic() in self._schemas:
                found.setdefault(id, unframed(one.value()))  # of one that comes twice, the first is decided
        return found
