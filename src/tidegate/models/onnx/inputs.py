"""What a model is given, a row of numbers each, as the tensors that it reads.

A row is kept as floats: a truth value as 0 or 1, a text as its place among the texts that the model compares with, -1
if it is none of them, NaN where there is no value. Only a float tensor or one of texts can be told that a value is
missing, and is only where the model's author said so; else the model has no answer for the row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.onnx.document import OnnxFile

__all__ = ["Column", "Inputs", "columns_of"]

UNKNOWN_TEXT = "\x00 a text that the model does not know"
_DTYPES: dict[str, Any] = {
    "float": np.float32, "double": np.float64, "int64": np.int64, "int32": np.int32, "bool": np.bool_, "string": object,
}  # fmt: skip
_MOST_FEATURES = 10_000
_FARTHEST = {"float": float(np.finfo(np.float32).max), "double": float(np.finfo(np.float64).max)}
_RANGES = {"int64": (-(2.0**53), 2.0**53), "int32": (-(2.0**31), 2.0**31 - 1), "bool": (0.0, 1.0)}


@dataclass(frozen=True, slots=True)
class Column:
    """A feature: what it is called, and the element type of the tensor that it goes into."""

    name: str
    element: str


def columns_of(file: OnnxFile, names: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """The features that a file reads, in the order of its inputs; `names` are those of a tensor's columns, if known.

    Raises:
        ModelError: an input is no column and no table of columns, or the names are not as many as the features.
    """
    if not file.inputs:
        raise ModelError(f"{file.what} reads nothing.", do="Export the model with its inputs.")
    if len({one.name for one in file.inputs}) < len(file.inputs):
        raise ModelError(f"{file.what} has two inputs of one name.", do="Export it with different names.")
    found = list[Column]()
    for one in file.inputs:
        batch, width = (*one.dims, 1)[:2]
        if len(one.dims) not in (1, 2) or batch not in (-1, 1) or not (width == -1 or 0 < width <= _MOST_FEATURES):
            raise ModelError(
                f"{file.what} reads {one.name!r} as something else than a row for each event.",
                seen=f"the shape {list(one.dims)}", do="Export it with inputs of the shape [None, features].",
            )  # fmt: skip
        if width == -1:
            width = len(names)
            if len(file.inputs) > 1 or not width:
                raise ModelError(
                    f"{file.what} does not say how many features {one.name!r} has.", seen="the shape [None, None]",
                    do="Say their names, with --features or features=, or export it with a shape of [None, features].",
                )  # fmt: skip
        found += [Column(f"{one.name}[{k}]" if width > 1 else one.name, one.element) for k in range(width)]
    if len(found) > _MOST_FEATURES:
        raise ModelError(f"{file.what} reads too many features.", seen=f"{len(found):,}")
    if names and len(names) != len(found):
        raise ModelError(
            f"{file.what} reads {len(found)} features.", seen=f"{len(names)} names: {', '.join(names)[:200]}",
            do="Name each of them once, in their order.",
        )  # fmt: skip
    if names:
        found = [Column(name, one.element) for name, one in zip(names, found, strict=True)]
    if len({one.name for one in found}) < len(found):
        raise ModelError(f"{file.what} has two features of one name.", seen=", ".join(one.name for one in found)[:200])
    return tuple(found)


class Inputs:
    """Rows as a model's tensors.

    Args:
        file: what was looked into.
        columns: its features.
        passes: whether a missing value is passed on, as NaN or as an empty text.
    """

    def __init__(self, file: OnnxFile, columns: tuple[Column, ...], *, passes: bool) -> None:
        self.columns, self.passes = columns, passes
        self._texts = np.array([*file.texts, "", UNKNOWN_TEXT], object)
        self._tensors = list[tuple[str, Any, int, int, bool]]()
        at = 0
        widths = [(*one.dims, 1)[1] if (*one.dims, 1)[1] > 0 else len(columns) for one in file.inputs]
        for one, width in zip(file.inputs, widths, strict=True):
            self._tensors.append((one.name, _DTYPES[one.element], at, at + width, len(one.dims) == 1))
            at += width
        farthest = [_FARTHEST.get(one.element, np.inf) for one in columns]
        self._low = np.array([_RANGES.get(c.element, (-f, f))[0] for c, f in zip(columns, farthest, strict=True)])
        self._high = np.array([_RANGES.get(c.element, (-f, f))[1] for c, f in zip(columns, farthest, strict=True)])
        self._whole = np.array([one.element in ("int64", "int32", "bool") for one in columns])
        self._can_pass = np.array([passes and not whole for whole in self._whole])
        self._plain = not self._whole.any() and all(one.element in _FARTHEST for one in columns)

    def answerable(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which rows the model can be asked about: nothing missing that may not be, nothing outside of its type."""
        with np.errstate(invalid="ignore"):
            fits: Any = (rows >= self._low) & (rows <= self._high)
            if self._whole.any():
                fits = fits & (~self._whole | (np.floor(rows) == rows))
        fits = fits | (np.isnan(rows) & self._can_pass)
        found: NDArray[np.bool_] = fits.all(axis=1)
        return found

    def why_not(self, row: NDArray[np.float64], names: Sequence[str]) -> str:
        """Why the model cannot be asked about a row, in words and by these names; empty if it can."""
        for place, (name, value) in enumerate(zip(names, row.tolist(), strict=True)):
            element = self.columns[place].element
            if value != value:
                if not self._can_pass[place]:
                    return f"{name} is missing, and the model has no answer then"
            elif not self._low[place] <= value <= self._high[place]:
                return f"{name} is {value:g}, which is outside of what {element} holds"
            elif self._whole[place] and value != int(value):
                return f"{name} is {value:g}, which is no {element}"
        return ""

    def feed(self, rows: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        """The tensors of rows that are answerable."""
        if self._plain and len(self._tensors) == 1:
            name, dtype, _, _, flat = self._tensors[0]
            return {name: rows[:, 0].astype(dtype) if flat else rows.astype(dtype)}
        found = {}
        for name, dtype, start, stop, flat in self._tensors:
            part = rows[:, start:stop]
            if dtype is object:
                # Behind the model's own texts stand the empty one, for a missing value, and one that it cannot know.
                places = np.where(np.isnan(part), len(self._texts) - 2, part).astype(np.int64)
                tensor = self._texts[np.where(places < 0, len(self._texts) - 1, places)]
            else:
                tensor = part.astype(dtype)
            found[name] = tensor[:, 0] if flat else tensor
        return found
