"""Protocol Buffers: a schema of the registry, compiled, what it says of its fields, and its messages decoded."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import DecodeError

from tidegate.connectors.schemas.columns import Amount, Column, Form
from tidegate.connectors.schemas.framing import UndecodableError, way_of
from tidegate.connectors.schemas.money import amount_in
from tidegate.connectors.schemas.proto_files import MAIN, compiled
from tidegate.connectors.schemas.registry import Schema

_Take = Callable[[Any], Any]
_PLAIN = {
    FieldDescriptor.CPPTYPE_STRING: Form.TEXT, FieldDescriptor.CPPTYPE_BOOL: Form.TRUTH,
    FieldDescriptor.CPPTYPE_INT32: Form.WHOLE, FieldDescriptor.CPPTYPE_INT64: Form.WHOLE,
    FieldDescriptor.CPPTYPE_UINT32: Form.WHOLE, FieldDescriptor.CPPTYPE_UINT64: Form.WHOLE,
    FieldDescriptor.CPPTYPE_FLOAT: Form.NUMBER, FieldDescriptor.CPPTYPE_DOUBLE: Form.NUMBER,
    FieldDescriptor.CPPTYPE_ENUM: Form.CHOICE,
}  # fmt: skip
_BILLION = 10**9
_WRAPPERS = "google/protobuf/wrappers.proto"


class ProtobufMessage:
    """One message of a schema, ready to decode.

    Attributes:
        name: its own, without its package.
        columns: what the schema says of its fields.
        made: the class of its messages.
    """

    def __init__(self, descriptor: Descriptor, id: int) -> None:
        self.name, self._id = descriptor.name, id
        self.made = message_factory.GetMessageClass(descriptor)
        self.columns = [_column(field) for field in descriptor.fields]

    def message(self, data: bytes, at: int) -> Any:
        """What a framed message holds whose own bytes begin at a place.

        Raises:
            UndecodableError: the bytes are not of the schema.
        """
        try:
            return self.made.FromString(data[at:])
        except (DecodeError, ValueError) as error:
            raise UndecodableError(
                "undecodable", f"The bytes of the message are not of schema {self._id}.", seen=str(error)[:200]
            ) from None


class ProtobufSchema:
    """A schema, ready to decode messages of any of its types.

    Args:
        schema: as the registry has it.

    Raises:
        UndecodableError: it cannot be compiled.
    """

    def __init__(self, schema: Schema) -> None:
        files, pool = compiled(schema), descriptor_pool.DescriptorPool()
        self.id, self._messages = schema.id, dict[tuple[int, ...], ProtobufMessage]()
        try:
            for file in files.file:
                pool.Add(file)
            self._file = pool.FindFileByName(MAIN)
        except (TypeError, KeyError) as error:
            raise UndecodableError(
                "schema", f"The schema {schema.id} is no Protobuf that can be compiled.", seen=str(error)[:300]
            ) from None
        self._order = [one.name for one in files.file[-1].message_type]

    def type_at(self, way: tuple[int, ...]) -> ProtobufMessage:
        """The message that a way leads to: a place in the file, then in the message found there.

        Raises:
            UndecodableError: there is none.
        """
        found = self._messages.get(way)
        if found is None:
            try:
                descriptor = self._file.message_types_by_name[self._order[way[0]]]
                for place in way[1:]:
                    descriptor = descriptor.nested_types[place]
            except (IndexError, KeyError):
                raise UndecodableError(
                    "undecodable", f"The schema {self.id} has no message at {'/'.join(map(str, way))}."
                ) from None
            found = self._messages[way] = ProtobufMessage(descriptor, self.id)
        return found

    def split(self, data: bytes) -> tuple[ProtobufMessage, int]:
        """Which message of the schema a framed message is, and where its bytes begin."""
        way, at = way_of(data)
        return self.type_at(way), at

    def likely(self, name: str) -> ProtobufMessage:
        """The message of this name, or else the file's first: what a topic will hold, as far as a schema can tell."""
        if not self._order:
            raise UndecodableError("schema", f"The schema {self.id} defines no message.")
        return self.type_at((self._order.index(name) if name in self._order else 0,))


