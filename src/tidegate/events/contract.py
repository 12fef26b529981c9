"""Holding events to their contract: reading them, checking them, and the one way to write each.

An event comes in as JSON (`Reader.read`) or is made in Python (`Reader.check`). Either way it comes out normalised:
money is `Money`, times are in UTC, enumerations are members, so the same event spelled differently has the same `body`
and the same `digest`. Nothing here reads a clock or a file.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec

from tidegate.errors import ContractError, FlowError
from tidegate.events.contract_faults import fault, fault_in_body, pointer, shown
from tidegate.events.contract_keys import OnceEach, once
from tidegate.events.depth import plain_values
from tidegate.events.event import Event
from tidegate.events.field_values import Mend, happened, mend_of

_ENCODE = msgspec.json.Encoder().encode

E = TypeVar("E", bound=Event)
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


class Reader(Generic[E]):
    """Reads and checks the events of one type.

    Args:
        event_type: the event class.
    """

    def __init__(self, event_type: type[E]) -> None:
        self.event_type, self._name = event_type, event_type.__name__
        self._contract = event_type.__contract__
        self._decode = msgspec.json.Decoder(event_type).decode
        self._many: Any = list[event_type]  # type: ignore[valid-type]
        self._names = OnceEach(self._name, self._contract)
        self._quotes = self._names.quotes
        # msgspec refuses bad text by itself, but only where it decodes; text made in Python is looked at as well.
        self._mends: list[tuple[str, Callable[[Event], Any], Mend]] = []
        self._texts: list[tuple[str, Callable[[Event], Any], Mend]] = []
        for name, field in self._contract.items():
            mend = mend_of(self._name, field)
            if mend is not None:
                mends = self._texts if field.type.is_word else self._mends
                mends.append((name, attrgetter(name), mend))
        self._stored = list(self._mends)
        place = [name for name, _, _ in self._mends].index("at")
        self._mends[place] = ("at", attrgetter("at"), happened(self._name, self._contract["at"]))

    def read(self, body: bytes | str, version: int | None = None, *, stored: bool = False) -> E:
        """The event that a JSON document holds.

        Args:
            body: the document, UTF-8.
            version: the version of the contract it was written to; the newest unless told. Older ones go through the
                functions registered by `upgrades`, one version after another.
            stored: it was taken before, when the bounds on what is taken may have been others: only `at` has one.

        Raises:
            ContractError: it is not JSON or does not keep the contract; `pointer` says where.
        """
        if version is not None and version != self.event_type.__version__:
            body = self._upgraded(body, version)
        try:
            event = self._decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raw = body if isinstance(body, bytes) else body.encode(errors="replace")
            raise fault_in_body(self._name, self._contract, error, raw) from None
        if (body.count(b'"') if type(body) is bytes else -1) != self._quotes:
            self._names.check(body, event)
        return self._mended(event, self._stored if stored else self._mends)

    def check(self, event: E) -> E:
        """The event, checked and normalised: what `read` does, for an event made in Python.

        Raises:
            ContractError: it does not keep the contract; `pointer` says where.
        """
        if type(event) is not self.event_type:
            raise ContractError(f"This is not an event of type {self._name}.", seen=shown(type(event).__name__))
        try:
            values = msgspec.structs.asdict(event)
        except AttributeError as error:
            raise ContractError(f"An event of type {self._name} was left half made.", seen=str(error)) from None
        try:
            event = msgspec.convert(values, self.event_type)
        except msgspec.ValidationError as error:
            raise fault(self._name, self._contract, error, values) from None
        except UnicodeError:
            raise ContractError(f"{self._name} holds text with half of a surrogate pair, which no text has.") from None
        return self._mended(self._mended(event, self._texts), self._mends)

    def check_all(self, events: Sequence[E]) -> list[E]:
        """What `check` does, for many events: a field at a time, as long as there is nothing to mend or to refuse.

        Raises:
            ContractError: one of them does not keep the contract; `pointer` says where.
        """
        if all(type(event) is self.event_type for event in events):
            try:
                found: list[E] = msgspec.convert(list(map(msgspec.structs.asdict, events)), self._many)
                if self._clean(found):
                    return found
            except (AttributeError, UnicodeError, msgspec.ValidationError, ContractError):
                pass  # it is told below, of the first event at fault
        return [self.check(event) for event in events]

    def _clean(self, events: list[E]) -> bool:
        """Whether no field of them has to be mended."""
        for _, get, mend in self._texts:
            texts = list(map(get, events))
            if not all(map(str.isascii, filter(None, texts))) and not all(t is None or mend(t) is t for t in texts):
                return False
        return all(all(v is None or mend(v) is v for v in map(get, events)) for _, get, mend in self._mends)

    def _mended(self, event: E, mends: list[tuple[str, Callable[[Event], Any], Mend]]) -> E:
        changes: dict[str, Any] | None = None
        for name, get, mend in mends:
            value = get(event)
            if value is None:
                continue
            new = mend(value)
            if new is not value:
                if changes is None:
                    changes = {}
                changes[name] = new
        return event if changes is None else msgspec.structs.replace(event, **changes)

    def require_version(self, version: object) -> None:
        """Make sure that a version of the contract can be read: it is the newest, or steps lead from it up to that.

        Raises:
            ContractError: it cannot.
        """
        newest, steps = self.event_type.__version__, self.event_type.__upgrades__
        readable = [v for v in range(1, newest + 1) if all(step in steps for step in range(v, newest))]
        if type(version) is not int or version not in readable:
            raise ContractError(
                f"{self._name} has no version {version!r} that can be read.",
                do=f"Versions that can be read: {', '.join(map(str, readable))}.",
            )

    def _upgraded(self, body: bytes | str, version: int) -> bytes:
        """A document of an older version as one of the newest."""
        self.require_version(version)
        newest, steps = self.event_type.__version__, self.event_type.__upgrades__
        try:
            values = plain_values(body)
        except (ValueError, RecursionError) as error:
            raw = body if isinstance(body, bytes) else body.encode(errors="replace")
            raise fault_in_body(self._name, self._contract, error, raw) from None
        if not isinstance(values, dict):
            raise ContractError(f"{self._name} is a JSON object.", seen=shown(values))
        once(self._name, body)
        for step in range(version, newest):
            try:
                values = steps[step](values)
                body = msgspec.json.encode(values)
            except Exception as error:  # the function is the author's and may fail in any way on what it did not expect
                lacking_name = error.args[0] if isinstance(error, KeyError) and error.args else None
                raise ContractError(
                    f"An event of {self._name} version {version} could not be brought to version {step + 1}.",
                    seen=f"{type(error).__name__}: {shown(str(error))}",
                    do=f"Check that it keeps version {version} of the contract.",
                    pointer=pointer(lacking_name) if isinstance(lacking_name, str) else "",
                ) from error
        return body if isinstance(body, bytes) else body.encode()


@lru_cache(maxsize=256)
def reader(event_type: type[E]) -> Reader[E]:
    """The reader of an event type, made once.

    Raises:
        ContractError: it is none.
    """
    if not (isinstance(event_type, type) and issubclass(event_type, Event)):
        raise ContractError(
            "This is no event.", seen=getattr(event_type, "__name__", repr(event_type)),
            do="Make one of its class, as in Payment(id=…, at=…); JSON is read by decide_json.",
        )  # fmt: skip
    return Reader(event_type)


def check(event: E) -> E:
    """The event, checked against its contract and normalised; see `Reader.check`."""
    checked: E = reader(type(event)).check(event)
    return checked


def check_all(events: Sequence[Event]) -> list[Event]:
    """The events, each checked against its contract and normalised; see `Reader.check`."""
    if len(events) > 1 and len(set(map(type, events))) == 1:
        return reader(type(events[0])).check_all(events)
    return [check(event) for event in events]


def body(event: Event) -> bytes:
    """The one JSON form of an event that was read or checked: fields in the order of the contract, times in UTC, fields
    without a value left out, unless they would then have their default."""
    may_lack = _left_out(type(event))
    for name in may_lack:
        if getattr(event, name) is None:
            values = msgspec.structs.asdict(event)
            return _ENCODE({name: value for name, value in values.items() if value is not None or name not in may_lack})
    return _ENCODE(event)


def bodies(events: Sequence[Event]) -> list[bytes]:
    """What `body` gives of each of many events."""
    if any(map(_left_out, set(map(type, events)))):
        return [body(event) for event in events]
    return list(map(_ENCODE, events))


@lru_cache(maxsize=256)
def _left_out(event_type: type[Event]) -> tuple[str, ...]:
    """The fields that are left out where they have no value, since that is what they have when they are left out."""
    return tuple(field.name for field in msgspec.structs.fields(event_type) if field.default is None)


def digest(body: bytes) -> bytes:
    """The SHA-256 of a canonical body: the same for the same event, however it was spelled. 32 bytes."""
    return hashlib.sha256(body).digest()


def upgrades(event_type: type[Event], *, from_version: int) -> Callable[[Upgrade], Upgrade]:
    """Registers how an event's plain values of one version become those of the next, so that old events stay readable.

        @upgrades(Payment, from_version=1)
        def renamed(values: dict[str, Any]) -> dict[str, Any]:
            return {"channel": values.pop("medium"), **values}

    Raises:
        FlowError: the contract has no such older version, or it has a way up already.
    """
    newest = event_type.__version__
    if not 1 <= from_version < newest:
        raise FlowError(
            f"{event_type.__name__} is at version {newest}; only an older version can be brought up.",
            seen=f"from_version={from_version}",
            do=f"Write class {event_type.__name__}(Event, version={from_version + 1}) or a smaller from_version.",
        )
    if from_version in event_type.__upgrades__:
        raise FlowError(f"{event_type.__name__} has a way up from version {from_version} already.")

    def register(upgrade: Upgrade) -> Upgrade:
        event_type.__upgrades__[from_version] = upgrade
        return upgrade

    return register
