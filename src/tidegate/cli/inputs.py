"""What `replay`, `features` and `compare` share: files and how their columns are named, progress, quarantine."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.terminal import quoted
from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from tidegate.connectors.quarantine import Quarantine
    from tidegate.decisions.definition import Definition
    from tidegate.runtimes.replayed import Counts, Newest, Placed

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...", help="Events the flow decides on: .parquet, .csv, .ndjson, the last two also .gz."
    ),
]
OtherEvents = Annotated[
    list[str] | None,
    typer.Option("--event", metavar="EVENT=FILE", help="Events of another type, to learn from: Login=logins.parquet."),
]
ColumnNames = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="FIELD=COLUMN", help="Where a file's column is named otherwise: card=CARD_NO."),
]
Defaults = Annotated[
    list[str] | None,
    typer.Option(
        "--default",
        metavar="FIELD=VALUE",
        help="What to take where a file has none: amount.currency=EUR, id=row; and how it writes values: "
        "at.zone=Europe/Berlin, 'at.format=%d.%m.%Y %H:%M', at.unit=s, amount.unit=minor, amount.decimal=,; and "
        "to which version of its contract NDJSON is written: '*.version=1'",
    ),
]
LabelName = Annotated[
    str,
    typer.Option("--label", help="The field or column that says what happened in the end; default: the label field."),
]
QuarantineFile = Annotated[
    Path | None, typer.Option("--quarantine", help="Where rows go that are no events, one JSON object a line.")
]
Encoding = Annotated[str, typer.Option("--encoding", help="Of the text in the files: utf-8, cp1252, latin-1, utf-16.")]
Sort = Annotated[
    bool, typer.Option("--sort", help="Put each file's events in order of time first, where the file is not.")
]
_NAMED = 8
"""How many columns that are not read are named."""
_REASONS = 12
"""How many reasons are told; the quarantine file has all."""
_DISORDER = 0.01
"""From which share of late events on it is said that the whole file is out of order."""


def pairs(given: Sequence[str] | None, option: str, example: str = "amount.currency=EUR") -> dict[str, str]:
    """`NAME=VALUE` options as a mapping.

    Raises:
        TidegateError: one of them is not of that form.
    """
    found = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not name or not equals or not value:
            raise TidegateError(f"{option} is NAME=VALUE.", seen=text, do=f"Write it as in: {option} {example}.")
        found[name.strip()] = value
    return found


def inputs(flow: Any, files: Sequence[Path], events: Sequence[str] | None, old: Any = None) -> dict[Any, list[Path]]:
    """The files of each event type, as `replay` takes them; `old`: a version that may read more types than the flow."""
    from tidegate.runtimes.sources import event_named

    given: dict[Any, list[Path]] = {flow.definition.event: list(files)}
    more = {} if old is None else {kind.__name__: kind for kind in old.definition.kinds}
    for kind in flow.definition.kinds:
        more.pop(kind.__name__, None)
    for text in events or ():
        ((name, file),) = pairs([text], "--event", f"Login={text}").items()
        kind = more[name] if name in more else event_named(flow.definition, name)
        given.setdefault(kind, []).append(Path(file))
    return given


def other_files(definition: "Definition") -> dict[str, str]:
    """The other event types that windows of a flow read, by name, and in words how many windows and rules that are."""
    from tidegate.cli.terminal import several
    from tidegate.expressions.node import walk
    from tidegate.features.window import Window

    said = {}
    for kind in definition.learned:
        windows = {window.key for window in definition.windows if window.of_event is kind}
        rules = sum(
            any(isinstance(node, Window) and node.key in windows for node in walk(rule.when))
            for rule in definition.rules.values()
        )
        if windows:
            many = len(windows) + rules
            said[kind.__name__] = several(len(windows), "window") + (f" and {several(rules, 'rule')}" if rules else "")
            said[kind.__name__] += " read them" if many > 1 else " reads them"
    return said


def event_options(names: Iterable[str]) -> str:
    """The options that give files of other events, as they are to be typed, each after a blank."""
    return "".join(f" --event {name}=FILE" for name in names)


def options(*given: tuple[str, Sequence[str] | None]) -> str:
    """Options as they were typed, each after a blank."""
    return "".join(f" {option} {quoted(value)}" for option, values in given for value in values or ())


def not_given(definition: "Definition", given: Mapping[Any, Any]) -> dict[str, str]:
    """As `other_files`, of the types that no file was given of."""
    there = {kind.__name__ for kind in given}
    return {name: read for name, read in other_files(definition).items() if name not in there}


def tell_not_given(lacking: Mapping[str, str], *, table: bool = False) -> None:
    """Say of which events there was no file although the flow reads them; `table`: it is for a training set."""
    from tidegate.cli.terminal import aside

    so = "a model that is trained on this table learns from what it never sees live" if table else "live it is not so"
    for name, read in lacking.items():
        said = f"[bold yellow]No {name} events were given[/], and {read}: there is nothing in them here, and {so}. "
        aside().print(f"{said}Give their file: `--event {name}=FILE`.", soft_wrap=True)


def out_of_order(counts: "Counts") -> bool:
    """Whether so many events came too late that the file, and not some of its events, is out of order."""
    return counts.late > 0 and counts.late >= _DISORDER * counts.read


def rows_in(files: Sequence[Path]) -> int | None:
    """How many rows the files have, where that can be told without reading them."""
    import polars as pl

    if not all(file.name.lower().endswith(".parquet") and file.is_file() for file in files):
        return None
    try:
        return sum(int(pl.scan_parquet(file).select(pl.len()).collect().item()) for file in files)
    except pl.exceptions.PolarsError:
        return None


@contextmanager
def progress(words: str, total: int | None, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on the error stream; gives the function that is told of rows read."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tidegate.cli.terminal import aside

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=aside(), transient=True, disable=quiet) as bar:
        task = bar.add_task(words, total=total)
        yield lambda rows: bar.advance(task, rows)


def tell_set_aside(counts: "Counts", quarantine: "Quarantine") -> None:
    """Say which rows were no events, and which events were refused."""
    from tidegate.cli.terminal import aside, several

    console = aside()
    tell_twice(counts)
    tell_unread(counts)
    if counts.quarantined:
        where = f"; see {quarantine.path}" if quarantine.path.exists() else ""
        console.print(
            f"[yellow]{several(counts.quarantined, 'row is no event', 'rows are no events')}[/]{where}", soft_wrap=True
        )
        reasons = [(reason, many) for reason, many in quarantine.reasons.most_common() if not _is_refusal(reason)]
        for reason, many in reasons[:_REASONS]:
            console.print(f"  {many:>9,}  {reason}", soft_wrap=True, markup=False)
        left = len(reasons) - _REASONS
        if left > 0:
            console.print(f"  and {several(left, 'other reason')}", soft_wrap=True, markup=False)
    also = f"; see {quarantine.path}" if quarantine.path.exists() else ""
    if counts.late:
        if out_of_order(counts):
            said = (
                "[bold red]The events are not in order of time.[/] What is decided on half of a history means little: "
            )
            console.print(said + "put them in order with `--sort`, and begin again.", soft_wrap=True)
        said = f"[yellow]{several(counts.late, 'event')} came too late[/]: older than the newest event before "
        said += f"{'it' if counts.late == 1 else 'them'} by more than the flow's lateness{also}"
        console.print(said, soft_wrap=True)
        if counts.first_late is not None and counts.behind is not None:
            console.print(f"  {_behind(counts.first_late, counts.behind)}", soft_wrap=True, markup=False)
    if counts.reused:
        refused = several(counts.reused, "event was refused, since its", "events were refused, since their")
        console.print(f"[yellow]{refused} id had stood for other content[/]{also}", soft_wrap=True)
        if counts.reused_ids:
            more = ", …" if counts.reused > len(counts.reused_ids) else ""
            console.print(f"  {', '.join(counts.reused_ids)}{more}", soft_wrap=True, markup=False)


def tell_twice(counts: "Counts") -> None:
    """Say how many times were taken as the first of two."""
    from tidegate.cli.terminal import aside, several

    if counts.twice:
        said = several(counts.twice, "time lies", "times lie")
        aside().print(
            f"[yellow]{said} in an hour that clocks showed twice[/], as they were put back. `--default at.fold=first`, "
            "which is what is done unless told, or second says which of the two it is.",
            soft_wrap=True,
        )


def tell_unread(counts: "Counts") -> None:
    """Say which columns of the files are not read, and first which of them may be misspelled fields."""
    from tidegate.cli.terminal import aside, several

    console = aside()
    for name, unread in counts.unread.items():
        for field, column in unread.near:
            said = f"{name} has no column {field!r}, but one {column!r} that is not read. If that is it, say so with "
            console.print(f"{said}`--column {field}={column}`.", style="yellow", soft_wrap=True, markup=False)
        if unread.columns:
            more = ", …" if len(unread.columns) > _NAMED else ""
            many = several(len(unread.columns), "column is not read", "columns are not read")
            said = f"{name}: {many}: {', '.join(unread.columns[:_NAMED])}{more}"
            console.print(said, style="dim", soft_wrap=True, markup=False)
            for field, currency in unread.assumed:  # one of those columns may say another
                said = f"{name}: no column says the currency of {field!r}: all of it is taken as {currency}, as the "
                said += f"contract has it. If one does, name it with `--column {field}.currency=COLUMN`."
                console.print(said, style="yellow", soft_wrap=True, markup=False)


def _is_refusal(reason: str) -> bool:
    """Whether it is why an event was refused, which is told apart from rows that are no events."""
    return reason.startswith(("/at: It is more than", "/id: This id was used"))


def _behind(late: "Placed", newest: "Newest") -> str:
    """Which event was the first late one, which one it was too late for, and how far ahead of all others that is."""
    from tidegate.cli.terminal import when
    from tidegate.events.durations import spoken

    ahead = "the first of all" if newest.ahead is None else f"{spoken(newest.ahead)} ahead of all before it"
    return (
        f"The first is {late.id} of {when(late.at)} UTC ({late.source}, line {late.line}). It was too late for "
        f"{newest.id} of {when(newest.at)} UTC, {ahead} ({newest.source}, line {newest.line}). "
        "If either time is wrong, mend or take out its line; if the file is not in order of time, add `--sort`."
    )


def exit_code(counts: "Counts", *, fail_on_refused: bool) -> int:
    """1 if none of the rows could be taken, or one could not and that was asked to be a failure."""
    lost = counts.quarantined + counts.refused
    return 1 if lost and (fail_on_refused or lost == counts.read) else 0
