"""`decisions`, `explain`, `remake` and `verify`: what can be asked of a store."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.runtimes.served import payment
from tests.runtimes.test_delivery import Alarming
from tidegate import Engine, Store

from .conftest import Demo, typed


def listed(demo: Demo, *words: object) -> list[dict[str, Any]]:
    result = typed("decisions", "--store", demo.store, "--json", *words)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def touched(demo: Demo, tmp_path: Path) -> tuple[Path, str]:
    """A copy of the store in which one decision was turned round, and that decision's id."""
    path = tmp_path / "tidegate.db"
    shutil.copy(demo.store, path)
    id = listed(demo, "--outcome", "decline", "--limit", 1)[0]["id"]
    connection = sqlite3.connect(path)
    connection.execute(
        "UPDATE records SET answer = CAST(replace(CAST(answer AS TEXT), 'decline', 'approve') AS BLOB) WHERE id = ?",
        (id,),
    )
    connection.commit()
    connection.close()
    return path, id


def test_decisions_are_found_by_what_the_event_holds(demo: Demo) -> None:
    from tidegate import Store

    with Store.open(demo.store, read_only=True) as store:
        newest = store.get(listed(demo, "--limit", 1)[0]["id"])
        assert newest is not None
        card = json.loads(newest.body)["card"]
        found = listed(
            demo, "--search", f'"card":"{card}"' if isinstance(card, str) else f'"card":{card}', "--limit", 500
        )
        assert newest.id in [row["id"] for row in found]
        for row in found:
            one = store.get(row["id"])
            assert one is not None and json.loads(one.body)["card"] == card
        alarms = [row for row in listed(demo, "--limit", 100_000) if row["alarm"]]
        assert [row["id"] for row in listed(demo, "--alarms", "--limit", 100_000)] == [row["id"] for row in alarms]


def test_explain_tells_how_long_it_took(demo: Demo) -> None:
    id = listed(demo, "--limit", 1)[0]["id"]
    told = json.loads(typed("explain", id, "--store", demo.store, "--json").stdout)
    assert told["timing"]["decide"] > 0
    assert f"decide {told['timing']['decide'] / 1000:.3f} ms" in typed("explain", id, "--store", demo.store).stdout


