"""Whatever is written, the kernel finds what the oracle finds: whole numbers exactly, floats to 1e-12."""

import math
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from tests.conformance.literals import EPOCH, LITERALS
from tests.expressions.cells import Row, by_kernel, cell, expressions, rows
from tests.oracle import Scope, UndecidedError, evaluate
from tests.oracle.real import error
from tidegate.events.event import Event
from tidegate.events.money import Money, eur
from tidegate.events.types import Kind
from tidegate.expressions import functions as f
from tidegate.expressions.node import Expr, call, literal
from tidegate.expressions.program import Columns, Compiler


def _same(found: Any, said: Any, expr: Expr) -> bool:
    if said is None or found is None:
        return said is None and found is None
    if expr.type.is_float:
        return abs(found - said) <= max(1e-12 * abs(said), error(said))
    return bool(found == cell(said, expr.type))


def _check(expr: Expr, events: list[Event]) -> None:
    try:
        said = [evaluate(expr, Scope(event, "EUR")) for event in events]
    except UndecidedError:
        reject()
    found = by_kernel(expr, events)
    for event, one, other in zip(events, found, said, strict=True):
        assert _same(one, other, expr), f"{expr!s}\n{event}\nkernel {one!r}, oracle {other!r}"


@given(expressions(tuple(LITERALS)), rows())
def test_the_kernel_computes_what_the_oracle_does(expr: Expr, events: list[Event]) -> None:
    _check(expr, events)


@given(expressions((Kind.BOOL,), depth=5), rows())
def test_conditions_hold_for_the_same_events(expr: Expr, events: list[Event]) -> None:
    _check(expr, events)


def row(**fields: Any) -> Event:
    blank = dict.fromkeys(("card", "payee", "shop", *(n for n in Row.__contract__ if n not in ("id", "at"))))
    return Row(**{"id": "1", "at": EPOCH, **blank, **fields})


def value(expr: Expr, **fields: Any) -> Any:
    found = by_kernel(expr, [row(**fields)])[0]
    return bool(found) if expr.type.kind is Kind.BOOL and found is not None else found


