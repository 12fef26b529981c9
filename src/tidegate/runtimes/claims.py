"""Claims of what was decided, from a topic of decisions or a file of them, in JSON or written with a schema."""

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tidegate.connectors.schemas.framing import UndecodableError, schema_named
from tidegate.errors import TidegateError
from tidegate.events.depth import require_shallow
from tidegate.runtimes.remake import difference

if TYPE_CHECKING:
    from tidegate.connectors.schemas.written import WrittenDecisions

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What is raised for what is no JSON, or cannot be read as it is: nested too deep, or with numbers of no end."""


class Claim(NamedTuple):
    """What is said to be a decision: where it lies, its bytes, and whether it came after the replay began."""

    where: str
    data: bytes
    since: bool


class Head(msgspec.Struct):
    """What every decision says."""

    id: str
    outcome: str


_decode = msgspec.json.Decoder(Head).decode


class ClaimReader:
    """Reads claims, be it JSON or written with a schema of a registry.

    Args:
        written: reads the latter; None where no registry is named.
    """

    def __init__(self, written: "WrittenDecisions | None") -> None:
        self._written = written

    def head(self, one: Claim) -> Head | str:
        """What every decision says; of a claim that is none why, as far as that can be told."""
        if _schema(one.data) is not None:
            return self._with_schema(one)
        try:
            require_shallow(one.data)
            return _decode(one.data)
        except _UNREADABLE:
            return ""

    def _with_schema(self, one: Claim) -> Head | str:
        if self._written is None:
            raise TidegateError(
                "Decisions that were written with a schema cannot be read without its registry.",
                seen=f"{one.where} was written with schema {_schema(one.data)}",
                do="Name the topic, --against kafka://HOST:PORT/TOPIC, and the registry, --schema-registry "
                "http://HOST:8081. In a file decisions are compared as JSON.",
            )
        try:
            return msgspec.convert(self._written.values(one.data), Head)
        except UndecodableError as error:
            return error.wrong
        except msgspec.ValidationError:
            return ""

    def as_claim(self, answer: bytes, one: Claim) -> bytes:
        """A decision's JSON as it would lie in the place of a claim whose head could be read."""
        if self._written is None or _schema(one.data) is None:
            return answer
        return self._written.as_it_would_be(answer, one.data)

    def differs(self, decided: bytes, data: bytes) -> str:
        """Where what lies there first differs from what was decided; it is known that its head can be read."""
        if self._written is not None and _schema(data) is not None:
            from tidegate.connectors.schemas.written import as_json

            now, then = (as_json(self._written.values(each)) for each in (decided, data))
            return difference(now, then) or "only how its bytes are written differs"
        try:
            return difference(decided, data)
        except _UNREADABLE as error:
            return f"it cannot be read: {error}"


def _schema(data: bytes) -> int | None:
    """The id of the schema that a message was written with; None if it names none."""
    try:
        return schema_named(data)
    except UndecodableError:
        return None
