"""Cases that once went wrong: batches ended in the middle, old snapshots, limits after a deadline, labels as keys."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import msgspec
import pytest

from tidegate import (
    ContractError,
    Engine,
    Event,
    Field,
    Flow,
    FlowError,
    Label,
    ListChange,
    Money,
    Store,
    StoreError,
    at_most,
    count,
    deadline,
    decline,
    entity,
    entity_list,
    eur,
    mode,
    model,
    review,
)
from tidegate.decisions.wording import Wording

Card, Ring, Shop = entity("card"), entity("ring"), entity("shop", int)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Paid(Event):
    card: Card
    shop: Shop
    amount: Money
    ring: Annotated[Ring | None, Label(known_after="7d")]


class Login(Event):
    card: Card
    shop: Shop
    amount: Money


known = entity_list("known", Shop)


class Counting(Flow[Paid]):
    learns = (Login,)
    n = count(per=Card, last="1d")
    listed = review(known.has(Paid.shop), because="Known")


def paid(id: str, minute: int = 0, kind: type[Event] = Paid) -> Any:
    return kind(id=id, at=START + timedelta(minutes=minute), card="c", shop=1, amount=eur(1))


def n_of(answer: Any) -> int:
    return int(answer.features["n"])


def change(key: str) -> ListChange:
    return ListChange(id=f"change {key}", at=START, list="known", key=key, listed=True)


@pytest.mark.parametrize("key", ["9" * 30, "--5", "5-", "²", ""])
def test_a_key_that_no_shop_has_ends_nothing(tmp_path: Path, key: str) -> None:
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Counting, store=store, explain=True)
        with pytest.raises(ContractError):
            engine.decide_many([paid("a"), change(key)])
        assert n_of(engine.decide(paid("a"))) == 0


def test_what_was_interrupted_is_not_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Counting, store=store, explain=True)
        with monkeypatch.context() as patch:
            patch.setattr(store, "append", interrupted)
            with pytest.raises(KeyboardInterrupt):
                engine.decide(paid("a"))
        assert n_of(engine.decide(paid("a"))) == 0


def test_the_time_of_what_was_not_kept_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError("The disk is full.")

    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Counting, store=store, explain=True)
        engine.decide(paid("a"))
        with monkeypatch.context() as patch:
            patch.setattr(store, "append", full)
            with pytest.raises(StoreError):
                engine.decide(paid("b", 100_000))
        # Were the clock still at `b`, this would be refused as too late.
        assert n_of(engine.decide(paid("c", 1))) == 1


def test_a_snapshot_never_holds_what_was_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError("The disk is full.")

    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Counting, store=store, explain=True)
        engine.decide(paid("a"))
        with monkeypatch.context() as patch:
            patch.setattr(store, "append", full)
            with pytest.raises(StoreError):
                engine.decide(paid("b", 1))
        engine.save()
    with Store.open(tmp_path / "s.db") as store:
        assert n_of(Engine(Counting, store=store, explain=True).decide(paid("c", 2))) == 1


def test_a_snapshot_ahead_of_its_store_does_not_come_back(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        engine = Engine(Counting, store=store)
        engine.decide_many([paid(f"old {i}") for i in range(3)])
        engine.save()
    path.unlink()
    for rest in tmp_path.glob("s.db-*"):
        rest.unlink()
    with Store.open(path) as store:  # an older copy, here an empty one
        others = [msgspec.structs.replace(paid(f"new {i}", 1), card="d") for i in range(5)]
        engine = Engine(Counting, store=store)
        assert "is ahead of its store" in str(engine.passed_over[0])
        # Out of the way for good: a store that grows beyond its number must not make it look usable again.
        assert [file.suffix for file in path.with_name("s.db.snapshots").iterdir()] == [".ahead"]
        engine.decide_many(others)
    with Store.open(path) as store:
        assert n_of(Engine(Counting, store=store, explain=True).decide(paid("x", 2))) == 0


def test_an_id_is_of_one_type_of_event(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Counting, store=store)
        engine.decide(paid("a"))
        (answer,) = engine.decide_many([paid("a", kind=Login)])
        assert getattr(answer, "code", "") == "id-reused"


def test_few_remembered_ids_are_no_fewer_than_a_batch_holds() -> None:
    first, _, again = Engine(Counting, remember=1).decide_many([paid("a"), paid("b"), paid("a")])
    assert getattr(again, "repeated", False) and not getattr(first, "repeated", True)


def test_a_condition_reads_the_event_that_is_counted() -> None:
    with pytest.raises(FlowError, match="count is over Login events, and reads a field of Paid"):
        count(Login, per=Card, last="1d", where=Paid.amount > eur(5))


def test_a_key_that_is_a_label_leaks_nothing() -> None:
    with pytest.raises(FlowError, match="leak the future"):

        class Rings(Flow[Paid]):
            n = count(per=Ring, last="1d")


def test_an_event_type_is_itself_before_it_is_its_parent() -> None:
    class Base(Event):
        card: Card

    class Sub(Base):
        pass

    class Two(Flow[Sub]):
        learns = (Base,)  # so that Base events are meant, and not those of the type that derives from it
        n = count(Base, per=Card, last="1d")

    engine = Engine(Two, explain=True)
    engine.learn(Base(id="a", at=START, card="c"))
    assert n_of(engine.decide(Sub(id="b", at=START, card="c"))) == 1


def test_without_windows_nothing_is_too_late() -> None:
    class Stateless(Flow[Paid]):
        big = review(Paid.amount > eur(5), because="Big")

    engine = Engine(Stateless)
    engine.decide(paid("a", 60))
    assert getattr(engine.decide(paid("b", 0)), "outcome", "") == "approve"


@pytest.mark.parametrize(("answer", "then"), [("decline", "review"), ("approve", "decline")])
def test_limits_count_what_was_answered_when_the_deadline_passed(answer: str, then: str) -> None:
    class Slow(Flow[Paid]):
        all_of_them = decline(Paid.amount > eur(0), because="All of them")
        limits = (at_most(1, "decline", last="1h"), deadline("1ms", answer=answer))

    engine = Engine(Slow)
    (late,) = engine.process([paid("a")], overdue=[True])
    assert getattr(late, "outcome", "") == answer
    assert engine.decide(paid("b")).outcome == then  # type: ignore[union-attr]


def test_a_snapshot_is_not_the_live_state() -> None:
    class Capped(Flow[Paid]):
        all_of_them = decline(Paid.amount > eur(0), because="All of them")
        limits = at_most(1, "decline", last="1h")

    one, other = Engine(Capped), Engine(Capped)
    state = one.snapshot()
    one.decide(paid("a"))
    other.restore(*state)
    assert other.decide(paid("b")).outcome == "decline"  # type: ignore[union-attr]


def test_challengers_mean_what_they_say() -> None:
    class Parent(Flow[Paid]):
        u = count(per=Card, last="1h")
        v = u * 2

    class Child(Parent):
        u = count(per=Card, last="2h")
        diff = u - Parent.u

    written = {name: str(expr) for name, expr in Child.definition.features.items()}
    assert written["v"] == "count(per=Card, last='2h') * 2"
    assert written["diff"] == "count(per=Card, last='2h') - count(per=Card, last='1h')"
    with pytest.raises(FlowError, match="challenges one flow"):
        type("Both", (Parent, Counting), {})


def test_the_digest_is_of_everything_that_decides() -> None:
    def digest(key: type, default: bool) -> str:
        class Wire(Event):
            to: entity("cc", key)  # type: ignore[valid-type]
            urgent: bool = default

        class Wires(Flow[Wire]):
            n = count(per=Wire.to, last="1d")
            urgent = review(Wire.urgent, because="Urgent")

        return Wires.definition.digest

    assert len({digest(int, True), digest(str, True), digest(str, False)}) == 3


def test_shared_parts_cost_once() -> None:
    began, twice = perf_counter(), Paid.amount / eur(1)
    for _ in range(13):
        twice = twice + twice

    class Deep(Flow[Paid]):
        doubled = twice

    assert perf_counter() - began < 5
    with pytest.raises(FlowError, match="too large"):
        for _ in range(60):
            twice = twice + twice
    with pytest.raises(FlowError, match="too large"):
        sum([Paid.amount / eur(1)] * 1200)


def test_what_no_cell_can_hold_is_refused_with_the_class() -> None:
    with pytest.raises(FlowError, match="2\\*\\*53"):

        class Huge(Event):
            amount: Annotated[Money, Field(le=10**30)]

    with pytest.raises(FlowError, match="is a number"):
        model("a@b", of=[Paid.amount / eur(1)], otherwise=float("inf"))
    with pytest.raises(FlowError, match="every event has it alike"):

        class Own(Event):
            id: int

    with pytest.raises(FlowError, match="has no type"):

        class Forgotten(Event):
            urgent = True


def test_wording_stays_as_long_as_a_window_can_hold_it() -> None:
    words = Wording(memory=100)
    words[1] = "one"
    words.age(1)
    for clock in range(2, 102):
        words.age(clock)
    assert words[1] == "one"
    words.age(102)
    words[2] = "two"
    assert words[1] == "one"
    words.age(300)
    assert 1 not in words and words[2] == "two"


def test_a_text_of_long_ago_is_still_shown() -> None:
    class Usual(Flow[Paid]):
        usual = mode(Paid.card, per=Paid.shop, last="1d")

    engine = Engine(Usual, explain=True)
    engine.decide(paid("a"))
    answer = engine.decide(paid("b", 24 * 60 - 1))
    assert answer.features == {"usual": "c"}  # type: ignore[union-attr]


def test_a_limit_looks_at_what_is_in_one_interval_with_the_event() -> None:
    class Capped(Flow[Paid]):
        n = count(per=Card, last="400d")
        every = decline(n >= 0, because="Each of them")
        limits = at_most(1, "decline", last="1h")

    engine = Engine(Capped)
    # 10:00, then late 00:00, 00:01 and 01:00; an hour before 01:00 begins just after 00:00; 10:00 ends 09:01's hour
    times = (("a", 600), ("b", 0), ("c", 1), ("d", 60), ("e", 541), ("f", 540))
    outcomes = [engine.decide(paid(id, minute)).outcome for id, minute in times]  # type: ignore[union-attr]
    assert outcomes == ["decline", "decline", "review", "decline", "review", "decline"]


def test_a_snapshot_without_a_part_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("newest", "lists", "caps", "words"):
        path = tmp_path / f"{part}.db"
        with Store.open(path) as store:
            engine = Engine(Counting, store=store, explain=True)
            engine.decide_many([paid("a"), paid("b")])
            whole = engine.snapshot()
            with monkeypatch.context() as patch:
                lacking = (whole[0], {name: value for name, value in whole[1].items() if name != part})
                patch.setattr(engine, "snapshot", lambda lacking=lacking: lacking)
                engine.save()
        with Store.open(path) as store:
            engine = Engine(Counting, store=store, explain=True)
            assert [error.wrong for error in engine.passed_over] == ["The snapshot lacks what a state is made of."]
            assert n_of(engine.decide(paid("c"))) == 2


@pytest.mark.parametrize(("keeping", "ids"), [("keep", "ab"), ("keep_one", "a")])
def test_without_a_store_an_interrupted_batch_is_not_gone_on_from(
    monkeypatch: pytest.MonkeyPatch, keeping: str, ids: str
) -> None:
    engine = Engine(Counting)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine._past, keeping, interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine.decide_many([paid(id) for id in ids])
    with pytest.raises(StoreError, match="interrupted"):
        engine.decide(paid("a"))


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Counting, store=store)
        engine.decide(paid("a"))
        engine.save()
    folder = tmp_path / "s.db.snapshots"
    (folder / "0000000000000000009.snapshot.new").write_bytes(b"half")
    with Store.open(tmp_path / "s.db") as store:
        Engine(Counting, store=store)
    assert not list(folder.glob("*.new"))
