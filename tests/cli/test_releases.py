"""Changes from the command line: what is said, and what is left behind, when one cannot be made."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import Result

from tidegate.releases.register import Register

from .conftest import typed

FLOW = '''
from tidegate import Event, Flow, Money, eur, review


class Payment(Event):
    amount: Money


class Desk(Flow[Payment]):
    """Look at large payments."""

    large = review(Payment.amount > eur(900), because="Large")
'''

CASE = {
    "name": "a large payment passes",
    "events": [{"id": "1", "at": "2026-01-01T10:00:00Z", "amount": "950.00 EUR"}],
    "outcome": "approve",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a flow and cases, in which commands are typed."""
    (tmp_path / "desk.py").write_text(FLOW)
    (tmp_path / "cases.ndjson").write_text(json.dumps(CASE))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("hazmat.primitives.asymmetric", "hazmat.primitives.serialization", "exceptions"):
        monkeypatch.setitem(sys.modules, f"cryptography.{name}", None)


def test_without_the_package_that_makes_keys_nothing_is_left_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = sorted(folder.iterdir())
    without_cryptography(monkeypatch)
    result = typed("people", "add", "ana", "--role", "business")
    assert result.exit_code == 2, result.output
    assert "needs cryptography" in result.stderr and "pip install 'tidegate[releases]'" in result.stderr
    assert sorted(folder.iterdir()) == there


def test_a_key_that_was_made_before_is_not_read_without_the_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert typed("people", "add", "ana", "--role", "business").exit_code == 0
    without_cryptography(monkeypatch)
    result = typed("people", "remove", "ana", "--as", "ana")
    assert result.exit_code == 2 and "tidegate[releases]" in result.stderr, result.output


def test_who_cannot_join_leaves_neither_a_key_nor_a_register(folder: Path) -> None:
    there = sorted(folder.iterdir())
    for words in (("ana", "--role", " "), ("ana", "--role", "business", "--key", "no/such/folder.pem")):
        assert typed("people", "add", *words).exit_code == 2
        assert sorted(folder.iterdir()) == there


@pytest.mark.parametrize(
    "words",
    [
        ("propose", "desk.py", "--as", "cleo", "--why", "because"),
        ("sign", "123", "--as", "cleo"),
        ("release", "123", "--as", "cleo"),
        ("rollback", "Desk", "--as", "cleo", "--why", "because"),
        ("people", "remove", "cleo", "--as", "cleo"),
    ],
)
def test_a_register_is_made_by_whom_joins_and_nobody_else(folder: Path, words: tuple[str, ...]) -> None:
    there = sorted(one for one in folder.iterdir() if one.is_file())
    result = typed(*words)
    assert result.exit_code == 2, result.output
    assert "There is no register releases.db" in result.stderr and "people add" in result.stderr
    assert sorted(one for one in folder.iterdir() if one.is_file()) == there


def test_a_proposal_whose_cases_fail_says_that_it_cannot_be_released(folder: Path) -> None:
    typed("people", "add", "cleo", "--role", "AI")
    words = ("propose", "desk.py", "--suite", "cases.ndjson", "--as", "cleo", "--why", "because")
    result = typed(*words)
    assert result.exit_code == 1, result.output
    assert "fails: a large payment passes (review, not approve; by large)" in result.stdout
    assert "It cannot be released: 1 of its 1 cases fail" in result.stderr and "Next" not in result.stderr
    as_json = typed(*words, "--json")
    assert as_json.exit_code == 1 and json.loads(as_json.stdout)["suite"]["failed"]
    (folder / "cases.ndjson").write_text(json.dumps({**CASE, "outcome": "review"}))
    sound = typed(*words)
    assert sound.exit_code == 0 and "tidegate sign" in sound.stderr, sound.output
    with Register.open("releases.db", read_only=True) as kept:
        assert len(kept.proposals) == 3, "what failed is on record, too"
    (folder / "cases.ndjson").write_text(json.dumps({**CASE, "outcome": ""}))
    assert "expects nothing, so it could not fail" in typed(*words).stderr
    (folder / "cases.ndjson").write_text(json.dumps({**CASE, "events": [*CASE["events"], {"id": "2"}]}))
    assert "Event 2 of the case 'a large payment passes' does not keep its contract" in typed(*words).stderr


