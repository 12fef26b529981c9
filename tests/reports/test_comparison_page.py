"""The page of a comparison: one file, no network, no script, and every figure said."""

from dataclasses import replace

import polars as pl

from tidegate.decisions.difference import Change
from tidegate.reports.compared import Cause, Compared, Flip, Group
from tidegate.reports.comparison import compared_in_words, render_comparison

from .pages import checked
from .worlds import replay as figures

GROUPS = {(0, 0, 0): Group(3000, 5), (0, 2, 1): Group(7, 70_050), (1, 0, 0): Group(12, 1_234), (0, 1, -1): Group(3)}
CAUSE = Cause(
    "testing",
    "new",
    "Small <b>payments</b>",
    (Change("testing", "n >= 4", "n >= 3"),),
    (),
    {(0, 2, 1): Group(7, 70_050)},
)
LIMITS = Cause("limits", "old", "A limit that the flow sets itself", (), (), {(1, 0, 0): Group(12, 1_234)})
FLIP = Flip(
    "p<1>", 1_720_000_000_000_000, 999, (0, 2, 1), (0.25, float("nan")), ("testing",), {"n": (3, 4), "m": (None, None)}
)


def compared(**changes) -> Compared:
    fields = {
        "old": figures(),
        "new": figures(seed=8),
        "changes": (Change("testing", "n >= 4", "n >= 3"), Change("level", "", "bands(risk, low=0)")),
        "groups": GROUPS,
        "causes": (LIMITS, CAUSE),
        "examples": (FLIP,),
        "alarms": (2, 5),
        "levels": 4,
        "scores": (9, 0.125),
        "reasons": 6,
        "alone": (1, 2),
        "flips": pl.DataFrame({"amount": [1, None, None, 4]}),
    }
    return Compared(**(fields | changes))


def test_a_page_says_everything_and_escapes_what_users_wrote() -> None:
    reader = checked(render_comparison(compared()))
    text = " ".join(" ".join(reader.text).split())
    assert "Of 3,022 events 22 (0.73 %) are decided otherwise: 10 more severely, 12 more mildly." in text
    assert "Of known frauds 7 are treated more severely and 0 more mildly." in text
    assert "approve → decline 7" in text and "EUR 700.50" in text
    assert "n >= 4 → n >= 3" in text and "other decisions were counted towards a limit" in text
    assert "Small <b>payments</b>" in text and "p<1>" in text
    assert "n = 3 → 4" in text and "m =" not in text
    assert "3 flips are of events without a known label" in text
    assert "Only the old version took 1 events, and only the new one 2" in text


def test_what_is_looked_for_is_called_by_its_label() -> None:
    named = replace(figures(seed=8), label_name="bad")
    reader = checked(render_comparison(compared(new=named)))
    text = " ".join(" ".join(reader.text).split())
    assert "Of known bad 7 are treated more severely" in text and "bad value caught" in text
    assert dict(compared_in_words(compared(new=named)))["bad, treated more severely now"].startswith("7")


def test_two_versions_that_agree_say_so() -> None:
    same = compared(groups={(0, 0, 0): Group(5)}, causes=(), examples=(), changes=(), alone=(0, 0))
    text = " ".join(checked(render_comparison(same)).text)
    assert "All 5 events come out as before." in text and "What flips" not in text


def test_nothing_decided_is_said() -> None:
    nothing = compared(groups={}, causes=(), examples=(), old=figures(0), new=figures(0))
    assert "nothing to compare" in " ".join(checked(render_comparison(nothing)).text)


def test_the_same_figures_give_the_same_page() -> None:
    assert render_comparison(compared()) == render_comparison(compared())


def test_money_is_left_out_where_there_is_none() -> None:
    found = compared(new=replace(figures(seed=8), amount=None), old=replace(figures(), amount=None))
    assert "EUR" not in str(compared_in_words(found))
    checked(render_comparison(found))


def test_the_short_form() -> None:
    lines = dict(compared_in_words(compared()))
    assert lines["decided otherwise"] == "22 (0.73 %)"
    assert lines["fraud, treated more severely now"] == "7, EUR 700.50"
    assert lines["not in the sums"] == "2 of 22 decided otherwise have no amount in EUR"
    assert "2 of 22 decided otherwise have no amount in EUR: sums" in render_comparison(compared())
    assert "not in the sums" not in dict(compared_in_words(compared(flips=pl.DataFrame({"amount": [1]}))))
    assert lines["good, treated more mildly now"] == "12, EUR 12.34"
    assert lines["alarms"] == "5 more, 2 fewer"
    assert lines["another score"] == "9, by 0.1250 at most"
