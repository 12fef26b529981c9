"""Scorecards fitted by optbinning: bins by constrained optimisation, points by a logistic regression of their evidence.

A bin's points are `-(coefficient * weight of evidence + intercept / n) * factor + offset / n` over the n
characteristics (Siddiqi 2006, ch. 6), which is what `optbinning.Scorecard` gives. A characteristic whose coefficient
has the wrong sign would give more points for worse evidence; it is left out, the worst first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.connectors.scorecards.fitted_columns import FittedColumn, fitted_column
from tidegate.decisions.scorecards.card import Card, made
from tidegate.decisions.scorecards.evaluator import Evaluator
from tidegate.decisions.scorecards.scaling import Scaling
from tidegate.decisions.scorecards.written import OTHERWISE, WrittenBin, WrittenCard, WrittenCharacteristic
from tidegate.decisions.tables.cells import LONGEST
from tidegate.errors import ModelError
from tidegate.events.types import Kind, Type
from tidegate.models.evaluation import kolmogorov_smirnov, roc_auc
from tidegate.models.split import USUAL_SHARE, chosen_split
from tidegate.models.training import event_times, iso, label_values, require_columns

if TYPE_CHECKING:
    from optbinning import BinningProcess
    from optbinning import Scorecard as FittedScorecard

LOOSE = 1e6
"""The inverse strength of regularisation: there is next to none, so that points follow the evidence."""


@dataclass(frozen=True)
class Fitting:
    """How a scorecard is fitted.

    Attributes:
        scaling: of its points.
        whole: points are rounded to whole ones.
        least_value: characteristics of less information value are left out.
        most_bins: of a characteristic; None for as many as are worth it.
        least_share: of the rows that a bin must hold.
        monotone: event rates rise or fall from bin to bin, or else may also have one peak or valley.
    """

    scaling: Scaling
    whole: bool = True
    least_value: float = 0.02
    most_bins: int | None = None
    least_share: float = 0.05
    monotone: bool = False


@dataclass(frozen=True)
class Fitted:
    """A fitted scorecard, how it does on each span of time, and what was left out and why.

    `splits` has by span its rows, events, event_rate, auc, gini and ks; `coefficients` are of the evidence; `fitted` is
    optbinning's own scorecard.
    """

    card: Card
    fitted: "FittedScorecard"
    splits: Mapping[str, Mapping[str, float]]
    left_out: Mapping[str, str]
    coefficients: Mapping[str, float]
    trained_from: str
    trained_until: str


def fit(
    table: pl.DataFrame,
    target: str,
    at: str,
    *,
    features: Sequence[str],
    how: Fitting,
    valid: float | None = None,
    test: float = USUAL_SHARE,
    embargo: timedelta = timedelta(0),
    types: Mapping[str, Type] | None = None,
    name: str = "scorecard",
) -> Fitted:
    """Fit a scorecard on the earliest span of a table, and judge it on the later ones.

    Args:
        table: a row for each thing scored.
        target: the column of truth values, or of 0 and 1, that says who had the event (was bad); null is left out.
        at: the column of times.
        features: the columns that may become characteristics: numbers, truth values, texts.
        valid, test: the shares of rows, the latest, that stand apart; `valid` left out is 0.15, or as much more as the
            embargo needs.
        embargo: how late a label may become known; a span ends so long before the next begins.
        types: of the flow's features, where columns hold their minor units and microseconds.
        name: what the scorecard is called.

    Raises:
        ModelError: a column is missing or of a wrong type, a span has only one label, or nothing is worth a bin.
    """
    _require_optbinning()
    require_columns(table, [*features, target, at])
    table = table.filter(pl.col(target).is_not_null() & pl.col(at).is_not_null())
    if table.is_empty():
        raise ModelError("There is nothing to fit on.", seen=f"no row with a {target!r}", do="Give rows with labels.")
    times, labels = event_times(table[at]), label_values(table[target])
    split, _ = chosen_split(times, labels, valid=valid, test=test, embargo=embargo)
    parts = split.parts(times)
    if len(np.unique(labels[parts["test"]])) < 2:
        raise ModelError(
            "The span to test on does not have both labels.",
            seen=f"{int(labels[parts['test']].sum())} events in {int(parts['test'].sum())} rows",
            do="Give more rows, or a larger --test (in Python test=).",
        )
    train = parts["train"]
    columns = {one: fitted_column(table[one], (types or {}).get(one)) for one in features}
    fitted, kept, left_out = _fitted(columns, labels, train, how)
    lines = fitted.table(style="detailed")
    card = _card(columns, kept, fitted, lines, how, name)
    points = Evaluator(card).points({part.name: columns[part.name].plain for part in card.characteristics})
    return Fitted(
        card=card,
        fitted=fitted,
        splits={part: _judged(labels[chosen], points[chosen]) for part, chosen in parts.items()},
        left_out=left_out,
        coefficients={one: float(lines[lines["Variable"] == one]["Coefficient"].iloc[0]) for one in kept},
        trained_from=iso(int(times[train].min())),
        trained_until=iso(int(times[train].max())),
    )


def _require_optbinning() -> None:
    if find_spec("optbinning") is None:
        raise ModelError.not_installed("Fitting a scorecard", "optbinning", "scorecard")


def _judged(labels: NDArray[np.bool_], points: NDArray[np.float64]) -> dict[str, float]:
    """How well points tell the labelled apart; fewer points are worse."""
    auc = roc_auc(labels, -points)
    return {
        "rows": float(len(labels)), "events": float(labels.sum()), "event_rate": float(labels.mean()), "auc": auc,
        "gini": 2 * auc - 1, "ks": kolmogorov_smirnov(labels, -points),
    }  # fmt: skip


def _fitted(
    columns: Mapping[str, FittedColumn], labels: NDArray[np.bool_], train: NDArray[np.bool_], how: Fitting
) -> tuple["FittedScorecard", list[str], dict[str, str]]:
    """optbinning's scorecard, the characteristics in it, and of the others why they were left out."""
    given, events = _frame(columns, train), labels[train].astype(np.int64)
    kept, left_out = _chosen(columns, given, events, how)
    return _scorecard(columns, kept, how).fit(given[kept], events), kept, left_out