def test_a_history_in_another_encoding_is_proposed(folder: Path) -> None:
    typed("people", "add", "cleo", "--role", "AI")
    history = "id,at,amount\nf\u00fcnf,2026-01-02T10:00:00Z,950.00 EUR\neins,2026-01-01T10:00:00Z,1.00 EUR\n"
    Path("history.csv").write_text(history, encoding="cp1252")
    Path("old.py").write_text(FLOW.replace("eur(900)", "eur(990)"))
    words = ("--old", "old.py", "--as", "cleo", "--why", "because", "--encoding", "cp1252", "--sort", "--json")
    result = typed("propose", "desk.py", "history.csv", *words)
    assert result.exit_code == 0, result.output
    assert "decided otherwise 1 (50.0 %)" in json.loads(result.stdout)["summary"]


def test_events_that_a_proposal_reads_and_nobody_gave_are_named(folder: Path) -> None:
    typed("people", "add", "cleo", "--role", "AI")
    Path("history.csv").write_text("id,at,amount\none,2026-01-01T10:00:00Z,1.00 EUR\n")
    Path("old.py").write_text(FLOW)
    Path("desk.py").write_text(
        FLOW.replace("class Desk", "class Login(Event):\n    desk: Place\n\n\nclass Desk")
        .replace("class Payment", "Place = entity('place')\n\n\nclass Payment")
        .replace("    amount: Money\n", "    amount: Money\n    desk: Place | None = None\n")
        .replace("import ", "import count, entity, ", 1)
        + "    logins = count(Login, per=Place, last='1h')\n"
    )
    words = ("propose", "desk.py", "history.csv", "--old", "old.py", "--as", "cleo", "--why", "because")
    result = typed(*words)
    assert result.exit_code == 0, result.output
    assert "No Login events were given, and 1 window reads them" in " ".join(result.stderr.split())
    assert json.loads(typed(*words, "--json").stdout)["not_given"] == ["Login"]


def let_out(limit: int, *old: str) -> str:
    """The proposal of a version that looks at payments above a limit; it is proposed, signed and released."""
    Path("desk.py").write_text(FLOW.replace("900", str(limit)))
    proposed = typed("propose", "desk.py", "--as", "cleo", "--why", "because", "--json", *old)
    assert proposed.exit_code == 0, proposed.output
    id = str(json.loads(proposed.stdout)["id"])
    for words in (("sign", id, "--as", "ana"), ("release", id, "--as", "ana")):
        result = typed(*words)
        assert result.exit_code == 0, result.output
    return id


def live() -> str:
    with Register.open("releases.db", read_only=True) as kept:
        version = kept.live("Desk")
        assert version is not None
        return version.proposal.id


def back(*words: str) -> Result:
    return typed("rollback", "Desk", "--as", "ana", "--why", "because", *words)


def test_a_second_rollback_goes_a_step_further_back_and_never_forward(folder: Path) -> None:
    typed("people", "add", "cleo", "--role", "AI")
    typed("people", "add", "ana", "--as", "cleo", "--role", "business")
    first = let_out(900)
    sole = " ".join(back().output.split())
    assert "the only one" in sole and "tidegate propose" in sole and "tidegate history" not in sole
    second, third = let_out(800), let_out(700)
    assert back().exit_code == 0 and live() == second
    again = back()
    assert again.exit_code == 0 and live() == first
    assert "taken back to by ana on" in " ".join(again.output.split()), "what was in use, since when, by whom"
    refused = back()
    said = " ".join(refused.output.split())
    assert refused.exit_code == 2 and live() == first, refused.output
    assert "the first is live" in said and "--to" in said and second[:12] in said and third[:12] in said
    assert back("--to", third).exit_code == 0 and live() == third
    assert back().exit_code == 0 and live() == first, "the second was taken back, too"
