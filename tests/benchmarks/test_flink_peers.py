"""The peer in PyFlink gives what W1 asks: its windows, which share their events, say what each alone would."""

import statistics
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from benchmarks.flink_peers import (
    CARD_WINDOWS,
    DAY,
    HOUR,
    MERCHANT_WINDOWS,
    Past,
    learn,
    move,
    nothing,
    of_card,
    of_merchant,
)

Seen = Sequence[tuple[int, int, int]]


def within(seen: Seen, at: int, span: int) -> Seen:
    return [one for one in seen if at - span < one[0]]


def card(seen: Seen, at: int) -> list[Any]:
    row: list[Any] = []
    for span in CARD_WINDOWS.values():
        amounts = [amount for _, amount, _ in within(seen, at, span)]
        some, two = len(amounts) > 0, len(amounts) > 1
        row += [len(amounts), sum(amounts), statistics.fmean(amounts) if some else None, max(amounts, default=None)]
        row.append(statistics.stdev(amounts) if two else None)
    row.append(len({merchant for _, _, merchant in within(seen, at, DAY)}))
    return [*row, at - seen[-1][0] if seen else None]


def merchant(seen: Seen, at: int) -> list[Any]:
    row: list[Any] = []
    for span in MERCHANT_WINDOWS.values():
        amounts = [amount for _, amount, _ in within(seen, at, span)]
        row += [len(amounts), sum(amounts)]
    declined = [other for _, _, other in within(seen, at, DAY)]
    return [*row, statistics.fmean(declined) if declined else None]


def known(row: list[Any]) -> list[float]:
    """A row with a number, that none of them is, where there is nothing to say."""
    return [-1.0 if value is None else value for value in row]


@pytest.mark.parametrize(("windows", "ask", "brute"), [
    (list(CARD_WINDOWS.values()), of_card, card), (list(MERCHANT_WINDOWS.values()), of_merchant, merchant),
])  # fmt: skip
def test_the_windows_share_their_events(windows: list[int], ask: Any, brute: Any) -> None:
    random, past, seen, at = Random(7), nothing(windows), list[tuple[int, int, int]](), 0
    for _ in range(600):
        at += random.choice((1, 20_000, 60_000, HOUR, 5 * HOUR))
        move(past, windows, at)
        assert known(ask(past, at)) == pytest.approx(known(brute(seen, at)), rel=1e-9, abs=1e-4)
        one = (at, random.randint(1, 10**6), random.randint(0, 1))
        learn(past, *one)
        seen.append(one)
    assert len(_times(past)) < 400 < len(seen), "what no window reaches is let go"


def _times(past: Past) -> Sequence[int]:
    return past[0]