def _column(field: FieldDescriptor) -> Column:
    name, said = field.name, _said(field)
    plain: _Take = attrgetter(name)
    if field.is_repeated:
        return Column(name, Form.OTHER, said, plain)
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        form, inner = _message(field.message_type)
        # Any message may be left out, which nobody chose or can change; that a wrapper's is, somebody did.
        chosen = field.message_type.file.name == _WRAPPERS
        return Column(name, form, said, _present(name, inner), chosen)
    form = Form.OTHER if field.type == FieldDescriptor.TYPE_BYTES else _PLAIN[field.cpp_type]
    # What is always there has a value even where nobody set it, as Protobuf's own JSON has it. A message's own `id` and
    # `at` are asked for, so an empty one is told by the contract.
    optional = field.has_presence and not field.is_required
    convert: _Take | None = None
    symbols: tuple[str, ...] = ()
    if form is Form.CHOICE:
        symbols = tuple(field.enum_type.values_by_name)
        convert = _name_of(field.enum_type)
    take = _present(name, convert) if optional else _of(plain, convert)
    return Column(name, form, said, take, optional, symbols, field.enum_type.name if symbols else "")


def _said(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        said = str(field.message_type.full_name)
    elif field.enum_type is not None:
        said = f"enum {field.enum_type.name}"
    else:
        said = next(
            name.removeprefix("TYPE_").lower()
            for name, number in vars(FieldDescriptor).items()
            if name.startswith("TYPE_") and number == field.type
        )
    return f"repeated {said}" if field.is_repeated else said


def _name_of(kind: EnumDescriptor) -> _Take:
    """Makes of a value's number its name, or the number as text where a newer schema may know it."""
    names = {number: one.name for number, one in kind.values_by_number.items()}
    return lambda number: names.get(number, str(number))


def _of(take: _Take, convert: _Take | None) -> _Take:
    return take if convert is None else lambda message: convert(take(message))


def _present(name: str, convert: _Take | None) -> _Take:
    def take(message: Any) -> Any:
        if not message.HasField(name):
            return None
        value = getattr(message, name)
        return value if convert is None else convert(value)

    return take


def _message(kind: Descriptor) -> tuple[Form, _Take]:
    """What a message within a message is, and what takes its value out of it."""
    known = _KNOWN.get(kind.full_name)
    if known is not None:
        return known
    if kind.file.name == _WRAPPERS:
        return _PLAIN[kind.fields_by_name["value"].cpp_type], attrgetter("value")
    parts = {one.name: _column(one) for one in kind.fields if one.message_type is not kind}
    amount = amount_in({name: one.form for name, one in parts.items()}, lambda name: parts[name].take)
    return (Form.OTHER, attrgetter("DESCRIPTOR")) if amount is None else (Form.MONEY, amount)


def _time(value: Any) -> datetime:
    found: datetime = value.ToDatetime(tzinfo=UTC)
    return found


def _date(value: Any) -> date:
    return date(value.year, value.month, value.day)


def _google_money(value: Any) -> Amount:
    """google.type.Money: units are major ones, nanos their billionths of the same sign."""
    total = value.units * _BILLION + value.nanos
    return Amount(Decimal(f"{total}e-9"), value.currency_code, False)


def _google_decimal(value: Any) -> Decimal:
    try:
        return Decimal(value.value)
    except InvalidOperation:
        raise UndecodableError("undecodable", "A google.type.Decimal is no number.", seen=value.value[:60]) from None


def _confluent_decimal(value: Any) -> Decimal:
    return Decimal(f"{int.from_bytes(value.value, 'big', signed=True)}e{-value.scale}")


_KNOWN: dict[str, tuple[Form, _Take]] = {
    "google.protobuf.Timestamp": (Form.TIME, _time),
    "google.type.Date": (Form.DATE, _date),
    "google.type.Money": (Form.MONEY, _google_money),
    "google.type.Decimal": (Form.DECIMAL, _google_decimal),
    "confluent.type.Decimal": (Form.DECIMAL, _confluent_decimal),
}