def _card(
    columns: Mapping[str, FittedColumn], kept: Sequence[str], fitted: "FittedScorecard", lines: Any, how: Fitting,
    name: str,
) -> Card:  # fmt: skip
    parts = [_characteristic(one, columns[one], fitted, lines) for one in kept]
    scale = how.scaling
    settings = {"pdo": scale.pdo, "base points": scale.base_points, "base odds": scale.base_odds}
    return made(WrittenCard(name, tuple(parts), settings))


def _binning(columns: Mapping[str, FittedColumn], names: Sequence[str], how: Fitting) -> "BinningProcess":
    from optbinning import BinningProcess

    trend = "auto_asc_desc" if how.monotone else "auto"
    return BinningProcess(
        list(names),
        categorical_variables=[one for one in names if columns[one].named],
        max_n_bins=how.most_bins,
        min_bin_size=how.least_share,
        min_prebin_size=min(how.least_share, 0.05),
        binning_fit_params={one: {"monotonic_trend": trend} for one in names if not columns[one].named},
    )


def _chosen(
    columns: Mapping[str, FittedColumn], given: Any, events: NDArray[np.int64], how: Fitting
) -> tuple[list[str], dict[str, str]]:
    """The characteristics that are worth their bins, and of the others why not."""
    from sklearn.linear_model import LogisticRegression

    process = _binning(columns, list(columns), how)
    process.fit(given, events)
    kept: list[str] = []
    left_out: dict[str, str] = {}
    for one in columns:
        binned = process.get_binned_variable(one)
        table = binned.binning_table
        table.build()
        value = float(table.iv)
        if how.least_value > 0 and not value >= how.least_value:
            left_out[one] = f"its information value is {value:.4f}"
        elif len(binned.splits) + (0 if columns[one].named else 1) < 2:
            left_out[one] = "it has one bin"
        else:
            kept.append(one)
    evidence: Any = process.transform(given, metric="woe", metric_missing="empirical") if kept else None
    while kept:
        # Evidence is of good against bad here, so a coefficient of the odds of bad is below zero.
        found = LogisticRegression(C=LOOSE, max_iter=1000).fit(evidence[kept], events).coef_[0]
        worst = int(np.argmax(found))
        if found[worst] < 0:
            break
        left_out[kept[worst]] = f"beside the others its coefficient has the wrong sign, {found[worst]:+.3f}"
        del kept[worst]
    if not kept:
        said = "; ".join(f"{one}: {why}" for one, why in list(left_out.items())[:5])
        raise ModelError("No characteristic is worth its bins.", seen=said, do="Give other features, or more rows.")
    return kept, left_out


def _scorecard(columns: Mapping[str, FittedColumn], names: Sequence[str], how: Fitting) -> "FittedScorecard":
    from optbinning import Scorecard as FittedScorecard
    from sklearn.linear_model import LogisticRegression

    scale = how.scaling
    return FittedScorecard(
        _binning(columns, names, how),
        LogisticRegression(C=LOOSE, max_iter=1000),
        scaling_method="pdo_odds",
        scaling_method_params={"pdo": scale.pdo, "odds": scale.base_odds, "scorecard_points": scale.base_points},
        rounding=how.whole,
    )


def _frame(columns: Mapping[str, FittedColumn], chosen: Any) -> Any:
    import pandas as pd

    return pd.DataFrame({name: column.given[chosen] for name, column in columns.items()})


def _characteristic(name: str, column: FittedColumn, fitted: "FittedScorecard", lines: Any) -> WrittenCharacteristic:
    """A characteristic as it is written: its bins, those for no value and for values never seen at the end."""
    own = lines[lines["Variable"] == name]
    cells = column.cells(fitted.binning_process_.get_binned_variable(name).splits)
    if max(map(len, cells)) > LONGEST:
        raise ModelError(
            f"{name} has too many different texts for a bin to be written.",
            seen=f"{len(set(column.plain)):,} of them", do=f"Leave it out with --without {name}.",
        )  # fmt: skip
    rows = [own.iloc[place] for place in range(len(cells))] + [own.iloc[-1]]  # the last is for missing values
    bins = [
        WrittenBin(cell, float(row["Points"]) + 0.0, count=int(row["Count"]), events=int(row["Event"]))
        for cell, row in zip([*cells, "missing"], rows, strict=True)
    ]
    if column.type.kind is not Kind.BOOL and column.named:
        special = own.iloc[-2]  # nothing was special, so its evidence is none, as that of a text never seen
        bins.insert(-1, WrittenBin(OTHERWISE, float(special["Points"]) + 0.0, count=0, events=0))
    words = name.replace("_", " ").replace(".", " ").strip()
    because = words[:1].upper() + words[1:]
    return WrittenCharacteristic(name, tuple(bins), because, name, declared=column.declared)


__all__ = ["Fitted", "Fitting", "fit"]
