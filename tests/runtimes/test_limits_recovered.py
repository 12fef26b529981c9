"""Limits after a restart: they go on from what was answered, whatever the flow and its models are by then."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate import (
    Decision,
    Engine,
    Event,
    Flow,
    Money,
    Store,
    StoreError,
    at_most,
    deadline,
    decline,
    entity,
    eur,
    model,
    review,
)
from tidegate.models.tree_model import TreeModel

Card = entity("card")
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 60


class Payment(Event):
    card: Card
    amount: Money


class Strict(Flow[Payment]):
    big = decline(Payment.amount > eur(10), because="Big")
    limits = (at_most(2, "decline", last="1h"), deadline("1ms", answer="decline"))


class Lenient(Strict):
    big = review(Payment.amount > eur(10), because="Big")


class Scored(Flow[Payment]):
    risk = model("risk@champion", of=[Payment.amount], otherwise=0.9)
    risky = decline(risk > 0.5, because="Risky")
    currency = "EUR"
    limits = at_most(2, "decline", last="1h")


def payment(id: str, minute: int = 0, amount: int = 20) -> Payment:
    return Payment(id=id, at=START + timedelta(minutes=minute), card="c", amount=eur(amount))


def outcomes(store: Store, flow: type[Flow[Any]], events: list[Payment], **how: Any) -> list[str]:
    engine = Engine(flow, store=store, models=how.pop("models", None))
    answers = engine.process(events, **how)
    return [getattr(answer, "outcome", "") for answer in answers]


def constant(folder: Path, value: float) -> TreeModel:
    """A model that always says the same."""
    tree = (
        "Tree=0\nnum_leaves=1\nnum_cat=0\nsplit_feature=\nthreshold=\ndecision_type=\nleft_child=\nright_child=\n"
        f"internal_count=\nleaf_value={value}\nleaf_count=1\nis_linear=0\nshrinkage=1\n\n\n"
    )
    file = folder / "model.txt"
    file.write_text(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n"
        "objective=regression\nfeature_names=Payment.amount\nfeature_infos=[-1:1]\n"
        f"tree_sizes={len(tree)}\n\n{tree}end of trees\n\nfeature_importances:\n\nparameters:\n\nend of parameters\n\n"
        "pandas_categorical:null\n"
    )
    return TreeModel.read(file)


def test_a_challenger_goes_on_from_what_the_champion_declined(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        assert outcomes(store, Strict, [payment("a"), payment("b")]) == ["decline", "decline"]
        assert outcomes(store, Lenient, [payment("c")]) == ["review"]  # would have declined neither
        assert outcomes(store, Strict, [payment("d")]) == ["review"]  # and both still count


def test_what_the_champion_only_reviewed_does_not_count(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        assert outcomes(store, Lenient, [payment("a"), payment("b")]) == ["review", "review"]
        assert outcomes(store, Strict, [payment("c"), payment("d"), payment("e")]) == ["decline", "decline", "review"]


def test_another_model_does_not_change_what_was_answered(tmp_path: Path) -> None:
    low = {"risk@champion": constant(tmp_path, 0.1)}
    high = {"risk@champion": constant(tmp_path, 0.8)}
    with Store.open(tmp_path / "a.db") as store:
        assert outcomes(store, Scored, [payment("a"), payment("b")]) == ["decline", "decline"]  # without a model
        assert outcomes(store, Scored, [payment("c")], models=low) == ["approve"]
        assert outcomes(store, Scored, [payment("d")], models=high) == ["review"]
    with Store.open(tmp_path / "b.db") as store:
        assert outcomes(store, Scored, [payment("a"), payment("b")], models=low) == ["approve", "approve"]
        assert outcomes(store, Scored, [payment("c"), payment("d"), payment("e")]) == ["decline", "decline", "review"]


@pytest.mark.parametrize("saved", [False, True])
def test_what_a_deadline_answered_counts(tmp_path: Path, saved: bool) -> None:
    class Milder(Strict):
        limits = (at_most(2, "decline", last="1h"), deadline("1ms", answer="review"))

    late = [payment("a", amount=1), payment("b", amount=1)]
    with Store.open(tmp_path / "a.db") as store:
        engine = Engine(Strict, store=store)
        assert [getattr(a, "outcome", "") for a in engine.process(late, overdue=[True, True])] == ["decline"] * 2
        if saved:
            engine.save()
        assert outcomes(store, Milder, [payment("c")]) == ["review"]  # the declared answers were declines
        assert outcomes(store, Strict, [payment("d")]) == ["review"]


def test_an_outcome_that_there_is_not_is_told(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        outcomes(store, Strict, [payment("a")])
    touching = sqlite3.connect(tmp_path / "a.db")
    touching.execute("UPDATE records SET outcome = 'declin'")
    touching.commit()
    touching.close()
    with (
        Store.open(tmp_path / "a.db") as store,
        pytest.raises(StoreError, match="record of 'a' is not what was sealed"),
    ):
        Engine(Strict, store=store)


def limited(flow: type[Flow[Any]], amount: int, late: bool, now: int, answered: list[tuple[int, str]]) -> str:
    """What a flow should answer, plainly: its rule, and then its limit over all that was answered before."""
    if late:
        return "decline"
    outcome = "approve" if amount <= 10 else "review" if flow is Lenient else "decline"
    recent = sum(then > now - HOUR for then, said in answered if said == "decline")
    return "review" if outcome == "decline" and recent >= 2 else outcome


steps = st.tuples(
    st.integers(0, 40), st.sampled_from([1, 20]), st.booleans(), st.sampled_from(["go on", "Strict", "Lenient", "save"])
)


@given(st.lists(steps, max_size=30))
@settings(max_examples=40, deadline=None)
def test_limits_are_over_what_was_answered(tmp_path_factory: pytest.TempPathFactory, run: Any) -> None:
    flows: dict[str, type[Flow[Any]]] = {"Strict": Strict, "Lenient": Lenient}
    flow: type[Flow[Any]] = Strict
    answered: list[tuple[int, str]] = []
    now = 0
    with Store.open(tmp_path_factory.mktemp("store") / "a.db") as store:
        make: Callable[[], Engine] = lambda: Engine(flow, store=store)  # noqa: E731
        engine = make()
        for number, (minutes, amount, late, what) in enumerate(run):
            now += minutes
            if what == "save":
                engine.save()
            elif what != "go on":
                flow = flows[what]
                engine = make()
            expected = limited(flow, amount, late, now, answered)
            (answer,) = engine.process([payment(f"p{number}", now, amount)], overdue=[late])
            assert getattr(answer, "outcome", "") == expected
            answered.append((now, expected))


class Often(Flow[Payment]):
    """Declines everything, but not too often; waits an hour for those who are late."""

    any = decline(Payment.amount > eur(0), because="Any")
    limits = at_most(700, "decline", last="1h", then="review")
    lateness = "1h"


def test_a_late_event_sees_what_was_answered_around_it() -> None:
    """What is forgotten of the answers is what even the latest event cannot look back to."""
    engine, declined, hour = Engine(Often), list[int](), 3600
    for number in range(5 * hour // 5):
        times = [5 * number]
        if number % 90 == 0 and number:
            times += [5 * number - late for late in (hour, hour // 2, hour - 1)]
        for late, at in enumerate(times):
            event = Payment(id=f"p{number}-{late}", at=START + timedelta(seconds=at), card="c", amount=eur(1))
            near = sorted([at, *(one for one in declined if at - hour < one < at + hour)])
            full = any(end - start < hour for start, end in zip(near, near[700:], strict=False))
            answer = engine.decide(event)
            assert isinstance(answer, Decision)
            assert answer.outcome == ("review" if full else "decline"), (at, late)
            if answer.outcome == "decline":
                declined.append(at)
    assert len(declined) > 2 * 1024
