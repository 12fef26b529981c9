"""What a contract says of a field beyond its type."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from math import isfinite

from tidegate.errors import FlowError, meant, nearest
from tidegate.events.currency import DECIMALS
from tidegate.events.durations import microseconds


class Personal(Enum):
    """Classes of personal data, for masking, retention and erasure."""

    NONE = "none"
    IDENTIFIER = "identifier"
    CONTACT = "contact"
    FINANCIAL = "financial"
    LOCATION = "location"
    BEHAVIOUR = "behaviour"
    SPECIAL = "special"


@dataclass(frozen=True)
class Field:
    """Put on a field by `Annotated[int, Field(ge=0, description="…")]`.

    Args:
        description: what the field means, for people.
        ge, le: the smallest and largest value (numbers; minor units for money).
        currency: the only currency a money field takes (ISO 4217); without it, any.
        max_length: the longest text, in characters.
        personal: the class of personal data it holds.

    Raises:
        FlowError: one of them is of no use in any field. What does not go with the field's type is told by its class.
    """

    description: str = ""
    ge: int | float | None = None
    le: int | float | None = None
    currency: str | None = None
    max_length: int = 1024
    personal: Personal = Personal.NONE

    def __post_init__(self) -> None:
        if not isinstance(self.description, str):
            raise FlowError(
                "description= is text.", seen=repr(self.description), do='Write description="What is paid".'
            )
        for word, bound in (("ge", self.ge), ("le", self.le)):
            number = isinstance(bound, (int, float)) and not isinstance(bound, bool) and isfinite(bound)
            if bound is not None and not number:
                raise FlowError(
                    f"{word}= is a number; of money, in minor units.", seen=repr(bound), do=f"Write {word}=100."
                )
        if self.ge is not None and self.le is not None and self.ge > self.le:
            raise FlowError(
                "ge= is the smallest value and le= the largest; no value is both.",
                seen=f"ge={self.ge}, le={self.le}",
                do=f"Write ge={self.le}, le={self.ge} if they were exchanged.",
            )
        if self.currency is not None and (not isinstance(self.currency, str) or self.currency not in DECIMALS):
            near = meant(self.currency, DECIMALS) if isinstance(self.currency, str) else ""
            raise FlowError(
                "currency= is the code of a currency in ISO 4217: three letters, capitals.",
                seen=repr(self.currency),
                do=near or "Write currency='EUR'.",
            )
        if type(self.max_length) is not int or self.max_length < 1:
            raise FlowError(
                "max_length= is how many characters a text may have, a whole number from 1.",
                seen=repr(self.max_length),
                do="Write max_length=40.",
            )
        if not isinstance(self.personal, Personal):
            raise FlowError(
                "personal= is a class of personal data.", seen=repr(self.personal), do=_class_meant(self.personal)
            )


def _class_meant(said: object) -> str:
    near = nearest(said, [one.name for one in Personal]) if isinstance(said, str) else ""
    if near:
        return f"Write personal=Personal.{near}."
    return f"Write one of {', '.join(f'Personal.{one.name}' for one in Personal)}."


@dataclass(frozen=True)
class Label:
    """Marks a field that is known only later: what happened in the end, such as a confirmed fraud.

    A flow may learn from it only through a window whose `delay` is at least `known_after`; anything earlier would leak
    the future and does not compile. A live event simply leaves it out.

    Args:
        known_after: how long after the event it is known, as in `"7d"`.

    Raises:
        FlowError: that is no length of time.
    """

    known_after: str | timedelta

    def __post_init__(self) -> None:
        microseconds(self.known_after)
