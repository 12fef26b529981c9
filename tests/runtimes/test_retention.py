"""`store prune --flow`: records that a window or a limit of the flow still looks back at are not pruned unasked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.runtimes.started import FLOW
from tidegate import Engine, Store
from tidegate.cli import app
from tidegate.decisions.planner import plan
from tidegate.evidence.erasure import erasures
from tidegate.runtimes.load import load_flow
from tidegate.runtimes.retention import furthest

WINDOWS = FLOW.replace("count, decline", "at_most, count, decline") + (
    '    before = count(per=Card, last="30d", delay="7d")\n'
    '    many = decline((before >= 9) | (count(per=Card, last="2d") >= 9), because="Many in all")\n'
    '    lateness = "36h"\n'
)
LIMIT = WINDOWS + '    limits = at_most(1000, "decline", last="60d")\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one payment of each of the last hundred days, and a snapshot of all of them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.py").write_text(WINDOWS)
    flow, now = load_flow("flow.py"), datetime.now(UTC)
    with Store.open("s.db") as store:
        engine = Engine(flow, store=store)
        kind = flow.definition.event
        for days in range(100, 0, -1):
            engine.decide(kind(id=f"p{days}", at=now - timedelta(days=days, hours=1), card="c"))
        engine.save()
    return tmp_path


def pruned(days: int, *words: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, ["store", "prune", "--store", "s.db", "--older-than", str(days), *words])
    assert done.exit_code == status, done.output
    return " ".join(done.output.split())


def empty() -> int:
    with Store.open("s.db", read_only=True) as store:
        return sum(len(said.seqs) for _, said in erasures(store))


def test_what_a_window_still_looks_back_at_is_not_pruned(folder: Path) -> None:
    told = pruned(38, "--flow", "flow.py", status=2)
    assert "Fraud looks back further than 38 days" in told and "what was pruned is missing" in told
    assert "the window before lasts 30d and is delayed by 7d, and events may be 36h late" in told
    assert "--older-than 39" in told and '--override --why "…"' in told
    assert empty() == 0
    assert pruned(39, "--flow", "flow.py").startswith("62 records erased")
    assert "name their flow" not in pruned(39, "--flow", "flow.py")


def test_it_is_pruned_all_the_same_where_somebody_says_why(folder: Path) -> None:
    for words in (["--flow", "flow.py", "--override"], ["--override", "--why", "asked for"]):
        assert "--override goes with --flow and --why" in pruned(5, *words, status=2)
    assert empty() == 0
    assert "96 records erased" in pruned(5, "--flow", "flow.py", "--override", "--why", "the law asks for it")
    with Store.open("s.db", read_only=True) as store:
        assert [said.why for _, said in erasures(store)] == ["the law asks for it"]


def test_without_a_flow_it_says_that_none_was_asked(folder: Path) -> None:
    assert "How far windows look back was not asked: name their flow with --flow." in pruned(5)
    with Store.open("s.db", read_only=True) as store:
        assert [said.why for _, said in erasures(store)] == ["retention"]


def test_another_flow_than_the_stores_is_refused_also_after_a_statement(folder: Path) -> None:
    (folder / "other.py").write_text(FLOW.replace("class Fraud", "class Other"))
    for _ in range(2):
        told = pruned(50, "--flow", "other.py", status=2)
        assert "is of the flow Fraud: how far another one looks back" in told and "--flow names Other" in told
        pruned(50, "--flow", "flow.py")
    assert empty() == 51


def test_a_limit_looks_back_too_and_a_flow_with_neither_does_not(folder: Path) -> None:
    (folder / "flow.py").write_text(LIMIT)
    told = pruned(50, "--flow", "flow.py", status=2)
    assert "the limit on decline counts 60d back, and events may be 36h late" in told and "--older-than 62" in told
    (folder / "flow.py").write_text(FLOW.replace('count(per=Card, last="10m") >= 2', 'Payment.card == "x"'))
    assert furthest(load_flow("flow.py").definition) is None
    assert "99 records erased" in pruned(2, "--flow", "flow.py")


def test_a_window_without_a_name_is_told_by_its_text_and_reaches_as_far_as_its_plan(folder: Path) -> None:
    for text in (FLOW, WINDOWS):
        (folder / "flow.py").write_text(text)
        definition = load_flow("flow.py").definition
        found = furthest(definition)
        assert found is not None and found.back + definition.lateness == plan(definition).reach
    (folder / "flow.py").write_text(FLOW)
    found = furthest(load_flow("flow.py").definition)
    assert found is not None and found.words == "the window count(per=Card, last='10m') lasts 10m"