def test_refusals_are_listed(tmp_path: Path) -> None:
    from tests.runtimes.test_shadow import START, Champion, Payment
    from tidegate import Engine, Money, Store

    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Champion, store=store)
        for id, cents in (("a", 1), ("a", 2), ("b", 1), ("b", 5)):
            engine.decide(Payment(id=id, at=START, card="c", amount=Money(cents, "EUR")))
    result = typed("decisions", "--refused", "--store", tmp_path / "s.db", "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["id"] for row in rows] == ["b", "a"] and "other content" in rows[0]["reason"]
    assert "other content" in typed("decisions", "--refused", "--store", tmp_path / "s.db").stdout


def test_decisions_are_listed_newest_first(demo: Demo) -> None:
    rows = listed(demo, "--limit", 200)
    assert len(rows) == 200
    assert [row["seq"] for row in rows] == sorted((row["seq"] for row in rows), reverse=True)
    assert {"id", "at", "outcome", "level", "score", "alarm"} <= rows[0].keys()


def test_decisions_by_outcome_level_alarm_and_time(demo: Demo) -> None:
    assert {row["outcome"] for row in listed(demo, "--outcome", "DECLINE")} == {"decline"}
    assert {row["level"] for row in listed(demo, "--level", "high")} == {"high"}
    assert all(row["alarm"] for row in listed(demo, "--alarms"))
    newest = listed(demo, "--limit", 1)[0]["at"]
    late = listed(demo, "--since", "2h", "--limit", 100_000)
    assert 0 < len(late) < len(listed(demo, "--limit", 100_000))
    assert all(row["at"][:10] == newest[:10] for row in late)
    assert listed(demo, "--since", "2099-01-01") == []


def test_a_decision_and_a_refusal_is_a_line_each_however_long_its_id(tmp_path: Path) -> None:
    path, card = tmp_path / "s.db", "0190f3c2-7c11-7e6a-9d3e-aa55bb66cc77-settlement-of-the-batch-of-january"
    with Store.open(path) as kept:
        engine = Engine(Alarming, store=kept)
        for more in ({}, {"card": "other"}):
            engine.decide_json_many([json.dumps(payment(n, card) | more).encode() for n in range(5)])
    head, *lines = typed("decisions", "--store", path).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [f"{card}-{n}" for n in (4, 3, 2, 1, 0)]
    assert lines[0].endswith("decline         0.4000  alarm")
    assert {line.index("0.") + 6 for line in lines} == {len(head)}, "numbers stand under each other"
    head, *lines = typed("decisions", "--refused", "--store", path).stdout.splitlines()
    assert head.split() == ["id", "at", "(UTC)", "reason"] and len(lines) == 5
    assert all(line.startswith(f"{card}-") and "other content" in line for line in lines)


def test_decisions_as_a_table(demo: Demo) -> None:
    result = typed("decisions", "--store", demo.store, "--outcome", "decline", "--limit", 2)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 3
    assert "tidegate explain" in result.stderr
    assert f"tidegate verify --store {demo.store}" in result.stderr, "since a list proves nothing"
    assert "No decision fits" in typed("decisions", "--store", demo.store, "--level", "none").stderr


def test_explain_in_words(demo: Demo) -> None:
    id = listed(demo, "--alarms", "--limit", 1)[0]["id"]
    said = typed("explain", id, "--store", demo.store).stdout
    for words in (
        "DECLINE",
        id,
        "Nearly every payment like this one was fraud",
        "card-risk@champion says",
        "raises the risk",
        "proven in the log",
    ):
        assert words in said, said


def test_explain_as_json_holds_a_proof_that_holds(demo: Demo) -> None:
    from tidegate.evidence.proof import proven

    id = listed(demo, "--alarms", "--limit", 1)[0]["id"]
    told = json.loads(typed("explain", id, "--store", demo.store, "--json").stdout)
    assert told["decision"]["outcome"] == "decline"
    assert told["event"]["id"] == id
    assert proven(told["proof"])


@pytest.mark.parametrize("outcome", ["approve", "review", "decline"])
def test_decisions_are_remade_byte_for_byte(demo: Demo, outcome: str) -> None:
    for row in listed(demo, "--outcome", outcome, "--limit", 8):
        result = typed("remake", row["id"], "--store", demo.store, "--json")
        assert result.exit_code == 0, result.output
        told = json.loads(result.stdout)
        assert told["equal"] is True
        assert told["decision"]["outcome"] == outcome


def test_a_touched_decision_is_not_remade(touched: tuple[Path, str]) -> None:
    path, id = touched
    for command in ("remake", "explain"):
        result = typed(command, id, "--store", path)
        assert result.exit_code == 2, result.output
        said = " ".join(result.stderr.split())
        assert f"The record of '{id}' is not what was sealed" in said and "tidegate verify" in said


def test_verify_finds_nothing_in_a_whole_store(demo: Demo) -> None:
    result = typed("verify", "--store", demo.store)
    assert result.exit_code == 0
    assert "Untouched" in result.stdout
    head = result.stdout.split("tree head ")[1].split()[0]
    again = typed("verify", "--store", demo.store, "--head", head)
    assert again.exit_code == 0
    told = json.loads(typed("verify", "--store", demo.store, "--json").stdout)
    assert told["ok"] is True
    assert told["head"] == head


def test_verify_names_the_first_record_that_was_touched(touched: tuple[Path, str]) -> None:
    path, id = touched
    result = typed("verify", "--store", path)
    assert result.exit_code == 1
    assert "Touched" in result.stdout
    assert id in result.stdout
    told = json.loads(typed("verify", "--store", path, "--json").stdout)
    assert told["ok"] is False
    assert told["fault"]["id"] == id
    assert typed("explain", id, "--store", path).exit_code == 2


@pytest.mark.parametrize(
    ("statement", "how"),
    [("DELETE FROM artefacts", "removed"), ("UPDATE artefacts SET body = x'00' WHERE kind = 'model'", "changed")],
)
def test_verify_misses_flows_and_models(demo: Demo, tmp_path: Path, statement: str, how: str) -> None:
    path = tmp_path / "tidegate.db"
    shutil.copy(demo.store, path)
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    result = typed("verify", "--store", path)
    assert result.exit_code == 1
    assert "Untouched" not in result.stdout
    assert f"was {how}" in result.stdout
    told = json.loads(typed("verify", "--store", path, "--json").stdout)
    assert (told["ok"], told["fault"]["log"], told["fault"]["how"]) == (False, "artefacts", how)


def test_verify_wants_a_tree_head_that_is_one(demo: Demo) -> None:
    result = typed("verify", "--store", demo.store, "--head", "12:beef")
    assert result.exit_code == 2
    assert "SIZE:ROOT" in result.stderr


@pytest.mark.parametrize("command", [["decisions"], ["verify"], ["explain", "p1"], ["remake", "p1"]])
def test_a_store_that_is_not_there(command: list[str], tmp_path: Path) -> None:
    result = typed(*command, "--store", tmp_path / "none.db")
    assert result.exit_code == 2
    assert "There is no store" in result.stderr
    assert "TIDEGATE_STORE" in result.stderr


def test_an_id_that_is_not_there(demo: Demo) -> None:
    result = typed("explain", "nobody", "--store", demo.store)
    assert result.exit_code == 2
    assert "holds no event 'nobody'" in result.stderr


def test_an_event_that_was_only_learned(demo: Demo) -> None:
    connection = sqlite3.connect(f"file:{demo.store}?mode=ro", uri=True)
    (id,) = connection.execute("SELECT id FROM records WHERE kind = 'Login' LIMIT 1").fetchone()
    connection.close()
    result = typed("explain", id, "--store", demo.store)
    assert result.exit_code == 2
    assert "learned from, not decided on" in result.stderr


def test_an_outcome_that_is_none(demo: Demo) -> None:
    result = typed("decisions", "--store", demo.store, "--outcome", "maybe")
    assert result.exit_code == 2
    assert "approve, review or decline" in result.stderr
