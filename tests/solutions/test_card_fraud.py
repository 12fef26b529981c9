"""The card fraud flow on the simulated world: what it knows, what it catches, and that every way in gives the same."""

import itertools

import numpy as np
import polars as pl
import pytest

from tidegate import Engine, ModelReason
from tidegate.connectors.files import to_events
from tidegate.connectors.files_merge import Batch
from tidegate.decisions.decision import Decision
from tidegate.runtimes.replay import Replay
from tidegate.solutions.card_fraud import TYPES, CardFraud, Payment, batch, bodies, rows, said
from tidegate.solutions.world import World


@pytest.fixture(scope="module")
def slices() -> list[dict[str, pl.DataFrame]]:
    """Four days of a small world with much fraud."""
    world = World(seed=3, customers=300, merchants=200, days=4, start="2025-09-01", fraud_rate=0.05)
    return list(world.slices())


def test_the_flow_is_of_the_size_it_should_be() -> None:
    definition = CardFraud.definition
    assert 20 <= len(definition.models[0].args) <= 40
    assert 6 <= len(definition.rules) <= 12
    assert all(len(rule.because.split()) >= 4 for rule in definition.rules.values())
    assert definition.caps
    assert definition.deadline
    assert definition.alarm is not None


@pytest.mark.parametrize("kind", TYPES)
def test_the_worlds_rows_keep_the_contracts(kind: str, slices: list[dict[str, pl.DataFrame]]) -> None:
    """What the adapter calls canonical is what a file of the same events is read as."""
    from tidegate.connectors.files_columns import canonical_schema

    whole = pl.concat([rows(kind, part[kind], labels=True) for part in slices])
    assert dict(whole.schema) == canonical_schema(TYPES[kind])
    events = to_events(whole.head(50), TYPES[kind])
    assert [event.id for event in events] == whole["id"].head(50).to_list()
    assert whole["id"].n_unique() == whole.height


def test_live_events_say_nothing_of_fraud(slices: list[dict[str, pl.DataFrame]]) -> None:
    sent = [
        line for name, line in itertools.chain.from_iterable(bodies(part) for part in slices[:8]) if name == "Payment"
    ]
    assert sent
    assert not any(b"fraud" in line for line in sent)


def test_sent_one_by_one_and_replayed_give_the_same_decisions(slices: list[dict[str, pl.DataFrame]]) -> None:
    engine = Engine(CardFraud)
    decided: list[Decision] = []
    for part in slices:
        events = [engine.readers[name].read(line) for name, line in bodies(part)]
        decided += [answer for answer in engine.process(events) if isinstance(answer, Decision)]
    replay = Replay(CardFraud, label="fraud")
    for part in slices:
        parts, order = batch(part)
        replay.take(Batch(tuple(parts), order))
    again = replay.result()
    assert [d.id for d in decided] == again.ids.to_list()
    assert [d.outcome for d in decided] == again.frame()["outcome"].to_list()
    for name, fired in again.fired.items():
        assert [row for row, d in enumerate(decided) if any(rule.rule == name for rule in d.rules)] == fired.tolist(), (
            name
        )


def test_testing_of_stolen_cards_is_seen_without_a_model(slices: list[dict[str, pl.DataFrame]]) -> None:
    replay = Replay(CardFraud, label="fraud")
    for part in slices:
        parts, order = batch(part, labels=True)
        replay.take(Batch(tuple(parts), order))
    seen = replay.result()
    assert seen.label is not None
    fired = np.concatenate([seen.fired["testing"], seen.fired["tested_then_used"]])
    assert len(fired) >= 5
    assert (seen.label[fired] == 1).mean() > 0.8, "these rules are to be nearly always right"


def test_reasons_in_an_analysts_words() -> None:
    assert said(ModelReason("known_device", 0.0, 1.0, "known_device is 0")) == "a device this customer never used"
    assert said(ModelReason("known_device", 1.0, -1.0, "known_device is 1")) == "known_device is 1"
    assert said(ModelReason("times_usual", 12.34, 1.0, "")) == "12.3 times what this card usually pays"
    assert said(ModelReason("spent_1h", "12.00 EUR", 1.0, "")) == "12.00 EUR spent in an hour"
    assert said(ModelReason("something", None, 1.0, "something is missing")) == "something is missing"


def test_every_word_is_of_a_feature_that_there_is() -> None:
    from tidegate.solutions.card_fraud import words

    assert {*words._SAID, *words._WHEN_NOT} <= set(CardFraud.definition.features)
    assert Payment.__contract__["fraud"].known_after
