"""Scorecards written as CSV, to be looked at in a spreadsheet, changed, and read again."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from tidegate.decisions.scorecards.card import Card, Characteristic
from tidegate.decisions.scorecards.woe import information_value, weights_of_evidence
from tidegate.decisions.tables.telling import quoted
from tidegate.events.types import Kind

HEAD = ("scorecard", "bin", "points", "because", "code", "baseline")
COUNTED = ("count", "events", "note event rate", "note woe", "note iv")


def scorecard_csv(card: Card) -> bytes:
    """A scorecard as the lines that `scorecard` reads; with counts, also what each bin tells of good and bad."""
    counted = any(part.counts is not None for part in card.characteristics)
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    width = len(HEAD) + (len(COUNTED) if counted else 0)
    writer.writerow([*HEAD, *(COUNTED if counted else ())])
    for name, value in _settings(card):
        writer.writerow([name, "", value, *[""] * (width - 3)])
    for part in card.characteristics:
        for line in _bins(part, counted):
            writer.writerow(line)
    return held.getvalue().encode()


def _settings(card: Card) -> Iterator[tuple[str, Any]]:
    if card.initial:
        yield "initial score", _number(card.initial)
    if card.scaling is not None:
        yield "pdo", _number(card.scaling.pdo)
        yield "base points", _number(card.scaling.base_points)
        yield "base odds", _number(card.scaling.base_odds)
    if card.worse:
        yield "higher", "worse"
    methods = {part.method for part in card.characteristics} - {"other", "min" if card.worse else "max"}
    for method in methods:  # there is one at the most
        yield "baseline", method
    if card.most != 4:
        yield "reasons", card.most


def _bins(part: Characteristic, counted: bool) -> Iterator[list[Any]]:
    counts = part.counts
    told = zip(weights_of_evidence(counts), information_value(counts), strict=True) if counts else None
    for place, one in enumerate(part.bins):
        first = place == 0
        line = [
            _head(part) if first else "", one.cell.text, _number(one.points), one.because,
            one.code, _number(part.baseline) if first and part.method == "other" else "",
        ]  # fmt: skip
        if counted:
            woe, iv = next(told) if told is not None else (None, None)
            line += [_number(one.count), _number(one.events), "", "", ""]
            if one.count:
                line[-3:] = [f"{(one.events or 0) / one.count:.4f}", _short(woe), _short(iv)]
        yield line


def _head(part: Characteristic) -> str:
    """The characteristic with its type, so that it is read as it is whatever its bins look like."""
    kind, line = part.column.type, part.column.line
    names = {
        Kind.INT: "whole number", Kind.FLOAT: "number", Kind.BOOL: "bool", Kind.TEXT: "text", Kind.TIME: "time",
        Kind.DURATION: "duration", Kind.MONEY: f"money {line.currency}" if line.currency else "money",
        Kind.KEY: "whole number" if kind.whole else "text",
    }  # fmt: skip
    choices = f": {', '.join(map(quoted, kind.choices))}" if kind.choices else ""
    return f"{part.name} ({names[kind.kind]}{choices})"


def _number(value: float | None) -> Any:
    """A number in the fewest digits that are read back to the bit."""
    if value is None:
        return ""
    return int(value) if value == int(value) and abs(value) < 2**53 else repr(value)


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


__all__ = ["scorecard_csv"]
