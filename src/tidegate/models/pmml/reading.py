"""Attributes, arrays and tables of a document, read with their place in every message."""

import math
from collections.abc import Sequence

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml.grammar import refuse

__all__ = [
    "array",
    "choice",
    "column",
    "flag",
    "matrix",
    "number",
    "numbers",
    "optional",
    "required",
    "rows",
    "sparse",
    "whole",
]

MOST_CELLS = 20_000_000


def required(element: Element, name: str) -> str:
    """An attribute that must be there."""
    value = element.get(name)
    if value is None:
        raise refuse(element, f"{name_of(element)} lacks the attribute {name}.", f'Write {name}="…".')
    return str(value)


def optional(element: Element, name: str, default: str = "") -> str:
    """An attribute, or what it is if it is not there."""
    value = element.get(name)
    return default if value is None else str(value)


def choice(element: Element, name: str, known: Sequence[str], default: str | None = None) -> str:
    """An attribute that is one of several words."""
    value = required(element, name) if default is None else optional(element, name, default)
    if value not in known:
        raise refuse(
            element, f"{name} of {name_of(element)} is one of {', '.join(known)}.", seen=f'{name}="{value}"',
            do="Others are not supported.",
        )  # fmt: skip
    return value


def number(element: Element, name: str, default: float | None = None) -> float:
    """An attribute that is a finite number."""
    text = element.get(name)
    if text is None:
        if default is None:
            required(element, name)
        return float(default or 0.0) if default is not None else 0.0
    value = _number(str(text))
    if not math.isfinite(value):
        raise refuse(element, f"{name} of {name_of(element)} is no number.", seen=f'{name}="{text}"')
    return value


def whole(element: Element, name: str, default: int | None = None) -> int:
    """An attribute that is an integer of zero or more, and so small that a double holds it."""
    value = number(element, name, None if default is None else float(default))
    if not 0 <= value <= 2**53 or value != int(value):
        raise refuse(element, f"{name} of {name_of(element)} is no count.", seen=f'{name}="{element.get(name)}"')
    return int(value)


def flag(element: Element, name: str, default: bool) -> bool:
    """An attribute that is true or false."""
    return choice(element, name, ("true", "false", "1", "0"), "true" if default else "false") in ("true", "1")


def _number(text: str) -> float:
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def words(element: Element) -> list[str]:
    """The items of an Array: apart by blanks, in double quotes where they hold any."""
    text, found, at = element.text or "", list[str](), 0
    if '"' not in text:
        found = text.split()
    while '"' in text and at < len(text):
        if text[at].isspace():
            at += 1
        elif text[at] == '"':
            item, at = "", at + 1
            while at < len(text) and text[at] != '"':
                at += text[at] == "\\" and at + 1 < len(text) and text[at + 1] in '"\\'
                end = at + 1
                while end < len(text) and text[end] not in '"\\':
                    end += 1
                item, at = item + text[at:end], end
            if at >= len(text):
                raise refuse(element, "An array has an opening quote that is never closed.")
            found.append(item)
            at += 1
        else:
            end = at
            while end < len(text) and not text[end].isspace():
                end += 1
            found.append(text[at:end])
            at = end
    if element.get("n") is not None and whole(element, "n") != len(found):
        raise refuse(element, f"An array announces {element.get('n')} items.", seen=f"{len(found)} items")
    return found


def numbers(element: Element) -> list[float]:
    """The items of an Array of numbers."""
    return [_finite(text, element) for text in words(element)]


def _finite(text: str, element: Element) -> float:
    value = _number(text)
    if not math.isfinite(value):
        raise refuse(element, f"An array of numbers holds {text[:40]!r}.")
    return value


def array(element: Element) -> list[float]:
    """The numbers of whichever array an element is or holds."""
    return sparse(element) if name_of(element).endswith("SparseArray") else numbers(element)


def sparse(element: Element) -> list[float]:
    """A sparse array, written out; its indices count from 1."""
    entries = child(element, "REAL-Entries")
    entries = child(element, "INT-Entries") if entries is None else entries
    places = [_finite(text, element) for text in _text(child(element, "Indices"))]
    values = [_finite(text, element) for text in _text(entries)]
    size = whole(element, "n", int(max(places, default=0)))
    if len(places) != len(values) or any(not 1 <= place <= size or place != int(place) for place in places):
        raise refuse(element, "A sparse array has indices and entries that do not fit.", seen=f"{len(places)} indices")
    if size > MOST_CELLS:
        raise refuse(element, "A sparse array is too long.", seen=f"{size:,} items")
    full = [number(element, "defaultValue", 0.0)] * size
    for place, value in zip(places, values, strict=True):
        full[int(place) - 1] = value
    return full


def _text(element: Element | None) -> list[str]:
    return ((element.text or "") if element is not None else "").split()


def matrix(element: Element) -> list[list[float]]:
    """A Matrix: of rows, of its lower half, of its diagonal, or of cells."""
    lines = [numbers(line) for line in children(element, "Array")]
    cells = list(children(element, "MatCell"))
    kind = choice(element, "kind", ("diagonal", "symmetric", "any"), "any")
    height = whole(element, "nbRows", 0)
    width = whole(element, "nbCols", height)
    if kind == "diagonal" and lines:
        height = width = len(lines[0])
    height = height or max([len(lines)] + [whole(cell, "row") for cell in cells])
    width = width or max([len(line) for line in lines] + [whole(cell, "col") for cell in cells], default=0)
    if height * width > MOST_CELLS:
        raise refuse(element, "A matrix is too large.", seen=f"{height:,} x {width:,}")
    full = [[number(element, "offDiagDefault", 0.0)] * width for _ in range(height)]
    for k in range(min(height, width)):
        full[k][k] = number(element, "diagDefault", full[k][k])
    for at, line in enumerate(lines):
        for k, value in enumerate(line):
            row, column = (k, k) if kind == "diagonal" else (at, k)
            if row >= height or column >= width:
                raise refuse(element, "A matrix has more cells than it announces.", seen=f"{height} x {width}")
            full[row][column] = value
            if kind == "symmetric":
                full[column][row] = value
    for cell in cells:
        row, column = whole(cell, "row") - 1, whole(cell, "col") - 1
        if not (0 <= row < height and 0 <= column < width):
            raise refuse(cell, "A cell lies outside its matrix.", seen=f"row {row + 1}, column {column + 1}")
        full[row][column] = _finite((cell.text or "").strip(), cell)
        if kind == "symmetric":
            full[column][row] = full[row][column]
    return full


def column(name: str) -> str:
    """The name of a column without the prefix of its namespace, as `rows` has it."""
    return name.rpartition(":")[2]


def rows(table: Element | None, owner: Element) -> list[dict[str, str]]:
    """The rows of an InlineTable: text by column, whose names are without the prefix of a namespace."""
    if table is None:
        raise refuse(owner, f"{name_of(owner)} has no InlineTable.", "Tables elsewhere are not read.")
    return [
        {name_of(cell): cell.text or "" for cell in children(row) if name_of(cell) != "Extension"}
        for row in children(table)
        if name_of(row) == "row"
    ]
