"""Train a model on a table of features as of each event, in order of time, and judge it on what came after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.artefact import Artefact, Card, ModelFeature
from tidegate.models.evaluation import calibration, evaluate, roc_auc_interval, threshold_for
from tidegate.models.reason_quality import measure
from tidegate.models.split import USUAL_SHARE, Split, chosen_split

if TYPE_CHECKING:
    import lightgbm

__all__ = ["Split", "Training", "encode", "event_times", "iso", "label_values", "require_columns", "train"]

_MICROSECOND = timedelta(microseconds=1)
_MOST_COLUMNS = 20
"""How many columns a message lists."""


@dataclass(frozen=True, slots=True)
class Training:
    """What training gives: the artefact, and how it did on the test span.

    `calibration` is per tenth of the scores (mean score, share of positives, rows), `rounds` the number of trees kept,
    `gain` what each feature brought, the greatest first. `valid` is the share of rows that the span to stop fitting by
    began at, its embargo included; more than the usual where the embargo would have left nothing of that. `embargoed`
    is the number of labelled rows that are in no span, since their labels would have been known too late.
    """

    artefact: Artefact
    figures: Mapping[str, float]
    calibration: Sequence[tuple[float, float, int]]
    rounds: int
    gain: Mapping[str, float]
    valid: float = 0.0
    embargoed: int = 0


def train(
    table: pl.DataFrame,
    features: Sequence[str],
    label: str,
    at: str,
    *,
    name: str,
    version: str = "1",
    split: Split | None = None,
    valid: float | None = None,
    test: float = USUAL_SHARE,
    embargo: timedelta = timedelta(0),
    flow: str = "",
    rounds: int = 1000,
    patience: int = 50,
    refit: bool = True,
    seed: int = 1,
    threads: int = 1,
    parameters: Mapping[str, Any] | None = None,
    budgets: Sequence[float] = (0.001, 0.005, 0.01, 0.05),
) -> Training:
    """Fit LightGBM; the same table, arguments and LightGBM give the same trees, whatever the number of threads.

    Args:
        features: columns of numbers, truth values, times, or texts (texts become categories).
        label: a column of truth values, or 0 and 1; rows where it is null are left out.
        at: the column of event times (a Datetime, or µs since 1970 UTC).
        embargo: how late a label may become known; a span ends so long before the next begins.
        valid, test: shares of the rows to stop fitting by, and to judge on; left out, `valid` is 0.15, or as much more
            as the embargo needs for the span to have rows.
        rounds, patience: the most trees, and how many may be added without the validation span getting better.
        refit: fit once more, as many trees, on the train and the validation span together: the latest labels that may
            be known before the test span are then learnt too.
        parameters: further LightGBM parameters, over those chosen here.

    Raises ModelError if a column is missing or of a wrong type, or a span has only one label.
    """
    try:
        import lightgbm
    except ImportError as error:
        raise ModelError.not_installed("Training", "LightGBM", "train", error) from None
    require_columns(table, [*features, label, at])
    table = table.filter(pl.col(label).is_not_null() & pl.col(at).is_not_null())
    if table.is_empty():
        raise ModelError("There is nothing to train on.", seen=f"no row with a {label!r}", do="Give rows with labels.")
    times, labels = event_times(table[at]), label_values(table[label])
    share = valid or USUAL_SHARE
    if split is None:
        split, share = chosen_split(times, labels, valid=valid, test=test, embargo=embargo)
    parts = split.parts(times)

    described = [_feature(table[column], parts["train"]) for column in features]
    matrix = encode(table, described)
    categorical = [k for k, feature in enumerate(described) if feature.kind == "category"]
    chosen_parameters: dict[str, Any] = {
        "objective": "binary", "metric": "binary_logloss", "learning_rate": 0.05, "num_leaves": 31, "max_depth": 6,
        "min_data_in_leaf": 20, "seed": seed, "deterministic": True, "force_row_wise": True, "verbosity": -1,
        **(parameters or {}), "num_threads": threads,
    }  # fmt: skip

    def dataset(chosen: NDArray[np.bool_], reference: "lightgbm.Dataset | None" = None) -> "lightgbm.Dataset":
        names = [f"f{k}" for k in range(len(features))]  # LightGBM allows fewer characters; the card has the real names
        return lightgbm.Dataset(
            matrix[chosen], labels[chosen], reference, feature_name=names, categorical_feature=categorical
        )

    fitted = parts["train"]
    data = dataset(fitted)
    booster = lightgbm.train(
        chosen_parameters,
        data,
        rounds,
        valid_sets=[dataset(parts["valid"], data)],
        callbacks=[lightgbm.early_stopping(patience, verbose=False)] if patience else None,
    )
    kept = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
    if refit:
        fitted = parts["train"] | parts["valid"]
        booster = lightgbm.train(chosen_parameters, dataset(fitted), kept)

    card = Card(
        name=name,
        version=version,
        objective=str(chosen_parameters["objective"]),
        features=tuple(described),
        label=label,
        trained_from=iso(int(times[fitted].min())),
        trained_until=iso(int(times[fitted].max())),
        rows=int(fitted.sum()),
        positives=int(labels[fitted].sum()),
        parameters={k: v for k, v in chosen_parameters.items() if isinstance(v, str | int | float)},
        flow=flow,
    )
    artefact, scores, truth = _judged(
        card, booster.model_to_string(num_iteration=kept), matrix[parts["test"]], labels[parts["test"]], budgets
    )
    gain = booster.feature_importance("gain").tolist()
    return Training(
        artefact=artefact,
        figures=artefact.card.metrics,
        calibration=calibration(truth, scores),
        rounds=kept,
        gain=dict(sorted(zip(features, gain, strict=True), key=lambda pair: -pair[1])),
        valid=share,
        embargoed=int((~np.logical_or.reduce(list(parts.values()))).sum()),
    )


def _judged(
    card: Card,
    text: str,
    matrix: NDArray[np.float64],
    labels: NDArray[np.bool_],
    budgets: Sequence[float],
) -> tuple[Artefact, NDArray[np.float64], NDArray[np.bool_]]:
    """The artefact with its figures, by the same walk that will serve it."""
    model = Artefact(card, text.encode()).trees()
    scores = model.predict(matrix)
    # Reasons are owed to whom the model acts on: as many as there are positives, and at least one in a hundred.
    acted = threshold_for(scores, max(0.01, float(labels.mean())))
    low, high = roc_auc_interval(labels, scores)
    card = msgspec.structs.replace(
        card,
        metrics=evaluate(labels, scores, budgets=budgets)
        | {"roc_auc_low": low, "roc_auc_high": high}
        | measure(model, matrix, acted).metrics(),
        thresholds={f"{budget:g}": threshold_for(scores, budget) for budget in budgets},
    )
    return Artefact(card, text.encode()), scores, labels


def encode(table: pl.DataFrame, features: Sequence[ModelFeature]) -> NDArray[np.float64]:
    """The features' columns as the trees read them: null and unseen categories are NaN, times are µs since 1970 UTC."""
    columns = []
    for feature in features:
        series = table[feature.name]
        if feature.kind == "category" and feature.categories:
            codes = {text: float(code) for code, text in enumerate(feature.categories)}
            series = series.cast(pl.String).replace_strict(codes, default=None, return_dtype=pl.Float64)
        elif isinstance(series.dtype, pl.Datetime | pl.Duration):
            series = series.dt.cast_time_unit("us").to_physical()
        columns.append(series.cast(pl.Float64).fill_null(float("nan")).to_numpy())
    return np.ascontiguousarray(np.column_stack(columns), dtype=np.float64)


