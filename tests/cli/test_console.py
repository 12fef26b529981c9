"""What events say is shown on a terminal, and never obeyed."""

import io
import json
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

from tests.runtimes.served import Fraud, payment
from tidegate import Engine, Store
from tidegate.cli import app
from tidegate.cli.console import Console, harmless

HOSTILE = "a\x1b[2J\x1b]0;title\x07b\x9b31m\u202ec\x00\r\x08d"
SHOWN = "a\\x1b[2J\\x1b]0;title\\x07b\\x9b31m\\u202ec\\x00\\r\\x08d"


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert harmless(HOSTILE) == SHOWN
    assert harmless("Ünïcode, 日本, tab\t\nline") == "Ünïcode, 日本, tab\t\nline"


@pytest.mark.parametrize("how", ["str", "text", "table", "markup"])
def test_in_whatever_it_is_printed(how: str) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, color_system="truecolor", width=200, highlight=False)
    table = Table("column")
    table.add_row(Text(HOSTILE))
    marked = HOSTILE.replace("[", chr(92) + "[")
    printed = {"str": marked, "text": Text(HOSTILE, "bold"), "table": table, "markup": f"[red]x[/] {marked}"}
    console.print(printed[how])
    said = file.getvalue()
    for own in ("\x1b[1m", "\x1b[0m", "\x1b[31m", "\x1b[2m"):
        said = said.replace(own, "")
    assert "\x1b" not in said and "\x9b" not in said and "\u202e" not in said and "\x00" not in said, repr(said)
    assert "\\x1b" in said


@pytest.mark.parametrize("words", [["decisions"], ["explain", "evil\x1b[31m-1"], ["alerts", "search"]])
def test_commands_that_show_what_came(tmp_path: Path, words: list[str]) -> None:
    store = tmp_path / "s.db"
    with Store.open(store) as kept:
        engine = Engine(Fraud, store=kept)
        event = payment(1, "evil\x1b[31m", country="c\x1b[2J")
        engine.decide(engine.readers["Payment"].read(json.dumps(event).encode()))
    said = CliRunner().invoke(app, [*words, "--store", str(store)], env={"FORCE_COLOR": "", "NO_COLOR": "1"})
    assert said.exit_code == 0, said.output
    assert "\x1b" not in said.stdout and "evil\\x1b[3" in said.stdout
