"""`tidegate features`: the point-in-time-correct training set of a flow."""

from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.inputs import (
    ColumnNames,
    Defaults,
    Encoding,
    Files,
    LabelName,
    OtherEvents,
    QuarantineFile,
    Sort,
    exit_code,
    inputs,
    not_given,
    pairs,
    progress,
    rows_in,
    tell_not_given,
    tell_set_aside,
)
from tidegate.cli.options import DEFAULT_MODELS, AsJson, FlowPlace, ModelsPath
from tidegate.cli.table_file import PARQUET, require_form, write_table
from tidegate.cli.terminal import aside, emit, next_steps, out, ready, several


def features(
    flow: FlowPlace,
    files: Files,
    to: Annotated[Path, typer.Option("--to", help="Where to write the table, as Parquet.")] = Path("features.parquet"),
    event: OtherEvents = None,
    label: LabelName = "",
    column: ColumnNames = None,
    default: Defaults = None,
    encoding: Encoding = "utf-8",
    sort: Sort = False,
    models: ModelsPath = DEFAULT_MODELS,
    quarantine: QuarantineFile = None,
    as_json: AsJson = False,
) -> None:
    """Write every feature as of each event, with its label: a training set in which nothing was learned too late."""
    ready()
    from tidegate.connectors.quarantine import Quarantine
    from tidegate.models.registry import Registry
    from tidegate.runtimes.load import load_flow
    from tidegate.runtimes.training_set import training_set

    require_form(to, PARQUET)
    made = load_flow(flow)
    given = inputs(made, files, event)
    lacking = not_given(made.definition, given)
    every = [file for several in given.values() for file in several]
    beside = quarantine or files[0].with_name(files[0].name + ".quarantine.ndjson")
    with (
        Quarantine(beside) as aside_rows,
        progress(f"Features of {made.definition.name}", rows_in(every), quiet=as_json) as told,
    ):
        found = training_set(
            made, given, label=label or None, models=Registry(models), columns=pairs(column, "--column"),
            defaults=pairs(default, "--default"), quarantine=aside_rows, progress=told,
            encoding=encoding, sort=sort,
        )  # fmt: skip
    write_table(found.table, to)
    counts, table = found.replayed.counts, found.table
    name = table.columns[-1] if found.replayed.label is not None else ""
    positives = int(table[name].sum() or 0) if name else None
    if as_json:
        facts = {"to": str(to), "rows": table.height, "columns": table.columns, "label": name, "positives": positives}
        emit(facts | {"not_given": list(lacking)})
    else:
        said = f", {positives:,} of them {name}" if name else ", without a label"
        out().print(f"{several(table.height, 'row')} of {table.width} columns{said}: {to}", soft_wrap=True)
        tell_not_given(lacking, table=True)
        tell_set_aside(counts, aside_rows)
        for reference, why in found.left_out.items():
            aside().print(f"[yellow]{reference} was left out[/], its otherwise used: {why}", soft_wrap=True)
        asked = [one.reference.partition("@")[0] for segment in found.replayed.plan.segments for one in segment.models]
        if asked and table.height:
            next_steps(
                f"tidegate train {flow} {to} --label {name or 'LABEL'} --name {asked[0]}  train what the flow asks"
            )
    raise typer.Exit(exit_code(counts, fail_on_refused=False))
