"""Messages that name a schema, each decoded by it and held to the contract of its event."""

import logging
from collections.abc import Mapping
from time import monotonic
from typing import Any, Literal

from tidegate.connectors.schemas.fit import Fit
from tidegate.connectors.schemas.framing import UndecodableError, unframed
from tidegate.connectors.schemas.registry import Registry, Schema
from tidegate.errors import StreamError
from tidegate.events.contract import Reader
from tidegate.events.event import Event

_LOG = logging.getLogger("tidegate.registry")
_FORGIVEN = 10.0
"""Seconds after which the registry is asked again for a schema that it did not have."""

Format = Literal["json", "avro", "protobuf"]
FORMATS: tuple[Format, ...] = ("json", "avro", "protobuf")
_KINDS = {"avro": "AVRO", "protobuf": "PROTOBUF"}
_PACKAGES = {"avro": "fastavro", "protobuf": "grpc_tools"}


class UnfitError(StreamError):
    """Messages of a schema cannot be events of the flow; every field at fault is named."""


class Messages:
    """Reads the messages of one topic.

    Args:
        topic: its name.
        form: `avro` or `protobuf`.
        registry: knows the schemas.
        readers: of the flow's events, by the name of the type.
        kind: the event type of its messages, unless one says otherwise; empty where the record's name shall say.
        own: the type that it is if nothing says.

    Raises:
        StreamError: what the format takes is not installed.
    """

    def __init__(
        self, topic: str, form: Format, registry: Registry, readers: Mapping[str, Reader[Any]], kind: str, own: str
    ) -> None:
        require_format(form)
        self.topic, self.form, self._registry = topic, form, registry
        self._readers, self._kind, self._own = readers, kind, own
        self._schemas: dict[int, Any] = {}
        self._missing: dict[int, tuple[float, UndecodableError]] = {}
        self._fits: dict[tuple[int, str, str], Fit] = {}

    def check(self, subject: str = "") -> None:
        """See that the newest schema of the topic fits the contract of its event.

        Args:
            subject: under which it is registered; default: `TOPIC-value`.

        Raises:
            RegistryAwayError: the registry cannot be asked.
            StreamError: there is none.
            UnfitError: it does not fit; every field at fault is named.
        """
        subject = subject or f"{self.topic}-value"
        found = self._registry.latest(subject)
        if found is None:
            raise StreamError(
                f"The registry has no schema for {self.topic}.",
                seen=f"no subject {subject} at {self._registry.name}",
                do=f"Name another subject with --subject {self.topic}=NAME, or --value-format {self.topic}=json.",
            )
        kind, notes = self.suits(found, f"{subject} (schema {found.id})")
        if notes:
            _LOG.warning("%s, schema %d as %s: %s.", self.topic, found.id, kind, "; ".join(notes))

    def suits(self, schema: Schema, name: str) -> tuple[str, list[str]]:
        """The event type that messages of a schema are, and what is worth knowing of them.

        Args:
            schema: whatever was found.
            name: what it is called.

        Raises:
            UnfitError: they are none of the flow's; every field at fault is named.
        """
        try:
            made = self._schemas[schema.id] = self._made(schema)
            part = made if self.form == "avro" else made.likely(self._kind or self._own)
            kind = self._kind_of(part, "")
            fit = self._fit(schema.id, part, kind)
        except UndecodableError as error:
            said = f"{error.wrong} {error.seen}".strip()
            raise UnfitError(f"{name} cannot be used.", seen=said, do=error.do) from None
        if fit.faults:
            raise UnfitError(
                f"{name} does not fit the contract of {kind}.",
                seen="; ".join(fit.faults),
                do="Change the event type of the flow, or name the right one with --event.",
            )
        return kind, fit.notes

    def event(self, data: bytes, kind: str) -> Event:
        """The event of a message.

        Args:
            data: the message's value.
            kind: its event type, if a header says it, or empty.

        Raises:
            RegistryAwayError: its schema is not known yet, and the registry cannot be asked: try again later.
            UndecodableError: it is no message of its schema, or of one that does not fit.
            ContractError: the event does not keep its contract.
        """
        id = unframed(data)
        schema = self._schemas.get(id)
        if schema is None:
            schema = self._fetch(id)
        if self.form == "avro":
            fit = self._fit(id, schema, self._kind_of(schema, kind))
            part, at = schema, 0
        else:
            part, at = schema.split(data)
            fit = self._fit(id, part, self._kind_of(part, kind))
        if fit.faults:
            raise UndecodableError(
                "schema",
                f"The message was written with schema {id}, which does not fit the contract.",
                seen="; ".join(fit.faults),
                do="Bring the contract up to it, run the new flow, and send the dead letters again.",
            )
        message = part.message(data) if self.form == "avro" else part.message(data, at)
        try:
            return fit.event(message)
        except (ValueError, OverflowError) as error:  # a day or a time that no calendar has
            raise UndecodableError(
                "undecodable", "A value of the message is none that there is.", seen=str(error)[:200]
            ) from None

    def _fetch(self, id: int) -> Any:
        until, fault = self._missing.get(id, (0.0, None))
        if fault is not None and monotonic() < until:
            raise fault
        try:
            made = self._schemas[id] = self._made(self._registry.schema(id))
        except UndecodableError as error:
            self._missing[id] = (monotonic() + _FORGIVEN, error)
            _LOG.error("%s: %s Its messages become dead letters.", self.topic, error)
            raise
        _LOG.warning("%s is now also written with schema %d.", self.topic, id)
        return made

    def _made(self, schema: Schema) -> Any:
        if schema.kind != _KINDS[self.form]:
            raise UndecodableError(
                "schema",
                f"The schema {schema.id} is {schema.kind}, and {self.topic} is said to hold {self.form}.",
                do=f"Say what it holds with --value-format {self.topic}=…",
            )
        if self.form == "avro":
            from tidegate.connectors.schemas.avro import AvroSchema

            return AvroSchema(schema)
        from tidegate.connectors.schemas.protobuf import ProtobufSchema

        return ProtobufSchema(schema)

    def _kind_of(self, part: Any, said: str) -> str:
        """The event type of a message: what its header says, then its topic, then the name of its record."""
        if said or self._kind:
            return said or self._kind
        return part.name if part.name in self._readers else self._own

    def _fit(self, id: int, part: Any, kind: str) -> Fit:
        key = (id, part.name, kind)
        fit = self._fits.get(key)
        if fit is None:
            reader = self._readers.get(kind)
            if reader is None:
                raise UndecodableError("unknown-type", f"The flow knows no {kind} events.")
            fit = self._fits[key] = Fit(reader, part.columns)
        return fit


def require_format(form: Format) -> None:
    """Make sure that what a format takes is installed.

    Raises:
        StreamError: it is not.
    """
    from importlib.util import find_spec

    if form != "json" and find_spec(_PACKAGES[form]) is None:
        raise StreamError.not_installed(f"The format {form}", _PACKAGES[form], form)


def formats(given: list[str], topics: list[str]) -> dict[str, Format]:
    """The format of every topic, of what was given: `avro` for all of them, `TOPIC=avro` for one.

    Raises:
        StreamError: a format or a topic is none that there is.
    """
    found: dict[str, Format] = dict.fromkeys(topics, "json")
    for one in sorted(given, key=lambda one: "=" in one):  # what is said of one topic goes before
        topic, equals, form = one.rpartition("=")
        if form not in FORMATS or (equals and topic not in found):
            raise StreamError(
                "--value-format says how messages are written.",
                seen=one,
                do=f"Write one of {', '.join(FORMATS)}, or TOPIC=FORMAT of a topic: {', '.join(topics)}.",
            )
        found |= {topic: form} if equals else dict.fromkeys(found, form)
    return found
