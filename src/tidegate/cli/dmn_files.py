"""DMN models and their inputs from files: imports from the model's own folder, inputs from JSON or CSV."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.cli.lines import csv_rows, json_lines
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
        error.file = str(path)
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


LINES = (".ndjson", ".jsonl")
"""The endings of files that are lines of JSON, and nothing else."""

Given = dict[str, Any] | TidegateError
"""The inputs of one row, or why they cannot be read."""


def inputs(source: str, wanted: "Mapping[str, Kind]") -> Iterator[tuple[int, Given]]:
    """What a model is to be asked with, one mapping of inputs after the other; each with its line, if it is of one.

    A line that cannot be read is given as why. A document of JSON, an object or a list, is read whole or refused.

    Args:
        source: a file of JSON (an object, or a list of them), of lines of JSON, or of CSV; `-` is standard input, as
            JSON or lines of it.
        wanted: the inputs of the model with their types, by which the texts of CSV are read.

    Raises:
        TidegateError: it cannot be read.
    """
    if source == "-":
        yield from _json(sys.stdin.buffer.read(), "standard input")
        return
    path = Path(source)
    ending = path.suffix.lower()
    try:
        if ending in (".csv", ".tsv"):
            with path.open(encoding="utf-8-sig", newline="", errors="surrogateescape") as file:
                names, rows = csv_rows(file, source)
                read = _reader(names, wanted, source)
                yield from ((line, one if isinstance(one, TidegateError) else read(one)) for line, one in rows)
        elif ending in LINES:
            with path.open("rb") as given:
                yield from json_lines(given, _inputs)
        else:
            yield from _json(path.read_bytes(), source)
    except OSError as error:
        raise TidegateError(
            f"{source} cannot be read.", seen=error.strerror or str(error), do="Name a file of JSON or CSV, or -."
        ) from None


def _json(data: bytes, source: str) -> Iterator[tuple[int, Given]]:
    """Objects of JSON: one, a list of them, or one a line."""
    try:
        whole = decoded(data.decode("utf-8-sig"))
    except ValueError as error:
        lines = data.split(b"\n")
        if not _are_lines(lines):
            raise _no_json(source, error) from None
        yield from json_lines(lines, _inputs)
        return
    if not isinstance(whole, list):
        yield 0, _object(whole, source)
        return
    yield from [(0, _object(one, f"{source}, row {row} of its list,")) for row, one in enumerate(whole, 1)]


def _are_lines(lines: list[bytes]) -> bool:
    """Whether these are lines of JSON of which some cannot be read, and no document that is broken somewhere."""
    filled = [line.strip() for line in lines if line.strip()]
    whole = filled and (filled[0].startswith(b"[") or filled[0] == b"{")
    return not whole and any(isinstance(one, dict) for _, one in json_lines(filled, _inputs))


def _inputs(line: str) -> dict[str, Any]:
    return _object(decoded(line), "It")


def decoded(text: str) -> Any:
    """JSON with its numbers to the last digit.

    Raises:
        ValueError: it is none.
    """

    from tidegate.events.depth import require_shallow

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is no number of JSON")

    try:
        require_shallow(text)
        return json.loads(text, parse_float=Decimal, parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _no_json(source: str, error: ValueError) -> TidegateError:
    if isinstance(error, UnicodeDecodeError):
        return TidegateError(f"{source} is not UTF-8.", seen=str(error), do="Save it as UTF-8.")
    return TidegateError(f"{source} is no JSON.", seen=str(error), do='Write an object as {"Age": 42}, or one a line.')


def _object(value: Any, source: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        seen = json.dumps(value, default=str)[:60]
        raise TidegateError(f"{source} is no JSON object.", seen=seen, do="Write the inputs by name.")
    return value


def _reader(names: list[str], wanted: "Mapping[str, Kind]", source: str) -> Callable[[list[str]], dict[str, Any]]:
    """Reads rows under a header of input names; a dot leads to a component (`Applicant.Age`). Empty cells are null."""
    ways = [_way(name, wanted) for name in names]
    columns = {way: name for name, (way, _) in zip(names, ways, strict=True)}
    for way, name in columns.items():
        whole = next((columns[way[:end]] for end in range(1, len(way)) if way[:end] in columns), None)
        if whole is not None:
            raise TidegateError(
                f"{source} has a column for an input and one for its component.",
                seen=f"{whole} and {name}",
                do=f"Keep {whole}, or the columns of its components.",
            )

    def read(row: list[str]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for (way, kind), text in zip(ways, row, strict=True):
            below = made
            for name in way[:-1]:
                below = below.setdefault(name, {})
            below[way[-1]] = _typed(text.strip(), kind)
        return made

    return read


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
