"""Events: what happened, typed, identified and timed."""

import difflib
import types as python_types
from collections.abc import Callable, MutableMapping
from datetime import datetime
from enum import Enum
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    NoReturn,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from tidegate.errors import FlowError
from tidegate.events.durations import microseconds
from tidegate.events.entity import EntityKey
from tidegate.events.field import Field, Label
from tidegate.events.lines import Fields
from tidegate.events.money import MOST_UNITS, Money
from tidegate.events.types import BOOL, FLOAT, TIME, Kind, Type

MOST_WHOLE = 2**53
"""Whole numbers lie within +-2**53, as in JSON (RFC 8259, section 6)."""


LAST_YEAR = 2199
"""The last year in which an event can have happened; see ADR 10."""


class FieldContract(msgspec.Struct, frozen=True):
    """One field as its event's contract has it."""

    name: str
    type: Type
    wire: Any
    optional: bool
    about: Field
    entity: Any = None
    choices: Any = None
    known_after: int | None = None
    default: Any = None


def _refuse(of: str, seen: object) -> FlowError:
    return FlowError(
        f"The type of the field {of} is not one that events have.",
        seen=str(seen),
        do="Use str, int, float, bool, datetime, an Enum of texts, Money, an entity, or one of these with `| None`.",
    )


def _limits(of: str, about: Field, low: int, high: int) -> tuple[int, int]:
    for word, bound in (("ge", about.ge), ("le", about.le)):
        if bound is not None and (bound != int(bound) or abs(bound) > MOST_WHOLE):
            raise FlowError(
                f"The bounds of {of} are whole numbers within 2**53.", seen=f"{word}={bound!r}", do=f"Write {word}=100."
            )
    low, high = (low if about.ge is None else int(about.ge)), (high if about.le is None else int(about.le))
    if low > high:
        raise FlowError(
            f"{of} takes no value at all: unless told otherwise, money is from 0 to {MOST_UNITS} minor units.",
            seen=f"{low} to {high}",
            do="Write both: ge= and le=.",
        )
    return low, high


def _goes_with(of: str, kind: Type, about: Field) -> None:
    """Refuse what `Field` says that has no meaning for the type, and would be of no effect."""
    text = kind.is_word and not kind.choices
    for word, said, fits, what in (
        ("ge", about.ge, kind.is_quantity, "numbers and money"),
        ("le", about.le, kind.is_quantity, "numbers and money"),
        ("currency", about.currency, kind.kind is Kind.MONEY, "money"),
        ("max_length", None if about.max_length == Field().max_length else about.max_length, text, "texts"),
    ):
        if said is not None and not fits:
            raise FlowError(
                f"{word}= is of {what}, and {of} is {kind}.", seen=f"{word}={said!r}", do=f"Leave out {word}=."
            )


def _typed(of: str, base: Any, about: Field) -> tuple[Type, Any]:
    """The type and the wire form (what msgspec reads) of one field."""
    if isinstance(base, type) and issubclass(base, EntityKey):
        whole = base.key_type is int
        wire: Any = (
            Annotated[int, msgspec.Meta(ge=-(2**63) + 1, le=2**63 - 1)]
            if whole
            else Annotated[str, msgspec.Meta(min_length=1, max_length=about.max_length)]
        )
        return Type(Kind.KEY, entity=base.entity_name, whole=whole), wire
    if base is Money:
        low, high = _limits(of, about, 0, MOST_UNITS)
        return Type(Kind.MONEY, currency=about.currency, bound=max(abs(low), abs(high))), Money | str
    if base is bool:
        return BOOL, bool
    if base is int:
        low, high = _limits(of, about, -MOST_WHOLE, MOST_WHOLE)
        return Type(Kind.INT, bound=max(abs(low), abs(high))), Annotated[int, msgspec.Meta(ge=low, le=high)]
    if base is float:
        return FLOAT, Annotated[float, msgspec.Meta(ge=about.ge, le=about.le)]
    if base is str:
        return Type(Kind.TEXT), Annotated[str, msgspec.Meta(max_length=about.max_length)]
    if base is datetime:
        return TIME, Annotated[datetime, msgspec.Meta(tz=True)]
    if isinstance(base, type) and issubclass(base, Enum) and all(isinstance(member.value, str) for member in base):
        choices = tuple(str(member.value) for member in base)
        return Type(Kind.TEXT, choices=choices), base
    raise _refuse(of, base)


def _contract(event: str, name: str, annotation: Any, default: Any) -> FieldContract:
    """Read one annotation: `Annotated[int | None, Field(…), Label(…)]` and everything simpler."""
    of = f"{event}.{name}"
    marks: list[Any] = []
    optional = False
    while get_origin(annotation) in (Annotated, Union, python_types.UnionType):
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            marks += more
            continue
        parts = [part for part in get_args(annotation) if part is not type(None)]
        optional = optional or len(parts) < len(get_args(annotation))
        if len(parts) != 1:
            raise _refuse(of, annotation)
        annotation = parts[0]
    about = next((mark for mark in marks if isinstance(mark, Field)), Field())
    label = next((mark for mark in marks if isinstance(mark, Label)), None)
    kind, wire = _typed(of, annotation, about)
    _goes_with(of, kind, about)
    is_class = isinstance(annotation, type)
    if label is not None:
        optional = True
    return FieldContract(
        name=name,
        type=kind,
        wire=wire | None if optional else wire,
        optional=optional,
        about=about,
        entity=annotation if is_class and issubclass(annotation, EntityKey) else None,
        choices=annotation if is_class and issubclass(annotation, Enum) else None,
        known_after=None if label is None else microseconds(label.known_after),
        default=default,
    )


