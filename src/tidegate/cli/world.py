"""`tidegate world`: a simulated world of customers, cards, shops and thieves, written out to try things on."""

from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.options import AsJson
from tidegate.cli.terminal import aside, emit, out, several


def world(
    folder: Annotated[Path, typer.Option("--out", help="The folder to write into; made if it is not there.")],
    customers: Annotated[int, typer.Option(help="How many customers live in it, 200 or more.")] = 2_000,
    merchants: Annotated[int, typer.Option(help="How many shops, 200 or more.")] = 500,
    days: Annotated[int, typer.Option(min=1, help="How many days are lived through.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 7,
    form: Annotated[str, typer.Option("--form", help="parquet or ndjson.")] = "parquet",
    as_json: AsJson = False,
) -> None:
    """Write the events and the people of a simulated world, frauds of several kinds labelled, one file each."""
    from rich.progress import BarColumn, Progress, TextColumn

    from tidegate.solutions.world import World

    made = World(seed=seed, customers=customers, merchants=merchants, days=days)
    columns = (TextColumn("living through {task.fields[days]} days"), BarColumn())
    with Progress(*columns, console=aside(), transient=True, disable=as_json) as bar:
        task = bar.add_task("", total=1.0, days=days)
        counts = made.write(folder, form, progress=lambda share: bar.update(task, completed=share))
    if as_json:
        emit({"folder": str(folder), "rows": counts})
        return
    for name, rows in counts.items():
        out().print(f"{folder / f'{name}.{form}'}: {several(rows, 'row')}", soft_wrap=True)
