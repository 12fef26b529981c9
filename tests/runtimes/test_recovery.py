"""What an engine makes of a store that an earlier version of its events, or of its windows, wrote."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tidegate import Engine, Event, Flow, Refused, Store, StoreError, count, entity, review, upgrades
from tidegate.runtimes.erasing import erase, forget_beside

Card = entity("card")
START = datetime(2026, 1, 1, tzinfo=UTC)


def first_version() -> tuple[type[Event], type[Flow[Any]]]:
    class Payment(Event):
        card: Card
        place: str

    class Busy(Flow[Payment]):
        payments = count(per=Card, last="1h")
        busy = review(payments >= 3, because="Three within the hour")

    return Payment, Busy


def second_version(*, upgraded: bool) -> tuple[type[Event], type[Flow[Any]]]:
    class Payment(Event, version=2):
        card: Card
        country: str

    if upgraded:

        @upgrades(Payment, from_version=1)
        def _(old: dict[str, Any]) -> dict[str, Any]:
            return {name: value for name, value in old.items() if name != "place"} | {"country": old["place"]}

    class Busy(Flow[Payment]):
        payments = count(per=Card, last="1h")
        busy = review(payments >= 3, because="Three within the hour")

    return Payment, Busy


def fill(path: Path) -> None:
    payment, flow = first_version()
    with Store.open(path) as store:
        engine = Engine(flow, store=store)
        engine.decide_many(
            [payment(id=f"p{i}", at=START + timedelta(minutes=i), card="c", place="DE") for i in range(3)]
        )
        engine.save()


def test_an_older_contract_is_learned_through_its_upgrade(tmp_path: Path) -> None:
    fill(tmp_path / "a.db")
    payment, flow = second_version(upgraded=True)
    with Store.open(tmp_path / "a.db") as store:
        engine = Engine(flow, store=store)
        assert engine.recovered == 3
        decision = engine.decide(payment(id="p3", at=START + timedelta(minutes=3), card="c", country="DE"))
        assert decision.outcome == "review"  # the three payments of the first version are its past
    with Store.open(tmp_path / "a.db") as store:
        assert Engine(flow, store=store).recovered == 4  # of both versions


def test_what_was_erased_of_an_older_contract_counts_as_sent_before(tmp_path: Path) -> None:
    """Its digest is that of the older content, so the id alone tells."""
    fill(tmp_path / "a.db")
    payment, flow = second_version(upgraded=True)
    with Store.open(tmp_path / "a.db") as store:
        assert erase(store, {"card": "c"}, "asked for") == 3 and forget_beside(store)
        again = Engine(flow, store=store).decide(payment(id="p1", at=START, card="c", country="DE"))
        assert isinstance(again, Refused) and again.erased and again.code == "erased"
        assert not store.refusals() and store.head().size == 4


def test_without_an_upgrade_the_record_is_named(tmp_path: Path) -> None:
    fill(tmp_path / "a.db")
    _, flow = second_version(upgraded=False)
    with (
        Store.open(tmp_path / "a.db") as store,
        pytest.raises(StoreError, match=r"Record 1, the Payment 'p0'.*upgrades"),
    ):
        Engine(flow, store=store)


def test_another_flow_makes_its_state_from_the_same_store(tmp_path: Path) -> None:
    fill(tmp_path / "a.db")
    payment, flow = first_version()

    class Busier(flow):  # type: ignore[valid-type, misc]
        payments = count(per=Card, last="2h")

    with Store.open(tmp_path / "a.db") as store:
        engine = Engine(Busier, store=store)
        assert engine.recovered == 3  # not from the snapshot, which is of the other flow
        later = payment(id="p3", at=START + timedelta(minutes=90), card="c", place="DE")
        assert engine.decide(later).outcome == "review"