def _check_lines(event: str, space: dict[str, Any], hints: dict[str, Any]) -> None:
    """Refuse what would be dropped or misread: `id` and `at` of another type, and fields without one."""
    for name in ("id", "at"):
        if name in hints:
            raise FlowError(
                f"{event}.{name} is there already, and every event has it alike.",
                seen=f"{name}: {getattr(hints[name], '__name__', hints[name])}",
                do=f"Leave the line out; map a column or key of another name to {name} where events are read.",
            )
    for name, value in space.items():
        if name[0] == "_" or name in hints or callable(value) or hasattr(value, "__get__"):
            continue
        do = f"Write {name}: {type(value).__name__} = {value!r}"
        raise FlowError(f"{event}.{name} has no type, so it is not a field.", seen=f"{name} = {value!r}", do=do)


_expressions: list[Callable[[Any, str], Any]] = []


def read_fields_with(expression: Callable[[Any, str], Any]) -> None:
    """Say what `Payment.amount` gives: the expression language, which stands above events, sets it once."""
    _expressions[:] = [expression]


class _NoSuchFieldError(FlowError, AttributeError):
    """An author's mistake that `hasattr` and `getattr` understand."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
class _EventType(msgspec.StructMeta):
    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], /, **_: Any) -> MutableMapping[str, object]:
        return {"__annotations__": Fields(name)}

    def __new__(
        mcs, name: str, bases: tuple[type, ...], space: dict[str, Any], *, version: int = 1, root: bool = False
    ) -> Any:
        # no field can hold a cycle, so the garbage collector, whose pauses are the tail of latency, is kept out
        if root:
            return super().__new__(
                mcs, name, bases, space, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False
            )
        probe = type(name, (), {"__annotations__": space.get("__annotations__", {}), "__module__": space["__module__"]})
        try:
            hints = get_type_hints(probe, localns=dict(space), include_extras=True)
        except NameError:
            hints = dict(probe.__annotations__)
        inherited: dict[str, FieldContract] = {}
        for parent in bases:
            inherited |= getattr(parent, "__contract__", {})
        _check_lines(name, space, hints)
        if type(version) is not int or version < 1:
            raise FlowError(
                f"The version of {name} is a whole number from 1.", seen=f"version={version!r}", do="Write version=2."
            )
        contract = {field: _contract(name, field, hint, space.get(field)) for field, hint in hints.items()}
        space["__annotations__"] = {field.name: field.wire for field in contract.values()}
        from tidegate.events.defaults import kept_default  # which reads events

        for field in contract.values():
            if field.name in space:
                space[field.name] = kept_default(name, field)
            elif field.optional:
                space[field.name] = None
        cls = super().__new__(mcs, name, bases, space, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False)
        cls.__contract__ = inherited | contract
        cls.__version__ = version
        cls.__upgrades__ = {}
        return cls

    __contract__: dict[str, FieldContract]
    __version__: int
    __upgrades__: dict[int, Callable[[dict[str, Any]], dict[str, Any]]]

    if not TYPE_CHECKING:  # a type checker knows the fields, and shall complain itself

        def __getattribute__(cls, name: str) -> Any:
            # a field read on the class is an expression; on an event, the metaclass is not asked and it is the value
            if name[0] != "_" and name in type.__getattribute__(cls, "__contract__"):
                return _expressions[0](cls, name)
            return super().__getattribute__(name)

        def __getattr__(cls, name: str) -> NoReturn:
            if name.startswith("_"):
                raise AttributeError(name)
            near = difflib.get_close_matches(name, cls.__contract__, 1)
            raise _NoSuchFieldError(
                f"{cls.__name__} has no field {name!r}.",
                seen=f"{cls.__name__}.{name}",
                do=f"Did you mean {near[0]}?" if near else f"It has {', '.join(cls.__contract__)}.",
            )


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Event(msgspec.Struct, metaclass=_EventType, root=True):
    """Something that happened. Derive from it, one annotated field a line; every event has an `id` and a time `at`.

    `id` is the idempotency key: the same id is the same event. `at` is when it happened, with a time zone, kept in UTC.
    `class Payment(Event, version=2)` gives the contract a version.

    Raises:
        FlowError: when the class is made, for a field of a type that events do not have, or with a default, bounds or
            a currency that do not go with its type.
    """

    __contract__: ClassVar[dict[str, FieldContract]] = {}
    __version__: ClassVar[int] = 1
    __upgrades__: ClassVar[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    at: Annotated[datetime, msgspec.Meta(tz=True)]


def _own_fields() -> None:
    Event.__contract__.update(
        id=FieldContract("id", Type(Kind.TEXT), str, False, Field(description="Which event this is")),
        at=FieldContract("at", TIME, datetime, False, Field(description="When it happened")),
    )


_own_fields()
