"""How the command line speaks: results to stdout, everything else to stderr, errors with their place."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from rich.console import Console

COLOURS = {"approve": "green", "review": "yellow", "decline": "red"}


def out() -> "Console":
    """The console that results go to."""
    from tidegate.cli.console import Console

    return Console(highlight=False)


def aside() -> "Console":
    """The console that progress, advice and errors go to; where logs are lines of JSON, it writes such lines."""
    from tidegate.cli.console import Console
    from tidegate.cli.logs import said_lines

    lines = said_lines()
    if lines is not None:
        return Console(file=lines, color_system=None, highlight=False)
    return Console(stderr=True, highlight=False)


def tell(error: TidegateError) -> None:
    """Show a user's mistake: what is wrong, where, what was seen, what to do."""
    from rich.text import Text

    from tidegate.cli.logs import said_lines

    lines = said_lines()
    if lines is not None:
        lines.mistake(error)
        return
    console = aside()
    console.print(Text.assemble(("Error: ", "bold red"), error.wrong), soft_wrap=True)
    _show_place(console, error)
    if error.seen:
        console.print(Text.assemble(("  seen  ", "dim"), error.seen), soft_wrap=True)
    if error.do:
        console.print(Text.assemble(("  do    ", "dim"), error.do), soft_wrap=True)
    pointer = getattr(error, "pointer", "")
    if pointer:
        console.print(Text.assemble(("  at    ", "dim"), pointer), soft_wrap=True)


def _show_place(console: "Console", error: TidegateError) -> None:
    """The line of a flow file, with the mistake marked."""
    from rich.text import Text

    file, line = getattr(error, "file", ""), getattr(error, "line", 0)
    if not file or not line:
        return
    text, start, end = (
        str(getattr(error, "text", "")) or _line_of(file, line),
        int(getattr(error, "start", 0)),
        int(getattr(error, "end", 0)),
    )
    number = str(line)
    console.print(Text(f"  {file}:{line}", style="bold"), soft_wrap=True)
    if not text:
        return
    console.print(Text.assemble((f"  {number} │ ", "dim"), text), soft_wrap=True)
    if end > start:
        console.print(
            Text.assemble((f"  {' ' * len(number)} │ ", "dim"), " " * start, ("^" * (end - start), "red")),
            soft_wrap=True,
        )


def _line_of(file: str, line: int) -> str:
    """A line of a text that others wrote, shortened; nothing if it cannot be read."""
    from itertools import islice

    from tidegate.reports.words import shortened

    try:
        with Path(file).open(encoding="utf-8", errors="replace") as given:
            found = next(islice((one[:10_000] for one in given), line - 1, line), "")
    except OSError:
        return ""
    return shortened(found, 120)


def ready(*, pmml: bool = False) -> None:
    """Have the kernels ready; while they are compiled, once on a machine and for a minute or two, that is said.

    With `pmml` those that run models read from PMML, and no others.
    """
    from tidegate.runtimes.readiness import PMML, STEPS, prepare

    with compiling_told() as report:
        prepare(report, PMML if pmml else STEPS)


@contextmanager
def compiling_told(now: str = "kernels: PMML models") -> Iterator[Callable[[str, int, int], None]]:
    """Within it, what is compiled is said as soon as that begins; code that is kept is loaded without a word.

    Gives what takes a step of getting ready, and what it is: see `prepare`. `now` is said where no step was told.
    """
    from tidegate.kernels.kept import before_compiling

    console, told = aside(), ""
    with console.status("getting ready") as status:

        def report(what: str, done: int, many: int) -> None:
            nonlocal now
            now = f"kernels: {what}, {done} of {many}"

        def tell() -> None:
            nonlocal told
            if told == now:
                return
            told = now
            words = f"{now}; compiled once, then kept"
            status.update(words)
            if not console.is_terminal:
                console.print(words, soft_wrap=True)

        with before_compiling(tell):
            yield report


