"""The text form reads like Python, and parses back to the same graph."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.events import Card, Draw, Shop, made_event
from tests.conformance.literals import LITERALS
from tests.conformance.windows import made_window
from tests.expressions.cells import Row, expressions
from tidegate.connectors.models import model
from tidegate.errors import FlowError
from tidegate.events.event import Event
from tidegate.expressions import functions as f
from tidegate.expressions.node import Expr, literal
from tidegate.expressions.text import parse
from tidegate.features import aggregates
from tidegate.features.entity_list import entity_list
from tidegate.features.plan import AGGREGATES
from tidegate.features.window import Window

NAMES: dict[str, Any] = {
    "Row": Row,
    "Card": Card,
    "Shop": Shop,
    "entity_list": entity_list,
    "model": model,
    **{name: getattr(aggregates, name) for name in AGGREGATES},
}


@given(expressions(tuple(LITERALS), depth=5))
def test_what_is_written_parses_back_to_the_same(expr: Expr) -> None:
    back = parse(str(expr), NAMES)
    assert back.key == expr.key
    assert back.type == expr.type


@st.composite
def windows(draw: Draw) -> tuple[Window, dict[str, type[Event]]]:
    decided, other = made_event(draw, "Paid"), made_event(draw, "Login")
    return made_window(draw, decided, [other]), {"Paid": decided.event, "Login": other.event}


@given(windows())
def test_windows_parse_back_to_the_same(case: tuple[Window, dict[str, type[Event]]]) -> None:
    window, events = case
    back = parse(str(window), NAMES | events)
    assert isinstance(back, Window)
    assert back.key == window.key or str(back) == str(window)
    assert back.type == window.type


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Row.small + 1 - Row.wide * 2, "Row.small + 1 - Row.wide * 2"),
        (Row.small - (Row.wide - 1), "Row.small - (Row.wide - 1)"),
        ((Row.small > 1) & ~(Row.wide < 2) | Row.flag, "((Row.small > 1) & ~(Row.wide < 2)) | Row.flag"),
        (-(Row.small**2), "-Row.small ** 2"),
        ((-Row.small) ** 2, "(-Row.small) ** 2"),
        (literal(-0.0) ** 2, "(-0.0) ** 2"),
        (Row.small - literal(-0.0), "Row.small - -0.0"),
        (Row.small.otherwise(0), "Row.small.otherwise(0)"),
        ((Row.small + 1).is_missing(), "(Row.small + 1).is_missing()"),
        (Row.country.is_in("de", "fr"), "Row.country.is_in('de', 'fr')"),
        (f.hour(Row.at, "Europe/Berlin"), "hour(Row.at, 'Europe/Berlin')"),
        (f.hour(Row.at), "hour(Row.at)"),
        (abs(Row.small), "abs(Row.small)"),
        (f.round_(Row.eighths, 2), "round_(Row.eighths, 2)"),
        (aggregates.count(per=Card, last="10m"), "count(per=Card, last='10m')"),
        (
            aggregates.mean(Row.euros, per=(Card, Shop), last="7d", delay="1d", where=Row.flag),
            "mean(Row.euros, per=(Card, Shop), last='7d', where=Row.flag, delay='1d')",
        ),
        (model("risk@live", of=[Row.small], otherwise=0.5), "model('risk@live', of=[Row.small], otherwise=0.5)"),
        (entity_list("blocked", Card).has(Row.card), "entity_list('blocked', Card).has(Row.card)"),
    ],
)
def test_it_reads_like_python(expr: Expr, text: str) -> None:
    assert str(expr) == text
    assert parse(text, NAMES).key == expr.key


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Row.smal > 1", "Did you mean small?"),
        ("cuont(per=Card, last='1h')", "Did you mean count?"),
        ("Rwo.small", "Did you mean Row?"),
        ("Row.small > 1 and Row.flag", "Write & | ~ for and, or, not."),
        ("not Row.flag", "Write ~ for not."),
        ("Row.small >", "This is not an expression."),
        ("__import__('os')", "Unknown name."),
        ("Row.__class__", "has no field"),
        ("Row.small.key", "not part of the expression language"),
        ("[x for x in Row]", "not part of the expression language"),
        ("lambda: 1", "not part of the expression language"),
        ("Row.small < 1 < 2", "not part of the expression language"),
        ("log(Row.small, 3)", "called with arguments it does not take"),
        ("Row.small > 'x'", "does not take these types"),
        ("hour(Row.at, 'Europe/Berlim')", "not an IANA time zone"),
        ("money('1.234 EUR')", "EUR has 2 decimals"),
        ("duration('5 parsecs')", "A length of time"),
        ("time('yesterday')", "called with arguments it does not take"),
        ("(" * 5000 + "1" + ")" * 5000, "This is not an expression."),
    ],
)
def test_mistakes_are_told(text: str, said: str) -> None:
    with pytest.raises(FlowError) as told:
        parse(text, NAMES)
    assert said in str(told.value)
