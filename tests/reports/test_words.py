"""Numbers as people read them."""

import math

import numpy as np
import pytest

from tidegate.reports import words
from tidegate.reports.spread import latency
from tidegate.runtimes.examples import said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.00001, "<0.01 %"),
        (0.99999, ">99.9 %"),
        (0.0042, "0.42 %"),
        (0.1234, "12.3 %"),
        (math.nan, "–"),
        (2.5, "250.0 %"),
    ],
)
def test_percent(share: float, said: str) -> None:
    assert words.percent(share) == said


@pytest.mark.parametrize(
    ("minor", "exponent", "said"),
    [(123456, 2, "EUR 1,234.56"), (5, 2, "EUR 0.05"), (-5, 2, "EUR −0.05"), (123456, 0, "EUR 123,456")],
)
def test_money_is_exact(minor: int, exponent: int, said: str) -> None:
    assert words.money(minor, "EUR", exponent) == said
    assert words.money(10**25 + 1, "EUR", 2).endswith("000.01")


@pytest.mark.parametrize(
    ("us", "said"),
    [(4.2, "4.2 µs"), (1300, "1.3 ms"), (2.1e6, "2.1 s"), (3e8, "5 min"), (0, "0 µs"), (math.inf, "–")],
)
def test_duration(us: float, said: str) -> None:
    assert words.duration(us) == said


def test_times_are_utc() -> None:
    assert words.when(0) == "1970-01-01 00:00 UTC"
    assert words.day(86_400_000_000) == "1970-01-02"


def test_interval_and_shortened() -> None:
    assert words.interval(0.225, 0.239) == "22.5 to 23.9 %"
    assert words.interval(math.nan, 1) == ""
    assert words.shortened("a\nb" + "c" * 50, 6) == "a bcc…"
    assert words.compact(1234) == "1.23k" and words.compact(0) == "0"


def test_a_quantile_needs_enough_samples() -> None:
    named = {
        n: [q for q, _ in found.quantiles] for n in (1, 99, 100, 900, 1000) if (found := latency(np.arange(1.0, n + 1)))
    }
    assert named == {100: [0.5, 0.9, 0.99], 900: [0.5, 0.9, 0.99], 1000: [0.5, 0.9, 0.99, 0.999]}


def test_what_a_rule_saw_is_said_as_people_read_it() -> None:
    assert [said(one) for one in (True, False, None, 0.8636757030496375, 4)] == ["yes", "no", "missing", "0.8637", "4"]
