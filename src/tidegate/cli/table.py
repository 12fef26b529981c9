"""`tidegate table`: decision tables, looked through before they decide anything."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.options import AsJson
from tidegate.cli.terminal import emit, out, several

if TYPE_CHECKING:
    from tidegate.decisions.tables.findings import Found
    from tidegate.decisions.tables.table import Table

app = typer.Typer(no_args_is_help=True, help="Decision tables.")
_COLOURS = {"error": "red", "warning": "yellow", "note": "dim"}
_TITLES = {
    "conflict": "Rows that cannot both decide",
    "unreachable": "Rows that can never decide",
    "gap": "Inputs that no row matches",
    "idle": "Inputs that never matter",
    "overlap": "Rows that match the same input, as the hit policy allows",
}


@app.callback()
def _main() -> None:
    """Decision tables."""


@app.command()
def check(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A .csv, .xlsx or .dmn file; or a flow, FILE.py or FILE.py:ClassName.")
    ],
    sheet: Annotated[
        str | None, typer.Option("--sheet", help="Which sheet of a workbook, or decision of a model.")
    ] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Of amounts that name none, as in EUR.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Tell gaps where an input is missing, too.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings, too.")] = False,
    effort: Annotated[
        int, typer.Option("--effort", min=1, help="How much each question may cost, in edges of cells.")
    ] = 3_000_000,
    as_json: AsJson = False,
) -> None:
    """Find gaps, overlaps, conflicts, rows that are never reached and inputs that never matter, each with an example.

    Of a flow every table is looked at, with the types and bounds that the flow's events have; of a file with those
    that its head declares, or its cells show. Of a flow an input can be missing where its field is optional or it is
    computed; of a file where a cell says `missing`, with --missing everywhere. The exit code is 1 if there is an error.
    """
    from tidegate.decisions.tables.findings import check as look

    given = _of_flow(file) if _is_flow(file) else _of_file(Path(file), sheet, currency, missing)
    facts = []
    for number, (table, domains, absent) in enumerate(given):
        if number and not as_json:
            out().print()
        found = look(table, domains, absent, effort, missing)
        facts.append(_facts(table, found))
        if not as_json:
            _show(table, found)
    if as_json:
        emit(facts if _is_flow(file) else facts[0])
    worst = {finding["severity"] for fact in facts for finding in fact["findings"]}
    if "error" in worst or (strict and "warning" in worst):
        raise typer.Exit(1)


Given = list[tuple["Table", dict[str, Any], list[str]]]
"""Tables, and for each what values of its inputs can come, and which inputs can be missing."""


def _is_flow(file: str) -> bool:
    return file.rpartition(":")[0].endswith(".py") or file.endswith(".py")


def _of_file(path: Path, sheet: str | None, currency: str | None, missing: bool) -> Given:
    from tidegate.connectors.tables import read_sheet
    from tidegate.decisions.tables.findings import says_missing
    from tidegate.decisions.tables.table import made

    table = made(read_sheet(path, sheet=sheet), currency=currency)
    return [(table, {}, [column.name for column in table.inputs] if missing else says_missing(table))]


def _of_flow(place: str) -> Given:
    from dataclasses import replace

    from tidegate.decisions.tables.lines import bounds
    from tidegate.errors import FlowError
    from tidegate.runtimes.load import load_flow

    flow = load_flow(place).definition
    if not flow.readings:
        raise FlowError(f"The flow {flow.name} has no tables.", do='Write pricing = table("pricing.csv", of={…}).')
    names = {table.read: name for name, table in flow.tables.items()}
    found: Given = []
    for reading in flow.readings:
        table = replace(reading.table, name=names.get(reading.read, reading.table.name))
        domains, absent = bounds(reading.table.inputs, reading.args)
        found.append((table, domains, absent))
    return found


def _facts(table: "Table", found: "Found") -> dict[str, Any]:
    """Everything that is said, as plain values."""
    import msgspec

    return {
        "table": table.name,
        "digest": table.digest,
        "hit": table.policy.words,
        "rows": len(table.rows),
        "inputs": {column.name: _type(column) for column in table.inputs},
        "outputs": {column.name: _type(column) for column in table.outputs},
        "findings": [msgspec.to_builtins(finding) for finding in found.findings],
        "many": found.many,
        "undecided": found.undecided,
    }


def _type(column: Any) -> str:
    open_money = column.type.kind.value == "money" and not column.type.currency and column.line.currency
    return f"money in {column.line.currency}" if open_money else str(column.type)


def _show(table: "Table", found: "Found") -> None:
    from rich.text import Text

    console = out()
    console.print(Text.assemble((table.name, "bold"), f"  {table.policy.words}  ", (table.digest[:12], "dim")))
    read = ", ".join(f"{column.name} ({_type(column)})" for column in table.inputs)
    console.print(Text(f"{several(len(table.rows), 'row')} over {read}"), soft_wrap=True)
    for kind, title in _TITLES.items():
        told = [finding for finding in found.findings if finding.kind == kind]
        if not told:
            continue
        console.print(f"\n[bold]{title}[/]  [dim]{found.many[kind]:,}[/]")
        for finding in told:
            console.print(
                Text.assemble("  ", (finding.severity, _COLOURS[finding.severity]), "  ", finding.said), soft_wrap=True
            )
            if finding.example:
                shown = ", ".join(f"{name} {value}" for name, value in finding.example.items())
                console.print(Text(f"           such as {shown}", "dim"), soft_wrap=True)
        if found.many[kind] > len(told):
            console.print(f"  and {found.many[kind] - len(told):,} more")
    for said in found.undecided:
        console.print(Text.assemble(("\nNot decided  ", "yellow"), said), soft_wrap=True)
    if not found.findings and not found.undecided:
        console.print("\n[green]Nothing found:[/] one row decides for every input, and every row can.")
