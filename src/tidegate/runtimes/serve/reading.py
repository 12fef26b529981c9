"""Which events a request may bring, and reading them: contract, version, and a time that is not ahead of the clock."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from urllib.parse import parse_qsl

from tidegate.decisions.definition import Definition
from tidegate.decisions.instruction import Instruction
from tidegate.decisions.lists import ListChange
from tidegate.decisions.snooze import Snooze
from tidegate.events.contract import Reader
from tidegate.events.event import Event
from tidegate.runtimes.horizon import Horizon
from tidegate.runtimes.serve.problem import Problem


def events_taken(definition: Definition) -> tuple[type[Event], ...]:
    """The types of events that a server of a flow takes: its own, and the instructions that it has a use for."""
    return *definition.kinds, *([ListChange] if definition.lists else []), Snooze


class EventReading:
    """Reads the events of one request.

    Args:
        reader: of their type.
        version: of the contract they are written to, None for the newest.
        horizon: the latest time they may have.
        require: raises ContractError for an instruction that the flow has no use for.
    """

    def __init__(
        self, reader: Reader[Event], version: int | None, horizon: Horizon, require: Callable[[Event], None]
    ) -> None:
        self._reader, self._version, self._horizon = reader, version, horizon
        self._require = require if issubclass(reader.event_type, Instruction) else None

    def read(self, body: bytes) -> Event:
        """The event in a JSON document.

        Raises:
            ContractError: it does not keep its contract.
            Problem: its time lies in the future.
        """
        event = self._reader.read(body, self._version)
        if self._require is not None:
            self._require(event)  # now, since in its turn others would be refused with it
        if self._horizon.beyond(event):
            most = f"{self._horizon.ahead.total_seconds():g} seconds"
            detail = (
                f"{event.at.isoformat()} is more than {most} ahead of the server's clock, which says "
                f"{self._horizon.clock}. Correct the one that is wrong, or start the server with a longer --ahead."
            )
            raise Problem("future", detail, pointer="/at", id=event.id)
        return event


class Readings:
    """Every way in which this server's events are read, by the query of the request: `event=Login&version=1`.

    Args:
        readers: by the name of the event type.
        taken: the names of the types that the flow has a use for, first the one that is decided on.
        ahead: how far ahead of the wall clock an event's time may be, in seconds.
        require: raises ContractError for an instruction that the flow has no use for.
    """

    def __init__(
        self, readers: Mapping[str, Reader[Event]], taken: Sequence[str], ahead: float, require: Callable[[Event], None]
    ) -> None:
        self._readers, self._taken, self._horizon = readers, taken, Horizon(timedelta(seconds=ahead))
        self._require = require
        self.of = lru_cache(maxsize=64)(self._of)

    def _of(self, query: bytes) -> EventReading:
        """How the events of a request with this query are read.

        Raises:
            Problem: it names an event that the flow does not know, or asks for something else.
        """
        try:
            asked = parse_qsl(
                query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query), max_num_fields=8
            )
        except ValueError:
            raise Problem("query", "Write it as ?event=NAME&version=NUMBER, in ASCII.") from None
        name, version = self._taken[0], None
        for key, value in asked:
            if key == "event":
                name = value
            elif key == "version" and value.isascii() and value.isdigit() and len(value) < 6:
                version = int(value)
            elif key == "version":
                raise Problem("query", f"The version {value[:60]!a} is no whole number.")
            else:
                raise Problem("query", f"There is no {key[:60]!a} to ask for: there are event and version.")
        if name not in self._readers:
            near = difflib.get_close_matches(name[:100], self._taken, 1)
            known = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(self._taken)}."
            raise Problem("query", f"The flow does not know events of type {name[:60]!a}. {known}")
        return EventReading(self._readers[name], version, self._horizon, self._require)
