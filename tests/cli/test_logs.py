"""What `--log-format json` promises to those who collect it: every line on stderr is JSON, whoever says it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.runtimes.started import FLOW, started
from tests.runtimes.test_delivery import decide


def lines(folder: Path, words: Sequence[str], status: int = 0) -> list[dict[str, str]]:
    process = started(folder, *words, "--log-format", "json")
    said = process.communicate(timeout=300)[1]
    assert process.returncode == status, said
    return [json.loads(line) for line in said.splitlines()]


def test_what_is_said_to_people_is_a_line_of_json(tmp_path: Path) -> None:
    decide(tmp_path / "s.db", 0, 3)
    (tmp_path / "fraud.py").write_text(FLOW)
    told = lines(tmp_path, ["alerts", "deliver", "--once", "--store", "s.db", "--to", "local"])
    assert [one["level"] for one in told] == ["info", "info"]
    assert "3 records behind" in told[0]["message"] and "told of 3 decisions" in told[1]["message"]
    assert all(one["at"].endswith("Z") and one["logger"] == "tidegate.cli" for one in told)
    began, ended = lines(tmp_path, ["shadow", "fraud.py", "--once", "--follow", "s.db", "--store", "own.db"], status=65)
    assert "follows s.db" in began["message"] and began["level"] == "info"
    assert "cannot read what its champion takes" in ended["message"] and ended["level"] == "error"


def test_a_mistake_is_one_line_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "fraud.py").write_text(FLOW.replace("per=Card", "per=Crad"))
    words = ["run", "fraud.py", "--from", "kafka://127.0.0.1:1/in", "--to", "kafka://127.0.0.1:1/out"]
    (mistake,) = lines(tmp_path, words, status=2)
    assert mistake["level"] == "error" and "Crad" in mistake["message"]
    assert mistake["message"].endswith("fraud.py:16)")


def test_of_a_database_that_is_away_it_is_told_once(tmp_path: Path) -> None:
    script = (
        "import logging; from tidegate.cli.logs import write_logs; write_logs('text');"
        "logging.getLogger('psycopg.pool').warning('each time'); logging.getLogger('tidegate').warning('once')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "once" in done.stderr and "each time" not in done.stderr
