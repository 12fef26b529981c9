"""What people write when they look for decisions."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.actions.drawn import QUERY, documents, written
from tests.actions.oracle import found
from tidegate.actions.query import All, Any, Begins, Compare, Equal, Not, Phrase, Time, parse
from tidegate.errors import TidegateError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", All(())),
        ("stolen", Phrase(("stolen",))),
        ("Stolen card", All((Phrase(("stolen",)), Phrase(("card",))))),
        ('"Stolen card"', Phrase(("stolen", "card"))),
        ("level:High", Equal("level", ("high",))),
        ("level:high,severe", Equal("level", ("high", "severe"))),
        ('merchant:"Corner, \\"Shop\\""', Equal("merchant", ('corner, "shop"',))),
        ("merchant:Cor*", Begins("merchant", "cor")),
        ("device:*", Begins("device", "")),
        ('merchant:"Cor*"', Equal("merchant", ("cor*",))),
        ("amount>5000", Compare("amount", ">", 5000.0)),
        ("amount >= -5e3", Compare("amount", ">=", -5000.0)),
        ("amount:>5000", Compare("amount", ">", 5000.0)),
        ("amount:<=5000", Compare("amount", "<=", 5000.0)),
        ("amount-currency:EUR", Equal("amount-currency", ("eur",))),
        ("since:7d", Time("since", 7 * 86_400_000_000, before=True)),
        ("until:1970-01-02", Time("until", 86_400_000_000)),
        ("since:1970-01-01T01:00+01:00", Time("since", 0)),
        ("-level:high", Not(Equal("level", ("high",)))),
        ("NOT stolen", Not(Phrase(("stolen",)))),
        ("a AND b", All((Phrase(("a",)), Phrase(("b",))))),
        ("a b OR c", Any((All((Phrase(("a",)), Phrase(("b",)))), Phrase(("c",))))),
        ("a (b OR c)", All((Phrase(("a",)), Any((Phrase(("b",)), Phrase(("c",))))))),
        ("well-known", Phrase(("well", "known"))),
    ],
)
def test_it_is_read_as_meant(text: str, meant: object) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("level:", "Write a value behind level:"),
        ("amount>much", "compares with a number"),
        ("amount>nan", "compares with a number"),
        ("amount:>much", "compares with a number"),
        ("amount:>", "Write a value behind amount>"),
        ("since:>3d", "Write since:7d"),
        ("(a", "Close the parenthesis"),
        ("a)", "closes that was not opened"),
        ("a OR", "Something has to follow OR"),
        ("NOT", "Something has to follow NOT"),
        ("since:soon", "since:7d"),
        ("since>3", "Write since:7d"),
        ('"open', "several words"),
        ("...", "letters or digits"),
        ("(" * 40 + "a" + ")" * 40, "32 deep"),
        ("NOT " * 40 + "a", "32 deep"),
        ("a" * 5000, "4096"),
        (":x", "field:value"),
    ],
)
def test_a_mistake_is_shown(text: str, words: str) -> None:
    with pytest.raises(TidegateError) as error:
        parse(text)
    assert words in str(error.value)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(TidegateError):
        parse(text)


@given(QUERY, documents())
def test_what_is_written_finds_what_was_meant(query: object, made: list) -> None:
    assert found(parse(written(query)), made) == found(query, made)
