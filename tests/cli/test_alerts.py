"""`tidegate alerts` as it is typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.runtimes.test_delivery import decide
from tidegate.cli import app

typed = CliRunner().invoke


def search(store: Path, *words: str) -> dict:
    done = typed(app, ["alerts", "search", *words, "--store", str(store), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_decisions_are_found_without_a_server_and_new_ones_too(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    decide(store, 0, 5)
    found = search(store, "outcome:decline", "--limit", "2", "--facet", "rule", "--facet", "card")
    assert [one["id"] for one in found["decisions"]] == ["c1-4", "c1-3"] and found["total"] == 3
    assert found["facets"] == {"rule": {"often": 3}, "card": {"c1": 3}}
    more = search(store, "outcome:decline", "--limit", "2", "--after", found["after"])
    assert [one["id"] for one in more["decisions"]] == ["c1-2"] and "after" not in more
    decide(store, 5, 7)
    assert search(store, "alarm:true since:2m")["total"] == 3


def test_what_is_shown_to_people(tmp_path: Path) -> None:
    decide(tmp_path / "s.db", 0, 5)
    shown = typed(app, ["alerts", "search", "decline OR many", "--store", str(tmp_path / "s.db"), "--facet", "card"])
    assert "c1-4" in shown.output and "Many payments in a day" in shown.output and "alarm" in shown.output
    assert "amount 2.48 EUR, card c1" in shown.output and "3 of 3 decisions" in shown.output
    nothing = typed(app, ["alerts", "search", "nothing", "--store", str(tmp_path / "s.db")])
    assert "No decision fits" in nothing.output and nothing.exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "(level:high"], "Close the parenthesis"),
        (["search", "levl:high"], "Did you mean level?"),
        (["search", "x", "--in", "kafka://x"], "no address of a search server"),
        (["deliver", "--once", "--to", "mailto:x"], "no address that alerts can be sent to"),
        (["deliver", "--once", "--to", "https://example.com/x"], "TIDEGATE_WEBHOOK_SECRET is not set"),
    ],
)
def test_mistakes(tmp_path: Path, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIDEGATE_WEBHOOK_SECRET", raising=False)
    decide(tmp_path / "s.db", 0, 5)
    done = typed(app, ["alerts", *words, "--store", str(tmp_path / "s.db")])
    assert done.exit_code == 2 and said in " ".join(done.output.split())


def test_status_and_held(tmp_path: Path) -> None:
    store = str(tmp_path / "s.db")
    decide(tmp_path / "s.db", 0, 5)
    assert "Nobody was told yet" in typed(app, ["alerts", "status", "--store", store]).output
    done = typed(app, ["alerts", "deliver", "--once", "--to", "local", "--store", store])
    assert done.exit_code == 0 and "told of 5 decisions, 0 records left" in " ".join(done.output.split())
    decide(tmp_path / "s.db", 5, 7)
    told = json.loads(typed(app, ["alerts", "status", "--store", store, "--json"]).stdout)
    assert told == {"sink": "search", "told": 5, "behind": 2, "held": 0}
    assert "Nothing is held" in typed(app, ["alerts", "held", "--store", store]).output
