"""The windows once more, as plainly as they can be written: a list of learned events, searched for every answer."""

import math
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from tidegate.features.plan import MISSING, StreamPlan, WindowPlan

Cell = int | float
VALUELESS = ("count", "since_last", "since_first")
REAL = ("mean", "std", "share")


def missing(cell: Cell) -> bool:
    return math.isnan(cell) if isinstance(cell, float) else cell == MISSING


@dataclass
class Brute:
    """Reads and learns one row, a list of cells, at a time."""

    streams: list[StreamPlan]
    learned: list[list[list[Cell]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.learned = [[] for _ in self.streams]

    def read(self, row: list[Cell], kind: int) -> dict[int, Cell | Fraction | None]:
        """What each `out` column has to say; a Fraction for a variance (its root is the answer) and exact sums."""
        found: dict[int, Cell | Fraction | None] = {}
        for stream, events in zip(self.streams, self.learned, strict=True):
            for window in stream.windows:
                key = row[window.read_key]
                past = [e for e in events if e[stream.learn_key] == key and key != MISSING]
                until = row[0] - window.delay
                past = [e for e in past if until - window.last < e[0] <= until]
                past.sort(key=lambda e: e[0])
                if window.with_current and kind == stream.kind and key == row[stream.learn_key] != MISSING:
                    past.append(row)
                found[window.out] = answer(window, [e for e in past if counted(window, e)], row)
        return found

    def learn(self, row: list[Cell], kind: int) -> None:
        for stream, events in zip(self.streams, self.learned, strict=True):
            if kind == stream.kind and row[stream.learn_key] != MISSING:
                events.append(list(row))


def counted(window: WindowPlan, event: list[Cell]) -> bool:
    if window.where >= 0 and event[window.where] != 1:
        return False
    return window.value < 0 or not missing(event[window.value])


def answer(window: WindowPlan, events: list[list[Cell]], row: list[Cell]) -> Cell | Fraction | None:
    values = [e[window.value] for e in events] if window.value >= 0 else []
    match window.aggregate:
        case "count":
            return len(events)
        case "total":
            return sum((Fraction(v) for v in values), Fraction(0))
        case "mean" | "share":
            return sum(map(Fraction, values), Fraction(0)) / len(values) if values else None
        case "std":
            if len(values) < 2:
                return None
            mean = sum(map(Fraction, values), Fraction(0)) / len(values)
            return sum(((Fraction(v) - mean) ** 2 for v in values), Fraction(0)) / (len(values) - 1)
        case "minimum":
            return min(values, default=None)
        case "maximum":
            return max(values, default=None)
        case "distinct":
            return len(set(values))
        case "mode":
            seen = Counter(values)
            return max(reversed(values), key=lambda v: seen[v], default=None)
        case "has_seen":
            probe = row[window.probe if window.probe >= 0 else window.value]
            return None if missing(probe) else int(probe in values)
        case "first":
            return values[0] if values else None
        case "last_value":
            return values[-1] if values else None
        case "nth_previous":
            return values[-window.n] if len(values) >= window.n else None
        case "since_last":
            return row[0] - events[-1][0] if events else None
        case "since_first":
            return row[0] - events[0][0] if events else None
    raise AssertionError(window.aggregate)
