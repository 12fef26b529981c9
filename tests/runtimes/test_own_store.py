"""A store goes on with the flow that wrote it: a new version of it, or a challenger, but no flow of another name."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.runtimes.started import FLOW, ready, started
from tidegate import Engine, Event, Flow, ListChange, Store, StoreError, count, decline, entity, entity_list, review
from tidegate.cli import app
from tidegate.runtimes.erasing import erase

Card = entity("card")


class Payment(Event):
    card: Card


class Fraud(Flow[Payment]):
    often = decline(count(per=Card, last="1h") >= 2, because="Many")
    blocked = decline(entity_list("blocked", Card).has(Payment.card), because="Blocked")


class Milder(Fraud):
    often = review(count(per=Card, last="1h") >= 2, because="Many")


class Harsher(Fraud):
    often = decline(count(per=Card, last="1h") >= 1, because="Many")


class Laundering(Flow[Payment]):
    often = review(count(per=Card, last="30d") >= 20, because="Many")


def newer() -> type[Flow[Any]]:
    class Fraud(Flow[Payment]):
        often = decline(count(per=Card, last="2h") >= 3, because="Many")

    return Fraud


def written(path: Path, *flows: type[Flow[Any]], **how: Any) -> None:
    """A store in which each of these flows decides in turn."""
    for number, flow in enumerate(flows):
        with Store.open(path) as store:
            done = Engine(flow, store=store, **how).decide(
                Payment(id=f"{flow.__name__}-{number}", at=datetime(2026, 1, 1, tzinfo=UTC), card="c")
            )
            assert type(done).__name__ == "Decision"


def test_another_flow_is_refused_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    written(path, Fraud)
    with Store.open(path) as store:
        before = list(store.artefacts())
        with pytest.raises(StoreError) as told:
            Engine(Laundering, store=store)
        assert list(store.artefacts()) == before
    said = str(told.value)
    assert "is of the flow Fraud. Laundering is another one" in said and str(path) in said
    assert "class Laundering(Fraud)" in said and "--other-flow-ok" in said


@pytest.mark.parametrize(
    "flows",
    [
        (Fraud, newer(), Fraud),
        (Fraud, Milder, Fraud),
        (Milder, Fraud),
        (Fraud, Milder, Harsher),
        (Milder, Harsher),
        (Milder, newer()),
    ],
)
def test_versions_and_challengers_of_one_flow_go_on(tmp_path: Path, flows: tuple[type[Flow[Any]], ...]) -> None:
    written(tmp_path / "s.db", *flows)


def test_another_flow_may_be_let_in(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    written(path, Fraud)
    written(path, Laundering, other_flow_ok=True)
    written(path, Laundering)  # it decided last, so the store is its own now
    with Store.open(path) as store, pytest.raises(StoreError, match="is of the flow Laundering"):
        Engine(Fraud, store=store)


def test_a_store_without_a_record_is_everyones(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        Engine(Fraud, store=store)
    written(path, Laundering)


def test_what_was_only_learned_makes_a_store_a_flows_own(tmp_path: Path) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with Store.open(tmp_path / "s.db") as store:
        Engine(Fraud, store=store).learn(ListChange(id="l", at=at, list="blocked", key="c", listed=True))
        with pytest.raises(StoreError, match="is of the flow Fraud"):
            Engine(Laundering, store=store)


OTHER = FLOW.replace("class Fraud", "class Laundering")


def test_serve_does_not_start_on_another_flows_store(tmp_path: Path) -> None:
    for name, text in (("flow.py", FLOW), ("other.py", OTHER)):
        (tmp_path / name).write_text(text)
    (tmp_path / "p.csv").write_text("id,at,card\np1,2026-01-01T00:00:00Z,c\n")
    words = ["--store", str(tmp_path / "s.db")]
    made = CliRunner().invoke(app, ["replay", str(tmp_path / "flow.py"), str(tmp_path / "p.csv"), *words])
    assert made.exit_code == 0, made.output
    refused = started(tmp_path, "serve", "other.py", "--port", "0", *words)
    said = refused.communicate(timeout=120)[1]
    assert refused.returncode == 2 and "is of the flow Fraud" in said and "--other-flow-ok" in said
    assert "Traceback" not in said
    again = ["replay", str(tmp_path / "other.py"), str(tmp_path / "p.csv"), *words]
    assert CliRunner().invoke(app, again).exit_code == 2
    let = started(tmp_path, "serve", "other.py", "--port", "0", *words, "--other-flow-ok")
    ready(let)
    let.terminate()
    let.communicate(timeout=60)
    assert let.returncode == 0


def test_what_was_erased_last_does_not_make_a_store_everyones(tmp_path: Path) -> None:
    written(tmp_path / "s.db", Fraud)
    with Store.open(tmp_path / "s.db") as store:
        assert erase(store, {"card": "c"}, "asked for") == 1
        with pytest.raises(StoreError, match="is of the flow Fraud"):
            Engine(Laundering, store=store)
        Engine(Fraud, store=store)
