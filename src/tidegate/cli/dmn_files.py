"""DMN models and their inputs from files: imports from the model's own folder, inputs from JSON or CSV."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.errors import DocumentError, TidegateError

if TYPE_CHECKING:
    from tidegate.decisions.dmn import DmnModel
    from tidegate.decisions.dmn.kinds import Kind
    from tidegate.expressions.feel.types import Type


class Folder(Mapping[str, bytes]):
    """The DMN and PMML files of a folder, read when they are asked for; nothing outside of it, no link out of it."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            one.name: one
            for one in sorted(folder.iterdir())
            if one.suffix.lower() in (".dmn", ".xml", ".pmml") and one.is_file() and not one.is_symlink()
        }

    def __getitem__(self, name: str) -> bytes:
        return _read(self._files[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def load(path: Path) -> "DmnModel":
    """The model of a file, with what it imports from the file's folder.

    Raises:
        DocumentError: there is no such file, or it is no DMN model that can be read.
    """
    from tidegate.decisions.dmn import read_dmn

    data = _read(path)
    try:
        return read_dmn(data, path.name, imports=Folder(path.parent))
    except DocumentError as error:
        error.file = str(path)  # type: ignore[attr-defined]
        raise


def _read(path: Path) -> bytes:
    """A file's bytes, if it is one and not too large to be a model."""
    from tidegate.documents.xml import LARGEST

    try:
        if path.is_dir():
            raise DocumentError(f"{path} is a folder.", do="Name the model's file.")
        if path.stat().st_size > LARGEST:
            raise DocumentError(
                f"{path} is too large.", seen=f"{path.stat().st_size:,} bytes", do=f"At most {LARGEST:,} are read."
            )
        return path.read_bytes()
    except OSError as error:
        near = sorted(one.name for one in path.parent.glob("*.dmn"))[:5] if path.parent.is_dir() else []
        raise DocumentError(
            f"{path} cannot be read.",
            seen=error.strerror or str(error),
            do=f"In that folder there is {', '.join(near)}." if near else "Name a DMN file.",
        ) from None


def inputs(source: str, wanted: "Mapping[str, Kind]") -> Iterator[dict[str, Any]]:
    """What a model is to be asked with, one mapping of inputs after the other.

    A list of JSON is looked through before its first is given, so that a bad element is told before any is answered.

    Args:
        source: a file of JSON (an object, or a list of them), of lines of JSON, or of CSV; `-` is standard input, as
            JSON or lines of it.
        wanted: the inputs of the model with their types, by which the texts of CSV are read.

    Raises:
        TidegateError: it cannot be read; with the line.
    """
    if source == "-":
        yield from _json(sys.stdin.read(), "standard input")
        return
    path = Path(source)
    try:
        if path.suffix.lower() in (".csv", ".tsv"):
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from _csv(file, wanted, source)
        else:
            yield from _json(path.read_text(encoding="utf-8-sig"), source)
    except UnicodeDecodeError:
        raise TidegateError(f"{source} is not UTF-8.", do="Save it as UTF-8.") from None
    except OSError as error:
        raise TidegateError(
            f"{source} cannot be read.", seen=error.strerror or str(error), do="Name a file of JSON or CSV, or -."
        ) from None


def _json(text: str, source: str) -> Iterator[dict[str, Any]]:
    """Objects of JSON: one, a list of them, or one a line."""
    try:
        whole = decoded(text)
    except ValueError as whole_error:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        if len(lines) < 2:
            raise _no_json(source, whole_error) from None
        for number, line in lines:
            try:
                yield _object(decoded(line), f"{source}, line {number}")
            except ValueError as error:
                raise _no_json(f"{source}, line {number}", error) from None
        return
    if not isinstance(whole, list):
        yield _object(whole, source)
        return
    yield from [_object(one, f"{source}, row {row} of its list,") for row, one in enumerate(whole, 1)]


def decoded(text: str) -> Any:
    """JSON with its numbers to the last digit.

    Raises:
        ValueError: it is none.
    """

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is no number of JSON")

    try:
        return json.loads(text, parse_float=Decimal, parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _no_json(source: str, error: ValueError) -> TidegateError:
    return TidegateError(f"{source} is no JSON.", seen=str(error), do='Write an object as {"Age": 42}, or one a line.')


def _object(value: Any, source: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        seen = json.dumps(value, default=str)[:60]
        raise TidegateError(f"{source} is no JSON object.", seen=seen, do="Write the inputs by name.")
    return value


def _csv(lines: Iterable[str], wanted: "Mapping[str, Kind]", source: str) -> Iterator[dict[str, Any]]:
    """Rows under a header of input names; a dot leads to a component, as in `Applicant.Age`. Empty cells are null."""
    from tidegate.connectors.separators import separator_of

    lines = iter(lines)
    header = next(lines, "")
    mark = separator_of(header)
    names = next(csv.reader([header], delimiter=mark), [])
    if not names:
        raise TidegateError(f"{source} is empty.", do="Its first line should name the inputs.")
    ways = [_way(name.strip(), wanted) for name in names]
    for row in csv.reader(lines, delimiter=mark):
        made: dict[str, Any] = {}
        if len(row) > len(names):
            raise TidegateError(f"{source} has a row of {len(row)} cells under {len(names)} names.", seen=str(row)[:80])
        for (way, kind), text in zip(ways, row, strict=False):
            below = made
            for name in way[:-1]:
                below = below.setdefault(name, {})
            below[way[-1]] = _typed(text.strip(), kind)
        yield made


def _way(name: str, wanted: "Mapping[str, Kind]") -> tuple[tuple[str, ...], "Type | None"]:
    """Where a column's values go: an input, or a component of one, and the type there."""
    if name in wanted:
        return (name,), wanted[name].type
    whole = next((one for one in wanted if name.startswith(f"{one}.")), None)
    if whole is None:
        return (name,), None
    kind: Type | None = wanted[whole].type
    steps = [whole]
    rest = name[len(whole) + 1 :]
    while rest:
        entries = getattr(kind, "entries", {})
        step = next((one for one in entries if rest == one or rest.startswith(f"{one}.")), rest.partition(".")[0])
        steps.append(step)
        kind = entries.get(step)
        rest = rest[len(step) + 1 :]
    return tuple(steps), kind


def _typed(text: str, kind: "Type | None") -> Any:
    """A cell as a value of the type; where the type says nothing, a number or boolean if it looks like one."""
    from tidegate.expressions.feel import types
    from tidegate.expressions.feel.numbers import number

    if not text:
        return None
    if kind is types.STRING:
        return text
    if kind in (types.BOOLEAN, types.ANY, None) and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind in (types.NUMBER, types.ANY, None):
        found = number(text)
        return text if found is None else found
    return text  # dates and the like are read by their type
