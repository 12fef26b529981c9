"""`tidegate alerts` as it is typed."""

import json
import math
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.connectors.receiver import receiving
from tests.runtimes.test_delivery import decide
from tidegate.cli import app
from tidegate.cli.alerts_beside import telling_figures
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.store_address import Address
from tidegate.connectors.told import Held, Told
from tidegate.runtimes.sinks import receivers

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


def test_the_next_page_can_be_typed_as_it_is_told(tmp_path: Path) -> None:
    store = str(tmp_path / "s.db")
    decide(tmp_path / "s.db", 0, 5)
    for query in ("-rule:nothing", "rule:often"):
        asked = ["alerts", "search", "--store", store, "--limit", "2", "--", query]
        told = next(line for line in typed(app, asked).output.splitlines() if "--after" in line)
        done = typed(app, shlex.split(told)[1:])
        assert done.exit_code == 0 and "c1-2" in done.output, done.output
        page = typed(app, ["alerts", "search", "--store", store, "--limit", "1", "--", query]).output
        told = next(line for line in page.splitlines() if "--after" in line)
        assert "\n1 of " in typed(app, shlex.split(told)[1:]).output


def test_what_is_to_be_typed_next_can_be_whatever_the_id_and_the_store_are_called(tmp_path: Path) -> None:
    path = tmp_path / "my store & more.db"
    decide(path, 3, 4, "c 1;[/b]$(id)")
    for words in (["alerts", "search", "outcome:approve"], ["decisions"], ["explain", "c 1;[/b]$(id)-3"]):
        shown = typed(app, [*words, "--store", str(path)])
        assert shown.exit_code == 0, shown.output
        told = [line.strip() for line in shown.output.splitlines() if line.strip().startswith("tidegate ")]
        assert told
        for line in told:
            command = line.partition("db'  ")[0] + "db'" if "db'  " in line else line
            assert "c 1;[/b]$(id)-3" in shlex.split(command) or " verify " in command
            assert typed(app, shlex.split(command)[1:]).exit_code == 0, command
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE records SET at = at + 1")
    touched = typed(app, ["verify", "--store", str(path)])
    assert touched.exit_code == 1 and "Touched: record 1, c 1;[/b]$(id)-3" in touched.output, touched.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "(level:high"], "Close the parenthesis"),
        (["search", "levl:high"], "Did you mean level?"),
        (["search", "x", "--in", "kafka://x"], "no address of a search server"),
        (["search", "x", "--in", "kafka://u:pw@127.0.0.1:9092/x"], "seen kafka://127.0.0.1:9092/x"),
        (["deliver", "--once", "--to", "mailto:x"], "no address that alerts can be sent to"),
        (["deliver", "--once", "--to", "local", "--to", "local"], "One receiver is named twice"),
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


def test_webhooks_whose_addresses_differ_in_the_query_are_told_for_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEGATE_WEBHOOK_SECRET", "whsec_" + "a" * 64)
    store = str(tmp_path / "s.db")
    decide(tmp_path / "s.db", 0, 5)
    with receiving() as receiver:
        one, other = receiver.address + "?team=fraud&token=secret", receiver.address + "?team=cards"
        assert typed(app, ["alerts", "deliver", "--once", "--to", one, "--store", store]).exit_code == 0
        assert receiver.accepted == ["c1-2", "c1-3", "c1-4"]
        assert typed(app, ["alerts", "deliver", "--once", "--to", other, "--store", store]).exit_code == 0
        assert receiver.accepted == ["c1-2", "c1-3", "c1-4"] * 2
        told = typed(app, ["alerts", "status", "--store", store, "--json"]).stdout.splitlines()
        assert len(told) == 2 and "secret" not in "".join(told)


NAMED = "https://cases.fraud-operations.bank.example/hooks/alarms-of-cards?team=fraud-operations-emea [a]"


def test_each_sink_and_each_that_is_held_is_a_line_however_long_its_name(tmp_path: Path) -> None:
    path, reason = tmp_path / "s.db", "the field when of this document has another type\nin that index " * 4
    decide(path, 0, 5)
    with AlertsFile.beside(path) as file:
        Told(file, NAMED).reached(4, b"", [Held(NAMED, seq, f"c1-{seq}", reason) for seq in range(1, 1011)])
        Told(file, "search").reached(5, b"", [])
    lines = typed(app, ["alerts", "status", "--store", str(path)]).stdout.splitlines()
    assert lines[0].split() == ["told", "up", "to", "record", "behind", "held", "sink"] and len(lines) == 3
    assert lines[1].split(maxsplit=3) == ["4", "1", "1,010", NAMED]
    assert len({line.index(name) for line, name in zip(lines, ("sink", NAMED, "search"), strict=True)}) == 1
    shown = typed(app, ["alerts", "held", "--store", str(path)])
    assert shown.exit_code == 1
    assert shown.stdout.splitlines()[7] == f"c1-7     {NAMED}  {' '.join(reason.split())}"
    assert len(shown.stdout.splitlines()) == 1001 and "1,000 of 1,010 decisions held" in shown.output
    every = typed(app, ["alerts", "held", "--store", str(path), "--json"])
    assert len(every.stdout.splitlines()) == 1010


def test_it_is_said_that_a_field_has_more_values_than_are_counted(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    decide(store, 0, 21)
    found = search(store, "", "--facet", "id", "--facet", "card")
    assert len(found["facets"]["id"]) == 20 and found["more_values"] == ["id"]
    shown = typed(app, ["alerts", "search", "", "--store", str(store), "--facet", "id", "--facet", "card"])
    assert shown.output.count("There are more: these are the 20 most frequent.") == 1
    assert "more_values" not in search(store, "amount<2.6", "--facet", "amount")


class Runs:
    running = True


def test_only_who_is_to_be_told_can_be_behind(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    decide(path, 0, 5)
    search(path, "outcome:decline")  # its index is brought up to date by the next search, and by nothing else
    with AlertsFile.beside(path) as file:
        for name, seq in (("now", 5), ("once", 3)):
            Told(file, name).reached(seq, b"", [Held(name, seq, f"c1-{seq}", "400 no")])
    decide(path, 5, 7)
    figures = telling_figures(Runs(), Address(path), ["now"])
    assert figures["alerts_behind_records"][1]() == 2.0 and figures["alerts_held"][1]() == 1.0
    with AlertsFile.beside(path) as file:
        Told(file, "now").reached(7, b"", [])
    assert figures["alerts_behind_records"][1]() == 0.0
    assert telling_figures(Runs(), Address(path), ["now", "new"])["alerts_behind_records"][1]() == 7.0


def test_of_what_another_tells_nothing_lacks_unless_it_is_not_known_whether_one_does(tmp_path: Path) -> None:
    decide(tmp_path / "s.db", 0, 5)
    waits, held_up = [True], [False]
    told = telling_figures(Runs(), Address(tmp_path / "s.db"), ["now"], lambda: waits[0], lambda: held_up[0])
    behind = told["alerts_behind_records"][1]
    assert behind() == 0.0
    held_up[0] = True
    assert math.isnan(behind())
    waits[0] = False  # it is the one that tells, and its store is read
    assert behind() == 5.0


def test_receivers_have_a_name_each() -> None:
    assert receivers(["local"]) == ["search"] and receivers([]) == []
