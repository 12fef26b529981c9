"""`tidegate drools`: packages of rules in DRL, run by Drools itself."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.options import AsJson
from tidegate.cli.terminal import emit, out, several
from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from tidegate.connectors.drools.package import Package
    from tidegate.connectors.drools.tried import Tried

app = typer.Typer(help="Packages of rules in DRL, run by Drools itself.", no_args_is_help=True)
_File = Annotated[Path, typer.Argument(metavar="FILE", help="A DRL file.")]


@app.callback()
def _drools() -> None:
    pass


@app.command()
def fetch() -> None:
    """Fetch Drools' jars by Maven, once, into the cache of this user. Maven checks their checksums."""
    from tidegate.connectors.drools.jars import VERSION, fetch

    folder = fetch()
    out().print(f"Drools {VERSION}: {several(len(list(folder.glob('*.jar'))), 'jar')} in {folder}", soft_wrap=True)


@app.command()
def check(file: _File, as_json: AsJson = False) -> None:
    """Compile a package as a flow would, and say which rules, types and globals it has; or what is wrong, and where."""
    package = _read(file)
    if as_json:
        emit(
            {"file": str(file), "package": package.name, "rules": package.rules, "types": package.types,
             "globals": package.globals, "digest": package.digest}
        )  # fmt: skip
        return
    console = out()
    console.print(f"[bold]{package.name or 'no package'}[/]: {several(len(package.rules), 'rule')}", soft_wrap=True)
    for rule in package.rules:
        console.print(f"  rule {rule}", soft_wrap=True, markup=False)
    for name, fields in package.types.items():
        told = ", ".join(f"{field}: {java.rpartition('.')[2]}" for field, java in fields.items())
        console.print(f"  type {name}: {told}", soft_wrap=True, markup=False)
    for name, java in package.globals.items():
        console.print(f"  global {name}: {java}", soft_wrap=True, markup=False)


@app.command()
def run(
    file: _File,
    facts: Annotated[
        Path, typer.Argument(metavar="FACTS", help='Lines of JSON, each the facts of one session: {"Payment": {…}}.')
    ],
    deadline: Annotated[str, typer.Option("--deadline", help="For one line.")] = "1s",
) -> None:
    """Run a package over lines of facts, each in a session of its own; every line gets the facts that are left.

    A line without an answer, since it cannot be read or the rules gave none, is told with its place and counted; the
    others are answered, and the exit code is 1 then. It is 2 if the package or the file cannot be read.
    """
    from tidegate.cli.lines import Unanswered, json_lines
    from tidegate.connectors.drools.tried import Tried
    from tidegate.events.durations import microseconds

    tried = Tried(_read(file), microseconds(deadline))
    unanswered, lines = Unanswered(str(facts)), 0
    try:
        given = facts.open("rb")
    except OSError as error:
        raise TidegateError(f"{facts} cannot be read.", seen=str(error)[:200]) from None
    with given:
        for number, found in json_lines(given, _facts):
            lines += 1
            answer = _answered(tried, found)
            if "failed" in answer:
                unanswered.add(f"Line {number}", answer["failed"])
            emit(answer)
    unanswered.end(lines)


def _answered(tried: "Tried", facts: dict[str, Any] | TidegateError) -> dict[str, Any]:
    wrong = facts
    if not isinstance(facts, TidegateError):
        try:
            return tried.run(facts)
        except TidegateError as error:
            wrong = error
    return {"facts": {}, "rules": [], "fired": 0, "failed": str(wrong)}


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _facts(line: str) -> dict[str, Any]:
    found = json.loads(line, parse_constant=_no_number)
    if not isinstance(found, dict) or not all(isinstance(fields, dict) for fields in found.values()):
        raise TidegateError("It names no facts.", seen=line.strip()[:100], do='Write {"Payment": {"amount": 12.5}}.')
    return found


def _read(file: Path) -> "Package":
    from tidegate.connectors.drools.rules import read_package

    return read_package(file)
