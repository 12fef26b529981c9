"""What a job's last stage makes of a model that is not there."""

from pathlib import Path

import msgspec
import pytest

from tidegate import Event, Flow, count, entity, model, review
from tidegate.errors import ModelError
from tidegate.runtimes.flink.change import kept_by
from tidegate.runtimes.flink.job import Input, Job, stage_of
from tidegate.runtimes.stages.staging import Staging

Card = entity("card")


class Paid(Event):
    card: Card


class Asking(Flow[Paid]):
    """Asks a model that nobody has."""

    risk = model("not-there@champion", of=[count(per=Card, last="1h")], otherwise=0.25)
    risky = review(risk > 0.9, because="The model says so")


def test_a_model_that_is_not_there_is_missed_unless_it_is_said_that_it_may(tmp_path: Path) -> None:
    staging = Staging(Asking.plan, 2)
    job = Job(
        flow="", digest=Asking.definition.digest, models=str(tmp_path / "models"), servers="",
        inputs=[Input("paid", 0)], output="out", dead_letters="dead", name="x", jars=[], python="", state="", shards=2,
        stages=kept_by(Asking.definition, staging),
    )  # fmt: skip
    with pytest.raises(ModelError, match="not-there@champion"):
        stage_of(job, Asking, staging, staging.decision)
    assert stage_of(msgspec.structs.replace(job, without_models=True), Asking, staging, staging.decision)
