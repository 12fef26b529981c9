"""`tidegate dmn run`: a model's decisions for one input or many."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.options import AsJson
from tidegate.cli.terminal import aside, next_steps, out, ready, several
from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from rich.console import Console

    from tidegate.cli.dmn_files import Given
    from tidegate.decisions.dmn import DmnModel, DmnResult
    from tidegate.expressions.feel.temporal import DateTime

MOST_REASONS = 10


def run(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A DMN file. Models it imports lie beside it.")],
    decision: Annotated[
        list[str] | None, typer.Option("--decision", "-d", help="Only this decision; may be given again.")
    ] = None,
    service: Annotated[str, typer.Option("--service", help="Ask this decision service instead.")] = "",
    input_file: Annotated[
        str, typer.Option("--input", "-i", metavar="FILE", help="Inputs: .json, .ndjson or .csv; - for standard input.")
    ] = "",
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="One input: 'Age=42', 'Name=\"Ann\"'.")
    ] = None,
    at: Annotated[str, typer.Option("--now", help="What now() says: 2025-09-10T08:00:00Z; default: the time.")] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell every step: which rows matched, which not, why.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the decisions of a model, for one input or for many.

    Where a decision comes to nothing, why: the element, the line, the row and the operand. Many inputs are answered one
    JSON object a line; a line that cannot be read is told with its place and counted, and the others are answered. The
    exit code is 1 then, and if a decision came to nothing by a mistake or by an input that is missing or refused; 2 if
    the model or the file of inputs cannot be read.
    """
    from tidegate.cli.dmn_files import LINES, load
    from tidegate.cli.lines import Unanswered

    found = load(model)
    if found.pmml:
        ready(pmml=True)
    now = _now(at)
    asked = [*(decision or ())] or ([service] if service else list(found.decisions))
    if not asked:
        raise TidegateError(f"{model} has no decisions.", do="Ask a service with --service, if it has one.")
    wrong = [one for one in found.findings if one.severity == "error"]
    if wrong:
        said = f"{wrong[0].file}:{wrong[0].line}  {wrong[0].place}: {wrong[0].wrong}"
        more = f" {several(len(wrong), 'error')} in all: tidegate dmn check {model}" if len(wrong) > 1 else ""
        aside().print(
            f"The model has mistakes, and decides around them. {said}{more}",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )
    rows = _given(found, input_file, values)
    first = list(islice(rows, 2))
    # A line of JSON for each where there are several, from the first line on.
    listed = len(first) > 1 or input_file.endswith((*LINES, ".csv", ".tsv"))
    source = "standard input" if input_file == "-" else input_file
    unanswered, row, strange = Unanswered(source, "row", "not decided in full"), 0, False
    for row, (line, given) in enumerate(chain(first, rows), 1):
        place = f"Line {line}" if line else f"Row {row}"
        if isinstance(given, TidegateError):
            unanswered.add(place, given)
            _emit_unread(asked, given, row, source, line)
            continue
        results = {
            name: (found.service if service else found.evaluate)(name, given, now=now, explain=explain)
            for name in asked
        }
        unmade = [one for one in results.values() if _is_unmade(one)]
        strangers = _strangers(found, given)
        if strangers and not strange:
            strange = True
            aside().print(f"Not an input of the model: {strangers}", style="yellow", markup=False, soft_wrap=True)
        if listed and unmade:
            unanswered.add(place, next(iter(unmade[0].reasons), "an input was refused"))
        if listed or as_json:
            _emit(results, row)
        else:
            _show(results, explain=explain)
            _advise(found, results, model, given, explain=explain)
        if unmade and not listed:
            raise typer.Exit(1)
    if listed:
        unanswered.end(row)


def _given(model: "DmnModel", input_file: str, values: list[str] | None) -> "Iterator[tuple[int, Given]]":
    """The inputs, each with what `--set` adds."""
    from tidegate.cli.dmn_files import decoded, inputs

    added: dict[str, Any] = {}
    for text in values or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise TidegateError("--set is NAME=VALUE.", seen=text, do="Write it as in: --set Age=42.")
        try:
            added[name.strip()] = decoded(value)
        except ValueError:
            added[name.strip()] = value
    if not input_file:
        yield 0, added
        return
    for line, one in inputs(input_file, model.inputs):
        yield line, one if isinstance(one, TidegateError) else {**one, **added}


def _now(text: str) -> "DateTime":
    from datetime import UTC, datetime

    from tidegate.expressions.feel.temporal import parse_date_time

    found = parse_date_time(text or datetime.now(UTC).isoformat())
    if found is None:
        raise TidegateError("--now is a date and time.", seen=text, do="Write it as 2025-09-10T08:00:00Z.")
    return found


def _is_unmade(result: "DmnResult") -> bool:
    """Whether it came to nothing for a reason, or was made without an input that was refused."""
    return result.refused or (result.value is None and bool(result.reasons))


