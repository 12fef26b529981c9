"""Operators with a plain number on the left are what they are with it on the right."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.oracle import Oracle
from tidegate import Decision, Engine, Event, Flow, FlowError, entity, review

Card = entity("card")
AT = datetime(2026, 1, 1, tzinfo=UTC)


class Paid(Event):
    card: Card
    n: int
    x: float


class Turned(Flow[Paid]):
    rest = 17 % Paid.n
    power = 2**Paid.n
    root = 2.25**Paid.x
    less = 5 - Paid.n
    part = 5 / Paid.x
    odd = review(7 % Paid.n == 1, because="The rest is one")


@pytest.mark.parametrize(("n", "x"), [(1, 0.5), (3, 2.0), (-5, -1.0), (0, 0.0), (6, 1.5)])
def test_they_are_what_python_and_the_oracle_say(n: int, x: float) -> None:
    event = Paid(id="a", at=AT, card="c", n=n, x=x)
    found = Engine(Turned, explain=True).decide(event)
    right = Oracle(Turned).decide(event)
    assert isinstance(found, Decision) and found.features is not None
    for name, value in found.features.items():
        assert value == (None if right.features[name] is None else pytest.approx(float(right.features[name]))), name
    assert found.features["rest"] == (17 % n if n else None)
    assert found.features["power"] == 2.0**n and found.features["root"] == pytest.approx(2.25**x)
    assert found.outcome == right.outcome.word == ("review" if n and 7 % n == 1 else "approve")


def test_they_are_read_as_they_are_written() -> None:
    assert (str(17 % Paid.n), str(2**Paid.n)) == ("17 % Paid.n", "2 ** Paid.n")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Paid.n // 2, r"`//` does not make an expression\. Write floor\(a / b\)\."),
        (lambda: 2 // Paid.n, r"`//` does not make"),
        (lambda: Paid.n ^ 2, r"`\^` does not make an expression\. Write a \*\* b"),
        (lambda: True ^ (Paid.n > 2), r"`\^` does not make"),
        (lambda: 2.5 % Paid.n, "The remainder is for whole numbers"),
    ],
)
def test_what_there_is_no_operator_for_says_what_to_write(made: Callable[[], Any], told: str) -> None:
    with pytest.raises(FlowError, match=told):
        made()
