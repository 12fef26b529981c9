"""A rule that is silenced for one entity: as of the event's time, said in the decision, and remade."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate import (
    ContractError,
    Decision,
    Engine,
    Event,
    Flow,
    Money,
    Snooze,
    Store,
    at_most,
    count,
    decline,
    entity,
    eur,
    review,
)  # fmt: skip
from tidegate.decisions.snooze import SnoozeBook
from tidegate.runtimes.backtest import replay
from tidegate.runtimes.remake import remake

Card, Shop = entity("card"), entity("shop", key=int)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Paid(Event):
    card: Card
    shop: Shop
    amount: Money


class Cautious(Flow[Paid]):
    currency = "EUR"
    lateness = "1h"
    recent = count(per=Card, last="1h")
    large = Paid.amount > eur(50)
    often = decline(recent >= 2, because="Often")
    much = review(large, because="Much")
    much_too = review(large, because="Much, says another")
    limits = at_most(3, "decline", last="1h", then="review")


def paid(id: str, minute: int, cents: int = 100, card: str = "a", shop: int = 1) -> Paid:
    at = START + timedelta(minutes=minute)
    return Paid(id=id, at=at, card=card, shop=shop, amount=Money(cents, "EUR"))


def snooze(id: str, minute: int, until: int, rule: str = "often", entity: str = "card", key: str = "a") -> Snooze:
    at, end = START + timedelta(minutes=minute), START + timedelta(minutes=until)
    return Snooze(id=id, at=at, rule=rule, entity=entity, key=key, until=end, because="She travels")


def test_silent_for_one_entity_for_a_while_and_said() -> None:
    engine = Engine(Cautious)
    engine.decide_many([paid("1", 0), paid("2", 1)])
    assert engine.decide(paid("3", 2)).outcome == "decline"  # type: ignore[union-attr]
    engine.learn(snooze("s", 3, 10))
    quiet = engine.decide(paid("4", 4, 9900))
    assert isinstance(quiet, Decision) and quiet.outcome == "review"
    assert [rule.rule for rule in quiet.rules] == ["much", "much_too"]
    assert quiet.snoozed == ("often is silent for card a until 2026-01-01T00:10:00Z: She travels",)
    other = engine.decide_many([paid("5", 5, card="b"), paid("6", 6, card="b"), paid("7", 7, card="b")])[-1]
    assert other.outcome == "decline" and other.snoozed == ()  # type: ignore[union-attr]
    assert engine.decide(paid("8", 10)).outcome == "decline"  # type: ignore[union-attr]


def test_a_rule_of_the_same_condition_goes_on() -> None:
    engine = Engine(Cautious, explain=True)
    engine.learn(snooze("s", 0, 10, rule="much", entity="shop", key="1"))
    decision = engine.decide(paid("1", 1, 9900))
    assert isinstance(decision, Decision) and [rule.rule for rule in decision.rules] == ["much_too"]
    assert decision.features is not None and decision.features["large"] is True


def test_what_is_no_snooze_is_refused_with_its_place() -> None:
    engine = Engine(Cautious)
    for wrong, place in (
        (snooze("s", 0, 1, rule="offen"), "/rule"),
        (snooze("s", 0, 1, entity="cart"), "/entity"),
        (snooze("s", 0, 1, entity="shop", key="x"), "/key"),
        (snooze("s", 5, 1), "/until"),
        (msgspec.structs.replace(snooze("s", 0, 1), because=" "), "/because"),
    ):
        with pytest.raises(ContractError) as told:
            engine.learn(wrong)
        assert told.value.pointer == place


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(0, 200), st.integers(0, 9000), st.sampled_from("ab"), st.integers(1, 2)),
        st.tuples(
            st.just("snooze"), st.integers(0, 200), st.integers(0, 90), st.sampled_from(["often", "much"]),
            st.sampled_from([("card", "a"), ("card", "b"), ("shop", "1"), ("shop", "2")]),
        ),
    ),
    max_size=40,
)  # fmt: skip


def events_of(steps: Sequence[tuple[Any, ...]]) -> list[Event]:
    made: list[Event] = []
    for i, (kind, minute, number, *rest) in enumerate(steps):
        if kind == "pay":
            made.append(paid(f"p{i}", minute, number, *rest))
        else:
            made.append(snooze(f"s{i}", minute, minute + number, rest[0], *rest[1]))
    return made


class Plain(Flow[Paid]):
    """The same without limits, so that what fires can be told rule by rule."""

    currency = "EUR"
    lateness = "1h"
    recent = count(per=Card, last="1h")
    often = decline(recent >= 2, because="Often")
    much = review(Paid.amount > eur(50), because="Much")


@settings(max_examples=60)
@given(STEPS)
def test_it_is_what_a_plain_reading_says(steps: list[tuple[Any, ...]]) -> None:
    made = events_of(steps)
    silent, loud = Engine(Plain), Engine(Plain)
    said: list[Snooze] = []
    for event in made:
        mine = silent.process([event])[0]
        if isinstance(event, Snooze):
            loud.process(
                [event.__class__(**{f: getattr(event, f) for f in event.__struct_fields__} | {"until": event.at})]
            )
            if type(mine).__name__ == "Learned":
                said.append(event)
            continue
        other = loud.process([event])[0]
        assert type(mine) is type(other)
        if not isinstance(mine, Decision) or not isinstance(other, Decision):
            continue

        def spared(rule: str, event: Event = event) -> bool:
            for entity_, key in (("card", event.card), ("shop", str(event.shop))):  # type: ignore[attr-defined]
                found = [s for s in said if (s.rule, s.entity, s.key) == (rule, entity_, key) and s.at <= event.at]
                if found and event.at < max(found, key=lambda s: (s.at, said.index(s))).until:
                    return True
            return False

        left = [rule.rule for rule in other.rules if not spared(rule.rule)]
        assert [rule.rule for rule in mine.rules] == left
        assert len(mine.snoozed) == len(other.rules) - len(left)
        assert mine.outcome == ("decline" if "often" in left else "review" if "much" in left else "approve")


@settings(max_examples=15, deadline=None)
@given(STEPS, st.integers(1, 9))
def test_every_runtime_and_every_restart_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]], cut: int
) -> None:
    made, path = events_of(steps), tmp_path_factory.mktemp("s") / "s.db"
    whole = Engine(Cautious).decide_many(made)
    parts: list[Any] = []
    for start in range(0, len(made), cut):
        with Store.open(path) as store:
            engine = Engine(Cautious, store=store, batch=4)
            parts += engine.decide_many(made[start : start + cut])
            if start % 2:
                engine.save()
    assert [msg(answer) for answer in parts] == [msg(answer) for answer in whole]
    decided = [answer for answer in whole if isinstance(answer, Decision)]
    with Store.open(path, read_only=True) if path.exists() else Store.open(path) as store:
        for answer in decided:
            assert remake(store, answer.id).equal
    if decided and in_order(made):
        given_ = {"Paid": frame(made, Paid)}
        if any(isinstance(event, Snooze) for event in made):
            given_["Snooze"] = frame(made, Snooze)
        replayed = replay(Cautious, given_)
        outcomes = replayed.frame()
        assert dict(zip(outcomes["id"], outcomes["outcome"], strict=True)) == {a.id: a.outcome for a in decided}
        assert sum(map(len, replayed.fired.values())) == sum(len(a.rules) for a in decided)


def msg(answer: Any) -> Any:
    found = json.loads(json.dumps({f: getattr(answer, f, None) for f in ("id", "outcome", "snoozed", "limited")}))
    return found, [rule.rule for rule in getattr(answer, "rules", ())]


def in_order(made: Sequence[Event]) -> bool:
    times = [event.at for event in made]
    return bool(made) and len(set(times)) == len(times) and times == sorted(times)


def frame(made: Sequence[Event], kind: type[Event]) -> pl.DataFrame:
    own = [event for event in made if type(event) is kind]
    if kind is Snooze:
        names = ("id", "at", "rule", "entity", "key", "until", "because")
        return pl.DataFrame({name: [getattr(event, name) for event in own] for name in names}, strict=False)
    return pl.DataFrame(
        {
            "id": [event.id for event in own],
            "at": [event.at for event in own],
            "card": [event.card for event in own],  # type: ignore[attr-defined]
            "shop": [event.shop for event in own],  # type: ignore[attr-defined]
            "amount": [event.amount.units / 100 for event in own],  # type: ignore[attr-defined]
            "amount.currency": ["EUR"] * len(own),
        }
    )


def test_replay_knows_snoozes(tmp_path: Path) -> None:
    made: list[Event] = [paid("1", 0), paid("2", 1), snooze("s", 2, 5), paid("3", 3), paid("4", 6)]
    done = replay(Cautious, {"Paid": frame(made, Paid), "Snooze": frame(made, Snooze)})
    assert done.frame()["outcome"].to_list() == ["approve", "approve", "approve", "decline"]
    assert {name: rows.tolist() for name, rows in done.fired.items()}["often"] == [3]


def test_what_nobody_can_see_is_forgotten() -> None:
    book = SnoozeBook(lateness=10)
    for at in range(0, 1000, 5):
        book.put("r", "card", at, at, at + 20, f"w{at}")
    assert sum(len(keys) for _, _, keys in book.each()) <= 8
    assert book.words("r", "card", 990, 1000) == "w990" and book.words("r", "card", 0, 1000) == ""
    again = SnoozeBook(10)
    again.load(json.loads(json.dumps(book.dump())))
    assert again.dump() == book.dump() and again.words("r", "card", 990, 1000) == "w990"


def test_two_rules_of_one_card_are_silent_together_and_each_for_its_own_time() -> None:
    engine = Engine(Cautious)
    engine.learn(snooze("s1", 0, 10, rule="much"))
    engine.learn(snooze("s2", 0, 5, rule="much_too"))
    both = engine.decide(paid("1", 1, 9900))
    assert isinstance(both, Decision) and both.outcome == "approve" and not both.rules and len(both.snoozed) == 2
    one = engine.decide(paid("2", 6, 9900))
    assert isinstance(one, Decision) and [rule.rule for rule in one.rules] == ["much_too"] and len(one.snoozed) == 1
    none = engine.decide(paid("3", 90, 9900))
    assert isinstance(none, Decision) and [rule.rule for rule in none.rules] == ["much", "much_too"]


def test_a_decision_under_a_snooze_is_remade(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Cautious, store=store)
        engine.learn(snooze("s1", 0, 10, rule="much"))
        decision = engine.decide(paid("1", 1, 9900))
        assert isinstance(decision, Decision) and decision.snoozed
        made = remake(store, "1")
        assert made.equal, made.difference


def test_what_is_made_again_is_silenced_as_it_was_and_not_as_it_would_be_now() -> None:
    engine = Engine(Cautious)
    engine.learn(snooze("s", 0, 60, rule="much"))
    decider = engine.decider
    engine.rows.put([paid("1", 1, 9900)])
    decider.run(1)
    assert list(decider.silenced) == [0] and decider.settled[1, 0] == 1
    decider.again(1)
    assert not decider.silenced and decider.settled[1, 0] == 2
    decider.again(1, {0: {"much_too": "was silent then"}})
    assert list(decider.silenced[0]) == ["much_too"] and decider.settled[1, 0] == 1
