"""A challenger in the champion's shadow: it decides on the same events, through interruptions, and answers nobody."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import pytest

from tidegate import (
    Decision,
    Engine,
    Event,
    Flow,
    Label,
    ListChange,
    Money,
    Snooze,
    Store,
    StoreError,
    count,
    decline,
    entity,
    entity_list,
    eur,
    review,
)
from tidegate.connectors.labels import read_labels
from tidegate.errors import TidegateError
from tidegate.evidence.log import verify
from tidegate.reports.comparison import compared_in_words, plain
from tidegate.runtimes.recorded import compare_recorded
from tidegate.runtimes.shadow import Shadow

Card = entity("card")
START = datetime(2026, 1, 1, tzinfo=UTC)


class Payment(Event):
    card: Card
    amount: Money
    fraud: Annotated[bool | None, Label(known_after="7d")] = None


class Login(Event):
    card: Card


class Champion(Flow[Payment]):
    currency = "EUR"
    learns = (Login,)
    recent = count(per=Card, last="10m")
    logins = count(Login, per=Card, last="1h")
    quick = decline(recent >= 4, because="Many in a short time")
    blocked = decline(entity_list("blocked", Card).has(Payment.card), because="On the block list")


class Challenger(Champion):
    quick = decline((Champion.recent >= 3) & (Champion.logins < 5), because="Many in a short time")
    large = review(Payment.amount > eur(50), because="A large amount")


def stream(many: int, seed: int = 1) -> list[Event]:
    draw = random.Random(seed)
    events: list[Event] = []
    for i in range(many):
        at, card = START + timedelta(seconds=20 * i), draw.choice("abc")
        kind = draw.random()
        if kind < 0.2:
            events.append(Login(id=f"l{i}", at=at, card=card))
        elif kind < 0.22:
            events.append(ListChange(id=f"c{i}", at=at, list="blocked", key=card, listed=draw.random() < 0.5))
        else:
            amount = Money(draw.randrange(10_000), "EUR")
            events.append(Payment(id=f"p{i}", at=at, card=card, amount=amount, fraud=draw.choice([True, False, None])))
    return events


def decide(store: Path, events: Sequence[Event]) -> None:
    with Store.open(store) as kept:
        engine = Engine(Champion, store=kept)
        for start in range(0, len(events), 7):
            engine.decide_many(events[start : start + 7])


def follow(live: Path, own: Path, *, batches: int | None = None, save: bool = False) -> Shadow:
    with Store.open(live, read_only=True) as champion, Store.open(own) as store:
        engine = Engine(Challenger, store=store, batch=16)
        shadow = Shadow(champion, engine, store)
        left = [batches]

        def stop() -> bool:
            if left[0] is None:
                return False
            left[0] -= 1
            return left[0] < 0

        shadow.catch_up(stop=stop)
        if save:
            engine.save()
        return shadow


def answers(store: Path) -> dict[str, dict]:
    with Store.open(store, read_only=True) as kept:
        found = {event.id: kept.get(event.id) for event in kept.replay()}
        assert verify(kept).ok
        return {id: json.loads(one.answer) for id, one in found.items() if one is not None and one.answer is not None}


def test_it_decides_as_if_it_had_been_asked_whatever_interrupts_it(tmp_path: Path) -> None:
    events = stream(200)
    live, own = tmp_path / "live.db", tmp_path / "shadow.db"
    for end in range(20, 201, 20):
        decide(live, events[end - 20 : end])
        follow(live, own, batches=1, save=end % 40 == 0)  # it falls behind, stops and goes on
    follow(live, own)
    alone = Engine(Challenger)
    wanted = {a.id: a for a in alone.decide_many(events) if isinstance(a, Decision)}
    got = answers(own)
    assert {id: (a["outcome"], [r["rule"] for r in a.get("rules", [])]) for id, a in got.items()} == {
        id: (a.outcome, [r.rule for r in a.rules]) for id, a in wanted.items()
    }
    assert any(a.outcome != "approve" for a in wanted.values())


def test_what_only_the_champion_keeps_was_lost_with_the_power(tmp_path: Path) -> None:
    events = stream(30)
    decide(tmp_path / "whole.db", events)
    decide(tmp_path / "live.db", events[:25])  # the last five, which nobody was answered for, did not reach the disk
    follow(tmp_path / "whole.db", tmp_path / "shadow.db")
    decide(tmp_path / "live.db", events[25:])
    follow(tmp_path / "live.db", tmp_path / "shadow.db")
    assert len(answers(tmp_path / "shadow.db")) == len(answers(tmp_path / "live.db"))


def test_a_snooze_or_a_list_of_what_the_challenger_lacks_does_not_stop_it(tmp_path: Path) -> None:
    class Without(Champion):
        blocked = None

    until = START + timedelta(days=1)
    events: list[Event] = [
        Snooze(id="s", at=START, rule="blocked", entity="card", key="a", until=until, because="On its way"),
        ListChange(id="c", at=START, list="blocked", key="a", listed=True),
        *(event for event in stream(60) if not isinstance(event, ListChange)),
    ]
    decide(tmp_path / "live.db", events)
    with Store.open(tmp_path / "live.db", read_only=True) as champion, Store.open(tmp_path / "own.db") as store:
        shadow = Shadow(champion, Engine(Without, store=store), store)
        shadow.catch_up()
        assert (shadow.behind, shadow.followed.unknown) == (0, 2)
        assert shadow.followed.taken == len(events) - 2
    assert answers(tmp_path / "own.db").keys() == answers(tmp_path / "live.db").keys()


def test_a_store_that_follows_another_one_is_refused(tmp_path: Path) -> None:
    decide(tmp_path / "one.db", stream(10))
    decide(tmp_path / "other.db", [Payment(id="x", at=START, card="a", amount=Money(1, "EUR"))])
    follow(tmp_path / "one.db", tmp_path / "shadow.db")
    with pytest.raises(StoreError, match="does not follow"):
        follow(tmp_path / "other.db", tmp_path / "shadow.db")


def test_what_both_recorded_is_compared(tmp_path: Path) -> None:
    events = stream(200)
    live, own = tmp_path / "live.db", tmp_path / "shadow.db"
    decide(live, events)
    follow(live, own)
    before, after = answers(live), answers(own)
    flips = {id for id in before if before[id]["outcome"] != after[id]["outcome"]}
    with Store.open(live, read_only=True) as champion, Store.open(own, read_only=True) as challenger:
        found = compare_recorded(Champion, Challenger, champion, challenger)
        told = compare_recorded(Champion, Challenger, champion, challenger, labels=dict.fromkeys(before, True))
        with pytest.raises(StoreError, match="no decision of Challenger") as wrong:
            compare_recorded(Challenger, Challenger, champion, challenger)
    assert "of other versions" in wrong.value.seen
    assert set(found.flips["id"].to_list()) == flips and found.flipped == len(flips) > 0
    own_label = {e.id: e.fraud for e in events if isinstance(e, Payment)}
    for (old, new, label), group in found.groups.items():
        words = ("approve", "review", "decline")
        same = [
            id
            for id in before
            if (before[id]["outcome"], after[id]["outcome"]) == (words[old], words[new])
            and {None: -1, False: 0, True: 1}[own_label[id]] == label
        ]
        assert group.events == len(same)
    assert {kind[2] for kind in told.groups} == {1}
    causes = {(cause.rule, cause.fires): cause for cause in found.causes}
    assert causes["large", "new"].changes[0].new == "Payment.amount > money('50.00 EUR')"
    assert found.examples and all(flip.id in flips for flip in found.examples)


def test_what_another_version_decided_is_told_to_be_left_out(tmp_path: Path) -> None:
    class Released(Champion):
        large = review(Payment.amount > eur(40), because="A large amount")

    payments = [event for event in stream(40) if isinstance(event, Payment)]
    live, own = tmp_path / "live.db", tmp_path / "shadow.db"
    with Store.open(live) as kept:
        Engine(Released, store=kept).decide_many(payments[:4])
    decide(live, payments[4:])
    follow(live, own)
    with Store.open(live, read_only=True) as champion, Store.open(own, read_only=True) as challenger:
        found = compare_recorded(Champion, Challenger, champion, challenger)
    assert (found.alone, found.elsewhere) == ((0, 4), (0, 4))
    assert found.same + found.flipped == len(payments) - 4
    said = dict(compared_in_words(found))
    assert said["left out of these, decided by another version"] == "4 live, 0 in the shadow"
    assert plain(found)["other_version"] == {"live": 4, "shadow": 0}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.csv", "id,fraud,more\na,true,x\nb,0,x\nc,,x\nd,No,x\n"),
        ("l.ndjson", '{"id":"a","fraud":true}\n{"id":"b","fraud":0}\n{"id":"c"}\n{"id":"d","fraud":"no"}\n'),
    ],
)
def test_labels_in_a_table_of_their_own(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert read_labels(path, "fraud") == {"a": True, "b": False, "d": False}
    path.write_text(text.replace("true", '"maybe"' if name.endswith("ndjson") else "maybe"))
    with pytest.raises(TidegateError, match=r"line [12]: fraud is no label"):
        read_labels(path, "fraud")
    if name.endswith("csv"):
        with pytest.raises(TidegateError, match="no column 'label'"):
            read_labels(path, "label")
