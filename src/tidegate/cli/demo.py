"""`tidegate demo`: card payments through a fraud flow with a trained model, from nothing to a report and a store."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.terminal import aside, next_steps, out, program_version, quoted

if TYPE_CHECKING:
    from rich.console import Console

    from tidegate.cli.demo_live import LiveRun

_OURS = (
    "tidegate.db",
    "tidegate.db-wal",
    "tidegate.db-shm",
    "tidegate.db.lock",
    "tidegate.db.redo",
    "tidegate.db.seen",
    "tidegate.db.snapshots",
    "models",
    "report.html",
)


def demo(
    folder: Annotated[
        Path,
        typer.Option("--out", help="Where the store, the model and the report go; an earlier demo there is replaced."),
    ] = Path("runs/demo"),
    small: Annotated[
        bool, typer.Option("--small", help="A few people and days only: seconds, and a model that knows little.")
    ] = False,
) -> None:
    """Simulate card payments, train a model on their past, and decide the days that follow, live and durably.

    Leaves a store and an HTML report, and says what to ask them.
    """
    began = perf_counter()
    console = aside()
    console.print(
        "[bold]Tidegate[/]: financial events in, decisions out. The people, shops and thieves below are simulated.\n"
    )
    with _step(console, "getting ready", "kernels, once compiled, are kept for the next time") as say:
        from itertools import islice

        from rich.live import Live

        from tidegate.cli.demo_history import FULL, SMALL, History
        from tidegate.cli.demo_live import LiveRun
        from tidegate.runtimes.engine import Engine
        from tidegate.runtimes.readiness import prepare
        from tidegate.solutions.card_fraud import CardFraud

        _needs_training()
        prepare(lambda what, done, many: say(f"kernels: {what}, {done} of {many}; compiled once, then kept"))
        say(f"kernels loaded in {perf_counter() - began:.0f} s; compiled once, then kept")
        size = SMALL if small else FULL
        world = size.world()
        parts, slices = world.settings.parts, world.slices()
        history = History(size)
    _history(console, history, slices, parts)
    with _step(console, "training a model", f"on {history.payments:,} payments, in order of time") as say:
        artefact = history.fit()
        metrics = artefact.card.metrics
        say(f"average precision {metrics['average_precision']:.2f} on the last days, which it had not seen")
    with _step(console, "opening a store", f"{folder}/tidegate.db"):
        _clear(folder)
        store = history.hand_over(folder, artefact)
        engine = Engine(CardFraud, models=str(folder / "models"), store=store, batch=64)
        for error in engine.passed_over:
            raise error  # without its past the flow would decide on cards that it never saw
        del history
    run = LiveRun(engine, size.live, parts)
    with Live(run.display(), console=console, auto_refresh=False, transient=True) as live:
        drawn = perf_counter()
        for _ in run.run(islice(slices, size.live * parts)):
            if perf_counter() - drawn > 0.2:
                live.update(run.display(), refresh=True)
                drawn = perf_counter()
    console.print(run.display())
    with _step(console, "writing the report", f"{folder}/report.html"):
        engine.save()
        figures = run.figures(int(time() * 1e6), program_version())
        store.close()
        from tidegate.reports import render, summary

        (folder / "report.html").write_text(render(figures), encoding="utf-8")
    _close(run, folder, summary(figures), perf_counter() - began)


def _history(console: "Console", history: Any, slices: Iterator[Any], parts: int) -> None:
    from rich.progress import BarColumn, Progress, TextColumn

    days, began = history.size.history, perf_counter()
    columns = (
        TextColumn("  living through the past"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} days"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=days)
        history.live_through(slices, parts, lambda done: bar.update(task, completed=done))
    took = perf_counter() - began
    console.print(
        f"  [green]✓[/] living through the past  [dim]{days} days of {history.size.customers:,} customers, "
        f"{history.events:,} events, {history.events / took:,.0f} a second[/]",
        soft_wrap=True,
    )


@contextmanager
def _step(console: "Console", what: str, words: str) -> Iterator[Any]:
    """A line that turns while something is done, and stays when it is."""
    told = words
    with console.status(f"{what}  [dim]{words}[/]") as status:

        def say(said: str) -> None:
            nonlocal told
            told = said
            status.update(f"{what}  [dim]{said}[/]")

        yield say
    console.print(f"  [green]✓[/] {what}  [dim]{told}[/]", soft_wrap=True)


def _needs_training() -> None:
    from importlib.util import find_spec

    from tidegate.errors import TidegateError

    lacking = [name for name in ("lightgbm", "matplotlib", "jinja2") if find_spec(name) is None]
    if lacking:
        raise TidegateError.not_installed("The demo", ", ".join(lacking), "train,report")


def _clear(folder: Path) -> None:
    """Make room for this demo: what an earlier one left is removed, anything else in the folder stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _OURS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _close(run: "LiveRun", folder: Path, lines: list[tuple[str, str]], seconds: float) -> None:
    from rich.table import Table

    table = Table.grid(padding=(0, 3))
    for name, value in lines:
        table.add_row(f"[dim]{name}[/]", value)
    out().print()
    out().print(table)
    out().print(f"\nDone in {seconds:.0f} s. The report: [bold]{folder / 'report.html'}[/]", soft_wrap=True)
    shown = run.best[0][2].id if run.best else ""
    store = folder / "tidegate.db"
    of_it = quoted("--store", store)
    steps = []
    if shown:
        steps = [
            f"tidegate explain {quoted(shown)} {of_it}  why one payment was declined",
            f"tidegate remake {quoted(shown)} {of_it}  make that decision again from its record",
        ]
    next_steps(
        *steps,
        f"tidegate decisions --outcome review {of_it}  what people should look at",
        f"tidegate verify {of_it}  prove that nothing was touched",
        f"tidegate serve card_fraud {of_it} {quoted('--models', folder / 'models')}  go on from there, over HTTP",
    )
