"""What was erased and is sent again counts as sent before: it is neither decided anew nor kept, and is told so."""

import json
from pathlib import Path

from typer.testing import CliRunner

from tests.runtimes.served import payment, served
from tests.runtimes.started import FLOW
from tidegate import Store
from tidegate.cli import app
from tidegate.evidence.log import verify
from tidegate.runtimes.erasing import erase, forget_beside


def test_a_server_says_that_it_was_erased_and_decides_no_more(tmp_path: Path) -> None:
    place = tmp_path / "s.db"
    with served(place) as server:
        first = server.decide(payment(1, "mine")).json()
        server.client.post("/events", json=payment(2, "mine"))
        assert server.decide(payment(3, "other")).status_code == 200
        server.stop()
    with Store.open(place) as store:
        assert erase(store, {"card": "mine"}, "asked for") == 2 and forget_beside(store)
        size = store.head().size
    with served(place) as server:
        for sent in (payment(1, "mine"), payment(2, "mine"), payment(1, "mine")):
            said = server.decide(sent)
            told = said.json()
            assert said.status_code == 410 and (told["code"], told["id"]) == ("erased", sent["id"])
            assert "not decided anew" in told["detail"] and "/events" not in told["detail"]
        learned = server.client.post("/events", json=payment(1, "mine")).json()
        assert learned["id"] == "mine-1" and learned["repeated"] is True
        asked = server.client.get(f"/decisions/{first['id']}")
        assert asked.status_code == 410 and asked.json()["code"] == "erased"
        other = server.decide(payment(1, "mine") | {"country": "FR"})
        assert other.status_code == 409 and other.json()["code"] == "id-reused"
        counted = server.client.get("/metrics").text
        assert "\ntidegate_repeated_total 4\n" in counted
        lines = [payment(1, "mine"), payment(4, "other"), payment(3, "other")]
        body = b"\n".join(json.dumps(one).encode() for one in lines)
        many = server.client.post("/decisions", content=body, headers={"content-type": "application/x-ndjson"})
        answers = [json.loads(line) for line in many.text.splitlines()]
        assert answers[0]["code"] == "erased" and answers[1]["outcome"] and answers[2]["repeated"]
        server.stop()
    with Store.open(place, read_only=True) as store:
        assert [refusal.reason.partition(",")[0] for _, refusal in store.refusals()] == ["This id was used before"]
        assert store.head().size == size + 1 and verify(store).ok


def test_a_replay_into_the_store_counts_it_as_repeated_and_sets_nothing_of_it_aside(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    events, place = tmp_path / "events.ndjson", tmp_path / "s.db"
    cards = ["mine", "other", "mine", "other"]
    rows = [{"id": f"p{n}", "at": f"2026-01-01T00:00:0{n}Z", "card": card} for n, card in enumerate(cards)]
    events.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    words = ["replay", f"{tmp_path}/flow.py", str(events), "--store", str(place), "--without-models", "--json"]
    assert CliRunner().invoke(app, words).exit_code == 0
    with Store.open(place) as store:
        assert erase(store, {"card": "mine"}, "asked for") == 2 and forget_beside(store)
    done = CliRunner().invoke(app, [*words, "--fail-on-refused"])
    assert done.exit_code == 0, done.output
    counted = json.loads(done.stdout)["rows"]
    assert (counted["repeated"], counted["reused"], counted["decided"]) == (4, 0, 0)
    assert not [path for path in tmp_path.iterdir() if "quarantine" in path.name and b"mine" in path.read_bytes()]
