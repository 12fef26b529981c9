"""Scorecards among the lines of a flow: which there are, their currencies, and what tells two of them apart."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from tidegate.decisions.scorecards.node import Scorecard
from tidegate.decisions.tables.lines import one_currency
from tidegate.expressions.node import Expr


def scorecards_in(nodes: Iterable[Expr]) -> tuple[Scorecard, ...]:
    """Every scorecard that a flow asks, in order."""
    return tuple(node for node in nodes if isinstance(node, Scorecard))


def fit_currency(cards: Iterable[Scorecard], currency: str | None, called: Mapping[str, str]) -> None:
    """Amounts of open currency, read in the flow's, meet no bins of another.

    Args:
        called: by key, the lines of the flow that scorecards are, to tell the one of a mistake.

    Raises:
        FlowError: they do.
    """
    for one in cards:
        columns = [part.column for part in one.card.characteristics]
        what = f"The scorecard {one.card.name}" + (f" of {called[one.key]}" if one.key in called else "")
        one_currency(what, columns, one.args, one.currencies, currency)


def told(name: str, line: Scorecard, write: Callable[[Expr], str]) -> Iterator[tuple[str, str]]:
    """A scorecard as lines to compare: its head, and every bin under a name of its own."""
    card = line.card
    parts = zip(card.characteristics, line.args, strict=True)
    given = [f"{part.name} = {write(arg)} ({part.column.type})" for part, arg in parts]
    scale = f", {card.scaling}" if card.scaling else ""
    higher = "worse" if card.worse else "better"
    yield name, f"scorecard from {card.initial:g} over {', '.join(given)}, more is {higher}, {card.most} reasons{scale}"
    for part in card.characteristics:
        yield f"{name} {part.name} baseline", f"{part.baseline:g}"
        first = part.bins[0]
        yield f"{name} {part.name} reason", f"{first.code}: {first.because}"
        for one in part.bins:
            code = f", code={one.code!r}" if one.code != first.code else ""
            because = f", because={one.because!r}" if one.because != first.because else ""
            yield f"{name} {part.name} {one.cell.text}", f"{one.points:g}{code}{because}"


__all__ = ["fit_currency", "scorecards_in", "told"]
