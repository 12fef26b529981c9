"""Regions of a grid in words: as the cell that would hold for them, and as a value for an example."""

from tidegate.decisions.tables.coverage import Point
from tidegate.decisions.tables.grid import Box, Grid, Runs
from tidegate.decisions.tables.line import BELOW_ZERO, HIGH, LOW, Line, ordered, unordered

MOST_WORDS = 12
"""The most values that a list in words has."""


def box_in_words(grid: Grid, box: Box) -> dict[str, str]:
    """The cells, by input, that would hold for a box and nothing else; inputs that do not matter are left out."""
    return {
        column.name: _cell(grid, place, box[place])
        for place, column in enumerate(grid.table.inputs)
        if box[place] != grid.domains[place]
    }


def example(grid: Grid, point: Point) -> dict[str, str]:
    """A value for each input."""
    return {column.name: _value(grid, place, point[place]) for place, column in enumerate(grid.table.inputs)}


def corner(box: Box) -> Point:
    """A point of a box."""
    return {place: runs[0][0] for place, runs in enumerate(box)}


def _stretches(grid: Grid, place: int, runs: Runs) -> list[tuple[int, int]]:
    """The points of runs of regions, the missing value left out."""
    regions = grid.regions[place]
    found = []
    for low, high in runs:
        if high > 0:
            found.append((regions.stretch(max(1, low))[0], regions.stretch(high)[1]))
    return found


def _cell(grid: Grid, place: int, runs: Runs) -> str:
    line = grid.table.inputs[place].line
    stretches = _stretches(grid, place, runs)
    parts = ["missing"] if runs and runs[0][0] == 0 else []
    if line.has_order:
        low, high = line.ends
        domain = _stretches(grid, place, grid.domains[place])
        ends = (max(low, domain[0][0]), min(high, domain[-1][1])) if domain else (low, high)
        parts = [range_in_words(line, *stretch, ends) for stretch in stretches[:MOST_WORDS]] + parts
    elif stretches:
        parts = [*_named(line, stretches), *parts]
    return ", ".join(parts) + (", …" if len(stretches) > MOST_WORDS else "")


def cell_in_words(line: Line, ranges: Runs, missing: bool) -> str:
    """The cell that holds for these points, and if `missing` for no value."""
    if not ranges:
        return "missing" if missing else "nothing"
    told = [range_in_words(line, *run, line.ends) for run in ranges] if line.has_order else _named(line, list(ranges))
    parts = [*told[:MOST_WORDS], *(["missing"] if missing else [])]
    return ", ".join(parts) + (", …" if len(told) > MOST_WORDS else "")


def _named(line: Line, stretches: list[tuple[int, int]]) -> list[str]:
    """Values without order: those that are named, or all but those."""
    if any(high - low > 1 for low, high in stretches):
        inside = sorted(p for p in line.words if not any(low <= p <= high for low, high in stretches))
        said = sorted(quoted(line.words[point]) for point in inside)
        listed = ", ".join(said[:MOST_WORDS]) + (", …" if len(said) > MOST_WORDS else "")
        return [f"not({listed})"] if said else ["not(missing)"]
    points = [point for low, high in stretches for point in range(low, high + 1)]
    return [quoted(line.shown(point)) if line.type.is_word else line.shown(point) for point in points[:MOST_WORDS]]


def quoted(text: str) -> str:
    """A text as a cell holds it."""
    plain = text and text == text.strip() and not set(text) & set(',()[]"<>=!') and text not in ("-", "missing")
    return text if plain and ".." not in text else '"' + text.replace('"', '""') + '"'


def range_in_words(line: Line, low: int, high: int, ends: tuple[int, int]) -> str:
    """A range of points as a cell; one that reaches an end of the values that can come is open there."""
    if low == high:
        return line.shown(low)
    below, above = low <= max(LOW, ends[0]), high >= min(HIGH, ends[1])
    if below and above:
        return "not(missing)"
    closes, last = (False, "") if above else edge(line, high, 1)
    opens, first = (False, "") if below else edge(line, low, -1)  # beyond an end of the line there is nothing
    if below:
        return f"{'<' if closes else '<='} {last}"
    if above:
        return f"{'>' if opens else '>='} {first}"
    return f"{'(' if opens else '['}{first}..{last}{')' if closes else ']'}"


def edge(line: Line, point: int, beyond: int) -> tuple[bool, str]:
    """An end of a range, and whether it is left out: of neighbouring numbers the one that is shorter to write."""
    if line.type.is_float:
        inside, outside = line.shown(point), line.shown(point + beyond)
        return (True, outside) if len(outside) < len(inside) else (False, inside)
    if beyond > 0 and not line.type.is_float and line.type.kind.value in ("money", "time", "duration"):
        return True, line.shown(point + 1)  # up to, and without, the next
    return False, line.shown(point)


def _value(grid: Grid, place: int, region: int) -> str:
    """A value of a region, as plain as can be."""
    if region == 0:
        return "missing"
    return plain_value(grid.table.inputs[place].line, *grid.regions[place].stretch(region))


def plain_value(line: Line, low: int, high: int) -> str:
    """A value between two points, as plain as can be."""
    if not line.has_order:
        return line.shown(low if low == high or low in line.words else low + (low == LOW))
    ends = line.ends
    low, high = max(low, ends[0]), min(high, ends[1])
    if line.type.is_float:
        high -= high == BELOW_ZERO
        return line.shown(ordered(_round(unordered(low), unordered(high))))
    if low <= ends[0]:
        return line.shown(min(high, 0)) if high <= 0 or low > 0 else line.shown(0)
    return line.shown(low)


def _round(low: float, high: float) -> float:
    """The number between two with the fewest digits, near the lower."""
    if low <= 0 <= high:
        return 0.0
    if low < -1e300:
        low = min(2 * high, high - 1) if high < 0 else -1.0
    elif high > 1e300:
        high = max(2 * low, low + 1)
    if low == high:
        return low
    for digits in range(-6, 16):
        middle = round((low + high) / 2, digits)
        if low <= middle <= high:
            return middle
    return low


__all__ = ["box_in_words", "cell_in_words", "corner", "edge", "example", "plain_value", "quoted", "range_in_words"]
