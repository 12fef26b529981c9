"""What a contract says of a field beyond its type."""

from dataclasses import dataclass
from enum import Enum


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
    """

    description: str = ""
    ge: int | float | None = None
    le: int | float | None = None
    currency: str | None = None
    max_length: int = 1024
    personal: Personal = Personal.NONE


@dataclass(frozen=True)
class Label:
    """Marks a field that is known only later: what happened in the end, such as a confirmed fraud.

    A flow may learn from it only through a window whose `delay` is at least `known_after`; anything earlier would leak
    the future and does not compile. A live event simply leaves it out.

    Args:
        known_after: how long after the event it is known, as in `"7d"`.
    """

    known_after: str
