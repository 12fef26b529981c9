"""`tidegate scorecard`: scorecards fitted, looked through before they decide anything, and written for others."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.options import AsJson
from tidegate.cli.scorecard_file import write_card
from tidegate.cli.scorecard_fit import fit
from tidegate.cli.scorecard_shown import bins_of, show_bins
from tidegate.cli.terminal import emit, out, several

if TYPE_CHECKING:
    from tidegate.decisions.scorecards.card import Card
    from tidegate.decisions.tables.findings import Found

app = typer.Typer(no_args_is_help=True, help="Scorecards: fit them, check them, write them as PMML.")
app.command()(fit)
_COLOURS = {"error": "red", "warning": "yellow", "note": "dim"}
_TITLES = {
    "overlap": "Values that fall into two bins",
    "gap": "Values that fall into none",
    "unreachable": "Bins that nothing falls into",
    "order": "Points that do not follow the weight of evidence",
    "words": "Reasons without words",
}

Given = list[tuple["Card", dict[str, Any], list[str]]]
"""Scorecards, and for each what values can come, and which can be missing."""

_File = Annotated[
    str,
    typer.Argument(metavar="FILE", help="A .csv, .xlsx or .pmml file; or a flow, FILE.py or FILE.py:ClassName."),
]
_Sheet = Annotated[str | None, typer.Option("--sheet", help="Which sheet of a workbook.")]
_Currency = Annotated[str | None, typer.Option("--currency", help="Of amounts that name none, as in EUR.")]


@app.callback()
def _main() -> None:
    """Scorecards."""


@app.command()
def check(
    file: _File,
    sheet: _Sheet = None,
    currency: _Currency = None,
    missing: Annotated[bool, typer.Option("--missing", help="Look at values that are missing, too.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings, too.")] = False,
    bins: Annotated[bool, typer.Option("--bins", help="Show every bin with its points and evidence.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find gaps, overlaps, bins never reached and points that do not follow the evidence, each with an example.

    Of a flow every scorecard is looked at, with the types and bounds that the flow's events have; of a file with those
    that it declares, or its bins show. The exit code is 1 if there is an error.
    """
    from tidegate.decisions.scorecards.findings import check as look

    flow = file.endswith(".py") or file.rpartition(":")[0].endswith(".py")
    given = list(_of_flow(file, missing)) if flow else [_of_file(Path(file), sheet, currency, missing)]
    facts = []
    for number, (card, domains, absent) in enumerate(given):
        if number and not as_json:
            out().print()
        found = look(card, domains, absent)
        facts.append(_facts(card, found))
        if not as_json:
            _show(card, found, bins=bins)
    if as_json:
        emit(facts if flow else facts[0])
    worst = {finding["severity"] for fact in facts for finding in fact["findings"]}
    if "error" in worst or (strict and "warning" in worst):
        raise typer.Exit(1)


@app.command()
def export(
    file: _File,
    to: Annotated[Path, typer.Option("--out", "-o", help="Where to write it: a .pmml or a .csv file.")],
    sheet: _Sheet = None,
    currency: _Currency = None,
    name: Annotated[str, typer.Option("--name", help="Of a flow with several scorecards, which of them.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write a scorecard as PMML 4.4, which other engines score the same, or as CSV. Read back it is the same."""
    from tidegate.errors import FlowError

    flow = file.endswith(".py") or file.rpartition(":")[0].endswith(".py")
    found = [one[0] for one in (_of_flow(file, True) if flow else [_of_file(Path(file), sheet, currency, True)])]
    chosen = [card for card in found if not name or card.name == name]
    if len(chosen) != 1:
        raise FlowError(
            f"{file} has {several(len(found), 'scorecard')}{f', and none is called {name}' if name else ''}.",
            seen=", ".join(card.name for card in found),
            do="Say which with --name.",
        )
    write_card(chosen[0], to)
    if as_json:
        emit({"scorecard": chosen[0].name, "digest": chosen[0].digest, "path": str(to)})
        return
    out().print(f"[bold]{chosen[0].name}[/] [dim]{chosen[0].digest[:12]}[/] is written to {to}.", soft_wrap=True)


def _of_file(path: Path, sheet: str | None, currency: str | None, missing: bool) -> tuple["Card", Any, list[str]]:
    from tidegate.connectors.scorecards.files import read_scorecard
    from tidegate.decisions.scorecards.card import made

    card = made(read_scorecard(path, sheet=sheet), currency=currency)
    return card, {}, [part.name for part in card.characteristics] if missing else []


def _of_flow(place: str, missing: bool) -> Iterator[tuple["Card", Any, list[str]]]:
    from dataclasses import replace

    from tidegate.decisions.tables.lines import bounds
    from tidegate.errors import FlowError
    from tidegate.runtimes.load import load_flow

    flow = load_flow(place).definition
    if not flow.scorecards:
        raise FlowError(f"The flow {flow.name} has no scorecards.", do='Write points = scorecard("card.csv", of={…}).')
    for one in flow.scorecards:
        named = next((name for name, line in flow.features.items() if line.key == one.key), one.card.name)
        columns = [part.column for part in one.card.characteristics]
        domains, absent = bounds(columns, one.args)
        yield replace(one.card, name=named), domains, absent if missing else []


def _facts(card: "Card", found: "Found") -> dict[str, Any]:
    """Everything that is said, as plain values."""
    import msgspec

    return {
        "scorecard": card.name,
        "digest": card.digest,
        "initial": card.initial,
        "characteristics": bins_of(card),
        "findings": [msgspec.to_builtins(finding) for finding in found.findings],
        "many": found.many,
    }


def _show(card: "Card", found: "Found", *, bins: bool) -> None:
    from rich.text import Text

    console = out()
    console.print(Text.assemble((card.name, "bold"), "  ", (card.digest[:12], "dim")))
    many = sum(len(part.bins) for part in card.characteristics)
    read = ", ".join(f"{part.name} ({part.column.type})" for part in card.characteristics)
    console.print(Text(f"{several(many, 'bin')} over {read}"), soft_wrap=True)
    if bins:
        show_bins(console, card)
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
    if not found.findings:
        console.print("\n[green]Nothing found:[/] every value falls into one bin, and every bin can be reached.")
