"""The training set of a flow: every feature as of its event, by replay, so that nothing in it was learned too late.

Features are what the engine saw when it decided: the same cells, in natural types. Missing is null, money is a float of
minor units, times and durations are such to the microsecond, texts are texts. A model trained on it is given the same
numbers when it serves.
"""

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.connectors.quarantine import Quarantine
from tidegate.decisions.decider import Decider
from tidegate.decisions.flow import Flow
from tidegate.decisions.plan import ModelPlan, Plan, SeenPlan
from tidegate.errors import ModelError, TidegateError
from tidegate.events.types import Kind, Type
from tidegate.expressions.node import walk
from tidegate.expressions.words import MISSING
from tidegate.features.window import Window
from tidegate.models.registry import Registry
from tidegate.models.scoring import ScoringModel
from tidegate.models.training import Training, train
from tidegate.runtimes.backtest import replay
from tidegate.runtimes.models import Models, models_of
from tidegate.runtimes.replayed import Replayed
from tidegate.runtimes.tally import label_of

Cells = NDArray[np.int64]


@dataclass(frozen=True)
class TrainingSet:
    """A table of features, and the replay that it comes from.

    Args:
        table: `id`, `at`, the event's entity keys, the flow's features, what else its models read, and the label.
        replayed: the decisions of the same run.
        left_out: the models that could not be asked, by reference, and why; their `otherwise` was used.
    """

    table: pl.DataFrame
    replayed: Replayed
    left_out: Mapping[str, str] = field(default_factory=dict)


