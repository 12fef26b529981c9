"""Whether a schema's fields are what an event's contract asks for, and how a message of it becomes an event.

A schema may have more than the contract, which is left out, and lack what the contract lets a message lack. The event
is made through its JSON, so that one reader checks and normalises it wherever it comes from.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

import msgspec

from tidegate.connectors.schemas.columns import Amount, Column, Form
from tidegate.events.contract import Reader
from tidegate.events.contract_faults import field_fault, instead
from tidegate.events.event import Event, FieldContract
from tidegate.events.types import Kind

_ENCODE = msgspec.json.Encoder().encode
_Convert = Callable[[Any], Any]

_TAKES = {
    Kind.TEXT: {Form.TEXT, Form.CHOICE, Form.DATE},
    Kind.KEY: {Form.TEXT},
    Kind.INT: {Form.WHOLE},
    Kind.FLOAT: {Form.NUMBER, Form.WHOLE, Form.DECIMAL},
    Kind.BOOL: {Form.TRUTH},
    Kind.TIME: {Form.TIME, Form.TEXT, Form.DATE},
    Kind.MONEY: {Form.MONEY, Form.TEXT, Form.DECIMAL},
}
_HINTS = {
    (Kind.TIME, Form.WHOLE): "A whole number does not say its unit: use the logical type timestamp-millis or "
    "timestamp-micros, or google.protobuf.Timestamp.",
    (Kind.MONEY, Form.WHOLE): "A whole number does not say its unit: use a decimal, or a record of units and currency.",
    (Kind.MONEY, Form.NUMBER): "Money is never a float: use a decimal, or a record of units and currency.",
}


class Fit:
    """Makes events of one type of the messages of one schema.

    Args:
        reader: of the event type.
        columns: the schema's.

    Attributes:
        faults: why no message of the schema can be an event, in words; empty if it fits.
        notes: what is worth knowing all the same.
    """

    def __init__(self, reader: Reader[Any], columns: Sequence[Column]) -> None:
        self._reader, self.faults, self.notes = reader, list[str](), list[str]()
        self._takes: list[tuple[str, Callable[[Any], Any], _Convert | None]] = []
        event, there = reader.event_type, {one.name: one for one in columns}
        may_lack = {field.name for field in msgspec.structs.fields(event) if not field.required}
        for name, field in event.__contract__.items():
            column = there.pop(name, None)
            if column is None:
                if name not in may_lack:
                    near = instead(name, [*there]) if there else ""
                    self.faults.append(f"{name} is not in it, and the contract asks for it. {near}".rstrip(". "))
                continue
            wrong = _wrong(field, column)
            if wrong:
                self.faults.append(f"{name} {wrong}".rstrip("."))
                continue
            if column.optional and name not in may_lack:
                self.notes.append(f"{name} may be missing in it, and the contract asks for it")
            self._takes.append((name, column.take, _convert(event, field, column)))
        if there:
            self.notes.append(f"the contract leaves out {', '.join(there)}")

    def body(self, message: Any) -> bytes:
        """A decoded message as JSON that the contract's reader can read.

        Raises:
            ContractError: a value is one that JSON cannot have.
        """
        values = {}
        for name, take, convert in self._takes:
            value = take(message)
            if value is not None and convert is not None:
                value = convert(value)
            if value is not None:
                values[name] = value
        return _ENCODE(values)

    def event(self, message: Any) -> Event:
        """The event of a decoded message.

        Raises:
            ContractError: it does not keep the contract; `pointer` says where.
        """
        event: Event = self._reader.read(self.body(message))
        return event


def _wrong(field: FieldContract, column: Column) -> str:
    """Why a column cannot be a field, to follow the field's name; empty if it can."""
    kind, form = field.type.kind, column.form
    wanted = {Form.WHOLE} if kind is Kind.KEY and field.type.whole else _TAKES[kind]
    asks = f"is {column.said} in it, and the contract asks for {field.type}"
    if form not in wanted:
        return f"{asks}. {_HINTS.get((kind, form), '')}".strip()
    if kind is Kind.TEXT and field.choices is not None and form is Form.DATE:
        return asks
    if kind is not Kind.MONEY or form is not Form.DECIMAL:
        return ""
    if not column.currency and not field.about.currency:
        return (
            f"is {column.said} in it, without a currency. Fix the contract's with Field(currency=…), or use a record "
            "of amount and currency."
        )
    if column.currency and field.about.currency and column.currency != field.about.currency:
        return f"is in {column.currency} in it, and the contract asks for {field.about.currency}"
    return ""


def _convert(event: type[Event], field: FieldContract, column: Column) -> _Convert | None:
    """What makes of a column's value one that the contract's JSON has; None if it is one."""
    kind, form = field.type.kind, column.form
    if form is Form.CHOICE:
        return _choices(field, column)
    if form is Form.MONEY:
        return _money
    if form is Form.DATE:
        return _midnight if kind is Kind.TIME else date.isoformat
    if form is Form.DECIMAL:
        if kind is Kind.FLOAT:
            return float
        currency = column.currency or field.about.currency or ""
        return lambda value: f"{_plain(value)} {currency}"
    if form is Form.NUMBER:
        return _finite(event.__name__, field)
    return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _money(value: Amount) -> Any:
    if value.minor:
        return {"units": value.amount, "currency": value.currency}
    return f"{_plain(value.amount)} {value.currency}"


def _plain(amount: int | Decimal | str) -> str:
    """A decimal as the contract writes amounts: without an exponent, and without zeros that say nothing."""
    text = format(amount, "f") if isinstance(amount, Decimal) else str(amount)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _finite(event: str, field: FieldContract) -> _Convert:
    def convert(value: float) -> float:
        if not isfinite(value):  # in JSON it would be nothing
            raise field_fault(event, field, "is not a finite number", value)
        return value

    return convert


def spelling(symbol: str, choice: str = "") -> str:
    """A symbol as it is compared: in lower case, without the name of its enumeration before it."""
    plain = re.sub(r"[^0-9a-z]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", symbol).lower())
    before = spelling(choice) + "_" if choice else ""
    return plain.removeprefix(before) if before and plain != before else plain


def _choices(field: FieldContract, column: Column) -> _Convert | None:
    """Symbols to the contract's choices: alike in whatever case, or in Protobuf's way (`CHANNEL_ONLINE`)."""
    unspecified = {one for one in column.symbols if spelling(one, column.choice) == "unspecified"}
    if field.choices is None:
        return (lambda symbol: None if symbol in unspecified else symbol) if unspecified else None
    known = {spelling(choice): choice for choice in field.type.choices}
    meant: dict[str, str | None] = {choice: choice for choice in field.type.choices}
    for symbol in column.symbols:
        if symbol not in meant:
            found = known.get(spelling(symbol)) or known.get(spelling(symbol, column.choice))
            meant[symbol] = None if found is None and symbol in unspecified else found or symbol
    return lambda symbol: meant.get(symbol, symbol)
