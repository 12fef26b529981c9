"""What is erased or pruned is gone, and the log says so and stays verifiable; a copy has the same seals."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.connectors.entries import entries
from tests.connectors.stores import Places
from tests.runtimes.served import Card, Fraud, Payment, payment
from tidegate import Engine, Flow, ListChange, Store, StoreError, count, decline, entity_list, review
from tidegate.cli import app
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.search_sqlite import SqliteIndex
from tidegate.connectors.store_address import Address
from tidegate.connectors.told import Held, Told
from tidegate.evidence.erasure import KIND
from tidegate.evidence.log import verify
from tidegate.evidence.proof import prove, proven
from tidegate.evidence.record import Refusal
from tidegate.evidence.snapshot import Snapshots
from tidegate.runtimes.copying import copy
from tidegate.runtimes.delivery import Delivery
from tidegate.runtimes.erasing import erase, not_learned, prune
from tidegate.runtimes.load import load_flow
from tidegate.runtimes.remake import remake

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def fill(store: Store, cards: tuple[str, ...] = ("a", "b"), many: int = 30) -> Engine:
    engine = Engine(Fraud, store=store)
    for number in range(many):
        engine.process([engine.readers["Payment"].read(json.dumps(payment(number, card)).encode()) for card in cards])
    return engine


def test_erasing_a_card_leaves_the_log_verifiable_and_nothing_of_the_card(place: str) -> None:
    with Store.open(place) as store:
        fill(store)
        before = store.head()
        assert erase(store, {"card": "a"}, "asked for on 3 March", NOW) == 30
        assert erase(store, {"card": "a"}, "asked for on 3 March", NOW) == 0
        found = verify(store, head=before)
        assert found.ok and found.records == 61, found.fault
        for number in range(30):
            gone, there = store.get(f"a-{number}"), store.get(f"b-{number}")
            assert gone is not None and there is not None
            assert (gone.body, gone.answer, gone.record) == (b"", None, b"") and there.answer
        with pytest.raises(StoreError, match=r"a-3 was erased.*asked for on 3 March"):
            remake(store, "a-3")
        with pytest.raises(StoreError, match="was erased"):
            prove(store, "a-3")
        assert remake(store, "b-3").equal and proven(prove(store, "b-3"))
        said = next(iter(store.of_kind(KIND)))
        assert b"asked for" in said.body and b'"a"' not in said.body
    with Store.open(place) as store:
        engine = Engine(Fraud, store=store)
        assert any("30 records that were erased" in str(why) for why in engine.passed_over)
        again = json.loads(engine.decide_json(json.dumps(payment(40, "b")).encode()))
        assert again["outcome"] and verify(store).ok


def test_emptying_a_record_without_a_statement_is_found(place: str) -> None:
    with Store.open(place) as store:
        fill(store)
        erase(store, {"card": "a"}, "asked for", NOW)
        store.blank([2])
        fault = verify(store).fault
        assert fault is not None and (fault.seq, fault.how) == (2, "changed")
        with pytest.raises(StoreError, match="it was touched"):
            remake(store, "b-0")


class Blocking(Flow[Payment]):
    """Keep away whom people put on a list."""

    blocked = entity_list("blocked-cards", Card)
    on_list = decline(blocked.has(Payment.card), because="The card is on the block list")


class BlockingOtherwise(Blocking):
    """The same with a window more: another version, of which there is no snapshot."""

    often = review(count(per=Card, last="1h") > 100, because="Often")


def test_pruning_leaves_changes_of_lists_which_are_in_force_however_old_they_are(place: str) -> None:
    began = datetime(2025, 12, 31, tzinfo=UTC)
    with Store.open(place) as store:
        engine = Engine(Blocking, store=store)
        engine.learn(ListChange(id="l1", at=began, list="blocked-cards", key="a", listed=True))
        engine.decide_json(json.dumps(payment(0, "a")).encode())
        engine.save()
        assert prune(store, 30, "retention", NOW) == 1
        assert not_learned(store, 30, NOW) == 0 and verify(store).ok
    with Store.open(place) as store:
        engine = Engine(BlockingOtherwise, store=store)
        assert engine.passed_over
        answer = json.loads(engine.decide_json(json.dumps(payment(1, "a")).encode()))
        assert answer["outcome"] == "decline"


def test_what_is_left_of_an_erased_record_is_sealed(place: str) -> None:
    with Store.open(place) as store:
        fill(store)
        erase(store, {"card": "a"}, "asked for", NOW)
        store._change("UPDATE records SET outcome = ? WHERE seq = ?", [("decline", 5)])
        fault = verify(store).fault
        assert fault is not None and (fault.seq, fault.how) == (5, "changed")


def test_pruning_keeps_what_snapshots_still_need(place: str) -> None:
    with Store.open(place) as store:
        with pytest.raises(StoreError, match="has no snapshot"):
            fill(store, many=10)
            prune(store, 30, "retention", NOW)
        engine = Engine(Fraud, store=store)
        engine.save()
        for number in range(10, 20):
            engine.decide_json(json.dumps(payment(number, "a")).encode())
        assert prune(store, 30, "retention", NOW) == 20
        assert prune(store, 30, "retention", NOW) == 0
        assert (not_learned(store, 30, NOW), not_learned(store, 3000, NOW)) == (10, 0)
        assert verify(store).ok and remake(store, "a-15").equal
    with Store.open(place) as store:
        engine = Engine(Fraud, store=store)
        assert not engine.passed_over
        whole = Engine(Fraud)  # that was never interrupted
        right = [json.loads(whole.decide_json(json.dumps(payment(n, "a")).encode())) for n in range(21)][-1]
        found = json.loads(engine.decide_json(json.dumps(payment(20, "a")).encode()))
        assert {**found, "timing": None} == {**right, "timing": None}
    with Store.open(place) as store:
        assert prune(store, 300, "retention", NOW) == 0


def test_a_copy_has_the_same_seals_and_is_gone_on_with(places: Places, tmp_path: Path) -> None:
    for source, target in ((places(), str(tmp_path / "copy.db")), (str(tmp_path / "file.db"), places())):
        with Store.open(source) as store:
            engine = fill(store)
            engine.save()
            erase(store, {"card": "a"}, "asked for", NOW)
            for start in range(0, 6000, 500):
                store.append([*(e for e in entries(start + 1, start + 500))], [Refusal("r\0", b"d" * 32, "no", start)])
            store.append([entries(7000, 7000)[0]])
        with Store.open(source, read_only=True) as store, Store.open(target) as other:
            calls = 0

            def cut(done: int, of: int) -> None:
                nonlocal calls
                calls += 1
                if calls == 2:
                    raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                copy(store, other, cut)
        with Store.open(source, read_only=True) as store, Store.open(target) as other:
            assert 0 < other.head().size < store.head().size
            assert verify(other).ok
            assert copy(store, other) == store.head()
        with Store.open(source, read_only=True) as store, Store.open(target, read_only=True) as other:
            found, own = verify(other, head=store.head()), verify(store)
            assert found.ok and found == own
            assert list(other.rows(0, 10_000)) == list(store.rows(0, 10_000))
            assert other.refusals(limit=100) == store.refusals(limit=100)
        with Store.open(target) as other:
            assert other.append(entries(8000, 8001)).size == found.records + 2 and verify(other).ok
            with Store.open(source, read_only=True) as store, pytest.raises(StoreError, match="does not have"):
                copy(store, other)


def test_the_commands(place: str, tmp_path: Path) -> None:
    run = CliRunner()
    with Store.open(place) as store:
        fill(store)
    said = run.invoke(app, ["store", "migrate", "--store", place])
    assert said.exit_code == 0 and "60 records" in said.output, said.output
    said = run.invoke(app, ["store", "erase", "--entity", "card=a", "--why", "asked for", "--store", place])
    assert said.exit_code == 0 and "30 records erased" in said.output, said.output
    said = run.invoke(app, ["verify", "--store", place])
    assert said.exit_code == 0 and "Untouched" in said.output, said.output
    said = run.invoke(app, ["explain", "a-1", "--store", place])
    assert said.exit_code == 2 and "a-1 was erased" in said.output, said.output
    said = run.invoke(app, ["store", "copy", place, str(tmp_path / "out.db")])
    assert said.exit_code == 0 and "61 records" in said.output, said.output
    said = run.invoke(app, ["decisions", "--store", place, "--limit", "3"])
    assert said.exit_code == 0 and "b-29" in said.output, said.output
    assert str(Address("postgresql://me:secret@h/db?password=x")) == "postgresql://me@h/db?password=…"


PEOPLE = '''
from typing import Annotated

from tidegate import Event, Field, Flow, Personal, count, decline, entity

Account = entity("account")
Device = entity("device")


class Transfer(Event):
    """Money goes from one account to another."""

    payer: Annotated[Account, Field(personal=Personal.FINANCIAL)]
    payee: Annotated[Account, Field(personal=Personal.FINANCIAL)]
    name: Annotated[str, Field(personal=Personal.IDENTIFIER)]


class Login(Event):
    """Somebody logged in."""

    account: Annotated[Account, Field(personal=Personal.FINANCIAL)]
    address: Annotated[str, Field(personal=Personal.LOCATION)]


class Visit(Event):
    """A device was seen."""

    device: Annotated[Device, Field(personal=Personal.IDENTIFIER)]


class Watch(Flow[Transfer]):
    """Stop quick transfers."""

    learns = (Login, Visit)
    often = decline(count(per=Transfer.payer, last="10m") >= 1, because="Many transfers")
    seen = count(Login, per=Transfer.payer, last="1d")
'''


def test_a_name_that_no_event_has_erases_nothing_and_is_told(place: str) -> None:
    run = CliRunner().invoke

    def said(*words: str, status: int = 0) -> str:
        done = run(app, ["store", "erase", "--why", "asked for", "--store", place, *words])
        assert done.exit_code == status, done.output
        return " ".join(done.output.split())

    with Store.open(place) as store:
        store.append([])
    assert "There are no events in it" in said("--entity", "card=a", status=2)
    with Store.open(place) as store:
        fill(store, many=3)
    for words in (("--entity", "account=a"), ("--entity", "card=a", "--entity", "crad=a")):
        told = said(*words, status=2)
        assert f"has a field {words[-1].partition('=')[0]}, so nothing is erased" in told
        assert "There are: amount, at, card, country, device, id." in told and "--flow FLOW" in told
    told = said("--entity", "card=a", "--entity", "card=b", status=2)
    assert "takes each field once" in told and "one after the other" in told
    with Store.open(place, read_only=True) as store:
        assert not list(store.of_kind(KIND))
    told = said("--entity", "card=x", "--entity", "key=x")
    assert told.startswith("Nothing was erased.") and "0 records" not in told
    assert "No record has card=x, in the field card" in told and "No record has key=x" in told
    told = said("--entity", "card=a", "--entity", "device=x")
    assert told.startswith("3 records erased") and "No record has device=x" in told and "has card=a" not in told
    assert "has a field why" in said("--entity", "why=asked for", status=2), "what a statement says is no event"
    said("--entity", "card=b")
    assert said("--entity", "card=a").startswith("Nothing was erased."), "the flow in the store still names the field"


def test_all_fields_of_an_entity_and_the_index_beside_the_store(tmp_path: Path) -> None:
    """With a flow, `--entity account=…` finds whoever is an account, whatever the field is called."""
    (tmp_path / "flow.py").write_text(PEOPLE)
    flow, place = load_flow(tmp_path / "flow.py"), tmp_path / "s.db"
    base = {"at": "2026-01-01T00:00:00Z"}
    mine, other = "DE89-XYZZY-37", "DE00-OTHER-00"
    with Store.open(place) as store:
        engine = Engine(flow, store=store)

        def take(kind: str, **fields: str) -> None:
            engine.process([engine.readers[kind].read(json.dumps(base | fields).encode())])

        take("Login", id="l1", account=mine, address="Quuxplace")
        take("Login", id="l2", account=other, address="elsewhere")
        take("Visit", id="v1", device="d1")
        take("Transfer", id="t1", payer=mine, payee=other, name="Frobnitz")
        take("Transfer", id="t2", payer=other, payee=mine, name="Frobnitz")
        take("Transfer", id="t3", payer=other, payee=other, name="Somebody")
        engine.save()
        with AlertsFile.beside(place) as file:
            Delivery(store, file, SqliteIndex(file)).catch_up()
            Told(file, "elsewhere").reached(4, b"", [Held("elsewhere", 4, "t1", "field name: 'Frobnitz'")])
    run = CliRunner().invoke
    words = ["store", "erase", "--why", "asked for", "--store", str(place), "--flow", str(tmp_path / "flow.py")]
    assert "Did you mean account?" in run(app, [*words, "--entity", "acount=x"]).output
    assert "account, address, at, device, id, name, payee, payer" in run(app, [*words, "--entity", "x=x"]).output
    said = run(app, [*words, "--entity", f"account={mine}", "--entity", f"payer={other}"])
    assert said.exit_code == 2 and "are one entity, and have two values" in said.output
    said = run(app, [*words, "--entity", "account=nobody", "--entity", "key=nobody"])
    assert said.exit_code == 0 and "Nothing was erased." in said.output, said.output
    assert "No record has account=nobody, in the field account or payee or payer" in " ".join(said.output.split())
    with Store.open(place, read_only=True) as store:
        assert not list(store.of_kind(KIND))
    said = run(app, [*words[:-2], "--entity", f"acount={mine}"])
    assert said.exit_code == 2 and "looked for in all of its fields" in " ".join(said.output.split())
    said = run(app, [*words, "--entity", f"account={mine}"])
    assert said.exit_code == 0 and "3 records erased" in said.output, said.output
    assert "Looked for in the fields account, payee, payer." in said.output
    assert "Visit events have personal data (device) and none of these fields" in said.output
    assert said.output.count("events have personal data") == 1
    assert not any((tmp_path / "s.db.snapshots").glob("*"))  # windows forget it too
    found = run(app, ["verify", "--store", str(place)])
    assert found.exit_code == 0 and "Untouched" in found.output, found.output
    held = b"".join(one.read_bytes() for one in tmp_path.iterdir() if one.is_file() and one.name != "flow.py")
    for word in (mine, "Quuxplace", "Frobnitz"):
        assert word.encode() not in held and word.lower().encode() not in held
    for word in (other, "Somebody"):
        assert word.encode() in held
    with Store.open(place, read_only=True) as store:
        for id in ("t1", "t2", "l1"):
            gone = store.get(id)
            assert gone is not None and (gone.body, gone.answer, gone.record) == (b"", None, b"")
        assert remake(store, "t3").equal


def test_pruning_says_what_snapshots_keep_back(tmp_path: Path) -> None:
    store = str(tmp_path / "s.db")
    with Store.open(store) as kept:
        engine = Engine(Fraud, store=kept)
        engine.decide_json_many([json.dumps(payment(number)).encode() for number in range(12)])
        engine.save()
        engine.decide_json_many([json.dumps(payment(number)).encode() for number in range(12, 20)])
    said = CliRunner().invoke(app, ["store", "prune", "--older-than", "1", "--store", store])
    assert said.exit_code == 0 and "12 records erased" in said.output, said.output
    assert f"8 records as old are left: of the snapshots in {store}.snapshots one has not learned them" in said.output


def test_a_copy_of_a_pruned_store_decides_as_that_store_does(tmp_path: Path) -> None:
    store, copied, run = str(tmp_path / "s.db"), str(tmp_path / "copy.db"), CliRunner()
    with Store.open(store) as kept:
        engine = Engine(Fraud, store=kept)
        engine.decide_json_many([json.dumps(payment(number)).encode() for number in range(20)])
        engine.save()
    said = run.invoke(app, ["store", "prune", "--older-than", "1", "--store", store])
    assert said.exit_code == 0 and "20 records erased" in said.output and "left" not in said.output, said.output
    said = run.invoke(app, ["store", "copy", store, copied])
    assert said.exit_code == 0, said.output
    features = []
    for place in (store, copied, str(tmp_path / "empty.db")):
        with Store.open(place) as kept:
            engine = Engine(Fraud, store=kept, explain=True)
            assert not engine.passed_over
            (answer,) = engine.decide_json_many([json.dumps(payment(20)).encode()])
            features.append(json.loads(answer)["features"])
    assert features[0] == features[1] != features[2]  # it matters what came before


def test_a_copy_that_is_gone_on_with_has_nothing_of_what_was_erased_since(places: Places, tmp_path: Path) -> None:
    for source, target in ((places(), str(tmp_path / "copy.db")), (str(tmp_path / "file.db"), places())):
        with Store.open(source) as store, Store.open(target) as other:
            fill(store)
            copy(store, other)
            assert erase(store, {"card": "a"}, "asked for", NOW) == 30
        for _ in range(2):
            with Store.open(source) as store, Store.open(target) as other:
                assert copy(store, other) == store.head()
        with Store.open(source, read_only=True) as store, Store.open(target, read_only=True) as other:
            assert list(other.rows(0, 1000)) == list(store.rows(0, 1000)) and verify(other).ok
    assert b'"a"' not in (tmp_path / "copy.db").read_bytes()


def test_a_copy_has_the_snapshots_of_its_source_whatever_lay_there(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store, Store.open(tmp_path / "copy.db") as other:
        fill(store, many=10).save()
        copy(store, other)
        for path in (there := Snapshots.beside(tmp_path / "copy.db")).files():
            path.write_bytes(b"of another history")
        copy(store, other)
        found = there.latest(up_to=store.head().size, root_at=other.root_at)
    assert found.snapshot is not None and found.snapshot.seq == 20 and not found.passed_over
    assert not list(there.folder.glob("*.new"))