def _feature(series: pl.Series, training: NDArray[np.bool_]) -> ModelFeature:
    """Categories are those of the training span alone, in order of text, so that the future decides no code."""
    if series.dtype in (pl.String, pl.Categorical) or isinstance(series.dtype, pl.Enum | pl.Categorical):
        texts = series.filter(pl.Series(training)).cast(pl.String).drop_nulls().unique().sort().to_list()
        return ModelFeature(series.name, "category", tuple(texts))
    if series.dtype.is_numeric() or series.dtype == pl.Boolean or isinstance(series.dtype, pl.Datetime | pl.Duration):
        return ModelFeature(series.name)
    raise ModelError(
        f"The column {series.name!r} cannot be a feature.",
        seen=str(series.dtype),
        do="Give numbers, truth values, times, lengths of time or texts.",
    )


def require_columns(table: pl.DataFrame, names: Sequence[str]) -> None:
    """Raise ModelError, with the nearest name, unless the table has these columns."""
    import difflib

    for name in names:
        if name not in table.columns:
            near = difflib.get_close_matches(name, table.columns, n=1)
            more = table.width - _MOST_COLUMNS
            raise ModelError(
                f"The table has no column {name!r}.",
                seen=", ".join(table.columns[:_MOST_COLUMNS]) + (f" and {more} more" if more > 0 else ""),
                do=(f"Did you mean {near[0]!r}? " if near else "Name one of its columns. ")
                + "If the flow has changed since the table was written, write it again with `tidegate features`.",
            )


def event_times(series: pl.Series) -> NDArray[np.int64]:
    """A column of times as µs since 1970 UTC. Raises ModelError if it is none."""
    if isinstance(series.dtype, pl.Datetime):
        return series.dt.cast_time_unit("us").to_physical().to_numpy()
    if series.dtype.is_integer():
        return series.cast(pl.Int64).to_numpy()
    raise ModelError(
        f"The column {series.name!r} is no event time.", seen=str(series.dtype), do="Give a Datetime, or integer µs."
    )


def label_values(series: pl.Series) -> NDArray[np.bool_]:
    """A column of truth values, or of 0 and 1, as labels. Raises ModelError if it is none."""
    if series.dtype != pl.Boolean and not (series.dtype.is_numeric() and series.is_in([0, 1]).all()):
        raise ModelError(
            f"The column {series.name!r} is no label.", seen=f"{series.dtype}, such as {series[0]!r}",
            do="Give truth values, or 0 and 1.",
        )  # fmt: skip
    return series.cast(pl.Boolean).to_numpy()


def iso(at: int) -> str:
    """µs since 1970 UTC as ISO 8601."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + at * _MICROSECOND).isoformat()
