"""What a window says: everything that was learned is kept, and looked through anew at every read."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.oracle.real import Real, error, real
from tests.oracle.terms import BIG
from tidegate.errors import FlowError
from tidegate.events.event import Event
from tidegate.features.window import Window


@dataclass(frozen=True)
class Learned:
    """An event that a window may count: when, in which order it arrived, whose, and its value."""

    at: int
    arrival: int
    key: tuple[Any, ...]
    value: Any = None


def key_fields(keys: Sequence[Any], event: type[Event]) -> tuple[str, ...]:
    """Which fields of an event type hold the keys of a window; an entity stands for the one field of that entity."""
    return tuple(_key_field(key, event) for key in keys)


def _key_field(key: Any, event: type[Event]) -> str:
    if isinstance(key, type):
        entity = getattr(key, "entity_name", "")
    elif issubclass(event, key.event):
        return str(key.name)
    else:
        entity = key.type.entity
    found = [f.name for f in event.__contract__.values() if f.entity is not None and f.entity.entity_name == entity]
    if len(found) != 1:
        raise FlowError("Not one field of this entity.", seen=f"{event.__name__}: {found}")
    return found[0]


def read(window: Window, learned: Sequence[Learned], at: int, key: tuple[Any, ...], probe: Any) -> Any:
    """What the window says of an entity as of a time."""
    if any(part is None for part in key):
        return None  # nobody's past
    end = at - window.frame.delay
    start = end - window.frame.last
    seen = sorted((x for x in learned if x.key == key and start < x.at <= end), key=lambda x: (x.at, x.arrival))
    values = [x.value for x in seen]
    if window.aggregate == "has_seen":
        return None if probe is None else probe in values
    if window.aggregate == "nth_previous":
        return values[-window.frame.n] if len(values) >= window.frame.n else None
    if window.aggregate == "since_last":
        return at - seen[-1].at if seen else None
    if window.aggregate == "since_first":
        return at - seen[0].at if seen else None
    return _AGGREGATES[window.aggregate](values)


def _total(values: list[Any]) -> Any:
    if any(isinstance(v, float) for v in values):
        return _rounded(sum(map(Fraction, values), Fraction(0)), values)
    whole: int = sum(values)
    return whole if -BIG < whole < BIG else None


def _mean(values: list[Any]) -> Real | None:
    return _rounded(sum(map(Fraction, values), Fraction(0)) / len(values), values) if values else None


def _rounded(exact: Fraction, values: list[Any]) -> Real | None:
    """An exact number as a float, with the error that rounding on the way may leave: none if no step has to."""
    room = sum(map(Fraction, map(abs, values)), Fraction(0))
    easy = all(Fraction(v).limit_denominator(2**20) == v for v in values) and room < 2**32
    found = real(exact, 0 if easy else 4)
    return None if found is None else Real(found, found.err + sum(map(error, values)))


def _std(values: list[Any]) -> Real | None:
    if len(values) < 2:
        return None
    exact = [Fraction(v) for v in values]
    middle = sum(exact, Fraction(0)) / len(exact)
    variance = sum(((v - middle) ** 2 for v in exact), Fraction(0)) / (len(exact) - 1)
    root = _root(variance)
    if root is None:
        return None
    return Real(root, abs(root) * 1e-13 + sum(map(error, values)))


def _root(x: Fraction) -> float | None:
    """The square root of a fraction, right to a few units in the last place whatever its size."""
    if x == 0:
        return 0.0
    scale = (x.denominator.bit_length() - x.numerator.bit_length()) // 2 + 70
    scaled = x * Fraction(4) ** scale
    try:
        return float(Fraction(math.isqrt(scaled.numerator // scaled.denominator)) / Fraction(2) ** scale)
    except OverflowError:
        return None


def _mode(values: list[Any]) -> Any:
    if not values:
        return None
    counted = Counter(values)
    most = max(counted.values())
    return next(v for v in reversed(values) if counted[v] == most)


_AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "total": _total,
    "mean": _mean,
    "std": _std,
    "minimum": lambda values: min(values, default=None),
    "maximum": lambda values: max(values, default=None),
    "distinct": lambda values: len(set(values)),
    "share": lambda values: _mean([int(v) for v in values]),
    "mode": _mode,
    "first": lambda values: values[0] if values else None,
    "last_value": lambda values: values[-1] if values else None,
}
