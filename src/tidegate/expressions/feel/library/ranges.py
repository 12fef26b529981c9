"""How points and ranges lie to each other, after Allen's interval algebra (DMN 1.5, 10.3.4.9).

An end that is open lies before, or behind, everything; two of them on one side are the same place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tidegate.expressions.feel.given import Run
from tidegate.expressions.feel.library.signatures import builtin
from tidegate.expressions.feel.ranges import Range
from tidegate.expressions.feel.values import order


class _NoOrderError(Exception):
    """Two values have no order."""


@dataclass(frozen=True, slots=True)
class _Edge:
    """A point, or the end of a range; `side` is -1 for a start, 1 for an end."""

    value: Any
    included: bool
    side: int

    def against(self, other: "_Edge") -> int:
        """-1, 0 or 1 as this lies before, with or behind the other."""
        if self.value is None or other.value is None:
            if self.value is other.value:
                return (self.side > other.side) - (self.side < other.side)
            return self.side if self.value is None else -other.side
        found = order(self.value, other.value)
        if found is None:
            raise _NoOrderError
        return found

    def before(self, other: "_Edge") -> bool:
        """Whether this lies before the other."""
        return self.against(other) < 0

    def meets(self, other: "_Edge") -> bool:
        """Whether both lie at one place that belongs to both."""
        return self.included and other.included and self.against(other) == 0


def _edges(value: Any) -> tuple[_Edge, _Edge]:
    """The start and the end of a range; a point is both."""
    if isinstance(value, Range):
        return _Edge(value.low, value.low_included, -1), _Edge(value.high, value.high_included, 1)
    point = _Edge(value, True, 0)
    return point, point


def _starts_first(one: _Edge, other: _Edge) -> bool:
    """Whether a range that starts at one starts no later than one that starts at the other."""
    found = one.against(other)
    return found < 0 or (found == 0 and (one.included or not other.included))


def _ends_last(one: _Edge, other: _Edge) -> bool:
    """Whether a range that ends at one ends no earlier than one that ends at the other."""
    found = one.against(other)
    return found > 0 or (found == 0 and (one.included or not other.included))


def _before(one: Any, other: Any) -> bool:
    end, start = _edges(one)[1], _edges(other)[0]
    found = end.against(start)
    return found < 0 or (found == 0 and not (end.included and start.included))


def _meets(one: Any, other: Any) -> bool:
    return _edges(one)[1].meets(_edges(other)[0])


def _reach(one: Any, other: Any) -> bool:
    """Whether the first does not end before the second starts."""
    return not _before(one, other)


def _overlaps_before(one: Any, other: Any) -> bool:
    (start, end), (other_start, other_end) = _edges(one), _edges(other)
    begins = start.against(other_start)
    first = begins < 0 or (begins == 0 and start.included and not other_start.included)
    return first and _reach(one, other) and _ends_last(other_end, end)


def _overlaps_after(one: Any, other: Any) -> bool:
    (start, end), (other_start, other_end) = _edges(one), _edges(other)
    begins = other_start.against(start)
    first = begins < 0 or (begins == 0 and other_start.included and not start.included)
    return first and _reach(other, one) and _ends_last(end, other_end)


def _finishes(one: Any, other: Any) -> bool:
    (start, end), (other_start, other_end) = _edges(one), _edges(other)
    if end.against(other_end) != 0 or end.included is not other_end.included:
        return False
    return end is start or _starts_first(other_start, start)


def _starts(one: Any, other: Any) -> bool:
    (start, end), (other_start, other_end) = _edges(one), _edges(other)
    if start.against(other_start) != 0 or start.included is not other_start.included:
        return False
    return end is start or _ends_last(other_end, end)


def _includes(one: Any, other: Any) -> bool:
    (start, end), (other_start, other_end) = _edges(one), _edges(other)
    return _starts_first(start, other_start) and _ends_last(end, other_end)


def _coincides(one: Any, other: Any) -> bool:
    return all(a.against(b) == 0 and a.included is b.included for a, b in zip(_edges(one), _edges(other), strict=True))


_POINTS, _POINT_RANGE, _RANGE_POINT, _RANGES = (
    ("point1", "point2"), ("point", "range"), ("range", "point"), ("range1", "range2"),
)  # fmt: skip


def _swapped(relation: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda one, other: relation(other, one)


_RELATIONS: dict[str, tuple[Callable[[Any, Any], bool], tuple[tuple[str, str], ...]]] = {
    "before": (_before, (_POINTS, _POINT_RANGE, _RANGE_POINT, _RANGES)),
    "after": (_swapped(_before), (_POINTS, _POINT_RANGE, _RANGE_POINT, _RANGES)),
    "meets": (_meets, (_RANGES,)),
    "met by": (_swapped(_meets), (_RANGES,)),
    "overlaps": (lambda one, other: _reach(one, other) and _reach(other, one), (_RANGES,)),
    "overlaps before": (_overlaps_before, (_RANGES,)),
    "overlaps after": (_overlaps_after, (_RANGES,)),
    "finishes": (_finishes, (_POINT_RANGE, _RANGES)),
    "finished by": (_swapped(_finishes), (_RANGE_POINT, _RANGES)),
    "includes": (_includes, (_RANGE_POINT, _RANGES)),
    "during": (_swapped(_includes), (_POINT_RANGE, _RANGES)),
    "starts": (_starts, (_POINT_RANGE, _RANGES)),
    "started by": (_swapped(_starts), (_RANGE_POINT, _RANGES)),
    "coincides": (_coincides, (_POINTS, _RANGES)),
}
"""For each relation, when it holds, and of what: points, a point and a range, a range and a point, ranges."""


def _single(value: Any) -> Any:
    """A list of one element as the element, as a point or range is asked for (DMN 1.5, 10.3.2.9.4)."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _declare(name: str, holds: Callable[[Any, Any], bool], takes: tuple[tuple[str, str], ...]) -> None:
    forms = {tuple(parameter.startswith("range") for parameter in pair) for pair in takes}

    def relation(run: Run, one: Any, other: Any) -> Any:
        one, other = _single(one), _single(other)
        if one is None or other is None:
            return run.why(f"{name!r} is of values, and one is null")
        if (isinstance(one, Range), isinstance(other, Range)) not in forms:
            return run.why(f"{name!r} does not take {{}} and {{}}", one, other)
        try:
            return holds(one, other)
        except _NoOrderError:
            return run.why("{} and {} have no order", one, other)

    builtin(*(f"{name}({a}: any, {b}: any)" for a, b in takes))(relation)


for _name, (_holds, _takes) in _RELATIONS.items():
    _declare(_name, _holds, _takes)
