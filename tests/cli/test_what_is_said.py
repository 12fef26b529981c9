"""What the commands say beside their results: what to type next, which rows were left out and how to have them read."""

import json
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Demo, typed
from tidegate.cli.explain import sentence
from tidegate.cli.terminal import next_steps, several
from tidegate.models.reason import ModelReason

HEAD = "id;at;card;merchant;country;online;amount;fraud"


def test_next_lines_name_the_path_where_the_program_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv" / "bin" / "tidegate")])
    next_steps("tidegate verify  check it", "cp A B  put it back")
    said = capsys.readouterr().err
    assert " .venv/bin/tidegate verify" in said and " cp A B" in said
    next_steps("tidegate check x.py  what it is", away=True)
    assert f"{tmp_path}/.venv/bin/tidegate check" in capsys.readouterr().err.replace("\n", "")


def test_a_head_that_is_not_of_the_log_vouches_for_nothing(demo: Demo) -> None:
    result = typed("verify", "--store", demo.store, "--head", "30:" + "ab" * 32)
    assert result.exit_code == 1
    assert "one of the records from 1 on" in result.stdout and "before it" not in result.stdout


def test_a_reason_has_its_unit() -> None:
    quiet = ModelReason("quiet_for", 118.0, 0.5, "quiet_for is 118,000,000, which raises the risk")
    spent = ModelReason("spent_1d", "25.48 EUR", -0.5, "spent_1d is 2,548, which lowers the risk")
    known = ModelReason("known_merchant", False, 0.1, "known_merchant is 0, which raises the risk")
    assert sentence(quiet) == "quiet_for is 118 s, which raises the risk"
    assert sentence(spent) == "spent_1d is 25.48 EUR, which lowers the risk"
    assert sentence(known) == "known_merchant is no, which raises the risk"


def test_a_file_apart_by_semicolons_and_what_is_wrong_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert typed("new", "cards").exit_code == 0
    rows = [
        "p1;2026-01-01T10:00:00Z;c;m;DE;false;20.17 EUR;false",
        "p1;2026-01-01T10:01:00Z;c;m;DE;false;99.00 EUR;false",
        "p2;2026-01-01T10:02:00Z;c;m;DE;false;a lot;false",
        "p3;2026-01-01T10:03:00Z;c;m;DE;false;1,200.00;false",
        "p4;2026-01-01 10:04:00;c;m;DE;false;1.00 EUR;false",
    ]
    Path("x.csv").write_text("\n".join([HEAD, *rows]) + "\n")
    result = typed("replay", "cards/cards.py", "x.csv", "--default", "amount.currency=EUR")
    said = result.stderr.replace("\n", " ")
    assert "3 rows are no events" in said and "such as 12.34" in said and "no thousands separators" in said
    assert "--default at.zone=" in said
    assert "1 event was refused" in said and " p1" in said
    assert "x.csv --default amount.currency=EUR --report" in said
    kept = typed("replay", "cards/cards.py", "x.csv", "--store", "s.db")
    assert "1 event was refused" in kept.stderr and "serve cards/cards.py --store s.db" in kept.stderr


def test_one_is_not_several() -> None:
    assert (several(1, "row"), several(2000, "row"), several(1, "hash", "hashes")) == ("1 row", "2,000 rows", "1 hash")


def test_what_stood_in_a_file_is_told_and_which_currency_was_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert typed("new", "cards").exit_code == 0
    rows = [
        "p1;2026-01-01T10:00:00Z;c;m;DE;ja;20,17;false;EUR",
        "p2;2026-01-01T10:01:00Z;c;m;DE;ja;abc;false;EUR",
        "p3;2026-01-01T10:02:00Z;c;m;DEUT;vielleicht;1,00;false;USD",
    ]
    Path("x.csv").write_text("\n".join([HEAD + ";waehrung", *rows]) + "\n")
    words = ["replay", "cards/cards.py", "x.csv", "--default", "amount.decimal=,", "--default", "amount.unit=major"]
    words += ["--default", "online.true=ja", "--default", "online.false=nein", "--quarantine", "q.ndjson"]
    said = typed(*words).stderr.replace("\n", " ")
    assert "amount cannot be read as an amount such as 12,34 or 12,34 EUR" in said and "decimals" not in said
    assert "no column says the currency of 'amount': all of it is taken as EUR" in said
    assert "`--column amount.currency=COLUMN`" in said
    kept = [json.loads(line) for line in Path("q.ndjson").read_text().splitlines()]
    assert kept[0]["reason"].endswith(" EUR. Seen: 'abc'.")
    told = {kept[1]["pointer"]: kept[1]["reason"]} | {one["pointer"]: one["reason"] for one in kept[1]["others"]}
    assert told["/country"].endswith(" Seen: 'DEUT'.") and told["/online"].endswith("Seen: 'vielleicht'."), told
    assert not any("Seen" in reason for reason in kept[-1]["reasons"])
    named = typed(*words, "--column", "amount.currency=waehrung").stderr
    assert "no column says the currency" not in named and "amount is not in EUR" in named
