"""`tidegate train`: a model for a flow, from its training set; judged on what came after, and stored."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.inputs import event_options, other_files
from tidegate.cli.options import DEFAULT_MODELS, AsJson, FlowPlace, ModelsPath, Override, OverrideWhy
from tidegate.cli.terminal import aside, emit, next_steps, out, several

if TYPE_CHECKING:
    from tidegate.models.registry import Registry
    from tidegate.models.training import Training


def train(
    flow: FlowPlace,
    table: Annotated[Path, typer.Argument(metavar="FEATURES", help="The table that `tidegate features` wrote.")],
    label: Annotated[
        str, typer.Option("--label", help="The column to predict; default: the event's label field.")
    ] = "",
    name: Annotated[
        str, typer.Option("--name", help="The model, as the flow has it before the @; default: its only one.")
    ] = "",
    version: Annotated[str, typer.Option("--version", help="Its version; default: the next number.")] = "",
    alias: Annotated[
        str, typer.Option("--alias", help="Let NAME@ALIAS stand for it, as: --alias challenger; moved if it is there.")
    ] = "",
    promote: Annotated[
        bool, typer.Option("--promote", help="Let what the flow asks for stand for it, though it stands for another.")
    ] = False,
    models: ModelsPath = DEFAULT_MODELS,
    rounds: Annotated[int, typer.Option(min=1, help="The most trees.")] = 1000,
    valid: Annotated[
        float | None,
        typer.Option(help="Share of rows to stop fitting by; default: 0.15, or more if the embargo needs more."),
    ] = None,
    test: Annotated[float, typer.Option(help="Share of rows, the latest, to judge on.")] = 0.15,
    embargo: Annotated[str, typer.Option(help="How late a label is known, as 7d; default: as its contract says.")] = "",
    override: Override = False,
    why: OverrideWhy = "",
    seed: Annotated[int, typer.Option(help="Seed of the training.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Threads to train with; the trees are the same.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Fit a model on exactly what the flow gives it, judge it on later events, and store it.

    The first of its name becomes what the flow asks for, its champion. A later one only waits: what runs in production
    changes when someone says so, with --promote or `tidegate models promote`. One whose scores are no better than
    chance, or whose reasons do not hold on those later events, only waits, too, unless --override says --why.
    """
    from datetime import timedelta

    from tidegate.events.durations import microseconds
    from tidegate.models.evaluation import no_better_than_chance, too_good
    from tidegate.models.promotion import lacking
    from tidegate.models.registry import Registry
    from tidegate.models.split import USUAL_SHARE
    from tidegate.runtimes.load import load_flow
    from tidegate.runtimes.tally import label_of
    from tidegate.runtimes.training_set import model_of, train_model, unseen

    made = load_flow(flow)
    frame = _read(table)
    name = name or _only_model(made)
    label = label or label_of(made.definition.event) or "fraud"
    registry = Registry(models)
    version = version or _next_version(registry, name)
    asked = model_of(made, name).reference.partition("@")[2]
    with aside().status(f"Training {name}@{version}"):
        done = train_model(
            made, frame, label, name, version=version, rounds=rounds, valid=valid, test=test, seed=seed,
            threads=threads,
            embargo=timedelta(microseconds=microseconds(embargo)) if embargo else None,
        )  # fmt: skip
    path, chance, short = registry.add(done.artefact), no_better_than_chance(done.figures), lacking(done.artefact)
    moved = _moved(registry, name, version, asked, alias, promote=promote, unasked=override or not short)
    for word in moved:
        registry.promote(f"{name}@{word}", version, override=override, why=why)
    stands = registry.aliases(name).get(asked)
    facts: dict[str, Any] = {
        "model": f"{name}@{version}", "aliases": [f"{name}@{word}" for word in moved],
        "asked": f"{name}@{asked}", "asked_stands_for": f"{name}@{stands.version}" if stands else None,
        "digest": done.artefact.digest,
        "path": str(path), "trees": done.rounds, "rows": done.artefact.card.rows,
        "positives": done.artefact.card.positives,
        "embargoed": done.embargoed, "figures": dict(done.figures), "gain": dict(done.gain), "valid": done.valid,
        "no_better_than_chance": bool(chance), "lacking": short,
    }  # fmt: skip
    if as_json:
        emit(facts)
        return
    _show(facts, done)
    if valid is None and done.valid > USUAL_SHARE:
        aside().print(
            f"The embargo leaves too little of the usual share of {USUAL_SHARE:g} to stop fitting by, so "
            f"{done.valid:g} of the rows were taken; --valid says another.", style="yellow", soft_wrap=True,
        )  # fmt: skip
    wait = stands is None or stands.version != version
    more = ' --override --why "…"' if short else ""
    others = other_files(made.definition)
    _tell_empty(unseen(made, frame, others))
    steps = (
        [f"tidegate models promote {name}@{version} --models {models}{more}  let {name}@{asked} stand for it"]
        if wait and asked != version
        else []
    )
    if doubt := too_good(done.figures):
        aside().print(
            f"[bold yellow]This is too good to be likely[/]: {doubt}. Often a feature then tells the label: it is "
            "known only afterwards, or was set by whoever set the label. "
            f"Look first at {next(iter(done.gain), 'all of them')}.",
            soft_wrap=True,
        )
    if short:
        _say_what_is_lacking(chance, short, waits=not facts["aliases"])
    next_steps(
        *steps,
        f"tidegate replay {flow} FILE{event_options(others)} --models {models} --report report.html"
        "  what the flow does with it",
        f"tidegate serve {flow} --models {models}  answer over HTTP",
    )


