"""A scorecard as plain data, as it is kept in a flow's plan."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidegate.decisions.scorecards.card import Card
from tidegate.decisions.tables.columns import InputPlan


@dataclass(frozen=True)
class ScorecardPlan:
    """A scorecard over columns of cells.

    `columns[c]` gets the number of the bin that characteristic `c` falls into, from 0 in each, and `points` their sum.
    `bins[c]` is how many bins a characteristic has, `missing[c]` which of them is for no value, or -1; `ranges` are
    `(characteristic, lowest point, highest point, bin)` in order; `values` are the points of all bins, one
    characteristic after another, and `texts`, `codes` and `because` what is told of them. `scale` is factor and offset,
    or nothing.
    """

    name: str
    digest: str
    inputs: tuple[InputPlan, ...]
    columns: tuple[int, ...]
    points: int
    initial: float
    sign: int
    most: int
    scale: tuple[float, ...]
    baselines: tuple[float, ...]
    bins: tuple[int, ...]
    missing: tuple[int, ...]
    ranges: np.ndarray
    values: tuple[float, ...]
    texts: tuple[str, ...]
    codes: tuple[str, ...]
    because: tuple[str, ...]


def plan_of(card: Card, name: str, inputs: Sequence[int], columns: Sequence[int], points: int) -> ScorecardPlan:
    """The plan of a scorecard over these columns.

    Where bins overlap, which no flow allows, the one that stands first holds.
    """
    ranges = [
        (place, low, high, number)
        for place, part in enumerate(card.characteristics)
        for low, high, number in sorted((*run, n) for n, one in enumerate(part.bins) for run in one.cell.ranges)
    ]
    every = [one for part in card.characteristics for one in part.bins]
    scale = card.scaling
    return ScorecardPlan(
        name=name,
        digest=card.digest,
        inputs=tuple(
            InputPlan(part.name, column, part.column.type)
            for part, column in zip(card.characteristics, inputs, strict=True)
        ),
        columns=tuple(columns),
        points=points,
        initial=card.initial,
        sign=card.sign,
        most=card.most,
        scale=() if scale is None else (scale.factor, scale.offset),
        baselines=tuple(part.baseline for part in card.characteristics),
        bins=tuple(len(part.bins) for part in card.characteristics),
        missing=tuple(part.missing for part in card.characteristics),
        ranges=np.array(ranges, dtype=np.int64).reshape(len(ranges), 4),
        values=tuple(one.points for one in every),
        texts=tuple(one.cell.text for one in every),
        codes=tuple(one.code for one in every),
        because=tuple(one.because for one in every),
    )


__all__ = ["ScorecardPlan", "plan_of"]
