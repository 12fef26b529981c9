"""`tidegate pmml`: models in PMML files, looked into and run."""

import csv
import math
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.lines import Unanswered, csv_rows
from tidegate.cli.options import DEFAULT_MODELS, AsJson, ModelsPath
from tidegate.cli.terminal import compiling_told, emit, out, ready, written
from tidegate.errors import DocumentError, TidegateError

if TYPE_CHECKING:
    from tidegate.models.pmml.model import Answer, PmmlModel

app = typer.Typer(help="Models in PMML files: look into them, run them.", no_args_is_help=True)

ROWS = 5_000
"""Rows that are read, run and written at a time."""

_NO_PMML = {
    "onnx": ("an ONNX model", ", whose operators PMML has no words for: hand out its .onnx file as it is"),
}
"""Kinds of models that are not written as PMML: what they are, and why not."""

_File = Annotated[Path, typer.Argument(metavar="FILE", help="A PMML file.")]


@app.callback()
def _pmml() -> None:
    pass


@app.command()
def check(file: _File, as_json: AsJson = False) -> None:
    """Say what a model is, what it reads and gives; or what of it is not supported, and where."""
    model = _read(file)
    facts = _facts(model)
    if as_json:
        emit({"file": str(file)} | facts)
        return
    from rich.table import Table

    console = out()
    named = f" {model.name!r}" if model.name else ""
    console.print(f"[bold]{model.kind}[/]{named}: {model.function}, PMML {model.version}", soft_wrap=True)
    for title, columns, rows in (
        ("It reads", ("name", "type", "valid", "if missing", "if invalid", "outliers"), facts["inputs"]),
        ("It gives", ("name", "type", "feature"), facts["outputs"]),
    ):
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for column in columns:
            table.add_column(column, style="bold" if column == "name" else "", header_style="dim")
        for row in rows:
            table.add_row(*[_shown(row[column.replace(" ", "_")]) for column in columns])
        console.print(f"{title}:")
        console.print(table)
    program = model.program
    console.print(f"All of it is supported: {len(program.code):,} words of program, {len(program.numbers):,} numbers.")