@given(st.datetimes(timezones=st.just(UTC)))
@example(datetime(2199, 12, 31, 23, 59, 59, 999_999, UTC))
@example(datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC))
def test_a_constant_time_is_that_time_to_the_microsecond(at: datetime) -> None:
    assert literal(at).value == (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert value(Row.since == at, since=at) is True


@pytest.mark.parametrize("a", [True, False, None])
@pytest.mark.parametrize("b", [True, False, None])
def test_logic_is_kleenes(a: bool | None, b: bool | None) -> None:
    left, right = Row.flag, Row.small == 1
    fields = {"flag": a, "small": None if b is None else int(b)}
    both = False if False in (a, b) else None if None in (a, b) else True
    either = True if True in (a, b) else None if None in (a, b) else False
    assert value(left & right, **fields) is both
    assert value(left | right, **fields) is either
    assert value(~left, **fields) is (None if a is None else not a)


def test_a_sum_that_a_cell_cannot_hold_is_missing() -> None:
    big = Row.wide * literal(2**53)
    assert value(big, wide=2**8) == 2**61
    assert value(big, wide=2**9) is None
    assert value(big + big, wide=2**8) is None
    assert value(big * 4, wide=2**9) is None
    assert value(-big, wide=2**8) == -(2**61)


def test_what_is_not_a_number_is_missing() -> None:
    assert value(Row.small / 0, small=3) is None
    assert value(Row.small % 0, small=3) is None
    assert value(f.log(Row.small), small=0) is None
    assert value(f.sqrt(Row.small), small=-1) is None
    assert value(f.exp(Row.small * 1000), small=5) is None
    assert value(Row.small**-1, small=0) is None
    assert value(Row.eighths.otherwise(2), eighths=None) == 2.0


def test_remainders_have_the_sign_of_the_divisor() -> None:
    for a in (-5, -4, 5, 12):
        for b in (3, -3):
            assert value(Row.small % b, small=a) == a % b


@given(st.integers(-15, 15), st.lists(st.floats(1e285) | st.floats(max_value=-1e285), min_size=1, max_size=20))
@example(2, [1e308, -1e308])
@example(-15, [sys.float_info.max])
def test_rounding_is_there_for_the_largest_floats_too(digits: int, numbers: list[float]) -> None:
    given = [x for x in numbers if math.isfinite(x)]
    expr, events = f.round_(Row.wild, digits), [row(wild=x) for x in given]
    _check(expr, events)
    for x, found in zip(given, by_kernel(expr, events), strict=True):
        assert found == pytest.approx(round(x, digits), rel=1e-15)


def test_rounding_is_to_even() -> None:
    assert [value(f.round_(Row.eighths), eighths=x) for x in (0.5, 1.5, 2.5, -0.5)] == [0.0, 2.0, 2.0, 0.0]
    assert value(f.round_(Row.eighths, 1), eighths=0.25) == 0.2
    assert value(f.round_(Row.eighths, -1), eighths=25.0) == 20.0


def test_money_is_read_in_its_own_currency() -> None:
    assert value(f.units(Row.amount), amount=eur(3)) == 300
    assert value(f.units(Row.amount), amount=Money.of(3, "USD")) is None
    assert value(Row.amount > eur(2), amount=Money.of(3, "USD")) is None


ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Africa/Casablanca",
    ]
)
_EDGES = [
    datetime(2024, 3, 31, 1, tzinfo=UTC),  # Berlin springs forward
    datetime(2024, 10, 27, 1, tzinfo=UTC),  # and falls back
    datetime(2024, 3, 10, 7, tzinfo=UTC),  # New York
    datetime(2011, 12, 30, 10, tzinfo=UTC),  # Apia skips a day
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2099, 12, 31, 23, tzinfo=UTC),
    datetime(2000, 3, 1, tzinfo=UTC),
]
_TIMES = st.one_of(
    st.integers(86_400, 4_102_000_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
    st.integers(-1_568_000, 7_567_000).map(
        lambda n: EPOCH + timedelta(minutes=n * 43)
    ),  # some 130 years before to 620 after
    st.integers(-17_700_000, 69_800_000).map(lambda hours: EPOCH + timedelta(hours=hours)),  # the years 4 to 9986
    st.builds(lambda at, by: at + timedelta(microseconds=by), st.sampled_from(_EDGES), st.integers(-2, 7_200_000_000)),
)


@given(ZONES, _TIMES)
@example("Australia/Lord_Howe", datetime(2024, 4, 6, 15, tzinfo=UTC))
@example("Africa/Freetown", datetime(1939, 9, 3, tzinfo=UTC))
@example("Europe/Berlin", datetime(2150, 7, 15, 12, 30, tzinfo=UTC))
@example("America/New_York", datetime(1965, 7, 15, 12, 30, tzinfo=UTC))
@example("America/New_York", datetime(2499, 12, 31, 23, 59, tzinfo=UTC))
@example("America/New_York", datetime(2500, 7, 1, tzinfo=UTC))
def test_parts_of_a_time_are_those_of_the_local_calendar(zone: str, at: datetime) -> None:
    local = at.astimezone(ZoneInfo(zone))
    expected = {
        "hour": local.hour, "minute": local.minute, "weekday": local.weekday(),
        "day": local.day, "month": local.month, "year": local.year,
    }  # fmt: skip
    found = {name: value(getattr(f, name)(Row.since, zone), since=at) for name in expected}
    assert found == expected


def test_every_operator_of_the_language_has_been_tried() -> None:
    """The generator writes every operator, so the property above is about all of them."""
    from hypothesis import settings

    from tidegate.expressions.node import Call, walk
    from tidegate.expressions.operators import RULES

    seen: set[str] = set()
    for kind in LITERALS:

        @settings(max_examples=500, database=None)
        @given(expressions((kind,), depth=4))
        def look(expr: Expr) -> None:
            seen.update(node.op for node in walk(expr) if isinstance(node, Call))

        look()
    assert not set(RULES) - seen - {"feel"}  # which is written in FEEL, and tried there


def test_the_same_step_is_run_once() -> None:
    columns = Columns()
    program = Compiler(columns, lambda node: columns.new())
    low, high = [program.column(call("clip", Row.small * 3 + Row.small * 3, 0, end)) for end in (5, 6)]
    differs, same = program.column(Row.small != 3), program.column(~(Row.small == 3))
    assert low != high and differs == same
    steps = [tuple(line[:1]) + tuple(line[2:]) for line in program.program().code.tolist()]
    assert len(set(steps)) == len(steps) == 7  # times, plus, greatest, two of least, equal, not


def test_calls_are_made_by_name_too() -> None:
    assert value(call("add", Row.small, 2), small=3) == 5
    assert math.isclose(value(f.hours(Row.at - Row.since), at=EPOCH, since=EPOCH - timedelta(hours=3)), 3.0)
