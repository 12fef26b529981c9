"""`tidegate dmn`: DMN models checked, run, and held against the standard's own test kit."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.dmn_run import run
from tidegate.cli.dmn_tck import tck
from tidegate.cli.options import AsJson
from tidegate.cli.terminal import emit, next_steps, out, several

if TYPE_CHECKING:
    from tidegate.decisions.dmn import DmnModel

app = typer.Typer(
    help="Decision models in DMN: check them, run them, hold them against the test kit.", no_args_is_help=True
)
app.command()(run)
app.command()(tck)


@app.command()
def check(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A DMN file. Models it imports lie beside it.")],
    as_json: AsJson = False,
) -> None:
    """Read a model and say what it takes, what it decides, and what is wrong in it, by element and line.

    The exit code is 1 if something in it cannot be evaluated as written, 2 if it cannot be read at all.
    """
    from tidegate.cli.dmn_files import load

    found = load(model)
    facts = _facts(found)
    errors = sum(one.severity == "error" for one in found.findings)
    if as_json:
        emit(facts)
    else:
        _show(facts, found, model, errors)
    if errors:
        raise typer.Exit(1)


def _facts(model: "DmnModel") -> dict[str, Any]:
    return {
        "name": model.name,
        "dmn": model.version,
        "inputs": {name: str(kind) for name, kind in model.inputs.items()},
        "decisions": list(model.decisions),
        "services": list(model.services),
        "functions": list(model.functions),
        "pmml": list(model.pmml),
        "findings": [
            {"severity": one.severity, "file": one.file, "line": one.line, "place": one.place}
            | {"wrong": one.wrong, "do": one.do}
            for one in model.findings
        ],
    }


def _show(facts: dict[str, Any], model: "DmnModel", path: Path, errors: int) -> None:
    from rich.text import Text

    console = out()
    console.print(Text.assemble((facts["name"] or path.name, "bold"), f"  DMN {facts['dmn']}"))
    rows = {"takes": [f"{name} ({kind})" for name, kind in facts["inputs"].items()]}
    rows |= {"decides": facts["decisions"], "serves": facts["services"], "has functions": facts["functions"]}
    rows |= {"asks": facts["pmml"]}
    for word, names in rows.items():
        for place, name in enumerate(names):
            console.print(Text.assemble((f"  {word if not place else '':<14}", "dim"), name), soft_wrap=True)
    for one in model.findings:
        colour = "red" if one.severity == "error" else "yellow"
        console.print(
            Text.assemble(
                (one.severity, colour), f"  {one.file}:{one.line}  {one.place}: {one.wrong} {one.do}".rstrip()
            ),
            soft_wrap=True,
        )
    warnings = len(model.findings) - errors
    said = [several(errors, "error")] if errors else []
    said += [several(warnings, "warning")] if warnings else []
    console.print(", ".join(said) or "[green]nothing is wrong[/]")
    if facts["decisions"] and not errors:
        next_steps(f"tidegate dmn run {path}  make its decisions")
