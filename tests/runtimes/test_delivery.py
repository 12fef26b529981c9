"""Sinks are told of every decision once, whatever happens to them, to us, and to the store."""

import json
import logging
import shutil
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.connectors.receiver import receiving
from tests.runtimes.served import Card, Fraud, Login, Payment, payment
from tidegate import Engine, Flow, Store, StoreError, count, decline
from tidegate.actions.document import Document
from tidegate.actions.query import parse
from tidegate.actions.sink import Gone, Rejected, UnavailableError
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.search_sqlite import SqliteIndex
from tidegate.connectors.told import Told, sinks
from tidegate.connectors.webhook import Webhook
from tidegate.runtimes.delivery import Delivery
from tidegate.runtimes.erasing import erase


class Alarming(Flow[Payment]):
    """Every third payment of a card within a day is an alarm."""

    currency = "EUR"
    today = count(per=Card, last="1d")
    often = decline(today >= 2, because="Many payments in a day")
    score = today / 10
    alarm = today >= 2


class Counting:
    """A sink that notes what it was told, rejects some and fails when asked to."""

    most = 10

    def __init__(self, name: str = "counting") -> None:
        self.name, self.told = name, list[str]()
        self.failing, self.bad, self.reason = 0, set[str](), "400 no"
        self.gone: list[str] = []

    def send(self, documents: Sequence[Document]) -> list[Rejected]:
        if self.failing:
            self.failing -= 1
            self.told += [one.id for one in documents[: len(documents) // 2]]  # it took half, and did not say so
            raise UnavailableError("It fails.")
        self.told += [one.id for one in documents if one.id not in self.bad]
        return [Rejected(one.id, self.reason) for one in documents if one.id in self.bad]

    def forget(self, gone: Sequence[Gone]) -> None:
        self.gone += [one.id for one in gone]

    def close(self) -> None:
        pass


def decide(store: Path, first: int, last: int, card: str = "c1") -> None:
    with Store.open(store) as kept:
        engine = Engine(Alarming, store=kept)
        engine.decide_json_many([json.dumps(payment(number, card)).encode() for number in range(first, last)])


def ids(first: int, last: int, card: str = "c1") -> list[str]:
    return [f"{card}-{number}" for number in range(first, last)]


def test_all_decisions_arrive_in_order_and_only_new_ones_the_next_time(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    decide(store, 0, 25)
    sink = Counting()
    with AlertsFile.beside(store) as file:
        with Store.open(store, read_only=True) as kept:
            assert Delivery(kept, file, sink).catch_up() == 25
        decide(store, 25, 31)
        with Store.open(store, read_only=True) as kept:
            delivery = Delivery(kept, file, sink)
            assert delivery.behind == 6
            assert delivery.catch_up() == 6 and delivery.catch_up() == 0 and not delivery.behind
    assert sink.told == ids(0, 31)


def test_alarms_only(tmp_path: Path) -> None:
    decide(tmp_path / "s.db", 0, 6)
    sink = Counting()
    with AlertsFile.beside(tmp_path / "s.db") as file, Store.open(tmp_path / "s.db", read_only=True) as kept:
        Delivery(kept, file, sink, alarms=True).catch_up()
    assert sink.told == ids(2, 6)


def test_what_fails_is_sent_again_and_what_is_rejected_held(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    decide(tmp_path / "s.db", 0, 25)
    sink = Counting()
    with AlertsFile.beside(tmp_path / "s.db") as file, Store.open(tmp_path / "s.db", read_only=True) as kept:
        delivery = Delivery(kept, file, sink)
        sink.failing, sink.bad = 1, set()
        with pytest.raises(UnavailableError):
            delivery.catch_up()
        assert delivery.figures.failures == 1 and delivery.behind == 25
        sink.bad = {"c1-7", "c1-12"}
        delivery = Delivery(kept, file, sink)  # as after a restart
        delivery.catch_up()
        assert set(sink.told) == set(ids(0, 25)) - sink.bad
        assert [one.id for one in Told(file, "counting").held()] == ["c1-7", "c1-12"]
        assert "does not take the decision c1-7: 400 no" in caplog.text
        sink.bad, sink.reason = {"c1-12"}, "409 not yet"
        taken, left = delivery.retry()
        assert taken == 1 and [one.id for one in left] == ["c1-12"] and sink.told[-1] == "c1-7"
        assert [(one.id, one.reason) for one in Told(file, "counting").held()] == [("c1-12", "409 not yet")]
        assert sinks(file) == ["counting"]


def test_what_is_erased_is_forgotten_by_all_who_were_told(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    decide(store, 0, 5, "4711-person")
    decide(store, 5, 10, "other")
    with AlertsFile.beside(store) as file:
        index, everything, alarms = SqliteIndex(file), Counting("all"), Counting("alarms")
        everything.bad = {"4711-person-1"}
        with Store.open(store, read_only=True) as kept:
            for sink in (index, everything):
                Delivery(kept, file, sink).catch_up()
            Delivery(kept, file, alarms, alarms=True).catch_up()
        with Store.open(store) as kept:
            assert erase(kept, {"card": "4711-person"}, "asked for") == 5
        decide(store, 10, 12, "other")
        with Store.open(store, read_only=True) as kept:
            for sink in (index, everything):
                assert Delivery(kept, file, sink).catch_up() == 3
            Delivery(kept, file, alarms, alarms=True).catch_up()
            never = Counting("never")
            Delivery(kept, file, never).catch_up()  # one that is told of all only now
        assert everything.gone == ids(0, 5, "4711-person") and everything.told[-2:] == ids(10, 12, "other")
        assert alarms.gone == ids(2, 5, "4711-person")
        assert Told(file, "all").held() == []
        assert never.told == ids(5, 12, "other")
        assert {one.id for one in index.search(parse("")).documents} == set(ids(5, 12, "other"))
        assert index.search(parse("card:4711*")).total == 0 and index.search(parse("4711")).total == 0
    left = b"".join(path.read_bytes() for path in tmp_path.glob("s.db.alerts*"))
    assert b"other" in left and b"4711-person" not in left


def test_following_goes_on_through_failures(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    decide(tmp_path / "s.db", 0, 25)
    sink, stop = Counting(), threading.Event()
    sink.failing = 2
    with AlertsFile.beside(tmp_path / "s.db") as file, Store.open(tmp_path / "s.db", read_only=True) as kept:
        delivery = Delivery(kept, file, sink)
        thread = threading.Thread(target=delivery.follow, args=(stop,))
        with caplog.at_level(logging.WARNING):
            thread.start()
            for _ in range(200):
                if not delivery.behind:
                    break
                stop.wait(0.05)
        stop.set()
        thread.join()
    assert set(sink.told) == set(ids(0, 25)) and caplog.text.count("Asked again in") == 2


def test_a_store_put_back_from_a_copy_is_met_where_both_agree(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = tmp_path / "s.db"
    decide(store, 0, 15)
    shutil.copy(store, tmp_path / "copy.db")
    with AlertsFile.beside(store) as file:
        index, sink = SqliteIndex(file), Counting()
        with Store.open(store, read_only=True) as kept:
            Delivery(kept, file, index).catch_up()
            Delivery(kept, file, sink).catch_up()
        decide(store, 15, 30)
        with Store.open(store, read_only=True) as kept:
            Delivery(kept, file, index).catch_up()
            Delivery(kept, file, sink).catch_up()
        for end in ("-wal", "-shm"):
            Path(f"{store}{end}").unlink(missing_ok=True)
        shutil.copy(tmp_path / "copy.db", store)
        shutil.rmtree(f"{store}.snapshots", ignore_errors=True)
        decide(store, 15, 20, card="other")
        with Store.open(store, read_only=True) as kept:
            Delivery(kept, file, index).catch_up()
            Delivery(kept, file, sink).catch_up()
        assert "holds the first 15" in caplog.text
        found = [one.id for one in index.search(parse(""), limit=100).documents]
        assert sorted(found) == sorted(ids(0, 15) + ids(15, 20, "other"))
        assert sink.told[30:] == ids(15, 20, "other")


def test_another_store_is_told_from_its_beginning(tmp_path: Path) -> None:
    decide(tmp_path / "a.db", 0, 5)
    decide(tmp_path / "b.db", 0, 7, card="b")
    with AlertsFile(tmp_path / "alerts") as file:
        index = SqliteIndex(file)
        for name in ("a.db", "b.db"):
            with Store.open(tmp_path / name, read_only=True) as kept:
                Delivery(kept, file, index).catch_up()
        assert sorted(one.id for one in index.search(parse("")).documents) == ids(0, 7, "b")


def test_documents_hold_what_people_look_for_and_nothing_left_out(tmp_path: Path) -> None:
    decide(tmp_path / "s.db", 0, 4)
    with AlertsFile.beside(tmp_path / "s.db") as file, Store.open(tmp_path / "s.db", read_only=True) as kept:
        index = SqliteIndex(file)
        Delivery(kept, file, index, left_out={"share"}).catch_up()
        hit = index.search(
            parse('outcome:decline "many payments" amount>1 amount-currency:eur card:c1 alarm:true')
        ).documents
        assert [one.id for one in hit] == ["c1-3", "c1-2"]
        one = hit[0]
        assert one.numbers == {"amount": 2.11} and one.words == {"card": "c1", "amount-currency": "EUR"}
        assert one.rule == ("often",) and one.because == ("Many payments in a day",) and one.score == 0.3


def test_a_learned_event_is_no_decision(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as kept:
        engine = Engine(Fraud, store=kept)
        engine.learn(Login(id="l1", at=datetime(2026, 1, 1, tzinfo=UTC), card="c1"))
    sink = Counting()
    with AlertsFile.beside(tmp_path / "s.db") as file, Store.open(tmp_path / "s.db", read_only=True) as kept:
        assert Delivery(kept, file, sink).catch_up() == 1
    assert not sink.told


def test_alarms_reach_a_webhook_that_fails_half_the_time(tmp_path: Path) -> None:
    decide(tmp_path / "s.db", 0, 12)
    with receiving(lambda id, before: 200 if before else 503) as receiver:
        with AlertsFile.beside(tmp_path / "s.db") as file, Store.open(tmp_path / "s.db", read_only=True) as kept:
            delivery = Delivery(kept, file, Webhook(receiver.address, b"k" * 32), alarms=True)
            for _ in range(100):
                try:
                    delivery.catch_up()
                    break
                except UnavailableError:
                    continue
            delivery.sink.close()
        assert list(dict.fromkeys(receiver.accepted)) == ids(2, 12)


def test_no_fault_ends_the_telling(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Counting):
        faults = iter([StoreError("The file is damaged."), ValueError("of ours")])

        def send(self, documents: Sequence[Document]) -> list[Rejected]:
            for fault in self.faults:
                raise fault
            return super().send(documents)

    decide(tmp_path / "s.db", 0, 5)
    sink, stop = Broken(), threading.Event()
    with AlertsFile.beside(tmp_path / "s.db") as file, Store.open(tmp_path / "s.db", read_only=True) as kept:
        delivery = Delivery(kept, file, sink)
        thread = threading.Thread(target=delivery.follow, args=(stop,))
        thread.start()
        for _ in range(200):
            if not delivery.behind:
                break
            stop.wait(0.05)
        stop.set()
        thread.join()
    assert sink.told == ids(0, 5)
    assert "The file is damaged." in caplog.text and "ValueError: of ours" in caplog.text
