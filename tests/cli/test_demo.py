"""`tidegate demo` leaves a report and a store, and the commands it names next work as they are."""

import re
import shlex

from .conftest import Demo, typed


def test_it_leaves_a_report_a_store_and_a_model(demo: Demo) -> None:
    page = (demo.folder / "report.html").read_text(encoding="utf-8")
    assert "CardFraud" in page
    assert "Precision against recall" in page
    assert demo.store.is_file()
    assert (demo.folder / "models" / "aliases" / "card-risk@champion").is_file()
    assert "events decided" in demo.stdout


def test_it_shows_rate_latency_outcomes_and_alarms(demo: Demo) -> None:
    for words in ("p50, on disk", "p99, on disk", "approve", "decline", "frauds stopped", "alarms"):
        assert words in demo.stderr, demo.stderr
    assert re.search(r"p\d+ .* EUR +0\.9\d\d", demo.stderr), "no alarm was shown"


def test_the_live_days_know_the_history(demo: Demo) -> None:
    """What the windows knew is handed over; without it every card is new, and half of what is declined is honest."""
    said = re.search(r"decline +precision (\d+(?:\.\d+)?) %", demo.stdout)
    assert said is not None and float(said[1]) > 70, demo.stdout


def test_every_command_it_names_next_works(demo: Demo) -> None:
    named = [line for line in demo.stderr.partition("Next:")[2].splitlines() if "tidegate " in line]
    assert len(named) == 5
    assert "tidegate serve card_fraud" in named.pop(), "which would not end"
    for line in named:
        command = re.split(r" {2,}", line.strip())[0]
        result = typed(*shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}: {result.output}"


def test_it_can_be_run_again_in_the_same_place(demo: Demo) -> None:
    (demo.folder / "notes.txt").write_text("mine", encoding="utf-8")
    before = typed("decisions", "--store", demo.store, "--json", "--limit", 50).stdout
    assert typed("demo", "--small", "--out", demo.folder).exit_code == 0
    assert typed("decisions", "--store", demo.store, "--json", "--limit", 50).stdout == before, "the same every time"
    assert (demo.folder / "notes.txt").read_text(encoding="utf-8") == "mine"
