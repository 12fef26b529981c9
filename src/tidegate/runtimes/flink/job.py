"""A job: everything that a flow on Flink needs to be told, as one file that submitting and every worker read."""

from pathlib import Path
from typing import Any

import msgspec

from tidegate.decisions.flow import Flow
from tidegate.models.scoring import ScoringModel
from tidegate.runtimes.load import load_flow
from tidegate.runtimes.models import models_of, models_there
from tidegate.runtimes.stages.decision import DecisionsAt
from tidegate.runtimes.stages.intake import IntakeAt
from tidegate.runtimes.stages.lists import ListsAt
from tidegate.runtimes.stages.stage import Stage
from tidegate.runtimes.stages.staging import Staging
from tidegate.runtimes.stages.windows import WindowsAt

TIMEOUT = 600_000
"""Milliseconds that transactions stay open where Kafka does not say what it allows, and of jobs of old."""


class Input(msgspec.Struct, frozen=True):
    """A topic, and the number of the event type in it: -1, -2 for instructions."""

    topic: str
    kind: int


class Kept(msgspec.Struct, frozen=True):
    """What a stage keeps: its mark, what a person calls it, its windows in words by their meaning; and where it is.

    `listed` says that windows look at entity lists: where one such stage is rebuilt, so are the lists.
    `state` is the name of its state in Flink, the mark unless it was rebuilt.
    """

    mark: str
    name: str
    windows: dict[str, str]
    listed: bool = False
    state: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What runs, and how.

    Args:
        flow: file or name of the flow, with the class if there are several.
        digest: of the flow; a worker that finds another one stops.
        models: folder of the model registry; empty for none.
        without_models: go on although a model is not there; its `otherwise` is used.
        servers: Kafka's, as its clients take them.
        inputs: the topics, in the order that ties of time are broken by.
        output: topic of decisions.
        dead_letters: topic of what could not be taken.
        properties: of Kafka's clients, as for TLS.
        name: consumer group.
        transactions: what transactional ids begin with; empty in jobs of old, where it is `name`.
        shards: see `Staging`.
        parallelism: tasks of each stage.
        out_of_order: milliseconds that events of one partition may come after newer ones.
        idle: milliseconds without events after which a partition holds the others up no longer; 0 for never.
        ahead: milliseconds that an event's time may be ahead of the clock of the machine that reads it.
        remember: microseconds for which an id is known.
        checkpoint: milliseconds between checkpoints.
        bounded: end when everything has been read that was there at the start.
        state: folder of checkpoints and savepoints, as a URL.
        savepoint: one to start from; empty for none.
        jars: Java archives that the job needs.
        python: the interpreter of the workers.
        settings: of Flink, beyond these.
        stages: what each keeps.
        rebuilt: the numbers of stages that are rebuilt from the beginning of the topics, beside what the others know.
        reading: how often the topics were read again from their beginning.
        changed: the savepoint holds what this flow keeps no more.
        transaction_timeout: milliseconds after which Kafka gives up transactions that were not committed.
        why: the reason to go on from a checkpoint whose transactions may have been given up; empty for none.
    """

    flow: str
    digest: str
    models: str
    servers: str
    inputs: list[Input]
    output: str
    dead_letters: str
    name: str
    jars: list[str]
    python: str
    state: str
    properties: dict[str, str] = {}
    shards: int = 32
    parallelism: int = 1
    out_of_order: int = 5000
    idle: int = 10_000
    ahead: int = 300_000
    remember: int = 86_400_000_000
    checkpoint: int = 1000
    bounded: bool = False
    savepoint: str = ""
    settings: dict[str, str] = {}
    stages: list[Kept] = []
    rebuilt: list[int] = []
    reading: int = 0
    changed: bool = False
    transactions: str = ""
    transaction_timeout: int = TIMEOUT
    why: str = ""
    without_models: bool = False

    @property
    def prefix(self) -> str:
        """What the ids of its transactions begin with: Kafka fences whoever had the same before."""
        return self.transactions or self.name

    def save(self, path: Path) -> None:
        """Write it, for no one else to read: its properties can be secrets."""
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self)))

    @staticmethod
    def load(path: str | Path) -> "Job":
        """Read it."""
        return msgspec.json.decode(Path(path).read_bytes(), type=Job)


def prefix_of(group: str, output: str) -> str:
    """What the transactional ids of a new job begin with: its topic sets it apart from others of its group.

    The end sets that topic apart from others that begin with its name: Flink gives up what is open under its prefix.
    """
    return f"{group}:{output}:"


def made(job: Job) -> tuple[type[Flow[Any]], Staging]:
    """The job's flow, and how it is cut."""
    flow = load_flow(job.flow)
    return flow, Staging(flow.plan, job.shards, job.rebuilt)


def stage_of(job: Job, flow: type[Flow[Any]], staging: Staging, number: int) -> Stage:
    """One of the flow's stages."""
    definition = flow.definition
    if number == 0:
        return IntakeAt(definition, staging, job.remember, [given.kind for given in job.inputs])
    if number <= len(staging.lists):
        return ListsAt(staging, staging.lists[number - 1])
    if number < staging.decision:
        return WindowsAt(staging, staging.windows[number - 1 - len(staging.lists)])
    find = models_there if job.without_models else models_of
    models: dict[str, ScoringModel] = find(definition, job.models or None)
    return DecisionsAt(definition, staging, models)
