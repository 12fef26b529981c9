"""What each operator refuses, and what it says."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.conformance.events import Card
from tests.expressions.cells import Row
from tidegate.errors import FlowError
from tidegate.events.money import Money, eur, usd
from tidegate.expressions import functions as f
from tidegate.expressions.node import Expr, call
from tidegate.features.aggregates import count, mean, mode, since_last

_USUAL = mean(Row.euros, per=Row.card, last="1d")
_SINCE = mean(Row.at - Row.since, per=Row.card, last="1d")


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda: Row.euros + 1, "Money adds to money of the same currency"),
        (lambda: Row.small - eur(1), "'-' does not take these types. Seen: int - money in EUR"),
        (lambda: Row.euros + count(per=Row.card, last="1h"), "'+' does not take these types"),
        (lambda: Row.country + "x", "'+' does not take these types"),
        (lambda: Row.flag + 1, "'+' does not take these types"),
        (lambda: Row.at + Row.at, "'+' does not take these types"),
        (lambda: Row.at + _SINCE, "A time and a mean of durations do not add up"),
        (lambda: Row.at + 5, "'+' does not take these types"),
        (lambda: Row.euros * Row.euros, "Multiply by a plain number"),
        (lambda: Row.country * 2, "Multiply by a plain number"),
        (lambda: 1 / Row.euros, "Divide by a plain number"),
        (lambda: Row.euros / timedelta(seconds=1), "Divide by a plain number"),
        (lambda: Row.eighths % 2, "The remainder is for whole numbers"),
        (lambda: Row.euros % 2, "The remainder is for whole numbers"),
        (lambda: Row.euros**2, "divide money by money first"),
        (lambda: -Row.country, "'-' does not take these types"),
        (lambda: abs(Row.flag), "'abs' does not take these types"),
        (lambda: Row.euros > 5, "Compare money with money (eur(5))"),
        (lambda: Row.euros == 5, "Compare money with money (eur(5))"),
        (lambda: Row.country > "a", "Only numbers, money, times and durations have an order"),
        (lambda: Row.flag >= True, "Only numbers, money, times and durations have an order"),
        (lambda: Row.card < Row.payee, "Only numbers, money, times and durations have an order"),
        (lambda: Row.card == Row.shop, "'==' does not take these types"),
        (lambda: Row.card == 5, "'==' does not take these types"),
        (lambda: Row.shop == "x", "'==' does not take these types"),
        (lambda: Row.country != 5, "'!=' does not take these types"),
        (lambda: Row.channel == "fax", "It is one of app, web, desk"),
        (lambda: Row.channel.is_in("app", "fax"), "It is one of app, web, desk"),
        (lambda: Row.euros == usd(5), "Two currencies in one expression. Seen: EUR and USD"),
        (lambda: Row.euros + usd(5), "Two currencies"),
        (lambda: _USUAL / usd(5), "Two currencies"),
        (lambda: f.where(Row.flag, Row.euros, usd(1)), "Two currencies"),
        (lambda: Row.euros.otherwise(usd(1)), "Two currencies"),
        (lambda: f.clip(Row.euros, eur(1), usd(2)), "Two currencies"),
        (lambda: Row.small & Row.flag, "Put comparisons in brackets: (a > 1) & (b < 2)"),
        (lambda: Row.flag | Row.small, "Put comparisons in brackets"),
        (lambda: ~Row.small, "Put comparisons in brackets"),
        (lambda: Row.small > 1 & Row.wide, "Put comparisons in brackets"),
        (lambda: Row.small.otherwise("x"), "The value to use instead has the same type"),
        (lambda: f.where(Row.small, 1, 2), "where(condition, value, otherwise=value)"),
        (lambda: f.where(Row.flag, 1, "x"), "Both values have the same type"),
        (lambda: Row.small.is_in(), "is_in needs at least one value"),
        (lambda: Row.small.is_in(Row.wide), "is_in compares with constants"),
        (lambda: Row.small.is_in("x"), "Compare money with money"),
        (lambda: f.log(Row.euros), "divide money by money first"),
        (lambda: f.round_(Row.eighths, 16), "Rounding takes -15 to 15 digits"),
        (lambda: f.least(Row.at, Row.at), "'least' does not take these types"),
        (lambda: f.as_number(Row.small), "'as_number' does not take these types"),
        (lambda: f.units(Row.small), "It takes a money"),
        (lambda: f.hours(Row.small), "It takes a duration"),
        (lambda: f.hour(Row.small), "It takes a time"),
        (lambda: f.hour(Row.at, "Mars/Olympus"), "not an IANA time zone"),
        (lambda: f.lower(Row.small), "It takes text"),
        (lambda: f.contains(Row.country, Row.country), "What to look for in a text is a constant"),
        (lambda: f.length(mode(Row.country, per=Card, last="1h")), "Functions of text read a field of the event"),
        (lambda: Row.euros > Money(500, "eur"), "Did you mean 'EUR'?"),
        (lambda: Row.euros > Money(5.5, "EUR"), "a whole number of minor units"),  # type: ignore[arg-type]
        (lambda: Row.small == 2**60, "Whole numbers lie within 2**53"),
        (lambda: Row.eighths > float("nan"), "A constant is a finite number"),
        (lambda: Row.eighths > float("inf"), "A constant is a finite number"),
        (lambda: Row.at > datetime(2024, 1, 1), "A time has a time zone"),  # noqa: DTZ001
        (lambda: Row.small == None, "cannot stand in an expression"),  # noqa: E711
        (lambda: Row.small > [1], "cannot stand in an expression"),
        (lambda: call("add", Row.small), "add takes 2 arguments"),
    ],
)
def test_it_is_refused(write: Callable[[], object], said: str) -> None:
    with pytest.raises(FlowError) as told:
        write()
    assert said in str(told.value)


@pytest.mark.parametrize(
    "write",
    [
        lambda: Row.flag and Row.small > 1,
        lambda: Row.flag or Row.flag,
        lambda: not Row.flag,
        lambda: 1 < Row.small < 3,
        lambda: bool(Row.small),
        lambda: [1] if Row.flag else [2],
    ],
)
def test_python_words_are_refused_with_the_signs_to_write(write: Callable[[], object]) -> None:
    with pytest.raises(FlowError, match=r"Write & for and, \| for or, ~ for not"):
        write()


def test_in_is_refused_with_the_function_to_write() -> None:
    with pytest.raises(FlowError, match="Write `is_in"):
        "de" in Row.country  # noqa: B015


@pytest.mark.parametrize(
    ("expr", "kind"),
    [
        (Row.small + 1, "int"),
        (Row.small + 0.5, "float"),
        (Row.small / 2, "float"),
        (Row.euros + eur(1), "money in EUR"),
        (Row.amount + eur(1), "money in EUR"),
        (2 * Row.euros, "money in EUR"),
        (Row.euros / _USUAL, "float"),
        (Row.at - Row.since, "duration"),
        (Row.at - (Row.at - Row.since), "time"),
        (since_last(per=Row.card, last="1h") > timedelta(minutes=1), "bool"),
        (f.where(Row.flag, "a", Row.country), "text"),
        (Row.channel.otherwise("app"), "text"),
        (Row.card == "a", "bool"),
        (Row.shop == 7, "bool"),
        (Row.channel.otherwise("unknown") == "unknown", "bool"),
    ],
)
def test_what_fits_gives_its_type(expr: Expr, kind: str) -> None:
    assert str(expr.type) == kind


def test_what_does_not_fit_a_mean_is_approximate() -> None:
    assert (Row.euros / 2).type.is_float
    assert not (Row.euros * 2).type.is_float
    assert (Row.euros * 0.5).type.is_float
    assert _USUAL.type.is_float
