"""Cells: what a row of a table asks of one input, in a small language that reads like the tests of DMN.

-                    anything, missing too (a blank cell says the same)
DE                   this value; text with commas or brackets in it stands in "quotes"
DE, FR, IT           one of these
< 100, >= 2.5        compared
[1..5), (0..1]       a range; a square bracket includes its end
not(DE, FR)          anything but these; missing is not among it
missing              no value
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tidegate.decisions.tables.line import HIGH, LOW, Line, Ranges
from tidegate.errors import FlowError
from tidegate.events.types import Kind

FULL: Ranges = ((LOW, HIGH),)
LONGEST = 10_000
"""The most characters of a cell."""
_SIGNS = ("<=", ">=", "==", "!=", "<", ">", "=")
_COMMA_IN_NUMBER = re.compile(r"\d+,\d+")


@dataclass(frozen=True)
class Cell:
    """The values that a cell holds for: ranges of points, and whether a missing value is among them.

    `text` is the cell as it was written; `any` says that it asks nothing.
    """

    ranges: Ranges
    missing: bool
    text: str
    any: bool = False


ANY = Cell(FULL, True, "-", True)


def cell(value: Any, line: Line) -> Cell:
    """The cell that a text or a Python value stands for; a list holds for any of what is in it.

    Raises:
        FlowError: it is no cell, or not of the column's type and unit.
    """
    if isinstance(value, str):
        text = value.strip()
        if text in ("", "-"):
            return ANY
        found, missing = _Reader(text, line).whole()
        return Cell(found, missing, text)
    if isinstance(value, (list, tuple, set, frozenset)):
        if not value:
            raise FlowError("A cell holds for something.", seen=repr(value), do='Write "-" for anything.')
        parts = [
            cell(part, line) for part in (sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value)
        ]
        ranges = merged(one for part in parts for one in part.ranges)
        return Cell(ranges, any(part.missing for part in parts), ", ".join(part.text for part in parts))
    if value is None:
        raise FlowError("A cell is not None.", do='Write "missing" for no value, "-" for anything.')
    ranges = line.equal(value)
    return Cell(ranges, False, line.shown(ranges[0][0]))


def only(asked: Cell, values: Cell) -> Cell:
    """A cell of a column that sees a missing value in the place of one that is none of its values."""
    without = complement(values.ranges)
    held = complement(merged(iter((*complement(asked.ranges), *without))))
    return replace(asked, ranges=merged(iter((*held, *without))) if asked.missing else held)


def merged(ranges: Iterator[tuple[int, int]]) -> Ranges:
    """Ranges in order, with those that touch made one."""
    made: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if made and low <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(high, made[-1][1]))
        elif low <= high:
            made.append((low, high))
    return tuple(made)


def complement(ranges: Ranges) -> Ranges:
    """Every point that is not in them."""
    made, at = [], LOW
    for low, high in ranges:
        if at < low:
            made.append((at, low - 1))
        at = high + 1
    return (*made, (at, HIGH)) if at <= HIGH else tuple(made)


class _Reader:
    """Reads one cell from left to right."""

    def __init__(self, text: str, line: Line) -> None:
        if len(text) > LONGEST:
            raise FlowError(
                "A cell is too long.", seen=f"{len(text):,} characters", do=f"At most {LONGEST:,} are read."
            )
        self.text, self.line, self.at = text, line, 0

    def whole(self) -> tuple[Ranges, bool]:
        """The cell; nothing may be left over."""
        found = self.alternatives()
        if self.at < len(self.text):
            raise self.wrong("A cell ends here.", self.text[self.at :])
        return found

    def wrong(self, what: str, seen: str = "") -> FlowError:
        return FlowError(
            what,
            seen=seen or self.text,
            do='Write a value, "a, b", "< 5", "[1..5)", "not(…)", "missing" or "-"; text with , ( [ in it in "quotes".',
        )

    def blank(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def take(self, sign: str) -> bool:
        self.blank()
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def alternatives(self, inside: bool = False) -> tuple[Ranges, bool]:
        """Tests with commas between them."""
        ranges: list[tuple[int, int]] = []
        missing = False
        while True:
            found, none = self.test(inside)
            ranges += found
            missing = missing or none
            if not self.take(","):
                self.blank()
                return merged(iter(ranges)), missing

    def test(self, inside: bool) -> tuple[Ranges, bool]:
        self.blank()
        rest = self.text[self.at :]
        opened = re.match(r"not\s*\(", rest)
        if opened:
            if inside:
                raise self.wrong("not(…) does not stand in another not(…).")
            self.at += opened.end()
            found, _ = self.alternatives(inside=True)
            if not self.take(")"):
                raise self.wrong("A bracket is not closed.")
            return complement(found), False
        if re.match(r"missing\s*(?=[,)]|$)", rest):
            self.take("missing")
            return (), True
        sign = next((sign for sign in _SIGNS if rest.startswith(sign)), "")
        if sign:
            self.at += len(sign)
            return self.compared(sign), False
        if rest[:1] in ("[", "(", "]"):
            return self.range(), False
        return self.line.equal(self.value()), False

    def compared(self, sign: str) -> Ranges:
        value = self.value()
        if sign in ("=", "=="):
            return self.line.equal(value)
        if sign == "!=":
            return complement(self.line.equal(value))
        if sign in ("<", "<="):
            return merged(iter([(LOW, self.line.below(value, inclusive=sign == "<="))]))
        return merged(iter([(self.line.above(value, inclusive=sign == ">="), HIGH)]))

    def range(self) -> Ranges:
        """`[1..5)`; DMN's `]1..5[` leaves both ends out too."""
        start = self.at
        opening = self.text[start]
        self.at += 1
        low = self.line.above(self.value(), inclusive=opening == "[")
        if not self.take(".."):
            raise self.wrong("A range has two dots between its ends.", self.text[start:])
        high_value = self.value()
        self.blank()
        closing = self.text[self.at : self.at + 1]
        if closing not in ("]", ")", "["):
            raise self.wrong("A range is not closed.", self.text[start:])
        self.at += 1
        high = self.line.below(high_value, inclusive=closing == "]")
        if low > high:
            raise self.wrong("Nothing lies in this range.", self.text[start : self.at])
        return ((low, high),)

    def value(self) -> str:
        """A constant: in quotes, or up to the next comma, closing bracket or two dots."""
        self.blank()
        start = self.at
        if self.text[start : start + 1] == '"':
            quoted = re.compile(r'"((?:[^"\\]|\\.|"")*)"').match(self.text, start)
            if quoted is None:
                raise self.wrong("A quote is not closed.", self.text[start:])
            self.at = quoted.end()
            self.blank()
            if (
                self.at < len(self.text)
                and self.text[self.at] not in ",)]"
                and self.text[self.at : self.at + 2] != ".."
            ):
                raise self.wrong("After a text in quotes comes a comma or the end.", self.text[start:])
            return re.sub(r'\\(.)|""', lambda m: m[1] or '"', quoted[1])
        found = re.compile(r"(?:(?!\.\.)[^,()\[\]\"<>])*").match(self.text, start)
        text = found[0].strip() if found else ""
        if not text:
            raise self.wrong("A value is missing here.", self.text[start:] or self.text)
        self.at = found.end() if found else start
        self._no_decimal_comma(start)
        return text

    def _no_decimal_comma(self, start: int) -> None:
        """`1,5` in a column of numbers is far more likely one number than two: it has to be said."""
        numeric = self.line.type.kind in (Kind.INT, Kind.FLOAT, Kind.MONEY)
        if numeric and _COMMA_IN_NUMBER.match(self.text, start) and self.text[start : start + 1].isdigit():
            raise FlowError(
                "A comma between digits: one number or two?",
                seen=self.text[start:],
                do="Numbers have a decimal point: write 1.5 for one number, and 1, 5 with a blank for two.",
            )