def emit(value: Any) -> None:
    """Print a value as one line of JSON."""
    import msgspec

    typer.echo(msgspec.json.encode(value, enc_hook=str).decode())


def print_lines(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Container[int] = (),
    styles: Mapping[int, Mapping[str, str]] = {},
) -> None:
    """Print rows in columns to stdout, each on a line of its own, however long: what is cut or wrapped can neither be
    searched nor copied.

    Args:
        head: what the columns are called.
        rows: texts, one for each column.
        right: the places of columns of numbers.
        styles: of words in a column, by its place.
    """
    from rich.cells import cell_len
    from rich.text import Text

    console, lines = out(), [[" ".join(text.replace("\t", " ").splitlines()) for text in row] for row in (head, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        words = Text(style="" if number else "dim")
        for at, text in enumerate(line):
            space = " " * (widths[at] - cell_len(text))
            words.append(space if at in right else "")
            words.append(text, styles.get(at, {}).get(text))
            words.append("  " if at in right else space + "  ")
        words.rstrip()
        console.print(words, soft_wrap=True)


def written(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file that was asked for.

    Raises:
        TidegateError: it cannot be written there.
    """
    try:
        write(path)
    except OSError as error:
        raise TidegateError(
            f"{path} cannot be written.", seen=error.strerror or str(error), do="Name another place."
        ) from None


def now() -> int:
    """The time, microseconds since 1970 UTC."""
    import time

    return time.time_ns() // 1000


def program_version() -> str:
    """The version of Tidegate that runs, or nothing where it was not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tidegate")
    except PackageNotFoundError:
        return ""


def started_as() -> str:
    """What to type for this program: its name where a shell finds that, else the path it was started by."""
    import os
    import shlex
    import shutil
    import sys

    path = sys.argv[0]
    if shutil.which("tidegate") is not None or os.path.basename(path) not in ("tidegate", "tidegate.exe"):
        return "tidegate"
    try:
        near = os.path.relpath(path)
    except ValueError:  # on another drive
        return shlex.quote(path)
    return shlex.quote(min(os.path.abspath(path), near, key=len))


def next_steps(*lines: str, away: bool = False) -> None:
    """Say what to do next, beside the result: each line a command and, after two blanks, what it is for.

    `away` says that the lines are to be typed in another folder.
    """
    import os

    from rich.text import Text

    from tidegate.cli.logs import said_lines

    if said_lines() is not None:
        return  # advice to who typed the command, and nobody did
    program = started_as()
    if away and program != "tidegate":
        import shlex

        program = shlex.quote(os.path.abspath(shlex.split(program)[0]))
    console = aside()
    console.print("\nNext:", style="bold")
    steps = []
    for line in lines:
        command, _, words = line.partition("  ")
        if command.startswith("tidegate "):
            command = program + command.removeprefix("tidegate")
        steps.append((command, words.strip()))
    width = max(len(command) for command, _ in steps)
    beside = console.width >= width + 4 + max(len(words) for _, words in steps)
    for command, words in steps:
        if beside:
            text = Text.assemble("  ", (command.ljust(width), "cyan"), "  ", (words, "dim"))
        else:
            text = Text.assemble("  ", (words, "dim"), "\n    ", (command, "cyan"))
        console.print(text, soft_wrap=True)


def quoted(*words: object) -> str:
    """Words as a shell takes them, in a line that is to be typed: ids and addresses may hold what it would obey."""
    import shlex

    return " ".join(shlex.quote(str(word)) for word in words)


def several(many: int, one: str, more: str = "") -> str:
    """A number and what it counts: `1 row`, `2 rows`; `more` where an s is not the plural."""
    return f"{many:,} {one if many == 1 else more or one + 's'}"


def when(at: int) -> str:
    """Microseconds since 1970 as people read a time, UTC, to the second."""
    from datetime import UTC, datetime, timedelta

    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at):%Y-%m-%d %H:%M:%S}"
