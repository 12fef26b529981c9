"""Random tables, and their meaning read off row by row: what the index is held to.

A cell is drawn as a structure, written as text for the reader, and decided here from the structure, on Python values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tidegate.decisions.tables.policy import Policy
from tidegate.decisions.tables.sheet import sheet_of
from tidegate.decisions.tables.table import Table, made
from tidegate.events.durations import written
from tidegate.events.money import Money
from tidegate.events.types import BOOL, DURATION, FLOAT, INT, TEXT, TIME, Kind, Type

Draw = Callable[[Any], Any]
_START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sort:
    """A kind of input: its type, the values that cells name and inputs take, and how a value is written."""

    name: str
    type: Type
    values: tuple[Any, ...]
    text: Callable[[Any], str]
    ordered: bool = True


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _length(value: timedelta) -> str:
    return written(value // timedelta(microseconds=1))


SORTS = (
    Sort("whole", INT, (-3, -1, 0, 1, 2, 3, 7, 2**53), str),
    Sort("real", FLOAT, (-1.5, -0.0, 0.0, 0.1, 0.5, 1.0, 2.5, 1e300, 5e-324, -5e-324), repr),
    Sort("money", Type(Kind.MONEY, currency="EUR"), tuple(Money(n, "EUR") for n in (0, 1, 99, 100, 101, 5000)), str),
    Sort("text", TEXT, ("DE", "FR", "a, b", 'q"q', "-", "missing", "", "日本"), _quoted, False),
    Sort("choice", Type(Kind.TEXT, choices=("app", "web", "desk")), ("app", "web", "desk"), str, False),
    Sort("truth", BOOL, (True, False), lambda v: str(v).lower(), False),
    Sort("time", TIME, tuple(_START + timedelta(days=n) for n in range(5)), lambda v: v.isoformat()),
    Sort("length", DURATION, tuple(timedelta(minutes=n) for n in (0, 1, 2, 60)), _length),
    Sort("key", Type(Kind.KEY, entity="card"), ("c1", "c2", "c3"), _quoted, False),
    Sort("number", Type(Kind.KEY, entity="shop", whole=True), (0, 1, 2, 3, 4, 9, -7), str, False),
)  # fmt: skip


def key_of(value: Any) -> Any:
    """A value as it is compared."""
    return value.units if isinstance(value, Money) else value


def test_of(draw: Draw, sort: Sort) -> tuple[Any, ...]:
    """One test: a value, a comparison or a range."""
    a = draw(st.sampled_from(sort.values))
    form = draw(st.sampled_from(["eq", "eq", "=", "!=", "<", "<=", ">", ">=", "range", "range"]))
    if not sort.ordered and form not in ("eq", "=", "!="):
        form = "eq"
    if form == "range":
        b = draw(st.sampled_from(sort.values))
        low, high = sorted((a, b), key=key_of)
        opens, closes = (draw(st.booleans()), draw(st.booleans())) if key_of(low) < key_of(high) else (True, True)
        near = sort.type.kind in (Kind.INT, Kind.MONEY) and key_of(high) - key_of(low) == 1
        nothing = not opens and not closes and (near or (low, high) in ((0.0, 5e-324), (-5e-324, 0.0), (-5e-324, -0.0)))
        return ("range", low, opens or nothing, high, closes or nothing)
    return (form, a)


def holds(test: tuple[Any, ...], value: Any) -> bool:
    """Whether a test holds for a value that is there."""
    v, form = key_of(value), test[0]
    a = key_of(test[1])
    if form in ("eq", "="):
        return bool(v == a)
    if form == "!=":
        return bool(v != a)
    if form == "range":
        b = key_of(test[3])
        return bool((v >= a if test[2] else v > a) and (v <= b if test[4] else v < b))
    return bool({"<": v < a, "<=": v <= a, ">": v > a, ">=": v >= a}[form])


def text_of(test: tuple[Any, ...], sort: Sort) -> str:
    """A test as it is written."""
    if test[0] == "range":
        return f"{'[' if test[2] else '('}{sort.text(test[1])}..{sort.text(test[3])}{']' if test[4] else ')'}"
    return sort.text(test[1]) if test[0] == "eq" else f"{test[0]} {sort.text(test[1])}"


@dataclass(frozen=True)
class Drawn:
    """A cell: nothing asked, or tests of which one must hold, or none (`inverted`); and whether `missing` is listed."""

    tests: tuple[tuple[Any, ...], ...]
    inverted: bool = False
    missing: bool = False
    any: bool = False

    def holds(self, value: Any) -> bool:
        if self.any:
            return True
        if value is None:
            return self.missing
        return any(holds(test, value) for test in self.tests) is not self.inverted

    def text(self, sort: Sort) -> str:
        if self.any:
            return "-"
        parts = [text_of(test, sort) for test in self.tests]
        if self.inverted:
            return f"not({', '.join(parts)})" + (", missing" if self.missing else "")
        return ", ".join([*parts, *(["missing"] if self.missing else [])])


def cell_of(draw: Draw, sort: Sort) -> Drawn:
    if draw(st.integers(0, 3)) == 0:
        return Drawn((), any=True)
    tests = tuple(test_of(draw, sort) for _ in range(draw(st.integers(1, 3))))
    missing = draw(st.integers(0, 5)) == 0
    if missing and draw(st.booleans()):
        return Drawn((), missing=True)
    return Drawn(tests, draw(st.integers(0, 3)) == 0, missing)


@dataclass(frozen=True)
class Case:
    """A random table, read, with what it was drawn from, and inputs to ask it."""

    table: Table
    sorts: tuple[Sort, ...]
    cells: list[list[Drawn]]
    outputs: list[tuple[Any, ...]]
    default: tuple[Any, ...] | None
    inputs: list[dict[str, Any]]
    text: str


NAMES = ("x", "y", "z")
RISKS = ("high", "low", "none")


@st.composite
def cases(draw: Draw, policies: tuple[Policy, ...] = tuple(Policy), most: int = 14) -> Case:
    """Tables of any hit policy over up to three inputs of any kind, and inputs that hit, miss and are missing."""
    policy = draw(st.sampled_from(policies))
    sorts = tuple(draw(st.sampled_from(SORTS)) for _ in range(draw(st.integers(1, 3))))
    # from one to several words of rows, so that bits are read across the ends of words
    many = draw(st.one_of(st.integers(1, 5), st.integers(1, most), st.sampled_from([63, 64, 65, 130])))
    pool = [[cell_of(draw, sort) for sort in sorts] for _ in range(min(many, most))]
    cells = [
        pool[n] if n < len(pool) else [draw(st.sampled_from(pool))[k] for k in range(len(sorts))] for n in range(many)
    ]
    numbers = st.sampled_from([0.5, 1.0, -2.0, 7.25, 0.1, 0.2, -0.7, 12.345])
    if policy.is_sum:
        outputs = [(draw(numbers),) for _ in cells]
    else:
        outputs = [(draw(st.one_of(st.none(), numbers)), draw(st.sampled_from((*RISKS, None)))) for _ in cells]
    default = None
    if draw(st.booleans()) and policy is not Policy.COUNT:
        default = (9.0,) if policy.is_sum else (9.0, "none")
    heads = [f"if {name}" for name in NAMES[: len(sorts)]] + ["then rate (number)"]
    heads += [] if policy.is_sum else [f"then risk (text: {', '.join(RISKS)})"]
    lines: list[list[Any]] = [[policy.words, *heads]]
    for row, values in zip(cells, outputs, strict=True):
        lines.append(["", *(one.text(sort) for one, sort in zip(row, sorts, strict=True)), *values])
    if default is not None:
        lines.append(["default", *([""] * len(sorts)), *default])
    sheet = sheet_of("random", list(enumerate(lines, 1)), lambda line, head: f"line {line} ({head.name})")
    table = made(sheet, {name: sort.type for name, sort in zip(NAMES, sorts, strict=False)})
    asked = [
        {
            name: draw(st.one_of(st.sampled_from(sort.values), st.none()))
            for name, sort in zip(NAMES, sorts, strict=False)
        }
        for _ in range(draw(st.integers(1, 6)))
    ]
    return Case(table, sorts, cells, outputs, default, asked, "\n".join(map(repr, lines)))


@dataclass(frozen=True)
class Right:
    """What a table says, by reading it from the top."""

    rows: list[int]
    outputs: dict[str, Any]


def added(values: list[float]) -> float:
    """The float nearest to the sum of the decimals that floats are written as."""
    return float(sum((Decimal(repr(value)) for value in values), Decimal()))


def scan(case: Case, inputs: dict[str, Any]) -> Right:
    """Every row looked at, in order."""
    found = [
        n
        for n, row in enumerate(case.cells)
        if all(one.holds(inputs[name]) for one, name in zip(row, NAMES, strict=False))
    ]
    policy, outputs = case.table.policy, case.outputs
    names = [column.name for column in case.table.outputs]
    if policy is Policy.COUNT:
        return Right(found, {"rate": len(found)})
    nothing = dict(zip(names, case.default or (None,) * len(names), strict=True))
    ranks = [RISKS.index(values[1]) if len(values) > 1 and values[1] else len(RISKS) for values in outputs]
    if policy in (Policy.PRIORITY, Policy.OUTPUT_ORDER):
        found = sorted(found, key=lambda n: ranks[n])
    if policy.is_list:
        lists = [outputs[n] for n in found] or ([case.default] if case.default else [])
        return Right(found, {name: [values[k] for values in lists] for k, name in enumerate(names)})
    if not found:
        return Right([], nothing)
    if policy.is_sum:
        values = [outputs[n][0] for n in found]
        return Right(found, {"rate": {"C+": added, "C<": min, "C>": max}[policy.value](values)})
    different = {outputs[n] for n in found}
    if (policy is Policy.UNIQUE and len(found) > 1) or (policy is Policy.ANY and len(different) > 1):
        return Right(found, dict.fromkeys(names))
    return Right(found[:1], dict(zip(names, outputs[found[0]], strict=True)))
