"""Do the reasons that are shown hold? Measured on rows that the model has not seen.

A decision names at most a few of a model's contributions. They are worth something if they alone lead to the same
decision (*sufficiency*), say how high the score is (R²), are what the score hangs on (*deletion*), and stay what they
are when the row changes by a hair (*stability*); DeYoung et al. 2020 (ERASER) and Alvarez-Melis and Jaakkola 2018 name
these. That contributions add up to the score (*additivity*) is what makes all of it exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegate.models.tree_model import TreeModel

__all__ = ["LEAST", "ReasonQuality", "measure", "shortfalls"]

Floats = NDArray[np.float64]
LEAST: Mapping[str, float] = {
    "reason_additivity_error": 1e-6,
    "reason_sufficiency": 0.85,
    "reason_deletion": 2.0,
    "reason_stability": 0.8,
}
"""What a model must reach to be promoted; of the first, what its largest error may be."""
_MOST_ROWS = 5_000
_HAIR = 0.01
_MOST_RATIO = 1e6
_DRAWS, _MOST_DRAWS, _DRAWN_ROWS = 8, 100, 200_000
_BLOCK = 8_192
_DELETED_SHARE = 4
"""Of so many features at most one is deleted: if it were most of few, as many at random could only be the same ones."""


@dataclass(frozen=True, slots=True)
class ReasonQuality:
    """How good the reasons are.

    Args:
        rows: how many rows were looked at; additivity is of all that were given.
        additivity_error: the largest distance, over every row, of its contributions, added up, from its raw score; in
            units of that, log odds for a probability.
        sufficiency: the share of rows near the threshold (all that are above it, and as many of the highest below) on
            which the base and the reasons shown lead to the same side of it as the model.
        sufficiency_overall: the same over all rows.
        r2: how much of the raw score's variance the base and the reasons shown explain, over all rows.
        deletion: how much further the raw score moves when the heaviest features shown are replaced by those of other
            rows than when as many are that are drawn at random from all features, the heaviest among them. All that are
            shown, but at most a quarter of a model's features and at least one: with sixteen, all four. It is 1 where
            random ones can be no others, and at most a million.
        stability: the mean Jaccard index of the features shown before and after each number has moved by a hundredth
            of itself, up or down, over rows near the threshold.
    """

    rows: int
    additivity_error: float
    sufficiency: float
    sufficiency_overall: float
    r2: float
    deletion: float
    stability: float

    def metrics(self) -> dict[str, float]:
        """The figures by the names that they have on a model's card."""
        return {
            "reason_additivity_error": self.additivity_error,
            "reason_sufficiency": self.sufficiency,
            "reason_sufficiency_overall": self.sufficiency_overall,
            "reason_r2": self.r2,
            "reason_deletion": self.deletion,
            "reason_stability": self.stability,
        }


