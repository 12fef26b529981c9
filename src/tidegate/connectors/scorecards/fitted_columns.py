"""Columns of a training set as a scorecard is fitted on them, and the cells that its bins become."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.decisions.scorecards.node import Scorecard
from tidegate.decisions.tables.telling import quoted
from tidegate.errors import ModelError
from tidegate.events.currency import decimals
from tidegate.events.durations import in_parts, microseconds
from tidegate.events.types import BOOL, DURATION, FLOAT, INT, TEXT, Kind, Type
from tidegate.expressions.node import walk
from tidegate.models.score import ModelScore

if TYPE_CHECKING:
    from tidegate.decisions.flow import Flow

LEAST_DIGITS = 4
"""Significant digits of a cut point, unless a row would fall into another bin."""

MOST_TEXTS = 1_000
"""Different texts of a column, more of which are taken for keys."""

_FEW_TEXTS = 50
"""As many different texts are no keys, even if each row has its own."""

_STEPS = [microseconds(text) for text in ("1d", "1h", "1m", "1s", "1ms")]
"""What cut points of durations are rounded to, the coarsest first."""

_DECLARED = {
    Kind.INT: "whole number", Kind.FLOAT: "number", Kind.BOOL: "bool", Kind.TEXT: "text", Kind.DURATION: "duration",
}  # fmt: skip


@dataclass(frozen=True)
class FittedColumn:
    """A column to be binned.

    Attributes:
        name: its name.
        type: of the flow's feature, or as the column shows.
        given: its values for fitting: floats with NaN for missing, or texts with None.
        plain: its values for the scorecard, as Python has them.
        named: whether its values are texts and not numbers.
    """

    name: str
    type: Type
    given: NDArray[Any]
    plain: Sequence[Any]
    named: bool

    @property
    def declared(self) -> str:
        """Its type as a file declares it."""
        if self.type.kind is Kind.MONEY:
            return f"money {self.type.currency}"
        return _DECLARED[self.type.kind]

    def cells(self, splits: Any) -> list[str]:
        """The bins that these splits make: between numbers, or groups of texts."""
        if self.named:
            groups = [sorted(str(one) for one in group) for group in splits]
            return [", ".join(group if self.type.kind is Kind.BOOL else map(quoted, group)) for group in groups]
        ends = [self._end(float(split)) for split in splits]
        if not ends:
            return ["not(missing)"]
        between = [f"[{low}..{high})" for low, high in pairwise(ends)]
        return [f"< {ends[0]}", *between, f">= {ends[-1]}"]

    def _end(self, value: float) -> str:
        kind = self.type.kind
        if kind is Kind.MONEY:
            places = decimals(self.type.currency or "EUR")
            return f"{Decimal(int(np.ceil(value))).scaleb(-places):f}"  # of whole minor units, those from there on
        if kind is Kind.DURATION:
            return in_parts(_rounded_length(value, self.given))
        if kind is Kind.INT:
            return str(int(np.ceil(value)))
        return _rounded(value, self.given)


def _rounded(cut: float, given: NDArray[Any]) -> str:
    """A cut point with four significant digits, or as many more as it takes that no row falls into another bin."""
    below = int((given < cut).sum())
    digits = range(LEAST_DIGITS, 17)
    near = (float(f"{cut:.{many}g}") for many in digits)
    return repr(next((one for one in near if int((given < one).sum()) == below), cut)).removesuffix(".0")


def _rounded_length(cut: float, given: NDArray[Any]) -> int:
    """A cut point in microseconds, of the coarsest unit in which no row falls into another bin."""
    below = int((given < cut).sum())
    for step in _STEPS:
        lower = int(cut // step) * step
        for end in sorted((lower, lower + step), key=lambda one: abs(one - cut)):
            if int((given < end).sum()) == below:
                return end
    return int(np.ceil(cut))


def no_characteristics(table: pl.DataFrame, flow: "type[Flow[Any]] | None" = None) -> dict[str, str]:
    """The columns that should not become characteristics unless someone says so, and why.

    They are ids, entity keys, texts of which nearly each row has its own or there are too many, and of a flow what
    rests on its models and scorecards.
    """
    found: dict[str, str] = {}
    keys, inferred = _of_flow(flow) if flow is not None else (set(), set())
    for series in table:
        name = series.name
        if name == "id" or name.endswith("_id") or name in keys:
            found[name] = "it is an id or an entity key"
        elif name in inferred:
            found[name] = "it rests on a model or scorecard of the flow"
        elif series.dtype == pl.String:
            many = series.drop_nulls().n_unique()
            if many > MOST_TEXTS or (many > _FEW_TEXTS and 2 * many > series.len() - series.null_count()):
                found[name] = f"it has {many:,} different texts, as keys have"
    return found


def _of_flow(flow: "type[Flow[Any]]") -> tuple[set[str], set[str]]:
    """The entity keys of a flow's event, and its features that rest on a model, a scorecard or another's rules."""
    definition = flow.definition
    keys = {name for name, one in definition.event.__contract__.items() if one.type.kind is Kind.KEY}
    inferred = {
        name
        for name, line in definition.features.items()
        if name == "score" or any(isinstance(node, ModelScore | Scorecard) for node in walk(line))
    }
    return keys, inferred


def fitted_column(series: pl.Series, type: Type | None = None) -> FittedColumn:
    """A column as a scorecard is fitted on it; with a `type` its numbers are minor units or microseconds.

    Raises:
        ModelError: it is of times, or of nothing that bins are made of.
    """
    found = _type(series, type)
    if found.kind is Kind.BOOL:
        texts = ["true" if one else "false" if one is not None else None for one in series.to_list()]
        return FittedColumn(series.name, found, np.array(texts, dtype=object), series.to_list(), True)
    if found.kind is Kind.TEXT:
        texts = series.cast(pl.String).to_list()
        return FittedColumn(series.name, found, np.array(texts, dtype=object), texts, True)
    if found.kind is Kind.DURATION:
        micros = series.dt.total_microseconds() if isinstance(series.dtype, pl.Duration) else series
        plain: Sequence[Any] = [None if one is None else timedelta(microseconds=one) for one in _whole(micros)]
    elif found.kind is Kind.MONEY:
        from tidegate.events.money import Money

        micros = series
        plain = [None if one is None else Money(one, found.currency or "EUR") for one in _whole(micros)]
    else:
        micros, plain = series, series.to_list()
    numbers = micros.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    if found.kind is Kind.FLOAT:
        plain = [None if one is None or one != one else float(one) for one in plain]
    return FittedColumn(series.name, found, numbers.copy(), plain, False)


def _whole(series: pl.Series) -> list[int | None]:
    """Numbers rounded down to whole ones: a mean stays on its side of every whole cut point."""
    return [None if one is None or one != one else floor(one) for one in series.to_list()]


def _type(series: pl.Series, given: Type | None) -> Type:
    dtype = series.dtype
    if given is not None and given.kind in (Kind.MONEY, Kind.DURATION):
        return replace(given, approx=False)  # a file tells amounts and lengths of time, be they means or not
    if dtype == pl.Boolean:
        return BOOL
    if isinstance(dtype, pl.Duration):
        return DURATION
    if dtype.is_integer():
        return INT
    if dtype.is_numeric():
        return FLOAT
    if dtype in (pl.String, pl.Categorical) or isinstance(dtype, pl.Enum | pl.Categorical):
        return TEXT
    raise ModelError(
        f"The column {series.name!r} cannot be a characteristic.", seen=str(dtype),
        do="Give numbers, truth values or texts; of a time, how long ago it was. Or leave it out.",
    )  # fmt: skip


__all__ = ["FittedColumn", "fitted_column", "no_characteristics"]
