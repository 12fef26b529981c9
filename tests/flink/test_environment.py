"""What runs where PyFlink is decides as here: other versions of NumPy's users, models of every kind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.models.onnx.made import exported, rows
from tidegate.connectors.flink.environment import Environment

FLOW = '''
from tidegate import Event, Flow, count, entity, model, review

Card = entity("card")

class Paid(Event):
    """A payment."""
    card: Card
    a: float
    b: float
    c: float

class Night(Flow[Paid]):
    """Payments at night."""
    often = count(per=Card, last="1h")
    risk = model("night.onnx", of=[often, Paid.a, Paid.b, Paid.c], otherwise=0.0)
    odd = review(risk > 0.5, because="Unlike others")
'''
DECIDED = """
import sys
from datetime import UTC, datetime, timedelta
from tidegate.decisions.decision import to_json
from tidegate.runtimes.engine import Engine
from tidegate.runtimes.load import load_flow
flow = load_flow(sys.argv[1])
at = datetime(2026, 3, 1, tzinfo=UTC)
paid = [flow.definition.event(id=str(i), at=at + timedelta(seconds=i), card=str(i % 7), a=-(i % 7) / 3, b=i / 50, c=1.0)
        for i in range(100)]
for decision in Engine(flow).process(paid):
    print(to_json(decision).decode())
"""


@pytest.mark.timeout(1800)
def test_a_model_in_onnx_answers_there_as_it_does_here(flink: Environment, tmp_path: Path) -> None:
    x, y = rows(3)
    (tmp_path / "night.onnx").write_bytes(exported(make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y), x))
    (tmp_path / "night.py").write_text(FLOW)

    def said(python: str | Path, variables: dict[str, str]) -> str:
        command = [str(python), "-c", DECIDED, str(tmp_path / "night.py")]
        done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stderr
        return done.stdout

    here = said(sys.executable, {})
    assert len(set(re.findall(r'"score":([0-9.e-]+)', here))) > 20
    assert said(flink.python, flink.variables()) == here