def _emit(results: "dict[str, DmnResult]", row: int) -> None:
    """One line of JSON: the decisions, why those came to nothing that did, and what a table did not take."""
    import json

    from tidegate.decisions.dmn import to_json

    decisions = ", ".join(
        f"{json.dumps(name, ensure_ascii=False)}: {to_json(one.value)}" for name, one in results.items()
    )
    told = dict.fromkeys(why for one in results.values() for why in (one.reasons if _is_unmade(one) else one.untaken))
    reasons = [
        {"place": why.place, "file": why.file, "line": why.line, "text": why.text, "why": why.why} for why in told
    ]
    typer.echo(f'{{"row": {row}, "decisions": {{{decisions}}}, "reasons": {json.dumps(reasons, ensure_ascii=False)}}}')


def _emit_unread(asked: list[str], why: TidegateError, row: int, source: str, line: int) -> None:
    """The line of JSON for inputs that cannot be read: no decisions, and why."""
    from tidegate.cli.terminal import emit

    reasons = [{"place": f"line {line}", "file": source, "line": line, "text": "", "why": str(why)}]
    emit({"row": row, "decisions": dict.fromkeys(asked), "reasons": reasons})


def _show(results: "dict[str, DmnResult]", *, explain: bool) -> None:
    from rich.text import Text

    from tidegate.decisions.dmn import Reason, to_json

    console, told = out(), set[Reason]()
    for name, one in results.items():
        value = to_json(one.value)
        console.print(
            Text.assemble((name, "bold"), ": ", (value, "yellow" if one.value is None else "green")), soft_wrap=True
        )
        if explain:
            _show_steps(console, one)
        reasons = [why for why in (one.reasons if explain or _is_unmade(one) else one.untaken) if why not in told]
        told.update(reasons)  # one that several decisions have is told with the first
        for why in reasons[:MOST_REASONS]:
            console.print(Text.assemble(("  why  ", "dim"), str(why)), soft_wrap=True)
        if len(reasons) > MOST_REASONS:
            console.print(f"  and {len(reasons) - MOST_REASONS} more; all of them with --json", style="dim")


def _show_steps(console: "Console", result: "DmnResult") -> None:
    from rich.text import Text

    for step in result.steps:
        console.print(Text(f"  line {step.line}  {step.place} = {_step_value(step.value)}"), soft_wrap=True)
        if step.kind != "table":
            continue
        seen = ", ".join(f"{label} = {_step_value(value)}" for label, value in step.inputs.items())
        console.print(Text(f"    saw    {seen}", "dim"), soft_wrap=True)
        for row in step.matched:
            words = f"    match  row {row.number}: {' | '.join(row.tests)}" + (
                f"  {'; '.join(row.annotations)}".rstrip()
            )
            console.print(Text(words, "green"), soft_wrap=True)
        for missed in step.missed:
            saw = f"is {_step_value(missed.value)}, not {missed.test}"
            saw = f"sees null: {missed.untaken}" if missed.untaken else saw
            words = f"    not    row {missed.number}: {missed.column} {saw}"
            console.print(Text(words, "dim"), soft_wrap=True)


def _step_value(value: Any) -> str:
    """A value on the way as JSON; in a few words where it is too large to be written."""
    from tidegate.decisions.dmn import to_json
    from tidegate.expressions.feel.extent import too_large
    from tidegate.expressions.feel.types import told

    return told(value) if too_large(value) else to_json(value)


def _strangers(model: "DmnModel", given: dict[str, Any]) -> str:
    """What was given that the model has no input for, each with the input whose name is nearest."""
    from difflib import get_close_matches

    unused = [
        name for name in given if name not in model.inputs and not any(i.startswith(f"{name}.") for i in model.inputs)
    ]
    said = []
    for name in unused:
        near = get_close_matches(name, model.inputs, 1) or [
            one for one in model.inputs if one.casefold() == name.casefold()
        ]
        said.append(f"{name}. Did you mean {near[0]}?" if near else f"{name}.")
    return " ".join(said).encode("utf-8", "backslashreplace").decode()


def _advise(
    model: "DmnModel", results: "dict[str, DmnResult]", path: Path, given: dict[str, Any], *, explain: bool
) -> None:
    """Say what to do next: which inputs are missing, or how to see more."""
    import json
    import shlex

    missing = [name for name in model.inputs if name not in given]
    empty = [name for name, one in results.items() if one.value is None]
    if empty and missing:
        example = json.dumps({name: str(model.inputs[name]) for name in missing}, ensure_ascii=False)
        next_steps(f"tidegate dmn run {path} --input FILE  with a file of what is missing: {example}")
    elif not explain:
        name = shlex.quote((empty or list(results))[0])
        next_steps(f"tidegate dmn run {path} --decision {name} … --explain  see how it came about")
