"""Ways to run a case: one at a time, or in batches cut anywhere."""

import gc
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tests.conformance.generator import Case
from tests.conformance.streams import Step
from tidegate.connectors.store import Store
from tidegate.decisions.decision import Decision
from tidegate.runtimes.engine import Engine
from tidegate.runtimes.intake import Answer


def engine_of(case: Case, store: Store | None = None, *, explain: bool = True) -> Engine:
    """An engine with small batches, so that long streams need several."""
    gc.unfreeze()  # every engine freezes what is there; here they come by the thousand and have to go again
    models = {name: model.trees for name, model in case.models.items()}
    return Engine(case.flow, models=models, store=store, explain=explain, batch=16)


def together(engine: Engine, steps: Sequence[Step]) -> list[Answer]:
    """Steps that come in at once: as many calls as there have to be."""
    answers: list[Answer] = []
    for learn, run in _runs(steps):
        overdue = [step.overdue for step in run]
        answers += engine.process(
            [step.event for step in run], learn_only=learn, overdue=overdue if any(overdue) else ()
        )
    return answers


def one_by_one(engine: Engine, steps: Iterable[Step]) -> list[Answer]:
    """Steps that come in one after another."""
    return [answer for step in steps for answer in together(engine, [step])]


def _runs(steps: Sequence[Step]) -> list[tuple[bool, list[Step]]]:
    """Cut where what is to be decided on follows what is only to be learned from."""
    runs: list[tuple[bool, list[Step]]] = []
    for step in steps:
        if not runs or runs[-1][0] is not step.learn:
            runs.append((step.learn, []))
        runs[-1][1].append(step)
    return runs


def untimed(answers: Sequence[Answer]) -> list[Any]:
    """Answers without what differs from run to run."""
    return [msgspec.structs.replace(one, timing=None) if isinstance(one, Decision) else one for one in answers]
