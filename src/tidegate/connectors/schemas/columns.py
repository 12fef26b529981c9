"""What a schema says of a field, alike for every kind of schema, and the values that it holds in a message."""

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

import msgspec


class Form(Enum):
    """What the values of a field are once a message is decoded, and the Python type that stands for each."""

    TEXT = "text"
    WHOLE = "a whole number"
    NUMBER = "a number"
    DECIMAL = "a decimal"
    TRUTH = "true or false"
    TIME = "a time"
    DATE = "a date"
    CHOICE = "a choice"
    MONEY = "an amount and a currency"
    OTHER = "something else"


class Amount(NamedTuple):
    """An amount of money as a message has it: in minor units, or else a decimal of major units."""

    amount: int | Decimal | str
    currency: str
    minor: bool


class Column(msgspec.Struct, frozen=True):
    """A field of a schema.

    Args:
        name: its name.
        form: what it holds.
        said: what it holds, in the schema's words.
        take: takes its value out of a decoded message: `str`, `int`, `float`, `Decimal`, `bool`, an aware `datetime`,
            `date`, or `Amount`; None if the message has none.
        optional: whether a message may lack it because who made the schema chose so.
        symbols: of a choice, what it can be.
        choice: of a choice, the name of the enumeration.
        currency: of a decimal, its currency, where the schema tells.
    """

    name: str
    form: Form
    said: str
    take: Callable[[Any], Any]
    optional: bool = False
    symbols: tuple[str, ...] = ()
    choice: str = ""
    currency: str = ""
