"""What a flow keeps beside its windows: every kind of it is told, and takes no more than is told."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tidegate import Event, Flow, at_most, count, decline, entity, entity_list, last_value, mode, review
from tidegate.cli import app
from tidegate.decisions.decider import Decider
from tidegate.decisions.footprint import FORGET, LISTED, SNOOZED, TEXT, TIME, beside_windows
from tidegate.decisions.lists import ListBook
from tidegate.decisions.snooze import SnoozeBook
from tidegate.decisions.wording import Wording
from tidegate.expressions.words import word

Card = entity("card")
NOW = 10**15


class Paid(Event):
    card: Card
    shop: str
    city: str
    note: str


class Full(Flow[Paid]):
    usual = mode(Paid.shop, per=Card, last="30d")
    before = last_value(Paid.city, per=Card, last="1h")
    blocked = entity_list("blocked-cards", Card).has(Paid.card)
    many = review(count(per=Card, last="1h") > 3, because="Many")
    stop = decline(blocked | (usual != Paid.shop), because="Blocked")
    limits = (at_most(100, "decline", last="1h"), at_most(2000, "review", last="1d", then="approve"))
    lateness = "1h"


class Bare(Flow[Paid]):
    often = review(count(per=Card, last="1h") > 3, because="Often")


def test_every_kind_of_it_is_told_and_nothing_that_is_not_there() -> None:
    texts, first, second, listed, snoozes, rest = beside_windows(Full.definition, Full.plan)
    assert texts.startswith("texts of Paid.shop, Paid.city: ") and "note" not in texts
    assert texts.endswith("until it has not come for 721h to 1442h")
    assert first.startswith("declines, for the limit of 100 in 1h") and "answered in 2h" in first
    assert second.startswith("reviews, for the limit of 2,000 in 1d") and "answered in 25h" in second
    assert listed.startswith("list blocked-cards: ") and "change of the last 1h" in listed
    assert snoozes.startswith("snoozes: ") and rest.startswith("not counted: ")
    assert [line.split(":")[0] for line in beside_windows(Bare.definition, Bare.plan)] == ["snoozes", "not counted"]


def _texts(n: int) -> object:
    kept = Wording(1)
    for number in range(n):
        kept[word(f"{number:040d}")] = f"{number:040d}"
    return kept


def _lists(n: int) -> object:
    kept = ListBook(0)
    for number in range(n):
        kept.change("blocked", word(f"card {number}"), NOW + number, True, NOW + 10**12 + number)
    kept.keys("blocked")
    return kept


def _snoozes(n: int) -> object:
    kept = SnoozeBook(0)
    for number in range(n):
        kept.put("rule", "card", word(f"card {number}"), NOW + number, NOW + 10**12 + number, f"{number:060d}")
    return kept


def _times(n: int) -> object:
    decider = Decider(Full.plan, capacity=8)
    for number in range(n):
        decider.limits.count(2, NOW + number)
    return decider.limits


@pytest.mark.parametrize(
    ("kept", "sizes", "each"),
    [
        (_texts, (1000, 40_000, 88_000), TEXT + 40),
        (_lists, (1000, 5500, 22_000), LISTED),
        (_snoozes, (50, 200, 350), SNOOZED + 60),
        (_times, (20_000, 40_000), TIME),
    ],
)
def test_it_takes_no_more_than_is_told(kept: Callable[[int], object], sizes: tuple[int, ...], each: int) -> None:
    kept(10)
    for n in sizes:
        tracemalloc.start()
        held = kept(n)
        took = tracemalloc.get_traced_memory()[0] / n
        tracemalloc.stop()
        assert each / 4 < took <= each, (n, took, each)
        del held


def test_what_a_limit_cannot_look_back_to_is_forgotten() -> None:
    decider = Decider(Full.plan, capacity=8)
    for number in range(20_000):
        decider.limits.count(2, NOW + number * 3_600_000)  # 3.6 s apart: 2,000 in two hours
    assert 2000 <= len(decider.limits.dump()[0]) <= 2001 + FORGET


def test_check_prints_it(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["new", "small", "--in", str(tmp_path)])
    assert made.exit_code == 0, made.output
    flow = next(tmp_path.rglob("*.py"))
    shown = CliRunner().invoke(app, ["check", str(flow)])
    assert "snoozes: 700 bytes" in shown.output and "not counted: " in shown.output
    told = json.loads(CliRunner().invoke(app, ["check", str(flow), "--json"]).output)
    assert told["memory_beside"][-1].startswith("not counted: ")
