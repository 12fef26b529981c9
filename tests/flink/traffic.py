"""Events for the watched flow: keys that meet again, ties of time, all topics; and what is right for them."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from tests.flink.watched import Login, Paid, Watched
from tidegate.decisions.decision import Decision, to_json
from tidegate.decisions.flow import Flow
from tidegate.decisions.lists import ListChange
from tidegate.events.contract import body, check
from tidegate.events.event import Event
from tidegate.events.money import Money
from tidegate.events.times import microseconds_of
from tidegate.models.artefact import Artefact, Card, ModelFeature
from tidegate.models.registry import Registry
from tidegate.runtimes.engine import Engine

START = datetime(2026, 3, 1, tzinfo=UTC)
TOPICS: dict[str, type[Event]] = {"paid": Paid, "logins": Login, "changes": ListChange}


def traffic(n: int, seed: int = 1) -> Iterator[tuple[str, int, Event]]:
    """Topic, partition of three, event; by time, with ties, out of order by up to two seconds."""
    chance = random.Random(seed)
    at = START
    for number in range(n):
        at += timedelta(milliseconds=chance.choice([0, 0, 1, 7, 30, 90]))
        when = at - timedelta(milliseconds=chance.choice([0] * 9 + [chance.randint(0, 2000)]))
        card = f"c{min(chance.randrange(400), chance.randrange(400))}"
        what, partition = chance.random(), chance.randrange(3)
        if what < 0.1:
            yield "logins", partition, check(Login(id=f"l{number}", at=when, card=card, success=chance.random() < 0.5))
        elif what < 0.105:
            listed = chance.random() < 0.6
            change = ListChange(
                id=f"x{number}", at=when, list="watched", key=card, listed=listed, until=None, because=None
            )
            yield "changes", 0, check(change)
        else:
            paid = Paid(
                id=f"p{number}",
                at=when,
                card=card,
                payer=f"c{chance.randrange(400)}" if chance.random() < 0.3 else None,
                shop=chance.randrange(40),
                country=chance.choice(["DE", "DE", "FR", "中"]),
                amount=Money(chance.randint(1, 90_000), chance.choice(["EUR"] * 20 + ["USD"])),
                distance=chance.gauss(40, 30),
            )
            yield "paid", partition, check(paid)


def stored_model(folder: Path) -> None:
    """A forest for the flow, in a registry."""
    chance = np.random.default_rng(3)
    x = chance.normal(size=(800, 4)) * (3, 30, 20, 3) + (4, 40, 30, 4)
    y = (x[:, 1] * x[:, 0] + x[:, 2] * chance.normal(size=800) > 200).astype(float)
    options = {"objective": "binary", "num_leaves": 15, "verbosity": -1, "num_threads": 1}
    text = lightgbm.train(options, lightgbm.Dataset(x, y), 30).model_to_string()
    features = tuple(ModelFeature(name) for name in ("often", "far", "spread", "cards_there"))
    card = Card(name="travels", version="1", objective="binary", features=features)
    Registry(folder).add(Artefact(card, text.encode()), alias="champion", override=True, why="A test's model")


def in_order(events: Sequence[tuple[str, int, Event]]) -> list[Event]:
    """The events by time, topic, partition and offset."""
    numbers = {topic: number for number, topic in enumerate(TOPICS)}
    offsets: dict[tuple[str, int], int] = {}
    placed = []
    for topic, partition, event in events:
        offset = offsets[topic, partition] = offsets.get((topic, partition), -1) + 1
        placed.append((microseconds_of(event.at), numbers[topic], partition, offset, event))
    placed.sort(key=lambda one: one[:4])
    return [one[-1] for one in placed]


def right(
    events: Sequence[tuple[str, int, Event]], models: Path, flow: type[Flow[Any]] = Watched, many: int = 10_000
) -> dict[str, bytes]:
    """The decisions by id, of one engine, on the events in order."""
    engine, ordered = Engine(flow, models=str(models), remember=10**9), in_order(events)
    answers = (one for start in range(0, len(ordered), many) for one in engine.process(ordered[start : start + many]))
    return {one.id: to_json(one) for one in answers if isinstance(one, Decision)}


def bytes_of(event: Event) -> bytes:
    """As it stands in its topic."""
    return body(event)
