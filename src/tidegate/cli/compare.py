"""`tidegate compare`: two versions of a flow on the same history, before anybody is affected."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.inputs import (
    ColumnNames,
    Defaults,
    Files,
    LabelName,
    OtherEvents,
    QuarantineFile,
    inputs,
    pairs,
    progress,
    rows_in,
)
from tidegate.cli.options import DEFAULT_MODELS, AsJson, ModelsPath
from tidegate.cli.terminal import aside, emit, next_steps, now, out, program_version, ready, several, written

if TYPE_CHECKING:
    from tidegate.reports.compared import Compared


def compare(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The flow as it is: FILE.py or FILE.py:ClassName.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The flow as it would be.")],
    files: Files,
    event: OtherEvents = None,
    label: LabelName = "",
    amount: Annotated[str, typer.Option(help="The money field to add up; default: the event's first.")] = "",
    column: ColumnNames = None,
    default: Defaults = None,
    models: ModelsPath = DEFAULT_MODELS,
    new_models: Annotated[
        Path | None, typer.Option("--new-models", help="The models of NEW, if they lie elsewhere.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write the report here, one HTML file.")] = None,
    flips: Annotated[Path | None, typer.Option("--to", help="Write every flip here, as Parquet.")] = None,
    quarantine: QuarantineFile = None,
    fail_on_flips: Annotated[
        bool, typer.Option("--fail-on-flips", help="Exit with 1 if any decision flips, as a test of a refactoring.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Decide past events by two versions of a flow, and say what flips, for whom, and which expression did it.

    Both versions learn from every event as if they had been live. Nothing is kept, and nobody is affected.
    """
    ready()
    from tidegate.connectors.quarantine import Quarantine
    from tidegate.models.registry import Registry
    from tidegate.reports.comparison import compared_in_words, render_comparison
    from tidegate.runtimes.comparison import compare as run
    from tidegate.runtimes.load import load_flow

    before, after = load_flow(old), load_flow(new)
    given = inputs(after, files, event)
    every = [file for several in given.values() for file in several]
    beside = quarantine or files[0].with_name(files[0].name + ".quarantine.ndjson")
    words = f"Comparing {before.definition.name} and {after.definition.name}"
    with Quarantine(beside) as aside_rows, progress(words, rows_in(every), quiet=as_json) as told:
        found = run(
            before, after, {kind.__name__: several for kind, several in given.items()}, models=Registry(models),
            new_models=Registry(new_models) if new_models is not None else None, label=label or None,
            amount=amount or None, columns=pairs(column, "--column"), defaults=pairs(default, "--default"),
            quarantine=aside_rows, progress=told,
        )  # fmt: skip
    source = ", ".join(file.name for file in every)
    found = replace(found, new=replace(found.new, source=source, made_at=now(), version=program_version()))
    if flips is not None:
        written(flips, found.flips.write_parquet)
    if report is not None:
        page = render_comparison(found)
        written(report, lambda path: path.write_text(page, encoding="utf-8"))
    if as_json:
        emit(_plain(found))
    else:
        _show(found, compared_in_words(found))
        if found.new.quarantined:
            said = several(found.new.quarantined, "row is no event", "rows are no events")
            aside().print(f"[yellow]{said}[/]; see {beside}", soft_wrap=True)
        if report is None:
            next_steps(f"tidegate compare {old} {new} {files[0]} … --report comparison.html  the same with examples")
        else:
            next_steps(f"open {report}  the report, in a browser")
    nothing = found.new.rows_read > 0 and found.new.rows == 0
    raise typer.Exit(1 if nothing or (fail_on_flips and found.flipped) else 0)


def _plain(found: "Compared") -> dict[str, Any]:
    """The comparison for scripts."""
    from tidegate.reports.comparison_tables import LABELS

    outcomes = found.new.outcomes

    def groups(of: Any) -> list[dict[str, Any]]:
        return [
            {"old": outcomes[o], "new": outcomes[n], "label": LABELS[label], "events": g.events, "money": g.money}
            for (o, n, label), g in sorted(of.items())
        ]

    return {
        "old": {"flow": found.old.flow, "digest": found.old.digest},
        "new": {"flow": found.new.flow, "digest": found.new.digest},
        "currency": found.new.currency,
        "same": found.same,
        "flipped": found.flipped,
        "changes": [{"line": c.name, "old": c.old, "new": c.new} for c in found.changes],
        "groups": groups(found.groups),
        "causes": [
            {
                "rule": cause.rule,
                "fires": cause.fires,
                "because": cause.because,
                "changes": [{"line": c.name, "old": c.old, "new": c.new} for c in (*cause.changes, *cause.models)],
                "flips": cause.flips,
                "groups": groups(cause.groups),
            }
            for cause in found.causes
        ],
        "alarms": {"only_old": found.alarms[0], "only_new": found.alarms[1]},
        "levels": found.levels,
        "scores": {"events": found.scores[0], "largest": found.scores[1]},
        "reasons": found.reasons,
        "only_old": found.alone[0],
        "only_new": found.alone[1],
        "examples": [
            {
                "id": flip.id,
                "old": outcomes[flip.kind[0]],
                "new": outcomes[flip.kind[1]],
                "label": LABELS[flip.kind[2]],
                "amount": flip.amount,
                "because": flip.because,
                "values": {name: {"old": before, "new": after} for name, (before, after) in flip.values.items()},
            }
            for flip in found.examples
        ],
    }


def _show(found: "Compared", lines: list[tuple[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from tidegate.reports.comparison_tables import causes, changed, flips

    console = out()
    head = Table(
        title=Text(f"{found.old.flow}@{found.old.digest[:12]} → {found.new.flow}@{found.new.digest[:12]}", "bold"),
        title_justify="left", box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False,
    )  # fmt: skip
    for key, value in lines:
        head.add_row(Text(key, "dim"), Text(value))
    console.print(head)
    for table in (changed(found), flips(found), causes(found)):
        if not table.rows:
            continue
        console.print()
        shown = Table(
            title=Text(table.caption, "bold"), title_justify="left", box=None, header_style="dim", padding=(0, 2, 0, 0),
            pad_edge=False,
        )  # fmt: skip
        for place, name in enumerate(table.head):
            shown.add_column(name, justify="left" if place < table.text_columns else "right", overflow="fold")
        for row in table.rows:
            shown.add_row(*(Text(cell if isinstance(cell, str) else "\n".join(filter(None, cell))) for cell in row))
        console.print(shown)
