"""Messages as events: which type a topic holds, and why a message is none."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tidegate.decisions.encode import microseconds_of
from tidegate.decisions.instruction import Instruction
from tidegate.errors import ContractError, StreamError
from tidegate.events.contract import Reader
from tidegate.events.event import Event

TYPE_HEADER = "tidegate-event"
"""The header that names a message's event type; it goes before what the topic says."""


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

    Raises:
        StreamError: a topic is said to hold a type that the flow does not know.
    """

    def __init__(
        self, readers: Mapping[str, Reader[Any]], own: str, kinds: Mapping[str, str], require: Callable[[Event], None]
    ) -> None:
        self._readers, self._own, self._kinds, self._require = readers, own, dict(kinds), require
        for topic, kind in kinds.items():
            if kind not in readers:
                raise StreamError(
                    f"The flow knows no {kind} events.",
                    seen=f"--event {topic}={kind}",
                    do=f"Name one of {', '.join(readers)}.",
                )

    def read(self, message: Any) -> tuple[Event | Unreadable, int | None]:
        """The event of a message and its time in microseconds since 1970; or why it is none."""
        data = message.value()
        kind = self._kinds.get(message.topic(), self._own)
        for name, value in message.headers() or ():
            if name == TYPE_HEADER:
                kind = (value or b"").decode("utf-8", "replace")
        reader = self._readers.get(kind)
        if reader is None:
            return Unreadable("unknown-type", f"The flow knows no {kind} events."), None
        if data is None:
            return Unreadable("empty", "The message holds nothing."), None
        try:
            event: Event = reader.read(data)
            if isinstance(event, Instruction):
                self._require(event)  # now, since in its batch all others would be refused with it
        except ContractError as error:
            return Unreadable("contract", str(error)), None
        return event, microseconds_of(event.at)
