"""`tidegate replay`: a flow over files of past events, with detection figures and a report."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.against import (
    Against,
    KafkaConfig,
    Recorded,
    RegistryConfig,
    SchemaRegistry,
    Since,
    by_registry,
    claims_in,
    compare_recorded,
    compared,
    plain,
    replays_store,
    require_fitting,
    show,
)
from tidegate.cli.inputs import (
    ColumnNames,
    Defaults,
    Encoding,
    Files,
    LabelName,
    OtherEvents,
    QuarantineFile,
    Sort,
    event_options,
    exit_code,
    inputs,
    not_given,
    options,
    out_of_order,
    pairs,
    progress,
    rows_in,
    tell_not_given,
    tell_set_aside,
)
from tidegate.cli.options import DEFAULT_MODELS, AsJson, FlowPlace, ModelsPath, OtherFlowOk, WithoutModels
from tidegate.cli.table_file import CSV, PARQUET, require_form, write_table
from tidegate.cli.terminal import (
    COLOURS,
    aside,
    emit,
    next_steps,
    now,
    out,
    program_version,
    quoted,
    ready,
    when,
    written,
)
from tidegate.connectors.store_address import Address

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tidegate.connectors.store import Store
    from tidegate.runtimes.replayed import Replayed


def replay(
    flow: FlowPlace,
    files: Files = [],
    event: OtherEvents = None,
    label: LabelName = "",
    amount: Annotated[str, typer.Option(help="The money field to add up; default: the event's first.")] = "",
    column: ColumnNames = None,
    default: Defaults = None,
    encoding: Encoding = "utf-8",
    sort: Sort = False,
    models: ModelsPath = DEFAULT_MODELS,
    without_models: WithoutModels = False,
    store: Annotated[
        Address | None,
        typer.Option(
            "--store", "-s", parser=Address, metavar="STORE", help="Keep every decision with its evidence here."
        ),
    ] = None,
    other_flow_ok: OtherFlowOk = False,
    report: Annotated[Path | None, typer.Option("--report", help="Write the report here, one HTML file.")] = None,
    decisions: Annotated[
        Path | None, typer.Option("--to", help="Write every decision here: FILE.parquet or FILE.csv.")
    ] = None,
    quarantine: QuarantineFile = None,
    fail_on_refused: Annotated[
        bool, typer.Option("--fail-on-refused", help="Exit with 1 if any row was not taken.")
    ] = False,
    against: Against = "",
    recorded: Recorded = None,
    since: Since = "",
    kafka_config: KafkaConfig = None,
    schema_registry: SchemaRegistry = "",
    registry_config: RegistryConfig = None,
    as_json: AsJson = False,
) -> None:
    """Decide past events as the flow would have decided them then, and measure it.

    Rows that are no events, and events that come too late, are set aside and counted. The exit code is 1 if that was
    all of the rows, or if any was and --fail-on-refused was asked for; with --against also if what is there is not what
    the replay decides.
    """
    require_fitting(
        files, against, recorded, since,
        {"--event": event, "--column": column, "--default": default, "--sort": sort, "--label": label,
         "--amount": amount, "--report": report, "--to": decisions, "--quarantine": quarantine,
         "--fail-on-refused": fail_on_refused},
    )  # fmt: skip
    ready()
    from tidegate.connectors.quarantine import Quarantine
    from tidegate.reports import find, render, summary
    from tidegate.runtimes.backtest import replay as run
    from tidegate.runtimes.load import load_flow
    from tidegate.runtimes.models import models_there, require_models
    from tidegate.runtimes.tally import label_of

    require_form(decisions, PARQUET, CSV)
    made = load_flow(flow)
    if models != DEFAULT_MODELS and not without_models:  # before the first one is trained there is no such folder
        require_models(made.definition, models)
    found_models = models_there(made.definition, models)
    claims = claims_in(against, kafka_config) if against else None
    by = by_registry(against, schema_registry, registry_config)
    if recorded is not None and claims is not None:
        again = compare_recorded(made, found_models, recorded, store, claims, since, by, quiet=as_json)
        emit({"against": plain(against, again)}) if as_json else show(against, again, recorded)
        raise typer.Exit(0 if again.whole else 1)
    given = inputs(made, files, event)
    lacking = not_given(made.definition, given)
    every = [file for several in given.values() for file in several]
    beside = quarantine or files[0].with_name(files[0].name + ".quarantine.ndjson")
    with (
        Quarantine(beside) as aside_rows,
        _kept(store, to_compare=claims is not None) as kept,
        progress(f"Replaying {made.definition.name}", rows_in(every), quiet=as_json) as told,
    ):
        done = run(
            made, given, models=found_models, store=kept, label=label or None, amount=amount or None,
            columns=pairs(column, "--column"), defaults=pairs(default, "--default"), quarantine=aside_rows,
            encoding=encoding, sort=sort, progress=told, other_flow_ok=other_flow_ok,
        )  # fmt: skip
        agreed = compared(kept, claims, since, by) if claims is not None and kept is not None else None
    source = ", ".join(file.name for file in every)
    figures = done.figures(
        source=source, about=made.definition.purpose, made_at=now(), version=program_version(),
        label_name=label or label_of(made.definition.event) or "",
    )  # fmt: skip
    found = find(figures)
    if decisions is not None:
        write_table(done.frame(), decisions)
    if report is not None:
        page = render(figures, found)
        written(report, lambda path: path.write_text(page, encoding="utf-8"))
    lines = summary(figures, found)
    if as_json:
        more = {} if agreed is None else {"against": plain(against, agreed)}
        emit(_plain(done, figures, lines) | {"not_given": list(lacking)} | more)
    else:
        _show(done, lines, made.definition.name)
        tell_not_given(lacking)
        _tell_newest(done)
        tell_set_aside(done.counts, aside_rows)
        if agreed is not None:
            show(against, agreed)
        if done.counts.repeated and store is not None:
            _tell_repeated(done, str(store))
        read_as = (
            quoted(flow, *files)
            + options(
                ("--event", event),
                ("--column", column),
                ("--default", default),
                ("--encoding", [encoding] if encoding != "utf-8" else None),
            )
            + event_options(lacking)
            + (" --sort" if sort or out_of_order(done.counts) else "")
        )
        _next(flow, read_as, models, store, report, done)
    apart = agreed is not None and not agreed.whole
    raise typer.Exit(1 if apart else exit_code(done.counts, fail_on_refused=fail_on_refused))


def _kept(store: Address | None, *, to_compare: bool) -> "AbstractContextManager[Store | None]":
    """Where decisions are kept: where that was said, or must be to be compared."""
    from tidegate.connectors.store import Store

    if to_compare:
        return replays_store(store)
    return Store.open(store) if store is not None else nullcontext()


def _plain(done: "Replayed", figures: Any, lines: list[tuple[str, str]]) -> dict[str, Any]:
    """The result for scripts."""
    import numpy as np

    from tidegate.decisions.answer import OUTCOMES
    from tidegate.reports.spread import ENOUGH
    from tidegate.reports.unseen import fitted_on, unvalued

    counts = vars(done.counts)
    enough = len(done.latency_us) >= ENOUGH
    latency = {f"p{q}": float(np.percentile(done.latency_us, q)) for q in (50, 99)} if enough else {}
    return {
        "flow": done.plan.flow,
        "digest": done.plan.digest,
        "rows": counts,
        "outcomes": {word: int((done.outcome == number).sum()) for number, word in enumerate(OUTCOMES)},
        "alarms": int(done.alarm.sum()),
        "rules": {n: {"fired": len(rows), "unknown": done.unknown[n]} for n, rows in done.fired.items()},
        "limited": done.limited,
        "events_per_second": round(done.rate),
        "latency_us": latency,
        "timed": len(done.latency_us),
        "seconds": done.seconds,
        "stages": dict(done.stages),
        "models": {name: model.digest for name, model in done.models.items()},
        "fitted_on": fitted_on(figures),
        "frauds_not_in_sums": unvalued(figures),
        "summary": lines,
    }


def _show(done: "Replayed", lines: list[tuple[str, str]], name: str) -> None:
    from rich.table import Table
    from rich.text import Text

    console = out()
    table = Table(
        title=Text(name, "bold"),
        title_justify="left",
        box=None,
        show_header=False,
        padding=(0, 2, 0, 0),
        pad_edge=False,
    )
    for key, value in lines:
        table.add_row(Text(key, COLOURS.get(key, "dim")), Text(value))
    console.print(table)
    if not done.plan.rules:
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for head in ("rule", "outcome", "fired", "unknown", "precision"):
        table.add_column(head, justify="left" if head in ("rule", "outcome") else "right")
    from tidegate.decisions.answer import OUTCOMES

    for rule in done.plan.rules:
        rows = done.fired[rule.name]
        known = done.label[rows] if done.label is not None else rows[:0]
        known = known[known >= 0]
        # of a rule that approves the share of frauds is no precision
        precise = f"{known.mean():.1%}" if len(known) and rule.outcome else ""
        word = OUTCOMES[rule.outcome]
        table.add_row(
            Text(rule.name), Text(word, COLOURS[word]), f"{len(rows):,}", f"{done.unknown[rule.name]:,}", precise
        )
    console.print()
    console.print(table)


def _tell_newest(done: "Replayed") -> None:
    """Say which event the time goes by, where it is newer than all that were decided on."""
    newest = done.counts.newest
    if newest is not None and len(done.at) and newest.at > int(done.at.max()):
        aside().print(
            f"The newest event was only learned from: {newest.id} of {when(newest.at)} UTC ({newest.source}, line "
            f"{newest.line}). What comes next is late or not by its time.", soft_wrap=True, markup=False,
        )  # fmt: skip


def _tell_repeated(done: "Replayed", store: str) -> None:
    """Say of events that the store had already that nothing was decided anew."""
    from tidegate.cli.terminal import several

    many = done.counts.repeated
    which = "All events were" if not done.counts.decided else several(many, "event was", "events were")
    aside().print(
        f"[yellow]{which} in the store {store} already[/], and their first decisions stand: nothing was decided anew. "
        "To apply the flow and its models of today, replay into another store, or without one.", soft_wrap=True,
    )  # fmt: skip


def _next(flow: str, read_as: str, models: Path, store: Address | None, report: Path | None, done: "Replayed") -> None:
    if not done.counts.decided:
        return
    elsewhere = "" if models == DEFAULT_MODELS else f" --models {quoted(models)}"
    wanted = [one.reference for segment in done.plan.segments for one in segment.models]
    lacking = [name for name in wanted if name not in done.models]
    if lacking:
        said = f"{', '.join(lacking)} is not in {models}, so its otherwise was used."
        aside().print(f"[yellow]{said}[/]", soft_wrap=True)
    steps = (
        [f"open {report}  the report, in a browser"]
        if report
        else [f"tidegate replay {read_as}{elsewhere} --report report.html  a report with plots"]
    )
    if lacking:
        steps.append(f"tidegate features {read_as} --to features.parquet  a training set, then `tidegate train`")
    if store:
        steps.append(f"tidegate decisions --store {quoted(store)}  what was decided")
    kept = f" --store {quoted(store)}" if store else ""
    without = " --without-models" if lacking else ""
    steps.append(f"tidegate serve {quoted(flow)}{kept}{elsewhere}{without}  answer over HTTP; on Kafka, `tidegate run`")
    next_steps(*steps)