def measure(model: TreeModel, matrix: Floats, threshold: float, *, most: int = 4) -> ReasonQuality:
    """Measure the reasons that a model gives for rows; the same rows always give the same figures.

    Args:
        model: the model.
        matrix: rows that it was not trained on, one column per feature. The contributions of all are added up, in
            blocks, which takes as long as explaining each; everything else is of at most some thousands.
        threshold: the answer from which an event is acted on.
        most: how many reasons are shown.

    Raises:
        ModelError: the model cannot be explained, or reads another number of features.
    """
    answers = model.predict(matrix)
    order = np.argsort(-answers, kind="stable")
    above = int((answers >= threshold).sum())
    near = order[: min(2 * max(above, 1), _MOST_ROWS, len(order))]
    every = np.unique(np.concatenate([near, order[:: max(1, len(order) // _MOST_ROWS)]]))
    rows, close = matrix[every], np.isin(every, near)
    parts, raw = model.contributions(rows), model.raw(rows)
    shown, deleted = _shown(parts[:, :-1], most), min(most, max(1, matrix.shape[1] // _DELETED_SHARE))
    told = parts[:, -1] + np.where(shown, parts[:, :-1], 0.0).sum(axis=1)
    # The threshold on the raw scale lies between the last raw score that reaches it and the first that does not.
    reach = answers[every] >= threshold
    low = raw[~reach].max() if (~reach).any() else -np.inf
    cut = raw[reach].min() if reach.any() else np.inf
    middle = (low + cut) / 2 if np.isfinite(low) and np.isfinite(cut) else (cut if np.isfinite(cut) else low + 1.0)
    same = (told >= middle) == reach
    spread = float(((raw - raw.mean()) ** 2).sum())
    return ReasonQuality(
        rows=len(rows),
        additivity_error=_additivity_error(model, matrix),
        sufficiency=float(same[close].mean()),
        sufficiency_overall=float(same.mean()),
        r2=1.0 - float(((raw - told) ** 2).sum()) / spread if spread else 1.0,
        deletion=_deletion(model, rows[close], raw[close], _shown(parts[close, :-1], deleted)),
        stability=_stability(model, rows[close], shown[close], most),
    )


def shortfalls(metrics: Mapping[str, float]) -> tuple[str, ...]:
    """In words, what of a model's reasons falls short, or was never measured; empty if it may be promoted."""
    found = []
    for name, least in LEAST.items():
        said = name.removeprefix("reason_").replace("_", " ")
        if name not in metrics:
            found.append(f"{said} was not measured")
        elif name.endswith("_error") and not metrics[name] <= least:
            found.append(f"{said} {metrics[name]:.2g}, at most {least:g}")
        elif not name.endswith("_error") and not metrics[name] >= least:
            found.append(f"{said} {metrics[name]:.2f}, at least {least:g}")
    return tuple(found)


def _shown(parts: Floats, most: int) -> NDArray[np.bool_]:
    """The largest contributions of each row, of equal ones the earlier."""
    chosen = np.argsort(-np.abs(parts), axis=1, kind="stable")[:, :most]
    shown = np.zeros(parts.shape, np.bool_)
    np.put_along_axis(shown, chosen, True, axis=1)
    found: NDArray[np.bool_] = shown & (parts != 0.0)
    return found


def _additivity_error(model: TreeModel, matrix: Floats) -> float:
    blocks = (matrix[start : start + _BLOCK] for start in range(0, len(matrix), _BLOCK))
    worst = [np.abs(model.contributions(rows).sum(axis=1) - model.raw(rows)).max() for rows in blocks]
    return float(np.max(worst))  # which is NaN if one is


def _deletion(model: TreeModel, rows: Floats, raw: Floats, deleted: NDArray[np.bool_]) -> float:
    """How far the score moves without what is deleted, over how far it moves without as many, drawn from all.

    What goes is replaced by what another row has there: the row that stands so many places on, oftener where rows are
    few, since chance draws the others.
    """
    n, draws = len(rows), int(np.clip(_DRAWN_ROWS // len(rows), _DRAWS, _MOST_DRAWS))
    moved, other = 0.0, 0.0
    for draw in range(1, draws + 1):
        lent = np.roll(rows, draw * max(1, n // (draws + 1)), axis=0)
        places = _scattered(rows.shape, draw).argsort(axis=1).argsort(axis=1)
        drawn = places < deleted.sum(axis=1, keepdims=True)
        moved += float(np.abs(model.raw(np.where(deleted, lent, rows)) - raw).mean())
        other += float(np.abs(model.raw(np.where(drawn, lent, rows)) - raw).mean())
    if not other:
        return _MOST_RATIO if moved else 1.0
    return min(moved / other, _MOST_RATIO)


def _scattered(shape: tuple[int, ...], seed: int) -> NDArray[np.uint64]:
    """Numbers without a pattern, the same each time: SplitMix64 of their places (Steele, Lea and Flood 2014)."""
    places = np.arange(1, 1 + np.prod(shape, dtype=np.int64), dtype=np.uint64) + (np.uint64(seed) << np.uint64(40))
    mixed = places.reshape(shape) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return found


def _stability(model: TreeModel, rows: Floats, shown: NDArray[np.bool_], most: int) -> float:
    numbers = np.array([name not in model.categories for name in model.features])
    sums = 0.0
    for draw in range(_DRAWS):
        signs = np.where(_scattered(rows.shape, draw) & np.uint64(1), 1.0, -1.0) * numbers
        again = _shown(model.contributions(rows * (1.0 + _HAIR * signs))[:, :-1], most)
        both, either = (shown & again).sum(axis=1), (shown | again).sum(axis=1)
        sums += float(np.where(either > 0, both / np.maximum(either, 1), 1.0).mean())
    return sums / _DRAWS
