"""Every benchmark runs, at a size at which its figures mean nothing: so that none breaks unseen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

TINY = {
    "w1": "--tiny --events 3000 --plain-events 1000 --check --folder {folder}",
    "late": "--entity 2000 --events 300 --behind 5 --share 0.5",
    "decision": "--tiny --events 3000",
    "http": "--tiny --events 80000 --seconds 0.1 --rounds 1 --connections 4 --folder {folder}",
    "models": "--tiny --rows 1100 --trees 3",
    "reasons": "--tiny --out {folder}/reasons.md",
    "onnx": "--tiny --rows 64 --trees 3",
    "pmml": "--tiny --rows 700 --trees 3",
    "tables": "--tiny --rows 100 --seconds 0.01",
    "dmn": "--tiny --rows 100 --rounds 1",
    "scorecard": "--tiny --rows 500",
    "drools": "--seconds 0.1 --asks 5",
    "store": "--records 2000 --folder {folder}",
    "world": "--payments 1000",
}
SAYS = {
    "w1": "34 of 34 columns equal to DuckDB's",
    "late": "ratio",
    "decision": "p99, microseconds",
    "http": "against (a)",
    "models": "contributions of one row",
    "reasons": "additivity error",
    "onnx": "reasons of one row",
    "pmml": "a batch against the faster of the two",
    "tables": "/s",
    "dmn": "by index",
    "scorecard": "equal points",
    "drools": "DRL in a flow",
    "store": "x reading every id anew",
    "world": "payments_ratio",
}
ELSEWHERE = {"handbook", "search", "kafka", "postgres", "flink"}
"""Benchmarks whose measure other tests run, or that need real servers: what these do is tested with the servers."""
PUBLISHED = {"w1", "decision", "http"}
"""Benchmarks whose workload is in the shared folder."""


@pytest.mark.bench
@pytest.mark.parametrize("name", sorted(TINY))
def test_it_runs(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    env = os.environ | {"PYTHONPATH": "src"}
    if name in PUBLISHED:
        env["TIDEGATE_SHARED"] = str(request.getfixturevalue("shared"))
    command = [sys.executable, "-m", f"benchmarks.{name}", *TINY[name].format(folder=tmp_path).split()]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-3000:]
    assert SAYS[name] in done.stdout


def test_none_is_left_out() -> None:
    runs = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text("utf-8")}
    assert runs <= TINY.keys() | ELSEWHERE
    assert TINY.keys() == SAYS.keys() <= runs
