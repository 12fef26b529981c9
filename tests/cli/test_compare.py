"""`tidegate compare` as it is typed."""

import json
import shlex
from pathlib import Path

import polars as pl
import pytest

from .conftest import typed

OLD = '''
from typing import Annotated
from tidegate import Event, Flow, Label, Money, count, decline, entity, eur, review

Card = entity("card")


class Payment(Event):
    card: Card
    amount: Money
    fraud: Annotated[bool | None, Label(known_after="7d")] = None


class CardFraud(Flow[Payment]):
    """Stop stolen cards."""

    payments_10m = count(per=Card, last="10m")
    testing = decline((payments_10m >= 4) & (Payment.amount < eur(5)), because="Small payments in quick succession")
    large = review(Payment.amount > eur(900), because="A large payment")
'''
NEW = OLD.replace(">= 4", ">= 3").replace(
    '    large = review(Payment.amount > eur(900), because="A large payment")\n', ""
)
ROWS = """id,at,card,amount,amount.currency,fraud
a,2026-01-01T10:00:00Z,c1,1.00,EUR,true
b,2026-01-01T10:01:00Z,c1,1.00,EUR,true
c,2026-01-01T10:02:00Z,c1,1.00,EUR,true
d,2026-01-01T10:03:00Z,c1,1.50,EUR,true
e,2026-01-01T10:04:00Z,c1,1.00,EUR,true
f,2026-01-01T10:04:00Z,c2,950.00,EUR,false
g,2026-01-01T10:05:00Z,c2,12.00,EUR,
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("old.py").write_text(OLD)
    Path("new.py").write_text(NEW)
    Path("payments.csv").write_text(ROWS)
    return tmp_path


def test_what_flips_for_whom_and_why(folder: Path) -> None:
    result = typed("compare", "old.py", "new.py", "payments.csv", "--report", "c.html", "--to", "flips.parquet")
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "decided otherwise 2 (28.6 %)" in text
    assert "approve → decline" in text and "review → approve" in text
    assert "payments_10m >= 4 →" in text and "payments_10m >= 3" in text
    assert "EUR 1.50" in text and "EUR 950.00" in text
    assert pl.read_parquet("flips.parquet")["id"].to_list() == ["d", "f"]
    assert "Stop stolen cards" in Path("c.html").read_text("utf-8")


def test_the_next_step_can_be_typed_as_it_is_and_tables_are_written_as_they_are_called(folder: Path) -> None:
    text = ROWS.replace(",card,", ",my card,").replace("950.00,EUR", "950.00,CHF")
    Path("my file.csv").write_text(text)
    words = ("compare", "old.py", "new.py", "my file.csv", "--column", "card=my card", "--sort")
    told = typed(*words, "--to", "flips.csv")
    assert told.exit_code == 0, told.output
    step = next(line for line in told.stderr.splitlines() if "--report" in line).partition("  the same")[0]
    typed_again = shlex.split(step.partition("tidegate ")[2])
    assert typed_again == [*words, "--report", "comparison.html"]
    flips = pl.read_csv("flips.csv")
    assert flips.select("id", "label", "amount", "currency").rows() == [("d", True, 150, "EUR")]
    for command in (words, ("replay", *words[2:]), ("features", *words[2:4])):
        refused = typed(*command, "--to", "flips.xlsx")
        assert refused.exit_code == 2 and "ends with .parquet" in refused.stderr, refused.output
    assert not Path("flips.xlsx").exists()


def test_json_for_scripts(folder: Path) -> None:
    found = json.loads(typed("compare", "old.py", "new.py", "payments.csv", "--json").stdout)
    assert (found["same"], found["flipped"], found["currency"]) == (5, 2, "EUR")
    assert [(c["rule"], c["fires"], c["flips"]) for c in found["causes"]] == [
        ("large", "old", 1),
        ("testing", "new", 1),
    ]
    assert {(g["old"], g["new"], g["label"]): (g["events"], g["money"]) for g in found["groups"]} == {
        ("approve", "approve", "fraud"): (3, 300),
        ("approve", "approve", "unknown"): (1, 1200),
        ("approve", "decline", "fraud"): (1, 150),
        ("decline", "decline", "fraud"): (1, 100),
        ("review", "approve", "good"): (1, 95000),
    }
    assert [change["line"] for change in found["changes"]] == ["testing", "large"]


def test_a_refactoring_is_held_to_change_nothing(folder: Path) -> None:
    Path("same.py").write_text(OLD.replace("payments_10m", "recent"))
    assert typed("compare", "old.py", "same.py", "payments.csv", "--fail-on-flips").exit_code == 0
    assert typed("compare", "old.py", "new.py", "payments.csv", "--fail-on-flips").exit_code == 1


def test_rows_that_are_no_events_are_counted_once(folder: Path) -> None:
    Path("payments.csv").write_text(ROWS + "h,yesterday,c2,1.00,EUR,\n")
    result = typed("compare", "old.py", "new.py", "payments.csv")
    assert result.exit_code == 0 and "1 row is no event" in result.output.replace("\n", " ")
    assert Path("payments.csv.quarantine.ndjson").read_text("utf-8").count('"line":9') == 1


def test_mistakes_are_told(folder: Path) -> None:
    Path("broken.py").write_text(OLD.replace("payments_10m >= 4", "payment_10m >= 4"))
    result = typed("compare", "old.py", "broken.py", "payments.csv")
    assert result.exit_code == 2 and "payments_10m" in result.output
    assert typed("compare", "old.py", "new.py", "nothing.csv").exit_code == 2


def test_versions_whose_parts_have_the_same_names_are_kept_apart(folder: Path) -> None:
    events, flow = OLD.split("class CardFraud")
    for name, least in (("before", 4), ("after", 3)):
        (folder / name).mkdir()
        (folder / name / "parts.py").write_text(events + f"\nLEAST = {least}\n")
        uses = "from parts import LEAST, Card, Payment\nfrom tidegate import Flow, count, decline, eur, review\n\n\n"
        (folder / name / "flow.py").write_text(uses + "class CardFraud" + flow.replace(">= 4", ">= LEAST"))
    found = json.loads(typed("compare", "before/flow.py", "after/flow.py", "payments.csv", "--json").stdout)
    assert found["flipped"] == 1 and found["changes"][0]["line"] == "testing"


def test_files_in_another_encoding_and_out_of_order_are_read_as_replay_reads_them(folder: Path) -> None:
    head, *rows = ROWS.replace(",c1,", ",k\u00f6ln,").splitlines()
    Path("payments.csv").write_text("\n".join([head, *reversed(rows)]) + "\n", encoding="cp1252")
    result = typed("compare", "old.py", "new.py", "payments.csv", "--encoding", "cp1252", "--sort", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["same"], found["flipped"]) == (5, 2), "as of the same rows in order and in UTF-8"


def test_what_was_set_aside_is_told_as_replay_tells_it(folder: Path) -> None:
    head, *rows = ROWS.splitlines()
    rows += ["z,2024-01-01T10:00:00Z,c2,1.00,EUR,", "a,2026-01-01T10:06:00Z,c1,2.00,EUR,true"]
    Path("payments.csv").write_text("\n".join([head + ",note", *(row + ",seen" for row in rows)]) + "\n")
    compared = typed("compare", "old.py", "new.py", "payments.csv")
    told = " ".join(compared.output.split())
    for words in (
        "1 event came too late",
        "The first is z of 2024-01-01 10:00:00",
        "1 event was refused, since its id",
        "1 column is not read: note",
    ):
        assert words in told, words
    kept = Path("payments.csv.quarantine.ndjson").read_text("utf-8")
    assert '"line":9' in kept and '"line":10' in kept, "both are in the quarantine"
    assert "came too late" not in typed("compare", "old.py", "new.py", "payments.csv", "--json").output
    typed("replay", "new.py", "payments.csv")
    assert Path("payments.csv.quarantine.ndjson").read_text("utf-8") == kept


def test_events_that_a_version_reads_and_nobody_gave_are_named(folder: Path) -> None:
    login = "class Login(Event):\n    card: Card\n\n\nclass CardFraud"
    Path("old.py").write_text(
        OLD.replace("class CardFraud", login).replace(
            "    testing =", "    logins = count(Login, per=Card, last='1h')\n    testing ="
        )
    )
    result = typed("compare", "old.py", "new.py", "payments.csv")
    assert "No Login events were given, and 1 window reads them" in " ".join(result.stderr.split()), result.output
    assert json.loads(typed("compare", "old.py", "new.py", "payments.csv", "--json").stdout)["not_given"] == ["Login"]
    Path("logins.csv").write_text("id,at,card\nl1,2026-01-01T09:59:00Z,c1\n")
    given = typed("compare", "old.py", "new.py", "payments.csv", "--event", "Login=logins.csv")
    assert given.exit_code == 0 and "were given" not in given.stderr, given.output
