"""`tidegate compare`: two versions of a flow on the same history, before anybody is affected."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.inputs import (
    ColumnNames,
    Defaults,
    Encoding,
    LabelName,
    OtherEvents,
    QuarantineFile,
    Sort,
    inputs,
    not_given,
    options,
    pairs,
    progress,
    rows_in,
    tell_not_given,
    tell_set_aside,
)
from tidegate.cli.options import DEFAULT_MODELS, AsJson, ModelsPath, opened
from tidegate.cli.table_file import CSV, PARQUET, require_form, write_table
from tidegate.cli.terminal import emit, next_steps, now, out, program_version, quoted, ready, written

if TYPE_CHECKING:
    from tidegate.decisions.flow import Flow
    from tidegate.reports.compared import Compared

    Versions = tuple[type[Flow[Any]], type[Flow[Any]]]


def compare(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The flow as it is: FILE.py or FILE.py:ClassName.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The flow as it would be.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="Past events: .parquet, .csv, .ndjson.")
    ] = None,
    live: Annotated[
        Path | None, typer.Option("--live", help="Instead of files: the store in which OLD decided.")
    ] = None,
    shadow: Annotated[
        Path | None, typer.Option("--shadow", help="With --live: the store in which NEW decided beside it.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="With --live: a table of `id` and the label, as far as it is known.")
    ] = None,
    event: OtherEvents = None,
    label: LabelName = "",
    amount: Annotated[str, typer.Option(help="The money field to add up; default: the event's first.")] = "",
    column: ColumnNames = None,
    default: Defaults = None,
    encoding: Encoding = "utf-8",
    sort: Sort = False,
    models: ModelsPath = DEFAULT_MODELS,
    new_models: Annotated[
        Path | None, typer.Option("--new-models", help="The models of NEW, if they lie elsewhere.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write the report here, one HTML file.")] = None,
    flips: Annotated[Path | None, typer.Option("--to", help="Write every flip here: FILE.parquet or FILE.csv.")] = None,
    quarantine: QuarantineFile = None,
    fail_on_flips: Annotated[
        bool, typer.Option("--fail-on-flips", help="Exit with 1 if any decision flips, as a test of a refactoring.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Decide past events by two versions of a flow, and say what flips, for whom, and which expression did it.

    Both versions learn from every event as if they had been live. Nothing is kept, and nobody is affected. With --live
    and --shadow nothing is decided at all: what both decided side by side is read from their stores.
    """
    ready()
    from tidegate.errors import TidegateError
    from tidegate.reports.comparison import compared_in_words, plain, render_comparison
    from tidegate.runtimes.load import load_flow

    require_form(flips, PARQUET, CSV)
    versions = load_flow(old), load_flow(new)
    lacking: dict[str, str] = {}
    if live is not None and shadow is not None and not files:
        found, typed = _recorded(versions, live, shadow, labels, label, amount), f"--live {live} --shadow {shadow}"
    elif files and live is None and shadow is None:
        said = _Said(
            inputs(versions[1], files, event, versions[0]), label, amount, pairs(column, "--column"),
            pairs(default, "--default"), encoding, sort=sort,
        )  # fmt: skip
        found, typed = _replayed(versions, said, models, new_models, quarantine, quiet=as_json), quoted(*files)
        typed += options(
            ("--event", event), ("--label", [label] if label else None), ("--amount", [amount] if amount else None),
            ("--column", column), ("--default", default), ("--encoding", [encoding] if encoding != "utf-8" else None),
            ("--models", [str(models)] if models != DEFAULT_MODELS else None),
            ("--new-models", [str(new_models)] if new_models is not None else None),
        ) + (" --sort" if sort else "")  # fmt: skip
        lacking = not_given(versions[0].definition, said.given) | not_given(versions[1].definition, said.given)
    else:
        raise TidegateError(
            "Two versions are compared on files, or on what two stores recorded.",
            do="Name files of past events, or --live and --shadow.",
        )
    found = replace(found, new=replace(found.new, made_at=now(), version=program_version()))
    if flips is not None:
        write_table(found.flips, flips)
    if report is not None:
        page = render_comparison(found)
        written(report, lambda path: path.write_text(page, encoding="utf-8"))
    if as_json:
        emit(plain(found) | {"not_given": list(lacking)})
    else:
        _show(found, compared_in_words(found))
        tell_not_given(lacking)
        if report is None:
            next_steps(f"tidegate compare {old} {new} {typed} --report comparison.html  the same with examples")
        else:
            next_steps(f"open {report}  the report, in a browser")
    nothing = found.new.rows_read > 0 and found.new.rows == 0
    raise typer.Exit(1 if nothing or (fail_on_flips and found.flipped) else 0)


@dataclass(frozen=True)
class _Said:
    """What was said of the files."""

    given: Mapping[Any, list[Path]]
    label: str
    amount: str
    columns: Mapping[str, str]
    defaults: Mapping[str, str]
    encoding: str
    sort: bool


def _replayed(
    versions: "Versions", said: _Said, models: Path, new_models: Path | None, quarantine: Path | None, *, quiet: bool
) -> "Compared":
    """Both versions over files of past events."""
    from tidegate.connectors.quarantine import Quarantine
    from tidegate.models.registry import Registry
    from tidegate.runtimes.comparison import compare as run
    from tidegate.runtimes.replayed import Counts

    old, new = versions
    counts, every = Counts(), [file for several in said.given.values() for file in several]
    beside = quarantine or every[0].with_name(every[0].name + ".quarantine.ndjson")
    words = f"Comparing {old.definition.name} and {new.definition.name}"
    with Quarantine(beside) as aside_rows, progress(words, rows_in(every), quiet=quiet) as told:
        found = run(
            old, new, {kind.__name__: several for kind, several in said.given.items()}, models=Registry(models),
            new_models=Registry(new_models) if new_models is not None else None, label=said.label or None,
            amount=said.amount or None, columns=said.columns, defaults=said.defaults, quarantine=aside_rows,
            counts=counts, encoding=said.encoding, sort=said.sort, progress=told,
        )  # fmt: skip
    if not quiet:
        tell_set_aside(counts, aside_rows)
    return replace(found, new=replace(found.new, source=", ".join(file.name for file in every)))


def _recorded(
    versions: "Versions", live: Path, shadow: Path, labels: Path | None, label: str, amount: str
) -> "Compared":
    """What both versions decided side by side, from their stores."""
    from tidegate.connectors.labels import read_labels
    from tidegate.runtimes.recorded import compare_recorded
    from tidegate.runtimes.tally import label_of

    old, new = versions
    name = label or label_of(new.definition.event) or "label"
    known = read_labels(labels, name) if labels is not None else {}
    with opened(live) as champion, opened(shadow) as challenger:
        return compare_recorded(old, new, champion, challenger, labels=known, amount=amount or None)


def _show(found: "Compared", lines: list[tuple[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from tidegate.reports.comparison_tables import causes, changed, flips

    console = out()
    versions = (f"{one.flow}@{one.digest[:12]}" for one in (found.old, found.new))
    console.print(Text(" → ".join(versions), "bold"), soft_wrap=True)
    head = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
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