def _tell_empty(unseen: dict[str, list[str]]) -> None:
    """Say that a table may have been written without the events of another type."""
    for name, columns in unseen.items():
        aside().print(
            f"[bold yellow]There seem to be no {name} events in this training set[/]: {', '.join(columns)} "
            f"{'is' if len(columns) == 1 else 'are'} the same in all of its rows, while live events may change "
            f"{'it' if len(columns) == 1 else 'them'}. Write it again: `tidegate features … --event {name}=FILE`.",
            soft_wrap=True,
        )


def _say_what_is_lacking(chance: str, short: Sequence[str], *, waits: bool) -> None:
    if chance:
        aside().print(f"[bold red]It is no better than chance[/]: {chance}.", soft_wrap=True)
    else:
        aside().print(f"[bold red]Its reasons fall short[/]: {'; '.join(short)}.", soft_wrap=True)
    if waits:
        better = "Give it more rows, or features that tell." if chance else "Then --why is kept with it."
        aside().print(f"It does not decide unless someone promotes it. {better}")


def _moved(
    registry: "Registry", name: str, version: str, asked: str, alias: str, *, promote: bool, unasked: bool
) -> list[str]:
    """The aliases that are to stand for the new version; `unasked`: the first of its name becomes champion."""
    own = asked != version and not asked.isdigit()
    first = unasked and own and not alias and asked not in registry.aliases(name)
    return list(dict.fromkeys([*([alias] if alias else []), *([asked] if own and (promote or first) else [])]))


def _read(table: Path) -> Any:
    import polars as pl

    from tidegate.errors import TidegateError

    if table.suffix.lower() in (".csv", ".ndjson", ".json", ".gz"):
        raise TidegateError(
            f"{table} is no training set: what a model is trained on are features, as of each event.",
            seen=table.suffix, do=f"Write it with `tidegate features FLOW {table} --to features.parquet`.",
        )  # fmt: skip
    try:
        return pl.read_parquet(table)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise TidegateError(
            f"The training set {table} cannot be read.", seen=str(error).splitlines()[0][:200],
            do="Write it with `tidegate features`.",
        ) from None  # fmt: skip


def _only_model(flow: Any) -> str:
    from tidegate.errors import ModelError

    names = sorted({one.reference.partition("@")[0] for one in flow.definition.models if one.artefact is None})
    if len(names) != 1:
        raise ModelError(
            f"{flow.definition.name} asks {len(names) or 'no'} models.", seen=", ".join(names),
            do=f"Say which with --name {names[0]}." if names else "Give the flow a model(…).",
        )  # fmt: skip
    return str(names[0])


def _next_version(registry: "Registry", name: str) -> str:
    """One more than the highest number among the versions of that name."""
    versions = (known.partition("@")[2] for known in registry.references() if known.partition("@")[0] == name)
    return str(1 + max((int(version) for version in versions if version.isdigit()), default=0))


def _show(facts: dict[str, Any], done: "Training") -> None:
    from rich.table import Table

    from tidegate.reports.tables import measured

    console = out()
    said = f", {' and '.join(facts['aliases'])} stands for it" if facts["aliases"] else ""
    console.print(f"[bold]{facts['model']}[/]: {facts['trees']} trees, stored in {facts['path']}{said}", soft_wrap=True)
    if facts["asked_stands_for"] not in (None, facts["model"]):
        console.print(f"{facts['asked']}, which the flow asks for, still stands for {facts['asked_stands_for']}.")
    console.print(
        f"Trained on {facts['rows']:,} rows, {facts['positives']:,} of them positive; judged on what came after:",
        soft_wrap=True,
    )
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2), pad_edge=False)
    for key, value in facts["figures"].items():
        table.add_row(measured(key), f"{value:,.0f}" if key in ("rows", "positives") else f"{value:.4f}")
    console.print(table)
    if done.embargoed:
        many = several(done.embargoed, "row")
        said = f"The embargo took {many}: their labels were not known yet when what comes after began."
        console.print(said, style="dim", soft_wrap=True)
    whole = sum(done.gain.values()) or 1.0
    console.print("What it looks at most:")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2), pad_edge=False)
    for key, value in list(done.gain.items())[:8]:
        table.add_row(key, f"{value / whole:.1%}")
    console.print(table)
