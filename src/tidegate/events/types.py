"""The types of values: what a field, a feature or an expression can be."""

from dataclasses import dataclass, replace
from enum import Enum


class Kind(Enum):
    """The kinds of value the expression language knows."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    TEXT = "text"
    TIME = "time"
    DURATION = "duration"
    MONEY = "money"
    KEY = "key"


_FLOAT, _TEXT, _KEY = Kind.FLOAT, Kind.TEXT, Kind.KEY  # Python 3.11 takes 0.1 us to find one by its name


@dataclass(frozen=True)
class Type:
    """The type of a value.

    Args:
        kind: which of the kinds it is.
        approx: for money and durations, that it is a float number of minor units or microseconds (a mean is).
        currency: for money, its ISO 4217 code, None where the flow's own currency applies.
        entity: for keys, the entity's name.
        whole: for keys, that they are whole numbers rather than text.
        choices: for enumerations (kind TEXT), the values there are.
        bound: for whole numbers and money, the largest absolute value, as far as a contract tells.
    """

    kind: Kind
    approx: bool = False
    currency: str | None = None
    entity: str = ""
    whole: bool = False
    choices: tuple[str, ...] = ()
    bound: int = 2**53

    @property
    def is_float(self) -> bool:
        """Whether its cell is a float64 (missing: NaN), not an int64 (missing: -2**63)."""
        return self.kind is _FLOAT or self.approx

    @property
    def is_number(self) -> bool:
        """Whether it is a plain number, without a unit."""
        return self.kind in (Kind.INT, Kind.FLOAT)

    @property
    def is_quantity(self) -> bool:
        """Whether it can be added, averaged and ordered: numbers, money, durations."""
        return self.kind in (Kind.INT, Kind.FLOAT, Kind.MONEY, Kind.DURATION)

    @property
    def is_word(self) -> bool:
        """Whether its cell is a hash of text."""
        return self.kind is _TEXT or (self.kind is _KEY and not self.whole)

    def averaged(self) -> "Type":
        """The type of a mean of such values."""
        if self.kind in (Kind.INT, Kind.FLOAT, Kind.BOOL):
            return FLOAT
        return replace(self, approx=True)

    def __str__(self) -> str:
        if self.kind is Kind.MONEY:
            return f"money in {self.currency}" if self.currency else "money"
        if self.kind is Kind.KEY:
            return f"{self.entity} key"
        if self.choices:
            return f"one of {', '.join(self.choices[:6])}"
        return str(self.kind.value)


BOOL, INT, FLOAT = Type(Kind.BOOL, bound=1), Type(Kind.INT), Type(Kind.FLOAT)
TEXT, TIME, DURATION = Type(Kind.TEXT), Type(Kind.TIME), Type(Kind.DURATION)
