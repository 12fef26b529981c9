"""What FEEL and the graph can both say, they say alike: the engine against FEEL's exact evaluator."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate import Decision, Engine, Event, Flow, FlowError, Money, count, entity, feel, where
from tidegate.expressions.feel.expression import parse
from tidegate.expressions.feel.held import Held
from tidegate.expressions.feel.literals import literal_of
from tidegate.expressions.feel.refusals import FeelError
from tidegate.expressions.feel.temporal import parse_date_time
from tidegate.expressions.node import Expr
from tidegate.expressions.text import parse as read_again
from tidegate.expressions.text import write
from tidegate.runtimes.stages.staging import Staging

Card = entity("card")
START = datetime(2026, 1, 1, tzinfo=UTC)


class Paid(Event):
    card: Card
    a: int | None
    b: int
    x: float | None
    c: str | None
    f: bool | None
    amount: Money


NAMES: dict[str, Expr] = {
    "a": Paid.a, "b": Paid.b, "x": Paid.x, "c": Paid.c, "f": Paid.f, "amount": Paid.amount, "at": Paid.at,
}  # type: ignore[dict-item]  # fmt: skip

# Some are close to the constants below.
_HALF_SECONDS = st.integers(0, 4_800_000) | st.integers(777_598, 777_603)
_LARGE = [2**31, -(2**40), 2**53 - 1, 10**15]
_FLOATS = [0.1, 0.2, 0.29, 0.3, 1 / 3, 1e15, 1e200, -1e-200, 1e300, 5e-324, 700.0]
EVENTS = st.builds(
    lambda i, half_seconds, a, b, x, c, f, cents: Paid(
        id=str(i), at=START + timedelta(seconds=half_seconds / 2), card="k", a=a, b=b, x=x, c=c, f=f,
        amount=Money(cents, "EUR"),
    ),
    st.integers(0, 9), _HALF_SECONDS, st.none() | st.integers(-9, 9), st.integers(-9, 9) | st.sampled_from(_LARGE),
    st.none() | st.integers(-16, 16).map(lambda n: n / 4) | st.sampled_from(_FLOATS) | st.floats(-1e300, 1e300),
    st.none() | st.sampled_from(["", "FR", "fr", "Frankfurt"]),
    st.none() | st.booleans(), st.integers(0, 900) | st.sampled_from([10**9 + 1, 10**12]),
)  # fmt: skip

_NUMBERS = st.sampled_from(
    [
        "a",
        "b",
        "x",
        "1",
        "0",
        "-3",
        "2.5",
        "at.hour",
        "at.weekday",
        "string length(c)",
        "0.1",
        "0.2",
        "0.3",
        "100",
        "1e6",
    ]
)


@st.composite
def numbers(draw: Any, depth: int = 2) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(_NUMBERS)
    left, right = draw(numbers(depth - 1)), draw(numbers(depth - 1))
    form = draw(
        st.sampled_from(
            [
                "({} + {})",
                "({} - {})",
                "({} * {})",
                "max({}, {})",
                "min([{}, {}])",
                "(if {} > 1 then {} else 7)",
                "({} / {})",
            ]
        )
    )
    return draw(st.sampled_from(["{}"] * 6 + ["sqrt({})", "exp({})", "floor({})", "log({})"])).format(
        form.format(left, right)
    )


@st.composite
def conditions(draw: Any, depth: int = 3) -> str:
    if depth and draw(st.booleans()):
        left, right = draw(conditions(depth - 1)), draw(conditions(depth - 1))
        return draw(st.sampled_from([f"({left} and {right})", f"({left} or {right})", f"not({left})"]))
    one, other = draw(numbers()), draw(numbers())
    return draw(
        st.sampled_from(
            [
                f"{one} < {other}", f"{one} >= {other}", f"{one} = {other}", f"{one} != {other}",
                f"{one} between -1 and {other}",
                f"b between {one} and {other}", f"{one} in (-1..3]", f"{one} in (> 2, < -2)",
                f"{one} in (1, 2, 3)",
                "a = null", "x != null", "f", "f = true", 'c = "FR"', 'c != "FR"', 'c in ("FR", "fr")',
                'starts with(c, "F")', 'contains(upper case(c), "R")', "amount > 5", "amount in [1..4.25]",
                "amount * 2 <= 7.5", f"amount * {one} >= 5", f"amount / {one} = amount", "amount / 3 > 1.66",
                "0.1 + 0.2 = 0.3",
                f"{one} > 0.1 + 0.2", f"amount * 0.1 * {other} < amount", "amount * 1000000 > 1",
                "amount + 1 = 2", "amount = amount", 'at < date and time("2026-01-10T00:00:00Z")',
                f'at {draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))} @"2026-01-05T12:00:00.5Z"',
                'at in [@"2026-01-05T12:00:00Z"..@"2026-01-05T12:00:01Z"]', 'at < at + duration("PT0.5S")',
                'at + duration("P1D") >= @"2026-01-05T12:00:00Z"', f"abs({one}) > 2",
            ]
        )
    )  # fmt: skip


def exact(event: Paid) -> dict[str, Any]:
    """What FEEL is given: the same event in its own values."""
    numbers = {name: None if (v := getattr(event, name)) is None else Decimal(str(v)) for name in ("a", "b", "x")}
    amount = Decimal(event.amount.units) / 100
    at = parse_date_time(event.at.isoformat().replace("+00:00", "Z"))
    return numbers | {"c": event.c, "f": event.f, "amount": amount, "at": at}


_CLOSE = st.sampled_from(
    [
        "x + 0.1 = 0.3", "x * 3 = 0.3", "x / 3 * 3 = x", "b / 3 * 3 = b", "b / 7 < b * 0.1 + 3", "(x - 0.1) * 10 <= 1",
        "sqrt(x * x) = x", "floor(x * 10) = 3", "ceiling(b / 3 * 3) = b", "x * 0.1 > 0", "x * x > 0",
        "b * b > 10 ** 24",
        "b * b - b * b = 0", "b * b * b * b >= b", "amount / 3 * 3 = amount", "amount * 0.1 * 10 >= amount",
        "exp(log(x)) >= x", "x / b = x / b", "x / (x - 0.1) > 2", "1 / 3 = x", "x >= 1 / 3", "max(x * 0.1, b) = b",
        "(if x * 10 >= 3 then 1 else 2) = 1", "x / 0 = null", "b * b = null", "amount * 10000000000 > amount",
        'c = "FR" and x + 0.2 >= 0.3', "string length(c) / 3 * 3 = 2",
        "at + duration(\"P1D\") - at = duration(\"P1D\")",
        "-x * 3 <= -0.9", "abs(x - 0.3) = 0.1", "x = 0.1 + 0.2", "min(x, 1 / 3) * 3 >= 1", "x in [0.1 * 3..1]",
    ]
)  # fmt: skip
"""Conditions that hang on the last bit."""


@given(
    conditions() | _CLOSE | _CLOSE.map("not({})".format),
    st.lists(EVENTS, min_size=1, max_size=4, unique_by=lambda event: event.id),
)
def test_the_engine_says_what_feel_says(text: str, events: list[Paid]) -> None:
    try:
        made = feel(text, NAMES, currency="EUR")
    except FeelError as error:
        assert "comes to" in str(error) or "cannot be compiled" in str(error) or "types" in str(error)
        return

    class Asks(Flow[Paid]):
        currency = "EUR"
        lateness = "400d"
        answer = where(made, 1, 0)

    engine, read = Engine(Asks, explain=True), parse(text, names=dict.fromkeys(NAMES))
    for event in events:
        decision = engine.decide(event)
        assert isinstance(decision, Decision) and decision.features is not None
        right = read.evaluate(exact(event))
        assert decision.features["answer"] == (None if right is None else int(right)), (text, literal_of(right))


def test_decimals_are_asked_only_where_doubles_leave_it_open() -> None:
    text = "x * 0.1 > 0.02 and a / 3 < 1"
    fields: dict[str, Any] = {"x": Paid.x, "a": Paid.a}

    class Asks(Flow[Paid]):
        held = feel(text, fields)

    engine = Engine(Asks, explain=True)
    text_at_work = engine.decider._by_row[0].texts[0]
    for number, x, a, right, asked in ((1, 0.5, 2, True, 0), (2, 0.2, 2, False, 1), (3, 0.1, None, False, 1)):
        made = Paid(id=str(number), at=START, card="k", a=a, b=1, x=x, c=None, f=None, amount=Money(1, "EUR"))
        decision = engine.decide(made)
        assert isinstance(decision, Decision) and decision.features == {"held": right}
        assert text_at_work.exact == asked


def test_a_text_that_is_held_to_decimals_is_written_and_read_again() -> None:
    for made in (
        feel("x / 3 > 1", x=Paid.x),
        feel("the x / 3 > 1 and m > 2 * x", {"the x": Paid.x, "m": Paid.b, "x": Paid.x}),
        feel("m * 0.1 > 3", m=Paid.amount, currency="EUR"),
    ):  # fmt: skip
        assert isinstance(made, Held) and read_again(write(made), {"Paid": Paid}).key == made.key
    assert not isinstance(feel("a * 3 - 1 >= b and a >= x and amount > 3 and at.hour < 6", NAMES, currency="EUR"), Held)


def test_a_challenger_gives_a_held_text_other_names() -> None:
    class One(Flow[Paid]):
        usual = Paid.b * 3
        tells = feel("usual / 3 > 1", usual=usual)

    class Other(One):
        usual = Paid.b * 0.3

    made = Paid(id="1", at=START, card="k", a=1, b=10, x=0.1, c=None, f=None, amount=Money(1, "EUR"))
    for flow, right in ((One, True), (Other, False)):
        decision = Engine(flow, explain=True).decide(made)
        assert isinstance(decision, Decision) and decision.features is not None
        assert decision.features["tells"] is right


def test_what_a_window_and_a_stage_cannot_ask_is_refused() -> None:
    with pytest.raises(FlowError, match="asked after the windows"):

        class Counted(Flow[Paid]):
            many = count(per=Paid.card, last="1d", where=feel("x * 0.1 > 3", x=Paid.x))

    class Worded(Flow[Paid]):
        held = feel('c = "FR" and x * 0.1 > 3', c=Paid.c, x=Paid.x)

    with pytest.raises(FlowError, match="Cut it in two"):
        Staging(Worded.plan)


@pytest.mark.parametrize("text", ["0.1 + 0.2 = 0.3", "0.3 in [0.1 + 0.2..1]", "1 / 3 * 3 < 1", "2 ** 100 > 2 ** 99"])
def test_what_is_constant_is_computed_in_decimals(text: str) -> None:
    assert str(feel(text)) == "True"


def test_whole_numbers_and_amounts_are_exact() -> None:
    assert str(feel("a * 3 - 1 >= 5", a=Paid.a)) == "Paid.a * 3 - 1 >= 5"
    assert str(feel("amount > 5000.10", amount=Paid.amount, currency="EUR")) == "Paid.amount > money('5000.10 EUR')"
    assert str(feel("the amount > 5", {"the amount": Paid.amount}, currency="JPY")) == "Paid.amount > money('5 JPY')"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("amout > 5", "Did you mean amount"),
        ("amount >", "line 1"),
        ("amount > 5.001", "no parts as small"),
        ("for i in [1, 2] return i", "cannot be compiled"),
        ("some i in [1] satisfies i > a", "cannot be compiled"),
        ("[a, 2][1] = 1", "cannot be compiled"),
        ("a > 1 / 0", "divided by zero"),
        ("at > now()", "no time was given"),
        ("a > [1, 2]", "only times and durations"),
        ("a < null", "by = and !="),
        ("null", "null stands alone"),
        ("c + c", "texts are not put together"),
        ("c < c", "order"),
        ("amount > a", "Compare money with money"),
        ("contains(c, c)", "written as a text"),
        ("a ** 2 > 1", "cannot be compiled"),
        ("x > 0.10000000000000000000001", "more digits than a float has"),
        ('at = at + duration("PT1S")', "whole seconds"),
        ("a in [1..b]", "write `between`"),
        ('at > @"2026-01-01T00:00:00"', "has its zone"),
        ('a > @"P1Y"', "days and hours"),
        ("substring(c, 1) = c", "cannot be compiled"),
    ],
)
def test_what_the_graph_cannot_say_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(FeelError) as told:
        feel(text, NAMES, currency="EUR")
    assert words in str(told.value) and "column" in told.value.seen
    assert isinstance(told.value, FlowError)


@pytest.mark.fuzz
@given(st.lists(st.sampled_from([
    "a", "b", "(", ")", "[", "]", "{", "}", ",", ":", ".", "..", "+", "-", "*", "/", "**", "=", "!=", "<", ">", " and ",
    " or ", " in ", "if ", " then ", " else ", "for ", " return ", "some ", " satisfies ", " between ", " instance of ",
    "null", "true", "1", "2.5", '"x"', '"', "@", "//", "/*", "function(", "not(", "date(", "sum(", "list<", "?", " ",
    "\n",
]), max_size=14).map("".join) | st.text(max_size=30))  # fmt: skip
def test_any_text_is_read_or_refused(text: str) -> None:
    from tidegate.errors import TidegateError
    from tidegate.expressions.feel.given import Budget, Given

    try:
        read = parse(text, names={"a": None, "b": None})
        read.evaluate({"a": Decimal(1), "b": None}, Given(budget=Budget()))
    except TidegateError as error:
        assert str(error)
    try:
        feel(text, {"a": Paid.a, "b": Paid.b})  # type: ignore[dict-item]
    except FlowError as error:
        assert str(error)