@app.command()
def run(
    file: _File,
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A CSV file; its header names the model's inputs.")],
    to: Annotated[Path | None, typer.Option("--out", "-o", help="Where to write the answers as CSV.")] = None,
    missing: Annotated[
        list[str] | None, typer.Option("--missing", help="A cell that stands for no value, beside an empty one.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Also what each answer is made of.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a model over a CSV file, a row of answers for each of its rows.

    A row without an answer, since it cannot be read or the model says nothing of it, has why in its column `invalid`,
    is told with its line and counted; the others are answered, and the exit code is 1 then. It is 2 if the model or the
    file cannot be read.
    """
    model = _read(file)
    ready(pmml=True)  # of a model that is refused, no kernel is compiled
    absent, blank = frozenset(missing or ["NA"]), {one.name for one in model.inputs if one.blank}
    unanswered, rows = Unanswered(str(data), "row"), 0
    with _opened(data) as given, _target(to) as sink:
        writer: Any = None
        for columns, lines, unread in _chunks(*csv_rows(given, str(data)), absent, blank):
            answers = model.answers(columns)
            for place, answer in enumerate(answers):
                if place in unread:
                    answers[place] = answer._replace(
                        values=dict.fromkeys(answer.values), invalid=str(unread[place]), reasons=()
                    )
                    unanswered.add(f"Line {lines[place]}", unread[place])
                    continue
                if not answer.invalid and any(value is not None for value in answer.values.values()):
                    continue
                row = {name: cells[place] for name, cells in columns.items()}
                if not answer.invalid:
                    answers[place] = answer = answer._replace(invalid=_silent(model, row))
                unanswered.add(f"Line {lines[place]}", _why_none(model, row, answer.invalid))
            found = [_line(model, answer) for answer in answers]
            if explain:
                names = list(columns)
                for place, line in enumerate(found):
                    parts = model.explain({name: columns[name][place] for name in names})
                    line |= dict.fromkeys(parts) if place in unread else parts
            rows += len(found)
            if as_json:
                for line in found:
                    emit(line)
                continue
            if writer is None and found:
                writer = csv.DictWriter(sink, list(found[0]), lineterminator="\n")
                writer.writeheader()
            for line in found:
                writer.writerow({name: _cell(value) for name, value in line.items()})
    unanswered.end(rows, "" if as_json else to or "")


@app.command()
def export(
    reference: Annotated[str, typer.Argument(metavar="NAME@ALIAS", help="A stored model.")],
    to: Annotated[Path, typer.Option("--out", "-o", help="Where to write it.")],
    models: ModelsPath = DEFAULT_MODELS,
) -> None:
    """Write a stored model as PMML 4.4, which other engines score the same."""
    from tidegate.models.pmml.export import forest_pmml
    from tidegate.models.registry import Registry

    artefact = Registry(models).artefact(reference)
    if artefact.kind in _NO_PMML:
        what, why = _NO_PMML[artefact.kind]
        raise TidegateError(
            f"{reference} is {what}{why}.", seen=artefact.kind, do="Export a LightGBM, an XGBoost or a PMML model.",
        )  # fmt: skip
    data = artefact.content  # of a PMML model, which is given as it came
    if artefact.kind != "pmml":
        trees = artefact.trees()
        forest = replace(trees.forest, features=trees.features)
        data = forest_pmml(forest, name=reference, categories=trees.categories)
    written(to, lambda path: path.write_bytes(data))
    out().print(f"{reference} as PMML: {to}", soft_wrap=True)


def _read(file: Path) -> "PmmlModel":
    """The model in a file.

    Raises:
        TidegateError: it cannot be read, or holds what is not supported.
    """
    from tidegate.models.pmml.model import read_pmml

    try:
        data = file.read_bytes()
    except OSError as error:
        raise TidegateError(
            f"{file} cannot be read.", seen=error.strerror or str(error), do="Name a PMML file."
        ) from None
    with compiling_told():  # of its verification, if it has one
        try:
            return read_pmml(data, file.name)
        except DocumentError as error:
            error.file = str(file)
            raise


def _facts(model: "PmmlModel") -> dict[str, Any]:
    inputs = []
    for one in model.inputs:
        how = one.treatment
        outliers = "" if how.outliers == "asIs" else f"{how.outliers} outside [{how.low:g}, {how.high:g}]"
        inputs.append(
            {
                "name": one.name, "type": one.kind, "optype": one.optype,
                "valid": [*one.values, *one.intervals],
                "if_missing": "refused" if how.missing == "returnInvalid" else how.missing_value or "",
                "if_invalid": how.invalid_value if how.invalid == "asValue" else how.invalid,
                "outliers": outliers, "importance": one.importance,
            }
        )  # fmt: skip
    outputs = [{"name": one.name, "type": one.kind, "feature": one.feature} for one in model.outputs]
    return {
        "model": model.kind, "name": model.name, "function": model.function, "version": model.version,
        "target": ", ".join(model.targets), "inputs": inputs, "outputs": outputs, "words": len(model.program.code),
        "numbers": len(model.program.numbers),
    }  # fmt: skip


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value[:6]) + (f", … {len(value) - 6} more" if len(value) > 6 else "")
    return str(value or "")


def _line(model: "PmmlModel", answer: "Answer") -> dict[str, Any]:
    line: dict[str, Any] = dict(answer.values)
    if model.reason_registers:
        line["reasons"] = " ".join(f"{code}({points:g})" for code, points in answer.reasons)
    return line | {"invalid": answer.invalid}


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else value


def _opened(path: Path) -> IO[str]:
    try:
        return path.open(newline="", encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise TidegateError(
            f"{path} cannot be read.", seen=error.strerror or str(error), do="Name a CSV file."
        ) from None


def _target(path: Path | None) -> IO[str]:
    import os
    import sys

    try:
        if path is None:
            return os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", newline="")
        return path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise TidegateError(
            f"{path or 'the output'} cannot be written.", seen=error.strerror or str(error), do="Name another place."
        ) from None


def _silent(model: "PmmlModel", row: dict[str, str | None]) -> str:
    """Why a row that is not invalid has no answer, as far as it can be told."""
    asked = [one.name for one in model.inputs if one.needed and one.treatment.missing_value is None]
    missing = [name for name in asked if row.get(name) is None]
    return f"nothing is given where {', '.join(missing)} is missing" if missing else "nothing is given for this row"


def _why_none(model: "PmmlModel", row: dict[str, str | None], invalid: str) -> str:
    """Why a row has no answer, in words: with the cell that is at fault, where one is."""
    from tidegate.models.pmml.texts import number_of

    for one in model.inputs:
        value = row.get(one.name)
        if value is None:
            continue
        if one.kind != "string" and math.isnan(number_of(value, one.kind)):
            return f"{one.name} is {value!r}, which is no {one.kind}."
        if f"value of {one.name} " in f"{invalid} ":
            valid = ", ".join([*one.values, *one.intervals][:6])
            return f"{one.name} is {value!r}, {invalid}" + (f"; valid is {valid}." if valid else ".")
    return f"{invalid}."


def _chunks(
    header: list[str],
    rows: Iterable[tuple[int, list[str] | TidegateError]],
    absent: frozenset[str],
    blank: Container[str],
) -> Iterator[tuple[dict[str, list[str | None]], list[int], dict[int, TidegateError]]]:
    """The table, some rows at a time, by column; the lines they are on; and by place those that cannot be read.

    Args:
        absent: cells that stand for no value.
        blank: the columns where an empty cell is an empty text; in all others it stands for no value too.
    """
    nothing = [absent if name in blank else absent | {""} for name in header]
    columns: list[list[str | None]] = [[] for _ in header]
    lines: list[int] = []
    unread: dict[int, TidegateError] = {}
    none: list[str] = [""] * len(header)
    for line, row in rows:
        if isinstance(row, TidegateError):
            unread[len(lines)] = row
        cells = none if isinstance(row, TidegateError) else row
        for column, cell, without in zip(columns, cells, nothing, strict=True):
            column.append(None if cell in without else cell)
        lines.append(line)
        if len(lines) == ROWS:
            yield dict(zip(header, columns, strict=True)), lines, unread
            columns, lines, unread = [[] for _ in header], [], {}
    yield dict(zip(header, columns, strict=True)), lines, unread  # of no rows, too: names that lack are told
