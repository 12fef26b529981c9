"""Lines that a command answers one by one: what each of them holds, and those that had no answer.

A line that cannot be read ends nothing: it is told with its place, keeps that among the answers and is counted, and in
the end the exit code is 1. A file that cannot be read at all ends the command.
"""

import csv
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import typer

from tidegate.cli.terminal import aside, several
from tidegate.errors import TidegateError
from tidegate.events.depth import require_shallow

MOST_TOLD = 5
"""How many lines without an answer are told; the answers say why of all."""
UNDECODED = re.compile("[\udc80-\udcff]")
"""What stands for bytes that are not UTF-8 in a text that was opened with `surrogateescape`."""

T = TypeVar("T")


class Unanswered:
    """The lines of an input that had no answer: the first are told with their place, all are counted.

    Args:
        source: the input, as its user named it.
        unit: what its lines are called in words: line or row.
        lacking: how such lines are counted, in words.
    """

    def __init__(self, source: str, unit: str = "line", lacking: str = "without an answer") -> None:
        self.source, self.unit, self.lacking, self.many = source, unit, lacking, 0

    def add(self, place: str, why: object) -> None:
        """One more, and why: at a place such as `Line 3`."""
        self.many += 1
        if self.many <= MOST_TOLD:
            aside().print(f"{place} of {self.source}: {why}", soft_wrap=True, markup=False)

    def end(self, lines: int, to: object = "") -> None:
        """Say how many lines there were, how many of them are here, and where the answers are.

        Raises:
            Exit: with 1, if there is a line without an answer.
        """
        told = f" (the first {MOST_TOLD} are told)" if self.many > MOST_TOLD else ""
        said = f", {self.many:,} {self.lacking}{told}" if self.many else ""
        aside().print(f"{several(lines, self.unit)}{said}{f': {to}' if to else ''}", soft_wrap=True, markup=False)
        if self.many:
            raise typer.Exit(1)


def json_lines(lines: Iterable[bytes], read: Callable[[str], T]) -> Iterator[tuple[int, T | TidegateError]]:
    """The number of each line that is not blank, and what `read` makes of it, or why it is nothing.

    Args:
        lines: the lines, in UTF-8.
        read: reads the text of one; raises ValueError where it is no JSON, TidegateError where it is another one.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        found: T | TidegateError
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            require_shallow(text)  # a thread that a Java machine looks after has less of a stack than others
            found = read(text)
        except TidegateError as error:
            found = error
        except (ValueError, RecursionError) as error:
            at = f"{error.msg}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            found = TidegateError("It is no JSON.", seen=at[:200])
        yield number, found


def csv_rows(given: Iterable[str], source: str) -> tuple[list[str], Iterator[tuple[int, list[str] | TidegateError]]]:
    """The header of a CSV file, and of each row the line that it begins on and its cells, or why it is no row.

    Args:
        given: the file, opened with `newline=""` and `errors="surrogateescape"`.
        source: what it is called in messages.

    Raises:
        TidegateError: its first line names no columns, or two alike.
    """
    from tidegate.connectors.separators import separator_of

    lines = _Lines(iter(given))
    first = next(lines, "")
    lines.back(0)
    reader = csv.reader(lines, delimiter=separator_of(first), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise TidegateError(f"{source} is no CSV.", seen=f"its first line: {error}") from None
    if lines.undecoded:
        raise TidegateError(f"{source} is not UTF-8.", seen="its first line", do="Save it as UTF-8.")
    if not header or len(set(header)) != len(header):
        wrong = f"{source} has no header of different names." if first else f"{source} is empty."
        raise TidegateError(wrong, seen=str(header)[:200], do="Its first line should name the inputs.")
    return header, _rows(lines, reader, len(header))


def _rows(lines: "_Lines", reader: Iterator[list[str]], width: int) -> Iterator[tuple[int, list[str] | TidegateError]]:
    while True:
        begins = lines.begin()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            wrong = TidegateError("It is no CSV.", seen=str(error), do="Close every quote; double one that is meant.")
        else:
            if not row:
                continue
            if len(row) == width and not lines.undecoded:
                yield begins, row
                continue
            wrong = TidegateError("It is not UTF-8.", do="Save the file as UTF-8.")
            if len(row) != width:
                many = several(len(row), "cell")
                wrong = TidegateError(f"It has {many}, and the header {width}.", seen=str(row)[:80])
        lines.back(1)
        yield begins, wrong


class _Lines:
    """The lines of a file. Those of a row that is none may be had again: a quote left open takes one line with it."""

    def __init__(self, given: Iterator[str]) -> None:
        self.given, self.again = given, deque[str]()
        self.taken: list[str] = []
        self.number, self.undecoded = 0, False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.again.popleft() if self.again else next(self.given)
        self.number += 1
        self.taken.append(line)
        if not line.isascii() and UNDECODED.search(line):
            self.undecoded = True
        return line

    def begin(self) -> int:
        """Begin a row; gives the number of its first line."""
        self.taken.clear()
        self.undecoded = False
        return self.number + 1

    def back(self, kept: int) -> None:
        """Give back what was taken since a row began, save the first lines."""
        self.again.extendleft(reversed(self.taken[kept:]))
        self.number -= len(self.taken[kept:])
        del self.taken[kept:]
