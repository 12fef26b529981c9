"""What the Kafka benchmarks run beside themselves: programs on a core of their own, and the model they ask."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.decision import forest_text
from benchmarks.w1_flow import W1
from tidegate.models.artefact import Artefact, Card, ModelFeature
from tidegate.models.registry import Registry


@contextmanager
def program(code: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A program of Python, ready; ended with the block."""
    process = subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        if (said := process.stdout.readline()) != "ready\n":
            raise SystemExit(f"a program is not ready, it says {said!r}")
        yield process
    finally:
        process.terminate()
        process.wait()


def put_model(bodies: Sequence[bytes], *folders: Path) -> None:
    """Train W1's model of 200 trees on these events, and store it in these folders."""
    features: tuple[Any, ...] = tuple(ModelFeature(name) for name in W1.definition.features)
    card = Card(name="w1", version="1", objective="binary", features=features)
    artefact = Artefact(card, forest_text(list(bodies)).encode())
    for folder in folders:
        Registry(folder).add(artefact, alias="champion")
