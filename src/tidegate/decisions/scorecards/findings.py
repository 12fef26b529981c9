"""What is found in a scorecard without running it: gaps, overlaps, bins that nothing reaches, points out of order."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from tidegate.decisions.scorecards.card import Bin, Card, Characteristic
from tidegate.decisions.scorecards.woe import weights_of_evidence
from tidegate.decisions.tables.cells import FULL, Cell, complement, merged
from tidegate.decisions.tables.findings import Finding, Found
from tidegate.decisions.tables.line import BELOW_ZERO, Line, Ranges
from tidegate.decisions.tables.telling import plain_value, range_in_words
from tidegate.errors import FlowError

__all__ = ["check", "refuse_unclear"]


def check(card: Card, domains: Mapping[str, Cell] | None = None, missing: Iterable[str] = ()) -> Found:
    """Look for everything that can be found in a scorecard.

    Args:
        card: which scorecard.
        domains: for a characteristic, the values that can come, where more is known than the card says.
        missing: the characteristics that can be missing.
    """
    found, absent = Found(), set(missing)
    for part in card.characteristics:
        domain = (domains or {}).get(part.name) or part.column.domain
        ranges = _ends(part.column.line) if domain is None else domain.ranges
        for finding in (
            *_overlaps(part, ranges), *_gaps(part, ranges), *_unreachable(part, ranges),
            *_absent(part, part.name in absent), *_disorder(part, card.worse), *_wordless(part),
        ):  # fmt: skip
            found.add(finding)
    return found


def refuse_unclear(card: Card) -> None:
    """A card in a flow has one bin for a value, and none is left out between two bins.

    Raises:
        FlowError: two bins hold for one value, or none holds for one between them; with an example.
    """
    for part in card.characteristics:
        domain = FULL if part.column.domain is None else part.column.domain.ranges
        for finding in (*_overlaps(part, domain), *_gaps(part, domain)):
            if finding.severity == "error":
                example = ", ".join(f"{name} {value}" for name, value in finding.example.items())
                at = next(one.place for one in part.bins if one.cell.text == finding.rows[-1])
                do = "Let every value fall into one bin: [10..20) is up to, and without, 20."
                raise FlowError(f"{at}: {finding.said.removeprefix(part.name + ': ')}.", seen=example, do=do)


def _ends(line: Line) -> Ranges:
    return (line.ends,)


def _runs(part: Characteristic) -> list[tuple[int, int, Bin]]:
    """Every range with its bin, from the lowest on."""
    every = [(low, high, one) for one in part.bins for low, high in one.cell.ranges]
    return sorted(every, key=lambda run: run[:2])


def _overlaps(part: Characteristic, domain: Ranges) -> Iterable[Finding]:
    line, top = part.column.line, None
    for run in _runs(part):
        both = [] if top is None or run[2] is top[2] else _common(run[0], min(run[1], top[1]), domain)
        if top is not None and both:
            example = plain_value(line, *both[0])
            names = (top[2].cell.text, run[2].cell.text)
            said = f"{part.name}: the bins {names[0]} and {names[1]} hold for the same value"
            yield Finding("overlap", "error", said, names, {part.name: example})
        if top is None or run[1] > top[1]:
            top = run
    absent = [one.cell.text for one in part.bins if one.cell.missing]
    if len(absent) > 1:
        said = f"{part.name}: the bins {absent[0]} and {absent[1]} hold for a missing value"
        yield Finding("overlap", "error", said, (absent[0], absent[1]), {part.name: "missing"})


def _common(low: int, high: int, domain: Ranges) -> list[tuple[int, int]]:
    """The points of a range that can come."""
    pairs = [(max(low, first), min(high, last)) for first, last in domain]
    return [pair for pair in pairs if pair[0] <= pair[1]]


def _gaps(part: Characteristic, domain: Ranges) -> Iterable[Finding]:
    line, runs = part.column.line, _runs(part)
    if not runs:
        return
    lowest, highest = runs[0][0], max(run[1] for run in runs)
    ends = line.ends
    for low, high in complement(merged((low, high) for low, high, _ in runs)):
        for first, last in domain:
            a, b = max(low, first, ends[0]), min(high, last, ends[1])
            if a > b or (line.type.is_float and a == b == BELOW_ZERO):
                continue
            inside = line.has_order and lowest < a and b < highest
            if line.has_order:
                what = f"no bin holds for {range_in_words(line, a, b, ends)}"
            else:
                what = f"no bin holds for {plain_value(line, a, b)}"
            said = f"{part.name}: {what}" + ("" if inside else "; there are no points then")
            example = {part.name: plain_value(line, a, b)}
            after = next((run[2].cell.text for run in runs if run[0] > b), runs[-1][2].cell.text)
            yield Finding("gap", "error" if inside else "warning", said, (after,), example)
            if not line.has_order and b - a > 1:  # any other text: once is enough
                return


def _unreachable(part: Characteristic, domain: Ranges) -> Iterable[Finding]:
    for one in part.bins:
        reached = any(low <= last and first <= high for low, high in one.cell.ranges for first, last in domain)
        if not reached and not one.cell.missing:
            why = "every value has another" if not one.cell.ranges else "no such value can come"
            said = f"{part.name}: nothing falls into the bin {one.cell.text}, for {why}"
            yield Finding("unreachable", "warning", said, (one.cell.text,))


def _absent(part: Characteristic, can_be: bool) -> Iterable[Finding]:
    if can_be and part.missing < 0:
        said = f"{part.name}: no bin holds for a missing value; there are no points then"
        yield Finding("gap", "warning", said, (), {part.name: "missing"})


def _disorder(part: Characteristic, worse: bool) -> Iterable[Finding]:
    """Where points do not follow the weight of evidence: the pair that lies farthest from it."""
    counts = part.counts
    if counts is None:
        return
    weighed = zip(weights_of_evidence(counts), part.bins, strict=True)
    known = sorted(((w, one) for w, one in weighed if w is not None), key=lambda pair: pair[0])
    sign = -1 if worse else 1
    pairs = [(sign * (a.points - b.points), v, a, w, b) for (v, a), (w, b) in pairwise(known) if w > v]
    if not pairs or max(pairs, key=lambda pair: pair[0])[0] <= 0:
        return
    _, v, a, w, b = max(pairs, key=lambda pair: pair[0])
    line, better = part.column.line, "more" if worse else "fewer"
    said = (
        f"{part.name}: {b.cell.text} has {better} points ({b.points:g}) than {a.cell.text} ({a.points:g}), "
        f"though its weight of evidence is higher ({w:.3f}, {v:.3f})"
    )
    example = {f"{part.name} ({one.points:g} points)": _within(one, line) for one in (a, b)}
    yield Finding("order", "warning", said, (a.cell.text, b.cell.text), example)


def _within(one: Bin, line: Line) -> str:
    """A value that falls into a bin."""
    ranges = one.cell.ranges
    return plain_value(line, *ranges[0]) if ranges else "missing"


def _wordless(part: Characteristic) -> Iterable[Finding]:
    bare = [one.cell.text for one in part.bins if one.because == one.code]
    if len(bare) == len(part.bins):
        said = f"{part.name}: no words say why points are lost, so its reason is told as {part.bins[0].code}"
        yield Finding("words", "note", said, tuple(bare[:1]))
