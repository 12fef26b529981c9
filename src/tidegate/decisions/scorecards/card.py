"""Scorecards: characteristics whose bins are read and checked against the types of what they are over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from math import isfinite
from typing import Any

from tidegate.decisions.scorecards.scaling import Scaling
from tidegate.decisions.scorecards.written import OTHERWISE, WrittenBin, WrittenCard, WrittenCharacteristic
from tidegate.decisions.tables.cells import Cell, cell, complement, merged
from tidegate.decisions.tables.line import Line, Ranges, number_of
from tidegate.decisions.tables.table import Column
from tidegate.decisions.tables.types import decimal_comma, declared, fits, shown_by
from tidegate.errors import FlowError, nearest
from tidegate.events.types import Kind, Type

METHODS = ("max", "min", "mean")
"""What losses are counted from: the best bin, the worst, or the mean of all rows that the card was fitted on."""
MOST_CHARACTERISTICS = 256


@dataclass(frozen=True)
class Bin:
    """A bin: the values that it holds for, its points, and the words and code for points lost here.

    `count` and `events` are of the rows it was fitted on, None where that is not known. `place` is where it stands.
    """

    cell: Cell
    points: float
    because: str
    code: str
    count: float | None = None
    events: float | None = None
    place: str = ""


@dataclass(frozen=True)
class Characteristic:
    """A characteristic: its name, type and values in `column`, its bins, and the points that losses count from."""

    column: Column
    bins: tuple[Bin, ...]
    baseline: float
    method: str

    @property
    def name(self) -> str:
        """What it is called."""
        return self.column.name

    @property
    def missing(self) -> int:
        """The place of the bin for a missing value, or -1."""
        return next((place for place, one in enumerate(self.bins) if one.cell.missing), -1)

    @property
    def counts(self) -> list[tuple[float, float]] | None:
        """Rows and events of every bin, if they are known."""
        found = [(one.count, one.events) for one in self.bins]
        if any(count is None or events is None for count, events in found):
            return None
        return [(count or 0.0, events or 0.0) for count, events in found]


@dataclass(frozen=True, eq=False)
class Card:
    """A scorecard. `digest` stands for all of it that a decision can depend on or show, but for its name.

    `worse` says that more points are worse, `most` how many reasons are given at the most.
    """

    name: str
    initial: float
    characteristics: tuple[Characteristic, ...]
    scaling: Scaling | None
    worse: bool
    most: int
    digest: str

    @property
    def sign(self) -> int:
        """1 where points above the baseline are lost, -1 where those below are."""
        return 1 if self.worse else -1


def made(written: WrittenCard, types: Mapping[str, Type] | None = None, currency: str | None = None) -> Card:
    """The scorecard that was written.

    Args:
        written: as it was written.
        types: the types of its characteristics by name, from the flow; without them they are declared or shown.
        currency: of amounts that name none.

    Raises:
        FlowError: a bin is not of its characteristic's type or unit, points are no number, or a setting is none.
    """
    if not written.characteristics:
        raise FlowError(f"The scorecard {written.told} has no characteristics.", do="Give it one with some bins.")
    if len(written.characteristics) > MOST_CHARACTERISTICS:
        raise FlowError(f"The scorecard {written.told} is too large.", do=f"At most {MOST_CHARACTERISTICS} are read.")
    _names(written, types)
    settings = _Settings(written)
    parts = tuple(_characteristic(part, types, currency, settings) for part in written.characteristics)
    card = Card(
        written.name, settings.number("initial score", 0.0), parts, settings.scaling, settings.worse, settings.most, ""
    )
    return replace(card, digest=_digest(card))


def _names(written: WrittenCard, types: Mapping[str, Type] | None) -> None:
    names = [part.name for part in written.characteristics]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise FlowError(
            f"The scorecard {written.told} has two characteristics of one name.", seen=twice,
            do="Rename one, or put its bins together.",
        )  # fmt: skip
    for given in types or ():
        if given not in names:
            near = nearest(given, names)
            raise FlowError(
                f"The scorecard {written.told} has no characteristic {given!r}.", seen=", ".join(names),
                do=f"Did you mean {near}?" if near else "",
            )  # fmt: skip
    for name in names if types is not None else ():
        if name not in (types or {}):
            raise FlowError(
                f"The scorecard {written.told} reads {name!r}, and is not given it.",
                seen=", ".join(types or ()) or "nothing", do=f'Write of={{…, "{name}": …}}.',
            )  # fmt: skip


class _Settings:
    """What is said of the whole card."""

    def __init__(self, written: WrittenCard) -> None:
        self.written = written
        said = written.settings
        three = [said.get(name) for name in ("pdo", "base points", "base odds")]
        self.scaling = None
        if any(one is not None for one in three):
            pdo, points, odds = (self.number(name) for name in ("pdo", "base points", "base odds"))
            self.scaling = Scaling(pdo, points, odds)
        higher = said.get("higher") or ("worse" if self.scaling is not None and self.scaling.pdo < 0 else "better")
        if higher not in ("better", "worse"):
            raise self.wrong("higher", "More points are better, or worse.", higher, "Write better or worse.")
        if self.scaling is not None and (self.scaling.pdo < 0) != (higher == "worse"):
            sign = "below" if higher == "worse" else "above"
            raise self.wrong(
                "higher", f"Where more points are {higher}, pdo is {sign} zero.", self.scaling.pdo,
                "pdo is the points that double the odds of good.",
            )  # fmt: skip
        self.worse = higher == "worse"
        self.method = str(said.get("baseline") or ("min" if self.worse else "max"))
        if self.method not in METHODS:
            raise self.wrong("baseline", f"baseline is one of {', '.join(METHODS)}.", self.method, "")
        most = self.number("reasons", 4.0)
        if most != int(most) or not 0 <= most <= 100:
            raise self.wrong("reasons", "reasons is how many are given at the most.", most, "Write 4.")
        self.most = int(most)

    def wrong(self, name: str, what: str, seen: Any, do: str) -> FlowError:
        """A mistake in a setting."""
        at = self.written.places.get(name, f"The scorecard {self.written.told}")
        return FlowError(f"{at}: {what}", seen=str(seen), do=do)

    def number(self, name: str, default: float | None = None) -> float:
        """A setting that is a number."""
        value = self.written.settings.get(name)
        if value is None and default is not None:
            return default
        try:
            return _number(value)
        except ValueError:
            needs = "pdo, base points and base odds go together: " if name.startswith(("pdo", "base ")) else ""
            raise self.wrong(name, f"{needs}{name} is a number.", "nothing" if value is None else value, "") from None


def _number(value: Any) -> float:
    """A finite number, written or given."""
    if isinstance(value, str):
        value = number_of(value.strip())
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not isfinite(float(value)):
        raise ValueError(value)
    return float(value)


def _characteristic(
    part: WrittenCharacteristic, types: Mapping[str, Type] | None, currency: str | None, settings: _Settings
) -> Characteristic:
    at = part.place or f"{settings.written.told}, {part.name}"
    if not part.bins:
        raise FlowError(f"{at}: A characteristic has bins.", seen="none")
    column = _column(part, at, types, currency)
    bins = _bins(part, at, column.line)
    given = part.baseline is not None
    baseline = _said(part.baseline, at, "baseline") if given else _baseline(bins, settings.method, at)
    return Characteristic(column, bins, baseline, "other" if given else settings.method)


def _column(part: WrittenCharacteristic, at: str, types: Mapping[str, Type] | None, currency: str | None) -> Column:
    given = types[part.name] if types is not None else None
    try:
        said = declared(part.declared) if part.declared else given
    except FlowError as error:
        raise FlowError(f"{at}: {error.wrong}", seen=error.seen, do=error.do) from None
    if said is None:
        cells = [one.cell for one in part.bins if not _is_otherwise(one.cell)]
        said, odd = shown_by(cells, cell, currency)
        if odd >= 0:
            if comma := decimal_comma(cells[odd], cell):
                raise FlowError(f"{at}: {comma.wrong}", seen=comma.seen, do=comma.do)
            raise FlowError(
                f"{at}: Most bins are of {said}, and one is not.", seen=str(cells[odd]),
                do=f"Mend it, or write {part.name} (text).",
            )  # fmt: skip
    if given is not None and not fits(said, given) and not (part.in_order and _measured(said, given)):
        raise FlowError(
            f"{at}: {part.name} is declared as {part.declared}, and is given {given}.",
            do="Give it another feature, or correct its head.",
        )
    money = (given or said).kind is Kind.MONEY
    line = Line(given or said, (said.currency or currency) if money else None)
    try:
        domain = cell(part.values, line) if part.values else None
    except FlowError as error:
        raise FlowError(f"{at}: {error.wrong}", seen=error.seen, do=error.do) from None
    if domain is None and line.type.choices:
        domain = cell([f'"{choice}"' for choice in line.type.choices], line)
    return Column(part.name, line.type, line, domain)


def _measured(said: Type, given: Type) -> bool:
    """Whether a plain number of PMML can stand for what the flow gives, which has a unit."""
    return said.kind is Kind.FLOAT and given.kind in (Kind.MONEY, Kind.DURATION)


def _is_otherwise(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() == OTHERWISE


def _bins(part: WrittenCharacteristic, at: str, line: Line) -> tuple[Bin, ...]:
    rest = [place for place, one in enumerate(part.bins) if _is_otherwise(one.cell)]
    if len(rest) > 1:
        raise FlowError(f"{part.bins[rest[1]].place or at}: A characteristic has one bin otherwise.", seen="two")
    found: list[Cell | None] = []
    taken: Ranges = ()
    missing = False
    for one in part.bins:
        if _is_otherwise(one.cell):
            found.append(None)
            continue
        held = _cell(one, at, line)
        if part.in_order:
            held = replace(held, ranges=_without(held.ranges, taken), missing=held.missing and not missing)
        taken, missing = merged(iter((*taken, *held.ranges))), missing or held.missing
        found.append(held)
    if line.type.kind is Kind.BOOL:
        taken = merged(iter((*taken, *complement((line.ends,)))))  # there is nothing beside the two
    other = Cell(complement(taken), False, OTHERWISE)
    return tuple(_bin(one, part, at, held or other) for one, held in zip(part.bins, found, strict=True))


def _without(ranges: Ranges, taken: Ranges) -> Ranges:
    """The points of some ranges that are not in others."""
    free = complement(taken)
    return merged(
        iter([(max(a, c), min(b, d)) for a, b in ranges for c, d in free if max(a, c) <= min(b, d)])
    )  # fmt: skip


def _cell(one: WrittenBin, at: str, line: Line) -> Cell:
    where = one.place or at
    try:
        value = "missing" if one.cell is None else one.cell
        held: Cell = value.on(line) if hasattr(value, "on") else cell(value, line)
    except FlowError as error:
        raise FlowError(f"{where}: {error.wrong}", seen=error.seen, do=error.do) from None
    if held.any:
        raise FlowError(f"{where}: A bin holds for something.", seen=repr(one.cell), do=f"Write {OTHERWISE}.")
    return held


def _bin(one: WrittenBin, part: WrittenCharacteristic, at: str, held: Cell) -> Bin:
    where = one.place or f"{at}, {held.text}"
    code = one.code or part.code or part.name
    because = one.because or part.because or code
    count, events = (None if n is None else _said(n, where, "a count") for n in (one.count, one.events))
    if count is not None and events is not None and not 0 <= events <= count:
        raise FlowError(f"{where}: There are no more events than rows.", seen=f"{events:g} of {count:g}")
    return Bin(held, _said(one.points, where, "points"), because, code, count, events, where)


def _said(value: Any, at: str, what: str) -> float:
    try:
        return _number(value)
    except ValueError:
        seen = "nothing" if value is None else str(value)[:80]
        raise FlowError(f"{at}: {what} is a number.", seen=seen, do="Write 12 or 12.5.") from None


def _baseline(bins: Sequence[Bin], method: str, at: str) -> float:
    points = [one.points for one in bins]
    if method != "mean":
        return max(points) if method == "max" else min(points)
    counts = [one.count for one in bins]
    total = sum(count or 0.0 for count in counts)
    if None in counts or not total:
        raise FlowError(
            f"{at}: The mean of points is over the rows that a card was fitted on, and they are not counted here.",
            seen="a bin without count" if None in counts else "no rows", do="Fill the column count, or use max or min.",
        )  # fmt: skip
    return sum(one.points * (one.count or 0.0) for one in bins) / total


def _digest(card: Card) -> str:
    """sha256 over everything that a decision can depend on or show."""
    digest = sha256(repr((card.initial, card.scaling, card.worse, card.most)).encode())
    for part in card.characteristics:
        line = part.column.line
        digest.update(repr((part.name, str(part.column.type), line.currency, part.baseline)).encode())
        for one in part.bins:
            held = (one.cell.ranges, one.cell.missing, one.cell.text, one.points, one.because, one.code)
            digest.update(repr(held).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


__all__ = ["METHODS", "Bin", "Card", "Characteristic", "made"]
