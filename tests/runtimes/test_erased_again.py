"""What was erased and is sent again counts as sent before: it is neither decided anew nor kept, and is told so."""

import json
from pathlib import Path

from tests.runtimes.served import payment, served
from tidegate import Store
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