def training_set(
    flow: type[Flow[Any]],
    sources: Any,
    *,
    label: str | None = None,
    models: Models = None,
    columns: Mapping[str, str] | None = None,
    defaults: Mapping[str, object] | None = None,
    encoding: str = "utf-8",
    sort: bool = False,
    quarantine: Quarantine | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrainingSet:
    """Replay past events and note every feature as of each of them.

    Args:
        flow: the flow's class.
        sources, columns, defaults, encoding, sort, quarantine, progress: as for `replay`.
        label: the field or column to predict; default: the event's label field.
        models: for flows whose models read the scores of others. One that is of other features, since the flow has
            changed, or is damaged, is left out: the table is what a new one is trained on.

    Raises:
        TidegateError: a feature has the name of a column that the table has anyway.
    """
    definition, made = flow.definition, flow.plan
    wanted = features_of(made)
    label = label or label_of(definition.event)
    contract = definition.event.__contract__.items()
    names = [seen.name for seen in wanted]
    keys = [name for name, one in contract if one.type.kind is Kind.KEY and name not in names]
    for name in names:
        if name in ("id", "at", label):
            raise TidegateError(f"The feature {name!r} has the name of another column of the table.", do="Rename it.")
    cells: dict[int, list[Cells]] = {seen.column: [] for seen in wanted}
    spoken: dict[int, str] | None = {} if any(seen.type.is_word for seen in wanted) else None
    given_back: Mapping[int, str] = {}

    def watch(decider: Decider, n: int, mine: NDArray[np.bool_] | None) -> None:
        nonlocal given_back
        given_back = ChainMap(decider.said, decider.words)
        for column, kept in cells.items():
            row = decider.cells[column, :n]
            kept.append(row.copy() if mine is None else row[mine])

    fit, left_out = fitting(flow, models)
    found = replay(
        flow, sources, models=fit, label=label, columns=columns, defaults=defaults, encoding=encoding, sort=sort,
        quarantine=quarantine,
        progress=progress, watch=watch, spoken=spoken, keep=keys,
    )  # fmt: skip
    decided = found.frame()
    made_columns = [*decided.select("id", "at").get_columns(), *found.kept.get_columns()]
    words = ChainMap(spoken or {}, dict(given_back))
    for seen in wanted:
        column = np.concatenate(cells[seen.column]) if cells[seen.column] else np.zeros(0, np.int64)
        made_columns.append(natural(seen.type, column, words).alias(seen.name))
    if label is not None:
        made_columns.append(decided["label"].alias(label))
    return TrainingSet(pl.DataFrame(made_columns), found, left_out)


def fitting(flow: type[Flow[Any]], models: Models) -> tuple[dict[str, ScoringModel], dict[str, str]]:
    """The models of a flow that are there and read what it gives them, and of the others why not, by reference."""
    registry = Registry(models) if isinstance(models, str | Path) else models
    there = () if registry is None else registry.references() if isinstance(registry, Registry) else tuple(registry)
    fit = models_of(flow.definition, None)  # those that are files
    left_out: dict[str, str] = {}
    for segment in flow.plan.segments:
        for one in segment.models:
            if registry is None or one.reference in fit or one.reference not in there:
                continue
            try:
                model = registry.model(one.reference) if isinstance(registry, Registry) else registry[one.reference]
                model.require(one.names, one.reference)
                fit[one.reference] = model
            except ModelError as error:
                left_out[one.reference] = error.wrong
    return fit, left_out


def features_of(made: Plan) -> list[SeenPlan]:
    """The flow's features by name, and then what its models read that has no name of its own."""
    wanted = {seen.name: seen for seen in made.features}
    for segment in made.segments:
        for one in segment.models:
            for name, column, kind in zip(one.names, one.inputs, one.types, strict=True):
                wanted.setdefault(name, SeenPlan(name, column, kind))
    return list(wanted.values())


def natural(kind: Type, cells: Cells, words: Mapping[int, str]) -> pl.Series:
    """Cells as a column of their type; missing is null."""
    if kind.is_float:
        return pl.Series(cells.view(np.float64)).fill_nan(None)
    if kind.is_word:
        some, place = np.unique(cells, return_inverse=True)
        texts = pl.Series([None if cell == MISSING else words.get(cell) for cell in some.tolist()], dtype=pl.String)
        return texts.gather(place)
    whole = pl.DataFrame({"c": cells}).select(pl.when(pl.col("c") != MISSING).then(pl.col("c")))["c"]
    if kind.kind is Kind.BOOL:
        return whole.cast(pl.Boolean)
    if kind.kind is Kind.MONEY:
        return whole.cast(pl.Float64)
    if kind.kind is Kind.TIME:
        return whole.cast(pl.Datetime("us", "UTC"))
    return whole.cast(pl.Duration("us")) if kind.kind is Kind.DURATION else whole


def unseen(flow: type[Flow[Any]], table: pl.DataFrame, kinds: Iterable[str]) -> dict[str, list[str]]:
    """The event types that a training set was, as it seems, written without, each with the columns that tell so.

    Those are all columns of the table that read windows over this type and no other: each has one value in all rows.

    Args:
        flow: the flow's class.
        table: as `training_set` makes it.
        kinds: the names of the types to look for, other than the one decided on.
    """
    names: dict[str, list[str]] = {kind: [] for kind in kinds}
    for name, line in flow.definition.features.items():
        over = {node.of_event or flow.definition.event for node in walk(line) if isinstance(node, Window)}
        if len(over) == 1 and name in table.columns:
            names.get(next(iter(over)).__name__, []).append(name)
    return {kind: of for kind, of in names.items() if of and table.height > 1 and max(map(table.n_unique, of)) == 1}


def model_of(flow: type[Flow[Any]], name: str) -> ModelPlan:
    """The model of a flow that a stored model of this name would answer for.

    Raises:
        ModelError: the flow asks no such model, with the names of those that it asks.
    """
    models = [one for segment in flow.plan.segments for one in segment.models]
    found = [one for one in models if one.reference.partition("@")[0] == name]
    if not found:
        asked = ", ".join(one.reference for one in models)
        raise ModelError(
            f"{flow.definition.name} asks no model {name!r}.",
            seen=asked or "no model at all",
            do=f"Train with --name {models[0].reference.partition('@')[0]}." if models
            else f'Give the flow a line such as risk = model("{name}@champion", of=[…], otherwise=0.5).',
        )  # fmt: skip
    return found[0]


def train_model(
    flow: type[Flow[Any]],
    table: pl.DataFrame,
    label: str,
    name: str,
    *,
    embargo: timedelta | None = None,
    **options: Any,
) -> Training:
    """Train the flow's model `name` on a training set, on exactly what the flow gives it.

    Args:
        flow: the flow's class.
        table: as `training_set` makes it.
        label: the column to predict.
        name: of the model, as the flow has it before the @.
        embargo: how late a label is known; default: what the event's contract says of it.
        options: further arguments of `models.training.train`.

    Raises:
        ModelError: the flow has no such model, or the table lacks a column.
    """
    asked = model_of(flow, name)
    known = flow.definition.event.__contract__.get(label)
    if embargo is None:
        embargo = timedelta(microseconds=(known.known_after or 0) if known is not None else 0)
    return train(
        table, list(asked.names), label, "at", name=name, embargo=embargo, flow=flow.definition.digest, **options
    )


__all__ = ["TrainingSet", "features_of", "model_of", "train_model", "training_set", "unseen"]
