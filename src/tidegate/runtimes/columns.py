"""From columns to cells: whole frames into a decider's rows, without a Python object per row.

The frames are canonical (see `connectors.files_columns`): a column per field, times as microseconds since 1970, money
as whole minor units with the currency beside it. The cells are those that `Encoder` makes of the same events.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.decisions.encode import text_cell
from tidegate.decisions.plan import AT, FieldPlan, KindPlan, TextPlan
from tidegate.errors import ContractError
from tidegate.events.event import Event
from tidegate.events.types import Kind
from tidegate.expressions.words import MISSING, word
from tidegate.runtimes.hash_table import HashTable

Ints = NDArray[np.int64]


class TextCells:
    """Turns columns of texts into cells; each text is hashed when it is first seen, not each time.

    Args:
        cell: what a text's cell is, and to which other places it is told.
    """

    def __init__(self, cell: Callable[[str], int]) -> None:
        self._cell = cell
        self._known = HashTable()
        self._listed: dict[Any, Ints] = {}

    def cells(self, texts: pl.Series) -> Ints:
        """The cell of each text, MISSING where there is none."""
        if isinstance(texts.dtype, pl.Enum):
            return self._enumerated(texts)
        if texts.dtype != pl.String:
            texts = texts.cast(pl.String)
        # The frame's own hash of a text only finds its cell again; it never becomes one, since it changes by release.
        marks = texts.hash(seed=0).to_numpy().view(np.int64).copy()
        marks[marks == MISSING] = 0
        found, missed = self._known.find(marks)
        if missed:
            new, first = np.unique(marks[found == MISSING], return_index=True)
            rows = np.flatnonzero(found == MISSING)[first]
            words = texts.gather(rows).to_list()
            self._known.put(new, np.array([0 if text is None else self._cell(text) for text in words], np.int64))
            found, _ = self._known.find(marks)
        if texts.null_count():
            found[texts.is_null().to_numpy()] = MISSING
        return found

    def _enumerated(self, texts: pl.Series) -> Ints:
        kind = texts.dtype
        if kind not in self._listed:
            words = kind.categories.to_list()  # type: ignore[attr-defined]
            self._listed[kind] = np.array([*(self._cell(text) for text in words), MISSING], np.int64)
        known = self._listed[kind]
        codes = texts.to_physical().cast(pl.Int64).fill_null(len(known) - 1).to_numpy()
        cells: Ints = known[codes]
        return cells


class KindColumns:
    """One event type's way from a frame to cells: `columns` says where the rows of `cells` go.

    Args:
        kind: the type's part of the plan.
        words: where the wording of texts is kept that windows can give back.
        worded: the columns that they are in.
        spoken: if given, the wording of every text is kept here.
    """

    def __init__(
        self, kind: KindPlan, words: dict[int, str], worded: Sequence[int], spoken: dict[int, str] | None = None
    ) -> None:
        self.kind = kind
        self.columns = [AT, *(field.column for field in kind.fields), *(text.column for text in kind.texts)]
        self._texts = [self._of(None, spoken, words if f.column in worded else None) for f in kind.fields]
        self._steps = [self._of(text, spoken, words if text.column in worded else None) for text in kind.texts]

    @staticmethod
    def _of(steps: TextPlan | None, spoken: dict[int, str] | None, words: dict[int, str] | None) -> TextCells:
        kept = [known for known in (spoken, words) if known is not None]

        def cell(text: str) -> int:
            made = word(text) if steps is None else text_cell(steps, text)
            for known in kept:
                if steps is None:
                    known[made] = text
                elif steps.steps[-1][0] in ("lower", "upper"):
                    known[made] = _changed(steps, text)
            return made

        return TextCells(cell)

    def cells(self, frame: pl.DataFrame) -> Ints:
        """The cells of a frame, one row for each of `columns`."""
        made = np.empty((len(self.columns), frame.height), np.int64)
        made[0] = times(frame)
        for place, (field, texts) in enumerate(zip(self.kind.fields, self._texts, strict=True), 1):
            made[place] = _field(frame, field, texts)
        place = 1 + len(self.kind.fields)
        for steps, texts in zip(self.kind.texts, self._steps, strict=True):
            made[place] = texts.cells(frame[steps.field]) if steps.field in frame.columns else MISSING
            place += 1
        return made


def _changed(steps: TextPlan, text: str) -> str:
    for name, _ in steps.steps:
        text = text.lower() if name == "lower" else text.upper()
    return text


def times(frame: pl.DataFrame) -> Ints:
    """The events' times in microseconds since 1970 UTC.

    Raises:
        ContractError: there is no column `at`, or a time is missing.
    """
    if "at" not in frame.columns or frame["at"].null_count():
        raise ContractError(
            "Every event has a time.", seen="a frame without it", do="Give a column `at`.", pointer="/at"
        )
    return _whole(frame["at"])


def _whole(series: pl.Series) -> Ints:
    if isinstance(series.dtype, pl.Datetime):
        series = series.dt.cast_time_unit("us").to_physical()
    cells: Ints = series.cast(pl.Int64).fill_null(MISSING).to_numpy()
    return cells


def _field(frame: pl.DataFrame, field: FieldPlan, texts: TextCells) -> Ints:
    kind = field.type
    if field.name not in frame.columns:
        nothing = np.full(1, np.nan).view(np.int64) if kind.is_float else np.full(1, MISSING, np.int64)
        return np.broadcast_to(nothing, (frame.height,))
    series = frame[field.name]
    if kind.kind is Kind.FLOAT:
        numbers = series.cast(pl.Float64).fill_null(np.nan).to_numpy() + 0.0  # -0.0 and 0.0 are one number
        return numbers.view(np.int64)
    if kind.is_word:
        return texts.cells(series)
    if kind.kind is Kind.MONEY:
        return money(frame, field.name, field.currency)
    return _whole(series)


def money(frame: pl.DataFrame, name: str, currency: str | None) -> Ints:
    """Minor units of a money field; amounts in another currency than the one asked for are missing."""
    units = _whole(frame[name])
    beside = f"{name}.currency"
    if currency is None or beside not in frame.columns:
        return units
    other = (frame[beside].cast(pl.String) != currency).fill_null(True).to_numpy()
    return np.where(other, MISSING, units) if other.any() else units


def marks(frame: pl.DataFrame, event: type[Event], number: int) -> tuple[Ints, Ints]:
    """64-bit hashes of each event's id and of its content, by which it is known when it comes again."""
    named = [name for name in event.__contract__ if name in frame.columns]
    named += [f"{name}.currency" for name in named if f"{name}.currency" in frame.columns]
    ids = frame["id"].cast(pl.String).hash(seed=1).to_numpy().view(np.int64).copy()
    ids[ids == MISSING] = 0
    plain = frame.select(pl.col(name).cast(pl.String) if _coded(frame[name]) else pl.col(name) for name in named)
    contents = plain.hash_rows(seed=2 + number).to_numpy().view(np.int64)
    return ids, contents


def _coded(series: pl.Series) -> bool:
    return isinstance(series.dtype, pl.Categorical)
