"""Cut into stages and shards, a flow decides as it does whole, to the last bit."""

import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.engines import engine_of, one_by_one, untimed
from tests.conformance.generator import Case, cases
from tests.conftest import CASES
from tests.runtimes.stages.pipeline import Pipeline, flags_of
from tidegate.decisions.decision import Decision, to_json
from tidegate.events.contract import check
from tidegate.runtimes.intake import Refused

_SHARE = settings(max_examples=max(1, CASES // 2))


def _right(case: Case) -> tuple[list[Any], dict[str, bytes]]:
    """The steps that an engine takes, in the order of their times, and its decisions."""
    steps = [replace(step, event=check(step.event)) for step in case.steps]  # as they are when they come as JSON
    steps.sort(key=lambda step: step.event.at)
    answers = untimed(one_by_one(engine_of(case), steps))
    taken = [
        step
        for step, answer in zip(steps, answers, strict=True)
        if not isinstance(answer, Refused) and not answer.repeated
    ]
    decided = {a.id: to_json(a) for a in answers if isinstance(a, Decision) and not a.repeated}
    return taken, decided


@_SHARE
@given(cases(longest=60), st.integers(1, 4), st.integers(0, 2**32))
def test_shards_batches_and_restarts_anywhere(case: Case, shards: int, seed: int) -> None:
    taken, right = _right(case)
    chance = random.Random(seed)
    models = {name: model.trees for name, model in case.models.items()}
    line = Pipeline(case.flow, models, shards, chance.randint)
    for place, step in enumerate(taken):
        line.put(place, step.event, flags_of(step.overdue, step.learn))
        if chance.randint(0, 4) == 0:
            line.run_to(place)
    line.end(len(taken))
    assert not line.refused
    assert line.decided == right, case
    assert not line.queues
